/* validity_period: exactly 16 characters, relative and absolute (trap 43). */
#include "smpp_time.h"

#include "base_time.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void trap_43_relative(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
	        {0, "000000000000000R"},         {-5, "000000000000000R"},      {1, "000000000001000R"},
	        {59, "000000000059000R"},        {3600, "000000010000000R"},    {86399, "000000235959000R"},
	        {86400, "000001000000000R"},     {8640000, "000099235959000R"}, {90061, "000001010101000R"},
	        {INT64_MAX, "000099235959000R"},
	};
	char to[SMPP_TIME_TEXT_BYTES];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(smpp_time_relative(cases[i].seconds, to), cases[i].text);
		assert_int_equal(strlen(to), 16);
	}
}

static void trap_43_absolute(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	        {"2026-03-02T21:30:00-06:00", "260303033000000+"},
	        {"2026-12-31T23:59:59.95Z", "261231235959900+"},
	        {"2000-01-01T00:00:00Z", "000101000000000+"},
	        {"2099-12-31T00:00:00.05Z", "991231000000000+"},
	};
	char to[SMPP_TIME_TEXT_BYTES];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t at_us;
		assert_true(time_parse(view_str(cases[i][0]), &at_us));
		assert_string_equal(smpp_time_absolute(at_us, to), cases[i][1]);
		assert_int_equal(strlen(to), 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trap_43_relative),
	        cmocka_unit_test(trap_43_absolute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
