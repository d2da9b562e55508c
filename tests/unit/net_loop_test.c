/* The loop's own promises. */
#include "base_time.h"
#include "net_loop.h"

#include <setjmp.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_run_until_ends_when_done),
	        cmocka_unit_test(test_run_until_ends_when_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
