/* Drafts that arrive while a commit is on its way form the next batch; a lone draft goes at once. */
#include "dispatch_internal.h"

#include <stdlib.h>

struct accepter {
	struct dispatch *d;
	struct draft *first, *last; /* waiting */
	unsigned waiting;
	struct draft *batch[LIMIT_ACCEPT_BATCH]; /* on its way */
	bool stored[LIMIT_ACCEPT_BATCH];
	unsigned count;
	int64_t now_us;
	struct store_params params;
};

struct accepter *accepter_new(struct dispatch *d)
{
	struct accepter *a = mem_alloc(sizeof(*a));
	a->d = d;
	return a;
}

bool dispatch_accept(struct dispatch *d, struct draft *draft)
{
	struct accepter *a = d->accepter;
	if (a->waiting >= LIMIT_ACCEPT_QUEUE || !store_lane_up(d->accept_lane))
		return false;
	draft->next = NULL;
	if (a->last)
		a->last->next = draft;
	else
		a->first = draft;
	a->last = draft;
	a->waiting++;
	return true;
}

/* NULL text is NULL in the database. */
static void add_text(struct store_params *ps, unsigned i, struct view v)
{
	if (v.p)
		store_add_text(ps, i, v);
	else
		store_add_null(ps, i);
}

static void add_time(struct store_params *ps, unsigned i, int64_t wall_us)
{
	if (wall_us)
		store_add_time(ps, i, wall_us);
	else
		store_add_null(ps, i);
}

/* In the order of accept.sql's parameters, $2 first. */
void accepter_params(struct store_params *ps, int64_t now_us)
{
	static const enum store_type types[] = {
	        STORE_UUID, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TEXT,  STORE_TEXT, STORE_TEXT,
	        STORE_TEXT, STORE_INT4, STORE_INT4, STORE_TEXT, STORE_INT4,  STORE_TIME, STORE_TIME,
	        STORE_TEXT, STORE_TEXT, STORE_TIME, STORE_TEXT, STORE_BYTEA, STORE_TEXT, STORE_TEXT,
	        STORE_TEXT, STORE_BOOL, STORE_UUID, STORE_TEXT, STORE_TEXT,  STORE_TEXT, STORE_UUID,
	        STORE_INT4, STORE_TEXT, STORE_UUID, STORE_INT4, STORE_UUID,  STORE_BOOL,
	};
	store_params_clear(ps);
	store_value_time(ps, now_us);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(ps, types[i]);
}

static void add_id(struct store_params *ps, unsigned i, const struct uuid *id)
{
	if (uuid_is_zero(id))
		store_add_null(ps, i);
	else
		store_add_uuid(ps, i, id);
}

/* What it came with. */
static void add_origin(struct store_params *ps, const struct draft *m, unsigned i)
{
	add_text(ps, i++, m->trace);
	add_id(ps, i++, &m->batch);
	if (uuid_is_zero(&m->batch))
		store_add_null(ps, i++);
	else
		store_add_int(ps, i++, m->batch_item);
	add_id(ps, i++, &m->broadcast);
	store_add_int(ps, i++, m->discard);
}

/* What the rule book adds. */
static void add_rules(struct store_params *ps, const struct draft *m, unsigned i)
{
	store_add_text(ps, i++, m->states);
	store_add_int(ps, i++, m->phi);
	add_id(ps, i++, &m->answers);
	add_text(ps, i++, m->emergency_person.p ? m->emergency_person : m->answerer);
	add_text(ps, i++, m->emergency_reason);
	store_add_str(ps, i++, m->api_key);
	add_id(ps, i++, &m->template_id);
	store_add_int(ps, i++, m->template_version);
	add_origin(ps, m, i);
}

void accepter_add(struct store_params *ps, const struct draft *m)
{
	unsigned i = 1;
	store_add_uuid(ps, i++, &m->practice_id);
	store_add_uuid(ps, i++, &m->id);
	store_add_text(ps, i++, m->patient);
	store_add_text(ps, i++, m->phone);
	add_text(ps, i++, m->time_zone);
	store_add_text(ps, i++, m->zones);
	store_add_text(ps, i++, m->body);
	store_add_str(ps, i++, m->encoding);
	store_add_int(ps, i++, m->characters);
	store_add_int(ps, i++, m->segments);
	store_add_str(ps, i++, m->category);
	store_add_int(ps, i++, m->priority);
	add_time(ps, i++, m->send_at_us);
	store_add_time(ps, i++, m->expires_at_us);
	add_text(ps, i++, m->reference);
	store_add_str(ps, i++, m->status);
	store_add_time(ps, i++, m->due_at_us);
	add_text(ps, i++, m->key);
	if (m->key.p)
		store_add_bytes(ps, i++, view_of(m->request_hash, sizeof(m->request_hash)));
	else
		store_add_null(ps, i++);
	store_add_text(ps, i++, m->answer);
	store_add_text(ps, i++, m->sender);
	add_rules(ps, m, i);
}

static void stored_cb(void *ctx, const struct store_rows *rows)
{
	struct accepter *a = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		int64_t ord = store_rows_int(rows, i, 0);
		check(ord >= 0 && ord < a->count);
		a->stored[ord] = true;
	}
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct accepter *a = ctx;
	unsigned count = a->count;
	unsigned stored = 0;
	(void)sqlstate;
	a->count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct draft *m = a->batch[i];
		enum accept_result r = result != STORE_OK ? ACCEPT_FAILED
		                       : a->stored[i]     ? ACCEPT_STORED
		                                          : ACCEPT_REPEATED;
		stored += r == ACCEPT_STORED;
		m->cb(m->ctx, m, r);
	}
	metric_add(METRIC_messages_accepted_total, stored, NO_LABELS);
	if (stored)
		claimer_wake(a->d->claimer);
}

void accepter_turn(struct accepter *a)
{
	if (a->count || !a->first)
		return;
	a->now_us = dispatch_now_us(a->d);
	accepter_params(&a->params, a->now_us);
	while (a->first && a->count < LIMIT_ACCEPT_BATCH) {
		struct draft *m = a->first;
		a->first = m->next;
		a->waiting--;
		a->stored[a->count] = false;
		a->batch[a->count++] = m;
		accepter_add(&a->params, m);
	}
	if (!a->first)
		a->last = NULL;
	struct store_step step = {"accept", &a->params, stored_cb};
	metric_observe(METRIC_store_batch_rows, a->count, LABELS("accept"));
	store_lane_run(a->d->accept_lane, &step, 1, done_cb, a);
}

bool accepter_idle(const struct accepter *a)
{
	return a->count == 0 && !a->first;
}

void accepter_free(struct accepter *a)
{
	store_params_free(&a->params);
	free(a);
}
