/* Housekeeping: this node's name and sign of life, partitions ahead of time, sweeps for messages that time has
 * overtaken, gauges. None of it is on the way of a message. */
#include "dispatch_internal.h"

#include <stdlib.h>

#define BEAT_MS 5000
#define ENTER_AGAIN_MS 500
#define PARTITIONS_EVERY 720 /* beats: an hour */

struct house {
	struct dispatch *d;
	struct net_timer *timer;
	struct store_params beat, now, cutoff, keys, receipts, orphans, enter, dead;
	unsigned beats;
	unsigned busy;
	bool settling;
	int64_t partitions_us; /* rule time for which partitions were last made */
};

static void beat_cb(void *ctx);

struct house *house_new(struct dispatch *d)
{
	struct house *h = mem_alloc(sizeof(*h));
	h->d = d;
	h->timer = net_timer_new(d->config.loop, beat_cb, h);
	return h;
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct house *h = ctx;
	(void)result;
	(void)sqlstate;
	h->busy--;
}

static void run(struct house *h, const struct store_step *step)
{
	h->busy++;
	store_lane_run(h->d->house_lane, step, 1, done_cb, h);
}

static void rebuild(struct store_params *ps, int64_t wall_us)
{
	store_params_clear(ps);
	store_value_time(ps, wall_us);
}

/* --- entering ------------------------------------------------------------------------------------------------------
 */

static void lost_cb(void *ctx, const struct store_rows *rows)
{
	struct house *h = ctx;
	(void)h;
	if (store_rows_int(rows, 0, 0))
		log_event(LOG_WARNING, "submits_of_dead_process_uncertain", LOG_NUM(count, store_rows_int(rows, 0, 0)));
}

static void entered_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct house *h = ctx;
	(void)sqlstate;
	h->busy--;
	if (result != STORE_OK) { /* a text that came first may hold the partition's place: it is seen the next time */
		net_timer_start(h->timer, ENTER_AGAIN_MS);
		return;
	}
	h->d->entered = true;
	claimer_wake(h->d->claimer);
	net_timer_start(h->timer, 0);
}

/* Before the first claim: the name is ours, open submits of whoever had it are uncertain, this month has a partition.
 */
static void enter(struct house *h)
{
	int64_t now_us = dispatch_now_us(h->d);
	store_params_clear(&h->enter);
	store_value_str(&h->enter, h->d->config.node);
	store_value_uuid(&h->enter, &h->d->instance);
	store_value_time(&h->enter, now_us);
	rebuild(&h->now, now_us);
	h->partitions_us = now_us;
	struct store_step steps[] = {{"partitions", &h->now, NULL}, {"node_enter", &h->enter, lost_cb}};
	h->busy++;
	store_lane_run(h->d->house_lane, steps, 2, entered_cb, h);
}

void house_store_up(struct house *h)
{
	if (!h->d->entered && !h->busy)
		enter(h);
	else if (h->d->entered)
		h->d->orphans_wanted = true;
}

static void settled_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct house *h = ctx;
	done_cb(ctx, result, sqlstate);
	h->settling = false;
	h->d->orphans_wanted = result != STORE_OK;
	claimer_wake(h->d->claimer);
}

/* A claim whose connection went away at its commit may have left rows that say `sending` and that nobody will ever
 * write. They are ours and neither in flight nor waiting to be written down; while we look, nothing is claimed, so that
 * no fresh row can be taken for one of them. */
void house_turn(struct house *h)
{
	struct dispatch *d = h->d;
	if (!d->orphans_wanted || h->settling || !claimer_idle(d->claimer) || !store_lane_up(d->house_lane))
		return;
	store_params_clear(&h->orphans);
	store_value_uuid(&h->orphans, &d->instance);
	unsigned ids = store_array(&h->orphans, STORE_UUID);
	flights_ids(d->flights, &h->orphans, ids);
	outcomes_ids(d->outcomes, &h->orphans, ids);
	store_value_time(&h->orphans, dispatch_now_us(d));
	struct store_step step = {"orphans", &h->orphans, NULL};
	h->settling = true;
	h->busy++;
	store_lane_run(d->house_lane, &step, 1, settled_cb, h);
}

/* --- beats ---------------------------------------------------------------------------------------------------------
 */

static void alive_cb(void *ctx, const struct store_rows *rows)
{
	struct house *h = ctx;
	if (store_rows_bool(rows, 0, 0) || h->d->draining)
		return;
	log_event(LOG_ERROR, "node_name_taken", LOG_TEXT(node, h->d->config.node),
	          LOG_TEXT(reason, "another process runs under this node's name; each needs its own"));
	h->d->config.evicted(h->d->config.ctx);
}

