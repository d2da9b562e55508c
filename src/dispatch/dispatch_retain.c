/* Takes texts out when their time is over, a batch at a time, on the house lane: never more than LIMIT_REDACT_BATCH
 * rows in one statement, once a minute, and with each beat while there is more. Texts that the practice wanted
 * discarded go with the beat after their message ended. */
#include "dispatch_internal.h"

#include <stdlib.h>

#define QUIET_BEATS 12 /* a minute */

struct retainer {
	struct dispatch *d;
	unsigned beats;
	unsigned busy;
	bool more;     /* the last batch was full */
	bool discards; /* that of discarded texts was */
	struct store_params params, discard_params;
};

struct retainer *retainer_new(struct dispatch *d)
{
	struct retainer *r = mem_alloc(sizeof(*r));
	r->d = d;
	return r;
}

static void took(struct retainer *r, const char *what, const struct store_rows *rows)
{
	int64_t n = store_rows_int(rows, 0, 0);
	r->more = r->more || n >= LIMIT_REDACT_BATCH;
	metric_add(METRIC_redacted_total, (double)n, LABELS(what));
}

static void messages_cb(void *ctx, const struct store_rows *rows)
{
	took(ctx, "message", rows);
}

static void inbound_cb(void *ctx, const struct store_rows *rows)
{
	took(ctx, "inbound", rows);
}

static void appointments_cb(void *ctx, const struct store_rows *rows)
{
	took(ctx, "appointment", rows);
}

static void discard_cb(void *ctx, const struct store_rows *rows)
{
	struct retainer *r = ctx;
	int64_t n = store_rows_int(rows, 0, 0);
	r->discards = n >= LIMIT_REDACT_BATCH;
	metric_add(METRIC_redacted_total, (double)n, LABELS("discard"));
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct retainer *r = ctx;
	(void)result; /* what was not done is found the next time */
	(void)sqlstate;
	r->busy--;
}

static void discard(struct retainer *r);

/* While a batch is full the next one follows at once. */
static void discarded_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct retainer *r = ctx;
	done_cb(ctx, result, sqlstate);
	if (result == STORE_OK && r->discards && !r->d->draining)
		discard(r);
}

static void discard(struct retainer *r)
{
	struct store_params *ps = &r->discard_params;
	store_params_clear(ps);
	store_value_time(ps, dispatch_now_us(r->d));
	store_value_int(ps, STORE_INT4, LIMIT_REDACT_BATCH);
	r->discards = false;
	r->busy++;
	store_lane_run(r->d->house_lane, &(struct store_step){"retain_discard", ps, discard_cb}, 1, discarded_cb, r);
}

void retainer_beat(struct retainer *r)
{
	if (r->busy)
		return;
	discard(r);
	if (!r->more && r->beats++ % QUIET_BEATS)
		return;
	store_params_clear(&r->params);
	store_value_time(&r->params, dispatch_now_us(r->d));
	store_value_int(&r->params, STORE_INT4, LIMIT_REDACT_BATCH);
	r->more = false;
	r->busy += 3; /* transactions of their own: rows of one are not locked while the other works */
	store_lane_run(r->d->house_lane, &(struct store_step){"retain_messages", &r->params, messages_cb}, 1, done_cb,
	               r);
	store_lane_run(r->d->house_lane, &(struct store_step){"retain_inbound", &r->params, inbound_cb}, 1, done_cb, r);
	store_lane_run(r->d->house_lane, &(struct store_step){"retain_appointments", &r->params, appointments_cb}, 1,
	               done_cb, r);
}

void retainer_wake(struct retainer *r)
{
	r->more = true;
}

void retainer_free(struct retainer *r)
{
	store_params_free(&r->params);
	store_params_free(&r->discard_params);
	free(r);
}
