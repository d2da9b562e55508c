#include "script_engine.h"

#include "base_check.h"
#include "script_draw.h"

#include <stdlib.h>

#define STREAMS 16               /* of script_engine_draw */
#define STREAM_FREE (1ull << 32) /* streams below are rules' */
#define DRAW_RATE 0              /* which numbers of one decision are for what */
#define DRAW_WHEN 1
#define DRAW_CHOICE 2 /* and two for each argument */

struct rule_state {
	uint64_t fitted;   /* events whose patterns fitted */
	uint64_t drawn;    /* decisions that drew */
	int64_t next_ms;   /* AT, EVERY: when; INT64_MAX never again; -1 not yet known */
	int64_t tokens_ms; /* throttle: time that its bucket holds, in ms of the rate */
	int64_t filled_ms; /* and when it was filled */
	bool filled;
};

struct script_engine {
	const struct script *script;
	struct rule_state *state;
	int64_t start_ms;
	uint64_t seed;
	uint64_t stream[STREAMS];
	bool started;
	bool stopped;
};

struct script_engine *script_engine_new(const struct script *s, uint64_t seed)
{
	struct script_engine *e = mem_alloc(sizeof(*e));
	*e = (struct script_engine){.script = s, .seed = seed};
	e->state = mem_alloc((s->rules + 1) * sizeof(*e->state));
	for (unsigned i = 0; i < s->rules; i++)
		e->state[i] = (struct rule_state){.next_ms = -1};
	return e;
}

void script_engine_free(struct script_engine *e)
{
	if (!e)
		return;
	free(e->state);
	free(e);
}

/* --- phases --------------------------------------------------------------------------------------------------------
 */

static int64_t phase_start_ms(const struct script_engine *e, unsigned phase)
{
	int64_t at = e->start_ms;
	for (unsigned i = 1; i < phase; i++)
		at += e->script->phase[i - 1].length_ms;
	return at;
}

/* When the phase ends; the last one lasts. */
static int64_t phase_end_ms(const struct script_engine *e, unsigned phase)
{
	return phase == 0 || phase >= e->script->phases ? INT64_MAX : phase_start_ms(e, phase + 1);
}

unsigned script_engine_phase(const struct script_engine *e, int64_t now_ms)
{
	unsigned phase = e->script->phases && e->started ? 1 : 0;
	while (phase && now_ms >= phase_end_ms(e, phase))
		phase++;
	return phase;
}

static bool holds(const struct script_engine *e, const struct script_rule *rule, int64_t now_ms)
{
	unsigned phase = script_engine_phase(e, now_ms);
	return rule->phase == 0 || rule->phase == (phase ? phase : 1);
}

void script_engine_start(struct script_engine *e, int64_t now_ms)
{
	if (e->started)
		return;
	e->started = true;
	e->start_ms = now_ms;
}

void script_engine_stop(struct script_engine *e)
{
	e->stopped = true;
}

/* --- values --------------------------------------------------------------------------------------------------------
 */

static uint64_t number_of(const struct script_engine *e, unsigned rule, uint64_t n, unsigned k)
{
	return script_draw(e->seed, rule, n, k);
}

static int64_t come_out(const struct script_choice *c, uint64_t drawn)
{
	return c->mean ? script_draw_exponential(drawn, c->low) : script_draw_between(drawn, c->low, c->high);
}

static struct script_value draw_value(const struct script_engine *e, unsigned rule, uint64_t n, unsigned i)
{
	const struct script_arg *arg = &e->script->rule[rule].arg[i];
	if (!arg->choices)
		return (struct script_value){0};
	uint64_t at = script_draw_below(number_of(e, rule, n, DRAW_CHOICE + 2 * i), arg->weight);
	const struct script_choice *c = arg->choice;
	while (at >= c->weight)
		at -= (c++)->weight;
	return (struct script_value){true, come_out(c, number_of(e, rule, n, DRAW_CHOICE + 2 * i + 1)), c->text};
}

static void put(struct script_engine *e, unsigned at, uint64_t n, struct script_plan *plan)
{
	const struct script_rule *rule = &e->script->rule[at];
	plan->faults |= UINT64_C(1) << rule->fault;
	plan->rule[rule->fault] = rule;
	for (unsigned i = 0; i < SCRIPT_ARGS_MAX; i++)
		plan->value[rule->fault][i] = draw_value(e, at, n, i);
}

/* --- events --------------------------------------------------------------------------------------------------------
 */

static bool fits(const struct script_rule *rule, const struct script_facts *facts)
{
	const struct view seen[SCRIPT_CONDITION_COUNT] = {
	        [SCRIPT_IF_to] = facts->to,           [SCRIPT_IF_from] = facts->from,
	        [SCRIPT_IF_text] = facts->text,       [SCRIPT_IF_account] = facts->account,
	        [SCRIPT_IF_command] = facts->command,
	};
	for (int c = 0; c < SCRIPT_CONDITION_COUNT; c++)
		if (rule->asked[c] && script_condition_row((enum script_condition)c)->type == SCRIPT_TYPE_PATTERN &&
		    !script_fits(rule->pattern[c], seen[c]))
			return false;
	return true;
}

