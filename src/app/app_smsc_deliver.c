/* What goes to ESMEs: receipts and patients' texts. Each is a delivery that waits for its time, then for room in a
 * session of its account, then for the ESME's answer; what is refused or lost goes again. */
#include "app_smsc.h"

#include "base_check.h"
#include "base_pool.h"
#include "script_draw.h"
#include "script_receipt.h"
#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

/* --- the pool ------------------------------------------------------------------------------------------------------
 */

static bool make_room(struct smsc *s)
{
	if (s->delivery_count < s->delivery_room)
		return true;
	if (s->delivery_room == SMSC_DELIVERIES_MAX)
		return false;
	size_t room = s->delivery_room ? s->delivery_room * 2 : 1024;
	struct smsc_delivery **list = realloc(s->delivery, room * sizeof(*list));
	check(list);
	s->delivery = list;
	s->delivery_room = room;
	return true;
}

static struct smsc_delivery *delivery_new(struct smsc *s)
{
	struct smsc_delivery *d = s->free_delivery;
	if (d) {
		s->free_delivery = d->next;
	} else if (make_room(s)) {
		d = mem_alloc(sizeof(*d));
		d->index = (uint32_t)s->delivery_count;
		s->delivery[s->delivery_count++] = d;
	} else {
		s->dropped++;
		return NULL;
	}
	*d = (struct smsc_delivery){.index = d->index,
	                            .generation = d->generation + 1,
	                            .tries = SMSC_REDELIVER,
	                            .again_ms = SMSC_REDELIVER_MS};
	return d;
}

static void delivery_free(struct smsc *s, struct smsc_delivery *d)
{
	if (d->part) {
		script_part_free(d->part);
		free(d->part);
		d->part = NULL;
	}
	d->generation++; /* what comes late about it finds nobody */
	d->in_flight = false;
	d->next = s->free_delivery;
	s->free_delivery = d;
}

static uint64_t ref_of(const struct smsc_delivery *d)
{
	return (uint64_t)d->generation << 32 | d->index;
}

static struct smsc_delivery *delivery_of(const struct smsc *s, uint64_t ref)
{
	uint32_t index = (uint32_t)ref;
	struct smsc_delivery *d = index < s->delivery_count ? s->delivery[index] : NULL;
	return d && d->in_flight && d->generation == ref >> 32 ? d : NULL;
}

/* --- to whom -------------------------------------------------------------------------------------------------------
 */

static bool receives(const struct smsc_peer *p, uint8_t account)
{
	return p->bound && !p->ended && !p->wire.half_open && p->account == account && p->kind != SMPP_BIND_TX &&
	       smpp_session_slots(link_pump_session(p->pump)) > 0;
}

/* The connection that should have it, or any other of the account with room: then drawn. */
static struct smsc_peer *receiver_for(struct smsc *s, const struct smsc_delivery *d)
{
	struct smsc_peer *own = smsc_peer_of(s, d->peer);
	unsigned others = 0;
	bool takes = own && receives(own, d->account);
	if (takes && !d->elsewhere)
		return own;
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		others += p != own && receives(p, d->account);
	if (!others)
		return takes ? own : NULL;
	unsigned at = others > 1 ? (unsigned)(script_engine_draw(s->engine, SMSC_DRAW_WHOM) % others) : 0;
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		if (p != own && receives(p, d->account) && at-- == 0)
			return p;
	return NULL;
}

/* --- sending -------------------------------------------------------------------------------------------------------
 */

static void fill_receipt(struct smsc *s, const struct smsc_delivery *d, struct smpp_pdu *pdu)
{
	static struct buf octets = BUF(2048); /* one loop, one thread; the PDU is encoded before the next */
	char id[SCRIPT_ID_BYTES];
	struct clock wall = {0};
	struct script_receipt r = {
	        .id = script_id_spell((enum script_word)d->spelling, d->number, s->seed, id),
	        .from = d->from,
	        .to = d->to,
	        .state = view_str(d->state),
	        .error = view_str(d->error),
	        .submit_us = d->submit_us,
	        .done_us = clock_read(&wall),
	        .format = (enum script_format)d->format,
	        .tlvs = (enum script_word)d->tlvs,
	        .intermediate = d->intermediate,
	        .unflagged = d->unflagged,
	        .data_sm = d->data_sm,
	};
	script_receipt_fill(&r, &octets, pdu);
}

