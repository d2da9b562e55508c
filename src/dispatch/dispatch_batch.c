/* Items of batches that arrive while a commit is on its way form the next one: the batches are locked, the items put
 * into them, and accept.sql stores the messages of those that are in; one transaction, on a lane of its own, so that a
 * practice's single message never waits behind somebody's hundred thousand. */
#include "dispatch_internal.h"

#include <stdlib.h>
#include <string.h>

struct batcher {
	struct dispatch *d;
	struct batch_row *first, *last;            /* waiting */
	struct batch_row *row[LIMIT_ACCEPT_BATCH]; /* on their way */
	enum batch_result result[LIMIT_ACCEPT_BATCH];
	unsigned count;
	struct store_params lock, items, drafts;
};

struct batcher *batcher_new(struct dispatch *d)
{
	struct batcher *b = mem_alloc(sizeof(*b));
	b->d = d;
	return b;
}

void dispatch_batch_store(struct dispatch *d, struct batch_row *row)
{
	struct batcher *b = d->batcher;
	row->next = NULL;
	if (b->last)
		b->last->next = row;
	else
		b->first = row;
	b->last = row;
}

struct store_lane *dispatch_batch_lane(struct dispatch *d)
{
	return d->batch_lane;
}

static void add_text(struct store_params *ps, unsigned i, struct view v)
{
	if (v.p)
		store_add_text(ps, i, v);
	else
		store_add_null(ps, i);
}

static void add_recipient(struct store_params *ps, unsigned i, const struct draft *m)
{
	if (m)
		store_add_uuid(ps, i++, &m->id);
	else
		store_add_null(ps, i++);
	i += 2; /* code, errors */
	if (m && !uuid_is_zero(&m->broadcast))
		store_add_uuid(ps, i++, &m->broadcast);
	else
		store_add_null(ps, i++);
	add_text(ps, i++, m ? m->phone : (struct view){0});
	add_text(ps, i++, m ? m->patient : (struct view){0});
}

/* In the order of batch_items.sql's parameters. */
static void add_row(struct batcher *b, const struct batch_row *r)
{
	struct store_params *ps = &b->items;
	unsigned i = 1;
	store_add_uuid(&b->lock, 0, &r->practice_id);
	store_add_uuid(&b->lock, 1, &r->batch);
	store_add_uuid(ps, i++, &r->practice_id);
	store_add_uuid(ps, i++, &r->batch);
	store_add_uuid(ps, i++, &r->upload);
	store_add_int(ps, i++, r->item);
	store_add_bytes(ps, i++, view_of(r->sha256, sizeof(r->sha256)));
	add_text(ps, i++, r->reference);
	add_recipient(ps, i, r->draft);
	store_add_str(ps, i + 1, r->draft ? NULL : r->code);
	add_text(ps, i + 2, r->draft ? (struct view){0} : r->errors);
	if (r->draft)
		accepter_add(&b->drafts, r->draft);
}

static void begin(struct batcher *b)
{
	static const enum store_type types[] = {STORE_UUID,  STORE_UUID, STORE_UUID, STORE_INT4,
	                                        STORE_BYTEA, STORE_TEXT, STORE_UUID, STORE_TEXT,
	                                        STORE_TEXT,  STORE_UUID, STORE_TEXT, STORE_TEXT};
	int64_t now_us = dispatch_now_us(b->d);
	store_params_clear(&b->lock);
	store_array(&b->lock, STORE_UUID);
	store_array(&b->lock, STORE_UUID);
	store_params_clear(&b->items);
	store_value_time(&b->items, now_us);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&b->items, types[i]);
	accepter_params(&b->drafts, now_us);
}

static bool same_recipient(const struct draft *a, const struct draft *b)
{
	return memcmp(&a->broadcast, &b->broadcast, sizeof(a->broadcast)) == 0 &&
	       (view_eq(a->phone, b->phone) || view_eq(a->patient, b->patient));
}

/* Whether the statement has a text of the same broadcast for the same phone or patient: then this one waits for the
 * next, which sees what became of that. */
static bool clashes(const struct batcher *b, const struct batch_row *r)
{
	if (!r->draft || uuid_is_zero(&r->draft->broadcast))
		return false;
	for (unsigned i = 0; i < b->count; i++)
		if (b->row[i]->draft && same_recipient(b->row[i]->draft, r->draft))
			return true;
	return false;
}

static void rows_cb(void *ctx, const struct store_rows *rows)
{
	static const struct {
		const char *name;
		enum batch_result result;
	} names[] = {{"stored", BATCH_STORED},   {"refused", BATCH_REFUSED}, {"repeated", BATCH_REPEATED},
	             {"changed", BATCH_CHANGED}, {"closed", BATCH_CLOSED},   {"lost", BATCH_LOST}};
	struct batcher *b = ctx;
	check(store_rows_count(rows) == b->count);
	for (unsigned i = 0; i < b->count; i++)
		for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++)
			if (view_eq(store_rows_text(rows, i, 0), view_str(names[n].name)))
				b->result[i] = names[n].result;
}

static void count_item(const struct batch_row *r, enum batch_result result)
{
	bool accepted = result == BATCH_STORED && r->draft;
	metric_add(METRIC_messages_accepted_total, accepted, NO_LABELS);
	if (result <= BATCH_REPEATED)
		metric_add(METRIC_batch_items_total, 1,
		           LABELS(accepted                   ? "accepted"
		                  : result == BATCH_REPEATED ? "repeated"
		                                             : "refused"));
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct batcher *b = ctx;
	unsigned count = b->count;
	(void)sqlstate;
	b->count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct batch_row *r = b->row[i];
		enum batch_result became = result == STORE_OK ? b->result[i] : BATCH_FAILED;
		count_item(r, became);
		r->cb(r->ctx, r, became);
	}
	if (result == STORE_OK)
		claimer_wake(b->d->claimer);
}

void batcher_turn(struct batcher *b)
{
	if (b->count || !b->first)
		return;
	begin(b);
	while (b->first && b->count < LIMIT_ACCEPT_BATCH && !clashes(b, b->first)) {
		struct batch_row *r = b->first;
		b->first = r->next;
		b->result[b->count] = BATCH_FAILED;
		b->row[b->count++] = r;
		add_row(b, r);
	}
	if (!b->first)
		b->last = NULL;
	struct store_step steps[] = {
	        {"batch_lock", &b->lock, NULL}, {"batch_items", &b->items, rows_cb}, {"accept", &b->drafts, NULL}};
	metric_observe(METRIC_store_batch_rows, b->count, LABELS("batch"));
	store_lane_run(b->d->batch_lane, steps, 3, done_cb, b);
}

bool batcher_idle(const struct batcher *b)
{
	return b->count == 0 && !b->first;
}

void batcher_free(struct batcher *b)
{
	store_params_free(&b->lock);
	store_params_free(&b->items);
	store_params_free(&b->drafts);
	free(b);
}
