/* Who touched patients' data through the API: noted in memory and written a moment later on the house lane, so that no
 * request waits for it. What a killed process loses is its last notes of reads: changes are told by their events, in
 * their own transaction. Many like requests without a subject of their own (a practice that sends 5,000 messages a
 * second) are one row. When the notes cannot be written they fill up, and then nothing more is shown. */
#include "dispatch_internal.h"

#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 400
#define ALIKE 256 /* rows of one flush that can take in more requests */
#define FROM 1024 /* counts of failed logins by the hash of their address */

/* Rows of one flush that take in more requests, by index. */
struct alike {
	unsigned at[ALIKE];
	unsigned count;
};

struct accesses {
	struct dispatch *d;
	struct net_timer *timer;
	struct access_row *row; /* LIMIT_ACCESS_QUEUE; the first `flying` are on their way */
	unsigned count;
	unsigned flying;
	unsigned at_once; /* rows of the next statement: fewer after one that was refused */
	struct alike calls;
	struct alike logins;  /* failed ones that no longer name their key */
	unsigned login_count; /* failed ones among the rows, but the crowd's */
	unsigned crowd;       /* index + 1 of the one row for all failed logins past their ceiling; 0: none yet */
	uint16_t from[FROM];  /* failed logins since the last flush */
	bool due;
	struct store_params params;
};

static const char *const action_names[] = {
        [ACCESS_READ] = "read", [ACCESS_LIST] = "list", [ACCESS_CHANGE] = "change", [ACCESS_LOGIN] = "login_failed"};

static void timer_cb(void *ctx)
{
	struct accesses *a = ctx;
	a->due = true; /* the turn that comes writes */
}

static void wait(struct accesses *a, int64_t delay_ms)
{
	a->due = false;
	net_timer_start(a->timer, delay_ms);
}

struct accesses *accesses_new(struct dispatch *d)
{
	struct accesses *a = mem_alloc(sizeof(*a));
	a->d = d;
	a->row = mem_alloc(sizeof(*a->row) * LIMIT_ACCESS_QUEUE);
	a->at_once = LIMIT_ACCESS_BATCH;
	a->timer = net_timer_new(d->config.loop, timer_cb, a);
	return a;
}

static bool has_subject(const struct access_row *r)
{
	return r->has_message || r->patient[0] || r->phone[0];
}

static bool alike(const struct access_row *a, const struct access_row *b)
{
	return a->route == b->route && a->status == b->status && a->action == b->action &&
	       memcmp(&a->practice_id, &b->practice_id, sizeof(a->practice_id)) == 0 &&
	       strcmp(a->principal, b->principal) == 0 && strcmp(a->from, b->from) == 0 && a->method == b->method;
}

static bool joined(struct accesses *a, const struct alike *set, const struct access_row *r)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct access_row *old = &a->row[set->at[i]];
		if (!alike(old, r))
			continue;
		old->rows += r->rows;
		old->times++;
		return true;
	}
	return false;
}

bool dispatch_access_full(const struct dispatch *d)
{
	return d->accesses->count >= LIMIT_ACCESS_QUEUE;
}

/* The row, when there was room. */
static struct access_row *append(struct accesses *a, const struct access_row *row, struct alike *set)
{
	if (a->count >= LIMIT_ACCESS_QUEUE) { /* what was begun before it was full */
		metric_add(METRIC_access_rows_total, 1, LABELS("lost"));
		return NULL;
	}
	if (set && set->count < ALIKE)
		set->at[set->count++] = a->count;
	struct access_row *to = &a->row[a->count++];
	*to = *row;
	to->at_us = dispatch_now_us(a->d);
	if (a->count == 1)
		wait(a, FLUSH_MS);
	return to;
}

/* Failed logins have a share of the queue, so that who tries keys at random cannot keep the real ones waiting. Of one
 * address the first LIMIT_ACCESS_TOLD between two writes name the key that was tried, the others are counted; past
 * LIMIT_ACCESS_LOGINS rows one row counts all the rest, from wherever. */
static void add_login(struct accesses *a, const struct access_row *row)
{
	struct access_row login = *row;
	uint16_t *from = &a->from[view_hash(view_str(row->from)) % FROM];
	bool named = *from < LIMIT_ACCESS_TOLD;
	if (named)
		++*from;
	else
		login.principal[0] = 0;
	if (!named && joined(a, &a->logins, &login))
		return;
	if (a->login_count < LIMIT_ACCESS_LOGINS) {
		a->login_count += append(a, &login, named ? NULL : &a->logins) != NULL;
		return;
	}
	if (a->crowd) {
		a->row[a->crowd - 1].times++;
		return;
	}
	login.principal[0] = login.from[0] = 0;
	login.method = "*";
	login.route = "(many)";
	if (append(a, &login, NULL))
		a->crowd = a->count;
}

