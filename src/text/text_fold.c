#include "text_fold.h"

#include "base_fold.h"
#include "base_utf8.h"

#include <string.h>

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
