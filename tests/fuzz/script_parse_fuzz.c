/* Any octets as a script: either rules that an engine can run for a while, or at least one whole error line. */
#include "base_check.h"
#include "script_engine.h"

#define RUNS 64

static void run(struct script *s, struct view data)
{
	struct script_engine *e = script_engine_new(s, s->seed);
	struct script_plan plan;
	script_engine_start(e, 0);
	for (int i = 0; i < RUNS; i++) {
		struct script_facts facts = {.event = (enum script_event)(i % SCRIPT_ON_time),
		                             .now_ms = i * 100,
		                             .to = VIEW("12125550101"),
		                             .from = VIEW("+12125550102"),
		                             .text = view_of(data.p, data.n < 200 ? data.n : 200),
		                             .open = (unsigned)i};
		script_decide(e, &facts, &plan);
		for (int f = 0; f < SCRIPT_FAULT_COUNT; f++)
			check(!script_has(&plan, (enum script_fault)f) ||
			      (plan.rule[f]->fault == (enum script_fault)f && plan.rule[f]->event == facts.event));
		int due = 0;
		while (script_due(e, facts.now_ms, &plan))
			check(plan.faults && due++ < SCRIPT_RULES_MAX);
		check(script_due_ms(e) > facts.now_ms);
	}
	script_engine_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script *s = script_new();
	struct script_errors errors = {.text = BUF(1 << 20)};
	bool good = script_add(s, "f", view_of(data, size), true, &errors);
	check(good == (errors.count == 0) && (errors.text.n > 0) == (errors.count > 0));
	check(!errors.text.n || errors.text.p[errors.text.n - 1] == '\n');
	for (size_t i = 0; i < errors.text.n; i++)
		check(errors.text.p[i] == '\n' || (errors.text.p[i] >= 0x20 && errors.text.p[i] < 0x7f));
	check(s->rules <= SCRIPT_RULES_MAX && s->phases <= SCRIPT_PHASES_MAX);
	if (good)
		run(s, view_of(data, size));
	script_free(s);
	buf_free(&errors.text);
	return 0;
}
