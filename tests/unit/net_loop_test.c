/* The loop's own promises. */
#include "base_time.h"
#include "net_loop.h"

#include <setjmp.h>
#include <unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

static void done_cb(void *ctx)
{
	*(bool *)ctx = true;
}

/* What a timer brings about ends the wait, not the time that was allowed for it. */
static void test_run_until_ends_when_done(void **state)
{
	struct loop *l = net_loop_new();
	(void)state;
	for (int delay_ms = 0; delay_ms <= 2; delay_ms++) {
		bool done = false;
		int64_t before_ms = time_mono_ms();
		struct net_timer *t = net_timer_new(l, done_cb, &done);
		net_timer_start(t, delay_ms);
		assert_true(net_loop_run_until(l, &done, 20000));
		assert_true(time_mono_ms() - before_ms < 10000);
		net_timer_free(t);
	}
	net_loop_free(l);
}

static void test_run_until_ends_when_late(void **state)
{
	struct loop *l = net_loop_new();
	bool never = false;
	(void)state;
	assert_false(net_loop_run_until(l, &never, 20));
	net_loop_free(l);
}

static void readable_cb(void *ctx, int events)
{
	*(bool *)ctx = events & NET_READABLE;
}

/* A descriptor that was closed without a word, and its number given to another: the younger watch works, and goes on
 * to when the older is freed. */
static void test_number_taken_over(void **state)
{
	struct loop *l = net_loop_new();
	bool older = false, younger = false;
	int a[2], b[2];
	(void)state;
	assert_int_equal(pipe(a), 0);
	struct net_watch *one = net_watch_new(l, a[0], readable_cb, &older);
	net_watch_set(one, NET_READABLE);
	assert_int_equal(close(a[0]) | close(a[1]), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(b[0], a[0]);
	struct net_watch *two = net_watch_new(l, b[0], readable_cb, &younger);
	net_watch_set(two, NET_READABLE);
	net_watch_set(one, NET_WRITABLE);
	net_watch_free(one);
	assert_int_equal(write(b[1], "x", 1), 1);
	assert_true(net_loop_run_until(l, &younger, 20000));
	assert_false(older);
	net_watch_free(two);
	assert_int_equal(close(b[0]) | close(b[1]), 0);
	net_loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_run_until_ends_when_done),
	        cmocka_unit_test(test_run_until_ends_when_late),
	        cmocka_unit_test(test_number_taken_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
