#include "http_request.h"

#include <string.h>

struct view http_request_header(const struct http_request *r, const char *name)
{
	struct view wanted = view_str(name);
	for (unsigned i = 0; i < r->headers; i++)
		if (view_eq_nocase(r->header[i].name, wanted))
			return r->header[i].value;
	return (struct view){0};
}

unsigned http_request_header_count(const struct http_request *r, const char *name)
{
	struct view wanted = view_str(name);
	unsigned n = 0;
	for (unsigned i = 0; i < r->headers; i++)
		n += view_eq_nocase(r->header[i].name, wanted);
	return n;
}

/* Takes the text up to the separator off the front of rest. */
static struct view next_piece(struct view *rest, char separator)
{
	const uint8_t *end = memchr(rest->p, separator, rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	size_t taken = end ? n + 1 : n;
	struct view piece = view_of(rest->p, n);
	*rest = view_of(rest->p + taken, rest->n - taken);
	return piece;
}

bool http_request_list_has(const struct http_request *r, const char *name, const char *token)
{
	struct view wanted_name = view_str(name);
	struct view wanted = view_str(token);
	for (unsigned i = 0; i < r->headers; i++) {
		if (!view_eq_nocase(r->header[i].name, wanted_name))
			continue;
		struct view rest = r->header[i].value;
		while (rest.n)
			if (view_eq_nocase(view_trim(next_piece(&rest, ',')), wanted))
				return true;
	}
	return false;
}

bool http_percent_decode(struct view text, char *to, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		if (c == '%') {
			if (text.n - i < 3 || !hex_decode(view_of(text.p + i + 1, 2), &c, 1) || c == 0)
				return false;
			i += 2;
		}
		if (n + 1 >= cap)
			return false;
		to[n++] = (char)c;
	}
	to[n] = 0;
	return true;
}

bool http_query_get(struct view query, const char *key, char *to, size_t cap)
{
	struct view wanted = view_str(key);
	if (cap == 0)
		return false;
	while (query.n) {
		struct view value = next_piece(&query, '&');
		if (value.n && view_eq(next_piece(&value, '='), wanted)) {
			if (http_percent_decode(value, to, cap))
				return true;
			break;
		}
	}
	to[0] = 0;
	return false;
}

bool http_query_has(struct view query, const char *key)
{
	while (query.n) {
		struct view piece = next_piece(&query, '&');
		if (piece.n && view_eq(next_piece(&piece, '='), view_str(key)))
			return true;
	}
	return false;
}
