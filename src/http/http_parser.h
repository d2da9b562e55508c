/* HTTP/1.0 and 1.1 requests without I/O (RFC 9112): feed octets, take requests. The head is buffered and checked before
 * llhttp (strict) sees it, because llhttp 8.1 accepts folded lines and more: see http_guard.h. One request at a time:
 * after HTTP_REQUEST the parser eats nothing until http_parser_next, so pipelined requests are answered in order. */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include "base_bytes.h"
#include "base_limits.h"

struct http_header {
	struct view name;  /* as sent */
	struct view value; /* trimmed */
};

struct http_request {
	struct view method;
	struct view target;  /* as sent */
	struct view path;    /* target up to "?" */
	struct view query;   /* after "?", may be empty */
	struct http_header header[LIMIT_HTTP_HEADERS];
	unsigned headers;
	struct view body;    /* de-chunked */
	bool keep_alive;
	int minor;           /* HTTP/1.minor */
};

/* First header of that name (ASCII case-insensitive); empty view with p NULL when there is none. */
struct view http_request_header(const struct http_request *r, const char *name);
/* How many headers of that name. */
unsigned http_request_header_count(const struct http_request *r, const char *name);
/* The value of key in the query, percent-decoded into to; false when absent, too long or badly encoded. */
bool http_query_get(struct view query, const char *key, char *to, size_t cap);

enum http_step {
	HTTP_MORE,     /* feed more */
	HTTP_REQUEST,  /* http_parser_request is complete, views live until http_parser_next */
	HTTP_CONTINUE, /* head complete with Expect: 100-continue and body still to come: told once; then feed on */
	HTTP_BAD,      /* refuse with http_parser_status and close */
};

struct http_parser;

struct http_parser *http_parser_new(size_t max_body);
void http_parser_free(struct http_parser *p);
/* Takes octets; *used_r says how many (the rest belongs to the next request: feed it again after http_parser_next). */
enum http_step http_parser_feed(struct http_parser *p, struct view octets, size_t *used_r);
const struct http_request *http_parser_request(const struct http_parser *p);
/* Forgets the finished request and makes ready for the next. */
void http_parser_next(struct http_parser *p);
/* HTTP status to refuse with (400 413 414 417 431 501 505) and why: a stable code, "bad_request_line", "host_missing", ... */
int http_parser_status(const struct http_parser *p);
const char *http_parser_code(const struct http_parser *p);
/* True while a head has begun and is not complete / a body is awaited: for the caller's timers. */
bool http_parser_in_head(const struct http_parser *p);
bool http_parser_in_body(const struct http_parser *p);

#endif
