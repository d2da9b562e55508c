/* Septets in octets, 3GPP TS 23.038 6.1.2.1: the first septet in the lowest bits. On the air and, with some carriers,
 * in short_message; elsewhere a septet has an octet of its own. */
#ifndef BASE_SEPTET_H
#define BASE_SEPTET_H

#include "base_bytes.h"

#define SEPTET_FULL 140 /* octets of one SMS, header and septets: 3GPP TS 23.040 9.2.3.16 */

/* Bits, 0 to 6, between a user data header of that many octets (its length octet counted) and the first septet, so that
 * septets stand where they would without a header (3GPP TS 23.040 9.2.3.24). */
unsigned septet_fill_bits(size_t header_octets);

/* Appends the septets (an octet each, below 0x80), as they follow a header of that many octets. Where seven bits are
 * left over at the end a carriage return fills them, since zeros would read as one more "@"; and a text that ends at an
 * octet's end with a carriage return or "@" gets one carriage return more, so that the reader takes that one off and
 * not the text's own (6.1.2.3.1; short_message tells octets, not septets) - unless SEPTET_FULL octets are full: there
 * is no room, and no doubt about the "@". False when *to is full. */
bool septet_pack(struct view septets, size_t header_octets, struct buf *to);

/* Appends the septets of packed octets that follow such a header, an octet each. When the last one ends with its octet
 * and is a carriage return, or "@" (0x00) in less than SEPTET_FULL octets, it is taken for what fills seven bits and
 * left out. False when *to is full. */
bool septet_unpack(struct view octets, size_t header_octets, struct buf *to);

#endif
