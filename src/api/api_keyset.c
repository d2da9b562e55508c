#include "api_keyset.h"

#include "api_jwks.h"
#include "base_limits.h"
#include "base_log.h"
#include "base_pool.h"
#include "net_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct waiter {
	struct waiter *next;
	keyset_cb cb;
	void *ctx;
};

struct keyset {
	UT_hash_handle hh;
	struct keysets *owner;
	char *url;
	struct buf text; /* empty: never had */
	int64_t had_ms;
	int64_t tried_ms;
	bool tried;
	bool fetching;
	struct waiter *waiting;
	unsigned waiters;
};

struct keysets {
	struct loop *loop;
	struct fetcher *fetcher;
	struct keyset_config config;
	struct keyset *sets;
};

struct keysets *keysets_new(struct loop *l)
{
	struct keysets *k = mem_alloc(sizeof(*k));
	*k = (struct keysets){.loop = l, .fetcher = net_fetcher_new(l), .config = {.ca_file = ""}};
	return k;
}

void keysets_set(struct keysets *k, const struct keyset_config *config)
{
	/* A connection that may no longer be made must not be used again either. */
	if (k->config.private_ok && !config->private_ok) {
		net_fetcher_free(k->fetcher);
		k->fetcher = net_fetcher_new(k->loop);
	}
	k->config = *config;
}

static void set_free(struct keysets *k, struct keyset *s)
{
	HASH_DEL(k->sets, s);
	buf_free(&s->text);
	free(s->url);
	free(s);
}

void keysets_free(struct keysets *k)
{
	struct keyset *s, *next;
	net_fetcher_free(k->fetcher);
	HASH_ITER(hh, k->sets, s, next)
	set_free(k, s);
	free(k);
}

static struct view text_of(const struct keyset *s)
{
	return s->text.n ? buf_view(&s->text) : (struct view){0};
}

static void fetched_cb(void *ctx, const struct fetch_result *result)
{
	struct keyset *s = ctx;
	s->fetching = false;
	if (result->status == 200 && jwks_fine(result->body)) {
		buf_clear(&s->text);
		buf_add_view(&s->text, result->body);
		s->had_ms = net_loop_now_ms(s->owner->loop);
	} else {
		log_event(LOG_WARNING, "keyset_not_fetched",
		          LOG_TEXT(reason, result->error ? result->error : "no JWK Set with a public key"));
	}
	struct waiter *w = s->waiting;
	s->waiting = NULL;
	s->waiters = 0;
	for (struct waiter *next; w; w = next) {
		next = w->next;
		w->cb(w->ctx, text_of(s));
		free(w);
	}
}

static void fetch(struct keyset *s)
{
	static const char *const headers[] = {"accept: application/json", NULL};
	const struct keyset_config *c = &s->owner->config;
	struct fetch_request request = {.method = "GET",
	                                .url = s->url,
	                                .headers = headers,
	                                .timeout_ms = LIMIT_KEYSET_FETCH_MS,
	                                .max_answer = LIMIT_JWKS_BYTES,
	                                .private_ok = c->private_ok,
	                                .loopback_ok = c->private_ok,
	                                .ca_file = c->ca_file};
	s->fetching = s->tried = true;
	s->tried_ms = net_loop_now_ms(s->owner->loop);
	net_fetch(s->owner->fetcher, &request, fetched_cb, s);
}

/* NULL when there are too many at a time. */
static struct keyset *set_of(struct keysets *k, const char *url)
{
	struct keyset *s = NULL, *old, *next;
	HASH_FIND_STR(k->sets, url, s);
	if (s)
		return s;
	if (HASH_COUNT(k->sets) >= LIMIT_KEYSETS)
		HASH_ITER(hh, k->sets, old, next)
	if (!old->fetching)
		set_free(k, old);
	if (HASH_COUNT(k->sets) >= LIMIT_KEYSETS)
		return NULL;
	s = mem_alloc(sizeof(*s));
	*s = (struct keyset){.owner = k, .url = mem_copy_str(url), .text = BUF(LIMIT_JWKS_BYTES)};
	HASH_ADD_KEYPTR(hh, k->sets, s->url, strlen(s->url), s);
	return s;
}

static bool to_fetch(const struct keyset *s, bool renew)
{
	int64_t now_ms = net_loop_now_ms(s->owner->loop);
	bool old = !s->text.n || now_ms - s->had_ms >= LIMIT_KEYSET_MS;
	return (old || renew) && (!s->tried || now_ms - s->tried_ms >= LIMIT_KEYSET_AGAIN_MS);
}

void keysets_get(struct keysets *k, const char *url, bool renew, keyset_cb cb, void *ctx)
{
	struct keyset *s = set_of(k, url);
	if (s && !s->fetching && to_fetch(s, renew))
		fetch(s);
	if (!s || !s->fetching || s->waiters >= LIMIT_KEYSET_WAITERS) {
		cb(ctx, s ? text_of(s) : (struct view){0});
		return;
	}
	struct waiter *w = mem_alloc(sizeof(*w));
	*w = (struct waiter){s->waiting, cb, ctx};
	s->waiting = w;
	s->waiters++;
}
