/* Events to practices, by a cursor over the event table: no second queue that could disagree with it. A round serves
 * one endpoint: read up to a batch of events behind its cursor and what waits, post them side by side but in order for
 * each message, book what became of them in one statement. Rounds of endpoints are independent, those served longest
 * ago come first, and slow or failing ones never have more than their share of the places. Several gateways share
 * endpoints by leases. Payloads are built by SQL; the signatures are Standard Webhooks 1.0.0. Waits are the rule
 * clock's. */
#include "dispatch_webhook_internal.h"

#include <stdlib.h>

#define LOOK_MS 250 /* longest wait before endpoints with news are looked for */

/* --- rounds --------------------------------------------------------------------------------------------------------
 */

void webhooks_round_over(struct round *r, bool again)
{
	struct webhooks *w = r->w;
	struct round **at = &w->rounds;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	w->count--;
	pool_free(&r->pool);
	store_params_free(&r->params);
	free(r);
	if (again)
		webhooks_wake(w);
}

/* --- who has news --------------------------------------------------------------------------------------------------
 */

static const char *text_of(struct round *r, const struct store_rows *rows, unsigned row, unsigned column)
{
	return pool_copy(&r->pool, store_rows_text(rows, row, column));
}

static struct round *round_of(struct webhooks *w, const struct store_rows *rows, unsigned i)
{
	struct round *r = mem_alloc(sizeof(*r));
	r->w = w;
	r->practice_id = store_rows_uuid(rows, i, 0);
	r->endpoint_id = store_rows_uuid(rows, i, 1);
	r->url = text_of(r, rows, i, 2);
	r->failover_url = text_of(r, rows, i, 3);
	r->types = text_of(r, rows, i, 4);
	r->reply_text = store_rows_bool(rows, i, 5);
	r->now = (struct webhook_keys){text_of(r, rows, i, 6), text_of(r, rows, i, 8)};
	r->former = (struct webhook_keys){text_of(r, rows, i, 7), text_of(r, rows, i, 9)};
	r->xact = text_of(r, rows, i, 10);
	r->event_id = store_rows_int(rows, i, 11);
	r->health = (struct webhook_health){.failures = (int)store_rows_int(rows, i, 12),
	                                    .fresh_failures = (int)store_rows_int(rows, i, 13),
	                                    .down_rounds = (int)store_rows_int(rows, i, 14),
	                                    .url_failures = (int)store_rows_int(rows, i, 16),
	                                    .failover = store_rows_bool(rows, i, 17)};
	r->down_s = store_rows_int(rows, i, 15);
	r->slow = store_rows_bool(rows, i, 18);
	r->made_ms = time_mono_ms();
	return r;
}

static void due_cb(void *ctx, const struct store_rows *rows)
{
	struct webhooks *w = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		struct round *r = round_of(w, rows, i);
		r->next = w->rounds;
		w->rounds = r;
		w->count++;
		webhook_round_begin(r);
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

/* Rounds of endpoints that were slow or failing, or became slow since. */
static unsigned slow_rounds(const struct webhooks *w)
{
	unsigned n = 0;
	for (const struct round *r = w->rounds; r; r = r->next)
		n += r->slow || time_mono_ms() - r->made_ms > LIMIT_WEBHOOK_SLOW_MS;
	return n;
}

static void look_cb(void *ctx)
{
	struct webhooks *w = ctx;
	if (w->draining || w->looking)
		return;
	unsigned slow = slow_rounds(w), fast = w->count - slow;
	if (w->count >= LIMIT_WEBHOOK_ROUNDS || !store_lane_up(w->d->webhook_lane)) {
		net_timer_start(w->timer, LOOK_MS);
		return;
	}
	store_params_clear(&w->due);
	store_value_int(&w->due, STORE_INT4, fast < LIMIT_WEBHOOK_FAST ? LIMIT_WEBHOOK_FAST - fast : 0);
	store_value_int(&w->due, STORE_INT4, slow < LIMIT_WEBHOOK_SLOW ? LIMIT_WEBHOOK_SLOW - slow : 0);
	store_array(&w->due, STORE_UUID);
	for (const struct round *r = w->rounds; r; r = r->next)
		store_add_uuid(&w->due, 2, &r->endpoint_id);
	store_value_str(&w->due, w->d->config.node);
	store_value_time(&w->due, dispatch_now_us(w->d));
	store_value_int(&w->due, STORE_INT4, LIMIT_WEBHOOK_LEASE_S);
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

struct net_url_rules dispatch_webhook_rules(const struct dispatch *d)
{
	const struct dispatch_settings *s = &d->config.settings;
	return (struct net_url_rules){.plain_ok = s->webhook_plain_ok,
	                              .private_ok = s->webhook_private_ok,
	                              .loopback_ok = s->webhook_loopback_ok};
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
