#include "dispatch_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct dispatch_carrier carriers[] = {{.name = "east"}, {.name = "west"}, {.name = "far west"}};

static uint32_t read_for(unsigned count, const char *lines, struct policy_facts *facts)
{
	struct dispatch d = {.carriers = carriers, .config.carrier_count = count};
	*facts = (struct policy_facts){0};
	return hold_read(&d, view_str(lines), facts);
}

static void nothing_holds(void **state)
{
	(void)state;
	struct policy_facts f;
	assert_int_equal(read_for(3, "", &f), 0);
	assert_int_equal(f.hold, REASON_none);
	assert_int_equal(f.hold_until_us, 0);
	assert_int_equal(read_for(3, "carrier_rate 100 north", &f), 0); /* no longer configured */
	assert_int_equal(f.hold, REASON_none);
}

static void one_carrier_held_leaves_the_others(void **state)
{
	(void)state;
	struct policy_facts f;
	assert_int_equal(read_for(3, "carrier_rate 100 far west", &f), 4);
	assert_int_equal(f.hold, REASON_none);
	assert_int_equal(f.hold_until_us, 0);
	assert_int_equal(read_for(2, "carrier_daily_cap 100 west\nsender_stopped - east", &f), 3);
	assert_int_equal(f.hold, REASON_carrier_daily_cap); /* the one that ends first */
	assert_int_equal(f.hold_until_us, 100);
}

static void of_two_holds_of_a_carrier_the_longer_counts(void **state)
{
	(void)state;
	struct policy_facts f;
	assert_int_equal(read_for(1, "carrier_rate 100 east\ncarrier_daily_cap 900 east", &f), 1);
	assert_int_equal(f.hold, REASON_carrier_daily_cap);
	assert_int_equal(f.hold_until_us, 900);
	assert_int_equal(read_for(1, "sender_stopped - east\ncarrier_daily_cap 900 east", &f), 1);
	assert_int_equal(f.hold, REASON_sender_stopped);
	assert_true(f.hold_until_us == TIME_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_holds),
	        cmocka_unit_test(one_carrier_held_leaves_the_others),
	        cmocka_unit_test(of_two_holds_of_a_carrier_the_longer_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
