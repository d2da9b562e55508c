/* Questions to carriers about messages that they have: query_sm for a state that no receipt brought, cancel_sm to get
 * one back, replace_sm to change its text. A question is a row of smsbridge.ask, so that a restart loses none; any
 * gateway may put it. It takes a slot of the window like a submit. An answer that never comes costs nothing: the row is
 * due again later. query_sm and the others name a message by the carrier's id (3.4 4.8.1): a submit whose answer never
 * came has none, and is only asked for once a receipt has brought one. */
#include "dispatch_claim.h"

#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000
#define ASKS_MAX 32 /* put at a time to one carrier */

enum ask_kind { ASK_NONE, ASK_QUERY, ASK_CANCEL, ASK_REPLACE };

static const struct {
	const char *name;
	enum smpp_command command;
} kinds[] = {
        [ASK_QUERY] = {"query", SMPP_query_sm},
        [ASK_CANCEL] = {"cancel", SMPP_cancel_sm},
        [ASK_REPLACE] = {"replace", SMPP_replace_sm},
};

struct over {
	struct uuid practice_id;
	struct uuid message_id;
	enum ask_kind kind;
	bool done;
	char command_status[SMPP_STATUS_TEXT];
};

struct asks {
	struct dispatch *d;
	struct net_timer *timer;
	struct store_params set, due, back, over_params, alert;
	struct over over[LIMIT_ASK_ANSWERS];
	unsigned overs;
	struct smpp_split_octets octets;
	unsigned backs;
	bool carriers_set;
	bool looking;
	bool writing;
	bool wanted;
};

static void look_cb(void *ctx)
{
	struct asks *a = ctx;
	a->wanted = true;
	net_timer_start(a->timer, LOOK_MS);
}

struct asks *asks_new(struct dispatch *d)
{
	struct asks *a = mem_alloc(sizeof(*a));
	a->d = d;
	a->timer = net_timer_new(d->config.loop, look_cb, a);
	net_timer_start(a->timer, LOOK_MS);
	a->wanted = true;
	return a;
}

bool asks_ready(const struct asks *a)
{
	return a->carriers_set;
}

/* --- what carriers take ------------------------------------------------------------------------------------------- */

static void set_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	(void)sqlstate;
	a->writing = a->wanted = false;
	a->carriers_set = result == STORE_OK;
}

static void set_carriers(struct asks *a)
{
	static const enum store_type types[] = {STORE_TEXT, STORE_BOOL, STORE_INT8, STORE_BOOL, STORE_BOOL};
	struct store_params *ps = &a->set;
	store_params_clear(ps);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(ps, types[i]);
	for (unsigned i = 0; i < a->d->config.carrier_count; i++) {
		const struct dispatch_carrier *c = &a->d->carriers[i];
		store_add_str(ps, 0, c->name);
		store_add_int(ps, 1, c->query);
		store_add_int(ps, 2, c->query_after_ms / 1000);
		store_add_int(ps, 3, c->cancel);
		store_add_int(ps, 4, c->replace);
	}
	store_value_time(ps, dispatch_now_us(a->d));
	struct store_step step = {"carriers_set", ps, NULL};
	a->writing = true;
	store_lane_run(a->d->house_lane, &step, 1, set_cb, a);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static struct link_slot *free_link(struct dispatch *d, struct view carrier)
{
	for (unsigned i = 0; i < d->links; i++)
		if (view_eq(view_str(d->link[i].carrier->name), carrier) && link_carrier_slots(d->link[i].link))
			return &d->link[i];
	return NULL;
}

static enum ask_kind kind_of(struct view name)
{
	for (enum ask_kind k = ASK_QUERY; k <= ASK_REPLACE; k++)
		if (view_eq(view_str(kinds[k].name), name))
			return k;
	return ASK_NONE;
}

static struct view digits(struct view number)
{
	bool plus = number.n && number.p[0] == '+';
	return view_of(number.p + plus, number.n - plus);
}

static void write_ask(enum ask_kind kind, const struct dispatch_carrier *c, const struct store_rows *rows, unsigned i,
                      struct smpp_pdu *pdu)
{
	smpp_pdu_init(pdu, kinds[kind].command, 0);
	smpp_pdu_set_text(pdu, SMPP_F_message_id, store_rows_text(rows, i, 4));
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, c->source_ton);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, c->source_npi);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, digits(store_rows_text(rows, i, 5)));
	if (kind == ASK_CANCEL) {
		smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, c->dest_ton);
		smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, c->dest_npi);
		smpp_pdu_set_text(pdu, SMPP_F_destination_addr, digits(store_rows_text(rows, i, 6)));
	}
	if (kind == ASK_REPLACE)
		smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
}

