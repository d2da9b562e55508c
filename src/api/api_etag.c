#include "api_etag.h"

#include <stdio.h>

static bool etag_problem(struct http_exchange *x, int status, const char *code, const char *detail)
{
	api_problem(x, status, code, detail);
	return false;
}

bool etag_read(struct http_exchange *x, bool required, struct etag_condition *condition_r)
{
	const struct http_request *r = link_http_request(x);
	struct http_etags none = http_etag_read(r, "if-none-match", true);
	struct etag_condition c = {none.list == HTTP_ETAG_ANY, http_etag_read(r, "if-match", false)};
	*condition_r = c;
	if (c.only.list == HTTP_ETAG_BAD)
		return etag_problem(x, 400, "etag_malformed", "If-Match takes * or entity tags in quotes, as \"7\".");
	if (none.list != HTTP_ETAG_ABSENT && none.list != HTTP_ETAG_ANY)
		return etag_problem(x, 400, "etag_malformed", "If-None-Match of a write takes * only.");
	if (c.create_only && c.only.list != HTTP_ETAG_ABSENT)
		return etag_problem(x, 400, "etag_malformed", "If-Match and If-None-Match: * exclude each other.");
	if (required && !c.create_only && c.only.list == HTTP_ETAG_ABSENT)
		return etag_problem(
		        x, 428, "precondition_required",
		        "Say which version you change: If-Match with its ETag, or If-None-Match: * to create.");
	return true;
}

bool etag_fits(const struct etag_condition *c, int64_t version)
{
	if (c->create_only)
		return version == 0;
	return c->only.list == HTTP_ETAG_ABSENT || http_etag_fits(&c->only, version);
}

void etag_add(const struct etag_condition *c, struct store_params *ps)
{
	if (!c->create_only && c->only.list == HTTP_ETAG_ABSENT) {
		store_value_null(ps);
		return;
	}
	unsigned i = store_array(ps, STORE_INT8);
	if (c->create_only)
		store_add_int(ps, i, 0);
	else if (c->only.list == HTTP_ETAG_ANY)
		store_add_int(ps, i, -1);
	for (unsigned v = 0; !c->create_only && v < c->only.count; v++)
		store_add_int(ps, i, c->only.version[v]);
}

void etag_failed(struct http_exchange *x)
{
	api_problem(x, 412, "precondition_failed",
	            "It has changed since the version that If-Match names; read it again.");
}

/* An If-None-Match that cannot be read is passed over: the answer is only longer for it. */
static bool known_already(struct http_exchange *x, int64_t version)
{
	const struct http_request *r = link_http_request(x);
	if (!view_eq(r->method, VIEW("GET")) && !view_eq(r->method, VIEW("HEAD")))
		return false;
	struct http_etags none = http_etag_read(r, "if-none-match", true);
	return http_etag_fits(&none, version);
}

void etag_reply(struct http_exchange *x, int status, int64_t version, struct view body)
{
	char etag[HTTP_ETAG_BYTES], header[HTTP_ETAG_BYTES + 16];
	snprintf(header, sizeof(header), "etag: %s\r\n", http_etag_format(version, etag));
	if (link_http_alive(x) && status == 200 && known_already(x, version))
		link_http_reply(x, 304, NULL, header, (struct view){0});
	else
		link_http_reply(x, status, "application/json", header, body);
}
