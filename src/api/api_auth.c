/* Who calls: keys "smsb_<id>_<secret>" and tokens "smst_<id>_<secret>" (api_credential.c). The database holds the
 * SHA-256 of the whole (the secret is 32 random octets, so a slow hash would add nothing). What was found is believed
 * for LIMIT_KEY_CACHE_MS, so that a key revoked by a command or another gateway works a second longer at most; one
 * revoked here ends with the commit (auth_changed). A wrong secret is compared in constant time. */
#include "api_internal.h"

#include "api_credential.h"
#include "api_used.h"
#include "base_cidr.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define NETWORKS_BYTES 1024
#define CERTIFICATE_BYTES 264

struct cached_key {
	UT_hash_handle hh;
	char name[CREDENTIAL_ID_BYTES + 1]; /* k or t, and its id: tokens and keys do not mix */
	uint8_t hash[SHA256_BYTES];
	bool client;        /* it gets tokens, and is no key itself */
	int64_t expires_us; /* 0: never */
	char networks[NETWORKS_BYTES];
	char certificate[CERTIFICATE_BYTES];
	struct api_caller caller;
	int64_t checked_ms;
};

struct auth {
	struct api *api;
	struct cached_key *keys;
	struct rates *rates;
	struct used_keys *used;
	unsigned count;
	unsigned changes; /* look-ups that began before one are not believed afterwards */
};

/* A request that waits for its key to be looked up. */
struct lookup {
	struct auth *auth;
	struct http_exchange *x;
	api_handler handler;
	char name[CREDENTIAL_ID_BYTES + 1];
	struct credential shown;
	unsigned changes;
	bool found;
};

struct auth *auth_new(struct api *a)
{
	struct auth *auth = mem_alloc(sizeof(*auth));
	auth->api = a;
	auth->rates = rates_new();
	auth->used = used_new(&a->config);
	return auth;
}

