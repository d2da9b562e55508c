#include "api_decision.h"

#include <stddef.h>
#include <string.h>

#define EFFECT_NONE "none"
#define EFFECT_OPT_OUT "opt_out"
#define EFFECT_RELEASE "release"
#define EFFECT_RIGHT_NUMBER "right_number"

static const struct decision rows[] = {
#define TASK_DECISION(kind, decision, effect, sentence) {#kind, #decision, EFFECT_##effect, sentence},
#include "task_decision.def"
#undef TASK_DECISION
};

const struct decision *decision_row(unsigned i)
{
	return i < sizeof(rows) / sizeof(*rows) ? &rows[i] : NULL;
}

const struct decision *decision_find(const char *name)
{
	for (unsigned i = 0; decision_row(i); i++)
		if (strcmp(rows[i].decision, name) == 0)
			return &rows[i];
	return NULL;
}
