#include "http_chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define MAX_BODY 32
#define CASE(octets, used, code, done)                                                                                 \
	{                                                                                                              \
		(octets), sizeof(octets) - 1, (used), (code), (done)                                                   \
	}

/* What the guard alone says: llhttp behind it must not be what makes a case fail. */
static const struct chunk_case {
	const char *octets;
	size_t n;
	size_t used;
	const char *code;
	bool done;
} cases[] = {
        CASE("", 0, NULL, false),
        CASE("0\r\n\r\n", 5, NULL, true),
        CASE("0\r\n\r\nGET", 5, NULL, true),
        CASE("1\r\n\n\r\n0\r\n\r\n", 11, NULL, true),
        CASE("a;b\r\n0123456789\r\n0\r\n\r\n", 22, NULL, true),
        CASE("00\r\nA: b\r\nC:\r\n\r\n", 16, NULL, true),
        CASE("20\r\n", 4, NULL, false),
        CASE("21\r\n", 3, "body_too_large", false),
        CASE("1\r\nx\r\n20\r\n", 9, "body_too_large", false),
        CASE("000000000000001\r\nx", 18, NULL, false),
        CASE("0000000000000001\r\nx", 15, "bad_chunk", false),
        CASE("\r\n", 0, "bad_chunk", false),
        CASE(";a\r\n", 0, "bad_chunk", false),
        CASE("1\n", 1, "bad_chunk", false),
        CASE("1 \r\n", 1, "bad_chunk", false),
        CASE("1\rx", 2, "bad_chunk", false),
        CASE("1\r\r\n", 2, "bad_chunk", false),
        CASE("1;a\n", 3, "bad_chunk", false),
        CASE("1;a\rb", 4, "bad_chunk", false),
        CASE("1;\0", 2, "bad_chunk", false),
        CASE("1;\x7f", 2, "bad_chunk", false),
        CASE("1\r\nxy", 4, "bad_chunk", false),
        CASE("1\r\nx\n", 4, "bad_chunk", false),
        CASE("1\r\nx\rx", 5, "bad_chunk", false),
        CASE("0\r\n\n", 3, "bad_trailer", false),
        CASE("0\r\n\rX", 4, "bad_trailer", false),
        CASE("0\r\n A: b\r\n", 3, "bad_trailer", false),
        CASE("0\r\nA: b\r\n c", 9, "bad_trailer", false),
        CASE("0\r\nA : b\r\n", 4, "bad_trailer", false),
        CASE("0\r\nA\r\n", 4, "bad_trailer", false),
        CASE("0\r\n:\r\n", 3, "bad_trailer", false),
        CASE("0\r\nA: b\n", 7, "bad_trailer", false),
        CASE("0\r\nA: b\rc", 8, "bad_trailer", false),
        CASE("0\r\nA: b\0", 7, "bad_trailer", false),
};

static void expect(const struct chunk_case *c, size_t step)
{
	struct http_chunk chunk;
	const char *code = NULL;
	size_t at = 0;
	size_t used = 1;
	http_chunk_start(&chunk, MAX_BODY);
	for (; at < c->n && !code && used; at += used) {
		size_t n = c->n - at < step ? c->n - at : step;
		code = http_chunk_check(&chunk, view_of(c->octets + at, n), &used);
		assert_true(used <= n);
	}
	if (at != c->used || http_chunk_done(&chunk) != c->done || strcmp(code ? code : "", c->code ? c->code : ""))
		fail_msg("case %td, step %zu: used %zu, %s", c - cases, step, at, code ? code : "good");
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= cases[i].n + 1; step++)
			expect(&cases[i], step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
