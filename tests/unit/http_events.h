/* Turns octets into the parser's events as text, cut as the test likes: for tests that compare cuts, and golden pages.
 */
#ifndef HTTP_EVENTS_H
#define HTTP_EVENTS_H

#include "http_parser.h"

/* Octets as printable text: CR, LF, tab, NUL and backslash as \r \n \t \0 \\, others outside ASCII as \xNN. */
static inline void events_text(struct buf *to, struct view v)
{
	static const char *const named[128] = {
	        ['\r'] = "\\r", ['\n'] = "\\n", ['\t'] = "\\t", ['\\'] = "\\\\", [0] = "\\0"};
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 128 && named[v.p[i]])
			buf_add_str(to, named[v.p[i]]);
		else if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			buf_printf(to, "\\x%02x", v.p[i]);
		else
			buf_add_u8(to, v.p[i]);
	}
}

static inline void events_line(struct buf *to, const char *what, struct view v)
{
	buf_add_str(to, what);
	events_text(to, v);
	buf_add_str(to, "\n");
}

static inline void events_request(struct buf *to, const struct http_request *r)
{
	events_line(to, "method ", r->method);
	events_line(to, "path ", r->path);
	if (r->query.n)
		events_line(to, "query ", r->query);
	for (unsigned i = 0; i < r->headers; i++) {
		buf_add_str(to, "header ");
		events_text(to, r->header[i].name);
		events_line(to, ": ", r->header[i].value);
	}
	if (r->body.n)
		events_line(to, "body ", r->body);
	buf_printf(to, "request 1.%d %s\n", r->minor, r->keep_alive ? "keep-alive" : "close");
}

/* Feeds one piece to its end; false when the parser has refused. */
static inline bool events_feed(struct buf *to, struct http_parser *p, struct view piece)
{
	do {
		size_t used;
		enum http_step step = http_parser_feed(p, piece, &used);
		piece = view_of(piece.p + used, piece.n - used);
		if (step == HTTP_BAD) {
			buf_printf(to, "refused %d %s\n", http_parser_status(p), http_parser_code(p));
			return false;
		}
		if (step == HTTP_CONTINUE)
			buf_add_str(to, "continue\n");
		if (step == HTTP_REQUEST) {
			events_request(to, http_parser_request(p));
			http_parser_next(p);
		}
	} while (piece.n);
	return true;
}

static inline void events_end(struct buf *to, const struct http_parser *p)
{
	if (http_parser_in_head(p))
		buf_add_str(to, "head awaited\n");
	if (http_parser_in_body(p))
		buf_add_str(to, "body awaited\n");
}

/* All events of the octets when they come as [0, cut), then step octets at a time (step 0: the rest at once). Every
 * piece is a malloc'd copy of its own, so that the sanitizer sees a read into a piece that is gone. */
static inline void events_of(struct buf *to, struct view octets, size_t max_body, size_t cut, size_t step)
{
	struct http_parser *p = http_parser_new(max_body);
	bool going = true;
	size_t n = cut;
	for (size_t at = 0; at < octets.n && going; at += n, n = step) {
		if (n == 0 || n > octets.n - at)
			n = octets.n - at;
		struct buf piece = BUF(n);
		buf_add(&piece, octets.p + at, n);
		going = events_feed(to, p, buf_view(&piece));
		buf_free(&piece);
		if (step == 0)
			step = octets.n;
	}
	if (going)
		events_end(to, p);
	http_parser_free(p);
}

#endif
