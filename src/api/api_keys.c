/* /v1/keys: the keys and clients of a practice, made and revoked by those of its keys that may. */
#include "api_keyform.h"
#include "api_staff.h"

#include <stdlib.h>
#include <string.h>

enum { F_LABEL, F_KIND, F_SCOPES, F_PERSON, F_EXPIRES, F_NETWORKS, F_CERTIFICATE, F_JWKS, F_JWKS_URL, FIELDS };
static const struct field_row rows[FIELDS] = {
        [F_LABEL] = {"/label", FIELD_TEXT, true, KEYFORM_LABEL_BYTES, NULL},
        [F_KIND] = {"/kind", FIELD_CHOICE, false, 0, " key client "},
        [F_SCOPES] = {"/scopes", FIELD_ANY, false, 0, NULL},
        [F_PERSON] = {"/person_id", FIELD_TEXT, false, UUID_TEXT_BYTES, NULL},
        [F_EXPIRES] = {"/expires_at", FIELD_TIME, false, 0, NULL},
        [F_NETWORKS] = {"/networks", FIELD_ANY, false, 0, NULL},
        [F_CERTIFICATE] = {"/certificate", FIELD_TEXT, false, KEYFORM_CERTIFICATE_BYTES, NULL},
        [F_JWKS] = {"/jwks", FIELD_ANY, false, 0, NULL},
        [F_JWKS_URL] = {"/jwks_url", FIELD_TEXT, false, KEYFORM_URL_BYTES, NULL},
};

/* A key that is being made. */
struct making {
	bool client;
	uint32_t scopes;
	const char *networks;
	struct uuid person;
	char *jwks; /* NULL: none */
	struct credential made;
	char whole[CREDENTIAL_BYTES];
	char word[24]; /* what the statement says */
};

static bool key_id_ok(struct view id)
{
	char copy[CREDENTIAL_ID_BYTES];
	return copy_view(copy, sizeof(copy), id) && strlen(copy) == 16 && strspn(copy, "0123456789abcdef") == 16;
}

void key_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	staff_list(a, x, who, "key_list", "/v1/keys", key_id_ok);
}

/* --- making --------------------------------------------------------------------------------------------------------
 */

/* A list of strings with blanks between, in the pool; NULL with a fault. */
static const char *joined(struct request *r, unsigned field, size_t max)
{
	const json_t *list = json_object_get(r->json, rows[field].pointer + 1), *item;
	struct buf text = BUF(max + 1);
	size_t i;
	bool ok = json_is_array(list);
	json_array_foreach(list, i, item)
	{
		ok = ok && json_string_length(item) > 0 && !strchr(json_string_value(item), ' ') &&
		     buf_printf(&text, "%s%s", i ? " " : "", json_string_value(item));
	}
	const char *copy = ok ? pool_copy(r->pool, buf_view(&text)) : NULL;
	buf_free(&text);
	if (!copy)
		request_fault(r, rows[field].pointer, "not_a_list", "This field takes a list of strings.");
	return copy;
}

static void take_scopes(struct request *r, struct making *m)
{
	bool unknown = false;
	const char *list = "";
	m->scopes = SCOPES_ALL; /* of a person: what the role may */
	if (!r->value[F_SCOPES].given && r->value[F_PERSON].given)
		return;
	if (!r->value[F_SCOPES].given)
		request_fault(r, "/scopes", "required", "Say what the key may do.");
	else if ((list = joined(r, F_SCOPES, 1024))) {
		m->scopes = scopes_parse(view_str(list), &unknown);
		if (unknown || !m->scopes)
			request_fault(r, "/scopes", "scope_unknown",
			              "Give one or more of the scopes in /openapi.json.");
		else if (!r->value[F_PERSON].given && m->scopes & ~r->who.scopes)
			request_fault(r, "/scopes", "scope_not_yours",
			              "A key cannot give what it does not have itself.");
	}
}

static void take_place(struct request *r, struct making *m)
{
	struct view certificate = r->value[F_CERTIFICATE].text;
	m->networks = r->value[F_NETWORKS].given ? joined(r, F_NETWORKS, KEYFORM_NETWORKS_BYTES) : "";
	if (m->networks && !keyform_networks(view_str(m->networks)))
		request_fault(r, "/networks", "bad_network",
		              "Give addresses and prefixes as 192.0.2.0/24, without bits behind the prefix.");
	if (!keyform_certificate(certificate))
		request_fault(r, "/certificate", "bad_certificate",
		              "Give sha256: and 64 small hexadecimal digits, or dns: and a name.");
}

static void take_client(struct request *r, struct making *m)
{
	static const char *const keys[] = {"/jwks", "/jwks_url"};
	m->client = view_eq(r->value[F_KIND].text, VIEW("client"));
	for (unsigned i = 0; i < 2 && !m->client; i++)
		if (r->value[F_JWKS + i].given)
			request_fault(r, keys[i], "not_here", "Only a client has this field.");
	if (m->client && r->value[F_PERSON].given)
		request_fault(r, "/person_id", "not_here", "A client is no person.");
	if (m->client && r->value[F_JWKS].given && r->value[F_JWKS_URL].given)
		request_fault(r, "/jwks_url", "not_here", "Give the keys or where they are, not both.");
	if (r->value[F_JWKS_URL].given && !keyform_jwks_url(r->value[F_JWKS_URL].text))
		request_fault(r, "/jwks_url", "bad_url", "Give an https:// URL.");
	if (!r->value[F_JWKS].given || !m->client)
		return;
	m->jwks = json_dumps(json_object_get(r->json, "jwks"), JSON_COMPACT | JSON_ENCODE_ANY);
	if (!m->jwks || !keyform_jwks(view_str(m->jwks)))
		request_fault(r, "/jwks", "bad_jwks", "Give a JWK Set with a public RSA or EC key and no private one.");
}

