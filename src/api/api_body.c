/* What every request with a body begins with: that it is JSON, one object without a name twice, and its
 * Idempotency-Key. */
#include "api_internal.h"

#include <jansson.h>

bool api_says_json(const struct http_exchange *x)
{
	const struct http_request *r = link_http_request(x);
	struct view type = http_request_header(r, "content-type");
	const uint8_t *semicolon = type.n ? memchr(type.p, ';', type.n) : NULL;
	if (semicolon)
		type = view_trim(view_of(type.p, (size_t)(semicolon - type.p)));
	return view_eq_nocase(type, VIEW("application/json"));
}

json_t *api_json_read(struct http_exchange *x)
{
	const struct http_request *r = link_http_request(x);
	struct buf detail = BUF(200);
	json_error_t error;
	if (!api_says_json(x)) {
		api_problem(x, 415, "not_json", "Send Content-Type: application/json.");
		return NULL;
	}
	json_t *json = json_loadb((const char *)r->body.p, r->body.n, JSON_REJECT_DUPLICATES, &error);
	if (json && json_is_object(json))
		return json;
	/* jansson's sentence may quote the text: only the place is told. */
	if (json)
		buf_add_str(&detail, "The request's body must be a JSON object.");
	else
		buf_printf(&detail, "The JSON is malformed at line %d, column %d.", error.line, error.column);
	bool twice = !json && json_error_code(&error) == json_error_duplicate_key;
	const char *code = json ? "json_not_object" : twice ? "json_duplicate_key" : "json_malformed";
	api_problem(x, 400, code, buf_cstr(&detail));
	buf_free(&detail);
	json_decref(json);
	return NULL;
}

bool api_key_read(struct http_exchange *x, struct view *key_r)
{
	const struct http_request *r = link_http_request(x);
	struct view v = http_request_header(r, "idempotency-key");
	*key_r = (struct view){0};
	if (!v.p)
		return true;
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		v = view_of(v.p + 1, v.n - 2);
	bool ok = v.n > 0 && v.n <= LIMIT_IDEMPOTENCY_KEY_BYTES && http_request_header_count(r, "idempotency-key") == 1;
	for (size_t i = 0; ok && i < v.n; i++)
		ok = v.p[i] > 0x20 && v.p[i] < 0x7f && v.p[i] != '"' && v.p[i] != '\\';
	if (ok)
		*key_r = view_str(pool_copy(link_http_pool(x), v));
	else
		api_problem(x, 400, "idempotency_key_bad",
		            "Idempotency-Key takes 1 to 128 visible ASCII characters, once.");
	return ok;
}
