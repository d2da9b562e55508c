/* The GSM 7-bit default alphabet with its extension table and the national tables that may stand for either (3GPP TS
 * 23.038 6.2.1, annex A), septets unpacked, one an octet. Rows: proto/gsm7.def, proto/gsm7_national.def. */
#ifndef TEXT_GSM7_H
#define TEXT_GSM7_H

#include "base_bytes.h"

/* Septets that a character takes: 1, 2 (escape + extension) or 0 when the alphabet lacks it. */
unsigned text_gsm7_septets(uint32_t character);
/* UTF-8 to unpacked septets. False (and *to as far as it came) at the first character that the alphabet lacks. */
bool text_gsm7_encode(struct view utf8, struct buf *to);

/* National language identifiers of a user data header (3GPP TS 23.038 6.2.1.2.4); 0, or one that no row has, is the
 * default alphabet and its extension table. */
struct text_shift {
	uint8_t locking;
	uint8_t single;
};

/* "turkish", ...; NULL when no row has the identifier. */
const char *text_gsm7_language(uint8_t identifier);

/* Unpacked septets to UTF-8. Behind an escape that the single shift table does not know, the locking table's character
 * shows, and two escapes are a space (3GPP TS 23.038 6.2.1.1): a "no más" of the Spanish shift table stays readable
 * when its header was lost. Octets above 0x7f, septets without a character and an escape at the end become U+FFFD;
 * never fails. Returns whether there were none of these. */
bool text_gsm7_decode(struct view octets, struct text_shift shift, struct buf *to);

#endif
