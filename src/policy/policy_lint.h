/* The content of a text, judged by rows: proto/lint_rule.def (rules), lint_word.def (words), lint_link.def (links).
 * Pure, without allocation: called when a template is saved, when a message is accepted and when it is about to go. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy_rules.h"

enum lint_rule {
#define LINT(code, severity, citation, sentence, suggestion) LINT_##code,
#include "lint_rule.def"
#undef LINT
	LINT_COUNT
};

const char *policy_lint_code(enum lint_rule r);       /* "stop_word_reply" */
const char *policy_lint_citation(enum lint_rule r);   /* never empty */
const char *policy_lint_sentence(enum lint_rule r);   /* what is wrong */
const char *policy_lint_suggestion(enum lint_rule r); /* what to write instead */

/* Who sends, and what. Views may be empty. */
struct policy_lint_facts {
	enum category category;
	struct view name; /* the practice's, as patients know it */
	struct view
	        display_name; /* for patients' eyes; the only one that may stand there when the practice is sensitive */
	struct view phone;    /* of the front desk, in any spelling */
	struct view url;      /* of the practice; its host counts as listed */
	struct view link_domains; /* listed domains, blank or comma separated; their subdomains count too */
	bool sensitive;           /* no program words, neutral name only */
	bool require_identity;    /* name, contact and STOP must be there in classes that are LINTED */
	bool phi_warns;           /* findings of severity PHI warn instead of refusing */
};

struct lint_finding {
	enum lint_rule rule;
	bool refuses; /* else it warns */
	unsigned at;  /* place in the text in octets; 0 with bytes 0 when something is missing */
	unsigned bytes;
	unsigned character; /* the same in characters */
	unsigned characters;
};

#define LINT_FINDINGS_MAX 16 /* reported; more are counted */

struct lint_findings {
	struct lint_finding finding[LINT_FINDINGS_MAX]; /* the first count of them */
	unsigned count;
	unsigned refusals; /* of all, also of those beyond the table */
	unsigned warnings;
};

/* Judges UTF-8 text (any octets are safe). Returns whether nothing refuses it; *r has what was found. The whole of a
 * text of up to 256 words is looked at; a longer one is refused as too_long. */
bool policy_lint(const struct policy_lint_facts *facts, struct view text, struct lint_findings *r);

#endif
