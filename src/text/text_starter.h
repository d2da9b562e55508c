/* The texts that come with the program. Rows: proto/starter.def. */
#ifndef TEXT_STARTER_H
#define TEXT_STARTER_H

#include "text_template.h"

struct text_starter {
	const char *name, *language, *category, *variables, *body; /* static */
};

/* The index'th row; NULL past the last. */
const struct text_starter *text_starter_at(unsigned index);
/* The row of that name in that language, else in English; NULL when there is no such name. */
const struct text_starter *text_starter_find(struct view name, struct view language);
/* The row as a template; its views point into the row. */
void text_starter_template(const struct text_starter *s, struct text_template *to);

#endif
