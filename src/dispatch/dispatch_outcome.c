/* What carriers say about submits, in the order in which they said it: answers and receipts go down in batches, one
 * batch on its way at a time; deliver_sm_resp follows the commit. A batch is one transaction of two statements, answers
 * first, since the two kinds come mixed and a receipt finds its message by what the answer brought. A batch that fails
 * or is lost is written again: the statements only move a message forward, so twice is as once. Receipts that fit no
 * message are kept and tried again. */
#include "dispatch_internal.h"

#include "smpp_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 500
#define REFUSALS_MAX 3
#define REMATCH_MS 2000
#define REMATCH_NEWEST 1000 /* kept receipts looked at each time */
#define REMATCH_ALL 1000000 /* and every tenth minute */
#define REMATCH_ALL_EVERY 300

enum item_kind { ITEM_OUTCOME, ITEM_RECEIPT };

struct item_receipt {
	struct delivery from; /* link NULL: a kept receipt tried again */
	const char *carrier;
	char candidates[LIMIT_RECEIPT_CANDIDATES * 67];
	char phone[24];
	char sender[24];
	enum smpp_message_state state;
	char error[17];
	char raw[256]; /* up to its text field */
	char how[10];  /* "id" or "address" */
	int64_t at_us;
	struct uuid kept; /* zero: not kept before */
	struct uuid practice_id;
	struct uuid message_id; /* zero: to be found by candidates */
	bool unmatched;
};

struct item {
	struct item *next;
	enum item_kind kind;
	union {
		struct outcome outcome;
		struct item_receipt receipt;
	};
};

/* The items of one kind in the batch that is on its way. */
struct part {
	struct item *item[LIMIT_OUTCOME_BATCH];
	unsigned count;
	struct store_params params;
};

struct outcomes {
	struct dispatch *d;
	struct item *first, *last;
	unsigned waiting;
	struct part part[2]; /* by kind */
	struct item *spare;  /* items to use again */
	struct store_params keep;
	struct buf text;
	struct net_timer *retry;
	struct net_timer *rematch;
	bool paused;       /* after a failure, until the timer */
	unsigned alone;    /* items that go one by one, since a batch that held them was refused */
	unsigned refusals; /* of the one item that is on its way */
	bool rematch_wanted;
	bool rematching;
	unsigned rematches;
};

static void retry_cb(void *ctx)
{
	struct outcomes *o = ctx;
	o->paused = false;
}

static void rematch_cb(void *ctx)
{
	struct outcomes *o = ctx;
	o->rematch_wanted = true;
	net_timer_start(o->rematch, REMATCH_MS);
}

struct outcomes *outcomes_new(struct dispatch *d)
{
	struct outcomes *o = mem_alloc(sizeof(*o));
	o->d = d;
	o->text = BUF(4096);
	o->retry = net_timer_new(d->config.loop, retry_cb, o);
	o->rematch = net_timer_new(d->config.loop, rematch_cb, o);
	net_timer_start(o->rematch, REMATCH_MS);
	return o;
}

static struct item *item_new(struct outcomes *o, enum item_kind kind)
{
	struct item *it = o->spare;
	if (it)
		o->spare = it->next;
	else
		it = malloc(sizeof(*it));
	check(it);
	memset(it, 0, sizeof(*it));
	it->kind = kind;
	if (o->last)
		o->last->next = it;
	else
		o->first = it;
	o->last = it;
	o->waiting++;
	return it;
}

bool outcomes_full(const struct outcomes *o)
{
	return o->waiting >= LIMIT_OUTCOME_QUEUE / 2;
}

static bool batch_empty(const struct outcomes *o)
{
	return o->part[ITEM_OUTCOME].count == 0 && o->part[ITEM_RECEIPT].count == 0;
}

bool outcomes_idle(const struct outcomes *o)
{
	return !o->first && batch_empty(o);
}

