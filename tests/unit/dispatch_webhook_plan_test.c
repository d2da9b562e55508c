/* When a webhook is posted again, when an endpoint is down, when its failover URL is used. */
#include "dispatch_webhook_plan.h"

#include "base_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct webhook_plan shipped = {.base_ms = 5000, .max_ms = 86400000};

static void test_schedule(void **state)
{
	static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
	int64_t all_ms = 0;
	(void)state;
	for (int i = 0; i < 9; i++) {
		assert_int_equal(webhook_plan_wait_ms(&shipped, i + 1, 0, 0), seconds[i] * 1000);
		assert_int_equal(webhook_plan_wait_ms(&shipped, i + 1, 0, 1000), seconds[i] * 1100);
		all_ms += seconds[i] * 1000;
	}
	assert_int_equal(webhook_plan_wait_ms(&shipped, 10, 0, 0), 86400000); /* past the last row: as that */
	assert_int_equal(webhook_plan_wait_ms(&shipped, 1000000, 0, 0), 86400000);
	assert_int_equal(webhook_plan_wait_ms(&shipped, 0, 0, 0), 5000);
	assert_int_equal(webhook_plan_end_ms(&shipped), all_ms);
	assert_int_equal(webhook_plan_end_ms(&shipped) / 1000, 75 * 3600 + 35 * 60 + 5);
}

static void test_chance_only_adds(void **state)
{
	(void)state;
	for (int failed = 1; failed <= 9; failed++)
		for (unsigned chance = 0; chance < 1000; chance += 7) {
			int64_t a = webhook_plan_wait_ms(&shipped, failed, 0, chance);
			int64_t b = webhook_plan_wait_ms(&shipped, failed, 0, chance + 1);
			assert_true(a >= webhook_plan_wait_ms(&shipped, failed, 0, 0));
			assert_true(b >= a);
		}
}

static void test_retry_after(void **state)
{
	(void)state;
	assert_int_equal(webhook_plan_wait_ms(&shipped, 1, 600000, 0), 600000);
	assert_int_equal(webhook_plan_wait_ms(&shipped, 3, 600000, 0), 1800000);         /* never shorter */
	assert_int_equal(webhook_plan_wait_ms(&shipped, 1, INT64_MAX / 2, 0), 86400000); /* nor past the ceiling */
	assert_int_equal(webhook_plan_wait_ms(&shipped, 1, -1, 0), 5000);
}

static void test_in_proportion(void **state)
{
	static const struct webhook_plan quick = {.base_ms = 50, .max_ms = 1000};
	(void)state;
	assert_int_equal(webhook_plan_wait_ms(&quick, 1, 0, 0), 50);
	assert_int_equal(webhook_plan_wait_ms(&quick, 2, 0, 0), 1000); /* 3 s, but for the ceiling */
	assert_int_equal(webhook_plan_end_ms(&quick), 2721050);        /* a hundredth */
}

static struct webhook_round_seen seen(unsigned taken, unsigned failed, unsigned fresh)
{
	return (struct webhook_round_seen){.taken = taken, .failed = failed, .fresh_failed = fresh};
}

static enum webhook_round_end round_of(struct webhook_health *h, struct webhook_round_seen s)
{
	bool turn;
	return webhook_health_round(h, &s, false, &turn);
}

static void test_down(void **state)
{
	struct webhook_health h = {0};
	(void)state;
	assert_int_equal(round_of(&h, seen(0, 0, 0)), WEBHOOK_NOTHING);
	for (int i = 1; i <= LIMIT_WEBHOOK_DOWN_AFTER; i++)
		assert_int_equal(round_of(&h, seen(0, 1, 1)), WEBHOOK_SOME);
	assert_int_equal(h.failures, LIMIT_WEBHOOK_DOWN_AFTER);
	assert_int_equal(round_of(&h, seen(0, 1, 0)), WEBHOOK_SOME); /* a retry says nothing new */
	assert_int_equal(round_of(&h, seen(0, 1, 1)), WEBHOOK_DOWN);
	assert_int_equal(round_of(&h, seen(0, 2, 0)), WEBHOOK_DOWN); /* it stays down until something is taken */
	assert_int_equal(h.down_rounds, 2);
	assert_int_equal(round_of(&h, seen(0, 0, 0)), WEBHOOK_NOTHING);
	assert_int_equal(h.down_rounds, 2);
	assert_int_equal(round_of(&h, seen(1, 15, 15)), WEBHOOK_FINE);
	assert_int_equal(h.down_rounds + h.failures + h.fresh_failures, 0);
	assert_int_equal(round_of(&h, seen(0, LIMIT_WEBHOOK_DOWN_AFTER + 1, LIMIT_WEBHOOK_DOWN_AFTER + 1)),
	                 WEBHOOK_DOWN);
}

static void test_failover(void **state)
{
	struct webhook_health h = {0};
	struct webhook_round_seen bad = seen(0, 1, 1), good = seen(1, 0, 0);
	bool turn;
	(void)state;
	for (int i = 1; i < LIMIT_WEBHOOK_FAILOVER_AFTER; i++) {
		webhook_health_round(&h, &bad, true, &turn);
		assert_false(turn);
	}
	webhook_health_round(&h, &bad, false, &turn);
	assert_false(turn); /* there is none */
	webhook_health_round(&h, &bad, true, &turn);
	assert_true(turn);
	h.failover = true;
	webhook_health_round(&h, &good, true, &turn);
	assert_false(turn);
	assert_true(h.url_failures >= LIMIT_WEBHOOK_FAILOVER_AFTER); /* of the first URL that says nothing */
	h.failover = false;                                          /* its time is over: the first is tried again */
	webhook_health_round(&h, &bad, true, &turn);
	assert_true(turn);
	webhook_health_round(&h, &good, true, &turn);
	assert_int_equal(h.url_failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_schedule),    cmocka_unit_test(test_chance_only_adds),
	        cmocka_unit_test(test_retry_after), cmocka_unit_test(test_in_proportion),
	        cmocka_unit_test(test_down),        cmocka_unit_test(test_failover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
