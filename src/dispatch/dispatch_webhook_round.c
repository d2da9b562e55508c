/* One round of one endpoint. Events with the same key (a message, an appointment, a phone) go one after the other, the
 * next when the one before was taken; those of different keys go side by side. What fails keeps what follows at its
 * key, here and in later rounds, until it is delivered or dead. */
#include "dispatch_webhook_internal.h"

#include <stdio.h>

/* The webhook's id of an event. */
#define EVENT_ID_BYTES 96

static void start_posts(struct round *r);

static bool to_failover(const struct round *r, const struct post *p)
{
	bool tired = r->health.failover || p->attempts >= LIMIT_WEBHOOK_FAILOVER_AFTER;
	return *r->failover_url && tired;
}

static void tell_failure(const struct post *p, const char *error)
{
	char id[UUID_TEXT_BYTES], endpoint[UUID_TEXT_BYTES], status[12];
	snprintf(status, sizeof(status), "%d", p->status);
	const char *shown = status; /* -Waddress */
	log_event(LOG_WARNING, "webhook_failed", LOG_TEXT(practice, uuid_format(&p->round->practice_id, id)),
	          LOG_TEXT(webhook, uuid_format(&p->round->endpoint_id, endpoint)), LOG_TEXT(event_type, p->type),
	          LOG_TEXT(status, shown), LOG_TEXT(error, error), LOG_NUM(attempt, p->attempts + 1));
}

static void posted_cb(void *ctx, const struct fetch_result *result)
{
	struct post *p = ctx;
	struct round *r = p->round;
	bool ok = result->status >= 200 && result->status < 300;
	p->state = ok ? POST_TAKEN : POST_FAILED;
	p->status = result->status;
	p->retry_after_ms = result->retry_after_s > 0 ? result->retry_after_s * 1000 : 0;
	r->gone = r->gone || result->status == 410;
	r->last_status = result->status;
	copy_str(r->last_error, sizeof(r->last_error), result->error ? result->error : "");
	metric_add(METRIC_webhook_deliveries_total, 1, LABELS(ok ? "ok" : result->status ? "refused" : "no_answer"));
	if (!ok)
		tell_failure(p, result->error);
	r->open--;
	start_posts(r);
}

static void send_post(struct round *r, struct post *p)
{
	const struct dispatch_settings *s = &r->w->d->config.settings;
	struct clock system = {0};
	int64_t now_s = clock_read(&system) / SECOND_US; /* the receiver checks it against the real time */
	char id[EVENT_ID_BYTES];
	char id_header[EVENT_ID_BYTES + 16], time_header[64], trace_header[128];
	struct buf signature = BUF(1024);
	snprintf(id, sizeof(id), "evt_%s_%lld", p->xact, (long long)p->event_id);
	snprintf(id_header, sizeof(id_header), "webhook-id: %s", id);
	snprintf(time_header, sizeof(time_header), "webhook-timestamp: %lld", (long long)now_s);
	snprintf(trace_header, sizeof(trace_header), "traceparent: %s", p->trace);
	webhook_sign(r, id, now_s, p->payload, &signature);
	const char *headers[] = {"content-type: application/json", id_header, time_header, buf_cstr(&signature),
	                         *p->trace ? trace_header : NULL,  NULL};
	struct fetch_request request = {.method = "POST",
	                                .url = to_failover(r, p) ? r->failover_url : r->url,
	                                .headers = headers,
	                                .body = view_str(p->payload),
	                                .timeout_ms = s->webhook_timeout_ms,
	                                .max_answer = LIMIT_WEBHOOK_ANSWER_BYTES,
	                                .plain_ok = s->webhook_plain_ok,
	                                .private_ok = s->webhook_private_ok,
	                                .loopback_ok = true};
	p->state = POST_OUT;
	r->open++;
	net_fetch(r->w->fetcher, &request, posted_cb, p);
	buf_free(&signature);
}

/* Nothing before it at its key is open, failed or left. */
static bool is_next(const struct round *r, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		enum post_state state = r->post[k].state;
		if (state != POST_TAKEN && state != POST_SILENT && strcmp(r->post[k].key, r->post[i].key) == 0)
			return false;
	}
	return true;
}

/* Posts what may go now; books the round when nothing is open and nothing may. */
static void start_posts(struct round *r)
{
	bool more = !r->gone && time_mono_ms() - r->began_ms < LIMIT_WEBHOOK_ROUND_MS && !r->w->draining;
	for (unsigned i = 0; more && i < r->posts && r->open < LIMIT_WEBHOOK_BATCH; i++)
		if (r->post[i].state == POST_READY && is_next(r, i))
			send_post(r, &r->post[i]);
	if (r->open == 0)
		webhook_round_book(r);
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static bool wanted(const struct round *r, struct view type)
{
	char word[80];
	snprintf(word, sizeof(word), " %.*s ", (int)type.n, (const char *)type.p);
	return type.n > 0 && (!*r->types || strstr(r->types, word));
}

static void events_cb(void *ctx, const struct store_rows *rows)
{
	struct round *r = ctx;
	for (unsigned i = 0; i < store_rows_count(rows) && r->posts < POSTS_MAX; i++) {
		struct post *p = &r->post[r->posts++];
		struct view type = store_rows_text(rows, i, 7);
		*p = (struct post){.round = r,
		                   .xact = pool_copy(&r->pool, store_rows_text(rows, i, 0)),
		                   .event_id = store_rows_int(rows, i, 1),
		                   .attempts = (int)store_rows_int(rows, i, 2),
		                   .since_s = store_rows_int(rows, i, 3),
		                   .waited = store_rows_bool(rows, i, 4),
		                   .key = pool_copy(&r->pool, store_rows_text(rows, i, 6)),
		                   .type = pool_copy(&r->pool, type),
		                   .payload = pool_copy(&r->pool, store_rows_text(rows, i, 8)),
		                   .trace = pool_copy(&r->pool, store_rows_text(rows, i, 9))};
		if (!wanted(r, type))
			p->state = POST_SILENT;
		else if (store_rows_bool(rows, i, 5))
			p->state = POST_BEHIND;
	}
}

static void events_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct round *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK || r->w->draining) {
		webhooks_round_over(r, false);
		return;
	}
	r->began_ms = time_mono_ms();
	start_posts(r);
}

void webhook_round_begin(struct round *r)
{
	struct store_params *ps = &r->params;
	store_params_clear(ps);
	store_value_uuid(ps, &r->practice_id);
	store_value_uuid(ps, &r->endpoint_id);
	store_value_str(ps, r->xact);
	store_value_int(ps, STORE_INT8, r->event_id);
	store_value_int(ps, STORE_INT4, LIMIT_WEBHOOK_BATCH);
	store_value_int(ps, STORE_BOOL, r->reply_text);
	store_value_time(ps, dispatch_now_us(r->w->d));
	store_value_int(ps, STORE_INT4, LIMIT_WEBHOOK_WAITING);
	struct store_step step = {"webhook_events", ps, events_cb};
	store_lane_run(r->w->d->webhook_lane, &step, 1, events_done_cb, r);
}
