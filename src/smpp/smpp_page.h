/* A PDU as a page that people read. */
#ifndef SMPP_PAGE_H
#define SMPP_PAGE_H

#include "smpp_pdu.h"

struct smpp_page_options {
	/* Fields and TLVs that say who, or what was written (addresses, texts, the password, unknown TLVs), are shown
	 * by length only. */
	bool masked;
	/* Appends the octets of a text as UTF-8 by their data_coding, false when it had to guess; NULL: they are shown
	 * as ASCII. */
	bool (*text_cb)(uint8_t data_coding, struct view octets, struct buf *utf8);
};

#define SMPP_PAGE_BYTES (1 << 22) /* a ceiling that the page of any PDU of LIMIT_PDU_BYTES fits */

/* Appends one line a field: offset, octets in hexadecimal, name, value with its meaning; TLVs by name; user data
 * header, text and receipt read. What does not decode is shown as far as it goes, then the fault and what answers it.
 */
void smpp_page_print(struct view octets, const struct smpp_page_options *options, struct buf *to);

#endif
