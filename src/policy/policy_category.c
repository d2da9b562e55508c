#include "policy_rules.h"

#include "base_check.h"

struct category_row {
	const char *code;
	unsigned flags;
	enum basis basis;
	const char *citation;
	const char *sentence;
};

static const struct category_row rows[CATEGORY_COUNT] = {
#define CATEGORY(code, flags, basis, citation, sentence)                                                               \
	[CATEGORY_##code] = {#code, flags, BASIS_##basis, citation, sentence},
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

enum basis policy_category_basis(enum category c)
{
	return row_of(c)->basis;
}

static const char *const basis_names[] = {"none", "implied", "express", "written"};

const char *policy_basis_name(enum basis b)
{
	check((unsigned)b < sizeof(basis_names) / sizeof(*basis_names));
	return basis_names[b];
}

enum basis policy_basis_parse(struct view name)
{
	for (unsigned b = 0; b < sizeof(basis_names) / sizeof(*basis_names); b++)
		if (view_eq(name, view_str(basis_names[b])))
			return b;
	return BASIS_NONE;
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
