#include "http_etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct etag_case {
	const char *lines; /* header lines' values, '|' between them; NULL: no header */
	bool weak_fits;
	enum http_etag_list list;
	const char *versions; /* "1 2" */
};

static const struct etag_case cases[] = {
        {NULL, false, HTTP_ETAG_ABSENT, ""},
        {"*", false, HTTP_ETAG_ANY, ""},
        {"\"7\"", false, HTTP_ETAG_SOME, "7"},
        {"\"7\", \"8\"", false, HTTP_ETAG_SOME, "7 8"},
        {"\"7\",\"8\"|\"9\"", false, HTTP_ETAG_SOME, "7 8 9"},
        {", \"7\" ,, \t\"8\",", false, HTTP_ETAG_SOME, "7 8"},
        {"W/\"7\"", false, HTTP_ETAG_SOME, ""},
        {"W/\"7\"", true, HTTP_ETAG_SOME, "7"},
        {"\"\"", false, HTTP_ETAG_SOME, ""},
        {"\"07\", \"+7\", \"-7\", \"7a\", \"0\"", false, HTTP_ETAG_SOME, ""},
        {"\"7,8\"", false, HTTP_ETAG_SOME, ""},
        {"\"999999999999999999\"", false, HTTP_ETAG_SOME, "999999999999999999"},
        {"\"1000000000000000000\"", false, HTTP_ETAG_SOME, ""},
        {"\"99999999999999999999999999\"", false, HTTP_ETAG_SOME, ""},
        {"7", false, HTTP_ETAG_BAD, NULL},
        {"\"7", false, HTTP_ETAG_BAD, NULL},
        {"\"", false, HTTP_ETAG_BAD, NULL},
        {"w/\"7\"", true, HTTP_ETAG_BAD, NULL},
        {"W/", true, HTTP_ETAG_BAD, NULL},
        {"\"7\" \"8\"", false, HTTP_ETAG_BAD, NULL},
        {"\"7\"8", false, HTTP_ETAG_BAD, NULL},
        {"\"7 8\"", false, HTTP_ETAG_BAD, NULL},
        {"\"7\", *", false, HTTP_ETAG_BAD, NULL},
        {"*|*", false, HTTP_ETAG_BAD, NULL},
        {"*|\"7\"", false, HTTP_ETAG_BAD, NULL},
        {"", false, HTTP_ETAG_BAD, NULL},
        {" , ,", false, HTTP_ETAG_BAD, NULL},
};

/* The header's lines of a case, in a request among others. */
static void request_of(const char *lines, struct http_request *r)
{
	*r = (struct http_request){0};
	r->header[r->headers++] = (struct http_header){VIEW("Host"), VIEW("example")};
	while (lines) {
		const char *bar = strchr(lines, '|');
		size_t n = bar ? (size_t)(bar - lines) : strlen(lines);
		r->header[r->headers++] = (struct http_header){VIEW("IF-Match"), view_of((const uint8_t *)lines, n)};
		lines = bar ? bar + 1 : NULL;
	}
	r->header[r->headers++] = (struct http_header){VIEW("If-None-Match"), VIEW("\"99\"")};
}

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct http_request r;
		struct buf text = BUF(1000);
		request_of(cases[i].lines, &r);
		struct http_etags e = http_etag_read(&r, "if-match", cases[i].weak_fits);
		if (e.list != cases[i].list)
			fail_msg("%s: list %d, not %d", cases[i].lines, e.list, cases[i].list);
		for (unsigned v = 0; v < e.count; v++)
			buf_printf(&text, "%s%lld", v ? " " : "", (long long)e.version[v]);
		if (cases[i].versions)
			assert_string_equal(buf_cstr(&text), cases[i].versions);
		buf_free(&text);
	}
}

static void test_ceiling(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= LIMIT_HTTP_ETAGS + 2; n++) {
		struct http_request r;
		struct buf text = BUF(1000);
		for (unsigned i = 1; i <= n; i++)
			buf_printf(&text, "%s\"%u\"", i > 1 ? "," : "", i);
		request_of(buf_cstr(&text), &r);
		struct http_etags e = http_etag_read(&r, "If-Match", false);
		assert_int_equal(e.list, n <= LIMIT_HTTP_ETAGS ? HTTP_ETAG_SOME : HTTP_ETAG_BAD);
		assert_int_equal(http_etag_fits(&e, n), n <= LIMIT_HTTP_ETAGS);
		buf_free(&text);
	}
}

static bool fits(const char *lines, int64_t version)
{
	struct http_request r;
	request_of(lines, &r);
	struct http_etags e = http_etag_read(&r, "if-match", false);
	return http_etag_fits(&e, version);
}

static void test_fits(void **state)
{
	(void)state;
	assert_true(fits("\"7\", \"8\"", 8));
	assert_false(fits("\"7\", \"8\"", 9));
	assert_true(fits("*", 1));
	assert_false(fits("*", 0));
	assert_false(fits("\"0\"", 0));
	assert_false(fits(NULL, 1));
	assert_false(fits("7", 7));
}

static void test_format(void **state)
{
	(void)state;
	char to[HTTP_ETAG_BYTES];
	assert_string_equal(http_etag_format(1, to), "\"1\"");
	assert_string_equal(http_etag_format(INT64_MAX, to), "\"9223372036854775807\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_lists),
	        cmocka_unit_test(test_ceiling),
	        cmocka_unit_test(test_fits),
	        cmocka_unit_test(test_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
