/* What a script decides: the same again for the same seed, at about the rates that it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script_draw.h"
#include "script_engine.h"
#include "seeded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct script *read_script(const char *text)
{
	struct script *s = script_new();
	struct script_errors errors = {.text = BUF(65536)};
	if (!script_add(s, "f", view_str(text), true, &errors))
		fail_msg("%s", buf_cstr(&errors.text));
	buf_free(&errors.text);
	return s;
}

static struct script_facts submit_to(const char *to, int64_t now_ms)
{
	return (struct script_facts){.event = SCRIPT_ON_submit,
	                             .now_ms = now_ms,
	                             .to = view_str(to),
	                             .text = VIEW("See you on Monday"),
	                             .command = VIEW("submit_sm")};
}

static struct script_plan decide(struct script_engine *e, const char *to, int64_t now_ms)
{
	struct script_plan plan;
	struct script_facts facts = submit_to(to, now_ms);
	script_decide(e, &facts, &plan);
	return plan;
}

static const char mixed[] = "when submit rate 10% drop\n"
                            "when submit rate 20% status RTHROTTLED*3 RSYSERR*1\n"
                            "when submit delay 1ms..50ms*3 ~20ms\n"
                            "when receipt rate 30% twice after ~100ms\n"
                            "when receipt state DELIVRD*90 UNDELIV*10\n";

static uint64_t fold(uint64_t hash, const struct script_plan *plan)
{
	hash = hash * 31 + plan->faults;
	for (int f = 0; f < SCRIPT_FAULT_COUNT; f++)
		for (int i = 0; i < SCRIPT_ARGS_MAX && script_has(plan, (enum script_fault)f); i++)
			hash = (hash * 31 + (uint64_t)plan->value[f][i].number) * 31 +
			       view_hash(plan->value[f][i].text);
	return hash;
}

/* Decisions about submits, with others in between or not. */
static uint64_t decisions(uint64_t seed, bool disturbed)
{
	struct script *s = read_script(mixed);
	struct script_engine *e = script_engine_new(s, seed);
	uint64_t hash = 0;
	for (int i = 0; i < 500; i++) {
		struct script_plan plan = decide(e, "12125550101", i);
		struct script_facts receipt = submit_to("12125550101", i);
		hash = fold(hash, &plan);
		receipt.event = SCRIPT_ON_receipt;
		if (disturbed) {
			script_decide(e, &receipt, &plan);
			script_engine_draw(e, 3);
		}
	}
	script_engine_free(e);
	script_free(s);
	return hash;
}

static void test_same_seed_same_choices(void **state)
{
	(void)state;
	seeded_start("engine");
	for (int i = 0; i < 20; i++) {
		uint64_t seed = seeded_next();
		assert_true(decisions(seed, false) == decisions(seed, true));
		assert_true(decisions(seed, false) != decisions(seed + 1, false));
	}
}

/* Binomial bounds: six standard deviations, so that no seed fails by chance. */
static void assert_share(unsigned seen, unsigned of, double share)
{
	double mean = of * share, room = 6 * (mean * (1 - share));
	double off = (double)seen - mean;
	assert_true(off * off <= 6 * room);
}

static void test_rates(void **state)
{
	(void)state;
	struct script *s = read_script(mixed);
	seeded_start("rates");
	struct script_engine *e = script_engine_new(s, seeded_next());
	unsigned dropped = 0, refused = 0, throttled = 0, n = 20000;
	for (unsigned i = 0; i < n; i++) {
		struct script_plan plan = decide(e, "12125550101", (int64_t)i);
		dropped += script_has(&plan, SCRIPT_drop);
		refused += script_has(&plan, SCRIPT_status);
		throttled += script_number(&plan, SCRIPT_status, 0) == 0x58;
		assert_false(script_has(&plan, SCRIPT_drop) && script_has(&plan, SCRIPT_status));
		int64_t delay = script_number(&plan, SCRIPT_delay, 0);
		assert_true(delay >= 0 && delay <= 400);
	}
	assert_share(dropped, n, 0.1);
	assert_share(refused, n, 0.9 * 0.2); /* the group's first rule had its share */
	assert_share(throttled, refused, 0.75);
	script_engine_free(e);
	script_free(s);
}

static void test_patterns_of_counting(void **state)
{
	(void)state;
	struct script *s = read_script("when submit to 1212* after 2 every 3 first 6 drop\n"
	                               "when submit text *monday first 1 lose\n"
	                               "when submit command data_sm delay 5ms\n");
	struct script_engine *e = script_engine_new(s, 1);
	char seen[32] = "";
	for (int i = 0; i < 16; i++) {
		struct script_plan other = decide(e, "13015550101", i); /* the first rule does not count it */
		assert_int_equal(script_has(&other, SCRIPT_lose), i == 0);
		struct script_plan plan = decide(e, "12125550101", i);
		seen[i] = script_has(&plan, SCRIPT_drop) ? 'd' : script_has(&plan, SCRIPT_lose) ? 'l' : '.';
		assert_false(script_has(&plan, SCRIPT_delay));
	}
	assert_string_equal(seen, "....d..d........");
	script_engine_free(e);
	script_free(s);
}

