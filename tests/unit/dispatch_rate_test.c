/* The shared rate of a sender: never above rate and slack, nothing lost to who comes a little late, texts of several
 * segments borrow, and a clock that was moved does no harm. */
#include "base_limits.h"
#include "dispatch_rate.h"
#include "seeded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW (INT64_C(1000) * SECOND_US)

static const struct rate ten = {SECOND_US / 10, SECOND_US / 10};

static void who_never_sent_has_the_slack_and_one(void **state)
{
	(void)state;
	assert_int_equal(rate_allows(&ten, 0, NOW), 2);
	assert_int_equal(rate_allows(&ten, NOW, NOW), 2);
	const struct rate slow = {10 * SECOND_US, SECOND_US / 10};
	assert_int_equal(rate_allows(&slow, NOW, NOW), 1);
}

static void ready_is_when_it_allows(void **state)
{
	(void)state;
	int64_t next = rate_spent_us(&ten, NOW, 2, NOW);
	assert_int_equal(rate_allows(&ten, next, NOW), 0);
	for (unsigned n = 1; n <= 2; n++) {
		int64_t ready = rate_ready_us(&ten, next, n, NOW);
		assert_true(rate_allows(&ten, next, ready - 1) < n);
		assert_int_equal(rate_allows(&ten, next, ready), n);
	}
	assert_true(rate_ready_us(&ten, NOW, 1, NOW) <= NOW);
}

static void several_segments_borrow(void **state)
{
	(void)state;
	int64_t next = rate_spent_us(&ten, NOW, LIMIT_PARTS_OUT, NOW);
	assert_int_equal(rate_ready_us(&ten, next, 1, NOW), NOW + (LIMIT_PARTS_OUT - 1) * ten.each_us);
	assert_int_equal(rate_allows(&ten, next, NOW + (LIMIT_PARTS_OUT - 1) * ten.each_us), 1);
}

static void turns_that_are_taken_late_are_not_lost(void **state)
{
	(void)state;
	seeded_start("dispatch_rate_late");
	for (int64_t each = SECOND_US / 100; each <= 4 * SECOND_US; each *= 2) {
		const struct rate r = {each, SECOND_US / 10};
		int64_t next = 0;
		for (int turn = 0; turn < 300; turn++) {
			int64_t now = NOW + turn * each + seeded_between(0, r.slack_us);
			if (rate_allows(&r, next, now) == 0)
				fail_msg("each %lld us: turn %d was lost", (long long)each, turn);
			next = rate_spent_us(&r, next, 1, now);
		}
	}
}

static void a_clock_that_was_moved_back_does_not_stop_it(void **state)
{
	(void)state;
	int64_t next = rate_spent_us(&ten, 0, 5, NOW + DAY_US);
	assert_int_equal(rate_allows(&ten, next, NOW), 2);
	assert_int_equal(rate_spent_us(&ten, next, 1, NOW), NOW + ten.each_us);
	assert_true(rate_ready_us(&ten, next, 1, NOW) <= NOW);
}

/* Several gateways with clocks that differ a little, by one instant: in no stretch more than rate, slack and one. */
static void property_never_above_the_rate(void **state)
{
	(void)state;
	seeded_start("dispatch_rate");
	for (int round = 0; round < 300; round++) {
		const struct rate r = {seeded_between(1000, 3 * SECOND_US), seeded_between(0, SECOND_US / 5)};
		int64_t now = NOW, next = 0, sent_at[400];
		int sent = 0;
		for (int step = 0; step < 400 && sent < 390; step++) {
			unsigned n = rate_allows(&r, next, now);
			for (unsigned i = 0; i < n && sent < 400 && seeded_between(0, 9); i++) {
				next = rate_spent_us(&r, next, 1, now);
				sent_at[sent++] = now;
			}
			now += seeded_between(0, 2 * r.each_us);
		}
		for (int i = 0; i < sent; i++)
			for (int k = i; k < sent; k += 7)
				assert_true((k - i) * r.each_us <= sent_at[k] - sent_at[i] + r.slack_us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(who_never_sent_has_the_slack_and_one),
	        cmocka_unit_test(ready_is_when_it_allows),
	        cmocka_unit_test(several_segments_borrow),
	        cmocka_unit_test(turns_that_are_taken_late_are_not_lost),
	        cmocka_unit_test(a_clock_that_was_moved_back_does_not_stop_it),
	        cmocka_unit_test(property_never_above_the_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
