/* Broadcasts: every gateway lets go what their pace allows, whoever has the row; and takes what was cancelled further.
 * On the lane of batches, at a beat of its own. */
#include "dispatch_internal.h"

#include <stdlib.h>

#define BEAT_MS 500

struct broadcasts {
	struct dispatch *d;
	struct net_timer *timer;
	struct store_params params;
	bool busy;
	bool again; /* wanted while busy, or there is more to end */
	bool released;
};

static void beat_cb(void *ctx);

struct broadcasts *broadcasts_new(struct dispatch *d)
{
	struct broadcasts *b = mem_alloc(sizeof(*b));
	b->d = d;
	b->timer = net_timer_new(d->config.loop, beat_cb, b);
	net_timer_start(b->timer, BEAT_MS);
	return b;
}

static void rows_cb(void *ctx, const struct store_rows *rows)
{
	struct broadcasts *b = ctx;
	int64_t released = store_rows_int(rows, 0, 0);
	int64_t ended = store_rows_int(rows, 0, 1);
	metric_add(METRIC_broadcast_released_total, (double)released, NO_LABELS);
	b->released = released > 0;
	b->again = b->again || ended >= LIMIT_BATCH_SETTLE;
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct broadcasts *b = ctx;
	(void)sqlstate;
	b->busy = false;
	if (result == STORE_OK && b->released)
		claimer_wake(b->d->claimer);
	net_timer_start(b->timer, result == STORE_OK && b->again ? 0 : BEAT_MS);
	b->again = false;
}

static void beat_cb(void *ctx)
{
	struct broadcasts *b = ctx;
	if (!store_lane_up(b->d->batch_lane) || !b->d->entered || b->d->draining) {
		net_timer_start(b->timer, BEAT_MS);
		return;
	}
	struct store_step step = {"broadcast_tick", &b->params, rows_cb};
	b->busy = true;
	b->released = false;
	store_params_clear(&b->params);
	store_value_time(&b->params, dispatch_now_us(b->d));
	store_value_int(&b->params, STORE_INT4, LIMIT_BATCH_SETTLE);
	store_lane_run(b->d->batch_lane, &step, 1, done_cb, b);
}

void dispatch_broadcast_wake(struct dispatch *d)
{
	struct broadcasts *b = d->broadcasts;
	if (b->busy)
		b->again = true;
	else
		net_timer_start(b->timer, 0);
}

void broadcasts_free(struct broadcasts *b)
{
	store_params_free(&b->params);
	net_timer_free(b->timer);
	free(b);
}
