/* How a carrier's octets become text and text a carrier's octets: alphabets by data_coding (SMPP 3.4 5.2.19, 3GPP TS
 * 23.038 section 4), which say little of data_coding 0: that is what each carrier takes it for (trap 36). We encode
 * strictly and decode leniently. Rows: proto/charset.def. */
#ifndef TEXT_ALPHABET_H
#define TEXT_ALPHABET_H

#include "text_gsm7.h"

/* What data_coding 0 means on a link. */
enum text_alphabet {
	ALPHABET_GSM7,        /* "gsm7": septets, an octet each */
	ALPHABET_GSM7_PACKED, /* "gsm7_packed": eight septets in seven octets */
	ALPHABET_LATIN1,      /* "latin1" */
	ALPHABET_ASCII,       /* "ascii" */
	ALPHABET_COUNT
};
const char *text_alphabet_name(enum text_alphabet a);
/* False when no alphabet has the name. */
bool text_alphabet_find(struct view name, enum text_alphabet *a_r);

/* UTF-8 to the octets of data_coding 0 on a link. False at the first character that the alphabet lacks, at invalid
 * UTF-8 (then *stranger_r is 0xfffd) or when *to is full (0); *to is as it was then. */
bool text_encode(enum text_alphabet a, struct view utf8, struct buf *to, uint32_t *stranger_r);
/* UTF-8 to UTF-16BE. False on invalid UTF-8 or when *to is full. */
bool text_ucs2_encode(struct view utf8, struct buf *to);

/* What says how octets are to be read. Zeroed: unpacked GSM 7-bit. */
struct text_coding {
	uint8_t data_coding;
	enum text_alphabet alphabet; /* of the link */
	struct text_shift shift;     /* of the user data header */
	uint8_t header_octets;       /* of the header in front, for packed septets (base_septet.h) */
};

/* Octets (without a user data header) to UTF-8. Never fails: what does not decode becomes U+FFFD, half a UCS-2
 * character, a lone surrogate and U+0000 too; a byte order mark of UCS-2 is obeyed. Octets that ASCII or the GSM
 * alphabet lacks, in a text that is valid UTF-8, show that it is UTF-8, and an odd number of visible ASCII characters
 * is no UCS-2 (trap 38). Valid UTF-8 without U+0000 comes out.
 * Returns whether the octets were what data_coding says: when false, keep them. */
bool text_decode_as(const struct text_coding *coding, struct view octets, struct buf *to);
/* The same on a link of unpacked GSM 7-bit, without a header. */
bool text_decode(uint8_t data_coding, struct view octets, struct buf *to);

/* A part of a text that came in several. */
struct text_part {
	struct text_coding coding;
	struct view octets;
	bool missing; /* it never came */
};

/* The parts in their order as one text, returns as text_decode_as. Octets are joined before they are decoded where two
 * neighbours are read alike, since a surrogate pair or an escape may be cut through (trap 38). A part that is missing,
 * or several in a row, show as " [...] ". */
bool text_join(const struct text_part *parts, unsigned count, struct buf *to);

#endif