void outcomes_add(struct outcomes *o, const struct outcome *outcome)
{
	/* Bounded by the windows: every outcome was a claimed message, and claiming stops when outcomes_full. */
	item_new(o, ITEM_OUTCOME)->outcome = *outcome;
	metric_add(METRIC_messages_total, 1, LABELS(outcome->carrier, outcome->status));
}

void outcomes_ids(const struct outcomes *o, struct store_params *ps, unsigned array)
{
	const struct part *part = &o->part[ITEM_OUTCOME];
	for (unsigned i = 0; i < part->count; i++)
		store_add_uuid(ps, array, &part->item[i]->outcome.id);
	for (const struct item *it = o->first; it; it = it->next)
		if (it->kind == ITEM_OUTCOME)
			store_add_uuid(ps, array, &it->outcome.id);
}

/* --- receipts in ---------------------------------------------------------------------------------------------------
 */

static void copy_printable(char *to, size_t cap, struct view from)
{
	copy_view(to, cap, from);
	for (size_t i = 0; i < from.n && i < cap - 1; i++)
		if (from.p[i] < 0x20 || from.p[i] > 0x7e)
			to[i] = '?';
}

/* The text field of a receipt quotes the message: it is cut off before anything is kept. */
static void copy_raw(char *to, size_t cap, struct view raw)
{
	size_t n = raw.n;
	for (size_t i = 0; i + 5 <= raw.n; i++)
		if (view_eq_nocase(view_of(raw.p + i, 5), VIEW("text:"))) {
			n = i;
			break;
		}
	copy_view(to, cap, view_trim(view_of(raw.p, n)));
	dispatch_printable(to, ' ');
}

