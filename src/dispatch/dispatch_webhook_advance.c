/* What became of a round: one statement moves the cursor, books what waits, keeps the health. While an endpoint is down
 * its cursor stays and what waits loses no attempt; when it took nothing for as long as the schedule is, or said 410,
 * it is disabled, and goes on from there once it is enabled again. */
#include "dispatch_webhook_internal.h"

struct booking {
	struct round *r;
	int64_t now_us;
	int64_t next_us; /* when the endpoint is looked at again */
	int64_t failover_until_us;
	enum webhook_round_end end;
	bool slow;
	struct webhook_round_seen seen;
};

static struct webhook_plan plan_of(const struct round *r)
{
	const struct dispatch_settings *s = &r->w->d->config.settings;
	return (struct webhook_plan){s->webhook_retry_base_ms, s->webhook_retry_max_ms};
}

static int64_t wait_us(const struct round *r, int failed, int64_t after_ms)
{
	struct webhook_plan plan = plan_of(r);
	return webhook_plan_wait_ms(&plan, failed, after_ms, (unsigned)random_below(1001)) * 1000;
}

static bool schedule_over(const struct round *r, int64_t since_s)
{
	struct webhook_plan plan = plan_of(r);
	return since_s * 1000 >= webhook_plan_end_ms(&plan);
}

/* The one before it at its key that failed in this round; NULL when none did. */
static const struct post *failed_before(const struct round *r, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (r->post[k].state == POST_FAILED && strcmp(r->post[k].key, r->post[i].key) == 0)
			return &r->post[k];
	return NULL;
}

static void add_wait(struct booking *b, const struct post *p, int attempts, int64_t next_us, bool dead)
{
	struct store_params *ps = &b->r->params;
	store_add_str(ps, 18, p->xact);
	store_add_int(ps, 19, p->event_id);
	store_add_str(ps, 20, p->key);
	store_add_int(ps, 21, attempts);
	if (next_us)
		store_add_time(ps, 22, next_us);
	else
		store_add_null(ps, 22);
	store_add_int(ps, 23, dead);
	if (p->state == POST_FAILED)
		store_add_int(ps, 24, p->status);
	else
		store_add_null(ps, 24);
}

static void tell_dead(const struct round *r, const struct post *p)
{
	char id[UUID_TEXT_BYTES], endpoint[UUID_TEXT_BYTES];
	metric_add(METRIC_webhook_dead_total, 1, NO_LABELS);
	log_event(LOG_ERROR, "webhook_dead", LOG_TEXT(practice, uuid_format(&r->practice_id, id)),
	          LOG_TEXT(webhook, uuid_format(&r->endpoint_id, endpoint)), LOG_TEXT(event_type, p->type),
	          LOG_NUM(attempt, p->attempts + 1));
}

static void book_failed(struct booking *b, const struct post *p)
{
	const struct round *r = b->r;
	bool burns = !r->gone && b->end != WEBHOOK_DOWN; /* an attempt of its own */
	bool dead = burns && p->attempts > 0 && schedule_over(r, p->since_s);
	int attempts = p->attempts + burns;
	int64_t next_us = burns ? b->now_us + wait_us(r, attempts, p->retry_after_ms) : b->next_us;
	add_wait(b, p, attempts, next_us, dead);
	if (dead)
		tell_dead(r, p);
}

static void book_done(struct booking *b, const struct post *p)
{
	store_add_str(&b->r->params, 25, p->xact);
	store_add_int(&b->r->params, 26, p->event_id);
}

/* What the cursor passes must be booked when it was not taken; what waited already stays as it is when it had no try.
 */
static void book_post(struct booking *b, unsigned i)
{
	const struct post *p = &b->r->post[i];
	bool passed = b->end != WEBHOOK_DOWN;
	switch (p->state) {
	case POST_SILENT:
	case POST_TAKEN:
		if (p->waited)
			book_done(b, p);
		break;
	case POST_FAILED:
		if (p->waited || passed)
			book_failed(b, p);
		break;
	case POST_READY:
	case POST_BEHIND:
	case POST_OUT:
		if (!p->waited && passed)
			add_wait(b, p, 0, p->state == POST_READY && !failed_before(b->r, i) ? b->now_us : 0, false);
		break;
	}
}

