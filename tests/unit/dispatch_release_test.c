/* When what waits for opening hours comes due: each message at a time of its own, within the spread, before the hours
 * close and before it expires; and which opt-outs stop a class. */
#include "dispatch_facts.h"
#include "dispatch_release.h"
#include "policy_fixture.h"
#include "policy_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 2026-03-03 08:00 in New York. */
#define OPENS (INT64_C(1772542800) * SECOND_US)
#define SPREAD (10 * MINUTE_US)

static struct zone *new_york;

static struct policy_facts reminder(void)
{
	return (struct policy_facts){.category = CATEGORY_appointment_reminder,
	                             .expires_at_us = OPENS + 8 * DAY_US,
	                             .zone = {new_york},
	                             .zones = 1};
}

static struct uuid numbered(uint32_t n)
{
	struct uuid id = {{0}};
	memcpy(id.b, &n, sizeof(n));
	return id;
}

static int64_t due(const struct policy_facts *f, uint32_t n, int64_t until_us, int64_t spread_us)
{
	struct uuid id = numbered(n);
	return release_due_us(policy_pack_rules(PACK_today), f, &id, until_us, spread_us);
}

/* covers: rule release */
static void each_has_its_own_place_in_the_spread(void **state)
{
	struct policy_facts f = reminder();
	unsigned minute[10] = {0};
	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		int64_t at_us = due(&f, n, OPENS, SPREAD);
		assert_true(at_us >= OPENS && at_us < OPENS + SPREAD);
		assert_int_equal(at_us, due(&f, n, OPENS, SPREAD)); /* the same at every look */
		minute[(at_us - OPENS) / MINUTE_US]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(minute[i], 60, 140);
}

static void without_a_spread_all_come_at_once(void **state)
{
	struct policy_facts f = reminder();
	(void)state;
	assert_int_equal(due(&f, 7, OPENS, 0), OPENS);
}

static void what_waits_for_something_else_comes_at_its_instant(void **state)
{
	struct policy_facts f = reminder();
	(void)state;
	assert_int_equal(due(&f, 7, OPENS + 1, SPREAD), OPENS + 1); /* open already: a cap's end */
	assert_int_equal(due(&f, 7, OPENS + 3 * HOUR_US, SPREAD), OPENS + 3 * HOUR_US);
	f.category = CATEGORY_emergency; /* bound to no hours */
	assert_int_equal(due(&f, 7, OPENS, SPREAD), OPENS);
}

/* covers: rule release */
static void never_past_the_close_or_the_expiry(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		struct policy_facts f = reminder();
		f.expires_at_us = OPENS + 20 * SECOND_US;
		assert_true(due(&f, n, OPENS, SPREAD) < OPENS + 10 * SECOND_US);
		f.expires_at_us = OPENS + 1;
		assert_int_equal(due(&f, n, OPENS, SPREAD), OPENS);
		f = reminder();
		f.practice_open_minute = 480;
		f.practice_close_minute = 486; /* a minute, less the guard of five */
		assert_true(due(&f, n, OPENS, SPREAD) <= OPENS + 30 * SECOND_US);
	}
}

static void which_opt_outs_stop_a_class(void **state)
{
	const struct policy_rules *today = policy_pack_rules(PACK_today);
	const struct policy_rules *choice = policy_pack_rules(PACK_fcc_26_67);
	(void)state;
	assert_false(dispatch_opted_out(today, "", "survey"));
	assert_true(dispatch_opted_out(today, "/", "survey"));
	assert_true(dispatch_opted_out(today, "/payment", "survey")); /* of one kind: ends every kind */
	assert_false(dispatch_opted_out(choice, "/payment", "survey"));
	assert_false(dispatch_opted_out(choice, "/payment/promotional", "survey"));
	assert_true(dispatch_opted_out(choice, "/payment/survey", "survey"));
	assert_true(dispatch_opted_out(choice, "/payment/", "survey"));
	assert_true(dispatch_opted_out(choice, "//payment", "survey"));
	assert_false(dispatch_opted_out(choice, "/surveys", "survey"));
	assert_true(dispatch_opted_out(NULL, "/payment", "survey")); /* no rules in force */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_has_its_own_place_in_the_spread),
	        cmocka_unit_test(without_a_spread_all_come_at_once),
	        cmocka_unit_test(what_waits_for_something_else_comes_at_its_instant),
	        cmocka_unit_test(never_past_the_close_or_the_expiry),
	        cmocka_unit_test(which_opt_outs_stop_a_class),
	};
	new_york = fixture_zone("America/New_York");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	policy_zone_free(new_york);
	return failed;
}
