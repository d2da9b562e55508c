#include "text_typo.h"

#include <string.h>

#define LETTERS_MAX 16
#define FAR 99
#define TWO_FROM 10 /* letters of a word from which two may be wrong */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const rows[] = {
#define TYPO_OF(word) word,
#include "optout_phrase.def"
};

static const char *const others[] = {
#define NOT_TYPO(word) word,
#include "optout_phrase.def"
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, with three rows of the table at hand. */
unsigned text_typo_distance(struct view a, struct view b)
{
	unsigned table[3][LETTERS_MAX + 1];
	if (a.n > LETTERS_MAX || b.n > LETTERS_MAX)
		return FAR;
	for (unsigned j = 0; j <= b.n; j++)
		table[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = table[i % 3];
		const unsigned *before = table[(i - 1) % 3];
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], table[(i - 2) % 3][j - 2] + 1);
		}
	}
	return table[a.n % 3][b.n];
}

/* Equal when letters that follow themselves count once: "stoooop". */
static bool drawn_out(struct view word, struct view row)
{
	size_t i = 0;
	size_t k = 0;
	while (i < word.n && k < row.n && word.p[i] == row.p[k]) {
		uint8_t letter = row.p[k];
		while (i < word.n && word.p[i] == letter)
			i++;
		while (k < row.n && row.p[k] == letter)
			k++;
	}
	return i == word.n && k == row.n;
}

static struct view mend(struct view word)
{
	for (size_t i = 0; i < COUNT(others); i++)
		if (view_eq(word, view_str(others[i])))
			return word;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view row = view_str(rows[i]);
		unsigned allowed = row.n >= TWO_FROM ? 2 : 1;
		if (word.n >= 3 && (drawn_out(word, row) || text_typo_distance(word, row) <= allowed))
			return row;
	}
	return word;
}

/* How many single letters follow each other from there on. */
static size_t single_letters(const struct text_folded *f, size_t at)
{
	size_t n = 0;
	while (at + 2 * n + 1 < f->n && f->text[at + 2 * n] != ' ' && f->text[at + 2 * n + 1] == ' ')
		n++;
	return n;
}

/* No row is longer than what it mends by more than two letters, and the source has room for each blank. */
static void add(struct text_folded *to, struct view word)
{
	if (to->n + word.n + 1 > TEXT_FOLDED_MAX) {
		to->too_long = true;
		return;
	}
	memcpy(to->text + to->n, word.p, word.n);
	to->n += word.n;
	to->text[to->n++] = ' ';
}

void text_typo_mend(const struct text_folded *from, struct text_folded *to)
{
	uint8_t joined[LETTERS_MAX];
	to->n = to->word_at = 0;
	to->too_long = from->too_long;
	for (size_t at = 0; at < from->n;) {
		size_t singles = single_letters(from, at);
		if (singles >= 3 && singles <= LETTERS_MAX) {
			for (size_t i = 0; i < singles; i++)
				joined[i] = (uint8_t)from->text[at + 2 * i];
			add(to, mend(view_of(joined, singles)));
			at += 2 * singles;
			continue;
		}
		size_t n = 0;
		while (at + n < from->n && from->text[at + n] != ' ')
			n++;
		add(to, mend(view_of((const uint8_t *)from->text + at, n)));
		at += n + 1;
	}
}
