#include "text_intent.h"

#include "base_utf8.h"
#include "text_fold.h"
#include "text_keyword.h"
#include "text_typo.h"

#include <string.h>

#define WORDS_MAX 256 /* of a sentence; what is longer is read in pieces */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum kind { EXCUSE, SURE, SUSPECT, WRONG, VISIT };

struct phrase {
	enum kind kind;
	const char *pattern;
};

static const struct phrase phrases[] = {
#define PHRASE(kind, pattern) {kind, pattern},
#include "optout_phrase.def"
};

static const struct {
	const char *name;
	const char *words;
} sets[] = {
#define SET(name, words) {#name, words},
#include "optout_phrase.def"
};

static const struct {
	const char *word;
	const char *category;
} class_words[] = {
#define CLASS_WORD(word, category) {word, category},
#include "optout_phrase.def"
};

static const struct {
	uint32_t first;
	uint32_t last;
} signs[] = {
#define SIGN(first, last, what) {first, last},
#include "optout_phrase.def"
};

const char *text_intent_name(enum text_intent i)
{
	static const char *const names[] = {"other", "stop", "stop_all", "stop_class", "suspect",     "wrong_number",
	                                    "start", "help", "yes",      "no",         "cancel_visit"};
	return (unsigned)i < COUNT(names) ? names[i] : "other";
}

bool text_intent_stops(enum text_intent i)
{
	return i >= INTENT_STOP && i <= INTENT_WRONG_NUMBER;
}

const char *text_intent_category(const char *rule, unsigned i)
{
	for (size_t row = 0; row < COUNT(class_words); row++)
		if (strcmp(class_words[row].word, rule) == 0 && i-- == 0)
			return class_words[row].category;
	return NULL;
}

/* --- patterns ------------------------------------------------------------------------------------------------------
 */

struct word {
	struct view text;
	bool excused;
};

struct words {
	struct word word[WORDS_MAX];
	unsigned count;
};

/* The next alternative of "a|b|c", and what is left behind it; false at the end. */
static bool next_alternative(struct view *list, struct view *one_r)
{
	if (list->n == 0)
		return false;
	const uint8_t *bar = memchr(list->p, '|', list->n);
	size_t n = bar ? (size_t)(bar - list->p) : list->n;
	*one_r = view_of(list->p, n);
	n += bar != NULL;
	*list = view_of(list->p + n, list->n - n);
	return true;
}

static bool in_list(struct view word, struct view list)
{
	struct view one;
	while (next_alternative(&list, &one))
		if (one.n == word.n && memcmp(one.p, word.p, word.n) == 0)
			return true;
	return false;
}

static bool in_set(struct view word, struct view name)
{
	for (size_t i = 0; i < COUNT(sets); i++)
		if (view_eq(name, view_str(sets[i].name)))
			return in_list(word, view_str(sets[i].words));
	return false;
}

/* Alternatives may be words and sets: "@texts|this". */
static bool is_one_of(struct view word, struct view list)
{
	struct view one;
	while (next_alternative(&list, &one))
		if (one.n && one.p[0] == '@' ? in_set(word, view_of(one.p + 1, one.n - 1))
		                             : one.n == word.n && memcmp(one.p, word.p, word.n) == 0)
			return true;
	return false;
}

static struct view next_element(const char **pattern)
{
	const char *begin = *pattern + strspn(*pattern, " ");
	size_t n = strcspn(begin, " ");
	*pattern = begin + n;
	return view_of((const uint8_t *)begin, n);
}

static bool word_fits(const struct words *w, unsigned at, struct view list, bool excusing)
{
	return at < w->count && (excusing || !w->word[at].excused) && is_one_of(w->word[at].text, list);
}

