#include "text_fold.h"

#include "base_utf8.h"

#include <string.h>

#define UNKNOWN_LETTER '?' /* of a script that no row uses: its word matches nothing */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
static void end_word(struct text_folded *f)
{
	size_t n = f->n - f->word_at;
	if (n == 0)
		return;
	bool second = f->word_at > n && (f->word_at == n + 1 || f->text[f->word_at - n - 2] == ' ');
	if (second && memcmp(f->text + f->word_at, f->text + f->word_at - n - 1, n) == 0)
		f->n = f->word_at;
	else if (f->n < TEXT_FOLDED_MAX)
		f->text[f->n++] = ' ';
	else
		f->too_long = true;
	f->word_at = f->n;
}

static void add_letter(struct text_folded *f, char letter)
{
	if (f->n < TEXT_FOLDED_MAX)
		f->text[f->n++] = letter;
	else
		f->too_long = true;
}

void text_fold(struct view utf8, struct text_folded *f)
{
	f->n = f->word_at = 0;
	f->too_long = false;
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
