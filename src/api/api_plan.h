/* Plans of reminders as requests give them and as they are stored: a list of steps, each
 * {"name", "before", "at", "template", "category", "skip_if_confirmed", "rank"}. */
#ifndef API_PLAN_H
#define API_PLAN_H

#include "api_lint.h"
#include "policy_plan.h"

#include <jansson.h>

#define PLAN_NAME_BYTES 33 /* of a step, with its NUL */

struct plan_entry {
	char name[PLAN_NAME_BYTES];
	const char *template_; /* of the JSON that was read */
	struct plan_step step;
};

/* Reads the steps (at most LIMIT_PLAN_STEPS); every fault is added to *f, at "/steps/0/before" and the like. Returns
 * how many were read. */
unsigned plan_read(const json_t *steps, struct faults *f, struct plan_entry to[LIMIT_PLAN_STEPS]);
/* What is stored of them: every member of every step. The caller's to free. */
json_t *plan_json(const struct plan_entry *entry, unsigned count);

#endif
