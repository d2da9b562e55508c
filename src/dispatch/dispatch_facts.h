/* The facts of a verdict: their names in the verdict event's JSON, written whole by the claim (dispatch_facts.c) and
 * read back by `smsbridge replay`. A fact that is false, zero or unknown is left out. */
#ifndef DISPATCH_FACTS_H
#define DISPATCH_FACTS_H

#include "policy_rules.h"

#include <stddef.h>

enum fact_kind {
	FACT_BOOL,   /* bool: true */
	FACT_INT,    /* int */
	FACT_COUNT,  /* unsigned */
	FACT_TIME,   /* int64_t of microseconds: RFC 3339, "never" for TIME_NEVER */
	FACT_REASON, /* enum reason: its code */
	FACT_BASIS,  /* enum basis: its name */
	FACT_UUID,
	FACT_SENDS, /* struct policy_sends: an array of times */
};

struct fact_row {
	const char *name;
	enum fact_kind kind;
	size_t offset; /* in struct policy_facts */
};
/* Ended by a row without name. Those of the consent stand in an object "consent" of their own. Beside them stand
 * "category", "states" (blank separated), "local" (an object: zone and its local time) and "opt_outs" (array of
 * categories, "" for everything), from which opted_out follows by the pack. */
extern const struct fact_row dispatch_fact_rows[];
extern const struct fact_row dispatch_consent_rows[];

/* Whether opt-outs ("/" and a category each; "/" alone: everything) stop a class under these rules. */
bool dispatch_opted_out(const struct policy_rules *rules, const char *opt_outs, const char *category);

#endif
