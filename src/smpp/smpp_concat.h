/* One text in several PDUs, as it comes in: a user data header (3GPP TS 23.040 9.2.3.24) when esm_class has 0x40, else
 * the SAR TLVs (SMPP 3.4 5.3.2.22-24). What makes no sense is no header: then the PDU is a text of its own and odd. */
#ifndef SMPP_CONCAT_H
#define SMPP_CONCAT_H

#include "smpp_pdu.h"

#define SMPP_ESM_UDHI 0x40 /* esm_class: the text begins with a user data header */

enum smpp_concat_kind {
	SMPP_CONCAT_NONE,  /* "none": a text of its own */
	SMPP_CONCAT_UDH8,  /* "udh8": information element 0x00, 05 00 03 rr tt nn */
	SMPP_CONCAT_UDH16, /* "udh16": information element 0x08, 06 08 04 rr rr tt nn */
	SMPP_CONCAT_SAR,   /* "sar": sar_msg_ref_num, sar_total_segments, sar_segment_seqnum */
};
const char *smpp_concat_name(enum smpp_concat_kind kind);

/* Views point into the PDU's octets. */
struct smpp_concat {
	enum smpp_concat_kind kind;
	uint16_t reference; /* repeats: the same reference is the same text only for a while */
	uint8_t total;      /* 2-255, when kind is not NONE */
	uint8_t part;       /* 1-total */
	struct view data;   /* short_message, or message_payload when that is empty (trap 31) */
	struct view header; /* in front of data, its length octet counted; empty when there is none */
	struct view text;   /* data behind the header */
	uint8_t locking;    /* national language identifiers, 3GPP TS 23.038 6.2.1.2.4; 0: none */
	uint8_t single;
	bool odd; /* the header or the SAR TLVs are not what they should be: keep data as it is */
};

/* Reads what any command carries as a text: deliver_sm, submit_sm, data_sm and the like. Never fails. Ports and other
 * information elements are passed over; of concatenation elements the last one counts, and one with part or total 0 or
 * part above total is passed over (9.2.3.24.1). A header whose length or elements pass its end is none: all of data is
 * text then. A part of more than LIMIT_PART_BYTES is a text of its own. */
void smpp_concat_read(const struct smpp_pdu *pdu, struct smpp_concat *concat_r);

#endif