/* False when no session has room. */
static bool send(struct smsc *s, struct smsc_delivery *d)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	uint8_t sar[4];
	struct smsc_peer *p = receiver_for(s, d);
	if (!p)
		return false;
	if (d->part)
		script_part_fill(d->part, d->from, d->to, sar, &pdu);
	else
		fill_receipt(s, d, &pdu);
	if (!smpp_session_submit(link_pump_session(p->pump), ref_of(d), &pdu, net_loop_now_ms(s->loop), &fault)) {
		if (!fault.field)
			return false;
		s->dropped++; /* it cannot be said to this peer: a 3.3 session and message_payload */
		delivery_free(s, d);
		return true;
	}
	d->in_flight = true;
	p->dirty = true;
	s->delivered++;
	return true;
}

static void wait_for_room(struct smsc *s, struct smsc_delivery *d)
{
	struct smsc_account *a = &s->account[d->account];
	d->next = NULL;
	*a->last = d;
	a->last = &d->next;
	a->waiting++;
}

void smsc_deliver_waiting(struct smsc *s)
{
	for (unsigned i = 0; i < s->accounts; i++) {
		struct smsc_account *a = &s->account[i];
		for (struct smsc_delivery *d; (d = a->first);) {
			struct smsc_delivery *next = d->next;
			if (!send(s, d))
				break;
			a->first = next;
			a->waiting--;
			if (!next)
				a->last = &a->first;
		}
	}
}

/* Its time has come: the message is in its state, and the ESME is told. */
static void deliver(struct smsc *s, struct smsc_delivery *d)
{
	struct script_message *m = d->number ? script_book_get(s->book, d->number) : NULL;
	struct clock wall = {0};
	if (m && m->state == SMPP_STATE_DELETED && !d->contradicts)
		copy_str(d->state, sizeof(d->state), "DELETED");
	enum smpp_message_state state = script_receipt_state(view_str(d->state));
	if (m && state != SMPP_STATE_NONE)
		script_book_move(s->book, m, state, clock_read(&wall));
	if (d->silent)
		delivery_free(s, d);
	else if (s->account[d->account].first || !send(s, d))
		wait_for_room(s, d);
}

static void deliver_cb(struct smsc *s, struct smsc_later *l)
{
	deliver(s, l->delivery);
}

static void deliver_in(struct smsc *s, struct smsc_delivery *d, int64_t after_ms)
{
	struct smsc_later *l = smsc_later_behind(s, after_ms, deliver_cb);
	if (l)
		l->delivery = d;
	else
		delivery_free(s, d);
}

/* --- outcomes ------------------------------------------------------------------------------------------------------
 */

static void again(struct smsc *s, struct smsc_delivery *d)
{
	d->in_flight = false;
	d->generation++;
	if (d->tries-- <= 0) {
		s->dropped++;
		delivery_free(s, d);
		return;
	}
	if (d->redeliver_line >= 0)
		smsc_did_line(s, NULL, SCRIPT_redeliver, d->redeliver_line, 0);
	deliver_in(s, d, d->again_ms);
}

void smsc_delivery_answered(struct smsc *s, uint64_t ref, uint32_t status)
{
	struct smsc_delivery *d = delivery_of(s, ref);
	if (!d)
		return;
	if (status == ESME_ROK || status == ESME_RX_P_APPN || status == ESME_RX_R_APPN)
		delivery_free(s, d);
	else
		again(s, d);
}

void smsc_delivery_lost(struct smsc *s, uint64_t ref)
{
	struct smsc_delivery *d = delivery_of(s, ref);
	if (d)
		again(s, d);
}

/* --- receipts ------------------------------------------------------------------------------------------------------
 */

