/* A connection: stream -> parser -> exchange -> response -> stream. While an exchange is open the connection's further
 * octets wait in `ahead`, and when that is full reading stops: a client cannot make us hold more. */
#include "link_http.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_log.h"
#include "base_metric.h"
#include "base_uuid.h"
#include "http_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_BYTES (LIMIT_HTTP_HEAD_BYTES + LIMIT_HTTP_BODY_BYTES)

struct http_connection;

struct http_exchange {
	struct http_server *server;
	struct http_connection *connection; /* NULL once it has gone or was answered for us */
	const struct http_route *route;
	struct view param;
	struct pool pool;
	void *note;
	int64_t began_ms;
	char trace[HTTP_TRACE_BYTES];
	bool traced;                     /* by the client: it was not made here */
	struct buf head;                 /* header lines that the answer gets whatever it is */
	const struct http_body_ops *ops; /* takes its body in pieces */
	void *body_ctx;
	bool streams;
	bool paused;
	bool ended; /* the last piece was given */
};

struct http_connection {
	struct http_server *server;
	struct http_connection *next;
	struct http_connection **link;
	struct stream *stream;
	struct http_parser *parser;
	struct http_exchange *open;
	struct net_timer *timer;
	struct buf ahead; /* octets behind the request that is being answered */
	struct buf out;
	size_t progress;     /* octets of this span of a body in pieces */
	int64_t span_end_ms; /* of it; while paused: what is left of it */
	unsigned requests;
	bool last;    /* close after this answer */
	bool large;   /* it has one of the places for large bodies */
	bool crowded; /* it would need one */
	bool cut_off; /* which came before the end of the body: the rest is thrown away for a while */
	bool shaken;  /* TLS handshake done */
	bool feeding;
};

struct http_server {
	struct loop *loop;
	struct listener *listener;
	struct http_server_config config;
	void *ctx;
	struct http_connection *connections;
	unsigned count;
	unsigned exchanges; /* that have yet to be answered, if only for the record: their connections may have gone */
	unsigned large;     /* bodies past LIMIT_HTTP_BODY_BYTES that are collected */
	bool draining;
	char address[64];
};

static void count_connections(struct http_server *s, int by)
{
	s->count = (unsigned)((int)s->count + by);
	metric_add(METRIC_http_connections, by, NO_LABELS); /* of all servers together */
}

/* Whether pieces of an open request's body are being read. */
static bool streaming(const struct http_connection *c)
{
	return c->open && c->open->ops && !c->open->paused && !c->open->ended;
}

static int64_t left_of_span(const struct http_connection *c)
{
	int64_t left_ms = c->span_end_ms - net_loop_now_ms(c->server->loop);
	return left_ms > 0 ? left_ms : 0;
}

/* Whether the parser may be fed. */
static bool eats(const struct http_connection *c)
{
	return c->open ? streaming(c) : !c->last;
}

/* Which wait the connection is in decides which timer runs; every one ends in a close. */
static void arm_timer(struct http_connection *c)
{
	if (streaming(c))
		net_timer_start(c->timer, left_of_span(c));
	else if (c->open)
		net_timer_start(c->timer, LIMIT_HTTP_ANSWER_MS);
	else if (!c->shaken)
		net_timer_start(c->timer, LIMIT_HTTP_HANDSHAKE_MS);
	else if (http_parser_in_body(c->parser))
		net_timer_start(c->timer, LIMIT_HTTP_BODY_MS);
	else if (http_parser_in_head(c->parser))
		net_timer_start(c->timer, LIMIT_HTTP_HEAD_MS);
	else
		net_timer_start(c->timer, LIMIT_HTTP_IDLE_MS);
}

static void respond(struct http_connection *c, int status, const char *type, const char *extra, struct view body,
                    bool head_only)
{
	buf_clear(&c->out);
	http_response_write(&c->out, status, type, extra, body, !c->last, head_only);
	net_stream_write(c->stream, buf_view(&c->out));
	if (c->last && c->cut_off) {
		net_timer_start(c->timer, LIMIT_HTTP_LINGER_MS);
		net_stream_read(c->stream, true);
	} else if (c->last) {
		net_stream_close_flushed(c->stream, "answered");
	}
}

