/* HTTP/1.0 and 1.1 requests without I/O (RFC 9112): feed octets, take requests. The head is buffered and checked before
 * llhttp (strict) sees it, because llhttp 8.1 accepts folded lines and more: see http_guard.h. One request at a time:
 * after HTTP_REQUEST the parser eats nothing until http_parser_next, so pipelined requests are answered in order. */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include "base_bytes.h"
#include "http_request.h"

enum http_step {
	HTTP_MORE,     /* feed more */
	HTTP_REQUEST,  /* http_parser_request is complete, views live until http_parser_next */
	HTTP_CONTINUE, /* head complete with Expect: 100-continue and body still to come: told once; then feed on */
	HTTP_STREAM,   /* head complete, and its body is to come in pieces: told once */
	HTTP_BAD,      /* refuse with http_parser_status and close; eats everything from now on */
};

struct http_parser;

/* How the body of a request is to come. */
struct http_plan {
	uint64_t max; /* octets after de-chunking; more are refused with 413, by Content-Length before any is read */
	bool pieces;  /* not collected: HTTP_STREAM, then http_parser_piece after each feed, HTTP_REQUEST at its end */
};
/* Asked when a head is complete; r has everything but its body. */
typedef struct http_plan (*http_plan_cb)(void *ctx, const struct http_request *r);

/* max_body: octets of a body after de-chunking; more are refused with 413, by Content-Length before any is read. */
struct http_parser *http_parser_new(size_t max_body);
void http_parser_free(struct http_parser *p);
/* Without it every body is collected, up to max_body. */
void http_parser_set_plan(struct http_parser *p, http_plan_cb plan, void *ctx);
/* Takes octets; *used_r says how many (the rest belongs to the next request: feed it again after http_parser_next). */
enum http_step http_parser_feed(struct http_parser *p, struct view octets, size_t *used_r);
/* The octets of a body in pieces that were fed and not dropped; at most LIMIT_HTTP_PIECE_BYTES: past that no more are
 * eaten. Dropping ends the view. */
struct view http_parser_piece(const struct http_parser *p);
void http_parser_drop(struct http_parser *p);
/* After HTTP_STREAM: the client waits for 100 Continue. */
bool http_parser_wants_continue(const struct http_parser *p);
/* A request is complete: http_parser_next may be called. */
bool http_parser_done(const struct http_parser *p);
/* Only after HTTP_REQUEST or HTTP_STREAM. */
const struct http_request *http_parser_request(const struct http_parser *p);
/* Forgets the finished request and makes ready for the next. */
void http_parser_next(struct http_parser *p);
/* HTTP status to refuse with (400 413 414 417 431 501 505) and why: a stable code, one of http_guard_check's or
 * http_chunk_check's, or "bad_target", "unknown_method", "body_too_large", "target_too_long", "head_too_large",
 * "too_many_headers", "bad_expect", "bad_request". 0 and "" before HTTP_BAD. */
int http_parser_status(const struct http_parser *p);
const char *http_parser_code(const struct http_parser *p);
/* True while a head has begun and is not complete / a body is awaited: for the caller's timers. */
bool http_parser_in_head(const struct http_parser *p);
bool http_parser_in_body(const struct http_parser *p);

#endif
