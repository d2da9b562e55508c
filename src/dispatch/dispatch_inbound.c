/* Patients' texts, one at a time, each in one transaction under the recipient's lock, then answered. A STOP does not
 * pass through the claim cycle and works while that is stopped.
 *
 * First the practice that has the number is found (inbound_practice). Then, with the recipient locked, the text is
 * taken: was it delivered before (inbound_once), is it a part (part_store), or one whose parts did not come
 * (long_take)? It is kept and acted upon (dispatch_heard.c): opt-out and cancel, lift, a task for a person, or help;
 * the one notice is queued; commit. At last claimed submits are withdrawn and the carrier is answered.
 *
 * A part that is not the last one is kept and answered; the others join it later (dispatch_part.c). A STOP acts when
 * its part comes, and not again when the text is joined; START and HELP act when the whole text says so.
 *
 * Carriers deliver again what they think unanswered (trap 33): a part that its text has already is such a repeat; for
 * texts in one PDU see dispatch_repeat.c.
 *
 * When the commit's fate is unknown the text goes through again: its ids are its own, so twice is as once. */
#include "dispatch_inbound.h"

#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 500
#define REFUSALS_MAX 5
#define TICK_MS 1000
#define PURGE_TICKS 60
#define DUE_MAX 64               /* texts that wait for parts no longer, at a time */
#define BODY_BYTES_MAX (1 << 20) /* UTF-8 of a joined text: 255 parts */

struct inbounds {
	struct dispatch *d;
	struct inbound *first, *last;
	unsigned waiting;
	size_t bytes;
	unsigned expired; /* of those that wait */
	bool busy;
	bool paused;
	bool tick;         /* sweep in this turn */
	unsigned ticks;    /* since the last purge */
	unsigned refusals; /* of the text that is first */
	struct repeats *repeats;
	struct net_timer *retry, *timer;
	struct store_params find, lock, take, keep, close, act, notice, ids, due, purge;
};

static void retry_cb(void *ctx)
{
	((struct inbounds *)ctx)->paused = false;
}

static void tick_cb(void *ctx)
{
	struct inbounds *in = ctx;
	in->tick = true;
	net_timer_start(in->timer, TICK_MS);
}

struct inbounds *inbounds_new(struct dispatch *d)
{
	struct inbounds *in = mem_alloc(sizeof(*in));
	in->d = d;
	in->repeats = repeats_new(d);
	in->retry = net_timer_new(d->config.loop, retry_cb, in);
	in->timer = net_timer_new(d->config.loop, tick_cb, in);
	net_timer_start(in->timer, TICK_MS);
	return in;
}

void inbounds_sweep(struct inbounds *in)
{
	in->tick = true;
}

bool inbounds_idle(const struct inbounds *in)
{
	return !in->first;
}

static bool is_routed(const struct inbound *m)
{
	return !uuid_is_zero(&m->practice_id);
}

/* --- in ------------------------------------------------------------------------------------------------------------
 */

static void inbound_free(struct inbound *m)
{
	buf_free(&m->body);
	inbound_parts_free(m->parts);
	free(m->data);
	free(m->carrier_copy);
	free(m->practice_name);
	free(m->practice_phone);
	free(m->practice_sender);
	free(m->known);
	inbound_told_free(&m->told);
	free(m);
}

/* The configuration's row of a carrier, or NULL when it is not configured any more. */
static const struct dispatch_carrier *carrier_find(const struct dispatch *d, struct view name)
{
	for (unsigned i = 0; i < d->config.carrier_count; i++)
		if (view_eq(name, view_str(d->carriers[i].name)))
			return &d->carriers[i];
	return NULL;
}

static enum text_alphabet alphabet_of(const struct dispatch *d, const char *carrier)
{
	const struct dispatch_carrier *c = carrier_find(d, view_str(carrier));
	return c ? c->alphabet : ALPHABET_GSM7;
}