static void respond_problem(struct http_connection *c, int status, const char *code, const char *detail,
                            const char *extra)
{
	struct buf body = BUF(2048);
	http_problem_write(&body, status, code, detail, NULL, 0);
	metric_add(METRIC_problems_total, 1, LABELS(code));
	respond(c, status, "application/problem+json", extra, buf_view(&body), false);
	buf_free(&body);
}

/* Matches pattern against path; the {} segment goes to *param_r. */
static bool path_matches(const char *pattern, struct view path, struct view *param_r)
{
	size_t at = 0;
	for (; *pattern; pattern++) {
		if (*pattern != '{') {
			if (at >= path.n || path.p[at++] != (uint8_t)*pattern)
				return false;
			continue;
		}
		size_t from = at;
		while (at < path.n && path.p[at] != '/')
			at++;
		*param_r = view_of(path.p + from, at - from);
		if (at == from)
			return false;
		pattern = strchr(pattern, '}');
	}
	return at == path.n;
}

static const struct http_route *find_route(const struct http_server *s, const struct http_request *r,
                                           struct view *param_r, struct buf *allow)
{
	bool head = view_eq(r->method, VIEW("HEAD"));
	for (unsigned i = 0; i < s->config.route_count; i++) {
		const struct http_route *route = &s->config.routes[i];
		if (!path_matches(route->path, r->path, param_r))
			continue;
		if (view_eq(r->method, view_str(route->method)) || (head && strcmp(route->method, "GET") == 0))
			return route;
		buf_printf(allow, "%s%s", allow->n ? ", " : "", route->method);
	}
	return NULL;
}

static void no_route(struct http_connection *c, struct buf *allow)
{
	struct buf extra = BUF(256);
	if (allow->n) {
		buf_printf(&extra, "allow: %s\r\n", buf_cstr(allow));
		respond_problem(c, 405, "method_not_allowed", "This address does not take that method.",
		                buf_cstr(&extra));
	} else {
		respond_problem(c, 404, "not_found", "There is nothing at this address.", "");
	}
	metric_add(METRIC_http_requests_total, 1, LABELS("-", "none", allow->n ? "405" : "404"));
	buf_free(&extra);
}

/* The caller's traceparent; one of our own when there is none that counts. */
static void take_trace(struct http_exchange *x, const struct http_request *r)
{
	uint8_t random[24];
	x->traced = http_request_header_count(r, "traceparent") == 1 &&
	            http_trace_parse(http_request_header(r, "traceparent"), x->trace);
	if (x->traced)
		return;
	random_bytes(random, sizeof(random));
	http_trace_make(random, x->trace);
}

/* The part of a media type before its parameters. */
static bool type_is(struct view value, const char *type)
{
	const uint8_t *semicolon = value.n ? memchr(value.p, ';', value.n) : NULL;
	if (semicolon)
		value = view_trim(view_of(value.p, (size_t)(semicolon - value.p)));
	return view_eq_nocase(value, view_str(type));
}

static struct http_plan plan_of(const struct http_route *route, const struct http_request *r)
{
	struct view type = http_request_header(r, "content-type");
	if (route && route->pieces && type_is(type, route->pieces))
		return (struct http_plan){.max = INT64_MAX, .pieces = true};
	return (struct http_plan){.max = route && route->max_body ? route->max_body : LIMIT_HTTP_BODY_BYTES};
}

static void set_large(struct http_connection *c, bool large)
{
	c->server->large = c->server->large + large - c->large;
	c->large = large;
}

static bool says_small(const struct http_request *r)
{
	uint64_t length;
	struct view said = http_request_header(r, "content-length");
	return said.p ? parse_u64(said, LIMIT_HTTP_BODY_BYTES, &length)
	              : !http_request_header_count(r, "transfer-encoding");
}

