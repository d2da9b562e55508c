#include "http_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CASE(head, code)                                                                                               \
	{                                                                                                              \
		(head), sizeof(head) - 1, (code)                                                                       \
	}
#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static const struct {
	const char *head;
	size_t n;
	const char *code;
} cases[] = {
        /* good */
        CASE(GET HOST "\r\n", NULL),
        CASE("M-SEARCH /x?y=1%20 HTTP/1.1\r\n" HOST "\r\n", NULL),
        CASE("GET / HTTP/1.0\r\n\r\n", "host_missing"),
        CASE("GET / HTTP/1.0\r\n" HOST "\r\n", NULL),
        CASE(GET "hOST:a\r\n\r\n", NULL),
        CASE(GET "Host: \t a \t \r\n\r\n", NULL),
        CASE(GET HOST "X:\r\n\r\n", NULL),
        CASE(GET HOST "X: a\tb \x80\xff\r\n\r\n", NULL),
        CASE(GET HOST "X: \"{}[]()<>@,;:\\/?=\"\r\n\r\n", NULL),
        CASE(GET HOST "!#$%&'*+-.^_`|~aZ09: x\r\n\r\n", NULL),
        CASE(POST "Content-Length: 0\r\n\r\n", NULL),
        CASE(POST "Content-Length: 9223372036854775807\r\n\r\n", NULL),
        CASE(POST "Transfer-Encoding: Chunked\r\n\r\n", NULL),
        /* request line */
        CASE("", "bad_request_line"),
        CASE("\r\n", "bad_request_line"),
        CASE(" / HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE(" GET / HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET  / HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET /  HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/1.1 \r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET\t/ HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET /\tHTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / x HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET /\r\n\r\n", "bad_request_line"),
        CASE("GET / \r\n\r\n", "bad_request_line"),
        CASE("GET\r\n\r\n", "bad_request_line"),
        CASE("G(T / HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET /\x80 HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET /\x7f HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET /\x01 HTTP/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / http/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/1.\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/1.10\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/1,1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/a.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/1.b\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / ICE/1.1\r\n" HOST "\r\n", "bad_request_line"),
        CASE("GET / HTTP/0.9\r\n" HOST "\r\n", "bad_version"),
        CASE("GET / HTTP/1.2\r\n" HOST "\r\n", "bad_version"),
        CASE("GET / HTTP/2.0\r\n" HOST "\r\n", "bad_version"),
        CASE("PRI * HTTP/2.0\r\n\r\n", "bad_version"),
        CASE("GET / HTTP/1.1", "bad_request_line"),
        CASE("GET / HTTP/1.1\r", "bare_cr"),
        /* line breakers */
        CASE("GET /\0 HTTP/1.1\r\n" HOST "\r\n", "nul"),
        CASE("\0GET / HTTP/1.1\r\n" HOST "\r\n", "nul"),
        CASE(GET "Ho\0st: a\r\n\r\n", "nul"),
        CASE(GET HOST "X: a\0b\r\n\r\n", "nul"),
        CASE("GET /\r HTTP/1.1\r\n" HOST "\r\n", "bare_cr"),
        CASE("GET / HTTP/1.1\rHost: a\r\n\r\n", "bare_cr"),
        CASE(GET HOST "X: a\rTransfer-Encoding: chunked\r\n\r\n", "bare_cr"),
        CASE(GET HOST "X: a\r\r\n\r\n", "bare_cr"),
        CASE(GET HOST "X\r: a\r\n\r\n", "bare_cr"),
        CASE("GET / HTTP/1.1\nHost: a\n\n", "bare_lf"),
        CASE("\nGET / HTTP/1.1\r\n" HOST "\r\n", "bare_lf"),
        CASE(GET HOST "X: a\nY: b\r\n\r\n", "bare_lf"),
        CASE(GET HOST "X: a\n\r\n", "bare_lf"),
        CASE(GET HOST "\n\r\n", "bare_lf"),
        /* headers */
        CASE(GET HOST "X: a\r\n b\r\n\r\n", "folded_header"),
        CASE(GET HOST "X: a\r\n\tb\r\n\r\n", "folded_header"),
        CASE(GET HOST "X: a\r\n \r\n\r\n", "folded_header"),
        CASE(GET " Host: a\r\n\r\n", "folded_header"),
        CASE(POST "X: a\r\n Content-Length: 5\r\n\r\n", "folded_header"),
        CASE(GET HOST "X : a\r\n\r\n", "bad_header"),
        CASE(GET HOST "X\t: a\r\n\r\n", "bad_header"),
        CASE(GET HOST ": a\r\n\r\n", "bad_header"),
        CASE(GET HOST "X\r\n\r\n", "bad_header"),
        CASE(GET HOST "X=a: b\r\n\r\n", "bad_header"),
        CASE(GET HOST "X\xe9: b\r\n\r\n", "bad_header"),
        CASE(GET HOST "X: a\x01\r\n\r\n", "bad_header"),
        CASE(GET HOST "X: a\x1f\r\n\r\n", "bad_header"),
        CASE(GET HOST "X: a\x7f\r\n\r\n", "bad_header"),
        CASE(GET HOST "X: a\x0b\r\n\r\n", "bad_header"),
        CASE(GET HOST, "bad_header"),
        CASE(GET HOST "X: a", "bad_header"),
        CASE(GET HOST "X", "bad_header"),
        CASE(GET HOST "\r\nX", "bad_header"),
        CASE(GET HOST "\r\n\r\n", "bad_header"),
        /* Host */
        CASE(GET "\r\n", "host_missing"),
        CASE(GET "X-Host: a\r\n\r\n", "host_missing"),
        CASE(GET HOST HOST "\r\n", "host_repeated"),
        CASE(GET HOST "HOST: b\r\n\r\n", "host_repeated"),
        CASE("GET / HTTP/1.0\r\n" HOST HOST "\r\n", "host_repeated"),
        CASE(GET "Host:\r\n\r\n", "host_bad"),
        CASE(GET "Host: a, b\r\n\r\n", "host_bad"),
        CASE(GET "Host: a,b\r\n\r\n", "host_bad"),
        CASE(GET "Host: a b\r\n\r\n", "host_bad"),
        CASE(GET "Host: u@a\r\n\r\n", "host_bad"),
        CASE(GET "Host: a/b\r\n\r\n", "host_bad"),
        CASE(GET "Host: a:\r\n\r\n", "host_bad"),
        CASE(GET "Host: :80\r\n\r\n", "host_bad"),
        CASE(GET "Host: a:65536\r\n\r\n", "host_bad"),
        CASE(GET "Host: a:8x\r\n\r\n", "host_bad"),
        CASE(GET "Host: a:1:2\r\n\r\n", "host_bad"),
        CASE(GET "Host: []\r\n\r\n", "host_bad"),
        CASE(GET "Host: [:\r\n\r\n", "host_bad"),
        CASE(GET "Host: [::1\r\n\r\n", "host_bad"),
        CASE(GET "Host: [::1]x\r\n\r\n", "host_bad"),
        CASE(GET "Host: a:65535\r\n\r\n", NULL),
        CASE(GET "Host: my_box.example-1.org:8443\r\n\r\n", NULL),
        CASE(GET "Host: [::1]\r\n\r\n", NULL),
        CASE(GET "Host: [2001:db8::192.0.2.1]:80\r\n\r\n", NULL),
        /* framing */
        CASE(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "length_repeated"),
        CASE(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "length_repeated"),
        CASE(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "length_and_chunked"),
        CASE(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "length_and_chunked"),
        CASE(POST "Content-Length: 5, 5\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length:\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: -1\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: +1\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: 0x1\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: 1 2\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: 1.0\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: 9223372036854775808\r\n\r\n", "bad_length"),
        CASE(POST "Content-Length: 18446744073709551621\r\n\r\n", "bad_length"),
        CASE(POST "Content_Length: 5\r\nContent-Length: 5\r\n\r\n", NULL),
        CASE(POST "Transfer-Encoding: identity\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: chunked, identity\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: identity, chunked\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: chunked, chunked\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: xchunked\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: chunkedx\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: \"chunked\"\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: \x0b"
                  "chunked\r\n\r\n",
             "bad_header"),
        CASE(POST "Transfer-Encoding:\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_transfer_encoding"),
        CASE(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", "bad_transfer_encoding"),
        CASE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_transfer_encoding"),
};

/* The head as a malloc'd block of its exact size: the sanitizer sees a read past it. */
static const char *guard_exact(const char *head, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, head, n);
	const char *code = http_guard_check(view_of(copy, n));
	free(copy);
	return code;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *code = guard_exact(cases[i].head, cases[i].n);
		if ((code == NULL) != (cases[i].code == NULL) || (code && strcmp(code, cases[i].code) != 0))
			fail_msg("case %zu: %s gives %s, not %s", i, cases[i].head, code ? code : "good",
			         cases[i].code ? cases[i].code : "good");
	}
}

/* No proper beginning of a good head is good, but for the one that already ends in an empty line: there is none. */
static void test_beginnings(void **state)
{
	static const char head[] = "POST /v1 HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\nX: a b\r\n\r\n";
	(void)state;
	assert_null(guard_exact(head, sizeof(head) - 1));
	for (size_t n = 0; n < sizeof(head) - 1; n++)
		assert_non_null(guard_exact(head, n));
}

/* Every octet in every place: what passes may differ from the good head only where any visible octet is good. */
static void test_every_octet(void **state)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
	(void)state;
	for (size_t at = 0; at < sizeof(head) - 1; at++) {
		for (int octet = 0; octet < 256; octet++) {
			char changed[sizeof(head)];
			memcpy(changed, head, sizeof(head));
			changed[at] = (char)octet;
			bool control = (octet < 0x20 && octet != '\t') || octet == 0x7f;
			if (control && octet != head[at])
				assert_non_null(guard_exact(changed, sizeof(head) - 1));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_cases),
	        cmocka_unit_test(test_beginnings),
	        cmocka_unit_test(test_every_octet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
