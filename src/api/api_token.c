/* POST /oauth2/token: client credentials (RFC 6749 4.4) by secret or by an assertion of the client's own key
 * (RFC 7523 2.2), for a short-lived token. Errors are RFC 6749 5.2's JSON. Scopes are narrowed by `scope`, never
 * widened; a token ends with its client. */
#include "api_assertion.h"
#include "api_internal.h"
#include "api_credential.h"
#include "api_jwks.h"
#include "api_keyset.h"

#include "base_cidr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define SCOPE_BYTES 1024
#define URL_BYTES 512

struct issuing {
	struct api *api;
	struct http_exchange *x;
	struct credential shown; /* the secret's hash; id is the client's either way */
	bool asserts;
	struct assertion assertion;
	char wanted[SCOPE_BYTES]; /* "" is all that the client may */
	bool found;
	struct uuid practice;
	uint8_t hash[SHA256_BYTES];
	uint32_t scopes;
	int64_t expires_us; /* of the client; 0: never */
	const char *networks, *certificate, *jwks, *jwks_url;
	bool renewed; /* the keys at its URL were asked for anew */
	struct credential made;
	char whole[CREDENTIAL_BYTES];
};

/* --- answers -------------------------------------------------------------------------------------------------------
 */

/* Every answer of the server says no-store already. */
static void answer(struct http_exchange *x, int status, struct view body)
{
	link_http_reply(x, status, "application/json",
	                status == 401 ? "www-authenticate: Basic realm=\"smsbridge\"\r\n" : "", body);
}

static void refuse(struct http_exchange *x, int status, const char *error, const char *sentence)
{
	struct buf body = BUF(1024);
	buf_printf(&body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, sentence);
	answer(x, status, buf_view(&body));
	buf_free(&body);
}

static void end(struct issuing *t)
{
	assertion_free(&t->assertion);
}

static void end_refused(struct issuing *t, int status, const char *error, const char *sentence)
{
	end(t);
	if (status == 401)
		auth_failed(t->api->auth, t->x);
	refuse(t->x, status, error, sentence);
}

static void end_unavailable(struct issuing *t)
{
	end(t);
	api_read_failed(t->x);
}

/* --- the form ------------------------------------------------------------------------------------------------------
 */

/* A parameter of the form, "" when it is not there; false when it is there twice or badly encoded. */
static bool take(struct view form, const char *name, char *to, size_t cap)
{
	unsigned times = 0;
	size_t n = strlen(name);
	for (size_t at = 0, next; at < form.n; at = next) {
		const uint8_t *amp = memchr(form.p + at, '&', form.n - at);
		next = amp ? (size_t)(amp - form.p) + 1 : form.n;
		times += form.n - at > n && memcmp(form.p + at, name, n) == 0 && form.p[at + n] == '=';
	}
	bool has = http_query_get(form, name, to, cap);
	return times == (has ? 1 : 0);
}

/* The body with blanks for its pluses, in the pool. */
static struct view form_of(struct http_exchange *x)
{
	struct view body = link_http_request(x)->body;
	char *copy = pool_copy(link_http_pool(x), body);
	for (size_t i = 0; i < body.n; i++)
		copy[i] = copy[i] == '+' ? ' ' : copy[i];
	return view_of(copy, body.n);
}

static bool says_form(const struct http_request *r)
{
	struct view type = http_request_header(r, "content-type");
	const uint8_t *semicolon = type.n ? memchr(type.p, ';', type.n) : NULL;
	if (semicolon)
		type = view_trim(view_of(type.p, (size_t)(semicolon - type.p)));
	return view_eq_nocase(type, VIEW("application/x-www-form-urlencoded"));
}

/* NULL, or why the request is malformed. */
static const char *take_assertion(struct issuing *t, struct view form, const char *client)
{
	char type[128];
	char *token = pool_alloc(link_http_pool(t->x), JWT_BYTES + 1);
	if (!take(form, "client_assertion_type", type, sizeof(type)) ||
	    !take(form, "client_assertion", token, JWT_BYTES + 1))
		return "client_assertion and its type take one value each, of 8192 octets at most.";
	if (!type[0] && !token[0])
		return NULL;
	if (strcmp(type, JWT_BEARER) != 0)
		return "client_assertion_type must be " JWT_BEARER ".";
	t->asserts = true;
	const char *wrong = assertion_read(view_str(token), &t->assertion);
	if (wrong)
		return wrong;
	copy_view(t->shown.id, sizeof(t->shown.id), t->assertion.client);
	return !*client || view_eq(view_str(client), t->assertion.client) ? NULL
	                                                                  : "client_id is not the assertion's sub.";
}

/* By Basic, or by client_id and client_secret of the form. False when there is no secret, or one that cannot be ours.
 */
