/* What a text asks its reader to reply. A patient who follows it with a word of proto/keyword.def opts out, whatever
 * the text promised (47 CFR 64.1200(a)(10)): so only STOP may be offered, and only for opting out. */
#include "policy_lint_internal.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIST_WORDS_MAX 4 /* words between the verb and a word to reply with, when no purpose is told between them */

/* Every row; those that end texts are looked for. */
static const struct {
	const char *kind;
	const char *word;
} keywords[] = {
#define KEYWORD(kind, word, source) {#kind, word},
#include "keyword.def"
#define LINT_STOPS_TOO(word) {"STOP", word},
#include "lint_word.def"
};

static const char *const verbs[] = {
#define LINT_VERB(phrase) phrase,
#include "lint_word.def"
};
static const char *const nots[] = {
#define LINT_NOT(phrase) phrase,
#include "lint_word.def"
};
static const char *const fillers[] = {
#define LINT_FILLER(phrase) phrase,
#include "lint_word.def"
};
static const char *const fors[] = {
#define LINT_FOR(phrase) phrase,
#include "lint_word.def"
};
static const char *const ors[] = {
#define LINT_OR(phrase) phrase,
#include "lint_word.def"
};
static const char *const opts_out[] = {
#define LINT_OPTS_OUT(phrase) phrase,
#include "lint_word.def"
};
static const char *const ends[] = {
#define LINT_ENDS(phrase) phrase,
#include "lint_word.def"
};
static const char *const texts[] = {
#define LINT_TEXTS(phrase) phrase,
#include "lint_word.def"
};

/* The longest of the phrases at word i, in words; 0 for none. */
static unsigned any(const struct policy_words *w, unsigned i, const char *const *phrases, size_t count)
{
	unsigned most = 0;
	for (size_t k = 0; i < w->count && k < count; k++) {
		bool may = w->letter[w->word[i].letters] == *phrases[k];
		unsigned n = may ? policy_words_match(w, i, phrases[k]) : 0;
		most = n > most ? n : most;
	}
	return most;
}

#define ANY(w, i, phrases) any(w, i, phrases, COUNT(phrases))

static bool sentence_ends(const struct policy_words *w, unsigned i)
{
	return i >= w->count || (w->word[i].gap & GAP_SENTENCE);
}

/* One place of a stop word: words [i, i + n). */
struct place {
	const struct policy_words *w;
	unsigned i, n;
	unsigned
	        verb_end; /* first word behind the nearest verb and its fillers in the sentence; 0 when there is none */
};

static bool emphasised(const struct place *p)
{
	const struct policy_word *word = &p->w->word[p->i];
	return (word->capitals && !p->w->shouting) || (word->gap & GAP_QUOTE);
}

/* "STOP to ...", "STOP=..." */
static bool leads_on(const struct place *p)
{
	unsigned next = p->i + p->n;
	return !sentence_ends(p->w, next) && (ANY(p->w, next, fors) || (p->w->word[next].gap & GAP_EQUALS));
}

static bool purpose_between(const struct place *p)
{
	for (unsigned k = p->verb_end; k < p->i; k++)
		if (ANY(p->w, k, fors))
			return true;
	return false;
}

/* Behind which words a reply is asked for: the verb nearest to the left in the sentence, if it is not denied. */
static void find_verb(struct place *p)
{
	for (unsigned v = p->i; v-- > 0 && !(p->w->word[v + 1].gap & GAP_SENTENCE);) {
		unsigned n = ANY(p->w, v, verbs);
		if (!n || v + n > p->i)
			continue;
		if (v > 0 && !(p->w->word[v].gap & GAP_SENTENCE) && ANY(p->w, v - 1, nots))
			return;
		unsigned at = v + n;
		for (unsigned m; at < p->i && (m = ANY(p->w, at, fillers)) && at + m <= p->i;)
			at += m;
		p->verb_end = at;
		return;
	}
}

