/* llhttp behind a small door: the one file that sees llhttp.h. It is fed a checked head in one piece, then the body. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "http_request.h"

enum http_wire_step {
	HTTP_WIRE_MORE,    /* head done, body awaited */
	HTTP_WIRE_DONE,    /* message complete */
	HTTP_WIRE_METHOD,  /* refused: a method it does not know */
	HTTP_WIRE_HEADERS, /* refused: more than LIMIT_HTTP_HEADERS */
	HTTP_WIRE_BODY,    /* refused: the body buffer is full */
	HTTP_WIRE_BAD,     /* refused: anything else */
};

struct http_wire;

/* Fills request (method, target, headers, minor) and appends to body; both outlive the wire. */
struct http_wire *http_wire_new(struct http_request *request, struct buf *body);
void http_wire_free(struct http_wire *w);
/* Ready for the next head. */
void http_wire_reset(struct http_wire *w);
/* The whole head in one piece: the request's views point into it. MORE or DONE come at exactly its end. */
enum http_wire_step http_wire_head(struct http_wire *w, struct view head);
/* Octets of the body as on the wire. *used_r: those that belong to this message. */
enum http_wire_step http_wire_body(struct http_wire *w, struct view octets, size_t *used_r);

#endif
