#include "policy_rules.h"

#include "base_check.h"

struct reason_row {
	const char *code;
	const char *rule;
	const char *citation;
	const char *sentence;
	const char *finality;
};

static const struct reason_row rows[REASON_COUNT] = {
        [REASON_none] = {"", "", "", "", ""},
#define REASON(code, rule, citation, sentence, finality) [REASON_##code] = {#code, rule, citation, sentence, finality},
#include "reason.def"
#undef REASON
};

static const struct reason_row *row_of(enum reason r)
{
	check((unsigned)r < REASON_COUNT);
	return &rows[r];
}

const char *policy_reason_code(enum reason r)
{
	return row_of(r)->code;
}

const char *policy_reason_rule(enum reason r)
{
	return row_of(r)->rule;
}

const char *policy_reason_citation(enum reason r)
{
	return row_of(r)->citation;
}

const char *policy_reason_sentence(enum reason r)
{
	return row_of(r)->sentence;
}

const char *policy_reason_finality(enum reason r)
{
	return row_of(r)->finality;
}

enum reason policy_reason_parse(struct view code)
{
	for (unsigned r = REASON_none + 1; r < REASON_COUNT; r++)
		if (view_eq(code, view_str(rows[r].code)))
			return r;
	return REASON_none;
}
