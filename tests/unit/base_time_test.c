/* Dates against a table and against the C library's own timegm; RFC 3339 texts, good and bad. */
#include "base_time.h"
#include "seeded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us; /* -1: refused */
	} rows[] = {
	        {"1970-01-01T00:00:00Z", 0},
	        {"2026-03-02T21:30:00-06:00", INT64_C(1772508600000000)},
	        {"2026-03-02t21:30:00.5z", INT64_C(1772487000500000)},
	        {"2026-03-02T21:30:00.123456789Z", INT64_C(1772487000123456)},
	        {"2024-02-29T00:00:00Z", INT64_C(1709164800000000)},
	        {"9999-12-31T23:59:59Z", INT64_C(253402300799000000)},
	        {"2023-02-29T00:00:00Z", -1},
	        {"2026-13-01T00:00:00Z", -1},
	        {"2026-00-01T00:00:00Z", -1},
	        {"2026-04-31T00:00:00Z", -1},
	        {"2026-03-02T24:00:00Z", -1},
	        {"2026-03-02T23:60:00Z", -1},
	        {"2026-03-02T23:59:60Z", -1},
	        {"2026-03-02T21:30:00", -1},
	        {"2026-03-02 21:30:00Z", -1},
	        {"2026-03-02T21:30Z", -1},
	        {"2026-03-02T21:30:00.Z", -1},
	        {"2026-03-02T21:30:00.1234567890Z", -1},
	        {"2026-03-02T21:30:00+0600", -1},
	        {"2026-03-02T21:30:00+24:00", -1},
	        {"2026-03-02T21:30:00Zx", -1},
	        {"1969-12-31T23:59:59Z", -1},
	        {"1970-01-01T00:00:00+00:01", -1},
	        {"", -1},
	        {"+026-03-02T21:30:00Z", -1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t us = -1;
		bool ok = time_parse(view_str(rows[i].text), &us);
		if (ok != (rows[i].us >= 0) || (ok && us != rows[i].us))
			fail_msg("%s: got %d, %lld", rows[i].text, ok, (long long)us);
	}
}

static void test_civil_agrees_with_libc(void **state)
{
	seeded_start(__func__);
	(void)state;
	for (int i = 0; i < 20000; i++) {
		time_t t = (time_t)(seeded_next() % UINT64_C(253402300800));
		struct tm tm;
		struct civil c = time_civil(t);
		gmtime_r(&t, &tm);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour * 3600 + c.minute * 60 + c.second,
		                 tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
		assert_int_equal(time_seconds(&c), t);
		assert_int_equal(time_weekday(time_days(c.year, c.month, c.day)), tm.tm_wday);
	}
}

static void test_format_and_back(void **state)
{
	seeded_start(__func__);
	char text[TIME_TEXT_BYTES];
	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t us = (int64_t)(seeded_next() % UINT64_C(253402300800000000));
		int64_t back;
		assert_true(time_parse(view_str(time_format(us, text)), &back));
		assert_int_equal(back, us);
	}
}

static void test_moved_clock(void **state)
{
	struct clock c;
	(void)state;
	clock_start(&c, 1000 * SECOND_US, 100);
	int64_t now = clock_read(&c);
	assert_in_range(now, 1000 * SECOND_US, 1000 * SECOND_US + 60 * SECOND_US);
	assert_int_equal(clock_delay_ms(&c, now, now), 0);
	assert_int_equal(clock_delay_ms(&c, now, now - 1), 0);
	assert_in_range(clock_delay_ms(&c, now, now + 100 * SECOND_US), 1000, 1002);
	assert_int_equal(floor_div(-1, 86400), -1);
	assert_int_equal(floor_div(-86400, 86400), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_civil_agrees_with_libc),
	                                   cmocka_unit_test(test_format_and_back), cmocka_unit_test(test_moved_clock)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