static bool write_text(struct asks *a, const struct dispatch_carrier *c, const struct store_rows *rows, unsigned i,
                       struct smpp_pdu *pdu)
{
	bool ucs2 = view_eq(store_rows_text(rows, i, 9), VIEW("ucs2"));
	return submits_replacement(c, ucs2, store_rows_text(rows, i, 8), store_rows_text(rows, i, 7), &a->octets, pdu);
}

static void add_over(struct asks *a, const struct flight *f, bool done, const char *command_status)
{
	if (a->overs == LIMIT_ASK_ANSWERS)
		return; /* it is asked again */
	struct over *o = &a->over[a->overs++];
	*o = (struct over){f->practice_id, f->id, (enum ask_kind)f->ask, done, ""};
	copy_str(o->command_status, sizeof(o->command_status), command_status);
}

/* False when the link's last slot went to a submit meanwhile. */
static bool submit_ask(struct dispatch *d, struct link_slot *slot, const struct flight *flight, struct smpp_pdu *pdu)
{
	const char *why;
	uint64_t ref = flights_add(d->flights, flight);
	bool ok = ref && link_carrier_submit(slot->link, ref, pdu, 0, &why);
	if (!ok)
		flights_remove(d->flights, ref);
	link_carrier_flush(slot->link);
	return ok;
}

static bool put_ask(struct asks *a, const struct store_rows *rows, unsigned i)
{
	struct link_slot *slot = free_link(a->d, store_rows_text(rows, i, 3));
	enum ask_kind kind = kind_of(store_rows_text(rows, i, 2));
	struct smpp_pdu pdu;
	if (!slot || kind == ASK_NONE)
		return false;
	struct flight flight = {.practice_id = store_rows_uuid(rows, i, 0),
	                        .id = store_rows_uuid(rows, i, 1),
	                        .link = slot->link,
	                        .carrier = slot->carrier->name,
	                        .ask = (uint8_t)kind};
	write_ask(kind, slot->carrier, rows, i, &pdu);
	if (kind == ASK_REPLACE && !write_text(a, slot->carrier, rows, i, &pdu)) {
		add_over(a, &flight, false, "");
		return true;
	}
	return submit_ask(a->d, slot, &flight, &pdu);
}

/* It was not asked, so that did not count. */
static void give_back(struct asks *a, const struct store_rows *rows, unsigned i)
{
	if (a->backs++ == 0) {
		store_params_clear(&a->back);
		store_value_time(&a->back, dispatch_now_us(a->d));
		store_array(&a->back, STORE_UUID);
		store_array(&a->back, STORE_UUID);
		store_array(&a->back, STORE_TEXT);
	}
	struct uuid practice = store_rows_uuid(rows, i, 0), message = store_rows_uuid(rows, i, 1);
	store_add_uuid(&a->back, 1, &practice);
	store_add_uuid(&a->back, 2, &message);
	store_add_text(&a->back, 3, store_rows_text(rows, i, 2));
}

static void due_cb(void *ctx, const struct store_rows *rows)
{
	struct asks *a = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		if (!put_ask(a, rows, i))
			give_back(a, rows, i);
	a->wanted = a->wanted || (store_rows_count(rows) && !a->backs); /* there may be more */
}

static void gave_back_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	(void)result; /* lost: they are due again in a while */
	(void)sqlstate;
	((struct asks *)ctx)->looking = false;
}

static void looked_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	if (result != STORE_OK || a->backs == 0) {
		gave_back_cb(ctx, result, sqlstate);
		return;
	}
	struct store_step step = {"ask_back", &a->back, NULL};
	store_lane_run(a->d->house_lane, &step, 1, gave_back_cb, a);
}

static unsigned slots_of(const struct dispatch *d, const struct dispatch_carrier *c)
{
	unsigned slots = 0;
	for (unsigned i = 0; i < d->links; i++)
		if (d->link[i].carrier == c)
			slots += link_carrier_slots(d->link[i].link);
	return slots < ASKS_MAX ? slots : ASKS_MAX;
}

