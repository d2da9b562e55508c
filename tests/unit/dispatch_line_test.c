/* Places in lines: one after the other, by priority, nobody for good behind the others, never too far ahead. */
#include "dispatch_line.h"
#include "seeded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW (INT64_C(1000) * SECOND_US)
#define GAP (SECOND_US / 10)

static int64_t place(struct line *l, unsigned priority, int64_t now_us)
{
	struct line_wish w = {
	        .priority = priority, .first_us = now_us + GAP, .gap_us = GAP, .now_us = now_us, .chance = 1u << 31};
	return line_place(l, &w);
}

static void places_come_one_after_the_other(void **state)
{
	struct line l = {0};
	(void)state;
	for (int i = 1; i <= 600; i++)
		assert_int_equal(place(&l, 1, NOW), NOW + i * GAP);
	assert_int_equal(place(&l, 1, NOW), NOW + LINE_MAX_US / 2); /* too long: it comes again */
	assert_int_equal(place(&l, 1, NOW), NOW + LINE_MAX_US / 2 + GAP / LINE_FAR_DENSER);
	assert_int_equal(place(&l, 1, NOW + LINE_MAX_US), NOW + LINE_MAX_US + GAP);
}

static void a_line_that_was_empty_begins_at_once(void **state)
{
	struct line l = {0};
	(void)state;
	place(&l, 1, NOW);
	assert_int_equal(place(&l, 1, NOW + 20 * SECOND_US), NOW + 20 * SECOND_US + GAP);
}

static void urgent_before_normal_before_low(void **state)
{
	struct line l = {0};
	(void)state;
	for (int i = 1; i <= 10; i++)
		assert_int_equal(place(&l, 1, NOW), NOW + i * GAP);
	assert_int_equal(place(&l, 2, NOW), NOW + 11 * GAP);
	assert_int_equal(place(&l, 0, NOW), NOW + 1 * GAP); /* the front */
	assert_int_equal(place(&l, 0, NOW), NOW + 2 * GAP);
	assert_int_equal(place(&l, 1, NOW), NOW + 11 * GAP); /* the low one must see for itself */
	assert_int_equal(place(&l, 2, NOW), NOW + 12 * GAP);
}

static void who_starves_sends_one_to_the_front(void **state)
{
	struct line l = {0};
	(void)state;
	for (int i = 0; i < 300; i++)
		place(&l, 1, NOW);
	place(&l, 2, NOW);
	int64_t later = NOW + LINE_STARVING_US;
	assert_int_equal(place(&l, 2, later - 1), NOW + 302 * GAP);
	assert_int_equal(place(&l, 2, later), later + GAP); /* one */
	assert_int_equal(place(&l, 2, later), NOW + 303 * GAP);
	line_went(&l, 2);
	assert_int_equal(place(&l, 2, later + LINE_STARVING_US), NOW + 304 * GAP); /* the wait begins anew */
}

/* What takes long anyway does not starve so soon. */
static void starving_is_measured_by_the_gap(void **state)
{
	struct line l = {0};
	struct line_wish w = {.priority = 1, .gap_us = 4 * SECOND_US, .now_us = NOW, .first_us = NOW + 4 * SECOND_US};
	(void)state;
	line_place(&l, &w);
	w.now_us += LINE_STARVING_GAPS * w.gap_us - 1;
	w.first_us = w.now_us + w.gap_us;
	line_place(&l, &w);
	assert_int_equal(l.last_us[0], 0);
	w.now_us++;
	w.first_us = w.now_us + w.gap_us;
	assert_int_equal(line_place(&l, &w), w.first_us);
	assert_int_equal(l.last_us[0], w.first_us);
}

static void lower_ones_yield_to_places_to_come(void **state)
{
	struct line l = {0};
	(void)state;
	assert_false(line_yields(&l, 2, NOW));
	int64_t at = place(&l, 1, NOW);
	assert_true(line_yields(&l, 2, at - 1));
	assert_false(line_yields(&l, 2, at)); /* its turn is now: it is judged before the low one, or gone */
	assert_false(line_yields(&l, 1, NOW));
	assert_false(line_yields(&l, 0, NOW));
	for (int i = 0; i < 100; i++)
		place(&l, 0, NOW);
	assert_true(line_yields(&l, 1, NOW));
}

/* One who was sent to the front has its turn to itself, for a moment; if it does not come, things go on. */
static void who_stands_at_the_front_is_let_go(void **state)
{
	struct line l = {0};
	(void)state;
	for (int i = 0; i < 100; i++)
		place(&l, 1, NOW);
	place(&l, 2, NOW);
	int64_t at = place(&l, 2, NOW + LINE_STARVING_US);
	assert_true(line_yields(&l, 2, at - 1));
	assert_false(line_yields(&l, 2, at));
	assert_true(line_yields(&l, 1, at));
	assert_true(line_yields(&l, 0, at));
	assert_false(line_yields(&l, 0, at + LINE_GRACE_US + 1));
	assert_false(line_yields(&l, 1, at + LINE_GRACE_US + 1));
	line_went(&l, 2);
	assert_false(line_yields(&l, 1, at));
	assert_true(line_yields(&l, 2, at));
}