static void gauges_cb(void *ctx, const struct store_rows *rows)
{
	(void)ctx;
	metric_set(METRIC_queue_messages, (double)store_rows_int(rows, 0, 0), LABELS("due"));
	metric_set(METRIC_queue_messages, (double)store_rows_int(rows, 0, 1), LABELS("not_due"));
	metric_set(METRIC_queue_oldest_age_seconds, strtod((const char *)store_rows_text(rows, 0, 2).p, NULL),
	           NO_LABELS);
	metric_set(METRIC_uncertain_messages, (double)store_rows_int(rows, 0, 3), NO_LABELS);
	metric_set(METRIC_receipts_unmatched, (double)store_rows_int(rows, 0, 4), NO_LABELS);
}

static void count_in_flight(const struct dispatch *d)
{
	for (unsigned c = 0; c < d->config.carrier_count; c++) {
		unsigned open = 0;
		for (unsigned i = 0; i < d->links; i++)
			if (d->link[i].carrier == &d->carriers[c])
				open += link_carrier_in_flight(d->link[i].link);
		metric_set(METRIC_in_flight, open, LABELS(d->carriers[c].name));
	}
}

static void webhook_gauges_cb(void *ctx, const struct store_rows *rows)
{
	(void)ctx;
	metric_set(METRIC_webhook_endpoints, (double)store_rows_int(rows, 0, 0), LABELS("well"));
	metric_set(METRIC_webhook_endpoints, (double)store_rows_int(rows, 0, 1), LABELS("failing"));
	metric_set(METRIC_webhook_endpoints, (double)store_rows_int(rows, 0, 2), LABELS("disabled"));
	metric_set(METRIC_webhook_events, (double)store_rows_int(rows, 0, 3), LABELS("waiting"));
	metric_set(METRIC_webhook_events, (double)store_rows_int(rows, 0, 4), LABELS("dead"));
}

static void sweep(struct house *h, int64_t now_us)
{
	const struct dispatch_settings *s = &h->d->config.settings;
	store_params_clear(&h->cutoff);
	store_value_time(&h->cutoff, now_us);
	store_value_time(&h->cutoff, now_us - s->unconfirmed_after_ms * 1000);
	rebuild(&h->keys, now_us - s->idempotency_keep_ms * 1000);
	rebuild(&h->receipts, now_us - s->receipts_keep_ms * 1000);
	/* While messages are claimed the claim itself sees that they expired. */
	if (dispatch_links_bound(h->d) == 0 || h->beats % 12 == 0)
		run(h, &(struct store_step){"sweep_expired", &h->now, NULL});
	run(h, &(struct store_step){"sweep_unconfirmed", &h->cutoff, NULL});
	run(h, &(struct store_step){"ask_queries", &h->now, NULL});
	run(h, &(struct store_step){"receipt_purge", &h->receipts, NULL});
	run(h, &(struct store_step){"gauges", &h->now, gauges_cb});
	run(h, &(struct store_step){"webhook_gauges", NULL, webhook_gauges_cb});
	if (h->beats % 12 == 0)
		run(h, &(struct store_step){"sweep_idempotency", &h->keys, NULL});
	if (h->beats % PARTITIONS_EVERY == 0) {
		run(h, &(struct store_step){"ceilings_purge", &h->now, NULL});
		run(h, &(struct store_step){"ask_purge", NULL, NULL});
		rebuild(&h->dead, now_us - LIMIT_WEBHOOK_DEAD_DAYS * DAY_US);
		run(h, &(struct store_step){"webhook_purge", &h->dead, NULL});
	}
	if (h->beats % PARTITIONS_EVERY == 0 || now_us - h->partitions_us > 20 * DAY_US) {
		h->partitions_us = now_us;
		run(h, &(struct store_step){"partitions", &h->now, NULL});
	}
}

static void beat_cb(void *ctx)
{
	struct house *h = ctx;
	int64_t now_us = dispatch_now_us(h->d);
	net_timer_start(h->timer, BEAT_MS);
	if (!store_lane_up(h->d->house_lane) || h->busy)
		return;
	if (!h->d->entered) {
		enter(h);
		return;
	}
	store_params_clear(&h->beat);
	store_value_str(&h->beat, h->d->config.node);
	store_value_uuid(&h->beat, &h->d->instance);
	store_value_time(&h->beat, now_us);
	run(h, &(struct store_step){"node_beat", &h->beat, alive_cb});
	rebuild(&h->now, now_us);
	count_in_flight(h->d);
	sweep(h, now_us);
	retainer_beat(h->d->retainer);
	h->beats++;
}

void house_free(struct house *h)
{
	struct store_params *all[] = {&h->beat,     &h->now,     &h->cutoff, &h->keys,
	                              &h->receipts, &h->orphans, &h->enter,  &h->dead};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		store_params_free(all[i]);
	net_timer_free(h->timer);
	free(h);
}