static void declare(struct booking *b, const char *xact, int64_t event_id)
{
	static const enum store_type arrays[] = {STORE_TEXT, STORE_INT8, STORE_TEXT, STORE_INT4, STORE_TIME,
	                                         STORE_BOOL, STORE_INT4, STORE_TEXT, STORE_INT8};
	struct round *r = b->r;
	struct store_params *ps = &r->params;
	store_params_clear(ps);
	store_value_uuid(ps, &r->practice_id);
	store_value_uuid(ps, &r->endpoint_id);
	store_value_str(ps, r->w->d->config.node);
	store_value_time(ps, b->now_us);
	store_value_str(ps, xact);
	store_value_int(ps, STORE_INT8, event_id);
	store_value_int(ps, STORE_INT4, r->health.failures);
	store_value_int(ps, STORE_INT4, r->health.fresh_failures);
	store_value_int(ps, STORE_INT4, r->health.down_rounds);
	store_value_time(ps, b->next_us);
	store_value_int(ps, STORE_INT4, r->health.url_failures);
	if (b->failover_until_us)
		store_value_time(ps, b->failover_until_us);
	else
		store_value_null(ps);
	store_value_int(ps, STORE_BOOL, b->slow);
	store_value_int(ps, STORE_BOOL, b->seen.taken + b->seen.failed > 0);
	store_value_int(ps, STORE_BOOL, b->seen.taken > 0);
	store_value_int(ps, STORE_INT4, r->last_status);
	store_value_str(ps, *r->last_error ? r->last_error : NULL);
	store_value_str(ps, r->disable);
	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		store_array(ps, arrays[i]);
	store_value_str(ps, r->url);
	store_value_str(ps, r->failover_url);
}

static void look_at_posts(struct booking *b, int64_t *retry_after_ms_r)
{
	*retry_after_ms_r = 0;
	for (unsigned i = 0; i < b->r->posts; i++) {
		const struct post *p = &b->r->post[i];
		b->seen.taken += p->state == POST_TAKEN;
		b->seen.failed += p->state == POST_FAILED;
		b->seen.fresh_failed += p->state == POST_FAILED && !p->waited;
		if (p->retry_after_ms > *retry_after_ms_r)
			*retry_after_ms_r = p->retry_after_ms;
	}
}

static void tell_disabled(const struct round *r)
{
	char id[UUID_TEXT_BYTES], endpoint[UUID_TEXT_BYTES];
	metric_add(METRIC_webhook_disabled_total, 1, LABELS(r->disable));
	log_event(LOG_ERROR, "webhook_disabled", LOG_TEXT(practice, uuid_format(&r->practice_id, id)),
	          LOG_TEXT(webhook, uuid_format(&r->endpoint_id, endpoint)), LOG_TEXT(reason, r->disable),
	          LOG_NUM(age_s, r->down_s));
}

static void judge(struct booking *b)
{
	struct round *r = b->r;
	int64_t retry_after_ms;
	bool turn;
	look_at_posts(b, &retry_after_ms);
	b->end = webhook_health_round(&r->health, &b->seen, *r->failover_url != 0, &turn);
	b->next_us = b->now_us;
	if (b->end == WEBHOOK_DOWN || r->posts == 0) /* none: too many wait to read more */
		b->next_us += wait_us(r, turn || r->posts == 0 ? 1 : r->health.down_rounds, retry_after_ms);
	if (turn)
		b->failover_until_us = b->now_us + LIMIT_WEBHOOK_FAILOVER_MS * INT64_C(1000);
	if (r->gone)
		r->disable = "gone";
	else if (b->end == WEBHOOK_DOWN && r->health.down_rounds > 1 && schedule_over(r, r->down_s))
		r->disable = "exhausted";
	b->slow = time_mono_ms() - r->began_ms > LIMIT_WEBHOOK_SLOW_MS;
}

/* It stays enabled when its URL was changed, or it was disabled, meanwhile. */
static void advanced_rows_cb(void *ctx, const struct store_rows *rows)
{
	if (store_rows_count(rows) > 0 && store_rows_bool(rows, 0, 0))
		tell_disabled(ctx);
}

static void advanced_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct round *r = ctx;
	(void)sqlstate;
	webhooks_round_over(r, result == STORE_OK && r->posts > 0 && r->health.failures == 0);
}

void webhook_round_book(struct round *r)
{
	struct booking b = {.r = r, .now_us = dispatch_now_us(r->w->d)};
	const char *xact = r->xact;
	int64_t event_id = r->event_id;
	judge(&b);
	for (unsigned i = 0; i < r->posts; i++)
		if (b.end != WEBHOOK_DOWN && !r->post[i].waited) {
			xact = r->post[i].xact;
			event_id = r->post[i].event_id;
		}
	declare(&b, xact, event_id);
	for (unsigned i = 0; i < r->posts; i++)
		book_post(&b, i);
	struct store_step step = {"webhook_advance", &r->params, advanced_rows_cb};
	store_lane_run(r->w->d->webhook_lane, &step, 1, advanced_cb, r);
}
