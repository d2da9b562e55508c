/* Decides: what happened goes in, which faults it meets comes out. Pure; time is monotonic milliseconds. What is drawn
 * depends on the seed, the rule and how many events of its kind it has seen, and on nothing else. */
#ifndef SCRIPT_ENGINE_H
#define SCRIPT_ENGINE_H

#include "script_parse.h"

/* What a rule's conditions can look at. Views live until script_decide returns. */
struct script_facts {
	enum script_event event;
	int64_t now_ms;
	struct view to, from, text, account, command;
	unsigned open; /* messages without a final state */
};

struct script_value {
	bool given;
	int64_t number; /* ms, count, octets a second, command_status, enum script_word or script_format */
	struct view text;
};

/* What was decided: for each fault at most one rule. */
struct script_plan {
	uint64_t faults; /* bits of 1 << enum script_fault */
	const struct script_rule *rule[SCRIPT_FAULT_COUNT];
	struct script_value value[SCRIPT_FAULT_COUNT][SCRIPT_ARGS_MAX];
};
_Static_assert(SCRIPT_FAULT_COUNT <= 64, "faults are bits of a plan");

struct script_engine;

/* The script must outlive the engine. */
struct script_engine *script_engine_new(const struct script *s, uint64_t seed);
void script_engine_free(struct script_engine *e);

/* Starts the clock of phases, `at` and `every`: at the first bind. Again does nothing. */
void script_engine_start(struct script_engine *e, int64_t now_ms);
/* From now on nothing is decided and no time comes: what was decided goes on. */
void script_engine_stop(struct script_engine *e);
/* The phase's number from 1; 0 when the script has none or before the start (then the first phase holds). */
unsigned script_engine_phase(const struct script_engine *e, int64_t now_ms);

/* Fills the plan for one event. */
void script_decide(struct script_engine *e, const struct script_facts *facts, struct script_plan *plan_r);
/* The next `at` or `every` whose time has come, as a plan with its one fault; false when none has. Call until false. */
bool script_due(struct script_engine *e, int64_t now_ms, struct script_plan *plan_r);
/* When script_due is wanted next; INT64_MAX when never. */
int64_t script_due_ms(const struct script_engine *e);

/* Whether a plan has a fault, and its values; a value that was not given is zero. */
bool script_has(const struct script_plan *plan, enum script_fault f);
int64_t script_number(const struct script_plan *plan, enum script_fault f, unsigned arg);
/* The next number of a stream of its own, for what is drawn outside of rules (ids, octets, whom). */
uint64_t script_engine_draw(struct script_engine *e, unsigned stream);

#endif