static void look(struct asks *a)
{
	struct dispatch *d = a->d;
	unsigned carriers = 0;
	store_params_clear(&a->due);
	store_value_time(&a->due, dispatch_now_us(d));
	unsigned names = store_array(&a->due, STORE_TEXT);
	unsigned slots = store_array(&a->due, STORE_INT4);
	for (unsigned i = 0; i < d->config.carrier_count; i++) {
		const struct dispatch_carrier *c = &d->carriers[i];
		unsigned free_slots = c->query || c->cancel || c->replace ? slots_of(d, c) : 0;
		if (free_slots) {
			store_add_str(&a->due, names, c->name);
			store_add_int(&a->due, slots, free_slots);
			carriers++;
		}
	}
	a->wanted = false;
	a->backs = 0;
	if (carriers == 0)
		return;
	struct store_step step = {"ask_due", &a->due, due_cb};
	a->looking = true;
	store_lane_run(d->house_lane, &step, 1, looked_cb, a);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* What the carrier does not know, or will not do, will not be otherwise later; all else is asked again. */
static bool is_final(enum ask_kind kind, uint32_t status)
{
	return status == ESME_ROK || status == ESME_RINVMSGID ||
	       (kind == ASK_CANCEL ? status == ESME_RCANCELFAIL : kind == ASK_REPLACE && status == ESME_RREPLACEFAIL);
}

void asks_answered(struct asks *a, const struct flight *f, const struct link_answer *answer)
{
	enum ask_kind kind = (enum ask_kind)f->ask;
	bool ok = answer->status == ESME_ROK && answer->command == smpp_command_answer(kinds[kind].command);
	metric_add(METRIC_asks_total, 1, LABELS(f->carrier, kinds[kind].name, ok ? "done" : "refused"));
	if (kind == ASK_QUERY && ok)
		outcomes_add_state(a->d->outcomes, f, answer->pdu);
	else if (kind != ASK_QUERY && is_final(kind, answer->status)) {
		char command_status[SMPP_STATUS_TEXT];
		smpp_status_text(answer->status, command_status, sizeof(command_status));
		add_over(a, f, ok, command_status);
	}
}

static void over_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	(void)sqlstate;
	a->writing = false;
	if (result == STORE_LOST || result == STORE_DOWN)
		return; /* again in the next turn: twice is as once */
	memmove(a->over, a->over + 1, --a->overs * sizeof(*a->over));
	a->wanted = true;
}

static void write_over(struct asks *a)
{
	const struct over *o = &a->over[0];
	struct store_params *ps = &a->over_params;
	store_params_clear(ps);
	store_value_uuid(ps, &o->practice_id);
	store_value_uuid(ps, &o->message_id);
	store_value_str(ps, kinds[o->kind].name);
	store_value_int(ps, STORE_BOOL, o->done);
	store_value_time(ps, dispatch_now_us(a->d));
	store_value_str(ps, o->command_status);
	struct store_step step = {"ask_over", ps, NULL};
	a->writing = true;
	store_lane_run(a->d->house_lane, &step, 1, over_cb, a);
}

/* --- alerts ------------------------------------------------------------------------------------------------------- */

static void alerted_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	(void)result; /* lost: what waits goes at its time */
	(void)sqlstate;
	a->writing = false;
	claimer_wake(a->d->claimer);
}

void asks_alert(struct asks *a, const struct smpp_pdu *pdu)
{
	char phone[24], sender[24];
	dispatch_phone_of(pdu->field[SMPP_F_source_addr].text, phone);
	dispatch_phone_of(pdu->field[SMPP_F_esme_addr].text, sender);
	if (a->writing || !store_lane_up(a->d->house_lane))
		return; /* a hint that is let by: what waits goes at its time */
	store_params_clear(&a->alert);
	store_value_str(&a->alert, phone);
	unsigned senders = store_array(&a->alert, STORE_TEXT);
	store_add_str(&a->alert, senders, sender);
	store_add_str(&a->alert, senders, sender + (sender[0] == '+'));
	store_value_time(&a->alert, dispatch_now_us(a->d));
	struct store_step step = {"alert", &a->alert, NULL};
	a->writing = true;
	store_lane_run(a->d->house_lane, &step, 1, alerted_cb, a);
}

void asks_turn(struct asks *a)
{
	if (!a->d->entered || !store_lane_up(a->d->house_lane) || a->writing)
		return;
	if (!a->carriers_set && a->wanted)
		set_carriers(a);
	else if (a->overs)
		write_over(a);
	else if (a->wanted && !a->looking && !a->d->draining)
		look(a);
}

bool asks_idle(const struct asks *a)
{
	return !a->writing && !a->looking && a->overs == 0;
}

void asks_free(struct asks *a)
{
	net_timer_free(a->timer);
	store_params_free(&a->set);
	store_params_free(&a->due);
	store_params_free(&a->back);
	store_params_free(&a->over_params);
	store_params_free(&a->alert);
	free(a);
}