/* A body is collected before the request's key is looked at: strangers must not fill the memory with large ones. */
static struct http_plan plan_cb(void *ctx, const struct http_request *r)
{
	struct http_connection *c = ctx;
	struct buf allow = BUF(128);
	struct view param;
	const struct http_route *route = find_route(c->server, r, &param, &allow);
	struct http_plan plan = plan_of(route, r);
	buf_free(&allow);
	if (plan.pieces || plan.max <= LIMIT_HTTP_BODY_BYTES || says_small(r))
		return plan;
	c->crowded = c->server->large >= LIMIT_HTTP_LARGE_BODIES;
	set_large(c, !c->crowded);
	if (c->crowded)
		plan.max = LIMIT_HTTP_BODY_BYTES;
	return plan;
}

/* The request is over. */
static void next_request(struct http_connection *c)
{
	set_large(c, false);
	c->crowded = false;
	http_parser_next(c->parser);
}

static void dispatch_request(struct http_connection *c)
{
	const struct http_request *r = http_parser_request(c->parser);
	struct http_server *s = c->server;
	struct view param = {0};
	struct buf allow = BUF(128);
	c->requests++;
	if (!r->keep_alive || s->draining || c->requests >= LIMIT_HTTP_REQUESTS)
		c->last = true;
	const struct http_route *route = find_route(s, r, &param, &allow);
	if (!route) {
		no_route(c, &allow);
		buf_free(&allow);
		next_request(c);
		return;
	}
	buf_free(&allow);
	struct http_exchange *x = mem_alloc(sizeof(*x));
	s->exchanges++;
	*x = (struct http_exchange){.server = s,
	                            .connection = c,
	                            .route = route,
	                            .param = param,
	                            .began_ms = net_loop_now_ms(s->loop),
	                            .streams = plan_of(route, r).pieces};
	x->head = BUF(LIMIT_HTTP_ANSWER_HEAD_BYTES);
	take_trace(x, r);
	c->open = x;
	arm_timer(c);
	route->handler(s->ctx, x);
}

static void refuse(struct http_connection *c)
{
	const char *code = http_parser_code(c->parser);
	c->last = true;
	c->cut_off = c->cut_off || http_parser_status(c->parser) == 413;
	bool busy = c->crowded && http_parser_status(c->parser) == 413;
	metric_add(METRIC_http_refused_total, 1, LABELS(busy ? "busy" : code));
	if (busy)
		respond_problem(c, 503, "busy", "Too many large requests are being read; try again.",
		                "retry-after: 1\r\n");
	else
		respond_problem(c, http_parser_status(c->parser), code, "The request is not well-formed HTTP/1.1.", "");
}

/* Ends an exchange that its handler has not answered: that will answer into nothing. */
static void detach(struct http_connection *c)
{
	struct http_exchange *x = c->open;
	bool tell = x->ops && !x->ended;
	x->connection = NULL;
	c->open = NULL;
	c->last = true;
	c->cut_off = tell;
	if (tell)
		x->ops->gone(x->body_ctx);
}

/* What the parser made of octets of an open request's body. */
static void body_step(struct http_connection *c, enum http_step step)
{
	struct http_exchange *x = c->open;
	struct view piece = http_parser_piece(c->parser);
	if (step == HTTP_BAD) {
		detach(c);
		refuse(c);
		return;
	}
	if (piece.n)
		x->ops->piece(x->body_ctx, piece);
	if (c->open != x)
		return; /* answered */
	http_parser_drop(c->parser);
	if (step != HTTP_REQUEST)
		return;
	x->ended = true;
	arm_timer(c);
	x->ops->end(x->body_ctx);
}

/* Feeds octets until a request is open, they are used up, or the connection is to end. Returns what was used. */
static size_t feed(struct http_connection *c, struct view octets)
{
	size_t used = 0;
	while (used < octets.n && eats(c)) {
		size_t n = 0;
		bool body = c->open != NULL;
		enum http_step step = http_parser_feed(c->parser, view_of(octets.p + used, octets.n - used), &n);
		used += n;
		if (body)
			body_step(c, step);
		else if (step == HTTP_BAD)
			refuse(c);
		else if (step == HTTP_CONTINUE)
			net_stream_write(c->stream, VIEW("HTTP/1.1 100 Continue\r\n\r\n"));
		else if (step == HTTP_REQUEST || step == HTTP_STREAM)
			dispatch_request(c);
		else if (n == 0)
			break;
	}
	return used;
}