static void plan_again(struct smsc_delivery *d, const struct script_plan *plan)
{
	d->redeliver_line = -1;
	if (!script_has(plan, SCRIPT_redeliver))
		return;
	d->redeliver_line = (int)plan->rule[SCRIPT_redeliver]->line;
	d->tries = (int32_t)script_number(plan, SCRIPT_redeliver, 0);
	d->again_ms = script_number(plan, SCRIPT_redeliver, 1);
}

/* The receipts of one message and address have the same plan. */
struct making {
	struct smsc *s;
	struct smsc_peer *p;
	const struct script_message *m;
	const char *to;
	const struct script_plan *plan;
	enum script_word spelling;
};

static bool wanted(const struct script_message *m, struct view state)
{
	bool delivered = script_receipt_state(state) == SMPP_STATE_DELIVERED;
	return m->receipt == 1 || (m->receipt == 2 && !delivered) || (m->receipt == 3 && delivered);
}

static struct smsc_delivery *receipt_new(const struct making *k, struct view state)
{
	struct smsc_delivery *d = delivery_new(k->s);
	if (!d)
		return NULL;
	const struct script_plan *plan = k->plan;
	d->peer = k->p->number;
	d->account = k->p->account;
	d->number = k->m->number;
	d->spelling = (uint8_t)k->spelling;
	d->format = (uint8_t)script_number(plan, SCRIPT_format, 0);
	d->tlvs = (uint8_t)(script_has(plan, SCRIPT_tlvs) ? script_number(plan, SCRIPT_tlvs, 0) : SCRIPT_TLVS_none);
	d->unflagged = script_has(plan, SCRIPT_unflagged);
	d->data_sm = script_has(plan, SCRIPT_data_sm);
	d->elsewhere = script_has(plan, SCRIPT_other_bind);
	d->submit_us = k->m->accepted_us;
	d->silent = !wanted(k->m, state) || script_has(plan, SCRIPT_drop);
	copy_view(d->state, sizeof(d->state), state);
	copy_view(d->error, sizeof(d->error),
	          script_has(plan, SCRIPT_state) ? plan->value[SCRIPT_state][1].text : VIEW("000"));
	copy_str(d->from, sizeof(d->from), k->m->from);
	copy_str(d->to, sizeof(d->to), k->to);
	plan_again(d, plan);
	return d;
}

static void tell(const struct making *k, bool silent)
{
	static const enum script_fault told[] = {SCRIPT_delay,   SCRIPT_before_answer, SCRIPT_state,
	                                         SCRIPT_format,  SCRIPT_tlvs,          SCRIPT_unflagged,
	                                         SCRIPT_data_sm, SCRIPT_other_bind,    SCRIPT_reorder};
	if (script_has(k->plan, SCRIPT_drop) && k->m->receipt)
		smsc_did(k->s, k->p, k->plan, SCRIPT_drop, 0);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]) && !silent; i++)
		if (script_has(k->plan, told[i]))
			smsc_did(k->s, k->p, k->plan, told[i], 0);
}

static int64_t make_intermediate(const struct making *k, int64_t after_ms)
{
	if (!script_has(k->plan, SCRIPT_intermediate) || !k->m->receipt)
		return after_ms;
	struct smsc_delivery *d = receipt_new(k, k->plan->value[SCRIPT_intermediate][0].text);
	if (d) {
		d->intermediate = true;
		d->silent = script_has(k->plan, SCRIPT_drop);
		smsc_did(k->s, k->p, k->plan, SCRIPT_intermediate, 0);
		deliver_in(k->s, d, after_ms);
	}
	return after_ms + script_number(k->plan, SCRIPT_intermediate, 1);
}

static void make_more(const struct making *k, struct view state, int64_t after_ms)
{
	struct smsc_delivery *d;
	for (int64_t i = 1; i <= script_number(k->plan, SCRIPT_twice, 0) && i <= SMSC_REORDER_MAX; i++) {
		if (!(d = receipt_new(k, state)))
			return;
		smsc_did(k->s, k->p, k->plan, SCRIPT_twice, 0);
		deliver_in(k->s, d, after_ms + i * script_number(k->plan, SCRIPT_twice, 1));
	}
	if (script_has(k->plan, SCRIPT_contradict) && (d = receipt_new(k, k->plan->value[SCRIPT_contradict][0].text))) {
		d->contradicts = true;
		smsc_did(k->s, k->p, k->plan, SCRIPT_contradict, 0);
		deliver_in(k->s, d, after_ms + script_number(k->plan, SCRIPT_contradict, 1));
	}
}

