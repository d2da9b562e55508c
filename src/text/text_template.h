/* Texts with typed variables: {patient:...} is declared apart, the text has {name} only. The longest text that a
 * template can become is known when it is saved, in septets of the GSM alphabet; what is filled in is checked by type
 * and never cut. Rows: proto/text_template.def. */
#ifndef TEXT_TEMPLATE_H
#define TEXT_TEMPLATE_H

#include "base_bytes.h"

#define TEMPLATE_VARIABLES_MAX 12
#define TEMPLATE_NAME_BYTES 33 /* of a variable, with its NUL */

enum template_type {
#define TEMPLATE_TYPE(name, usual, most, sentence) TEMPLATE_##name,
#include "text_template.def"
	TEMPLATE_TYPES
};

enum template_fault {
	TEMPLATE_FINE,
#define TEMPLATE_FAULT(code, sentence) TEMPLATE_FAULT_##code,
#include "text_template.def"
	TEMPLATE_FAULTS
};

const char *text_template_type_name(enum template_type t);
/* TEMPLATE_TYPES when there is none of the name. */
enum template_type text_template_type(struct view name);
/* Septets that a variable of the type takes when nothing is declared. */
unsigned text_template_usual(enum template_type t);
/* "too_long"; "" for TEMPLATE_FINE */
const char *text_template_fault_code(enum template_fault f);
const char *text_template_fault_sentence(enum template_fault f);
/* Whether templates can be in it: "en", "es". */
bool text_template_language(struct view language);

struct template_variable {
	char name[TEMPLATE_NAME_BYTES];
	enum template_type type; /* TEMPLATE_TYPES is told as a fault by text_template_check */
	unsigned max;            /* septets */
};

struct text_template {
	struct view body; /* UTF-8, text_normalise'd */
	struct view language;
	struct template_variable variable[TEMPLATE_VARIABLES_MAX];
	unsigned variables; /* more than TEMPLATE_VARIABLES_MAX is told as a fault */
};

/* What the practice's settings fill in. Empty views count as the longest that a setting may be. */
struct template_practice {
	struct view name; /* the neutral one of a sensitive practice */
	struct view phone;
	struct view domain; /* a listed one, for text_template_sample; may be empty */
};

struct template_value {
	struct view name;
	struct view value;
};

/* What is wrong, and with what. */
struct template_report {
	enum template_fault fault;
	char name[TEMPLATE_NAME_BYTES]; /* of the variable; "" when it is about the whole */
	unsigned septets;               /* of the longest text, of text_template_check; of the text, of a rendering */
};

/* Whether the template may be saved: every variable is declared and used, the alphabet is GSM 7-bit, and the longest
 * text has at most LIMIT_GSM7_SEPTETS. */
bool text_template_check(const struct text_template *t, const struct template_practice *p, struct template_report *r);
/* Appends the text to *to; false (and *to as it was) at the first value that does not fit its variable. Never longer
 * than what text_template_check told, as long as the practice's settings stay. Values of no variable are refused. */
bool text_template_render(const struct text_template *t, const struct template_practice *p,
                          const struct template_value *values, unsigned count, struct buf *to,
                          struct template_report *r);
/* Appends the template filled with the longest harmless value of each type: what can be linted before any value is
 * known. The template must have passed text_template_check. */
void text_template_sample(const struct text_template *t, const struct template_practice *p, struct buf *to);

/* One value as it will stand in the text, appended to *to (as it was, when it is refused). */
enum template_fault text_template_value(const struct template_variable *v, struct view language, struct view value,
                                        struct buf *to);

#endif