static void feed_ahead(struct http_connection *c)
{
	if (c->feeding)
		return;
	c->feeding = true;
	while (c->ahead.n && eats(c)) {
		/* A handler that answers at once ends its exchange inside feed; the views point into the parser, not
		 * here. */
		size_t used = feed(c, buf_view(&c->ahead));
		if (used == 0)
			break;
		buf_drop(&c->ahead, used);
	}
	c->feeding = false;
	if (c->last && !c->open)
		return;
	net_stream_read(c->stream, eats(c));
	arm_timer(c);
}

static void octets_cb(void *ctx, struct view octets)
{
	struct http_connection *c = ctx;
	bool was_in_head = http_parser_in_head(c->parser);
	bool was_in_body = http_parser_in_body(c->parser);
	unsigned requests = c->requests;
	if (c->last && !(c->open && c->open->streams && !c->open->ended))
		return; /* what comes behind the last request is nobody's */
	size_t used = 0;
	c->progress += octets.n;
	if (eats(c) && c->ahead.n == 0) {
		c->feeding = true;
		used = feed(c, octets);
		c->feeding = false;
	}
	if (c->last && !c->open)
		return;
	buf_add(&c->ahead, octets.p + used, octets.n - used);
	if (c->ahead.full) {
		net_stream_close(c->stream, "pipelined_too_much");
		return;
	}
	if (!eats(c))
		net_stream_read(c->stream, false);
	else if (c->ahead.n)
		feed_ahead(c);
	/* A slow sender does not get more time by sending one more octet. */
	bool same = c->requests == requests && ((was_in_head && http_parser_in_head(c->parser)) ||
	                                        (was_in_body && http_parser_in_body(c->parser)));
	if (!c->open && !c->last && !same)
		arm_timer(c);
}

static void opened_cb(void *ctx)
{
	struct http_connection *c = ctx;
	c->shaken = true;
	arm_timer(c);
}

static void closed_cb(void *ctx, const char *reason)
{
	struct http_connection *c = ctx;
	log_event(LOG_DEBUG, "http_closed", LOG_TEXT(reason, reason));
	if (c->open)
		detach(c); /* its handler answers into nothing and frees it */
	set_large(c, false);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	count_connections(c->server, -1);
	net_timer_free(c->timer);
	http_parser_free(c->parser);
	buf_free(&c->ahead);
	buf_free(&c->out);
	free(c);
}

static const struct stream_ops connection_ops = {.opened = opened_cb, .octets = octets_cb, .closed = closed_cb};

static void begin_span(struct http_connection *c)
{
	c->progress = 0;
	c->span_end_ms = net_loop_now_ms(c->server->loop) + LIMIT_HTTP_PROGRESS_MS;
}

static void too_late(struct http_connection *c)
{
	c->last = true;
	metric_add(METRIC_http_refused_total, 1, LABELS("request_timeout"));
	respond_problem(c, 408, "request_timeout", "The request did not arrive in time.", "");
	net_timer_start(c->timer, LIMIT_HTTP_HEAD_MS);
}

static void timeout_cb(void *ctx)
{
	struct http_connection *c = ctx;
	bool waiting = http_parser_in_head(c->parser) || http_parser_in_body(c->parser);
	if (streaming(c) && c->progress >= LIMIT_HTTP_PROGRESS_BYTES) {
		begin_span(c);
		arm_timer(c);
	} else if (streaming(c)) {
		detach(c);
		too_late(c);
	} else if (c->open) {
		detach(c);
		respond_problem(c, 503, "no_answer_in_time", "The gateway could not answer in time; try again.",
		                "retry-after: 1\r\n");
	} else if (waiting && !c->last) {
		too_late(c);
	} else {
		net_stream_close(c->stream, "idle");
	}
}

