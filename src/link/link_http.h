/* The HTTPS server: accepts connections, feeds the pure parser, finds the route, and hands a request to its handler as
 * an exchange. One request of a connection at a time, so pipelined requests are answered in order. */
#ifndef LINK_HTTP_H
#define LINK_HTTP_H

#include "base_pool.h"
#include "http_parser.h"
#include "http_response.h"
#include "net_stream.h"

struct http_server;
struct http_exchange;

typedef void (*http_handler)(void *ctx, struct http_exchange *x);

struct http_route {
	const char *method;
	const char *path; /* "/v1/messages/{id}/cancel": one {} at most, it matches one segment */
	http_handler handler;
	const void *own;    /* the owner's; link does not look at it */
	size_t max_body;    /* octets; 0: LIMIT_HTTP_BODY_BYTES */
	const char *pieces; /* a body of this media type comes in pieces and has no ceiling; NULL: none does */
};

/* Told of every exchange when it is answered, with the answer's status. */
typedef void (*http_answered_cb)(void *ctx, struct http_exchange *x, int status);

struct http_server_config {
	const char *listen;
	struct tls_context *tls; /* NULL: plain */
	const struct http_route *routes;
	unsigned route_count;
	unsigned connections;
	http_answered_cb answered; /* may be NULL */
};

/* NULL and a sentence in error when it cannot listen. */
struct http_server *link_http_new(struct loop *l, const struct http_server_config *config, void *ctx,
                                  struct buf *error);
const char *link_http_address(const struct http_server *s);
void link_http_set_tls(struct http_server *s, struct tls_context *tls);
void link_http_set_connections(struct http_server *s, unsigned connections);
/* Stops listening; requests that were begun are finished, then each connection closes. */
void link_http_drain(struct http_server *s);
unsigned link_http_connections(const struct http_server *s);
/* Requests that have yet to be answered. Their connections may have gone; their owners know of them all the same. */
unsigned link_http_exchanges(const struct http_server *s);
/* After drain, when there are no connections and no exchanges any more. */
void link_http_free(struct http_server *s);

/* False when the connection has gone: then there is no request to look at any more, only an answer to give. */
bool link_http_alive(const struct http_exchange *x);
/* The request; its views live until the exchange is answered or its connection has gone: copy what must stay. */
const struct http_request *link_http_request(const struct http_exchange *x);
/* The {} segment of the path as it was sent (ids need no decoding). */
struct view link_http_param(const struct http_exchange *x);
/* The same, percent-decoded into to (cap octets with the NUL); false when it is too long or badly encoded. */
bool link_http_param_text(const struct http_exchange *x, char *to, size_t cap);
const struct http_route *link_http_route(const struct http_exchange *x);
/* "192.0.2.1:49152"; "" when the connection has gone. */
const char *link_http_peer(const struct http_exchange *x);
/* Whether the client showed a certificate that the listener's authorities vouch for and that is the one meant:
 * "sha256:HEX" of its DER form, or "dns:NAME" of its subjectAltName. "" is fine without one. */
bool link_http_certificate_fits(const struct http_exchange *x, const char *certificate);
/* What the owner wants to find again when the exchange is answered; NULL at first. */
void link_http_set_note(struct http_exchange *x, void *note);
void *link_http_note(const struct http_exchange *x);
struct pool *link_http_pool(struct http_exchange *x);
/* The request's traceparent (W3C Trace Context), made here when it brought none that counts; every answer tells it. */
const char *link_http_trace(const struct http_exchange *x);
/* The same, or a view without octets when it brought none: nobody else knows one that was made here. */
struct view link_http_given_trace(const struct http_exchange *x);
/* Header lines ending in CRLF that the answer gets, whatever it will be; LIMIT_HTTP_ANSWER_HEAD_BYTES of them in all,
 * with the answer's own. */
void link_http_add_head(struct http_exchange *x, const char *lines);

/* --- bodies in pieces ----------------------------------------------------------------------------------------------
 */

/* Who takes a body in pieces. The exchange may be answered in any of these calls, or later. */
struct http_body_ops {
	void (*piece)(void *ctx, struct view octets); /* the view ends with the call */
	void (*end)(void *ctx);                       /* the last piece was given */
	void (*gone)(void *ctx);                      /* there will be no end, and nobody hears the answer */
};
/* Whether its body comes in pieces: then the handler is called behind the head, and nothing of the body is read
 * before... */
bool link_http_streams(const struct http_exchange *x);
/* ... this. piece and end may be called before it returns, and so x may be gone by then. Of a body that is not read to
 * its end the rest is thrown away when the exchange is answered, and the connection closed. */
void link_http_take(struct http_exchange *x, const struct http_body_ops *ops, void *ctx);
/* No piece comes until it is called with false; the client is held back by TCP. Not after the end. While nothing is
 * paused the client must keep LIMIT_HTTP_PROGRESS_BYTES; a pause may last LIMIT_HTTP_ANSWER_MS. */
void link_http_pause(struct http_exchange *x, bool on);

/* Every exchange is answered exactly once by its handler, at once or later; also when the connection has gone. extra:
 * header lines ending in CRLF, or "". */
void link_http_reply(struct http_exchange *x, int status, const char *content_type, const char *extra,
                     struct view body);
void link_http_problem(struct http_exchange *x, int status, const char *code, const char *detail,
                       const struct http_problem_error *errors, unsigned count, const char *extra);

#endif