/* The place behind the match of the pattern from there on, or -1. */
static int match_from(const struct words *w, unsigned at, const char *pattern, bool excusing)
{
	struct view e = next_element(&pattern);
	if (e.n == 0)
		return (int)at;
	struct view rest = view_of(e.p + 1, e.n - 1);
	if (e.p[0] == '^' || (e.p[0] == '$' && e.n == 1))
		return at == (e.p[0] == '^' ? 0 : w->count) ? match_from(w, at, pattern, excusing) : -1;
	if (e.p[0] == '*') {
		for (unsigned skip = 0; skip <= (unsigned)(e.p[1] - '0') && at + skip <= w->count; skip++) {
			int end = match_from(w, at + skip, pattern, excusing);
			if (end >= 0)
				return end;
		}
		return -1;
	}
	bool optional = e.p[0] == '~';
	if (word_fits(w, at, optional ? rest : e, excusing)) {
		int end = match_from(w, at + 1, pattern, excusing);
		if (end >= 0)
			return end;
	}
	bool at_end = at == w->count && in_list(view_str("$"), e);
	return optional || at_end ? match_from(w, at, pattern, excusing) : -1;
}

static void excuse(struct words *w)
{
	for (size_t i = 0; i < COUNT(phrases); i++)
		for (unsigned at = 0; phrases[i].kind == EXCUSE && at < w->count; at++) {
			int end = match_from(w, at, phrases[i].pattern, true);
			for (unsigned k = at; end >= 0 && k < (unsigned)end; k++)
				w->word[k].excused = true;
		}
}

/* --- a sentence ----------------------------------------------------------------------------------------------------
 */

struct reading {
	const char *found[VISIT + 1]; /* the first row of each kind that matched */
	bool cancel;                  /* a clause is CANCEL by itself, or a typo of it */
};

static void note(struct reading *r, enum kind kind, const char *rule)
{
	if (!r->found[kind])
		r->found[kind] = rule;
}

static void look_for(struct reading *r, const struct words *w, enum kind kind, enum kind as)
{
	for (size_t i = 0; i < COUNT(phrases); i++)
		for (unsigned at = 0; phrases[i].kind == kind && !r->found[as] && at < w->count; at++)
			if (match_from(w, at, phrases[i].pattern, false) >= 0)
				note(r, as, phrases[i].pattern);
}

static void look_for_phrases(struct reading *r, struct words *w)
{
	look_for(r, w, SURE, SUSPECT);
	excuse(w);
	look_for(r, w, SUSPECT, SUSPECT);
	look_for(r, w, WRONG, WRONG);
	look_for(r, w, VISIT, VISIT);
}

static void read_sentence(struct reading *r, struct view utf8)
{
	struct text_folded folded, mended;
	struct words w;
	text_fold(utf8, &folded);
	text_typo_mend(&folded, &mended);
	if (folded.too_long)
		note(r, SUSPECT, "too long to be read");
	w.count = 0;
	for (size_t at = 0, begin = 0; at < mended.n; at++) {
		if (mended.text[at] != ' ')
			continue;
		w.word[w.count++] = (struct word){view_of((const uint8_t *)mended.text + begin, at - begin), false};
		begin = at + 1;
		if (w.count == WORDS_MAX || at + 1 == mended.n) {
			look_for_phrases(r, &w);
			w.count = 0;
		}
	}
}

/* A clause that is a stop word by itself: "Stop, I have moved". */
static void read_clause(struct reading *r, struct view utf8)
{
	struct text_folded folded, mended;
	const char *word;
	text_fold(utf8, &folded);
	text_typo_mend(&folded, &mended);
	enum text_keyword k = text_keyword_of(view_of(mended.text, mended.n), &word);
	if (k != KEYWORD_STOP && k != KEYWORD_STOP_ALL && k != KEYWORD_STOP_CLASS)
		return;
	if (strcmp(word, "cancel") == 0)
		r->cancel = true;
	else
		note(r, SUSPECT, word);
}

/* A dot or the like ends a sentence when nothing is joined to it: "s.t.o.p" is one word. */
static bool ends_sentence(struct view utf8, size_t at)
{
	uint8_t c = utf8.p[at];
	if (c == '\n' || c == '\r')
		return true;
	bool mark = c == '.' || c == '!' || c == '?' || c == ';';
	return mark && (at + 1 == utf8.n || utf8.p[at + 1] <= ' ' || strchr(".!?;", utf8.p[at + 1]));
}

