#include "http_wire.h"

#include "base_pool.h"

#include <llhttp.h>
#include <stdlib.h>

#if !LLHTTP_STRICT_MODE
#error "llhttp without strict mode accepts CVE-2023-30589"
#endif

struct http_wire {
	llhttp_t parser;
	struct http_request *request;
	struct buf *body;
	bool head_done;
	enum http_wire_step refused; /* why a callback stopped it; MORE when none did */
};

/* llhttp may hand out one text in pieces; within one head they lie side by side. */
static void grow(struct view *v, const char *at, size_t n)
{
	if (!v->p)
		v->p = (const uint8_t *)at;
	v->n = (size_t)((const uint8_t *)at + n - v->p);
}

static int stop(struct http_wire *w, enum http_wire_step why)
{
	w->refused = why;
	return HPE_USER;
}

static int on_method(llhttp_t *p, const char *at, size_t n)
{
	struct http_wire *w = p->data;
	grow(&w->request->method, at, n);
	return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
	struct http_wire *w = p->data;
	grow(&w->request->target, at, n);
	return 0;
}

/* Trailers come through the same callbacks and are ignored: no field of ours may arrive after the body was judged. */
static int on_header_field(llhttp_t *p, const char *at, size_t n)
{
	struct http_wire *w = p->data;
	struct http_request *r = w->request;
	if (w->head_done)
		return 0;
	if (r->headers >= LIMIT_HTTP_HEADERS)
		return stop(w, HTTP_WIRE_HEADERS);
	grow(&r->header[r->headers].name, at, n);
	return 0;
}

static int on_header_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_wire *w = p->data;
	struct http_request *r = w->request;
	if (!w->head_done)
		grow(&r->header[r->headers].value, at, n);
	return 0;
}

static int on_header_value_complete(llhttp_t *p)
{
	struct http_wire *w = p->data;
	struct http_request *r = w->request;
	if (w->head_done)
		return 0;
	struct http_header *h = &r->header[r->headers++];
	h->value = view_trim(h->value);
	if (!h->value.p)
		h->value = view_of(h->name.p + h->name.n, 0); /* there, but empty: p tells it from absent */
	return 0;
}

/* With upgrade set llhttp may stop and call what follows another protocol's: we speak none. The pause at the end of the
 * message comes first today; this keeps it so. */
static int on_headers_complete(llhttp_t *p)
{
	struct http_wire *w = p->data;
	p->upgrade = 0;
	w->request->minor = llhttp_get_http_minor(p);
	w->head_done = true;
	return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http_wire *w = p->data;
	return buf_add(w->body, at, n) ? 0 : stop(w, HTTP_WIRE_BODY);
}

static int on_message_complete(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
        .on_method = on_method,
        .on_url = on_url,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_header_value_complete = on_header_value_complete,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_message_complete,
};

struct http_wire *http_wire_new(struct http_request *request, struct buf *body)
{
	struct http_wire *w = mem_alloc(sizeof(*w));
	w->request = request;
	w->body = body;
	llhttp_init(&w->parser, HTTP_REQUEST, &settings);
	w->parser.data = w;
	return w;
}

void http_wire_free(struct http_wire *w)
{
	free(w);
}

void http_wire_reset(struct http_wire *w)
{
	llhttp_reset(&w->parser);
	w->head_done = false;
	w->refused = HTTP_WIRE_MORE;
}

static enum http_wire_step run(struct http_wire *w, struct view octets, size_t *used_r)
{
	llhttp_errno_t e = llhttp_execute(&w->parser, (const char *)octets.p, octets.n);
	*used_r = octets.n;
	if (e == HPE_OK)
		return HTTP_WIRE_MORE;
	if (w->refused != HTTP_WIRE_MORE)
		return w->refused;
	if (e == HPE_PAUSED) {
		*used_r = (size_t)((const uint8_t *)llhttp_get_error_pos(&w->parser) - octets.p);
		return HTTP_WIRE_DONE;
	}
	/* The guard has seen to the rest of the line: what llhttp calls a wrong constant there is the method. */
	bool method = e == HPE_INVALID_METHOD || (e == HPE_INVALID_CONSTANT && !w->head_done);
	return method ? HTTP_WIRE_METHOD : HTTP_WIRE_BAD;
}

enum http_wire_step http_wire_head(struct http_wire *w, struct view head)
{
	size_t used;
	enum http_wire_step step = run(w, head, &used);
	if (step <= HTTP_WIRE_DONE && (!w->head_done || used != head.n))
		return HTTP_WIRE_BAD;
	return step;
}

enum http_wire_step http_wire_body(struct http_wire *w, struct view octets, size_t *used_r)
{
	*used_r = 0;
	return octets.n ? run(w, octets, used_r) : HTTP_WIRE_MORE;
}
