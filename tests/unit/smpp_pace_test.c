/* The pace of a session: never above its rate, down when the carrier complains, up again afterwards. */
#include "seeded.h"
#include "smpp_pace.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* Takes all that is allowed every step_ms until until_ms; how many went. */
static unsigned run(struct smpp_pace *p, int64_t *now_ms, int64_t until_ms, int64_t step_ms)
{
	unsigned sent = 0;
	for (; *now_ms < until_ms; *now_ms += step_ms) {
		unsigned n = smpp_pace_allows(p, *now_ms);
		if (n > 1000)
			n = 1000;
		smpp_pace_spend(p, n, *now_ms);
		sent += n;
	}
	return sent;
}

static void no_rate_is_no_limit(void **state)
{
	(void)state;
	struct smpp_pace p;
	smpp_pace_init(&p, 0, 0);
	assert_int_equal(smpp_pace_allows(&p, 0), UINT32_MAX);
	smpp_pace_spend(&p, 100000, 0);
	assert_int_equal(smpp_pace_allows(&p, 0), UINT32_MAX);
}

static void a_rate_holds_at_any_step(void **state)
{
	(void)state;
	static const double rates[] = {0.5, 1, 3, 10, 75, 1000};
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		for (int64_t step = 1; step < 500; step = step * 3 + 1) {
			struct smpp_pace p;
			int64_t now = 5000;
			smpp_pace_init(&p, rates[i], now);
			double sent = run(&p, &now, now + 60000, step);
			double most = rates[i] * 60 + 1 + rates[i] * 0.1;
			double least = step > 90 ? 0 : rates[i] * 60 * 0.8 - 2;
			if (sent > most || sent < least)
				fail_msg("rate %g step %d: %g in a minute", rates[i], (int)step, sent);
		}
}

/* Who is given turns a segment's time apart, and comes to each a little late, finds every one still there. */
static void turns_that_are_taken_late_are_not_lost(void **state)
{
	(void)state;
	static const double rates[] = {0.5, 1, 3, 9, 12, 40};
	seeded_start("smpp_pace_late");
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct smpp_pace p;
		smpp_pace_init(&p, rates[i], 0);
		for (int turn = 1; turn <= 300; turn++) {
			int64_t now = (int64_t)(1000.0 * turn / rates[i]) + 1 + seeded_between(0, 98);
			if (smpp_pace_allows(&p, now) == 0)
				fail_msg("rate %g: turn %d was lost", rates[i], turn);
			smpp_pace_spend(&p, 1, now);
		}
	}
}

static void several_segments_borrow(void **state)
{
	(void)state;
	struct smpp_pace p;
	smpp_pace_init(&p, 1, 0);
	assert_int_equal(smpp_pace_allows(&p, 1000), 1);
	smpp_pace_spend(&p, 3, 1000);
	assert_int_equal(smpp_pace_allows(&p, 3900), 0);
	assert_int_equal(smpp_pace_ready_ms(&p, 3900), 4001);
	assert_int_equal(smpp_pace_allows(&p, 4001), 1);
}

static void trap_21_a_throttle_pauses_and_halves(void **state)
{
	(void)state;
	struct smpp_pace p;
	int64_t now = 0;
	smpp_pace_init(&p, 100, now);
	run(&p, &now, 3000, 10);
	assert_true(smpp_pace_refused(&p, false, 0, now));
	assert_false(smpp_pace_refused(&p, false, 0, now + 100)); /* the same word */
	assert_int_equal(smpp_pace_allows(&p, now + 249), 0);
	assert_true(smpp_pace_ready_ms(&p, now) >= now + 250);
	now += 250;
	unsigned next = run(&p, &now, now + 1000, 10);
	if (next < 40 || next > 65)
		fail_msg("%u in the second after", next);
	unsigned later = run(&p, &now, now + 20000, 10);
	assert_true(later > 1500); /* back at full rate within ten seconds */
	smpp_pace_taken(&p);
	assert_true(smpp_pace_refused(&p, false, 0, now));
	assert_int_equal(p.pause_ms, 500);
}