/* smsbridge.id_key in C. */
static void id_key(char *id)
{
	size_t zeros = strspn(id, "0");
	for (char *c = id; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	if (zeros && !id[zeros])
		zeros--;
	memmove(id, id + zeros, strlen(id + zeros) + 1);
}

/* The keys of every spelling of the id, blank separated. */
static void write_candidates(struct view id, char *to, size_t cap)
{
	char ids[LIMIT_RECEIPT_CANDIDATES][66];
	char clean[66];
	dispatch_carrier_id(id, clean);
	unsigned n = smpp_receipt_candidates(view_str(clean), ids);
	for (unsigned i = 0; i < n; i++) {
		size_t used = strlen(to);
		bool again = false;
		id_key(ids[i]);
		for (unsigned j = 0; j < i; j++)
			again = again || strcmp(ids[i], ids[j]) == 0;
		if (!again)
			snprintf(to + used, cap - used, "%s%s", used ? " " : "", ids[i]);
	}
}

void outcomes_add_receipt(struct outcomes *o, const struct delivery *from, const struct smpp_pdu *pdu,
                          const struct smpp_receipt *receipt)
{
	if (o->waiting >= LIMIT_OUTCOME_QUEUE) {
		dispatch_answer(from, ESME_RX_T_APPN); /* the carrier delivers it again */
		return;
	}
	struct item_receipt *r = &item_new(o, ITEM_RECEIPT)->receipt;
	r->from = *from;
	r->carrier = link_carrier_name(from->link);
	write_candidates(receipt->id, r->candidates, sizeof(r->candidates));
	dispatch_phone_of(pdu->field[SMPP_F_source_addr].text, r->phone);
	dispatch_phone_of(pdu->field[SMPP_F_destination_addr].text, r->sender);
	r->state = receipt->state;
	copy_printable(r->error, sizeof(r->error), view_str(receipt->error));
	dispatch_printable(r->error, ' ');
	copy_raw(r->raw, sizeof(r->raw), receipt->raw);
	copy_str(r->how, sizeof(r->how), "id");
	r->at_us = dispatch_now_us(o->d);
}

void outcomes_add_state(struct outcomes *o, const struct flight *f, const struct smpp_pdu *answer)
{
	uint32_t state = answer->field[SMPP_F_message_state].number;
	if (o->waiting >= LIMIT_OUTCOME_QUEUE || state >= SMPP_STATE_NONE)
		return; /* it is asked again */
	struct item_receipt *r = &item_new(o, ITEM_RECEIPT)->receipt;
	r->carrier = f->carrier;
	write_candidates(answer->field[SMPP_F_message_id].text, r->candidates, sizeof(r->candidates));
	r->state = (enum smpp_message_state)state;
	copy_str(r->how, sizeof(r->how), "query");
	r->practice_id = f->practice_id;
	r->message_id = f->id;
	r->at_us = dispatch_now_us(o->d);
}

/* What each final state makes of a message. ACCEPTED, ENROUTE, SCHEDULED and none move nothing. */
static const struct {
	const char *status;
	enum reason reason;
	const char *type;
} state_words[] = {
        [SMPP_STATE_DELIVERED] = {"delivered", REASON_none, "message.delivered"},
        [SMPP_STATE_EXPIRED] = {"expired", REASON_receipt_expired, "message.expired"},
        [SMPP_STATE_DELETED] = {"undelivered", REASON_receipt_deleted, "message.undelivered"},
        [SMPP_STATE_UNDELIVERABLE] = {"undelivered", REASON_receipt_failed, "message.undelivered"},
        [SMPP_STATE_UNKNOWN] = {"unconfirmed", REASON_receipt_unknown, "message.unconfirmed"},
        [SMPP_STATE_REJECTED] = {"undelivered", REASON_receipt_rejected, "message.undelivered"},
        [SMPP_STATE_SKIPPED] = {"undelivered", REASON_receipt_failed, "message.undelivered"},
        [SMPP_STATE_NONE] = {NULL, REASON_none, NULL},
};

static void add_json(struct buf *to, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_printf(to, "%s\"%s\":\"", to->n > 1 ? "," : "", name);
	buf_add_json_text(to, view_str(value));
	buf_add_u8(to, '"');
}

static struct view receipt_data(struct outcomes *o, const struct item_receipt *r)
{
	buf_clear(&o->text);
	buf_add_u8(&o->text, '{');
	add_json(&o->text, "carrier", r->carrier);
	add_json(&o->text, "state", smpp_message_state_name(r->state));
	add_json(&o->text, "err", r->error);
	add_json(&o->text, "matched_by", r->how);
	add_json(&o->text, "receipt", r->raw);
	buf_add_u8(&o->text, '}');
	return buf_view(&o->text);
}

static void add_uuid_or_null(struct store_params *ps, unsigned i, const struct uuid *id)
{
	if (uuid_is_zero(id))
		store_add_null(ps, i);
	else
		store_add_uuid(ps, i, id);
}

static void add_receipt_row(struct outcomes *o, const struct item_receipt *r)
{
	struct store_params *ps = &o->part[ITEM_RECEIPT].params;
	const char *status = state_words[r->state].status;
	store_add_str(ps, 0, r->carrier);
	store_add_str(ps, 1, r->candidates);
	store_add_str(ps, 2, r->phone);
	store_add_str(ps, 3, status ? status : "");
	store_add_str(ps, 4, policy_reason_code(state_words[r->state].reason));
	store_add_str(ps, 5, status ? state_words[r->state].type : "message.news");
	store_add_text(ps, 6, receipt_data(o, r));
	store_add_time(ps, 7, r->at_us);
	add_uuid_or_null(ps, 8, &r->practice_id);
	add_uuid_or_null(ps, 9, &r->message_id);
	add_uuid_or_null(ps, 10, &r->kept);
}

/* --- outcomes ------------------------------------------------------------------------------------------------------
 */

static struct view outcome_data(struct outcomes *o, const struct outcome *c)
{
	buf_clear(&o->text);
	buf_add_u8(&o->text, '{');
	add_json(&o->text, "carrier", c->carrier);
	add_json(&o->text, "command_status", c->command_status);
	add_json(&o->text, "carrier_message_id", c->carrier_message_id);
	if (c->refund)
		buf_printf(&o->text, "%s\"refund\":true", o->text.n > 1 ? "," : "");
	buf_add_u8(&o->text, '}');
	return buf_view(&o->text);
}

static void add_outcome_row(struct outcomes *o, const struct outcome *c)
{
	struct store_params *ps = &o->part[ITEM_OUTCOME].params;
	store_add_uuid(ps, 0, &c->practice_id);
	store_add_uuid(ps, 1, &c->id);
	store_add_str(ps, 2, c->status);
	store_add_str(ps, 3, c->reason ? policy_reason_code(c->reason) : NULL);
	if (c->due_us)
		store_add_time(ps, 4, c->due_us);
	else
		store_add_null(ps, 4);
	store_add_int(ps, 5, c->refund);
	store_add_str(ps, 6, *c->carrier_message_id ? c->carrier_message_id : NULL);
	store_add_str(ps, 7, c->type);
	store_add_text(ps, 8, outcome_data(o, c));
	store_add_time(ps, 9, c->at_us);
}

/* --- batches -------------------------------------------------------------------------------------------------------
 */

static bool same_message(const struct item *a, const struct item *b)
{
	if (a->kind == ITEM_OUTCOME)
		return memcmp(&a->outcome.id, &b->outcome.id, sizeof(struct uuid)) == 0;
	return strcmp(a->receipt.candidates, b->receipt.candidates) == 0;
}

/* One statement may touch a message once: a second word of a kind about it opens the next batch. */
static bool fits(const struct outcomes *o, const struct item *it)
{
	const struct part *part = &o->part[it->kind];
	if (part->count == LIMIT_OUTCOME_BATCH || (o->alone && !batch_empty(o)))
		return false;
	for (unsigned i = 0; i < part->count; i++)
		if (same_message(part->item[i], it))
			return false;
	return true;
}

static void fill_batch(struct outcomes *o)
{
	while (o->first && fits(o, o->first)) {
		struct item *it = o->first;
		struct part *part = &o->part[it->kind];
		o->first = it->next;
		if (!o->first)
			o->last = NULL;
		o->waiting--;
		part->item[part->count++] = it;
	}
}

static void batch_over(struct outcomes *o)
{
	for (unsigned kind = 0; kind < 2; kind++) {
		struct part *part = &o->part[kind];
		for (unsigned i = 0; i < part->count; i++) {
			part->item[i]->next = o->spare;
			o->spare = part->item[i];
		}
		part->count = 0;
	}
}

static void answer_batch(struct outcomes *o)
{
	const struct part *part = &o->part[ITEM_RECEIPT];
	for (unsigned i = 0; i < part->count; i++) {
		const struct item_receipt *r = &part->item[i]->receipt;
		const char *result = r->unmatched                   ? "unmatched"
		                     : state_words[r->state].status ? state_words[r->state].status
		                                                    : "pending";
		metric_add(METRIC_receipts_total, 1, LABELS(r->carrier, result));
		if (r->from.link)
			dispatch_answer(&r->from, ESME_ROK);
	}
}

/* The batch goes back to the head of the line, in its order, to be tried one by one. */
static void take_apart(struct outcomes *o)
{
	for (int kind = 1; kind >= 0; kind--) {
		struct part *part = &o->part[kind];
		while (part->count) {
			struct item *it = part->item[--part->count];
			it->next = o->first;
			o->first = it;
			if (!o->last)
				o->last = it;
			o->waiting++;
			o->alone++;
		}
	}
}

/* The database refuses this one item for what is in it: it must not stop the others for ever. */
static void give_up_item(struct outcomes *o, const char *sqlstate)
{
	const struct part *receipts = &o->part[ITEM_RECEIPT];
	log_event(LOG_ERROR, "outcome_refused_by_database", LOG_TEXT(sqlstate, sqlstate),
	          LOG_NUM(attempt, o->refusals));
	if (receipts->count && receipts->item[0]->receipt.from.link)
		dispatch_answer(&receipts->item[0]->receipt.from, ESME_RX_P_APPN);
	batch_over(o);
	o->refusals = 0;
	o->alone--;
}

/* LOST and DOWN are the world's trouble and FAILED alone may be too (a full disk): only what is refused again and
 * again, by itself, is given up. Nothing is answered to the carrier before it is durable. */
static void batch_failed(struct outcomes *o, enum store_result result, const char *sqlstate)
{
	bool one = o->part[ITEM_OUTCOME].count + o->part[ITEM_RECEIPT].count == 1;
	bool data = dispatch_refused_for_data(sqlstate);
	if (result == STORE_FAILED && data && !one)
		take_apart(o);
	else if (result == STORE_FAILED && data && ++o->refusals >= REFUSALS_MAX)
		give_up_item(o, sqlstate);
	o->paused = true;
	net_timer_start(o->retry, RETRY_MS);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	if (result != STORE_OK) {
		batch_failed(o, result, sqlstate);
		return;
	}
	answer_batch(o);
	batch_over(o);
	o->refusals = 0;
	o->alone -= o->alone > 0;
}

static void add_kept_row(struct outcomes *o, struct item_receipt *r)
{
	struct store_params *ps = &o->keep;
	struct uuid id = dispatch_id(o->d);
	store_add_uuid(ps, 0, &id);
	store_add_str(ps, 1, r->carrier);
	store_add_str(ps, 2, r->candidates);
	store_add_str(ps, 3, r->phone);
	store_add_str(ps, 4, r->sender);
	store_add_str(ps, 5, smpp_message_state_name(r->state));
	store_add_str(ps, 6, r->error);
	store_add_str(ps, 7, r->raw);
	store_add_time(ps, 8, r->at_us);
}

/* After the receipts statement: those without a message are kept, and only then answered. */
static void keep_unmatched(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TIME};
	const struct part *part = &o->part[ITEM_RECEIPT];
	unsigned kept = 0;
	store_params_clear(&o->keep);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&o->keep, types[i]);
	for (unsigned i = 0; i < part->count; i++) {
		struct item_receipt *r = &part->item[i]->receipt;
		if (!r->unmatched || !uuid_is_zero(&r->kept))
			continue;
		add_kept_row(o, r);
		kept++;
	}
	struct store_step step = {"receipt_keep", &o->keep, NULL};
	if (kept)
		store_lane_run(o->d->outcome_lane, &step, 1, done_cb, o);
	else
		done_cb(o, STORE_OK, "");
}