static void let_reordered_go(struct smsc *s)
{
	unsigned index[SMSC_REORDER_MAX], n = s->reordered_deliveries;
	struct smsc_delivery *kept[SMSC_REORDER_MAX];
	memcpy(kept, s->reorder_delivery, n * sizeof(struct smsc_delivery *));
	s->reordered_deliveries = 0;
	script_draw_order(s->seed, SMSC_DRAW_ORDER + 100, s->reorder_delivery_round++, index, n);
	for (unsigned i = 0; i < n; i++)
		deliver(s, kept[index[i]]);
}

static void reorder_cb(struct smsc *s, struct smsc_later *l)
{
	if (l->peer.value == (uint32_t)s->reorder_delivery_round && s->reordered_deliveries)
		let_reordered_go(s);
}

/* Collected from now on: a delay does not come on top. */
static void reorder(const struct making *k, struct smsc_delivery *d)
{
	struct smsc *s = k->s;
	struct smsc_later *l;
	int64_t most = script_number(k->plan, SCRIPT_reorder, 0);
	if (s->reordered_deliveries == 0 &&
	    (l = smsc_later_add(s, script_number(k->plan, SCRIPT_reorder, 1), reorder_cb)))
		l->peer.value = (uint32_t)s->reorder_delivery_round;
	s->reorder_delivery[s->reordered_deliveries++] = d;
	if (s->reordered_deliveries >= (most < SMSC_REORDER_MAX ? most : SMSC_REORDER_MAX))
		let_reordered_go(s);
}

void smsc_receipt(struct smsc_peer *p, const struct script_message *m, const char *to, const struct script_plan *plan,
                  enum script_word spelling, int64_t answer_ms)
{
	struct making k = {p->smsc, p, m, to, plan, spelling};
	struct view state = script_has(plan, SCRIPT_state) ? plan->value[SCRIPT_state][0].text : VIEW("DELIVRD");
	bool before = script_has(plan, SCRIPT_before_answer);
	int64_t after_ms = (before ? 0 : answer_ms) + script_number(plan, SCRIPT_delay, 0);
	struct smsc_delivery *d = receipt_new(&k, state);
	if (!d)
		return;
	tell(&k, d->silent);
	after_ms = make_intermediate(&k, after_ms);
	bool silent = d->silent;
	if (script_has(plan, SCRIPT_reorder) && !silent)
		reorder(&k, d);
	else if (after_ms == 0 && (before || silent))
		deliver(p->smsc, d);
	else
		deliver_in(p->smsc, d, after_ms);
	if (!silent)
		make_more(&k, state, after_ms);
	smsc_wire_end(p, plan, 0, after_ms + 1); /* behind the receipt, if it finds room */
}

/* --- patients' texts -----------------------------------------------------------------------------------------------
 */

struct text_plan {
	struct smsc *s;
	struct smsc_peer *p;
	uint8_t account;
	const char *from, *to;
	const struct script_plan *plan;
	int64_t after_ms;
};

static bool deliver_part(const struct text_plan *t, const struct script_part *part)
{
	struct smsc_delivery *d = delivery_new(t->s);
	if (!d)
		return false;
	d->part = mem_alloc(sizeof(*d->part));
	*d->part = *part;
	d->part->octets = BUF(part->octets.max);
	buf_add_view(&d->part->octets, buf_view(&part->octets));
	d->peer = t->p ? t->p->number : 0;
	d->account = t->account;
	copy_str(d->from, sizeof(d->from), t->from);
	copy_str(d->to, sizeof(d->to), t->to);
	plan_again(d, t->plan);
	if (t->after_ms > 0)
		deliver_in(t->s, d, t->after_ms);
	else
		deliver(t->s, d);
	return true;
}

