/* Events to practices, by a cursor over the event table: no second queue that could disagree with it. A round serves
 * one practice: read up to a batch of events behind its cursor and its due retries, post them side by side, then move
 * the cursor past all that had their try in one statement. A post that failed while others went through is booked as a
 * retry; when all failed the endpoint is down and the cursor stays. Rounds of practices are independent: a slow one
 * holds one round, not the others. Payloads are built by SQL; the signature is Standard Webhooks 1.0.0 (v1,
 * HMAC-SHA256). */
#include "dispatch_internal.h"

#include "net_crypto.h"
#include "net_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 250 /* longest wait before practices with news are looked for */

struct post {
	struct round *round;
	char *xact;
	int64_t event_id;
	int attempts; /* before this one; above 0 only for retries */
	bool silent;  /* nobody is told: the cursor passes */
	bool retry;
	bool ok;
	bool gone; /* 410: the practice wants no more of it */
	int64_t retry_after_ms;
	char *type;
	char *payload;
};

struct round {
	struct webhooks *w;
	struct round *next;
	struct uuid practice_id;
	char *url;
	char *secret;
	bool reply_text;
	char *xact; /* cursor */
	int64_t event_id;
	int failures;
	struct post post[2 * LIMIT_WEBHOOK_BATCH];
	unsigned posts;
	unsigned open;
	struct store_params params;
};

struct webhooks {
	struct dispatch *d;
	struct fetcher *fetcher;
	struct net_timer *timer;
	struct round *rounds;
	unsigned count;
	struct store_params due;
	bool looking;
	bool draining;
};

static char *text_of(struct view v)
{
	char *copy = mem_alloc(v.n + 1);
	if (v.n)
		memcpy(copy, v.p, v.n);
	return copy;
}

static void round_free(struct round *r)
{
	struct round **at = &r->w->rounds;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->w->count--;
	for (unsigned i = 0; i < r->posts; i++) {
		free(r->post[i].xact);
		free(r->post[i].type);
		free(r->post[i].payload);
	}
	free(r->url);
	free(r->secret);
	free(r->xact);
	store_params_free(&r->params);
	free(r);
}

/* --- after the posts -----------------------------------------------------------------------------------------------
 */

/* The wait before attempt n + 1: base, then five times as long each time, up to the ceiling, give or take a fifth. */
static int64_t retry_delay_ms(const struct webhooks *w, int attempts, int64_t retry_after_ms)
{
	const struct dispatch_settings *s = &w->d->config.settings;
	int64_t delay_ms = s->webhook_retry_base_ms;
	for (int i = 1; i < attempts && delay_ms < s->webhook_retry_max_ms; i++)
		delay_ms *= 5;
	if (delay_ms < retry_after_ms)
		delay_ms = retry_after_ms;
	if (delay_ms > s->webhook_retry_max_ms)
		delay_ms = s->webhook_retry_max_ms;
	return delay_ms * 4 / 5 + (int64_t)random_below((uint64_t)(delay_ms * 2 / 5 + 1));
}

static void advanced_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct round *r = ctx;
	struct webhooks *w = r->w;
	bool more = result == STORE_OK && r->failures == 0;
	(void)sqlstate;
	round_free(r);
	if (more && !w->draining)
		webhooks_wake(w);
}

static void add_retry(struct round *r, const struct post *p)
{
	int attempts = p->attempts + 1;
	bool dead = p->gone || attempts >= LIMIT_WEBHOOK_ATTEMPTS;
	store_add_str(&r->params, 5, p->xact);
	store_add_int(&r->params, 6, p->event_id);
	store_add_int(&r->params, 7, attempts);
	store_add_int(&r->params, 8, dead ? -1 : retry_delay_ms(r->w, attempts, p->retry_after_ms));
	if (dead) {
		char id[UUID_TEXT_BYTES];
		metric_add(METRIC_webhook_dead_total, 1, NO_LABELS);
		log_event(LOG_ERROR, "webhook_dead", LOG_TEXT(practice, uuid_format(&r->practice_id, id)),
		          LOG_TEXT(event_type, p->type), LOG_NUM(attempt, attempts));
	}
}

/* All new posts failed, and there was one: the endpoint is down, nothing passes it. */
static bool endpoint_down(const struct round *r)
{
	bool failed = false;
	for (unsigned i = 0; i < r->posts; i++) {
		const struct post *p = &r->post[i];
		if (p->silent)
			continue;
		if (p->ok || p->gone)
			return false;
		failed = failed || !p->retry;
	}
	return failed;
}

