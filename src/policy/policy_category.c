#include "policy_rules.h"

#include "base_check.h"

struct category_row {
	const char *code;
	unsigned flags;
	const char *citation;
	const char *sentence;
};

static const struct category_row rows[CATEGORY_COUNT] = {
#define CATEGORY(code, flags, citation, sentence) [CATEGORY_##code] = {#code, flags, citation, sentence},
#include "category.def"
#undef CATEGORY
};

static const struct category_row *row_of(enum category c)
{
	check((unsigned)c < CATEGORY_COUNT);
	return &rows[c];
}

const char *policy_category_code(enum category c)
{
	return row_of(c)->code;
}

unsigned policy_category_flags(enum category c)
{
	return row_of(c)->flags;
}

const char *policy_category_citation(enum category c)
{
	return row_of(c)->citation;
}

const char *policy_category_sentence(enum category c)
{
	return row_of(c)->sentence;
}

enum category policy_category_parse(struct view code)
{
	for (unsigned c = 0; c < CATEGORY_COUNT; c++)
		if (view_eq(code, view_str(rows[c].code)))
			return c;
	return CATEGORY_COUNT;
}
