/* What carriers say about submits, in the order in which they said it: answers and receipts go down in batches, one
 * batch on its way at a time; deliver_sm_resp follows the commit.
 *   APPLY  one transaction: answers first, since the two kinds come mixed and a receipt finds its message by what the
 *          answer brought; then receipts. When a carrier's own word is among them the transaction stays open for
 *   ACT    what that word does for others (dispatch_word.c), under locks, and the commit
 *   FIND   only for receipts that matched nothing: look further; then APPLY again, for these
 * A batch that fails or is lost is written again, but for what a commit has settled: the statements only move a message
 * forward, so twice is as once. */
#include "dispatch_outcome.h"

#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define SPARES_MAX (4 * LIMIT_OUTCOME_BATCH)
#define RETRY_MS 500
#define REFUSALS_MAX 3
#define REMATCH_MS 2000
#define STEPS 6 /* BEGIN and five statements */

static void retry_cb(void *ctx)
{
	struct outcomes *o = ctx;
	o->paused = false;
}

static void rematch_cb(void *ctx)
{
	struct outcomes *o = ctx;
	o->rematch_wanted = true;
	net_timer_start(o->rematch_timer, REMATCH_MS);
}

struct outcomes *outcomes_new(struct dispatch *d)
{
	struct outcomes *o = mem_alloc(sizeof(*o));
	o->d = d;
	o->learn = learn_new(d);
	o->text = BUF(4096);
	o->retry = net_timer_new(d->config.loop, retry_cb, o);
	o->rematch_timer = net_timer_new(d->config.loop, rematch_cb, o);
	net_timer_start(o->rematch_timer, REMATCH_MS);
	return o;
}

struct item *outcomes_item(struct outcomes *o, enum item_kind kind)
{
	struct item *it = o->spare;
	if (it) {
		o->spare = it->next;
		o->spares--;
	} else {
		it = malloc(sizeof(*it));
	}
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

bool outcomes_idle(const struct outcomes *o)
{
	return !o->first && o->batch_count == 0;
}

void outcomes_add(struct outcomes *o, const struct outcome *outcome)
{
	/* Bounded by the windows: every outcome was a claimed message, and claiming stops when outcomes_full. */
	outcomes_item(o, ITEM_OUTCOME)->outcome = *outcome;
	metric_add(METRIC_messages_total, 1, LABELS(outcome->carrier, outcome->status));
}

void outcomes_ids(const struct outcomes *o, struct store_params *ps, unsigned array)
{
	for (unsigned i = 0; i < o->batch_count; i++)
		if (o->batch[i]->kind == ITEM_OUTCOME)
			store_add_uuid(ps, array, &o->batch[i]->outcome.id);
	for (const struct item *it = o->first; it; it = it->next)
		if (it->kind == ITEM_OUTCOME)
			store_add_uuid(ps, array, &it->outcome.id);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

void outcomes_json(struct buf *to, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_printf(to, "%s\"%s\":\"", to->n > 1 ? "," : "", name);
	buf_add_json_text(to, view_str(value));
	buf_add_u8(to, '"');
}

void rows_begin(struct item_rows *rows, const enum store_type *types, unsigned count)
{
	store_params_clear(&rows->params);
	for (unsigned i = 0; i < count; i++)
		store_array(&rows->params, types[i]);
}

struct item *rows_item(const struct item_rows *rows, int64_t ord)
{
	check(ord >= 0 && ord < rows->count);
	return rows->item[ord];
}

static struct view outcome_data(struct outcomes *o, const struct outcome *c)
{
	buf_clear(&o->text);
	buf_add_u8(&o->text, '{');
	outcomes_json(&o->text, "carrier", c->carrier);
	outcomes_json(&o->text, "command_status", c->command_status);
	outcomes_json(&o->text, "word", policy_word_name(c->word));
	outcomes_json(&o->text, "carrier_message_id", c->carrier_message_id);
	if (c->parts > 1)
		buf_printf(&o->text, ",\"part\":%u,\"parts\":%u", c->part, c->parts);
	else if (c->refund)
		buf_printf(&o->text, "%s\"refund\":true", o->text.n > 1 ? "," : "");
	buf_add_u8(&o->text, '}');
	return buf_view(&o->text);
}

static void add_time_or_null(struct store_params *ps, unsigned i, int64_t at_us)
{
	if (at_us)
		store_add_time(ps, i, at_us);
	else
		store_add_null(ps, i);
}

static void add_outcome_row(struct outcomes *o, const struct outcome *c, bool refused)
{
	struct store_params *ps = &o->rows[STATEMENT_OUTCOMES].params;
	store_add_uuid(ps, 0, &c->practice_id);
	store_add_uuid(ps, 1, &c->id);
	store_add_str(ps, 2, c->status);
	store_add_str(ps, 3, c->reason ? policy_reason_code(c->reason) : NULL);
	add_time_or_null(ps, 4, c->due_us);
	store_add_int(ps, 5, c->refund);
	store_add_str(ps, 6, *c->carrier_message_id ? c->carrier_message_id : NULL);
	store_add_str(ps, 7, c->type);
	store_add_text(ps, 8, outcome_data(o, c));
	store_add_time(ps, 9, c->at_us);
	if (!refused)
		return;
	store_add_int(ps, 10, c->passing);
	store_add_str(ps, 11, c->word != WORD_unknown ? policy_word_name(c->word) : "");
}

static void outcomes_cb(void *ctx, const struct store_rows *rows)
{
	struct outcomes *o = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		subject_read(&rows_item(&o->rows[STATEMENT_OUTCOMES], store_rows_int(rows, i, 0))->subject, rows, i, 1);
}

/* The last two arrays are left out when no submit was refused: PostgreSQL reads them as nulls. */
static struct store_step outcomes_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_UUID, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TIME, STORE_BOOL,
	                                        STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TIME, STORE_BOOL, STORE_TEXT};
	struct item_rows *rows = &o->rows[STATEMENT_OUTCOMES];
	bool refused = false;
	rows_begin(rows, types, sizeof(types) / sizeof(*types));
	for (unsigned i = 0; i < rows->count; i++)
		refused = refused || rows->item[i]->outcome.passing || rows->item[i]->outcome.word;
	for (unsigned i = 0; i < rows->count; i++)
		add_outcome_row(o, &rows->item[i]->outcome, refused);
	return (struct store_step){"outcomes", &rows->params, outcomes_cb};
}