static void declare_advance(struct round *r, const char *xact, int64_t event_id, int64_t delay_ms)
{
	struct store_params *ps = &r->params;
	store_params_clear(ps);
	store_value_uuid(ps, &r->practice_id);
	store_value_str(ps, xact);
	store_value_int(ps, STORE_INT8, event_id);
	store_value_int(ps, STORE_INT4, r->failures);
	store_value_int(ps, STORE_INT8, delay_ms);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_INT8);
	store_array(ps, STORE_INT4);
	store_array(ps, STORE_INT8);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_INT8);
}

static void round_over(struct round *r)
{
	bool down = endpoint_down(r);
	const char *xact = r->xact;
	int64_t event_id = r->event_id;
	int64_t retry_after_ms = 0;
	for (unsigned i = 0; i < r->posts; i++) {
		if (r->post[i].retry_after_ms > retry_after_ms)
			retry_after_ms = r->post[i].retry_after_ms;
		if (!down && !r->post[i].retry) {
			xact = r->post[i].xact;
			event_id = r->post[i].event_id;
		}
	}
	r->failures = down ? r->failures + 1 : 0;
	declare_advance(r, xact, event_id, down ? retry_delay_ms(r->w, r->failures, retry_after_ms) : 0);
	for (unsigned i = 0; i < r->posts; i++) {
		const struct post *p = &r->post[i];
		if (p->retry && p->ok) {
			store_add_str(&r->params, 9, p->xact);
			store_add_int(&r->params, 10, p->event_id);
		} else if (!p->ok && !p->silent && (p->retry || !down)) {
			add_retry(r, p);
		}
	}
	struct store_step step = {"webhook_advance", &r->params, NULL};
	store_lane_run(r->w->d->webhook_lane, &step, 1, advanced_cb, r);
}

static void posted_cb(void *ctx, const struct fetch_result *result)
{
	struct post *p = ctx;
	struct round *r = p->round;
	char id[UUID_TEXT_BYTES];
	char status_text[12];
	const char *status = status_text;
	p->ok = result->status >= 200 && result->status < 300;
	p->gone = result->status == 410;
	p->retry_after_ms = result->retry_after_s > 0 ? result->retry_after_s * 1000 : 0;
	metric_add(METRIC_webhook_deliveries_total, 1, LABELS(p->ok ? "ok" : result->status ? "refused" : "no_answer"));
	snprintf(status_text, sizeof(status_text), "%d", result->status);
	if (!p->ok)
		log_event(LOG_WARNING, "webhook_failed", LOG_TEXT(practice, uuid_format(&r->practice_id, id)),
		          LOG_TEXT(event_type, p->type), LOG_TEXT(status, status), LOG_TEXT(error, result->error),
		          LOG_NUM(attempt, p->attempts + 1));
	if (--r->open == 0)
		round_over(r);
}

/* --- posting -------------------------------------------------------------------------------------------------------
 */

/* HMAC-SHA256 over "id.timestamp.body" with the base64-decoded part of the secret behind "whsec_". */
static void sign(const struct round *r, const char *id, int64_t timestamp_s, const char *payload, struct buf *header)
{
	uint8_t mac[SHA256_BYTES];
	struct buf key = BUF(256);
	struct buf content = BUF(1 << 16);
	const char *secret = strncmp(r->secret, "whsec_", 6) == 0 ? r->secret + 6 : r->secret;
	net_base64_decode(view_str(secret), &key);
	buf_printf(&content, "%s.%lld.%s", id, (long long)timestamp_s, payload);
	net_hmac_sha256(buf_view(&key), buf_view(&content), mac);
	buf_add_str(header, "webhook-signature: v1,");
	net_base64(view_of(mac, sizeof(mac)), header);
	buf_free(&key);
	buf_free(&content);
}

static void send_post(struct round *r, struct post *p)
{
	const struct dispatch_settings *s = &r->w->d->config.settings;
	struct clock system = {0};
	int64_t now_s = clock_read(&system) / SECOND_US; /* the receiver checks it against the real time */
	char id[96];
	char id_header[128];
	char time_header[64];
	struct buf signature = BUF(512);
	snprintf(id, sizeof(id), "evt_%s_%lld", p->xact, (long long)p->event_id);
	snprintf(id_header, sizeof(id_header), "webhook-id: %s", id);
	snprintf(time_header, sizeof(time_header), "webhook-timestamp: %lld", (long long)now_s);
	sign(r, id, now_s, p->payload, &signature);
	const char *headers[] = {"content-type: application/json", id_header, time_header, buf_cstr(&signature), NULL};
	struct fetch_request request = {.method = "POST",
	                                .url = r->url,
	                                .headers = headers,
	                                .body = view_str(p->payload),
	                                .timeout_ms = s->webhook_timeout_ms,
	                                .max_answer = LIMIT_WEBHOOK_ANSWER_BYTES,
	                                .plain_ok = s->webhook_plain_ok,
	                                .private_ok = s->webhook_private_ok,
	                                .loopback_ok = true};
	net_fetch(r->w->fetcher, &request, posted_cb, p);
	buf_free(&signature);
}