static struct inbound *inbound_new(struct inbounds *in, enum inbound_kind kind, const char *carrier)
{
	struct inbound *m = mem_alloc(sizeof(*m));
	m->kind = kind;
	m->carrier = carrier;
	m->at_us = dispatch_now_us(in->d);
	m->arrived_ms = net_loop_now_ms(in->d->config.loop);
	m->own_id = dispatch_id(in->d);
	m->notice_id = dispatch_id(in->d);
	m->body = BUF(BODY_BYTES_MAX);
	return m;
}

/* Copies the text's octets; the PDU is gone when its turn comes. */
static void take_octets(struct inbound *m, const struct smpp_pdu *pdu, enum text_alphabet alphabet)
{
	struct smpp_concat *c = &m->concat;
	smpp_concat_read(pdu, c);
	size_t header = c->header.n;
	m->data = mem_alloc(c->data.n + 1);
	if (c->data.n)
		memcpy(m->data, c->data.p, c->data.n);
	c->data = view_of(m->data, c->data.n);
	c->header = view_of(m->data, header);
	c->text = view_of(m->data + header, c->data.n - header);
	m->part.octets = c->text;
	m->part.coding = (struct text_coding){.data_coding = (uint8_t)pdu->field[SMPP_F_data_coding].number,
	                                      .alphabet = alphabet,
	                                      .shift = {c->locking, c->single},
	                                      .header_octets = (uint8_t)(header < UINT8_MAX ? header : 0)};
	m->kind = c->kind == SMPP_CONCAT_NONE ? INBOUND_WHOLE : INBOUND_PART;
	m->clean = text_decode_as(&m->part.coding, c->text, &m->body) && !c->odd;
}

static void append(struct inbounds *in, struct inbound *m)
{
	if (in->last)
		in->last->next = m;
	else
		in->first = m;
	in->last = m;
	in->waiting++;
	m->bytes = m->concat.data.n + m->body.n;
	in->bytes += m->bytes;
	in->expired += m->kind == INBOUND_EXPIRED;
}

void inbounds_add(struct inbounds *in, const struct delivery *from, const struct smpp_pdu *pdu)
{
	if (in->waiting >= LIMIT_INBOUND_QUEUE || in->bytes >= LIMIT_INBOUND_BYTES) {
		dispatch_answer(from, ESME_RX_T_APPN);
		return;
	}
	struct inbound *m = inbound_new(in, INBOUND_WHOLE, link_carrier_name(from->link));
	m->from = *from;
	take_octets(m, pdu, alphabet_of(in->d, m->carrier));
	inbound_read(m);
	dispatch_phone_of(pdu->field[SMPP_F_source_addr].text, m->phone);
	dispatch_phone_of(pdu->field[SMPP_F_destination_addr].text, m->sender);
	append(in, m);
}

static void again_later(struct inbounds *in)
{
	in->busy = false;
	in->paused = true;
	net_timer_start(in->retry, RETRY_MS);
}

static void remove_first(struct inbounds *in)
{
	struct inbound *m = in->first;
	in->first = m->next;
	if (!in->first)
		in->last = NULL;
	in->waiting--;
	in->bytes -= m->bytes;
	in->expired -= m->kind == INBOUND_EXPIRED;
	in->busy = false;
	in->refusals = 0;
	inbound_free(m);
}

/* --- out -----------------------------------------------------------------------------------------------------------
 */

static const char *kind_of(const struct inbound *m)
{
	if (m->fate == INBOUND_REPEATED)
		return "repeated";
	if (!is_routed(m))
		return "unroutable";
	if (m->fate == INBOUND_WAITS && m->act.intent == INTENT_OTHER)
		return "part";
	if (m->told.as[0] && strcmp(m->told.as, "reply") != 0)
		return "answer";
	return m->keyword ? text_intent_name(m->keyword) : "reply";
}

static void answer(struct inbounds *in, uint32_t status)
{
	const struct inbound *m = in->first;
	if (!m->from.link)
		return;
	dispatch_answer(&m->from, status);
	if (status == ESME_ROK && m->kind == INBOUND_WHOLE)
		repeats_answered(in->repeats, m);
}

