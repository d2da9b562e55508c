/* The texts of the ledger, to the octet. That PostgreSQL's functions make the same is seen by tests/sql/ledger.sql,
 * which compares with the same literals, and by every `smsbridge ledger verify` of the black-box tests. */
#include "dispatch_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct buf out;

static const char *time_of(const char *printed)
{
	buf_clear(&out);
	dispatch_ledger_time(printed, &out);
	return buf_cstr(&out);
}

static void times(void **state)
{
	(void)state;
	assert_string_equal(time_of("2026-03-02 15:00:00+00"), "2026-03-02T15:00:00.000000Z");
	assert_string_equal(time_of("2026-03-02 15:00:00.5+00"), "2026-03-02T15:00:00.500000Z");
	assert_string_equal(time_of("2026-03-02 15:00:00.123456+00"), "2026-03-02T15:00:00.123456Z");
	assert_string_equal(time_of("12026-03-02 15:00:00+00"), "12026-03-02T15:00:00.000000Z");
	static const char *const as_they_are[] = {"infinity",
	                                          "-infinity",
	                                          "2026-03-02 15:00:00+00 BC",
	                                          "2026-03-02 15:00:00-05",
	                                          "2026-03-02 15:00:00.1234567+00",
	                                          "2026-03-02 15:00:00.+00",
	                                          "2026-03-02",
	                                          "26-03-02 15:00:00+00",
	                                          ""};
	for (size_t i = 0; i < sizeof(as_they_are) / sizeof(*as_they_are); i++)
		assert_string_equal(time_of(as_they_are[i]), as_they_are[i]);
}

static void events(void **state)
{
	(void)state;
	static const char *const columns[LEDGER_COLUMNS] = {"11111111-1111-7111-8111-111111111111",
	                                                    "740",
	                                                    "17",
	                                                    NULL,
	                                                    "reply.received",
	                                                    "2026-03-02 15:00:00+00",
	                                                    "2026-03-02 15:00:00.25+00",
	                                                    "+12025550101",
	                                                    "a \"b\" \\ / \b\f\n\r\t\001\177 \xc3\xa9",
	                                                    NULL,
	                                                    "{\"a\": \"x\\ny\"}"};
	buf_clear(&out);
	dispatch_ledger_event(columns, &out);
	assert_string_equal(buf_cstr(&out),
	                    "[\"11111111-1111-7111-8111-111111111111\", \"740\", 17, null, \"reply.received\", "
	                    "\"2026-03-02T15:00:00.000000Z\", \"2026-03-02T15:00:00.250000Z\", \"+12025550101\", "
	                    "\"a \\\"b\\\" \\\\ / \\b\\f\\n\\r\\t\\u0001\177 \xc3\xa9\", null, "
	                    "\"{\\\"a\\\": \\\"x\\\\ny\\\"}\"]");
}

static void lines(void **state)
{
	(void)state;
	struct ledger_entry e = {.number = 1001,
	                         .practice = "11111111-1111-7111-8111-111111111111",
	                         .xact = "740",
	                         .id = "17",
	                         .at = "2026-03-02 15:00:00+00",
	                         .type = "reply.received"};
	memset(e.hash, 0xab, sizeof(e.hash));
	buf_clear(&out);
	dispatch_ledger_line(&e, &out);
	assert_string_equal(buf_cstr(&out), "abababababababababababababababababababababababababababababababab 1001 "
	                                    "11111111-1111-7111-8111-111111111111 740 17 2026-03-02T15:00:00.000000Z "
	                                    "reply.received\n");
}

static void statements(void **state)
{
	(void)state;
	struct ledger_seal s = {2,
	                        1001,
	                        2000,
	                        "2026-03-02 15:00:00+00",
	                        "2026-03-02 16:00:00+00",
	                        "d1d1",
	                        "0e0e",
	                        "2026-03-02 16:00:05+00",
	                        "3"};
	buf_clear(&out);
	dispatch_ledger_seal(&s, &out);
	assert_string_equal(buf_cstr(&out),
	                    "smsbridge seal 2\nevents 1001 2000\ntimes 2026-03-02T15:00:00.000000Z "
	                    "2026-03-02T16:00:00.000000Z\ndigest d1d1\nprevious 0e0e\nat 2026-03-02T16:00:05.000000Z\n"
	                    "key 3\n");
	s.key = NULL;
	buf_clear(&out);
	dispatch_ledger_seal(&s, &out);
	assert_non_null(strstr(buf_cstr(&out), "\nkey none\n"));
	struct ledger_key k = {.id = 2, .previous = "1", .at = "2026-03-02 16:00:05+00"};
	buf_clear(&out);
	dispatch_ledger_key(&k, &out);
	assert_string_equal(buf_cstr(&out),
	                    "smsbridge ledger key 2\npublic "
	                    "0000000000000000000000000000000000000000000000000000000000000000\nprevious 1\n"
	                    "at 2026-03-02T16:00:05.000000Z\n");
}

static int free_out(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(times),
	        cmocka_unit_test(events),
	        cmocka_unit_test(lines),
	        cmocka_unit_test(statements),
	};
	out = BUF(4096);
	return cmocka_run_group_tests(tests, NULL, free_out);
}