static void post_all(struct round *r)
{
	for (unsigned i = 0; i < r->posts; i++)
		r->open += !r->post[i].silent;
	if (r->open == 0) {
		round_over(r);
		return;
	}
	for (unsigned i = 0; i < r->posts; i++)
		if (!r->post[i].silent)
			send_post(r, &r->post[i]);
}

static void events_cb(void *ctx, const struct store_rows *rows)
{
	struct round *r = ctx;
	for (unsigned i = 0; i < store_rows_count(rows) && r->posts < 2 * LIMIT_WEBHOOK_BATCH; i++) {
		struct post *p = &r->post[r->posts++];
		*p = (struct post){.round = r,
		                   .event_id = store_rows_int(rows, i, 1),
		                   .attempts = (int)store_rows_int(rows, i, 2)};
		p->xact = text_of(store_rows_text(rows, i, 0));
		p->type = text_of(store_rows_text(rows, i, 3));
		p->payload = text_of(store_rows_text(rows, i, 4));
		p->silent = !*p->type;
		p->retry = p->attempts > 0;
	}
}

static void events_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct round *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK || r->posts == 0 || r->w->draining)
		round_free(r);
	else
		post_all(r);
}

static void read_events(struct round *r)
{
	struct store_params *ps = &r->params;
	store_params_clear(ps);
	store_value_uuid(ps, &r->practice_id);
	store_value_str(ps, r->xact);
	store_value_int(ps, STORE_INT8, r->event_id);
	store_value_int(ps, STORE_INT4, LIMIT_WEBHOOK_BATCH);
	store_value_int(ps, STORE_BOOL, r->reply_text);
	struct store_step step = {"webhook_events", ps, events_cb};
	store_lane_run(r->w->d->webhook_lane, &step, 1, events_done_cb, r);
}

/* --- who has news --------------------------------------------------------------------------------------------------
 */

static void due_cb(void *ctx, const struct store_rows *rows)
{
	struct webhooks *w = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		struct round *r = mem_alloc(sizeof(*r));
		r->w = w;
		r->practice_id = store_rows_uuid(rows, i, 0);
		r->url = text_of(store_rows_text(rows, i, 1));
		r->secret = text_of(store_rows_text(rows, i, 2));
		r->reply_text = store_rows_bool(rows, i, 3);
		r->xact = text_of(store_rows_text(rows, i, 4));
		r->event_id = store_rows_int(rows, i, 5);
		r->failures = (int)store_rows_int(rows, i, 6);
		r->next = w->rounds;
		w->rounds = r;
		w->count++;
		read_events(r);
	}
}

static void due_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct webhooks *w = ctx;
	(void)result;
	(void)sqlstate;
	w->looking = false;
	if (!w->draining)
		net_timer_start(w->timer, LOOK_MS);
}

static void look_cb(void *ctx)
{
	struct webhooks *w = ctx;
	if (w->draining || w->looking)
		return;
	if (w->count >= LIMIT_WEBHOOK_PRACTICES || !store_lane_up(w->d->webhook_lane)) {
		net_timer_start(w->timer, LOOK_MS);
		return;
	}
	store_params_clear(&w->due);
	store_value_int(&w->due, STORE_INT4, LIMIT_WEBHOOK_PRACTICES - w->count);
	store_array(&w->due, STORE_UUID);
	for (const struct round *r = w->rounds; r; r = r->next)
		store_add_uuid(&w->due, 1, &r->practice_id);
	struct store_step step = {"webhook_due", &w->due, due_cb};
	w->looking = true;
	store_lane_run(w->d->webhook_lane, &step, 1, due_done_cb, w);
}

struct webhooks *webhooks_new(struct dispatch *d)
{
	struct webhooks *w = mem_alloc(sizeof(*w));
	w->d = d;
	w->fetcher = net_fetcher_new(d->config.loop);
	w->timer = net_timer_new(d->config.loop, look_cb, w);
	net_timer_start(w->timer, LOOK_MS);
	return w;
}

void webhooks_wake(struct webhooks *w)
{
	if (!w->draining && !w->looking)
		net_timer_start(w->timer, 0);
}

bool webhooks_idle(const struct webhooks *w)
{
	return w->count == 0 && !w->looking;
}

void webhooks_drain(struct webhooks *w)
{
	w->draining = true;
	net_timer_stop(w->timer);
}

void webhooks_free(struct webhooks *w)
{
	check(!w->rounds); /* webhooks_idle */
	net_fetcher_free(w->fetcher);
	net_timer_free(w->timer);
	store_params_free(&w->due);
	free(w);
}
