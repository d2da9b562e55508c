#include "http_parser.h"

#include "base_check.h"
#include "base_pool.h"
#include "http_chunk.h"
#include "http_guard.h"
#include "http_wire.h"

#include <stdlib.h>
#include <string.h>

/* A larger buffer is given back after its request, or two thousand idle connections would keep 160 MB. */
#define KEEP_BYTES 8192

enum state {
	HEAD,
	BODY,
	DONE,
	BAD,
};

struct http_parser {
	enum state state;
	struct buf head;
	struct buf body;
	size_t max_body;
	size_t line_start; /* of the head's line being read */
	bool skipped;      /* the one empty line before the request line */
	bool chunked;
	bool tell_continue;
	struct http_plan plan;
	http_plan_cb plan_cb;
	void *plan_ctx;
	struct http_chunk chunk;
	struct http_wire *wire;
	struct http_request request;
	int status;
	const char *code;
};

static const struct {
	const char *code;
	int status;
} statuses[] = {
        {"bad_version", 505},    {"unknown_method", 501},   {"body_too_large", 413},    {"target_too_long", 414},
        {"head_too_large", 431}, {"too_many_headers", 431}, {"trailer_too_large", 431}, {"bad_expect", 417},
};

static const char *const wire_code[] = {
        [HTTP_WIRE_METHOD] = "unknown_method",
        [HTTP_WIRE_HEADERS] = "too_many_headers",
        [HTTP_WIRE_BODY] = "body_too_large",
        [HTTP_WIRE_BAD] = "bad_request",
};

static enum http_step refuse(struct http_parser *p, const char *code)
{
	p->state = BAD;
	p->code = code;
	p->status = 400;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (view_eq(view_str(statuses[i].code), view_str(code)))
			p->status = statuses[i].status;
	return HTTP_BAD;
}

struct http_parser *http_parser_new(size_t max_body)
{
	struct http_parser *p = mem_alloc(sizeof(*p));
	p->head = BUF(LIMIT_HTTP_HEAD_BYTES);
	p->body = BUF(max_body);
	p->max_body = max_body;
	p->plan.max = max_body;
	p->wire = http_wire_new(&p->request, &p->body);
	p->code = "";
	return p;
}

void http_parser_free(struct http_parser *p)
{
	if (!p)
		return;
	http_wire_free(p->wire);
	buf_free(&p->head);
	buf_free(&p->body);
	free(p);
}

static enum http_step finish(struct http_parser *p)
{
	p->request.body = buf_view(&p->body);
	p->state = DONE;
	return HTTP_REQUEST;
}

static bool split_target(struct http_request *r)
{
	if (r->target.n == 0 || r->target.p[0] != '/' || memchr(r->target.p, '#', r->target.n))
		return false;
	const uint8_t *mark = memchr(r->target.p, '?', r->target.n);
	size_t path_n = mark ? (size_t)(mark - r->target.p) : r->target.n;
	r->path = view_of(r->target.p, path_n);
	r->query = mark ? view_of(mark + 1, r->target.n - path_n - 1) : view_of(r->target.p + path_n, 0);
	return true;
}

static bool keeps_alive(const struct http_request *r)
{
	if (http_request_list_has(r, "connection", "close"))
		return false;
	return r->minor == 1 || http_request_list_has(r, "connection", "keep-alive");
}

/* Every Expect must be the one we know; HTTP/1.0 cannot be told to continue (RFC 9110 section 10.1.1). */
static bool expect_known(const struct http_request *r, bool *continue_r)
{
	*continue_r = false;
	for (unsigned i = 0; i < r->headers; i++) {
		if (!view_eq_nocase(r->header[i].name, VIEW("expect")))
			continue;
		if (!view_eq_nocase(r->header[i].value, VIEW("100-continue")))
			return false;
		*continue_r = r->minor == 1;
	}
	return true;
}

void http_parser_set_plan(struct http_parser *p, http_plan_cb plan, void *ctx)
{
	p->plan_cb = plan;
	p->plan_ctx = ctx;
}

static void make_plan(struct http_parser *p)
{
	p->plan = p->plan_cb ? p->plan_cb(p->plan_ctx, &p->request) : (struct http_plan){.max = p->max_body};
	p->body.max = p->plan.pieces ? LIMIT_HTTP_PIECE_BYTES : (size_t)p->plan.max;
}

static bool length_fits(const struct http_parser *p)
{
	uint64_t length = 0;
	struct view value = http_request_header(&p->request, "content-length");
	return !value.p || parse_u64(value, p->plan.max, &length);
}

static enum http_step begin_body(struct http_parser *p)
{
	p->state = BODY;
	p->chunked = http_request_header(&p->request, "transfer-encoding").p;
	if (p->chunked)
		http_chunk_start(&p->chunk, p->plan.max);
	if (p->plan.pieces)
		return HTTP_STREAM;
	return p->tell_continue ? HTTP_CONTINUE : HTTP_MORE;
}

