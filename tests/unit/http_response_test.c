#include "http_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define FIXED "cache-control: no-store\r\nx-content-type-options: nosniff\r\n"

static const struct {
	int status;
	const char *type;
	const char *extra;
	const char *body;
	bool keep_alive;
	bool head_only;
	const char *text;
} responses[] = {
        {200, "application/json", "", "{}", true, false,
         "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n" FIXED
         "connection: keep-alive\r\n\r\n{}"},
        {200, "application/json", "", "{}", true, true,
         "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n" FIXED
         "connection: keep-alive\r\n\r\n"},
        {202, NULL, "location: /v1/messages/1\r\netag: \"1\"\r\n", "", false, false,
         "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n" FIXED
         "connection: close\r\nlocation: /v1/messages/1\r\netag: \"1\"\r\n\r\n"},
        {204, "text/plain", "", "", true, false, "HTTP/1.1 204 No Content\r\n" FIXED "connection: keep-alive\r\n\r\n"},
        {304, "text/plain", "", "gone", true, false,
         "HTTP/1.1 304 Not Modified\r\n" FIXED "connection: keep-alive\r\n\r\n"},
        {100, NULL, "", "", true, false, "HTTP/1.1 100 Continue\r\n\r\n"},
        {599, NULL, "", "", false, false,
         "HTTP/1.1 599 Unknown\r\ncontent-length: 0\r\n" FIXED "connection: close\r\n\r\n"},
};

static void test_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		struct buf to = BUF(1000);
		http_response_write(&to, responses[i].status, responses[i].type, responses[i].extra,
		                    view_str(responses[i].body), responses[i].keep_alive, responses[i].head_only);
		assert_string_equal(buf_cstr(&to), responses[i].text);
		buf_free(&to);
	}
}

static void test_whole_or_nothing(void **state)
{
	(void)state;
	struct buf whole = BUF(1000);
	http_response_write(&whole, 200, "text/plain", "", VIEW("body"), true, false);
	for (size_t max = 3; max <= whole.n + 3; max++) {
		struct buf to = BUF(max);
		buf_add_str(&to, "old");
		http_response_write(&to, 200, "text/plain", "", VIEW("body"), true, false);
		/* buf_printf needs one octet past its text for a moment; here the last append is the body. */
		assert_true(to.n == 3 ? to.full : to.n == whole.n + 3);
		assert_int_equal(to.full, max < whole.n + 3);
		assert_memory_equal(to.p, "old", 3);
		buf_free(&to);
	}
	buf_free(&whole);
}

static const struct {
	int status;
	const char *code;
	const char *detail;
	unsigned count;
	const char *text;
} problems[] = {
        {404, "not_found", "There is no such message.", 0,
         "{\"type\":\"/problems/not_found\",\"title\":\"Not Found\",\"status\":404,\"code\":\"not_found\","
         "\"detail\":\"There is no such message.\"}"},
        {422, "invalid", "a \"b\"\n\x01", 1,
         "{\"type\":\"/problems/invalid\",\"title\":\"Unprocessable Content\",\"status\":422,\"code\":\"invalid\","
         "\"detail\":\"a \\\"b\\\"\\n\\u0001\",\"errors\":[{\"pointer\":\"/to\",\"code\":\"missing\","
         "\"detail\":\"to is needed.\"}]}"},
        {400, "bad_json", "", 2,
         "{\"type\":\"/problems/bad_json\",\"title\":\"Bad "
         "Request\",\"status\":400,\"code\":\"bad_json\",\"detail\":\"\","
         "\"errors\":[{\"pointer\":\"/to\",\"code\":\"missing\",\"detail\":\"to is needed.\"},"
         "{\"pointer\":\"/a~1b\",\"code\":\"unknown\",\"detail\":\"\\ufffd\\\\\"}]}"},
};

static void test_problems(void **state)
{
	static const struct http_problem_error errors[] = {
	        {"/to", "missing", "to is needed."},
	        {"/a~1b", "unknown", "\xff\\"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		struct buf to = BUF(1000);
		http_problem_write(&to, problems[i].status, problems[i].code, problems[i].detail, errors,
		                   problems[i].count);
		char expected[1000];
		assert_true(copy_str(expected, sizeof(expected), problems[i].text));
		const char *replaced = strstr(expected, "\\ufffd"); /* U+FFFD is written as UTF-8 */
		if (replaced) {
			char *at = expected + (replaced - expected);
			memcpy(at, "\xef\xbf\xbd", 3);
			memmove(at + 3, at + 6, strlen(at + 6) + 1);
		}
		assert_string_equal(buf_cstr(&to), expected);
		buf_free(&to);
	}
}

static void test_problem_whole_or_nothing(void **state)
{
	(void)state;
	struct buf to = BUF(40);
	http_problem_write(&to, 404, "not_found", "There is no such message.", NULL, 0);
	assert_true(to.full);
	assert_int_equal(to.n, 0);
	buf_free(&to);
}

static void test_phrases(void **state)
{
	(void)state;
	assert_string_equal(http_reason_phrase(202), "Accepted");
	assert_string_equal(http_reason_phrase(505), "HTTP Version Not Supported");
	assert_string_equal(http_reason_phrase(0), "Unknown");
	assert_string_equal(http_reason_phrase(-1), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_responses), cmocka_unit_test(test_whole_or_nothing),
	        cmocka_unit_test(test_problems),  cmocka_unit_test(test_problem_whole_or_nothing),
	        cmocka_unit_test(test_phrases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
