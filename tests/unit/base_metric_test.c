/* The exposition text: kinds, labels escaped, histograms cumulative, a ceiling on series. */
#include "base_limits.h"
#include "base_metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *rendered(struct buf *b)
{
	buf_clear(b);
	metric_render(b);
	return buf_cstr(b);
}

static void test_text(void **state)
{
	struct buf b = BUF(1 << 22);
	(void)state;
	metric_add(METRIC_problems_total, 2, LABELS("a\"b\\c"));
	metric_add(METRIC_problems_total, 1, LABELS("a\"b\\c"));
	metric_set(METRIC_http_connections, 7, NO_LABELS);
	metric_set(METRIC_http_connections, 5, NO_LABELS);
	metric_observe(METRIC_accept_to_wire_seconds, 0.004, NO_LABELS);
	metric_observe(METRIC_accept_to_wire_seconds, 0.005, NO_LABELS);
	metric_observe(METRIC_accept_to_wire_seconds, 1000, NO_LABELS);
	const char *text = rendered(&b);
	assert_non_null(strstr(
	        text, "# TYPE smsbridge_problems_total counter\nsmsbridge_problems_total{code=\"a\\\"b\\\\c\"} 3\n"));
	assert_non_null(strstr(text, "# TYPE smsbridge_http_connections gauge\nsmsbridge_http_connections 5\n"));
	assert_non_null(strstr(text, "smsbridge_accept_to_wire_seconds_bucket{le=\"0.0025\"} 0\n"));
	assert_non_null(strstr(text, "smsbridge_accept_to_wire_seconds_bucket{le=\"0.005\"} 2\n"));
	assert_non_null(strstr(text, "smsbridge_accept_to_wire_seconds_bucket{le=\"200\"} 2\n"));
	assert_non_null(strstr(text, "smsbridge_accept_to_wire_seconds_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "smsbridge_accept_to_wire_seconds_count 3\n"));
	assert_true(metric_value(METRIC_problems_total, LABELS("a\"b\\c")) > 2.9);
	metric_free();
	buf_free(&b);
}

static void test_a_kept_series_is_the_same(void **state)
{
	struct buf b = BUF(1 << 22);
	(void)state;
	struct metric_series *problems = metric_series(METRIC_problems_total, LABELS("x"));
	struct metric_series *took = metric_series(METRIC_submit_duration_seconds, LABELS("x"));
	metric_series_add(problems, 2);
	metric_add(METRIC_problems_total, 1, LABELS("x"));
	metric_series_observe(took, 0.004);
	metric_observe(METRIC_submit_duration_seconds, 0.004, LABELS("x"));
	assert_ptr_equal(problems, metric_series(METRIC_problems_total, LABELS("x")));
	assert_ptr_not_equal(problems, metric_series(METRIC_problems_total, LABELS("y")));
	const char *text = rendered(&b);
	assert_non_null(strstr(text, "smsbridge_problems_total{code=\"x\"} 3\n"));
	assert_non_null(strstr(text, "smsbridge_submit_duration_seconds_count{carrier=\"x\"} 2\n"));
	metric_free();
	buf_free(&b);
}

static void test_series_have_a_ceiling(void **state)
{
	struct buf b = BUF(1 << 24);
	(void)state;
	for (unsigned i = 0; i < LIMIT_METRIC_SERIES + 100; i++) {
		char code[16];
		snprintf(code, sizeof(code), "c%u", i);
		metric_add(METRIC_problems_total, 1, LABELS(code));
	}
	assert_non_null(strstr(rendered(&b), "smsbridge_metric_series_dropped_total 100\n"));
	struct metric_series *dropped = metric_series(METRIC_problems_total, LABELS("one more"));
	assert_null(dropped);
	metric_series_add(dropped, 1);
	metric_series_observe(dropped, 1);
	metric_free();
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text),
	                                   cmocka_unit_test(test_a_kept_series_is_the_same),
	                                   cmocka_unit_test(test_series_have_a_ceiling)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