static bool take_secret(struct issuing *t, struct view form, const char *client, unsigned *ways_r)
{
	const struct http_request *r = link_http_request(t->x);
	struct buf text = BUF(0);
	struct view user, password;
	char secret[128];
	bool fits = false;
	*ways_r = t->asserts;
	if (http_request_header_count(r, "authorization")) {
		++*ways_r;
		fits = http_request_header_count(r, "authorization") == 1 &&
		       credential_basic(http_request_header(r, "authorization"), &text, &user, &password) &&
		       credential_of(user, password, &t->shown) && (!*client || view_eq(user, view_str(client)));
	}
	if (http_query_has(form, "client_secret")) {
		++*ways_r;
		fits = take(form, "client_secret", secret, sizeof(secret)) &&
		       credential_of(view_str(client), view_str(secret), &t->shown);
	}
	buf_free(&text);
	return fits;
}

/* False when it was refused already. */
static bool take_form(struct issuing *t)
{
	char grant[64], client[64];
	unsigned ways;
	struct view form = form_of(t->x);
	const char *wrong = NULL;
	if (!says_form(link_http_request(t->x)))
		wrong = "Send Content-Type: application/x-www-form-urlencoded.";
	else if (!take(form, "grant_type", grant, sizeof(grant)) || !take(form, "client_id", client, sizeof(client)) ||
	         !take(form, "scope", t->wanted, sizeof(t->wanted)))
		wrong = "grant_type, client_id and scope take one value each.";
	else if (strcmp(grant, "client_credentials") != 0) {
		end_refused(t, 400, grant[0] ? "unsupported_grant_type" : "invalid_request",
		            "grant_type must be client_credentials.");
		return false;
	} else
		wrong = take_assertion(t, form, client);
	if (wrong) {
		end_refused(t, t->asserts ? 401 : 400, t->asserts ? "invalid_client" : "invalid_request", wrong);
		return false;
	}
	bool fits = take_secret(t, form, client, &ways) || t->asserts;
	if (ways > 1)
		end_refused(t, 400, "invalid_request", "Say who you are in one way only.");
	else if (!fits)
		end_refused(t, 401, "invalid_client", "There is no such client with that secret.");
	return ways <= 1 && fits; /* t is gone with a refusal */
}

/* --- the token -----------------------------------------------------------------------------------------------------
 */

static void issued_cb(void *ctx, const struct store_rows *rows)
{
	struct issuing *t = ctx;
	t->found = store_rows_count(rows) > 0;
}

static int64_t lifetime_us(const struct issuing *t)
{
	int64_t now_us = clock_read(t->api->config.clock);
	int64_t us = t->api->oauth.token_lifetime_ms * 1000;
	return t->expires_us && t->expires_us - now_us < us ? t->expires_us - now_us : us;
}

static void issued_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct issuing *t = ctx;
	struct buf body = BUF(2048);
	(void)sqlstate;
	if (result != STORE_OK) {
		end_unavailable(t);
	} else if (!t->found) {
		end_refused(t, 401, "invalid_client", "This assertion was shown before: each needs a jti of its own.");
	} else {
		end(t);
		buf_printf(&body, "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%lld,\"scope\":\"",
		           t->whole, (long long)(lifetime_us(t) / 1000000));
		scopes_write(t->scopes, " ", &body);
		buf_add_str(&body, "\"}");
		answer(t->x, 200, buf_view(&body)); /* t goes with the exchange */
	}
	buf_free(&body);
}

static void add_scopes(struct store_params *ps, uint32_t scopes)
{
	struct buf text = BUF(SCOPE_BYTES);
	buf_add_u8(&text, '{');
	scopes_write(scopes, ",", &text);
	buf_add_u8(&text, '}');
	store_value_text(ps, buf_view(&text));
	buf_free(&text);
}

static void add_hash(struct store_params *ps, const uint8_t hash[SHA256_BYTES])
{
	char text[2 * SHA256_BYTES + 1];
	hex_encode(hash, SHA256_BYTES, text);
	store_value_str(ps, text);
}

static void issue(struct issuing *t)
{
	struct store_params ps = {0};
	struct store_step step = {"token_issue", &ps, issued_cb};
	int64_t now_us = clock_read(t->api->config.clock);
	credential_make("smst", &t->made, t->whole);
	store_value_uuid(&ps, &t->practice);
	store_value_str(&ps, t->shown.id);
	store_value_str(&ps, t->made.id);
	add_hash(&ps, t->made.hash);
	add_scopes(&ps, t->scopes);
	store_value_time(&ps, now_us);
	store_value_time(&ps, now_us + lifetime_us(t));
	if (t->asserts) {
		add_hash(&ps, t->assertion.jti_hash);
		store_value_time(&ps, (t->assertion.exp_s + ASSERTION_SKEW_S) * 1000000);
	} else {
		store_value_null(&ps);
		store_value_null(&ps);
	}
	t->found = false;
	store_lane_run(dispatch_read_lane(t->api->config.dispatch), &step, 1, issued_done_cb, t);
	store_params_free(&ps);
}

/* --- the client ----------------------------------------------------------------------------------------------------
 */

