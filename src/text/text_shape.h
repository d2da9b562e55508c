/* What a body will be on the wire: which alphabet, how many characters, units and segments, and what had to be replaced
 * so that it fits the GSM alphabet. */
#ifndef TEXT_SHAPE_H
#define TEXT_SHAPE_H

#include "base_bytes.h"

enum text_encoding { TEXT_GSM7, TEXT_UCS2 };

/* "gsm7" or "ucs2" */
const char *text_encoding_name(enum text_encoding e);

struct text_shape {
	enum text_encoding encoding;
	unsigned characters; /* Unicode characters */
	unsigned units;      /* septets (extension counts 2) or UTF-16 units */
	unsigned segments;   /* 160/153 septets, 70/67 units; a surrogate pair or escape pair is never split */
};

/* Measures valid UTF-8. No text at all is still one segment. */
struct text_shape text_measure(struct view utf8);

/* One character that was replaced: U+2019 by "'", how often. */
struct text_change {
	uint32_t from;  /* for a composed accent the combining mark */
	const char *to; /* ASCII or GSM text, static; "" when it was dropped */
	unsigned count;
};

#define TEXT_CHANGES_MAX 16 /* different characters reported; more are still replaced */

struct text_changes {
	struct text_change change[TEXT_CHANGES_MAX];
	unsigned count;
};

/* Copies valid UTF-8 into *to with typography mapped to the GSM alphabet: curly quotes and primes, dashes, ellipsis,
 * no-break and other special spaces, bullets, soft hyphen and zero-width characters dropped, combining accents composed
 * where the alphabet has the letter, CRLF to LF. Characters without a faithful mapping stay. Doing it twice changes
 * nothing more. Rows: proto/translit.def. */
void text_normalise(struct view utf8, struct buf *to, struct text_changes *changes_r);

/* Characters of the text that the GSM alphabet lacks, each once, as UTF-8 separated by blanks; at most max of them. */
void text_not_gsm7(struct view utf8, unsigned max, struct buf *to);

#endif
