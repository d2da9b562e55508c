/* The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 6.2.1), UCS-2 and Latin-1, as they travel in
 * short_message: GSM septets unpacked, one an octet. Rows: proto/gsm7.def. */
#ifndef TEXT_GSM7_H
#define TEXT_GSM7_H

#include "base_bytes.h"

/* Septets that a character takes: 1, 2 (escape + extension) or 0 when the alphabet lacks it. */
unsigned text_gsm7_septets(uint32_t character);
/* UTF-8 to unpacked septets. False (and *to as far as it came) at the first character that the alphabet lacks. */
bool text_gsm7_encode(struct view utf8, struct buf *to);
/* Unpacked septets to UTF-8. Behind an escape that the extension table does not know, the default table's character
 * shows, and two escapes are a space (3GPP TS 23.038 6.2.1.1): a "no más" of the Spanish shift table stays readable.
 * Octets above 0x7f and an escape at the end become U+FFFD; never fails. */
void text_gsm7_decode(struct view octets, struct buf *to);
/* UTF-8 to UTF-16BE. False on invalid UTF-8. */
bool text_ucs2_encode(struct view utf8, struct buf *to);
/* UTF-16BE to UTF-8. An odd last octet, lone surrogates and U+0000 become U+FFFD; never fails. */
void text_ucs2_decode(struct view octets, struct buf *to);
/* U+0000 becomes U+FFFD: it can neither be stored nor shown. Never fails. */
void text_latin1_decode(struct view octets, struct buf *to);

/* short_message as UTF-8 by data_coding (SMPP 3.4 5.2.19): 0 GSM 7-bit; 1 ASCII; 3 Latin-1; 8 UCS-2; the GSM message
 * class groups (0x10-0x1f by bits 2 and 3, 0xf0-0xff by bit 2); anything else as Latin-1. Valid UTF-8 without U+0000
 * comes out, whatever goes in. */
void text_decode(uint8_t data_coding, struct view octets, struct buf *to);

#endif
