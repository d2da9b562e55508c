/* API keys: "smsb_<id>_<secret>". The database holds the SHA-256 of the whole key (the secret is 32 random octets, so a
 * slow hash would add nothing). A key found is believed for LIMIT_KEY_CACHE_MS, so a revoked one works a second longer
 * at most; a wrong secret is compared in constant time. */
#include "app_api_internal.h"

#include "net_crypto.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct cached_key {
	UT_hash_handle hh;
	char id[API_KEY_ID_BYTES];
	uint8_t hash[SHA256_BYTES];
	struct api_caller caller;
	int64_t checked_ms;
	double tokens; /* of this practice's request rate */
	int64_t tokens_at_ms;
};

struct auth {
	struct api *api;
	struct cached_key *keys;
	unsigned count;
};

/* A request that waits for its key to be looked up. */
struct lookup {
	struct auth *auth;
	struct http_exchange *x;
	api_handler handler;
	char id[API_KEY_ID_BYTES];
	uint8_t hash[SHA256_BYTES];
	bool found;
};

struct auth *auth_new(struct api *a)
{
	struct auth *auth = mem_alloc(sizeof(*auth));
	auth->api = a;
	return auth;
}

static void forget_all(struct auth *auth)
{
	struct cached_key *k, *next;
	HASH_ITER(hh, auth->keys, k, next)
	{
		HASH_DEL(auth->keys, k);
		free(k);
	}
	auth->count = 0;
}

void auth_free(struct auth *auth)
{
	forget_all(auth);
	free(auth);
}

static void unauthorized(struct http_exchange *x)
{
	api_problem(x, 401, "unauthorized", "Give a valid API key: Authorization: Bearer smsb_...");
}

/* Splits "Bearer smsb_<id>_<secret>"; false when it does not look like that. */
static bool parse_header(const struct http_request *r, struct lookup *l)
{
	struct view v = http_request_header(r, "authorization");
	if (http_request_header_count(r, "authorization") != 1 || v.n < 12 || v.n > 200 ||
	    !view_eq_nocase(view_of(v.p, 7), VIEW("bearer ")))
		return false;
	struct view key = view_trim(view_of(v.p + 7, v.n - 7));
	if (key.n < 6 || !view_eq(view_of(key.p, 5), VIEW("smsb_")))
		return false;
	const uint8_t *end = memchr(key.p + 5, '_', key.n - 5);
	if (!end || !copy_view(l->id, sizeof(l->id), view_of(key.p + 5, (size_t)(end - key.p - 5))))
		return false;
	net_sha256(key, l->hash);
	return true;
}

/* Takes a token of the bucket, and tells the caller how many are left. */
static bool auth_rate(struct auth *auth, struct cached_key *k, struct http_exchange *x)
{
	double rate = (double)auth->api->config.requests_per_second;
	int64_t now_ms = net_loop_now_ms(auth->api->config.loop);
	if (rate <= 0)
		return true;
	k->tokens += (double)(now_ms - k->tokens_at_ms) / 1000.0 * rate;
	k->tokens_at_ms = now_ms;
	if (k->tokens > rate)
		k->tokens = rate;
	bool allowed = k->tokens >= 1;
	k->tokens -= allowed;
	api_tell_rate(x, auth->api->config.requests_per_second, k->tokens);
	return allowed;
}

static void admit(struct auth *auth, struct cached_key *k, struct http_exchange *x, api_handler handler)
{
	if (!auth_rate(auth, k, x)) {
		link_http_problem(x, 429, "too_many_requests",
		                  "This practice sends more requests a second than it may.", NULL, 0,
		                  "retry-after: 1\r\n");
		return;
	}
	if (access_admit(auth->api, x, &k->caller))
		handler(auth->api, x, &k->caller);
}

static void take_lint(struct lint_practice *to, const struct store_rows *rows, unsigned column)
{
	struct view fields[LINT_PRACTICE_FIELDS];
	for (unsigned i = 0; i < LINT_PRACTICE_FIELDS; i++)
		fields[i] = store_rows_text(rows, 0, column + i);
	lint_practice_take(to, fields);
}

static void found_cb(void *ctx, const struct store_rows *rows)
{
	struct lookup *l = ctx;
	struct auth *auth = l->auth;
	uint8_t hash[SHA256_BYTES];
	struct cached_key *k = NULL;
	HASH_FIND_STR(auth->keys, l->id, k);
	if (store_rows_count(rows) == 0 || !hex_decode(store_rows_text(rows, 0, 1), hash, sizeof(hash))) {
		if (k) {
			HASH_DEL(auth->keys, k); /* revoked */
			free(k);
			auth->count--;
		}
		return;
	}
	if (!k) {
		if (auth->count >= LIMIT_KEY_CACHE)
			forget_all(auth);
		k = mem_alloc(sizeof(*k));
		copy_str(k->id, sizeof(k->id), l->id);
		k->tokens = (double)auth->api->config.requests_per_second;
		HASH_ADD_STR(auth->keys, id, k);
		auth->count++;
	}
	memcpy(k->hash, hash, sizeof(hash));
	k->caller.practice_id = store_rows_uuid(rows, 0, 0);
	copy_str(k->caller.key, sizeof(k->caller.key), l->id);
	copy_view(k->caller.sender, sizeof(k->caller.sender), store_rows_text(rows, 0, 2));
	k->caller.max_segments = (unsigned)store_rows_int(rows, 0, 3);
	k->caller.emergency = store_rows_bool(rows, 0, 4);
	k->caller.sees_phone = true;
	k->caller.sees_text = true;
	take_lint(&k->caller.lint, rows, 5);
	k->checked_ms = net_loop_now_ms(auth->api->config.loop);
	l->found = net_equal(hash, l->hash, sizeof(hash));
}

static void looked_up_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct lookup *l = ctx;
	struct cached_key *k = NULL;
	(void)sqlstate;
	HASH_FIND_STR(l->auth->keys, l->id, k);
	if (result != STORE_OK)
		api_read_failed(l->x);
	else if (!l->found || !k)
		unauthorized(l->x);
	else if (!link_http_alive(l->x))
		api_problem(l->x, 400, "client_gone", ""); /* nobody hears it: the exchange must be answered */
	else
		admit(l->auth, k, l->x, l->handler);
	free(l);
}

static void look_up(struct lookup *l)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(l->auth->api->config.dispatch);
	struct store_step step = {"key_get", &ps, found_cb};
	store_value_str(&ps, l->id);
	store_lane_run(lane, &step, 1, looked_up_cb, l);
	store_params_free(&ps);
}

void auth_run(struct api *a, struct http_exchange *x, api_handler handler)
{
	struct lookup l = {.auth = a->auth, .x = x, .handler = handler};
	struct cached_key *k = NULL;
	access_begin(x);
	if (!parse_header(link_http_request(x), &l)) {
		unauthorized(x);
		return;
	}
	access_claimed(x, l.id);
	HASH_FIND_STR(a->auth->keys, l.id, k);
	bool fresh = k && net_loop_now_ms(a->config.loop) - k->checked_ms < LIMIT_KEY_CACHE_MS;
	if (fresh && !net_equal(k->hash, l.hash, sizeof(l.hash))) {
		unauthorized(x);
	} else if (fresh) {
		admit(a->auth, k, x, handler);
	} else if (store_lane_busy(dispatch_read_lane(a->config.dispatch)) >= LIMIT_READ_QUEUE) {
		api_unavailable(x, "busy", "Too many requests wait; try again.");
	} else {
		struct lookup *kept = mem_alloc(sizeof(*kept));
		*kept = l;
		look_up(kept);
	}
}