static bool deliver_parts(const struct text_plan *t, const struct script_part *part, unsigned n)
{
	struct smsc *s = t->s;
	unsigned index[SCRIPT_PARTS_MAX], lost = SCRIPT_PARTS_MAX, twice = SCRIPT_PARTS_MAX;
	bool sent = true;
	for (unsigned i = 0; i < n; i++)
		index[i] = i;
	if (n > 1 && script_has(t->plan, SCRIPT_part_reorder)) {
		smsc_did(s, t->p, t->plan, SCRIPT_part_reorder, 0);
		script_draw_order(s->seed, SMSC_DRAW_ORDER + 200, s->next_reference, index, n);
	}
	if (n > 1 && script_has(t->plan, SCRIPT_part_lost)) {
		smsc_did(s, t->p, t->plan, SCRIPT_part_lost, 0);
		lost = (unsigned)(script_engine_draw(s->engine, SMSC_DRAW_PART) % n);
	}
	if (n > 1 && script_has(t->plan, SCRIPT_part_twice)) {
		smsc_did(s, t->p, t->plan, SCRIPT_part_twice, 0);
		twice = (unsigned)(script_engine_draw(s->engine, SMSC_DRAW_PART) % n);
	}
	for (unsigned i = 0; i < n; i++) {
		if (index[i] != lost)
			sent = deliver_part(t, &part[index[i]]) && sent;
		if (index[i] == twice && index[i] != lost)
			sent = deliver_part(t, &part[index[i]]) && sent;
	}
	return sent;
}

static void mo_from_plan(struct smsc *s, const struct script_plan *plan, struct script_mo *mo)
{
	mo->coding = script_has(plan, SCRIPT_coding) ? (enum script_word)script_number(plan, SCRIPT_coding, 0)
	                                             : SCRIPT_CODING_gsm;
	mo->cut = script_has(plan, SCRIPT_concat);
	mo->concat = (enum script_word)script_number(plan, SCRIPT_concat, 0);
	mo->parts = (unsigned)script_number(plan, SCRIPT_concat, 1);
	mo->parts = mo->parts < 2 ? 2 : mo->parts;
	mo->reference = ++s->next_reference;
}

static bool may_go(struct smsc *s, uint8_t account)
{
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		if (p->bound && p->account == account)
			return true;
	return false;
}

bool smsc_text(struct smsc *s, struct smsc_peer *p, uint8_t account, const char *from, const char *to, struct view text,
               int64_t after_ms)
{
	static const enum script_fault told[] = {SCRIPT_delay, SCRIPT_coding, SCRIPT_concat};
	struct script_part part[SCRIPT_PARTS_MAX];
	struct script_plan plan;
	struct script_facts facts = {.event = SCRIPT_ON_mo,
	                             .now_ms = net_loop_now_ms(s->loop),
	                             .from = view_str(from),
	                             .to = view_str(to),
	                             .text = text,
	                             .account = view_str(s->account[account].name)};
	struct script_mo mo = {.text = text};
	if (!may_go(s, account))
		return false;
	script_decide(s->engine, &facts, &plan);
	if (script_has(&plan, SCRIPT_drop)) {
		smsc_did(s, p, &plan, SCRIPT_drop, 0);
		return true;
	}
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (script_has(&plan, told[i]))
			smsc_did(s, p, &plan, told[i], 0);
	mo_from_plan(s, &plan, &mo);
	after_ms += script_number(&plan, SCRIPT_delay, 0);
	unsigned n = script_parts_cut(&mo, part);
	bool sent = true;
	for (int64_t i = 0; i <= script_number(&plan, SCRIPT_twice, 0) && i <= SMSC_REORDER_MAX; i++) {
		struct text_plan t = {
		        s, p, account, from, to, &plan, after_ms + i * script_number(&plan, SCRIPT_twice, 1)};
		if (i > 0)
			smsc_did(s, p, &plan, SCRIPT_twice, 0);
		sent = deliver_parts(&t, part, n) && sent;
	}
	for (unsigned i = 0; i < n; i++)
		script_part_free(&part[i]);
	struct smsc_peer *whom = p ? p : smsc_peer_draw(s);
	if (whom)
		smsc_wire_end(whom, &plan, 0, after_ms);
	return sent;
}
