/* Takes texts out when their time is over, a batch at a time, on the house lane: never more than LIMIT_REDACT_BATCH
 * rows in one statement, once a minute, and with each beat while there is more. */
#include "dispatch_internal.h"

#include <stdlib.h>

#define QUIET_BEATS 12 /* a minute */

struct retainer {
	struct dispatch *d;
	unsigned beats;
	unsigned busy;
	bool more; /* the last batch was full */
	struct store_params params;
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

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct retainer *r = ctx;
	(void)result; /* what was not done is found the next time */
	(void)sqlstate;
	r->busy--;
}

void retainer_beat(struct retainer *r)
{
	if (r->busy || (!r->more && r->beats++ % QUIET_BEATS))
		return;
	store_params_clear(&r->params);
	store_value_time(&r->params, dispatch_now_us(r->d));
	store_value_int(&r->params, STORE_INT4, LIMIT_REDACT_BATCH);
	r->more = false;
	r->busy = 2; /* two transactions: rows of one are not locked while the other works */
	store_lane_run(r->d->house_lane, &(struct store_step){"retain_messages", &r->params, messages_cb}, 1, done_cb,
	               r);
	store_lane_run(r->d->house_lane, &(struct store_step){"retain_inbound", &r->params, inbound_cb}, 1, done_cb, r);
}

void retainer_wake(struct retainer *r)
{
	r->more = true;
}

void retainer_free(struct retainer *r)
{
	store_params_free(&r->params);
	free(r);
}