static void unmatched_cb(void *ctx, const struct store_rows *rows)
{
	struct part *part = &((struct outcomes *)ctx)->part[ITEM_RECEIPT];
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		int64_t ord = store_rows_int(rows, i, 0);
		check(ord >= 0 && ord < part->count);
		part->item[ord]->receipt.unmatched = true;
	}
}

static void batch_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	if (result == STORE_OK)
		keep_unmatched(ctx);
	else
		done_cb(ctx, result, sqlstate);
}

static struct store_step outcomes_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_UUID, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TIME,
	                                        STORE_BOOL, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TIME};
	struct part *part = &o->part[ITEM_OUTCOME];
	store_params_clear(&part->params);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&part->params, types[i]);
	for (unsigned i = 0; i < part->count; i++)
		add_outcome_row(o, &part->item[i]->outcome);
	return (struct store_step){"outcomes", &part->params, NULL};
}

static struct store_step receipts_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TEXT, STORE_TIME, STORE_UUID, STORE_UUID, STORE_UUID};
	struct part *part = &o->part[ITEM_RECEIPT];
	store_params_clear(&part->params);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&part->params, types[i]);
	for (unsigned i = 0; i < part->count; i++) {
		part->item[i]->receipt.unmatched = false;
		add_receipt_row(o, &part->item[i]->receipt);
	}
	return (struct store_step){"receipts", &part->params, unmatched_cb};
}