static struct making *take(struct request *r)
{
	struct making *m = pool_alloc(r->pool, sizeof(*m));
	take_client(r, m);
	take_scopes(r, m);
	take_place(r, m);
	if (r->value[F_PERSON].given && !uuid_parse(r->value[F_PERSON].text, &m->person))
		request_fault(r, "/person_id", "person_unknown", "There is no such person.");
	if (r->value[F_EXPIRES].given && r->value[F_EXPIRES].at_us <= r->now_us)
		request_fault(r, "/expires_at", "time_past", "This time is over.");
	return m;
}

static void made_cb(void *ctx, const struct store_rows *result)
{
	struct request *r = ctx;
	struct view word = store_rows_text(result, 0, 0);
	r->found = view_eq(word, VIEW("made"));
	r->status = view_eq(word, VIEW("key_limit")) ? 409 : 422;
}

static void made_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		staff_failed(r);
	else if (r->found)
		staff_reply(r, 201);
	else if (r->status == 409)
		request_problem(r, 409, "key_limit",
		                "Two live keys have this label, or the practice has 100: revoke one first.");
	else {
		request_fault(r, "/person_id", "person_unknown", "There is no such person.");
		request_fine(r);
	}
}

/* Shown once: of a key the whole; of a client its id and secret. */
static void write_made(struct request *r, const struct making *m)
{
	buf_printf(&r->body, "{\"id\":\"%s\",\"kind\":\"%s\",", m->made.id, m->client ? "client" : "key");
	if (m->client)
		buf_printf(&r->body, "\"client_id\":\"%s\",\"client_secret\":\"%s\"}", m->made.id,
		           m->whole + strlen("smsb_") + CREDENTIAL_ID_BYTES);
	else
		buf_printf(&r->body, "\"key\":\"%s\"}", m->whole);
}

static void run_make(struct request *r, const struct making *m)
{
	char by[STAFF_BY_BYTES], hash[2 * SHA256_BYTES + 1];
	struct store_params ps = {0};
	struct buf scopes = BUF(1024);
	hex_encode(m->made.hash, sizeof(m->made.hash), hash);
	buf_add_u8(&scopes, '{');
	scopes_write(m->scopes, ",", &scopes);
	buf_add_u8(&scopes, '}');
	store_value_uuid(&ps, &r->who.practice_id);
	store_value_str(&ps, m->made.id);
	store_value_str(&ps, hash);
	store_value_str(&ps, m->client ? "client" : "key");
	request_add_text(r, &ps, F_LABEL);
	store_value_text(&ps, buf_view(&scopes));
	request_add_null(r, &ps, F_EXPIRES);
	store_value_str(&ps, m->networks);
	request_add_text(r, &ps, F_CERTIFICATE);
	if (r->value[F_PERSON].given)
		store_value_uuid(&ps, &m->person);
	else
		store_value_null(&ps);
	store_value_str(&ps, m->jwks);
	request_add_null(r, &ps, F_JWKS_URL);
	store_value_time(&ps, r->now_us);
	store_value_str(&ps, staff_by(&r->who, by));
	buf_free(&scopes);
	staff_run(r, "key_make", &ps, made_cb, made_done_cb);
}

void key_make(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct request *r = request_read(a, x, who, rows, FIELDS, false);
	if (!r)
		return;
	struct making *m = take(r);
	char *jwks = m->jwks; /* r and m go with the exchange */
	if (request_fine(r)) {
		credential_make("smsb", &m->made, m->whole);
		write_made(r, m);
		run_make(r, m);
	}
	free(jwks);
}

/* --- revoking ------------------------------------------------------------------------------------------------------
 */

static void revoked_cb(void *ctx, const struct store_rows *result)
{
	struct request *r = ctx;
	r->found = store_rows_count(result) > 0;
	if (r->found)
		buf_add_view(&r->body, store_rows_text(result, 0, 1));
}

static void revoked_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	(void)sqlstate;
	auth_changed(r->api->auth);
	if (result != STORE_OK)
		staff_failed(r);
	else if (r->found)
		staff_reply(r, 200);
	else
		request_problem(r, 404, "key_unknown", "There is no such key.");
}

void key_revoke(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char by[STAFF_BY_BYTES];
	struct store_params ps = {0};
	struct view id = link_http_param(x);
	if (!key_id_ok(id)) {
		api_problem(x, 404, "key_unknown", "There is no such key.");
		return;
	}
	struct request *r = staff_request(a, x, who);
	store_value_uuid(&ps, &who->practice_id);
	store_value_text(&ps, id);
	store_value_time(&ps, r->now_us);
	store_value_str(&ps, staff_by(who, by));
	staff_run(r, "key_revoke", &ps, revoked_cb, revoked_done_cb);
}
