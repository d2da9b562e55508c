#include "policy_lint_internal.h"

#include "base_check.h"
#include "base_fold.h"
#include "base_utf8.h"

#include <string.h>

enum severity { REFUSE, WARN, PHI };

struct rule_row {
	const char *code;
	enum severity severity;
	const char *citation;
	const char *sentence;
	const char *suggestion;
};

static const struct rule_row rules[LINT_COUNT] = {
#define LINT(code, severity, citation, sentence, suggestion) {#code, severity, citation, sentence, suggestion},
#include "lint_rule.def"
#undef LINT
};

struct word_row {
	enum lint_rule rule;
	const char *phrase;
	const char *classes;
};

static const struct word_row word_rows[] = {
#define LINT_WORD(rule, phrase, classes) {LINT_##rule, phrase, classes},
#include "lint_word.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct rule_row *row_of(enum lint_rule r)
{
	check((unsigned)r < LINT_COUNT);
	return &rules[r];
}

const char *policy_lint_code(enum lint_rule r)
{
	return row_of(r)->code;
}

const char *policy_lint_citation(enum lint_rule r)
{
	return row_of(r)->citation;
}

const char *policy_lint_sentence(enum lint_rule r)
{
	return row_of(r)->sentence;
}

const char *policy_lint_suggestion(enum lint_rule r)
{
	return row_of(r)->suggestion;
}

/* --- findings -------------------------------------------------------------------------------------------------- */

static unsigned characters_in(struct view text, size_t from, size_t to)
{
	unsigned n = 0;
	uint32_t c;
	for (size_t at = from, step; at < to && at < text.n; at += step ? step : 1, n++)
		step = utf8_get(text, at, &c);
	return n;
}

void lint_add(struct lint *l, enum lint_rule rule, unsigned at, unsigned bytes)
{
	struct lint_findings *r = l->r;
	struct view text = l->words.text;
	bool refuses = rules[rule].severity == REFUSE || (rules[rule].severity == PHI && !l->facts->phi_warns);
	for (unsigned i = 0; i < r->count; i++)
		if (r->finding[i].rule == rule && at < r->finding[i].at + r->finding[i].bytes &&
		    r->finding[i].at < at + bytes)
			return;
	if (refuses)
		r->refusals++;
	else
		r->warnings++;
	if (r->count < LINT_FINDINGS_MAX)
		r->finding[r->count++] = (struct lint_finding){.rule = rule,
		                                               .refuses = refuses,
		                                               .at = at,
		                                               .bytes = bytes,
		                                               .character = characters_in(text, 0, at),
		                                               .characters = characters_in(text, at, at + bytes)};
}

void lint_add_words(struct lint *l, enum lint_rule rule, unsigned i, unsigned n)
{
	const struct policy_word *first = &l->words.word[i];
	const struct policy_word *last = &l->words.word[i + n - 1];
	lint_add(l, rule, first->byte, (unsigned)last->byte + last->bytes - first->byte);
}

bool lint_in_link(const struct lint *l, unsigned at)
{
	for (unsigned i = 0; i < l->links; i++)
		if (at >= l->link[i].at && at < l->link[i].end)
			return true;
	return false;
}

/* --- words ----------------------------------------------------------------------------------------------------- */

/* Whether the class is one of the blank separated names. */
static bool right_in(const char *classes, enum category category)
{
	const char *code = policy_category_code(category);
	size_t n = strlen(code);
	for (const char *p = classes; *p; p += strcspn(p, " ") + (p[strcspn(p, " ")] == ' '))
		if (strcspn(p, " ") == n && memcmp(p, code, n) == 0)
			return true;
	return false;
}

static bool row_applies(const struct lint *l, const struct word_row *row)
{
	return (row->rule != LINT_program_word || l->facts->sensitive) &&
	       !(*row->classes && right_in(row->classes, l->facts->category));
}

static void lint_words(struct lint *l)
{
	const struct policy_words *w = &l->words;
	for (size_t k = 0; k < COUNT(word_rows); k++) {
		const struct word_row *row = &word_rows[k];
		unsigned i = policy_words_find(w, row->phrase);
		if (i == w->count || !row_applies(l, row))
			continue;
		for (; i < w->count; i = policy_words_find_next(w, row->phrase, i))
			lint_add_words(l, row->rule, i, policy_words_match(w, i, row->phrase));
	}
}

/* --- who sends ------------------------------------------------------------------------------------------------- */

#define NAME_MAX 256 /* octets of a name as a phrase; longer names are compared as far as this */

static void add_phrase(char *to, size_t *n, const char *letters)
{
	size_t add = strlen(letters);
	if (*n + add < NAME_MAX) {
		memcpy(to + *n, letters, add);
		*n += add;
	}
}

/* The name as policy_words_match takes a phrase. */
static void name_phrase(struct view name, char to[NAME_MAX])
{
	size_t n = 0;
	uint32_t c = ' ';
	for (size_t at = 0, step; at < name.n; at += step ? step : 1) {
		step = utf8_get(name, at, &c);
		char letter[2] = {step ? fold_character(c) : ' '};
		if (letter[0] == ' ' && (n == 0 || to[n - 1] == ' '))
			letter[0] = 0;
		add_phrase(to, &n, c == '%' ? " percent " : c == '$' ? " dollar " : letter);
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = 0;
}

/* Whether the name stands in the text. masks: its words are the practice's own and no phrase is looked for in them. */
static bool has_name(struct lint *l, struct view name, bool masks, enum lint_rule wrong)
{
	struct policy_words *w = &l->words;
	char phrase[NAME_MAX];
	bool found = false;
	name_phrase(name, phrase);
	if (!*phrase)
		return false;
	w->across = true;
	for (unsigned i = policy_words_find(w, phrase); i < w->count; i = policy_words_find_next(w, phrase, i)) {
		unsigned n = policy_words_match(w, i, phrase);
		found = true;
		if (wrong != LINT_COUNT)
			lint_add_words(l, wrong, i, n);
		for (unsigned k = i; masks && k < i + n; k++)
			w->word[k].masked = true;
	}
	w->across = false;
	return found;
}

/* Whether the text says who sends it; a sensitive practice does so by its neutral name only. */
static bool lint_name(struct lint *l)
{
	const struct policy_lint_facts *f = l->facts;
	if (!f->sensitive) {
		bool own = has_name(l, f->name, true, LINT_COUNT);
		return has_name(l, f->display_name, true, LINT_COUNT) || own;
	}
	bool neutral = has_name(l, f->display_name, false, LINT_COUNT);
	if (!view_eq(f->name, f->display_name))
		has_name(l, f->name, false, LINT_sensitive_name);
	return neutral;
}

bool policy_lint(const struct policy_lint_facts *facts, struct view text, struct lint_findings *r)
{
	struct lint l; /* its tables need no zeros */
	r->count = r->refusals = r->warnings = 0;
	l.facts = facts;
	l.r = r;
	l.contact = false;
	l.links = 0;
	policy_words_fold(text, &l.words);
	if (l.words.too_long)
		lint_add(&l, LINT_too_long, 0, 0);
	bool named = lint_name(&l);
	lint_links(&l);
	lint_numbers(&l);
	bool stops = lint_replies(&l);
	lint_words(&l);
	if (facts->require_identity && (policy_category_flags(facts->category) & CATEGORY_LINTED)) {
		if (!named)
			lint_add(&l, LINT_name_missing, 0, 0);
		if (!l.contact)
			lint_add(&l, LINT_contact_missing, 0, 0);
		if (!stops)
			lint_add(&l, LINT_stop_missing, 0, 0);
	}
	return r->refusals == 0;
}