static void a_moment_too_early_loses_no_turn(void **state)
{
	struct line l = {0};
	(void)state;
	for (int i = 0; i < 100; i++)
		place(&l, 1, NOW);
	struct line_wish w = {.priority = 1, .again = true, .first_us = NOW + GAP / 2, .gap_us = GAP, .now_us = NOW};
	assert_int_equal(line_place(&l, &w), NOW + GAP / 2);
	w.first_us++;
	assert_int_equal(line_place(&l, &w), NOW + 101 * GAP);
	w.again = false;
	w.first_us--;
	assert_int_equal(line_place(&l, &w), NOW + 102 * GAP);
}

static void a_clock_that_was_moved_back_makes_no_line(void **state)
{
	struct line l = {0};
	(void)state;
	for (int i = 0; i < 10; i++)
		for (unsigned p = 0; p < LINE_PRIORITIES; p++)
			place(&l, p, NOW + DAY_US);
	assert_int_equal(place(&l, 1, NOW), NOW + GAP);
	assert_int_equal(place(&l, 2, NOW), NOW + 2 * GAP);
}

/* Whoever comes: a place is never before anything may go nor further ahead than the longest line, and of one priority
 * no two have the same one. */
static void property_places_are_in_time(void **state)
{
	(void)state;
	seeded_start("dispatch_line");
	for (int round = 0; round < 200; round++) {
		struct line l = {0};
		int64_t now = NOW, gap = seeded_between(1000, 3 * SECOND_US), last[LINE_PRIORITIES] = {0};
		for (int i = 0; i < 300; i++) {
			unsigned p = (unsigned)seeded_between(0, 2);
			int64_t front = l.last_us[0];
			struct line_wish w = {.priority = p,
			                      .first_us = now + seeded_between(1, gap),
			                      .gap_us = gap,
			                      .now_us = now,
			                      .chance = (uint32_t)seeded_next()};
			int64_t at = line_place(&l, &w);
			assert_true(at >= w.first_us || at >= now + LINE_MAX_US / 2);
			assert_true(at <= now + LINE_FAR_US);
			if (l.last_us[p] == at && (p == 0 || l.last_us[0] == front)) {
				assert_true(at >= last[p] + gap);
				last[p] = at;
			}
			if (seeded_between(0, 3) == 0)
				line_went(&l, p);
			now += seeded_between(0, gap / 2);
		}
	}
}

#define BACKLOG 20000

/* A backlog of so many at 20 a second: how often one is judged until it goes, and whether a turn is left unused. */
static void a_long_backlog_is_judged_a_few_times_each(void **state)
{
	static int64_t due[BACKLOG];
	const int64_t gap = SECOND_US / 20;
	struct line l = {0};
	int64_t now = NOW, token = NOW;
	unsigned judged = 0, waiting = BACKLOG;
	(void)state;
	seeded_start("dispatch_line_backlog");
	for (int i = 0; i < BACKLOG; i++)
		due[i] = NOW;
	for (; waiting; now += gap / 2) {
		for (int i = 0; i < BACKLOG; i++) {
			if (due[i] == 0 || due[i] > now)
				continue;
			judged++;
			if (now >= token) {
				token = token + gap > now ? token + gap : now;
				due[i] = 0;
				waiting--;
				line_went(&l, 1);
				continue;
			}
			struct line_wish w = {.priority = 1,
			                      .first_us = token,
			                      .gap_us = gap,
			                      .now_us = now,
			                      .chance = (uint32_t)seeded_next()};
			due[i] = line_place(&l, &w);
		}
	}
	double took = (double)(now - NOW) / SECOND_US, each = (double)judged / BACKLOG;
	printf("%.0f s for %.0f, each judged %.1f times\n", took, BACKLOG * 0.05, each);
	assert_true(took < BACKLOG * 0.05 * 1.1);
	assert_true(each < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(places_come_one_after_the_other),
	        cmocka_unit_test(a_line_that_was_empty_begins_at_once),
	        cmocka_unit_test(urgent_before_normal_before_low),
	        cmocka_unit_test(who_starves_sends_one_to_the_front),
	        cmocka_unit_test(starving_is_measured_by_the_gap),
	        cmocka_unit_test(lower_ones_yield_to_places_to_come),
	        cmocka_unit_test(who_stands_at_the_front_is_let_go),
	        cmocka_unit_test(a_moment_too_early_loses_no_turn),
	        cmocka_unit_test(a_clock_that_was_moved_back_makes_no_line),
	        cmocka_unit_test(property_places_are_in_time),
	        cmocka_unit_test(a_long_backlog_is_judged_a_few_times_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
