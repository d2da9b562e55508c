#include "text_keyword.h"

#include "text_fold.h"

#include <string.h>

#define WORDS_MAX 200 /* what is longer when folded says more than a word and its politeness */

struct keyword {
	enum text_keyword kind;
	const char *word;
};

static const struct keyword keywords[] = {
#define KEYWORD(kind, word, source) {KEYWORD_##kind, word},
#include "keyword.def"
};

static const char *const polite[] = {
#define POLITE(phrase) phrase,
#include "keyword.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *text_keyword_name(enum text_keyword k)
{
	static const char *const names[] = {"none", "stop", "stop_all", "stop_class", "start", "help", "yes", "no"};
	return (unsigned)k < COUNT(names) ? names[k] : "none";
}

bool text_keyword_is(struct view a, const char *b)
{
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] == ' ')
			continue;
		while (*b == ' ')
			b++;
		if (*b == 0 || (uint8_t)*b++ != a.p[i])
			return false;
	}
	return *b == 0;
}

static const struct keyword *keyword_find(struct view words)
{
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (text_keyword_is(words, keywords[i].word))
			return &keywords[i];
	return NULL;
}

/* Whether the phrase stands at the front. Each word ends with a blank, so that only whole words count. */
static bool at_front(struct view words, struct view phrase)
{
	return words.n > phrase.n && words.p[phrase.n] == ' ' && memcmp(words.p, phrase.p, phrase.n) == 0;
}

static bool at_back(struct view words, struct view phrase)
{
	if (words.n <= phrase.n)
		return false;
	size_t at = words.n - phrase.n - 1;
	return (at == 0 || words.p[at - 1] == ' ') && memcmp(words.p + at, phrase.p, phrase.n) == 0;
}

bool text_keyword_polite(struct view *words)
{
	size_t front = 0;
	size_t back = 0;
	for (size_t i = 0; i < COUNT(polite); i++) {
		struct view phrase = view_str(polite[i]);
		if (phrase.n >= front && at_front(*words, phrase))
			front = phrase.n + 1;
		if (phrase.n >= back && at_back(*words, phrase))
			back = phrase.n + 1;
	}
	if (front > back)
		words->p += front;
	words->n -= front > back ? front : back;
	return front || back;
}

enum text_keyword text_keyword_of(struct view words, const char **word_r)
{
	const struct keyword *found = NULL;
	if (words.n > WORDS_MAX)
		words.n = 0;
	/* Rows before politeness at each step: "no more texts" is a row, "texts" is politeness. */
	while (words.n && !(found = keyword_find(words)) && text_keyword_polite(&words))
		;
	if (word_r)
		*word_r = found ? found->word : NULL;
	return found ? found->kind : KEYWORD_NONE;
}

enum text_keyword text_keyword_match(struct view utf8, const char **word_r)
{
	struct text_folded f;
	text_fold(utf8, &f);
	return text_keyword_of(view_of(f.text, f.n), word_r);
}
