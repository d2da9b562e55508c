/* Shared by the lint's files only. */
#ifndef POLICY_LINT_INTERNAL_H
#define POLICY_LINT_INTERNAL_H

#include "policy_lint.h"
#include "policy_words.h"

#define LINT_LINKS_MAX 16 /* spans in which digits are no numbers; links beyond it are still judged */

/* Octets of the text. */
struct lint_span {
	unsigned at, end;
};

struct lint {
	const struct policy_lint_facts *facts;
	struct policy_words words;
	struct lint_findings *r;
	bool contact; /* the practice's phone or one of its own links was seen */
	struct lint_span link[LINT_LINKS_MAX];
	unsigned links;
};

void lint_add(struct lint *l, enum lint_rule rule, unsigned at, unsigned bytes);
/* A finding over words [i, i + n). */
void lint_add_words(struct lint *l, enum lint_rule rule, unsigned i, unsigned n);
/* Instructions to reply. Returns whether the text tells how to stop (a literal STOP that opts out). */
bool lint_replies(struct lint *l);
void lint_links(struct lint *l);
/* After lint_links: digits of links are no numbers. */
void lint_numbers(struct lint *l);
bool lint_in_link(const struct lint *l, unsigned at);

#endif