static void outcome_parts_cb(void *ctx, const struct store_rows *rows)
{
	struct outcomes *o = ctx;
	const struct item_rows *list = &o->rows[STATEMENT_OUTCOME_PARTS];
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		subject_read(&rows_item(list, store_rows_int(rows, i, 0))->subject, rows, i, 1);
}

static struct store_step outcome_parts_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_UUID, STORE_UUID, STORE_INT4, STORE_INT4, STORE_TEXT,
	                                        STORE_TEXT, STORE_TIME, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TIME, STORE_TEXT, STORE_BOOL};
	struct item_rows *rows = &o->rows[STATEMENT_OUTCOME_PARTS];
	struct store_params *ps = &rows->params;
	rows_begin(rows, types, sizeof(types) / sizeof(*types));
	for (unsigned i = 0; i < rows->count; i++) {
		const struct outcome *c = &rows->item[i]->outcome;
		store_add_uuid(ps, 0, &c->practice_id);
		store_add_uuid(ps, 1, &c->id);
		store_add_int(ps, 2, c->part);
		store_add_int(ps, 3, c->parts);
		store_add_str(ps, 4, c->status);
		store_add_str(ps, 5, c->reason ? policy_reason_code(c->reason) : NULL);
		add_time_or_null(ps, 6, c->due_us);
		store_add_str(ps, 7, c->carrier);
		store_add_str(ps, 8, *c->carrier_message_id ? c->carrier_message_id : NULL);
		store_add_text(ps, 9, outcome_data(o, c));
		store_add_time(ps, 10, c->at_us);
		store_add_str(ps, 11, c->word != WORD_unknown ? policy_word_name(c->word) : "");
		store_add_int(ps, 12, c->passing);
	}
	return (struct store_step){"outcomes_part", ps, outcome_parts_cb};
}

/* --- batches ------------------------------------------------------------------------------------------------------ */

/* One statement may touch a message, or a part of one, once. */
static uint64_t key_of(const struct item *it)
{
	const struct item_receipt *r = &it->receipt;
	uint64_t h;
	if (it->kind == ITEM_OUTCOME)
		h = view_hash(view_of(it->outcome.id.b, sizeof(it->outcome.id.b))) + it->outcome.part;
	else if (!uuid_is_zero(&r->message_id))
		h = view_hash(view_of(r->message_id.b, sizeof(r->message_id.b))) + (uint64_t)(r->part + 1);
	else
		h = view_hash(view_str(r->candidates));
	return (h * 2 + it->kind) * 0x9e3779b97f4a7c15u;
}

