#include "http_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MAX_BODY 32
#define CASE(octets, events)                                                                                           \
	{                                                                                                              \
		(octets), sizeof(octets) - 1, (events)                                                                 \
	}
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define GET_SEEN "method GET\npath /\nheader Host: a\n"
#define POST_SEEN "method POST\npath /\nheader Host: a\n"
#define CHUNKED_SEEN POST_SEEN "header Transfer-Encoding: chunked\n"
#define KEEP "request 1.1 keep-alive\n"
#define CLOSE "request 1.1 close\n"

static const struct parser_case {
	const char *octets;
	size_t n;
	const char *events;
} cases[] = {
        /* requests, one and more */
        CASE("", ""),
        CASE(GET "\r\n", GET_SEEN KEEP),
        CASE(GET "\r\n" GET "\r\n", GET_SEEN KEEP GET_SEEN KEEP),
        CASE("\r\n" GET "\r\n\r\n" GET "\r\n", GET_SEEN KEEP GET_SEEN KEEP),
        CASE("\r\n\r\n" GET "\r\n", "refused 400 bad_request_line\n"),
        CASE("\n" GET "\r\n", "refused 400 bare_lf\n"),
        CASE("\r\n", "head awaited\n"),
        CASE("G", "head awaited\n"),
        CASE(GET, "head awaited\n"),
        CASE("GET /a/b?c=d?e&f HTTP/1.1\r\nHost: a\r\n\r\n",
             "method GET\npath /a/b\nquery c=d?e&f\nheader Host: a\n" KEEP),
        CASE("GET /? HTTP/1.1\r\nHost: a\r\n\r\n", GET_SEEN KEEP),
        CASE(GET "Empty:\r\nBlank:  \t \r\nX:  y z\t\r\nx:\r\n\r\n",
             GET_SEEN "header Empty: \nheader Blank: \nheader X: y z\nheader x: \n" KEEP),
        /* bodies by length */
        CASE(POST "Content-Length: 3\r\n\r\nabc" GET "\r\n",
             POST_SEEN "header Content-Length: 3\nbody abc\n" KEEP GET_SEEN KEEP),
        CASE(POST "Content-Length: 0\r\n\r\n" GET "\r\n", POST_SEEN "header Content-Length: 0\n" KEEP GET_SEEN KEEP),
        CASE(GET "Content-Length: 1\r\n\r\n\r", GET_SEEN "header Content-Length: 1\nbody \\r\n" KEEP),
        CASE(POST "Content-Length: 003\r\n\r\na\0b", POST_SEEN "header Content-Length: 003\nbody a\\0b\n" KEEP),
        CASE(POST "Content-Length: 3\r\n\r\nab", "body awaited\n"),
        CASE(POST "Content-Length: 3\r\n\r\n", "body awaited\n"),
        CASE(POST "Content-Length: 32\r\n\r\n0123456789abcdef0123456789ABCDEF",
             POST_SEEN "header Content-Length: 32\nbody 0123456789abcdef0123456789ABCDEF\n" KEEP),
        CASE(POST "Content-Length: 33\r\n\r\n", "refused 413 body_too_large\n"),
        CASE(POST "Content-Length: 9223372036854775807\r\n\r\n", "refused 413 body_too_large\n"),
        /* keep-alive */
        CASE(GET "Connection: close\r\n\r\n", GET_SEEN "header Connection: close\n" CLOSE),
        CASE(GET "Connection: foo , CLOSE\r\n\r\n", GET_SEEN "header Connection: foo , CLOSE\n" CLOSE),
        CASE(GET "Connection: keep-alive\r\nConnection: close\r\n\r\n",
             GET_SEEN "header Connection: keep-alive\nheader Connection: close\n" CLOSE),
        CASE(GET "Connection: closed\r\n\r\n", GET_SEEN "header Connection: closed\n" KEEP),
        CASE("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "method GET\npath /\nheader Host: a\nrequest 1.0 close\n"),
        CASE("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
             "method GET\npath /\nheader Host: a\nheader Connection: Keep-Alive\nrequest 1.0 keep-alive\n"),
        CASE("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n",
             "method GET\npath /\nheader Host: a\nheader Connection: keep-alive, close\nrequest 1.0 close\n"),
        CASE(GET "Connection: close\r\n\r\n" GET "\r\n", GET_SEEN "header Connection: close\n" CLOSE GET_SEEN KEEP),
        /* Expect */
        CASE(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
             "continue\n" POST_SEEN "header Expect: 100-continue\nheader Content-Length: 2\nbody ab\n" KEEP),
        CASE(POST "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "continue\n" POST_SEEN "header Expect: 100-Continue\nheader Transfer-Encoding: chunked\n" KEEP),
        CASE(POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
             POST_SEEN "header Expect: 100-continue\nheader Content-Length: 0\n" KEEP),
        CASE("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
             "method POST\npath /\nheader Host: a\nheader Expect: 100-continue\nheader Content-Length: 1\nbody "
             "a\nrequest 1.0 close\n"),
        CASE(POST "Expect: 100-continue\r\nContent-Length: 33\r\n\r\n", "refused 413 body_too_large\n"),
        CASE(POST "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n", "refused 417 bad_expect\n"),
        CASE(POST "Expect: 100-continue, x\r\nContent-Length: 2\r\n\r\n", "refused 417 bad_expect\n"),
        CASE(POST "Expect:\r\n\r\n", "refused 417 bad_expect\n"),
        /* methods and targets */
        CASE("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "refused 501 unknown_method\n"),
        CASE("get / HTTP/1.1\r\nHost: a\r\n\r\n", "refused 501 unknown_method\n"),
        CASE("GETX / HTTP/1.1\r\nHost: a\r\n\r\n", "refused 501 unknown_method\n"),
        CASE("PLAY / HTTP/1.1\r\nHost: a\r\n\r\n", "refused 501 unknown_method\n"),
        CASE("SOURCE / HTTP/1.1\r\nHost: a\r\n\r\n", "method SOURCE\npath /\nheader Host: a\n" KEEP),
        CASE("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "refused 501 unknown_method\n"),
        CASE("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "refused 501 unknown_method\n"),
        CASE("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "refused 400 bad_target\n"),
        CASE("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "refused 400 bad_target\n"),
        CASE("GET a HTTP/1.1\r\nHost: a\r\n\r\n", "refused 400 bad_request\n"),
        CASE("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", "refused 400 bad_target\n"),
        CASE("GET /?a#x HTTP/1.1\r\nHost: a\r\n\r\n", "refused 400 bad_target\n"),
        CASE("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "refused 400 nul\n"),
        CASE("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", "method PATCH\npath /\nheader Host: a\n" KEEP),
        /* Upgrade is ignored, and the body stays a body */
        CASE(POST "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\r\n" GET
                  "\r\n",
             POST_SEEN "header Connection: Upgrade\nheader Upgrade: websocket\nheader Content-Length: 16\n"
                       "body GET / HTTP/1.1\\r\\n\n" KEEP GET_SEEN KEEP),
        CASE(GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n" GET "\r\n",
             GET_SEEN "header Connection: Upgrade, HTTP2-Settings\nheader Upgrade: h2c\n" KEEP GET_SEEN KEEP),
        CASE(POST "Connection: Upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" GET
                  "\r\n",
             POST_SEEN
             "header Connection: Upgrade\nheader Upgrade: x\nheader Transfer-Encoding: chunked\nbody a\n" KEEP GET_SEEN
                     KEEP),
        /* chunked */
        CASE(CHUNKED "0\r\n\r\n" GET "\r\n", CHUNKED_SEEN KEEP GET_SEEN KEEP),
        CASE(CHUNKED "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n" GET "\r\n",
             CHUNKED_SEEN "body abc0123456789\n" KEEP GET_SEEN KEEP),
        CASE(CHUNKED "1;a;b=c\r\nx\r\n0;z\r\n\r\n", CHUNKED_SEEN "body x\n" KEEP),
        CASE(CHUNKED "1;a=\"b c\"\r\nx\r\n0\r\n\r\n", CHUNKED_SEEN "body x\n" KEEP),
#if LLHTTP_MAJOR < 9 /* refuses more than it must (RFC 9112, 7.1.1) */
        CASE(CHUNKED "1;a=b;c\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
#else
        CASE(CHUNKED "1;a=b;c\r\nx\r\n0\r\n\r\n", CHUNKED_SEEN "body x\n" KEEP),
#endif
        CASE(CHUNKED "1; a=b\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1;a=\"b\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1\r\nx\r\n000\r\nA: b\r\nHost: evil\r\n\r\n" GET "\r\n",
             CHUNKED_SEEN "body x\n" KEEP GET_SEEN KEEP),
        CASE(CHUNKED "0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" GET "\r\n", CHUNKED_SEEN KEEP GET_SEEN KEEP),
        CASE(CHUNKED "20\r\n0123456789abcdef0123456789ABCDEF\r\n0\r\n\r\n",
             CHUNKED_SEEN "body 0123456789abcdef0123456789ABCDEF\n" KEEP),
        CASE(CHUNKED "1\r\nx", "body awaited\n"),
        CASE(CHUNKED "1\r\nx\r\n0\r\n", "body awaited\n"),
        CASE(CHUNKED "1\r\nx\r\n0\r\n\r", "body awaited\n"),
        CASE(CHUNKED "21\r\n", "refused 413 body_too_large\n"),
        CASE(CHUNKED "1\r\nx\r\n20\r\n", "refused 413 body_too_large\n"),
        CASE(CHUNKED "7fffffffffffffff\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "fffffffffffffff\r\n", "refused 413 body_too_large\n"),
        CASE(CHUNKED "1\r\nx\r\nffffffffffffffff\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "10000000000000001\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "0000000000000001\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED ";a\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "-1\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "+1\r\nx", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "0x1\r\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "g\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED " 1\r\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1 \r\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1\rx", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1;a\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1;a\rb\r\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1;a\0\r\nx\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1\r\nxy\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1\r\nx\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "1\r\nx0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "2\r\nx\r\n0\r\n\r\n", "refused 400 bad_chunk\n"),
        CASE(CHUNKED "0\r\n\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\n\rX", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nA: b\r\n\rX", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\n A: b\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nA: b\r\n c\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nA : b\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nA\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\n: a\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nA: b\nC: d\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nA: b\0\r\n\r\n", "refused 400 bad_trailer\n"),
        CASE(CHUNKED "0\r\nGET / HTTP/1.1\r\n", "refused 400 bad_trailer\n"),
        /* trailing garbage and what the guard says */
        CASE(POST "Content-Length: 1\r\n\r\nabc / HTTP/1.1\r\nHost: a\r\n\r\n",
             POST_SEEN "header Content-Length: 1\nbody a\n" KEEP "refused 501 unknown_method\n"),
        CASE(GET "\r\n\x16\x03\x01 x\r\n", GET_SEEN KEEP "head awaited\n"),
        CASE(GET "\r\nx\n", GET_SEEN KEEP "refused 400 bare_lf\n"),
        CASE("GET /\r\n\r\n", "refused 400 bad_request_line\n"),
        CASE("GET / HTTP/1.1\nHost: a\n\n", "refused 400 bare_lf\n"),
        CASE("GET /\0 HTTP/1.1\nHost: a\n\n", "refused 400 nul\n"),
        CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "refused 505 bad_version\n"),
        CASE("GET / HTTP/1.1\r\n\r\n", "refused 400 host_missing\n"),
        CASE(GET "Host: b\r\n\r\n", "refused 400 host_repeated\n"),
        CASE(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "refused 400 length_and_chunked\n"),
        CASE(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
             "refused 400 length_and_chunked\n"),
        CASE(POST "X: a\r\n Content-Length: 5\r\n\r\nabcde", "refused 400 folded_header\n"),
        CASE(GET "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "refused 400 bare_cr\n"),
};

static void expect_events(const struct parser_case *c, size_t cut, size_t step)
{
	struct buf seen = BUF(1 << 20);
	events_of(&seen, view_of(c->octets, c->n), MAX_BODY, cut, step);
	if (strcmp(buf_cstr(&seen), c->events) != 0)
		fail_msg("case %td, cut at %zu, step %zu:\n%s\ngives\n%snot\n%s", c - cases, cut, step, c->octets,
		         buf_cstr(&seen), c->events);
	buf_free(&seen);
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_events(&cases[i], 0, 0);
}

static void test_octet_by_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_events(&cases[i], 1, 1);
}

static void test_cut_at_every_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t cut = 1; cut < cases[i].n; cut++)
			expect_events(&cases[i], cut, 0);
}

/* Pipelines of 1 to 6 requests drawn from good ones, cut at every octet: the events are the single ones in a row. */
static void test_pipelines(void **state)
{
	static const char *const piece[] = {
	        GET "\r\n",
	        POST "Content-Length: 5\r\n\r\nhello",
	        CHUNKED "3\r\nabc\r\n1;x\r\nd\r\n0\r\nT: u\r\n\r\n",
	        "\r\n" GET "X: y\r\n\r\n",
	        POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n!",
	};
	const char *seed_text = getenv("SEED");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 20260302u;
	printf("SEED=%u\n", seed);
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct buf octets = BUF(1 << 16);
		struct buf expected = BUF(1 << 16);
		int n = 1 + round % 6;
		for (int i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			struct view one = view_str(piece[(seed >> 16) % (sizeof(piece) / sizeof(piece[0]))]);
			buf_add_view(&octets, one);
			events_of(&expected, one, MAX_BODY, 0, 0);
		}
		for (size_t cut = 0; cut < octets.n; cut++) {
			struct buf seen = BUF(1 << 16);
			events_of(&seen, buf_view(&octets), MAX_BODY, cut, cut % 7);
			assert_string_equal(buf_cstr(&seen), buf_cstr(&expected));
			buf_free(&seen);
		}
		buf_free(&octets);
		buf_free(&expected);
	}
}

static void expect_last_line(const struct buf *octets, const char *line)
{
	static const size_t steps[] = {0, 1, 4096};
	for (size_t i = 0; i < 3; i++) {
		struct buf seen = BUF(1 << 20);
		events_of(&seen, buf_view(octets), MAX_BODY, 0, steps[i]);
		const char *text = buf_cstr(&seen);
		size_t n = strlen(line);
		assert_true(seen.n >= n);
		assert_string_equal(text + seen.n - n, line);
		buf_free(&seen);
	}
}

static void fill(struct buf *to, size_t upto)
{
	while (to->n < upto)
		buf_add_u8(to, 'x');
}

static void test_head_ceiling(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t n = LIMIT_HTTP_HEAD_BYTES + over;
		struct buf header = BUF(1 << 16);
		buf_add_str(&header, GET "X: ");
		fill(&header, n - 4);
		buf_add_str(&header, "\r\n\r\n");
		expect_last_line(&header, over ? "refused 431 head_too_large\n" : KEEP);
		struct buf target = BUF(1 << 16);
		static const char rest[] = " HTTP/1.1\r\nHost: a\r\n\r\n";
		buf_add_str(&target, "GET /");
		fill(&target, n - (sizeof(rest) - 1));
		buf_add_str(&target, rest);
		expect_last_line(&target, over ? "refused 431 head_too_large\n" : KEEP);
		struct buf line = BUF(1 << 16);
		buf_add_str(&line, "GET /");
		fill(&line, n);
		expect_last_line(&line, over ? "refused 414 target_too_long\n" : "head awaited\n");
		buf_free(&header);
		buf_free(&target);
		buf_free(&line);
	}
}

static void test_header_ceiling(void **state)
{
	(void)state;
	for (int n = LIMIT_HTTP_HEADERS; n <= LIMIT_HTTP_HEADERS + 1; n++) {
		struct buf octets = BUF(1 << 16);
		buf_add_str(&octets, GET);
		for (int i = 1; i < n; i++)
			buf_printf(&octets, "X%d: %d\r\n", i, i);
		buf_add_str(&octets, "\r\n");
		expect_last_line(&octets,
		                 n > LIMIT_HTTP_HEADERS ? "refused 431 too_many_headers\n" : "header X63: 63\n" KEEP);
		buf_free(&octets);
	}
}

static void test_chunk_ceilings(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct buf line = BUF(1 << 16);
		buf_add_str(&line, CHUNKED);
		size_t head_n = line.n;
		buf_add_str(&line, "0;");
		fill(&line, head_n + 256 + over - 2);
		buf_add_str(&line, "\r\n\r\n");
		expect_last_line(&line, over ? "refused 400 bad_chunk\n" : KEEP);
		struct buf trailer = BUF(1 << 16);
		buf_add_str(&trailer, CHUNKED "0\r\nX: ");
		fill(&trailer, head_n + 3 + 4096 + over - 4);
		buf_add_str(&trailer, "\r\n\r\n");
		expect_last_line(&trailer, over ? "refused 431 trailer_too_large\n" : KEEP);
		buf_free(&line);
		buf_free(&trailer);
	}
}

static void test_eats_nothing_until_next(void **state)
{
	static const char two[] = GET "\r\n" GET "Y: z\r\n\r\n";
	struct view octets = view_of(two, sizeof(two) - 1);
	struct http_parser *p = http_parser_new(MAX_BODY);
	size_t used;
	(void)state;
	assert_int_equal(http_parser_feed(p, octets, &used), HTTP_REQUEST);
	size_t first = sizeof(GET "\r\n") - 1;
	assert_int_equal(used, first);
	const struct http_request *r = http_parser_request(p);
	const uint8_t *held = r->method.p;
	assert_int_equal(http_parser_feed(p, view_of(two + first, octets.n - first), &used), HTTP_REQUEST);
	assert_int_equal(used, 0);
	assert_ptr_equal(http_parser_request(p)->method.p, held);
	assert_null(http_request_header(r, "y").p);
	http_parser_next(p);
	assert_false(http_parser_in_head(p));
	assert_int_equal(http_parser_feed(p, view_of(two + first, octets.n - first), &used), HTTP_REQUEST);
	assert_true(view_eq(http_request_header(http_parser_request(p), "y"), VIEW("z")));
	http_parser_free(p);
	http_parser_free(NULL);
}

static void test_refusal_sticks(void **state)
{
	struct http_parser *p = http_parser_new(MAX_BODY);
	size_t used;
	(void)state;
	assert_int_equal(http_parser_status(p), 0);
	assert_string_equal(http_parser_code(p), "");
	assert_int_equal(http_parser_feed(p, VIEW("x\n"), &used), HTTP_BAD);
	assert_int_equal(http_parser_feed(p, VIEW(GET "\r\n"), &used), HTTP_BAD);
	assert_int_equal(used, sizeof(GET "\r\n") - 1);
	assert_int_equal(http_parser_status(p), 400);
	assert_string_equal(http_parser_code(p), "bare_lf");
	assert_false(http_parser_in_head(p) || http_parser_in_body(p));
	http_parser_free(p);
}

static void test_headers(void **state)
{
	struct http_parser *p = http_parser_new(MAX_BODY);
	size_t used;
	(void)state;
	assert_int_equal(http_parser_feed(p, VIEW(GET "A: 1\r\nb:\r\na: 2, x ,Y\r\n\r\n"), &used), HTTP_REQUEST);
	const struct http_request *r = http_parser_request(p);
	assert_true(view_eq(http_request_header(r, "a"), VIEW("1")));
	assert_int_equal(http_request_header_count(r, "A"), 2);
	assert_int_equal(http_request_header_count(r, "c"), 0);
	assert_non_null(http_request_header(r, "B").p);
	assert_int_equal(http_request_header(r, "B").n, 0);
	assert_null(http_request_header(r, "aa").p);
	assert_true(http_request_list_has(r, "a", "1"));
	assert_true(http_request_list_has(r, "a", "y"));
	assert_true(http_request_list_has(r, "a", "X"));
	assert_false(http_request_list_has(r, "a", "2, x"));
	assert_false(http_request_list_has(r, "b", "x"));
	http_parser_free(p);
}

static const struct {
	const char *query;
	const char *key;
	const char *value; /* NULL: false */
} queries[] = {
        {"a=1", "a", "1"},
        {"a=1&b=2", "b", "2"},
        {"a=1&a=2", "a", "1"},
        {"a=", "a", ""},
        {"a", "a", ""},
        {"aa=1", "a", NULL},
        {"", "a", NULL},
        {"b=a=1", "a", NULL},
        {"b=a=1", "b", "a=1"},
        {"&&a=1", "a", "1"},
        {"a=%41%7e", "a", "A~"},
        {"a=%4", "a", NULL},
        {"a=%", "a", NULL},
        {"a=%zz", "a", NULL},
        {"a=%00", "a", NULL},
        {"a=+1", "a", "+1"},
        {"a=%2B1", "a", "+1"},
        {"a=1234567", "a", "1234567"},
        {"a=12345678", "a", NULL},
        {"A=1", "a", NULL},
        {"a=123456%37", "a", "1234567"},
        {"a=%31%32%33%34%35%36%37%38", "a", NULL},
        {"=1", "", "1"},
};

static void test_queries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		char to[8] = "unset";
		bool ok = http_query_get(view_str(queries[i].query), queries[i].key, to, sizeof(to));
		if (ok != (queries[i].value != NULL) || strcmp(to, ok ? queries[i].value : "") != 0)
			fail_msg("query %s, key %s gives %s %s", queries[i].query, queries[i].key,
			         ok ? "true" : "false", to);
	}
	assert_false(http_query_get(VIEW("a=1"), "a", NULL, 0));
}

/* --- bodies in pieces ----------------------------------------------------------------------------------------------
 */

static struct http_plan pieces_plan(void *ctx, const struct http_request *r)
{
	*(unsigned *)ctx += 1;
	return (struct http_plan){.max = view_eq(r->path, VIEW("/few")) ? 4 : INT64_MAX, .pieces = true};
}

/* Feeds page cut into pieces of step octets; what comes of the body goes to got. Returns the last step. */
static enum http_step feed_pieces(struct http_parser *p, struct view page, size_t step, struct buf *got)
{
	enum http_step last = HTTP_MORE;
	for (size_t at = 0; at < page.n;) {
		size_t used;
		size_t n = page.n - at < step ? page.n - at : step;
		last = http_parser_feed(p, view_of(page.p + at, n), &used);
		if (last == HTTP_BAD)
			return last;
		at += used;
		buf_add_view(got, http_parser_piece(p));
		http_parser_drop(p);
		if (last == HTTP_REQUEST) {
			assert_true(http_parser_done(p));
			assert_int_equal(at, page.n);
		}
	}
	return last;
}

static void a_body_in_pieces_is_the_same_however_it_is_cut(void **state)
{
	static const char *const pages[] = {
	        POST "Content-Length: 12\r\n\r\none\ntwo\nsix\n",
	        CHUNKED "5\r\none\nt\r\n7;x=y\r\nwo\nsix\n\r\n0\r\nTrailer: a\r\n\r\n",
	        POST "Content-Length: 12\r\nExpect: 100-continue\r\n\r\none\ntwo\nsix\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		for (size_t step = 1; step < 80; step++) {
			struct http_parser *p = http_parser_new(MAX_BODY);
			struct buf got = BUF(100);
			unsigned asked = 0;
			http_parser_set_plan(p, pieces_plan, &asked);
			assert_int_equal(feed_pieces(p, view_str(pages[i]), step, &got), HTTP_REQUEST);
			assert_string_equal(buf_cstr(&got), "one\ntwo\nsix\n");
			assert_int_equal(asked, 1);
			http_parser_next(p);
			buf_free(&got);
			http_parser_free(p);
		}
}

static void a_stream_begins_behind_its_head(void **state)
{
	struct view page = VIEW(POST "Content-Length: 200000\r\nExpect: 100-continue\r\n\r\nabc");
	unsigned asked = 0;
	size_t used;
	(void)state;
	struct http_parser *p = http_parser_new(MAX_BODY);
	http_parser_set_plan(p, pieces_plan, &asked);
	assert_int_equal(http_parser_feed(p, page, &used), HTTP_STREAM);
	assert_int_equal(used, page.n - 3);
	assert_true(http_parser_wants_continue(p));
	assert_true(view_eq(http_parser_request(p)->path, VIEW("/")));
	assert_int_equal(http_parser_piece(p).n, 0);
	static const uint8_t much[100000];
	assert_int_equal(http_parser_feed(p, view_of(much, sizeof(much)), &used), HTTP_MORE);
	assert_int_equal(used, LIMIT_HTTP_PIECE_BYTES);
	assert_int_equal(http_parser_feed(p, view_of(much, sizeof(much)), &used), HTTP_MORE);
	assert_int_equal(used, 0); /* until what is there was taken */
	http_parser_drop(p);
	assert_int_equal(http_parser_feed(p, view_of(much, sizeof(much)), &used), HTTP_MORE);
	assert_int_equal(used, LIMIT_HTTP_PIECE_BYTES);
	http_parser_free(p);
}

static void a_stream_is_guarded_as_others_are(void **state)
{
	static const struct {
		const char *page;
		const char *code;
	} bad[] = {
	        {"POST /few HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "body_too_large"},
	        {"POST /few HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", "body_too_large"},
	        {CHUNKED "3\r\nabc\r\nx\r\n", "bad_chunk"},
	        {CHUNKED "3\r\nabcd\r\n", "bad_chunk"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct http_parser *p = http_parser_new(MAX_BODY);
		struct buf got = BUF(100);
		unsigned asked = 0;
		http_parser_set_plan(p, pieces_plan, &asked);
		assert_int_equal(feed_pieces(p, view_str(bad[i].page), 1, &got), HTTP_BAD);
		assert_string_equal(http_parser_code(p), bad[i].code);
		buf_free(&got);
		http_parser_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_whole),
	        cmocka_unit_test(test_octet_by_octet),
	        cmocka_unit_test(test_cut_at_every_octet),
	        cmocka_unit_test(test_pipelines),
	        cmocka_unit_test(test_head_ceiling),
	        cmocka_unit_test(test_header_ceiling),
	        cmocka_unit_test(test_chunk_ceilings),
	        cmocka_unit_test(test_eats_nothing_until_next),
	        cmocka_unit_test(test_refusal_sticks),
	        cmocka_unit_test(test_headers),
	        cmocka_unit_test(test_queries),
	        cmocka_unit_test(a_body_in_pieces_is_the_same_however_it_is_cut),
	        cmocka_unit_test(a_stream_begins_behind_its_head),
	        cmocka_unit_test(a_stream_is_guarded_as_others_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