/* "CONFIRM or CANCEL?" */
static bool asks(const struct place *p)
{
	const struct policy_word *last = &p->w->word[p->i + p->n - 1];
	size_t end = (size_t)last->byte + last->bytes;
	return end < p->w->text.n && p->w->text.p[end] == '?';
}

/* Whether the reader is asked to reply the word. */
static bool is_asked(struct place *p)
{
	const struct policy_words *w = p->w;
	find_verb(p);
	if (p->verb_end == p->i && p->verb_end)
		return true;
	if (p->i > 0 && ANY(w, p->i - 1, fors) && !(w->word[p->i].gap & GAP_SENTENCE))
		return false; /* "to cancel" says what it is for */
	if (leads_on(p) && (emphasised(p) || w->shouting))
		return true;
	bool listed = (w->word[p->i].gap & GAP_LIST) || (p->i > 0 && ANY(w, p->i - 1, ors));
	if (listed && emphasised(p) && asks(p))
		return true;
	if (!p->verb_end || !listed)
		return false;
	return leads_on(p) || emphasised(p) || (p->i - p->verb_end <= LIST_WORDS_MAX && !purpose_between(p));
}

/* --- what STOP is said to do ----------------------------------------------------------------------------------- */

static bool clause_ends(const struct policy_words *w, unsigned i)
{
	return sentence_ends(w, i) || (w->word[i].gap & GAP_LIST) || ANY(w, i, ors) ||
	       (w->word[i].capitals && !w->shouting);
}

/* "end", "end texts", but not "end your visit"; "cancel" alone would be the visit. */
static bool ends_texts(const struct policy_words *w, unsigned i)
{
	unsigned n = ANY(w, i, ends);
	if (!n)
		return false;
	if (!clause_ends(w, i + n))
		return ANY(w, i + n, texts) > 0;
	return w->letter[w->word[i].letters] != 'c';
}

/* Without any purpose STOP is what everybody knows it for. */
static bool opts_out_for(const struct place *p)
{
	const struct policy_words *w = p->w;
	const unsigned from = p->i + p->n;
	bool purpose = leads_on(p);
	for (unsigned k = from; !sentence_ends(w, k); k++) {
		bool led = k > from ? ANY(w, k - 1, fors) > 0 : (w->word[k].gap & GAP_EQUALS) != 0;
		if (!led && clause_ends(w, k))
			break;
		if (ANY(w, k, opts_out) || ends_texts(w, k))
			return true;
		purpose = purpose || ANY(w, k, fors);
	}
	return !purpose;
}

static bool is_stop(const struct policy_words *w, unsigned i)
{
	return policy_words_match(w, i, "stop") > 0;
}

/* Whether it is the literal STOP that opts out. */
static bool judge(struct lint *l, struct place *p)
{
	if (!is_asked(p))
		return false;
	if (!is_stop(p->w, p->i) || p->n > policy_words_match(p->w, p->i, "stop")) {
		lint_add_words(l, LINT_stop_word_reply, p->i, p->n);
		return false;
	}
	if (!opts_out_for(p)) {
		lint_add_words(l, LINT_stop_as_answer, p->i, p->n);
		return false;
	}
	return p->n == 1 && p->w->word[p->i].capitals;
}

static bool ends_all(const char *kind)
{
	return strcmp(kind, "STOP") == 0 || strcmp(kind, "STOP_ALL") == 0;
}

bool lint_replies(struct lint *l)
{
	const struct policy_words *w = &l->words;
	bool stops = false;
	for (size_t k = 0; k < COUNT(keywords); k++) {
		const char *word = keywords[k].word;
		unsigned i = ends_all(keywords[k].kind) ? policy_words_find(w, word) : w->count;
		for (; i < w->count; i = policy_words_find_next(w, word, i)) {
			struct place p = {.w = w, .i = i, .n = policy_words_match(w, i, word)};
			stops = judge(l, &p) || stops;
		}
	}
	return stops;
}
