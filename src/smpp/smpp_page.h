/* A PDU as a page that people read. */
#ifndef SMPP_PAGE_H
#define SMPP_PAGE_H

#include "smpp_pdu.h"

/* Octets that are a text, and what says how they are to be read. */
struct smpp_page_text {
	struct view octets; /* behind the user data header */
	uint8_t data_coding;
	uint8_t header_octets; /* its length octet counted; 0: none */
	uint8_t locking;       /* national language identifiers of the header, 3GPP TS 23.038 6.2.1.2.4; 0: none */
	uint8_t single;
};

struct smpp_page_options {
	/* Fields and TLVs that say who, or what was written (addresses, texts, the password, unknown TLVs), are shown
	 * by length only. */
	bool masked;
	const void *context; /* of text_cb */
	/* Appends a text as UTF-8; false when the octets are not what data_coding says. NULL: they are shown as ASCII.
	 */
	bool (*text_cb)(const void *context, const struct smpp_page_text *text, struct buf *utf8);
};

#define SMPP_PAGE_BYTES (1 << 22) /* a ceiling that the page of any PDU of LIMIT_PDU_BYTES fits */

/* Appends one line a field: offset, octets in hexadecimal, name, value with its meaning; TLVs by name; user data
 * header, text and receipt read. What does not decode is shown as far as it goes, then the fault and what answers it.
 */
void smpp_page_print(struct view octets, const struct smpp_page_options *options, struct buf *to);

#endif
