/* Refs of open submits: none finds another's message, given-up ones stay findable for a late answer, memory is bounded.
 */
#include "dispatch_internal.h"
#include "seeded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct flight numbered(unsigned n)
{
	struct flight f = {.attempts = n};
	memcpy(f.id.b, &n, sizeof(n));
	return f;
}

static void test_a_gone_ref_finds_nothing(void **state)
{
	struct flights *f = flights_new();
	struct flight one = numbered(1), two = numbered(2);
	uint64_t ref = flights_add(f, &one);
	(void)state;
	assert_int_equal(flights_get(f, ref)->attempts, 1);
	flights_remove(f, ref);
	assert_null(flights_get(f, ref));
	uint64_t next = flights_add(f, &two); /* the same slot again */
	assert_int_not_equal(next, ref);
	assert_null(flights_get(f, ref));
	assert_int_equal(flights_get(f, next)->attempts, 2);
	assert_null(flights_get(f, 0));
	assert_null(flights_get(f, UINT64_MAX));
	flights_remove(f, ref); /* harmless */
	assert_int_equal(flights_open(f), 1);
	flights_free(f);
}

static void test_given_up_make_room(void **state)
{
	struct flights *f = flights_new();
	uint64_t ref[LIMIT_LATE + 1];
	(void)state;
	for (unsigned i = 0; i <= LIMIT_LATE; i++) {
		struct flight one = numbered(i);
		ref[i] = flights_add(f, &one);
		flights_give_up(f, ref[i]);
		flights_give_up(f, ref[i]); /* twice is as once */
		assert_int_equal(flights_open(f), 0);
	}
	assert_null(flights_get(f, ref[0])); /* the oldest made room */
	for (unsigned i = 1; i <= LIMIT_LATE; i++)
		assert_int_equal(flights_get(f, ref[i])->attempts, i);
	flights_remove(f, ref[5]); /* its late answer came */
	assert_int_equal(flights_open(f), 0);
	flights_free(f);
}

static void test_random_life(void **state)
{
	struct flights *f = flights_new();
	uint64_t ref[2000] = {0};
	bool late[2000] = {0};
	unsigned open = 0, given_up = 0;
	(void)state;
	seeded_start(__func__);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned at = (unsigned)(seeded_next() % 2000);
		if (!ref[at]) {
			struct flight one = numbered(at);
			ref[at] = flights_add(f, &one);
			late[at] = false;
			open++;
		} else if (!late[at] && given_up < LIMIT_LATE / 2 && seeded_next() % 2) {
			flights_give_up(f, ref[at]);
			late[at] = true;
			open--;
			given_up++;
		} else {
			struct flight *found = flights_get(f, ref[at]);
			if (!late[at] || found) {
				assert_non_null(found);
				assert_int_equal(found->attempts, at);
			}
			flights_remove(f, ref[at]);
			open -= !late[at];
			given_up -= late[at];
			ref[at] = 0;
		}
		assert_int_equal(flights_open(f), open);
	}
	flights_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_gone_ref_finds_nothing),
	                                   cmocka_unit_test(test_given_up_make_room),
	                                   cmocka_unit_test(test_random_life)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