static void trap_22_a_full_queue_pauses_longer(void **state)
{
	(void)state;
	struct smpp_pace p;
	smpp_pace_init(&p, 0, 0);
	assert_true(smpp_pace_refused(&p, true, 0, 0));
	assert_int_equal(p.paused_until_ms, 1000);
	int64_t now = p.paused_until_ms;
	for (int i = 0; i < 20; i++) {
		assert_true(smpp_pace_refused(&p, true, UINT32_MAX, now));
		assert_true(p.paused_until_ms - now <= 22500);
		now = p.paused_until_ms;
	}
	assert_int_equal(p.pause_ms, 15000);
}

static void without_a_rate_a_throttle_is_learned_and_forgotten(void **state)
{
	(void)state;
	struct smpp_pace p;
	int64_t now = 0;
	smpp_pace_init(&p, 0, now);
	for (; now < 2000; now += 10)
		smpp_pace_spend(&p, 2, now); /* 200 a second */
	assert_true(smpp_pace_refused(&p, false, 0, now));
	now += 500;
	unsigned next = run(&p, &now, now + 1000, 10);
	if (next < 80 || next > 120)
		fail_msg("%u in the second after", next);
	now += 60000;
	assert_int_equal(smpp_pace_allows(&p, now), UINT32_MAX);
}

static void trap_24_congestion_slows_and_stops(void **state)
{
	(void)state;
	struct smpp_pace p;
	int64_t now = 0;
	smpp_pace_init(&p, 100, now);
	run(&p, &now, 3000, 10);
	smpp_pace_congestion(&p, 89, now);
	assert_true(p.allowed == 100);
	smpp_pace_congestion(&p, 90, now);
	assert_true(p.allowed < 90 && p.allowed > 60);
	double once = p.allowed;
	smpp_pace_congestion(&p, 95, now + 10); /* a window's worth of answers says it once a second */
	assert_true(p.allowed == once);
	assert_true(smpp_pace_allows(&p, now + 100) > 0);
	smpp_pace_congestion(&p, 100, now + 100);
	assert_int_equal(smpp_pace_allows(&p, now + 1099), 0);
	assert_true(smpp_pace_allows(&p, now + 1100) > 0);
}

/* Whatever happens: never more than the configured rate, and always a time at which it goes on. */
static void property_never_above_the_rate_and_never_stuck(void **state)
{
	(void)state;
	seeded_start("smpp_pace");
	for (int round = 0; round < 200; round++) {
		struct smpp_pace p;
		double rate = 1 + (double)seeded_between(0, 199);
		int64_t now = seeded_between(0, 1000000), began = now;
		double sent = 0;
		smpp_pace_init(&p, rate, now);
		for (int step = 0; step < 500; step++) {
			unsigned n = smpp_pace_allows(&p, now);
			assert_true(n != UINT32_MAX && p.allowed >= 1 && p.allowed <= rate);
			if (n && seeded_between(0, 1)) {
				smpp_pace_spend(&p, n, now);
				sent += n;
			}
			switch (seeded_between(0, 19)) {
			case 0:
				smpp_pace_refused(&p, seeded_between(0, 1), (uint32_t)seeded_next(), now);
				break;
			case 1:
				smpp_pace_congestion(&p, (uint32_t)seeded_between(0, 100), now);
				break;
			case 2:
				smpp_pace_taken(&p);
				break;
			default:
				now += seeded_between(0, 299);
			}
		}
		assert_true(sent <= rate * (double)(now - began) / 1000 + rate * 0.1 + 1);
		now = smpp_pace_ready_ms(&p, now) + 1;
		assert_true(smpp_pace_allows(&p, now) >= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_rate_is_no_limit),
	        cmocka_unit_test(a_rate_holds_at_any_step),
	        cmocka_unit_test(turns_that_are_taken_late_are_not_lost),
	        cmocka_unit_test(several_segments_borrow),
	        cmocka_unit_test(trap_21_a_throttle_pauses_and_halves),
	        cmocka_unit_test(trap_22_a_full_queue_pauses_longer),
	        cmocka_unit_test(without_a_rate_a_throttle_is_learned_and_forgotten),
	        cmocka_unit_test(trap_24_congestion_slows_and_stops),
	        cmocka_unit_test(property_never_above_the_rate_and_never_stuck),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
