#include "text_keyword.h"

#include "base_utf8.h"

#include <string.h>

/* A reply is first folded into words of lower case ASCII with one blank between them. One that is longer than this when
 * folded says more than a word and its politeness. */
#define FOLDED_MAX 200
#define UNKNOWN_LETTER '?' /* of a script that no row uses: its word matches nothing */

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

enum treatment { FOLDS, VANISHES, BLANKS };

struct range {
	uint32_t first;
	uint32_t last;
	enum treatment treatment;
	char to;
	uint8_t period;
};

static const struct range ranges[] = {
#define FOLD(first, last, to, period, what) {first, last, FOLDS, to, period},
#include "keyword.def"
#define VANISH(first, last, what) {first, last, VANISHES, 0, 1},
#include "keyword.def"
#define BLANK(first, last, what) {first, last, BLANKS, 0, 1},
#include "keyword.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *text_keyword_name(enum text_keyword k)
{
	static const char *const names[] = {"none", "stop", "start", "help"};
	return (unsigned)k < COUNT(names) ? names[k] : "none";
}

/* --- folding --------------------------------------------------------------------------------------------------- */

struct folded {
	char text[FOLDED_MAX];
	size_t n;
	size_t word_at; /* of the word being written */
	bool too_long;
};

/* The character's letter or digit, ' ' for what parts words, 0 for what is not there. */
static char fold_character(uint32_t character)
{
	for (size_t i = 0; i < COUNT(ranges); i++) {
		const struct range *r = &ranges[i];
		if (character < r->first || character > r->last)
			continue;
		if (r->treatment == FOLDS)
			return (char)(r->to + (character - r->first) % r->period);
		return r->treatment == BLANKS ? ' ' : 0;
	}
	return UNKNOWN_LETTER;
}

/* Ends the word at hand, and forgets it when it only repeats the one before: "STOP STOP STOP" says stop. */
static void end_word(struct folded *f)
{
	size_t n = f->n - f->word_at;
	if (n == 0)
		return;
	bool second = f->word_at > n && (f->word_at == n + 1 || f->text[f->word_at - n - 2] == ' ');
	if (second && memcmp(f->text + f->word_at, f->text + f->word_at - n - 1, n) == 0)
		f->n = f->word_at;
	else if (f->n < FOLDED_MAX)
		f->text[f->n++] = ' ';
	else
		f->too_long = true;
	f->word_at = f->n;
}

static void add_letter(struct folded *f, char letter)
{
	if (f->n < FOLDED_MAX)
		f->text[f->n++] = letter;
	else
		f->too_long = true;
}

static void fold(struct view utf8, struct folded *f)
{
	for (size_t at = 0; at < utf8.n && !f->too_long;) {
		uint32_t character;
		size_t n = utf8_get(utf8, at, &character);
		char letter = n ? fold_character(character) : ' ';
		if (letter == ' ')
			end_word(f);
		else if (letter)
			add_letter(f, letter);
		at += n ? n : 1;
	}
	end_word(f);
}

/* --- matching -------------------------------------------------------------------------------------------------- */

/* Equal when the blanks of both are left out. */
static bool squeezed_equal(struct view a, const char *b)
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
		if (squeezed_equal(words, keywords[i].word))
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

/* Takes the longest polite phrase off an end: of "the texts" not only "texts", or a "the" would remain. */
static bool take_polite(struct view *words)
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

enum text_keyword text_keyword_match(struct view utf8, const char **word_r)
{
	struct folded f = {.n = 0};
	fold(utf8, &f);
	struct view words = view_of(f.text, f.too_long ? 0 : f.n);
	const struct keyword *found = NULL;
	/* Rows before politeness at each step: "no more texts" is a row, "texts" is politeness. */
	while (words.n && !(found = keyword_find(words)) && take_polite(&words))
		;
	if (word_r)
		*word_r = found ? found->word : NULL;
	return found ? found->kind : KEYWORD_NONE;
}
