#include "http_etag.h"

#include "base_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *http_etag_format(int64_t version, char to[HTTP_ETAG_BYTES])
{
	check(version > 0);
	snprintf(to, HTTP_ETAG_BYTES, "\"%" PRId64 "\"", version);
	return to;
}

/* A version as http_etag_format writes it, between the quotes; 0 for every other text. */
static int64_t version_of(struct view text)
{
	int64_t version = 0;
	if (text.n == 0 || text.n > 18 || text.p[0] == '0')
		return 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return 0;
		version = version * 10 + (text.p[i] - '0');
	}
	return version;
}

static void skip_blank(struct view *rest)
{
	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = view_of(rest->p + 1, rest->n - 1);
}

/* Takes one tag off the front of rest; false when there is none. Inside the quotes a tag may hold commas. */
static bool take_tag(struct view *rest, struct view *text_r, bool *weak_r)
{
	*weak_r = rest->n >= 2 && rest->p[0] == 'W' && rest->p[1] == '/';
	if (*weak_r)
		*rest = view_of(rest->p + 2, rest->n - 2);
	if (rest->n < 2 || rest->p[0] != '"')
		return false;
	const uint8_t *end = memchr(rest->p + 1, '"', rest->n - 1);
	if (!end)
		return false;
	*text_r = view_of(rest->p + 1, (size_t)(end - rest->p - 1));
	for (size_t i = 0; i < text_r->n; i++)
		if (text_r->p[i] <= 0x20 || text_r->p[i] == 0x7f)
			return false;
	*rest = view_of(end + 1, rest->n - text_r->n - 2);
	return true;
}

/* One header line: tags between commas, of which empty ones are passed over (RFC 9110 section 5.6.1.2). */
static bool take_line(struct http_etags *e, struct view rest, bool weak_fits, unsigned *tags)
{
	struct view text;
	bool weak;
	for (skip_blank(&rest); rest.n; skip_blank(&rest)) {
		if (rest.p[0] != ',') {
			if (!take_tag(&rest, &text, &weak) || ++*tags > LIMIT_HTTP_ETAGS)
				return false;
			int64_t version = weak && !weak_fits ? 0 : version_of(text);
			if (version)
				e->version[e->count++] = version;
			skip_blank(&rest);
			if (rest.n && rest.p[0] != ',')
				return false;
		}
		if (rest.n)
			rest = view_of(rest.p + 1, rest.n - 1);
	}
	return true;
}

struct http_etags http_etag_read(const struct http_request *r, const char *name, bool weak_fits)
{
	struct http_etags e = {.list = HTTP_ETAG_ABSENT};
	unsigned lines = http_request_header_count(r, name), tags = 0;
	if (lines == 0)
		return e;
	if (lines == 1 && view_eq(http_request_header(r, name), VIEW("*"))) {
		e.list = HTTP_ETAG_ANY;
		return e;
	}
	bool ok = true;
	for (unsigned i = 0; ok && i < r->headers; i++)
		if (view_eq_nocase(r->header[i].name, view_str(name)))
			ok = take_line(&e, r->header[i].value, weak_fits, &tags);
	e.list = ok && tags ? HTTP_ETAG_SOME : HTTP_ETAG_BAD;
	return e;
}

bool http_etag_fits(const struct http_etags *e, int64_t version)
{
	if (e->list == HTTP_ETAG_ANY)
		return version > 0;
	for (unsigned i = 0; e->list == HTTP_ETAG_SOME && i < e->count; i++)
		if (e->version[i] == version)
			return true;
	return false;
}