void dispatch_access_add(struct dispatch *d, const struct access_row *row)
{
	struct accesses *a = d->accesses;
	bool joins = !has_subject(row);
	if (row->action == ACCESS_LOGIN)
		add_login(a, row);
	else if (!joins || !joined(a, &a->calls, row))
		append(a, row, joins ? &a->calls : NULL);
}

/* In the order of access_add.sql's parameters. */
static void declare(struct store_params *ps)
{
	static const enum store_type types[] = {STORE_UUID, STORE_TIME, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TEXT, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_INT4,
	                                        STORE_INT4, STORE_TEXT, STORE_INT4};
	store_params_clear(ps);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(ps, types[i]);
}

static void add_row(struct store_params *ps, const struct access_row *r)
{
	unsigned i = 0;
	store_add_uuid(ps, i++, &r->practice_id);
	store_add_time(ps, i++, r->at_us);
	store_add_str(ps, i++, r->principal);
	store_add_str(ps, i++, action_names[r->action]);
	store_add_str(ps, i++, r->method);
	store_add_str(ps, i++, r->route);
	if (r->has_message)
		store_add_uuid(ps, i++, &r->message_id);
	else
		store_add_null(ps, i++);
	store_add_str(ps, i++, r->patient[0] ? r->patient : NULL);
	store_add_str(ps, i++, r->phone[0] ? r->phone : NULL);
	store_add_int(ps, i++, r->rows);
	store_add_int(ps, i++, r->times);
	store_add_str(ps, i++, r->from);
	store_add_int(ps, i++, r->status);
}

/* Rows that fly take nothing more in. */
static void close_rows(struct accesses *a)
{
	a->calls.count = 0;
	a->logins.count = 0;
	a->crowd = 0;
	memset(a->from, 0, sizeof(a->from));
}

static void take_off(struct accesses *a)
{
	for (unsigned i = 0; i < a->flying; i++)
		a->login_count -= a->row[i].action == ACCESS_LOGIN && strcmp(a->row[i].method, "*") != 0;
	memmove(a->row, a->row + a->flying, sizeof(*a->row) * (a->count - a->flying));
	a->count -= a->flying;
}

/* One row that the database will never take must not keep the others from being written. */
static void refused(struct accesses *a, const char *sqlstate)
{
	if (a->flying > 1) {
		a->at_once = a->flying / 2;
		return;
	}
	log_event(LOG_ERROR, "access_row_refused", LOG_TEXT(sqlstate, sqlstate));
	metric_add(METRIC_access_rows_total, 1, LABELS("refused"));
	take_off(a);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct accesses *a = ctx;
	if (result == STORE_OK) {
		metric_add(METRIC_access_rows_total, a->flying, LABELS("written"));
		take_off(a);
		a->at_once = LIMIT_ACCESS_BATCH;
	} else if (result == STORE_FAILED && dispatch_refused_for_data(sqlstate)) {
		refused(a, sqlstate);
	} /* else all of them again: after a lost connection some may stand there twice, which is better than never */
	a->flying = 0;
	close_rows(a); /* their indexes moved */
	if (a->count)
		wait(a, result != STORE_OK                                 ? LIMIT_RECONNECT_MIN_MS
		        : a->d->draining || a->count >= LIMIT_ACCESS_BATCH ? 0
		                                                           : FLUSH_MS);
}

void accesses_turn(struct accesses *a)
{
	struct store_step step = {"access_add", &a->params, NULL};
	if (!a->count || a->flying || !a->due || !store_lane_up(a->d->house_lane))
		return;
	declare(&a->params);
	a->flying = a->count < a->at_once ? a->count : a->at_once;
	close_rows(a);
	for (unsigned i = 0; i < a->flying; i++)
		add_row(&a->params, &a->row[i]);
	store_lane_run(a->d->house_lane, &step, 1, done_cb, a);
}

bool accesses_idle(const struct accesses *a)
{
	return a->count == 0;
}

void accesses_free(struct accesses *a)
{
	store_params_free(&a->params);
	net_timer_free(a->timer);
	free(a->row);
	free(a);
}