/* Whether the batch has no word about that message yet; then it has. Two messages of one key only part company. */
static bool first_word(struct outcomes *o, const struct item *it)
{
	uint64_t key = key_of(it);
	size_t i = key >> 40 & (SEEN_SLOTS - 1);
	while (o->seen[i].batch == o->batches) {
		if (o->seen[i].key == key)
			return false;
		i = (i + 1) & (SEEN_SLOTS - 1);
	}
	o->seen[i].key = key;
	o->seen[i].batch = o->batches;
	return true;
}

/* A second word of a kind about a message opens the next batch. */
static bool fits(struct outcomes *o, const struct item *it)
{
	if (o->batch_kind[it->kind] == LIMIT_OUTCOME_BATCH || (o->alone && o->batch_count))
		return false;
	return first_word(o, it);
}

static void fill_batch(struct outcomes *o)
{
	o->batches++;
	while (o->first && fits(o, o->first)) {
		struct item *it = o->first;
		o->first = it->next;
		if (!o->first)
			o->last = NULL;
		o->waiting--;
		o->batch_kind[it->kind]++;
		o->batch[o->batch_count++] = it;
	}
}

static void forget(struct outcomes *o, struct item *it)
{
	if (it->kind == ITEM_RECEIPT)
		receipt_forget(&it->receipt);
	if (o->spares == SPARES_MAX) {
		free(it); /* a long line is over: its memory goes back */
		return;
	}
	it->next = o->spare;
	o->spare = it;
	o->spares++;
}

/* Takes what the commit has settled out of the batch; carriers are answered. */
static void finish_settled(struct outcomes *o)
{
	unsigned left = 0;
	for (unsigned i = 0; i < o->batch_count; i++) {
		struct item *it = o->batch[i];
		it->subject.known = it->subject.changed = false;
		if (it->finished && it->kind == ITEM_RECEIPT)
			receipt_finish(o, it);
		if (it->finished)
			forget(o, it);
		else
			o->batch[left++] = it;
	}
	o->batch_count = left;
}

static void batch_over(struct outcomes *o)
{
	o->batch_kind[ITEM_OUTCOME] = o->batch_kind[ITEM_RECEIPT] = 0;
	o->refusals = 0;
	o->alone -= o->alone > 0;
}

/* The batch goes back to the head of the line, in its order, to be tried one by one. */
static void take_apart(struct outcomes *o)
{
	while (o->batch_count) {
		struct item *it = o->batch[--o->batch_count];
		it->next = o->first;
		o->first = it;
		if (!o->last)
			o->last = it;
		o->waiting++;
		o->alone++;
	}
	o->batch_kind[ITEM_OUTCOME] = o->batch_kind[ITEM_RECEIPT] = 0;
}

/* The database refuses this one item for what is in it: it must not stop the others for ever. */
static void give_up_item(struct outcomes *o, const char *sqlstate)
{
	struct item *it = o->batch[0];
	log_event(LOG_ERROR, "outcome_refused_by_database", LOG_TEXT(sqlstate, sqlstate),
	          LOG_NUM(attempt, o->refusals));
	if (it->kind == ITEM_RECEIPT && it->receipt.from.link)
		dispatch_answer(&it->receipt.from, ESME_RX_P_APPN);
	forget(o, it);
	o->batch_count = 0;
	batch_over(o);
}

static void pause_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	(void)result;
	(void)sqlstate;
	o->paused = true;
	net_timer_start(o->retry, RETRY_MS);
}

/* LOST and DOWN are the world's trouble and FAILED alone may be too (a full disk, a deadlock): only what is refused
 * again and again, by itself, is given up. Nothing is answered to the carrier before it is durable. */
static void batch_failed(struct outcomes *o, enum store_result result, const char *sqlstate)
{
	struct store_step back = {"ROLLBACK", NULL, NULL};
	bool data = dispatch_refused_for_data(sqlstate);
	for (unsigned i = 0; i < o->batch_count; i++)
		o->batch[i]->finished = o->batch[i]->subject.known = false;
	if (result == STORE_FAILED && data && o->batch_count > 1)
		take_apart(o);
	else if (result == STORE_FAILED && data && ++o->refusals >= REFUSALS_MAX)
		give_up_item(o, sqlstate);
	if (o->words && result == STORE_FAILED)
		store_lane_run(o->d->outcome_lane, &back, 1, pause_cb, o);
	else
		pause_cb(o, STORE_OK, "");
}