/* The nth event that fits, from 1. */
static bool counts(const struct script_rule *rule, uint64_t n)
{
	uint64_t after = rule->asked[SCRIPT_IF_after] ? rule->number[SCRIPT_IF_after] : 0;
	if (n <= after || (rule->asked[SCRIPT_IF_first] && n - after > rule->number[SCRIPT_IF_first]))
		return false;
	return !rule->asked[SCRIPT_IF_every] || (n - after) % rule->number[SCRIPT_IF_every] == 0;
}

static bool drawn(const struct script_engine *e, unsigned at, uint64_t n)
{
	const struct script_rule *rule = &e->script->rule[at];
	return !rule->asked[SCRIPT_IF_rate] ||
	       script_draw_below(number_of(e, at, n, DRAW_RATE), 1000000) < rule->number[SCRIPT_IF_rate];
}

/* A bucket of one second's worth; true when it is empty. */
static bool over_rate(struct rule_state *state, int64_t per_second, int64_t now_ms)
{
	int64_t passed = state->filled ? now_ms - state->filled_ms : 1000;
	state->filled = true;
	state->filled_ms = now_ms;
	state->tokens_ms += (passed < 1000 ? passed : 1000) * per_second;
	if (state->tokens_ms > 1000 * per_second)
		state->tokens_ms = 1000 * per_second;
	if (state->tokens_ms < 1000)
		return true;
	state->tokens_ms -= 1000;
	return false;
}

/* Faults that have a condition in their value. */
static bool happens(struct script_engine *e, unsigned at, uint64_t n, const struct script_facts *facts)
{
	enum script_fault f = e->script->rule[at].fault;
	if (f == SCRIPT_throttle)
		return over_rate(&e->state[at], draw_value(e, at, n, 0).number, facts->now_ms);
	if (f == SCRIPT_queue_full)
		return facts->open >= draw_value(e, at, n, 0).number;
	return true;
}

static uint64_t excluded_by(enum script_group group)
{
	uint64_t bits = 0;
	for (int f = 0; f < SCRIPT_FAULT_COUNT && group != SCRIPT_GROUP_NONE; f++)
		if (script_fault_row((enum script_fault)f)->group == group)
			bits |= UINT64_C(1) << f;
	return bits;
}

void script_decide(struct script_engine *e, const struct script_facts *facts, struct script_plan *plan_r)
{
	uint64_t taken = 0;
	plan_r->faults = 0;
	for (unsigned at = 0; at < e->script->rules && !e->stopped; at++) {
		const struct script_rule *rule = &e->script->rule[at];
		if (rule->kind != SCRIPT_WHEN || rule->event != facts->event || !holds(e, rule, facts->now_ms) ||
		    !fits(rule, facts))
			continue;
		uint64_t n = ++e->state[at].fitted;
		if (!counts(rule, n) || !drawn(e, at, n) || taken >> rule->fault & 1 || !happens(e, at, n, facts))
			continue;
		put(e, at, n, plan_r);
		taken |= UINT64_C(1) << rule->fault | excluded_by(script_fault_row(rule->fault)->group);
	}
}

/* --- times ---------------------------------------------------------------------------------------------------------
 */

static int64_t drawn_wait(const struct script_engine *e, unsigned at, uint64_t n)
{
	int64_t wait_ms = come_out(&e->script->rule[at].when, number_of(e, at, n, DRAW_WHEN));
	return wait_ms > 0 || e->script->rule[at].kind == SCRIPT_AT ? wait_ms : 1;
}

/* When the rule's time is; `every` that comes out behind its phase never is. */
static int64_t next_ms(const struct script_engine *e, unsigned at)
{
	const struct script_rule *rule = &e->script->rule[at];
	const struct rule_state *state = &e->state[at];
	if (rule->kind == SCRIPT_WHEN || !e->started || e->stopped)
		return INT64_MAX;
	int64_t next = state->next_ms >= 0 ? state->next_ms
	                                   : phase_start_ms(e, rule->phase ? rule->phase : 1) + drawn_wait(e, at, 0);
	return next < phase_end_ms(e, rule->phase) ? next : INT64_MAX;
}

bool script_due(struct script_engine *e, int64_t now_ms, struct script_plan *plan_r)
{
	for (unsigned at = 0; at < e->script->rules; at++) {
		int64_t next = next_ms(e, at);
		if (next > now_ms)
			continue;
		struct rule_state *state = &e->state[at];
		uint64_t n = ++state->drawn;
		state->next_ms = e->script->rule[at].kind == SCRIPT_AT ? INT64_MAX : next + drawn_wait(e, at, n);
		if (state->next_ms <= now_ms) /* a stalled process does not catch up */
			state->next_ms = now_ms + 1;
		plan_r->faults = 0;
		put(e, at, n, plan_r);
		return true;
	}
	return false;
}

int64_t script_due_ms(const struct script_engine *e)
{
	int64_t soonest = INT64_MAX;
	for (unsigned at = 0; at < e->script->rules; at++) {
		int64_t next = next_ms(e, at);
		soonest = next < soonest ? next : soonest;
	}
	return soonest;
}

bool script_has(const struct script_plan *plan, enum script_fault f)
{
	return plan->faults >> f & 1;
}

int64_t script_number(const struct script_plan *plan, enum script_fault f, unsigned arg)
{
	return script_has(plan, f) ? plan->value[f][arg].number : 0;
}

uint64_t script_engine_draw(struct script_engine *e, unsigned stream)
{
	check(stream < STREAMS);
	return script_draw(e->seed, STREAM_FREE + stream, e->stream[stream]++, 0);
}
