#include "http_trace.h"
#include "http_sunset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

static const struct {
	const char *text;
	const char *taken; /* NULL: refused */
} traces[] = {
        {"00-" TRACE "-01", "00-" TRACE "-01"},
        {"00-" TRACE "-00", "00-" TRACE "-00"},
        {"cc-" TRACE "-01", "00-" TRACE "-01"},
        {"cc-" TRACE "-01-what-is-to-come", "00-" TRACE "-01"},
        {"00-" TRACE "-01-", NULL},
        {"00-" TRACE "-01 ", NULL},
        {"cc-" TRACE "-01x", NULL},
        {"ff-" TRACE "-01", NULL},
        {"0-" TRACE "-01", NULL},
        {"00-" TRACE "-1", NULL},
        {"00-" TRACE "-0g", NULL},
        {"00-" TRACE, NULL},
        {"00_" TRACE "-01", NULL},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", NULL},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01", NULL},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01", NULL},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", NULL},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", NULL},
        {"00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b70-01", NULL},
        {"", NULL},
};

static void test_traces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++) {
		char to[HTTP_TRACE_BYTES];
		bool ok = http_trace_parse(view_str(traces[i].text), to);
		if (ok != (traces[i].taken != NULL))
			fail_msg("%s: %d", traces[i].text, ok);
		assert_string_equal(to, ok ? traces[i].taken : "");
	}
}

static void test_nul_in_it(void **state)
{
	(void)state;
	char to[HTTP_TRACE_BYTES], text[] = "00-" TRACE "-01";
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char was = text[i];
		text[i] = 0;
		assert_false(http_trace_parse(view_of((const uint8_t *)text, sizeof(text) - 1), to));
		text[i] = was;
	}
	assert_true(http_trace_parse(view_of((const uint8_t *)text, sizeof(text) - 1), to));
}

static void test_made(void **state)
{
	(void)state;
	uint8_t random[24];
	char made[HTTP_TRACE_BYTES], taken[HTTP_TRACE_BYTES];
	for (unsigned i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i + 1);
	http_trace_make(random, made);
	assert_string_equal(made, "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-00");
	assert_true(http_trace_parse(view_str(made), taken));
	assert_string_equal(made, taken);
}

/* Nothing is deprecated yet: rows of this test's own. */
static const struct http_sunset rows[] = {
        {"GET", "/v1/moons/{id}", 1780272000, 1798761599, "https://docs.example/moons"},
        {"POST", "/v1/moons", 1780272000, 0, NULL},
        {NULL, NULL, 0, 0, NULL},
};

static void test_sunset(void **state)
{
	(void)state;
	struct buf to = BUF(500);
	assert_null(http_sunset_find(rows, "GET", "/v1/moons"));
	assert_null(http_sunset_find(rows, "GET", "/v1/stars"));
	assert_null(http_sunset_find(rows + 2, "POST", "/v1/moons"));
	http_sunset_write(http_sunset_find(rows, "GET", "/v1/moons/{id}"), &to);
	assert_string_equal(buf_cstr(&to), "deprecation: @1780272000\r\nsunset: Thu, 31 Dec 2026 23:59:59 GMT\r\n"
	                                   "link: <https://docs.example/moons>; rel=\"deprecation\"\r\n");
	buf_clear(&to);
	http_sunset_write(http_sunset_find(rows, "POST", "/v1/moons"), &to);
	assert_string_equal(buf_cstr(&to), "deprecation: @1780272000\r\n");
	buf_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_traces),
	        cmocka_unit_test(test_nul_in_it),
	        cmocka_unit_test(test_made),
	        cmocka_unit_test(test_sunset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