static void read_sentences(struct reading *r, struct view utf8)
{
	size_t sentence = 0;
	size_t clause = 0;
	for (size_t at = 0; at <= utf8.n; at++) {
		bool sentence_ends = at == utf8.n || ends_sentence(utf8, at);
		if (sentence_ends || utf8.p[at] == ',') {
			read_clause(r, view_of(utf8.p + clause, at - clause));
			clause = at + 1;
		}
		if (sentence_ends) {
			read_sentence(r, view_of(utf8.p + sentence, at - sentence));
			sentence = at + 1;
		}
	}
}

/* --- the whole -----------------------------------------------------------------------------------------------------
 */

static struct text_meaning judge(const struct reading *r)
{
	bool visit = r->found[VISIT] || r->cancel;
	if (r->found[WRONG])
		return (struct text_meaning){.intent = INTENT_WRONG_NUMBER, .rule = r->found[WRONG], .visit = false};
	if (r->found[SUSPECT])
		return (struct text_meaning){.intent = INTENT_SUSPECT, .rule = r->found[SUSPECT], .visit = visit};
	if (r->found[VISIT])
		return (struct text_meaning){.intent = INTENT_CANCEL_VISIT, .rule = r->found[VISIT], .visit = false};
	if (r->cancel)
		return (struct text_meaning){.intent = INTENT_SUSPECT, .rule = "cancel", .visit = true};
	return (struct text_meaning){.intent = INTENT_OTHER, .rule = NULL, .visit = false};
}

/* A text of emoji only, one of which says no. */
static bool is_sign(struct view utf8)
{
	for (size_t at = 0; at < utf8.n;) {
		uint32_t character;
		size_t n = utf8_get(utf8, at, &character);
		for (size_t i = 0; n && i < COUNT(signs); i++)
			if (character >= signs[i].first && character <= signs[i].last)
				return true;
		at += n ? n : 1;
	}
	return false;
}

/* Besides the word only politeness, or it would not match; politeness may name the texts: "cancel texts". */
static bool may_mean_visit(const char *word, const struct text_folded *f)
{
	struct view rest = view_of((const uint8_t *)f->text, f->n);
	if (strcmp(word, "cancel") != 0)
		return false;
	for (size_t at = 0, begin = 0; at < rest.n; at++) {
		if (rest.p[at] != ' ')
			continue;
		if (in_set(view_of(rest.p + begin, at - begin), VIEW("texts")))
			return false;
		begin = at + 1;
	}
	return true;
}

static struct text_meaning read_intent(struct view utf8, const struct text_folded *f)
{
	static const enum text_intent intents[] = {INTENT_OTHER, INTENT_STOP, INTENT_STOP_ALL, INTENT_STOP_CLASS,
	                                           INTENT_START, INTENT_HELP, INTENT_YES,      INTENT_NO};
	struct reading r = {.cancel = false};
	const char *word;
	enum text_keyword k = text_keyword_of(view_of((const uint8_t *)f->text, f->n), &word);
	if (k != KEYWORD_NONE)
		return (struct text_meaning){.intent = intents[k], .rule = word, .visit = may_mean_visit(word, f)};
	if (f->n == 0)
		return (struct text_meaning){.intent = is_sign(utf8) ? INTENT_SUSPECT : INTENT_OTHER,
		                             .rule = is_sign(utf8) ? "sign" : NULL,
		                             .visit = false};
	read_sentences(&r, utf8);
	return judge(&r);
}

/* What stops, helps, starts or reports is never an answer to a reminder, whatever rows that has. */
struct text_meaning text_intent_read(struct view utf8)
{
	struct text_folded folded;
	text_fold(utf8, &folded);
	struct text_meaning m = read_intent(utf8, &folded);
	if (m.intent == INTENT_OTHER || m.intent == INTENT_YES || m.intent == INTENT_NO)
		m.answer = text_visit_read(view_of((const uint8_t *)folded.text, folded.n), utf8);
	return m;
}
