/* A reply as words of lower case ASCII, so that case, width, accents, punctuation, quotes and emoji do not matter (CTIA
 * Messaging Principles 5.1.3). Rows: src/base/base_fold.def. */
#ifndef TEXT_FOLD_H
#define TEXT_FOLD_H

#include "base_bytes.h"

#define TEXT_FOLDED_MAX 4096

struct text_folded {
	char text[TEXT_FOLDED_MAX]; /* each word is followed by one blank; not terminated */
	size_t n;
	size_t word_at; /* of the word being written */
	bool too_long;  /* the rest was left out */
};

/* A word that repeats the one before is dropped: "STOP STOP STOP" says stop. Any octets are safe: invalid UTF-8 parts
 * words; a character of no row becomes '?', so that its word matches nothing. */
void text_fold(struct view utf8, struct text_folded *f);

#endif