static int64_t now_ms(const struct auth *auth)
{
	return net_loop_now_ms(auth->api->config.loop);
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

/* They stay known, so that who tries keys at random cannot keep them from being looked up again. */
void auth_changed(struct auth *auth)
{
	for (struct cached_key *k = auth->keys; k; k = k->hh.next)
		k->checked_ms = now_ms(auth) - LIMIT_KEY_CACHE_MS;
	auth->changes++;
}

void auth_free(struct auth *auth)
{
	forget_all(auth);
	rates_free(auth->rates);
	used_free(auth->used);
	free(auth);
}

struct auth_rate auth_rate(struct api *a, const struct uuid *practice)
{
	return rates_left(a->auth->rates, practice, a->config.requests_per_second, now_ms(a->auth));
}

/* --- what is answered to whom --------------------------------------------------------------------------------------
 */

#define CHALLENGE "www-authenticate: Bearer realm=\"smsbridge\"\r\nwww-authenticate: Basic realm=\"smsbridge\"\r\n"

bool auth_stranger(struct auth *auth, struct http_exchange *x)
{
	return rates_stranger(auth->rates, access_from(x), now_ms(auth));
}

void auth_failed(struct auth *auth, struct http_exchange *x)
{
	rates_failed(auth->rates, access_from(x), now_ms(auth));
}

void auth_used(struct auth *auth, struct http_exchange *x, const char *key)
{
	used_note(auth->used, key, access_from(x));
}

static void unauthorized(struct auth *auth, struct http_exchange *x)
{
	auth_failed(auth, x);
	link_http_problem(x, 401, "unauthorized", "Give a valid API key or token: Authorization: Bearer ...", NULL, 0,
	                  CHALLENGE);
}

/* The exchange, to be refused: noted as this key's. */
static struct http_exchange *noted(struct http_exchange *x, const struct cached_key *k)
{
	access_refused(x, &k->caller);
	return x;
}

bool auth_from_network(const char *networks, struct view address)
{
	struct cidr list[LIMIT_KEY_NETWORKS], from;
	size_t at;
	if (!*networks)
		return true;
	int n = cidr_list_parse(view_str(networks), list, LIMIT_KEY_NETWORKS, &at);
	return n > 0 && cidr_parse(address, &from) && cidr_list_has(list, (unsigned)n, from.address);
}

/* Whether the key may be used from there, and the request's route asks for nothing that it may not. */
static bool may(struct auth *auth, const struct cached_key *k, struct http_exchange *x)
{
	const struct api_route *row = link_http_route(x)->own;
	if (k->client || (k->expires_us && k->expires_us <= clock_read(auth->api->config.clock)))
		unauthorized(auth, x);
	else if (!auth_from_network(k->networks, access_from(x)))
		api_problem(noted(x, k), 403, "address_not_allowed", "This key may not be used from this address.");
	else if (!link_http_certificate_fits(x, k->certificate))
		api_problem(noted(x, k), 403, "certificate_required",
		            "This key is bound to a client certificate that was not shown.");
	else if (!(k->caller.scopes & SCOPE_BIT(row->scope)))
		api_problem(noted(x, k), 403, "scope_missing",
		            "This key may not do that: it lacks the scope, or its person's role does.");
	else
		return true;
	return false;
}

bool auth_spend(struct auth *auth, struct http_exchange *x, const struct uuid *practice)
{
	const struct api_config *config = &auth->api->config;
	bool allowed = rates_take(auth->rates, practice, config->requests_per_second, now_ms(auth));
	struct auth_rate rate = auth_rate(auth->api, practice);
	if (rate.limit > 0)
		api_tell_rate(x, rate.limit, (double)rate.left);
	return allowed;
}

void auth_overspent(struct http_exchange *x)
{
	link_http_problem(x, 429, "too_many_requests", "This practice sends more requests a second than it may.", NULL,
	                  0, "retry-after: 1\r\n");
}

static void admit(struct auth *auth, const struct cached_key *k, struct http_exchange *x, api_handler handler)
{
	if (!may(auth, k, x))
		return;
	auth_used(auth, x, k->caller.key);
	if (!auth_spend(auth, x, &k->caller.practice_id))
		auth_overspent(x);
	else if (!person_fits_body(&k->caller, link_http_request(x)->body))
		api_problem(noted(x, k), 403, "person_mismatch",
		            "A person's key acts under that person's own name only.");
	else if (access_admit(auth->api, x, &k->caller))
		handler(auth->api, x, &k->caller);
}

/* --- looking up ----------------------------------------------------------------------------------------------------
 */

/* Columns of key_get.sql and token_get.sql. */
enum {
	COLUMN_PRACTICE,
	COLUMN_HASH,
	COLUMN_KEY,
	COLUMN_KIND,
	COLUMN_SCOPES,
	COLUMN_EXPIRES,
	COLUMN_NETWORKS,
	COLUMN_CERTIFICATE,
	COLUMN_ROLE,
	COLUMN_PERSON_ID,
	COLUMN_PERSON,
	COLUMN_SENDER,
	COLUMN_SEGMENTS,
	COLUMN_LINT
};

static void take_lint(struct lint_practice *to, const struct store_rows *rows)
{
	struct view fields[LINT_PRACTICE_FIELDS];
	for (unsigned i = 0; i < LINT_PRACTICE_FIELDS; i++)
		fields[i] = store_rows_text(rows, 0, COLUMN_LINT + i);
	lint_practice_take(to, fields);
}

/* A role that this version does not know may do nothing. */
static void take_rights(struct api_caller *who, const struct store_rows *rows)
{
	enum role role = role_parse(store_rows_text(rows, 0, COLUMN_ROLE));
	who->scopes = scopes_parse(store_rows_text(rows, 0, COLUMN_SCOPES), NULL);
	who->sees_phone = who->sees_text = true;
	if (!store_rows_null(rows, 0, COLUMN_PERSON_ID)) {
		copy_view(who->person, sizeof(who->person), store_rows_text(rows, 0, COLUMN_PERSON));
		who->scopes &= role == ROLE_COUNT ? 0 : role_scopes(role);
		who->sees_phone = role != ROLE_COUNT && role_sees_phone(role);
		who->sees_text = role != ROLE_COUNT && role_sees_text(role);
	}
	who->emergency = who->scopes & SCOPE_BIT(SCOPE_EMERGENCY);
}

static void take_key(struct cached_key *k, const struct store_rows *rows)
{
	struct api_caller *who = &k->caller;
	*who = (struct api_caller){.practice_id = store_rows_uuid(rows, 0, COLUMN_PRACTICE)};
	k->client = view_eq(store_rows_text(rows, 0, COLUMN_KIND), VIEW("client"));
	k->expires_us = store_rows_null(rows, 0, COLUMN_EXPIRES) ? 0 : store_rows_int(rows, 0, COLUMN_EXPIRES);
	/* What does not fit was not written by us: it fits nothing. */
	if (!copy_view(k->networks, sizeof(k->networks), store_rows_text(rows, 0, COLUMN_NETWORKS)))
		copy_str(k->networks, sizeof(k->networks), "?");
	if (!copy_view(k->certificate, sizeof(k->certificate), store_rows_text(rows, 0, COLUMN_CERTIFICATE)))
		copy_str(k->certificate, sizeof(k->certificate), "?");
	copy_view(who->key, sizeof(who->key), store_rows_text(rows, 0, COLUMN_KEY));
	copy_view(who->sender, sizeof(who->sender), store_rows_text(rows, 0, COLUMN_SENDER));
	who->max_segments = (unsigned)store_rows_int(rows, 0, COLUMN_SEGMENTS);
	take_rights(who, rows);
	take_lint(&who->lint, rows);
}

static void forget(struct auth *auth, struct cached_key *k)
{
	if (!k)
		return;
	HASH_DEL(auth->keys, k);
	free(k);
	auth->count--;
}

static struct cached_key *remember(struct auth *auth, const char *name)
{
	if (auth->count >= LIMIT_KEY_CACHE)
		forget_all(auth);
	struct cached_key *k = mem_alloc(sizeof(*k));
	copy_str(k->name, sizeof(k->name), name);
	HASH_ADD_STR(auth->keys, name, k);
	auth->count++;
	return k;
}

static void found_cb(void *ctx, const struct store_rows *rows)
{
	struct lookup *l = ctx;
	struct auth *auth = l->auth;
	uint8_t hash[SHA256_BYTES];
	struct cached_key *k = NULL;
	HASH_FIND_STR(auth->keys, l->name, k);
	if (store_rows_count(rows) == 0 || !hex_decode(store_rows_text(rows, 0, COLUMN_HASH), hash, sizeof(hash))) {
		forget(auth, k); /* revoked */
		return;
	}
	if (!k)
		k = remember(auth, l->name);
	memcpy(k->hash, hash, sizeof(hash));
	take_key(k, rows);
	k->checked_ms = l->changes == auth->changes ? now_ms(auth) : now_ms(auth) - LIMIT_KEY_CACHE_MS;
	l->found = net_equal(hash, l->shown.hash, sizeof(hash));
}

static void looked_up_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct lookup *l = ctx;
	struct cached_key *k = NULL;
	(void)sqlstate;
	HASH_FIND_STR(l->auth->keys, l->name, k);
	if (result != STORE_OK)
		api_read_failed(l->x);
	else if (!link_http_alive(l->x))
		api_problem(l->x, 400, "client_gone", ""); /* nobody hears it: the exchange must be answered */
	else if (!l->found || !k)
		unauthorized(l->auth, l->x);
	else
		admit(l->auth, k, l->x, l->handler);
	free(l);
}