static void apply(struct outcomes *o);

static void found_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	if (result != STORE_OK) {
		o->words = false;
		batch_failed(o, result, sqlstate);
		return;
	}
	receipts_found(o);
	finish_settled(o);
	if (o->batch_count)
		apply(o);
	else
		batch_over(o);
}

static void find(struct outcomes *o)
{
	struct item_rows *rows = &o->rows[STATEMENT_FIND];
	rows->count = 0;
	for (unsigned i = 0; i < o->batch_count; i++)
		rows->item[rows->count++] = o->batch[i];
	struct store_step step = receipt_find_step(o);
	store_lane_run(o->d->outcome_lane, &step, 1, found_cb, o);
}

static void committed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	if (result != STORE_OK) {
		batch_failed(o, result, sqlstate);
		return;
	}
	if (o->words)
		words_done(o);
	finish_settled(o);
	if (o->batch_count)
		find(o);
	else
		batch_over(o);
}

static void applied_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	struct store_step steps[3];
	if (result == STORE_OK && o->words)
		store_lane_run(o->d->outcome_lane, steps, words_steps(o, steps), committed_cb, o);
	else
		committed_cb(o, result, sqlstate);
}

static enum statement statement_of(const struct item *it)
{
	if (it->kind == ITEM_RECEIPT)
		return receipt_statement(&it->receipt);
	return it->outcome.parts > 1 ? STATEMENT_OUTCOME_PARTS : STATEMENT_OUTCOMES;
}

static void sort_batch(struct outcomes *o)
{
	o->words = false;
	for (unsigned s = 0; s < STATEMENT_COUNT; s++)
		o->rows[s].count = 0;
	for (unsigned i = 0; i < o->batch_count; i++) {
		struct item *it = o->batch[i];
		struct item_rows *rows = &o->rows[statement_of(it)];
		rows->item[rows->count++] = it;
		it->finished = it->kind == ITEM_OUTCOME;
		o->words = o->words || item_has_word(it);
	}
}

static void apply(struct outcomes *o)
{
	struct store_step steps[STEPS];
	unsigned n = 0;
	sort_batch(o);
	if (o->words)
		steps[n++] = (struct store_step){"BEGIN", NULL, NULL};
	if (o->rows[STATEMENT_OUTCOMES].count)
		steps[n++] = outcomes_step(o);
	if (o->rows[STATEMENT_OUTCOME_PARTS].count)
		steps[n++] = outcome_parts_step(o);
	if (o->rows[STATEMENT_RECEIPTS].count)
		steps[n++] = receipts_step(o);
	if (o->rows[STATEMENT_RECEIPT_PARTS].count)
		steps[n++] = receipt_parts_step(o);
	if (o->rows[STATEMENT_KEEP].count)
		steps[n++] = receipt_keep_step(o);
	metric_observe(METRIC_store_batch_rows, o->batch_count, LABELS("outcome"));
	store_lane_run(o->d->outcome_lane, steps, n, applied_cb, o);
}

void outcomes_rematch(struct outcomes *o)
{
	o->rematch_wanted = true;
}

void outcomes_turn(struct outcomes *o)
{
	if (o->rematch_wanted && o->batch_count == 0 && !o->rematching && store_lane_up(o->d->outcome_lane)) {
		receipts_rematch_begin(o);
		return;
	}
	if (o->paused || !store_lane_up(o->d->outcome_lane) || store_lane_busy(o->d->outcome_lane))
		return;
	if (o->batch_count == 0)
		fill_batch(o);
	if (o->batch_count)
		apply(o);
}

static void free_list(struct item *it)
{
	while (it) {
		struct item *next = it->next;
		if (it->kind == ITEM_RECEIPT)
			receipt_forget(&it->receipt);
		free(it);
		it = next;
	}
}

void outcomes_free(struct outcomes *o)
{
	for (unsigned i = 0; i < o->batch_count; i++)
		forget(o, o->batch[i]);
	free_list(o->first);
	free_list(o->spare);
	learn_free(o->learn);
	net_timer_free(o->retry);
	net_timer_free(o->rematch_timer);
	for (unsigned s = 0; s < STATEMENT_COUNT; s++)
		store_params_free(&o->rows[s].params);
	store_params_free(&o->lock);
	store_params_free(&o->rematch);
	buf_free(&o->text);
	free(o);
}