static enum http_step head_complete(struct http_parser *p)
{
	struct view head = buf_view(&p->head);
	const char *code = http_guard_check(head);
	if (code)
		return refuse(p, code);
	if (memcmp(head.p, "CONNECT ", 8) == 0)
		return refuse(p, "unknown_method");
	enum http_wire_step step = http_wire_head(p->wire, head);
	if (step > HTTP_WIRE_DONE)
		return refuse(p, wire_code[step]);
	struct http_request *r = &p->request;
	if (!split_target(r))
		return refuse(p, "bad_target");
	if (!expect_known(r, &p->tell_continue))
		return refuse(p, "bad_expect");
	if (step == HTTP_WIRE_MORE)
		make_plan(p);
	if (!length_fits(p))
		return refuse(p, "body_too_large");
	r->keep_alive = keeps_alive(r);
	return step == HTTP_WIRE_DONE ? finish(p) : begin_body(p);
}

/* A whole line lies at the end of the head. An LF without CR is refused at once: such a head might never end. */
static enum http_step line_complete(struct http_parser *p)
{
	size_t n = p->head.n - p->line_start;
	if (n < 2 || p->head.p[p->head.n - 2] != '\r')
		return refuse(p, http_guard_check(buf_view(&p->head)));
	if (n > 2) {
		p->line_start = p->head.n;
		return HTTP_MORE;
	}
	if (p->line_start > 0)
		return head_complete(p);
	if (p->skipped) /* RFC 9112 section 2.2 asks to forgive one */
		return refuse(p, "bad_request_line");
	p->skipped = true;
	buf_clear(&p->head);
	return HTTP_MORE;
}

static enum http_step feed_head(struct http_parser *p, struct view octets, size_t *used_r)
{
	enum http_step step = HTTP_MORE;
	size_t at = 0;
	while (at < octets.n && step == HTTP_MORE && p->state == HEAD) {
		const uint8_t *lf = memchr(octets.p + at, '\n', octets.n - at);
		size_t n = lf ? (size_t)(lf - octets.p) + 1 - at : octets.n - at;
		if (!buf_add(&p->head, octets.p + at, n))
			return refuse(p, p->line_start ? "head_too_large" : "target_too_long");
		at += n;
		if (lf)
			step = line_complete(p);
	}
	*used_r = at;
	return step;
}

/* The wire gets what the chunk guard found good, also when a bad octet follows: so the first fault is reported whatever
 * the cuts. In the end both must say that the body is done. */
static enum http_step feed_body(struct http_parser *p, struct view octets, size_t *used_r)
{
	const char *code = NULL;
	if (p->plan.pieces && octets.n > p->body.max - p->body.n)
		octets.n = p->body.max - p->body.n;
	size_t good = octets.n;
	if (p->chunked)
		code = http_chunk_check(&p->chunk, octets, &good);
	enum http_wire_step step = http_wire_body(p->wire, view_of(octets.p, good), used_r);
	if (step > HTTP_WIRE_DONE)
		return refuse(p, step == HTTP_WIRE_BAD ? "bad_chunk" : wire_code[step]);
	if (code)
		return refuse(p, code);
	if (p->chunked && (*used_r != good || http_chunk_done(&p->chunk) != (step == HTTP_WIRE_DONE)))
		return refuse(p, "bad_chunk");
	return step == HTTP_WIRE_DONE ? finish(p) : HTTP_MORE;
}

enum http_step http_parser_feed(struct http_parser *p, struct view octets, size_t *used_r)
{
	enum http_step step = HTTP_MORE;
	size_t used = 0;
	*used_r = 0;
	if (p->state == DONE)
		return HTTP_REQUEST;
	if (p->state == HEAD)
		step = feed_head(p, octets, used_r);
	if (p->state == BODY && step == HTTP_MORE && *used_r < octets.n) {
		step = feed_body(p, view_of(octets.p + *used_r, octets.n - *used_r), &used);
		*used_r += used;
	}
	if (p->state == BAD)
		*used_r = octets.n;
	return p->state == BAD ? HTTP_BAD : step;
}

const struct http_request *http_parser_request(const struct http_parser *p)
{
	check(p->state == DONE || (p->state == BODY && p->plan.pieces));
	return &p->request;
}

struct view http_parser_piece(const struct http_parser *p)
{
	return buf_view(&p->body);
}

void http_parser_drop(struct http_parser *p)
{
	buf_clear(&p->body);
}

bool http_parser_wants_continue(const struct http_parser *p)
{
	return p->state == BODY && p->tell_continue;
}

bool http_parser_done(const struct http_parser *p)
{
	return p->state == DONE;
}

static void give_back(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_free(b);
	buf_clear(b);
}

void http_parser_next(struct http_parser *p)
{
	struct http_request *r = &p->request;
	check(p->state == DONE);
	give_back(&p->head);
	give_back(&p->body);
	memset(r->header, 0, r->headers * sizeof(r->header[0]));
	r->method = r->target = r->path = r->query = r->body = (struct view){0};
	r->headers = 0;
	http_wire_reset(p->wire);
	p->state = HEAD;
	p->line_start = 0;
	p->skipped = false;
}

int http_parser_status(const struct http_parser *p)
{
	return p->status;
}

const char *http_parser_code(const struct http_parser *p)
{
	return p->code;
}

bool http_parser_in_head(const struct http_parser *p)
{
	return p->state == HEAD && (p->head.n || p->skipped);
}

bool http_parser_in_body(const struct http_parser *p)
{
	return p->state == BODY;
}