static void finish(struct inbounds *in)
{
	struct inbound *m = in->first;
	if (m->kind != INBOUND_EXPIRED || m->fate == INBOUND_KEEP)
		metric_add(METRIC_inbound_total, 1, LABELS(m->carrier, kind_of(m)));
	/* What was done, which the database says: NO to a verification is a wrong number. */
	inbound_withdraw(in->d, m, m->done);
	if (text_intent_stops(m->done) && m->changed)
		metric_add(METRIC_optouts_total, 1, LABELS("reply"));
	answer(in, ESME_ROK);
	claimer_wake(in->d->claimer);
	remove_first(in);
}

/* A text that the database refuses again and again for what is in it must not keep the STOPs behind it waiting. */
static void rolled_back_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	(void)result;
	(void)sqlstate;
	if (in->refusals < REFUSALS_MAX) {
		again_later(in);
		return;
	}
	log_event(LOG_ERROR, "text_refused_by_database", LOG_TEXT(carrier, in->first->carrier));
	answer(in, ESME_RX_P_APPN);
	remove_first(in);
}

static void roll_back(struct inbounds *in, enum store_result result, const char *sqlstate)
{
	struct store_step back = {"ROLLBACK", NULL, NULL};
	in->first->changed = false;
	in->refusals += result == STORE_FAILED && dispatch_refused_for_data(sqlstate);
	store_lane_run(in->d->inbound_lane, &back, 1, rolled_back_cb, in);
}

static void committed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	if (result == STORE_OK)
		finish(in);
	else
		roll_back(in, result, sqlstate);
}

/* --- acting --------------------------------------------------------------------------------------------------------
 */

/* Everything so far is in an open transaction: with or without a notice it commits here. */
static void acted_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	if (result != STORE_OK) {
		roll_back(in, result, sqlstate);
		return;
	}
	enum category category = inbound_notice_category(in->first);
	struct store_step steps[] = {{"notice", &in->notice, NULL}, {"COMMIT", NULL, NULL}};
	unsigned from = category == CATEGORY_COUNT;
	if (!from)
		inbound_notice_params(in->first, category, &in->notice);
	store_lane_run(in->d->inbound_lane, steps + from, 2 - from, committed_cb, in);
}

static void changed_cb(void *ctx, const struct store_rows *rows)
{
	struct inbounds *in = ctx;
	inbound_act_rows(in->first, rows);
}

static void add_raw(const struct inbound *m, struct store_params *ps)
{
	struct buf octets = BUF(BODY_BYTES_MAX);
	if (m->clean) {
		store_value_null(ps);
		return;
	}
	if (m->parts)
		inbound_part_octets(m, &octets);
	else
		buf_add_view(&octets, m->concat.data);
	inbound_add_hex(ps, buf_view(&octets));
	buf_free(&octets);
}

static void build_keep(struct inbounds *in)
{
	struct inbound *m = in->first;
	struct store_params *ps = &in->keep;
	struct buf missing = BUF(4096);
	inbound_part_missing(m, &missing);
	store_params_clear(ps);
	store_value_uuid(ps, &m->practice_id);
	store_value_uuid(ps, &m->id);
	store_value_str(ps, m->carrier);
	store_value_str(ps, m->phone);
	store_value_str(ps, m->sender);
	store_value_text(ps, buf_view(&m->body));
	store_value_str(ps, inbound_keyword(m));
	store_value_time(ps, m->at_us);
	store_value_str(ps, inbound_event(m));
	add_raw(m, ps);
	store_value_int(ps, STORE_INT4, m->parts ? m->parts->total : 1);
	store_value_text(ps, buf_view(&missing));
	buf_free(&missing);
}

/* Of long_close, or without a time of long_stop. */
static void build_close(struct inbounds *in, bool with_time)
{
	struct inbound *m = in->first;
	store_params_clear(&in->close);
	store_value_uuid(&in->close, &m->practice_id);
	store_value_uuid(&in->close, &m->id);
	if (with_time)
		store_value_time(&in->close, m->at_us);
}

