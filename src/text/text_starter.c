#include "text_starter.h"

#include "base_check.h"

#include <string.h>

static const struct text_starter rows[] = {
#define STARTER(name, language, category, variables, body) {name, language, category, variables, body},
#include "starter.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct text_starter *text_starter_at(unsigned index)
{
	return index < COUNT(rows) ? &rows[index] : NULL;
}

static const struct text_starter *find(struct view name, struct view language)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (view_eq(name, view_str(rows[i].name)) && view_eq(language, view_str(rows[i].language)))
			return &rows[i];
	return NULL;
}

const struct text_starter *text_starter_find(struct view name, struct view language)
{
	const struct text_starter *s = find(name, language);
	return s ? s : find(name, VIEW("en"));
}

/* "name:type" or "name:type:max" */
static void take_variable(struct view row, struct template_variable *v)
{
	const uint8_t *colon = memchr(row.p, ':', row.n);
	check(colon != NULL);
	struct view type = view_of(colon + 1, row.n - (size_t)(colon + 1 - row.p));
	const uint8_t *second = memchr(type.p, ':', type.n);
	uint64_t max;
	check(copy_view(v->name, sizeof(v->name), view_of(row.p, (size_t)(colon - row.p))));
	v->type = text_template_type(second ? view_of(type.p, (size_t)(second - type.p)) : type);
	v->max = text_template_usual(v->type);
	if (second && parse_u64(view_of(second + 1, type.n - (size_t)(second + 1 - type.p)), 160, &max))
		v->max = (unsigned)max;
}

void text_starter_template(const struct text_starter *s, struct text_template *to)
{
	*to = (struct text_template){.body = view_str(s->body), .language = view_str(s->language)};
	for (const char *p = s->variables; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		check(to->variables < TEMPLATE_VARIABLES_MAX);
		take_variable(view_of(p, n), &to->variable[to->variables++]);
		p += n;
	}
}
