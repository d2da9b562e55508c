/* Templates as requests and commands give them: read, checked, linted in one pass. */
#ifndef API_TEMPLATE_H
#define API_TEMPLATE_H

#include "api_lint.h"

#include <jansson.h>

#define TEMPLATE_NAME_MAX 64    /* octets of a template's name */
#define TEMPLATE_PERSON_MAX 128 /* octets of a person's name */

struct template_draft {
	struct faults faults;
	struct view name, language, person;
	enum category category;
	struct text_template t;
	const char *variables;         /* as JSON, with every max */
	struct template_report report; /* septets of the longest text */
	struct lint_findings findings; /* of the longest text */
};

/* Reads {"name","language","category","body","variables","person"} into *d; texts live in the pool and in json. Every
 * fault is in d->faults; true when there is none. */
bool template_draft_read(struct template_draft *d, struct pool *pool, const json_t *json,
                         const struct lint_practice *p);
/* The same in two steps, without a name and a person: what the members are, ... */
bool template_draft_fields(struct template_draft *d, struct pool *pool, const json_t *json);
/* ... and whether it is a template: its longest text is appended to *longest and linted; findings are no faults here.
 */
bool template_draft_check(struct template_draft *d, const struct lint_practice *p, struct buf *longest);
/* {"day": {"type": "date", "max": 11}} or {"day": "date"}; names that are too long and types that are unknown are left
 * for text_template_check to tell. */
void template_variables_read(const json_t *variables, struct text_template *t);
/* A person's name in a request: 1 to TEMPLATE_PERSON_MAX printable octets; else a fault at /person. */
struct view template_person_read(struct faults *f, const json_t *json);
/* A rendering's or a check's fault, at the variable where there is one. */
void template_fault_add(struct faults *f, const struct template_report *r);

#endif