static unsigned add_keeping(struct inbounds *in, struct store_step *steps)
{
	unsigned n = 0;
	if (in->first->fate == INBOUND_KEEP) {
		build_keep(in);
		steps[n++] = (struct store_step){"inbound_store", &in->keep, NULL};
	}
	if (in->first->parts) {
		bool whole = in->first->fate == INBOUND_KEEP;
		build_close(in, whole);
		steps[n++] = (struct store_step){whole ? "long_close" : "long_stop", &in->close, NULL};
	}
	return n;
}

static void act(struct inbounds *in)
{
	struct inbound *m = in->first;
	struct store_step steps[4];
	unsigned n = add_keeping(in, steps);
	if (inbound_acts(m)) {
		inbound_act_params(m, &in->act);
		steps[n++] = (struct store_step){"inbound_act", &in->act, changed_cb};
	}
	if (!inbound_asks(m)) { /* nothing to answer: all at once */
		steps[n++] = (struct store_step){"COMMIT", NULL, NULL};
		store_lane_run(in->d->inbound_lane, steps, n, committed_cb, in);
		return;
	}
	store_lane_run(in->d->inbound_lane, steps, n, acted_cb, in);
}

static void taken_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	struct inbound *m = in->first;
	struct store_step commit = {"COMMIT", NULL, NULL};
	if (result != STORE_OK) {
		roll_back(in, result, sqlstate);
		return;
	}
	inbound_judge(m);
	inbound_withdraw(in->d, m, m->act.intent);
	if (m->fate == INBOUND_KEEP || m->act.intent != INTENT_OTHER)
		act(in);
	else
		store_lane_run(in->d->inbound_lane, &commit, 1, committed_cb, in);
}

/* --- taking --------------------------------------------------------------------------------------------------------
 */

static void once_cb(void *ctx, const struct store_rows *rows)
{
	struct inbound *m = ((struct inbounds *)ctx)->first;
	bool changes = inbound_is_stop(m->alone.intent) && is_routed(m) && !store_rows_bool(rows, 0, 1);
	if (store_rows_null(rows, 0, 0) || changes)
		return;
	m->earlier_id = store_rows_uuid(rows, 0, 0);
	m->fate = INBOUND_REPEATED;
}

static void parts_cb(void *ctx, const struct store_rows *rows)
{
	struct inbounds *in = ctx;
	inbound_part_rows(in->first, alphabet_of(in->d, in->first->carrier), rows);
}

static void forget_attempt(struct inbound *m)
{
	inbound_parts_free(m->parts);
	m->parts = NULL;
	m->id = m->own_id;
	m->fate = INBOUND_KEEP;
	m->stopped = m->changed = false;
	m->said = m->act = (struct text_meaning){.intent = INTENT_OTHER};
	m->keyword = m->done = INTENT_OTHER;
	inbound_told_free(&m->told);
}

static void begin(struct inbounds *in)
{
	static const char *const names[] = {"inbound_once", "part_store", "long_take"};
	struct inbound *m = in->first;
	forget_attempt(m);
	inbound_lock_params(m, &in->lock);
	if (m->kind == INBOUND_WHOLE)
		repeats_params(in->repeats, m, &in->take);
	else
		inbound_part_params(m, in->d->config.settings.parts_wait_ms, &in->take);
	struct store_step steps[] = {{"BEGIN", NULL, NULL},
	                             {"claim_lock", &in->lock, NULL},
	                             {names[m->kind], &in->take, m->kind == INBOUND_WHOLE ? once_cb : parts_cb}};
	store_lane_run(in->d->inbound_lane, steps, 3, taken_cb, in);
}

/* --- finding the practice ------------------------------------------------------------------------------------------
 */

static void practice_cb(void *ctx, const struct store_rows *rows)
{
	inbound_practice_rows(((struct inbounds *)ctx)->first, rows);
}

static void found_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	struct inbound *m = in->first;
	(void)sqlstate;
	if (result != STORE_OK) {
		again_later(in);
		return;
	}
	m->found = true;
	/* From here on nothing claimed for this phone is handed to a link; once more after the commit for what was
	 * claimed while we waited for the recipient's lock. */
	if (is_routed(m))
		inbound_withdraw(in->d, m, m->alone.intent);
	if (!is_routed(m))
		log_event(LOG_WARNING, "reply_unroutable", LOG_TEXT(carrier, m->carrier));
	begin(in);
}

