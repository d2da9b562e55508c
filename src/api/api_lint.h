/* The lint in the program: a practice's settings as its facts, findings as JSON and as faults of a request. */
#ifndef API_LINT_H
#define API_LINT_H

#include "base_pool.h"
#include "http_response.h"
#include "policy_lint.h"
#include "text_template.h"

/* A practice's settings that its texts are judged by; longer ones do not pass `practice add`. */
struct lint_practice {
	char name[168];
	char display_name[168];
	char phone[88];
	char url[408];
	char link_domains[408]; /* blank separated */
	bool sensitive;
	bool phi_warns;
	bool require_identity;
};

/* The columns that lint_practice_take reads, of a practice p: for key_get.sql and commands. */
#define LINT_PRACTICE_COLUMNS                                                                                          \
	"p.name, coalesce(p.display_name, ''), p.phone, coalesce(p.url, ''), array_to_string(p.link_domains, ' '),"    \
	" p.sensitive, p.lint_phi = 'warn', p.require_identity"
#define LINT_PRACTICE_FIELDS 8
/* From the texts of those columns in their order ("t" and "f" for truth). */
void lint_practice_take(struct lint_practice *to, const struct view fields[LINT_PRACTICE_FIELDS]);

/* Views point into *p. */
struct policy_lint_facts lint_facts(const struct lint_practice *p, enum category category);
struct template_practice lint_template_practice(const struct lint_practice *p);

/* Findings as a JSON array: code, severity, at and length in characters, citation, sentence, suggestion. */
void lint_write(const struct lint_findings *r, struct buf *to);

#define FAULTS_MAX 24

/* Faults of a request, found in one pass. */
struct faults {
	struct pool *pool; /* what fault_add's texts may be allocated in */
	struct http_problem_error error[FAULTS_MAX];
	unsigned count;
};
void fault_add(struct faults *f, const char *pointer, const char *code, const char *detail);
/* Each finding that refuses, at /body. */
void fault_add_findings(struct faults *f, const struct lint_findings *r);

#endif