static void accept_cb(void *ctx, struct listener *from)
{
	struct http_server *s = ctx;
	if (s->count >= s->config.connections) {
		metric_add(METRIC_http_refused_total, 1, LABELS("too_many_connections"));
		return;
	}
	struct http_connection *c = mem_alloc(sizeof(*c));
	*c = (struct http_connection){.server = s, .ahead = BUF(AHEAD_BYTES), .out = BUF(LIMIT_STREAM_OUT_BYTES)};
	c->parser = http_parser_new(LIMIT_HTTP_BODY_BYTES);
	http_parser_set_plan(c->parser, plan_cb, c);
	c->timer = net_timer_new(s->loop, timeout_cb, c);
	c->next = s->connections;
	if (c->next)
		c->next->link = &c->next;
	c->link = &s->connections;
	s->connections = c;
	count_connections(s, 1);
	c->stream = net_stream_accept(from, &connection_ops, c);
	arm_timer(c);
}

static void exchange_free(struct http_exchange *x)
{
	x->server->exchanges--;
	buf_free(&x->head);
	pool_free(&x->pool);
	free(x);
}

static void count_request(const struct http_exchange *x, int status)
{
	char code[4] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10), 0};
	metric_add(METRIC_http_requests_total, 1, LABELS(x->route->method, x->route->path, code));
	metric_observe(METRIC_http_request_duration_seconds,
	               (double)(net_loop_now_ms(x->server->loop) - x->began_ms) / 1000.0, LABELS(x->route->path));
}

static void log_answer(const struct http_exchange *x, int status)
{
	char code[12];
	const char *number = code, *trace = x->trace;
	snprintf(code, sizeof(code), "%d", status);
	log_event(LOG_DEBUG, "http_answered", LOG_TEXT(command, x->route->path), LOG_TEXT(status, number),
	          LOG_TEXT(trace, trace));
}

void link_http_reply(struct http_exchange *x, int status, const char *content_type, const char *extra, struct view body)
{
	struct http_connection *c = x->connection;
	count_request(x, status);
	log_answer(x, status);
	if (x->server->config.answered)
		x->server->config.answered(x->server->ctx, x, status);
	if (c) {
		bool head_only = view_eq(http_parser_request(c->parser)->method, VIEW("HEAD"));
		bool whole = http_parser_done(c->parser);
		c->open = NULL;
		c->cut_off = !whole;
		c->last = c->last || c->cut_off;
		buf_printf(&x->head, "traceparent: %s\r\n%s", x->trace, extra);
		check(!x->head.full);
		respond(c, status, content_type, buf_cstr(&x->head), body, head_only);
		if (whole)
			next_request(c);
		feed_ahead(c);
	}
	exchange_free(x);
}

void link_http_problem(struct http_exchange *x, int status, const char *code, const char *detail,
                       const struct http_problem_error *errors, unsigned count, const char *extra)
{
	struct buf body = BUF(16384);
	http_problem_write(&body, status, code, detail, errors, count);
	metric_add(METRIC_problems_total, 1, LABELS(code));
	link_http_reply(x, status, "application/problem+json", extra, buf_view(&body));
	buf_free(&body);
}

bool link_http_alive(const struct http_exchange *x)
{
	return x->connection != NULL;
}

const struct http_request *link_http_request(const struct http_exchange *x)
{
	check(x->connection);
	return http_parser_request(x->connection->parser);
}

struct view link_http_param(const struct http_exchange *x)
{
	return x->param;
}

bool link_http_param_text(const struct http_exchange *x, char *to, size_t cap)
{
	return http_percent_decode(x->param, to, cap);
}

const struct http_route *link_http_route(const struct http_exchange *x)
{
	return x->route;
}

const char *link_http_peer(const struct http_exchange *x)
{
	return x->connection ? net_stream_peer(x->connection->stream) : "";
}

