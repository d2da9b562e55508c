/* A text as its words, folded by base_fold.h (case, accents, width), each with its place in the text, so
 * that phrases are found as whole words. No allocation: the caller's struct holds all. */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include "base_bytes.h"

#define POLICY_WORDS_MAX 256      /* a text of 160 characters has at most 160, with "%" and "$" */
#define POLICY_WORDS_LETTERS 2048 /* folded letters of all words */
#define POLICY_WORDS_FIRSTS 37    /* a to z, 0 to 9, anything else */
#define POLICY_WORDS_NONE UINT16_MAX

/* What stands between a word and the one before it. */
enum policy_gap {
	GAP_SENTENCE = 1, /* a full stop, question or exclamation mark before a blank, a semicolon, a new line */
	GAP_LIST = 2,     /* a comma, a slash */
	GAP_EQUALS = 4,   /* an equals sign, a colon, a dash between blanks, an arrow */
	GAP_QUOTE = 8,    /* a quotation mark, a bracket */
	GAP_COMMA = 16,   /* with GAP_LIST; no phrase reaches over it */
};

struct policy_word {
	uint16_t letters; /* where they begin in struct policy_words.letter */
	uint16_t n;       /* how many there are */
	uint16_t byte;    /* place in the text, octets */
	uint16_t bytes;
	uint16_t next; /* word with the same first letter; POLICY_WORDS_NONE at the last */
	uint8_t gap;   /* enum policy_gap before it */
	bool capitals; /* letters of it are ASCII capitals only, at least two */
	bool masked;   /* part of the practice's name: no phrase is looked for there */
};

struct policy_words {
	struct view text;
	unsigned count;
	unsigned used; /* letters */
	bool too_long; /* the rest of the text was not looked at */
	bool shouting; /* no small letter in the whole text: capitals say nothing */
	bool across;   /* phrases may reach over full stops, for names ("Dr. Lee"); the caller sets it */
	uint16_t first[POLICY_WORDS_FIRSTS];
	struct policy_word word[POLICY_WORDS_MAX];
	char letter[POLICY_WORDS_LETTERS];
};

/* Any octets are safe: invalid UTF-8 parts words. A text beyond UINT16_MAX octets is too long. */
void policy_words_fold(struct view text, struct policy_words *to);

/* How many words from word i on are the phrase (as in proto/lint_word.def), or 0. Blanks of the phrase may be missing
 * ("optout"), a word of it may be spelled letter by letter ("S.T.O.P"); nothing reaches over the end of a sentence or a
 * comma. */
unsigned policy_words_match(const struct policy_words *w, unsigned i, const char *phrase);
/* The first word at which the phrase stands; w->count when there is none. */
unsigned policy_words_find(const struct policy_words *w, const char *phrase);
/* The next such word after word i, which one of the two gave. */
unsigned policy_words_find_next(const struct policy_words *w, const char *phrase, unsigned i);

#endif