static void find(struct inbounds *in)
{
	struct inbound *m = in->first;
	store_params_clear(&in->find);
	store_array(&in->find, STORE_TEXT);
	store_add_str(&in->find, 0, m->sender);
	store_add_str(&in->find, 0, m->sender + (m->sender[0] == '+'));
	store_value_str(&in->find, m->phone);
	store_value_int(&in->find, STORE_BOOL, m->alone.intent == INTENT_STOP_ALL);
	struct store_step step = {"inbound_practice", &in->find, practice_cb};
	store_lane_run(in->d->inbound_lane, &step, 1, found_cb, in);
}

/* --- sweeping ------------------------------------------------------------------------------------------------------
 */

static void due_cb(void *ctx, const struct store_rows *rows)
{
	struct inbounds *in = ctx;
	for (unsigned i = 0; i < store_rows_count(rows) && in->waiting < LIMIT_INBOUND_QUEUE; i++) {
		struct inbound *m = inbound_new(in, INBOUND_EXPIRED, NULL);
		m->practice_id = store_rows_uuid(rows, i, 0);
		m->own_id = store_rows_uuid(rows, i, 1);
		m->carrier = m->carrier_copy = inbound_copy_text(store_rows_text(rows, i, 2));
		copy_view(m->phone, sizeof(m->phone), store_rows_text(rows, i, 3));
		copy_view(m->sender, sizeof(m->sender), store_rows_text(rows, i, 4));
		m->concat.total = (uint8_t)store_rows_int(rows, i, 5);
		append(in, m);
	}
}

static void swept_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	(void)result; /* what is lost of it comes again: texts stay due; an answer not known as heard only ages */
	(void)sqlstate;
	((struct inbounds *)ctx)->busy = false;
}

static void build_sweep(struct inbounds *in)
{
	int64_t wait_us = in->d->config.settings.parts_wait_ms * 1000;
	int64_t now_us = dispatch_now_us(in->d);
	store_params_clear(&in->due);
	store_value_time(&in->due, now_us - wait_us);
	store_value_int(&in->due, STORE_INT4, DUE_MAX);
	store_params_clear(&in->purge);
	store_value_time(&in->purge, now_us - 2 * wait_us);
	store_value_int(&in->purge, STORE_INT8, INBOUND_REPEAT_MS);
}

static void sweep(struct inbounds *in)
{
	struct store_step steps[3];
	unsigned n = 0;
	in->tick = false;
	build_sweep(in);
	if (repeats_heard(in->repeats, &in->ids))
		steps[n++] = (struct store_step){"inbound_heard", &in->ids, NULL};
	if (!in->expired && !in->d->draining)
		steps[n++] = (struct store_step){"long_due", &in->due, due_cb};
	if (++in->ticks >= PURGE_TICKS) {
		in->ticks = 0;
		steps[n++] = (struct store_step){"inbound_purge", &in->purge, NULL};
	}
	if (n == 0)
		return;
	in->busy = true;
	store_lane_run(in->d->inbound_lane, steps, n, swept_cb, in);
}

/* --- turn ----------------------------------------------------------------------------------------------------------
 */

void inbounds_turn(struct inbounds *in)
{
	if (in->busy || in->paused || !store_lane_up(in->d->inbound_lane))
		return;
	if (in->tick)
		sweep(in);
	if (in->busy || !in->first)
		return;
	in->busy = true;
	if (in->first->found)
		begin(in);
	else
		find(in);
}

void inbounds_free(struct inbounds *in)
{
	struct store_params *all[] = {&in->find, &in->lock,   &in->take, &in->keep, &in->close,
	                              &in->act,  &in->notice, &in->ids,  &in->due,  &in->purge};
	while (in->first) {
		struct inbound *m = in->first;
		in->first = m->next;
		inbound_free(m);
	}
	repeats_free(in->repeats);
	net_timer_free(in->retry);
	net_timer_free(in->timer);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		store_params_free(all[i]);
	free(in);
}