bool link_http_certificate_fits(const struct http_exchange *x, const char *certificate)
{
	uint8_t meant[STREAM_FINGERPRINT_BYTES], shown[STREAM_FINGERPRINT_BYTES];
	if (!*certificate)
		return true;
	if (!x->connection)
		return false;
	const struct stream *s = x->connection->stream;
	if (strncmp(certificate, "dns:", 4) == 0)
		return net_stream_peer_name_matches(s, certificate + 4);
	return strncmp(certificate, "sha256:", 7) == 0 && hex_decode(view_str(certificate + 7), meant, sizeof(meant)) &&
	       net_stream_peer_fingerprint(s, shown) && memcmp(meant, shown, sizeof(meant)) == 0;
}

void link_http_set_note(struct http_exchange *x, void *note)
{
	x->note = note;
}

void *link_http_note(const struct http_exchange *x)
{
	return x->note;
}

const char *link_http_trace(const struct http_exchange *x)
{
	return x->trace;
}

struct view link_http_given_trace(const struct http_exchange *x)
{
	return x->traced ? view_str(x->trace) : (struct view){0};
}

void link_http_add_head(struct http_exchange *x, const char *lines)
{
	buf_add_str(&x->head, lines);
}

struct pool *link_http_pool(struct http_exchange *x)
{
	return &x->pool;
}

bool link_http_streams(const struct http_exchange *x)
{
	return x->streams;
}

void link_http_take(struct http_exchange *x, const struct http_body_ops *ops, void *ctx)
{
	struct http_connection *c = x->connection;
	check(x->streams && !x->ops);
	x->ops = ops;
	x->body_ctx = ctx;
	if (!c) {
		ops->gone(ctx);
		return;
	}
	if (http_parser_done(c->parser)) { /* an empty one */
		x->ended = true;
		ops->end(ctx);
		return;
	}
	if (http_parser_wants_continue(c->parser))
		net_stream_write(c->stream, VIEW("HTTP/1.1 100 Continue\r\n\r\n"));
	begin_span(c);
	arm_timer(c);
	feed_ahead(c);
}

void link_http_pause(struct http_exchange *x, bool on)
{
	struct http_connection *c = x->connection;
	if (!c || x->ended || x->paused == on)
		return;
	int64_t now_ms = net_loop_now_ms(c->server->loop);
	x->paused = on;
	c->span_end_ms += on ? -now_ms : now_ms; /* a pause is not the client's time */
	arm_timer(c);
	if (!on)
		feed_ahead(c);
}

struct http_server *link_http_new(struct loop *l, const struct http_server_config *config, void *ctx, struct buf *error)
{
	struct http_server *s = mem_alloc(sizeof(*s));
	*s = (struct http_server){.loop = l, .config = *config, .ctx = ctx};
	s->listener = net_listen(l, config->listen, config->tls, accept_cb, s, error);
	if (!s->listener) {
		free(s);
		return NULL;
	}
	copy_str(s->address, sizeof(s->address), net_listener_address(s->listener));
	return s;
}

const char *link_http_address(const struct http_server *s)
{
	return s->address;
}

void link_http_set_tls(struct http_server *s, struct tls_context *tls)
{
	if (s->listener)
		net_listener_set_tls(s->listener, tls);
}

void link_http_set_connections(struct http_server *s, unsigned connections)
{
	s->config.connections = connections;
}

void link_http_drain(struct http_server *s)
{
	s->draining = true;
	net_listener_free(s->listener);
	s->listener = NULL;
	for (struct http_connection *c = s->connections, *next; c; c = next) {
		next = c->next;
		if (c->open && c->open->ops && !c->open->ended) {
			detach(c);
			respond_problem(c, 503, "draining", "The gateway is being stopped; send it again.",
			                "retry-after: 1\r\n");
		} else if (!c->open && !http_parser_in_head(c->parser) && !http_parser_in_body(c->parser)) {
			net_stream_close_flushed(c->stream, "draining");
		}
	}
}

unsigned link_http_connections(const struct http_server *s)
{
	return s->count;
}

unsigned link_http_exchanges(const struct http_server *s)
{
	return s->exchanges;
}

void link_http_free(struct http_server *s)
{
	check(s->count == 0 && s->exchanges == 0);
	net_listener_free(s->listener);
	free(s);
}