static void send_batch(struct outcomes *o)
{
	struct store_step steps[2];
	unsigned count = 0;
	if (o->part[ITEM_OUTCOME].count)
		steps[count++] = outcomes_step(o);
	if (o->part[ITEM_RECEIPT].count)
		steps[count++] = receipts_step(o);
	metric_observe(METRIC_store_batch_rows, o->part[ITEM_OUTCOME].count + o->part[ITEM_RECEIPT].count,
	               LABELS("outcome"));
	store_lane_run(o->d->outcome_lane, steps, count, batch_done_cb, o);
}

/* --- kept receipts again -------------------------------------------------------------------------------------------
 */

static enum smpp_message_state state_of(struct view name)
{
	for (int s = 0; s < SMPP_STATE_NONE; s++)
		if (view_eq(name, view_str(smpp_message_state_name((enum smpp_message_state)s))))
			return (enum smpp_message_state)s;
	return SMPP_STATE_NONE;
}

static const char *carrier_name(const struct dispatch *d, struct view name)
{
	for (unsigned i = 0; i < d->config.carrier_count; i++)
		if (view_eq(name, view_str(d->carriers[i].name)))
			return d->carriers[i].name;
	return "";
}

static void rematch_rows_cb(void *ctx, const struct store_rows *rows)
{
	struct outcomes *o = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		struct item_receipt *r = &item_new(o, ITEM_RECEIPT)->receipt;
		r->kept = store_rows_uuid(rows, i, 0);
		r->carrier = carrier_name(o->d, store_rows_text(rows, i, 1));
		copy_view(r->candidates, sizeof(r->candidates), store_rows_text(rows, i, 2));
		copy_view(r->phone, sizeof(r->phone), store_rows_text(rows, i, 3));
		copy_view(r->sender, sizeof(r->sender), store_rows_text(rows, i, 4));
		r->state = state_of(store_rows_text(rows, i, 5));
		copy_view(r->error, sizeof(r->error), store_rows_text(rows, i, 6));
		copy_view(r->raw, sizeof(r->raw), store_rows_text(rows, i, 7));
		r->practice_id = store_rows_uuid(rows, i, 8);
		r->message_id = store_rows_uuid(rows, i, 9);
		copy_view(r->how, sizeof(r->how), store_rows_text(rows, i, 10));
		r->at_us = dispatch_now_us(o->d);
	}
}

