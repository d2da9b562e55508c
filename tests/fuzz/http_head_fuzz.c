/* Guard, chunk guard and llhttp together: never more eaten than given, no body past the ceiling, and the same requests
 * and refusal however the octets are cut. The first octet says where they are cut. */
#include "base_check.h"
#include "http_parser.h"

#define MAX_BODY 256

struct outcome {
	uint64_t requests; /* hash chain over all of them */
	unsigned count;
	int status;
};

static void note(struct outcome *o, struct view v)
{
	o->requests = (o->requests ^ view_hash(v)) * 0x100000001b3u + v.n;
}

static void note_request(struct outcome *o, const struct http_request *r)
{
	check(r->headers <= LIMIT_HTTP_HEADERS && r->body.n <= MAX_BODY && r->path.n && r->path.p[0] == '/');
	note(o, r->method);
	note(o, r->target);
	for (unsigned i = 0; i < r->headers; i++) {
		note(o, r->header[i].name);
		note(o, r->header[i].value);
	}
	note(o, r->body);
	o->count += 1 + r->keep_alive;
}

static void feed(struct outcome *o, struct http_parser *p, struct view piece)
{
	while (piece.n) {
		size_t used;
		enum http_step step = http_parser_feed(p, piece, &used);
		check(used <= piece.n && (used || step == HTTP_CONTINUE || step == HTTP_REQUEST));
		piece = view_of(piece.p + used, piece.n - used);
		o->status = http_parser_status(p);
		check((step == HTTP_BAD) == (o->status >= 400));
		if (step == HTTP_REQUEST) {
			note_request(o, http_parser_request(p));
			http_parser_next(p);
		}
	}
}

static struct outcome run(struct view octets, size_t cut)
{
	struct outcome o = {0};
	struct http_parser *p = http_parser_new(MAX_BODY);
	feed(&o, p, view_of(octets.p, cut));
	feed(&o, p, view_of(octets.p + cut, octets.n - cut));
	note(&o, view_str(http_parser_code(p)));
	o.count += 1000u * http_parser_in_head(p) + 2000u * http_parser_in_body(p);
	http_parser_free(p);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct view octets = view_of(data + 1, size - 1);
	struct outcome whole = run(octets, 0);
	struct outcome cut = run(octets, octets.n * data[0] / 256);
	check(whole.requests == cut.requests && whole.count == cut.count && whole.status == cut.status);
	return 0;
}