static void look_up(struct lookup *l)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(l->auth->api->config.dispatch);
	struct store_step step = {l->shown.token ? "token_get" : "key_get", &ps, found_cb};
	store_value_str(&ps, l->shown.id);
	store_lane_run(lane, &step, 1, looked_up_cb, l);
	store_params_free(&ps);
}

static void begin_look_up(const struct lookup *l, bool known)
{
	struct auth *auth = l->auth;
	if (!known && !auth_stranger(auth, l->x)) {
		link_http_problem(l->x, 429, "too_many_failures",
		                  "Too many keys that are none came from this address; try again later.", NULL, 0,
		                  "retry-after: 5\r\n");
	} else if (store_lane_busy(dispatch_read_lane(auth->api->config.dispatch)) >= LIMIT_READ_QUEUE) {
		api_unavailable(l->x, "busy", "Too many requests wait; try again.");
	} else {
		struct lookup *kept = mem_alloc(sizeof(*kept));
		*kept = *l;
		look_up(kept);
	}
}

void auth_run(struct api *a, struct http_exchange *x, api_handler handler)
{
	struct lookup l = {.auth = a->auth, .x = x, .handler = handler, .changes = a->auth->changes};
	const struct http_request *r = link_http_request(x);
	struct cached_key *k = NULL;
	access_begin(x);
	if (http_request_header_count(r, "authorization") != 1 ||
	    !credential_read(http_request_header(r, "authorization"), &l.shown)) {
		unauthorized(a->auth, x);
		return;
	}
	access_claimed(x, l.shown.id);
	l.name[0] = l.shown.token ? 't' : 'k';
	copy_str(l.name + 1, sizeof(l.name) - 1, l.shown.id);
	HASH_FIND_STR(a->auth->keys, l.name, k);
	bool fresh = k && now_ms(a->auth) - k->checked_ms < LIMIT_KEY_CACHE_MS;
	if (fresh && !net_equal(k->hash, l.shown.hash, sizeof(k->hash)))
		unauthorized(a->auth, x);
	else if (fresh)
		admit(a->auth, k, x, handler);
	else
		begin_look_up(&l, k);
}