static void rematch_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	(void)result;
	(void)sqlstate;
	o->rematching = false;
}

void outcomes_rematch(struct outcomes *o)
{
	o->rematch_wanted = true;
}

static void start_rematch(struct outcomes *o)
{
	bool all = o->rematches++ % REMATCH_ALL_EVERY == 0;
	struct store_step step = {"receipt_rematch", &o->keep, rematch_rows_cb};
	store_params_clear(&o->keep);
	store_value_int(&o->keep, STORE_INT4, all ? REMATCH_ALL : REMATCH_NEWEST);
	o->rematch_wanted = false;
	o->rematching = true;
	store_lane_run(o->d->outcome_lane, &step, 1, rematch_done_cb, o);
}

void outcomes_turn(struct outcomes *o)
{
	if (o->rematch_wanted && batch_empty(o) && !o->rematching && store_lane_up(o->d->outcome_lane)) {
		start_rematch(o);
		return;
	}
	if (o->paused || !store_lane_up(o->d->outcome_lane) || store_lane_busy(o->d->outcome_lane))
		return;
	if (batch_empty(o))
		fill_batch(o);
	if (!batch_empty(o))
		send_batch(o);
}

static void free_list(struct item *it)
{
	while (it) {
		struct item *next = it->next;
		free(it);
		it = next;
	}
}

void outcomes_free(struct outcomes *o)
{
	batch_over(o);
	free_list(o->first);
	free_list(o->spare);
	net_timer_free(o->retry);
	net_timer_free(o->rematch);
	store_params_free(&o->part[ITEM_OUTCOME].params);
	store_params_free(&o->part[ITEM_RECEIPT].params);
	store_params_free(&o->keep);
	buf_free(&o->text);
	free(o);
}