static void test_throttle(void **state)
{
	(void)state;
	struct script *s = read_script("when submit throttle 10/s\n");
	struct script_engine *e = script_engine_new(s, 1);
	unsigned taken = 0;
	for (int64_t ms = 0; ms < 10000; ms += 10) {
		struct script_plan plan = decide(e, "12125550101", ms);
		taken += !script_has(&plan, SCRIPT_throttle);
	}
	assert_in_range(taken, 105, 111); /* a bucket of a second, then ten a second */
	script_engine_free(e);
	script_free(s);
}

static void test_queue_full(void **state)
{
	(void)state;
	struct script *s = read_script("when submit queue_full 3\n");
	struct script_engine *e = script_engine_new(s, 1);
	for (unsigned open = 0; open < 6; open++) {
		struct script_facts facts = submit_to("12125550101", 0);
		struct script_plan plan;
		facts.open = open;
		script_decide(e, &facts, &plan);
		assert_int_equal(script_has(&plan, SCRIPT_queue_full), open >= 3);
	}
	script_engine_free(e);
	script_free(s);
}

static void test_phases(void **state)
{
	(void)state;
	struct script *s = read_script("phase a 10ms\nwhen submit drop\nphase b 10ms\nwhen submit lose\n"
	                               "phase c\nwhen submit delay 1ms\n");
	struct script_engine *e = script_engine_new(s, 1);
	struct script_plan plan = decide(e, "1", 5000);
	assert_true(script_has(&plan, SCRIPT_drop)); /* before the start the first holds */
	script_engine_start(e, 6000);
	script_engine_start(e, 9000);
	static const struct {
		int64_t ms;
		enum script_fault fault;
	} at[] = {{6000, SCRIPT_drop}, {6009, SCRIPT_drop},  {6010, SCRIPT_lose},
	          {6019, SCRIPT_lose}, {6020, SCRIPT_delay}, {999999, SCRIPT_delay}};
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		plan = decide(e, "1", at[i].ms);
		assert_true(plan.faults == UINT64_C(1) << at[i].fault);
	}
	script_engine_free(e);
	script_free(s);
}

static void test_times(void **state)
{
	(void)state;
	struct script *s = read_script("at 5ms unbind\nevery 10ms close\nphase a 20ms\nat 3ms alert\n"
	                               "phase b 20ms\nat 3ms flood 7\nevery 8ms garbage 1..9\nat 30ms outbind\n");
	struct script_engine *e = script_engine_new(s, 1);
	struct script_plan plan;
	char seen[256] = "";
	assert_true(script_due_ms(e) == INT64_MAX && !script_due(e, 1000, &plan));
	script_engine_start(e, 1000);
	for (int64_t ms = 1000; ms <= 1050; ms++) {
		bool wanted = script_due_ms(e) <= ms;
		assert_int_equal(wanted, script_due(e, ms, &plan));
		while (wanted) {
			size_t n = strlen(seen);
			for (int f = 0; f < SCRIPT_FAULT_COUNT; f++)
				if (script_has(&plan, (enum script_fault)f))
					snprintf(seen + n, sizeof(seen) - n, "%d%s ", (int)ms - 1000,
					         script_fault_row((enum script_fault)f)->name);
			if (script_has(&plan, SCRIPT_garbage))
				assert_in_range(script_number(&plan, SCRIPT_garbage, 0), 1, 9);
			wanted = script_due(e, ms, &plan);
		}
	}
	assert_string_equal(seen,
	                    "3alert 5unbind 10close 20close 23flood 28garbage 30close 36garbage 40close 44garbage "
	                    "50close 50outbind ");
	script_engine_free(e);
	script_free(s);
}

static void test_stop(void **state)
{
	(void)state;
	struct script *s = read_script("when submit drop\nevery 10ms close\n");
	struct script_engine *e = script_engine_new(s, 1);
	script_engine_start(e, 0);
	struct script_plan plan = decide(e, "1", 5);
	assert_true(script_has(&plan, SCRIPT_drop) && script_due(e, 10, &plan));
	script_engine_stop(e);
	plan = decide(e, "1", 15);
	assert_true(plan.faults == 0 && !script_due(e, 30, &plan) && script_due_ms(e) == INT64_MAX);
	script_engine_free(e);
	script_free(s);
}

static void test_draws(void **state)
{
	(void)state;
	seeded_start("draws");
	uint64_t seed = seeded_next(), sum = 0;
	unsigned index[10], places[10] = {0};
	for (unsigned n = 0; n < 10000; n++) {
		sum += (uint64_t)script_draw_exponential(script_draw(seed, 1, n, 0), 1000);
		assert_in_range(script_draw_between(script_draw(seed, 2, n, 0), 3, 7), 3, 7);
		script_draw_order(seed, 3, n, index, 10);
		unsigned bits = 0;
		for (int i = 0; i < 10; i++)
			bits |= 1u << index[i];
		assert_int_equal(bits, 1023);
		places[index[0]]++;
	}
	assert_in_range(sum / 10000, 930, 1070);
	for (int i = 0; i < 10; i++)
		assert_share(places[i], 10000, 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_same_seed_same_choices),
	        cmocka_unit_test(test_rates),
	        cmocka_unit_test(test_patterns_of_counting),
	        cmocka_unit_test(test_throttle),
	        cmocka_unit_test(test_queue_full),
	        cmocka_unit_test(test_phases),
	        cmocka_unit_test(test_times),
	        cmocka_unit_test(test_stop),
	        cmocka_unit_test(test_draws),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