/* Who it is stands: whether it may from there, and what. */
static void grant(struct issuing *t)
{
	bool unknown = false;
	uint32_t wanted = t->wanted[0] ? scopes_parse(view_str(t->wanted), &unknown) : t->scopes;
	struct api_caller who = {.practice_id = t->practice};
	copy_str(who.key, sizeof(who.key), t->shown.id);
	if (unknown || !wanted || wanted & ~t->scopes) {
		end_refused(t, 400, "invalid_scope", "scope takes scopes that the client has, with blanks between.");
	} else if (!auth_from_network(t->networks, access_from(t->x)) ||
	           !link_http_certificate_fits(t->x, t->certificate)) {
		access_refused(t->x, &who);
		end_refused(t, 401, "invalid_client",
		            "This client may not come from this address, or not without its certificate.");
	} else if (!auth_spend(t->api->auth, t->x, &t->practice)) {
		end(t);
		auth_overspent(t->x);
	} else {
		t->scopes = wanted;
		auth_used(t->api->auth, t->x, t->shown.id);
		issue(t);
	}
}

static void keys_cb(void *ctx, struct view text);

/* Which of the keys signed it; those at a URL are asked for once more when none of them fits. */
static void judge(struct issuing *t, struct view jwks)
{
	enum jwks_answer found = jwks_verify(jwks, t->assertion.kid, t->assertion.alg, &t->assertion.jwt);
	if (found == JWKS_HOLDS) {
		grant(t);
	} else if (found == JWKS_UNKNOWN && t->jwks_url && !t->renewed) {
		t->renewed = true;
		keysets_get(t->api->keysets, t->jwks_url, true, keys_cb, t);
	} else {
		end_refused(t, 401, "invalid_client", "No key of the client's signed this assertion.");
	}
}

static void keys_cb(void *ctx, struct view text)
{
	struct issuing *t = ctx;
	if (!link_http_alive(t->x))
		end_refused(t, 400, "invalid_request", "Gone."); /* nobody hears it */
	else if (!text.p)
		end_refused(t, 401, "invalid_client", "The client's keys cannot be had from their URL.");
	else
		judge(t, text);
}

static void check_assertion(struct issuing *t)
{
	char audience[URL_BYTES];
	const char *base = t->api->oauth.public_url;
	snprintf(audience, sizeof(audience), "%s/oauth2/token", base);
	const char *wrong = "Assertions are not taken here: the operator has not set http.public_url.";
	if (*base)
		wrong = assertion_check(&t->assertion, audience, clock_read(t->api->config.clock) / 1000000);
	if (wrong)
		end_refused(t, 401, "invalid_client", wrong);
	else if (t->jwks)
		judge(t, view_str(t->jwks));
	else if (t->jwks_url)
		keysets_get(t->api->keysets, t->jwks_url, false, keys_cb, t);
	else
		end_refused(t, 401, "invalid_client", "This client has a secret and no keys.");
}

static const char *text_of(struct issuing *t, const struct store_rows *rows, unsigned column)
{
	return store_rows_null(rows, 0, column) ? NULL
	                                        : pool_copy(link_http_pool(t->x), store_rows_text(rows, 0, column));
}

static void found_cb(void *ctx, const struct store_rows *rows)
{
	struct issuing *t = ctx;
	t->found = store_rows_count(rows) > 0 && hex_decode(store_rows_text(rows, 0, 1), t->hash, sizeof(t->hash));
	if (!t->found)
		return;
	t->practice = store_rows_uuid(rows, 0, 0);
	t->scopes = scopes_parse(store_rows_text(rows, 0, 2), NULL);
	t->expires_us = store_rows_null(rows, 0, 3) ? 0 : store_rows_int(rows, 0, 3);
	t->networks = text_of(t, rows, 4);
	t->certificate = text_of(t, rows, 5);
	t->jwks = text_of(t, rows, 6);
	t->jwks_url = text_of(t, rows, 7);
}

static void found_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct issuing *t = ctx;
	(void)sqlstate;
	bool over = t->expires_us && t->expires_us <= clock_read(t->api->config.clock);
	if (result != STORE_OK)
		end_unavailable(t);
	else if (!link_http_alive(t->x))
		end_refused(t, 400, "invalid_request", "Gone."); /* nobody hears it */
	else if (!t->found || over || (!t->asserts && !net_equal(t->hash, t->shown.hash, sizeof(t->hash))))
		end_refused(t, 401, "invalid_client", "There is no such client, or not with that secret.");
	else if (t->asserts)
		check_assertion(t);
	else
		grant(t);
}

void token_issue(void *ctx, struct http_exchange *x)
{
	struct api *a = ctx;
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {"client_get", &ps, found_cb};
	struct issuing *t = pool_alloc(link_http_pool(x), sizeof(*t));
	*t = (struct issuing){.api = a, .x = x};
	access_begin(x);
	if (!auth_stranger(a->auth, x)) {
		link_http_problem(x, 429, "too_many_failures",
		                  "Too many keys that are none came from this address; try again later.", NULL, 0,
		                  "retry-after: 5\r\n");
		return;
	}
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		api_unavailable(x, "busy", "Too many requests wait; try again.");
		return;
	}
	if (!take_form(t))
		return;
	access_claimed(x, t->shown.id);
	store_value_str(&ps, t->shown.id);
	store_lane_run(lane, &step, 1, found_done_cb, t);
	store_params_free(&ps);
}
