/* Delivery receipts: TLVs first, tolerant text second. Rows: proto/smpp_receipt.def (state words). SMPP 3.4
 * appendix B. */
#ifndef SMPP_RECEIPT_H
#define SMPP_RECEIPT_H

#include "smpp_pdu.h"

/* message_state, SMPP 3.4 5.2.28 and 5.0 4.7.15 */
enum smpp_message_state {
	SMPP_STATE_SCHEDULED,
	SMPP_STATE_ENROUTE,
	SMPP_STATE_DELIVERED,
	SMPP_STATE_EXPIRED,
	SMPP_STATE_DELETED,
	SMPP_STATE_UNDELIVERABLE,
	SMPP_STATE_ACCEPTED,
	SMPP_STATE_UNKNOWN,
	SMPP_STATE_REJECTED,
	SMPP_STATE_SKIPPED,
	SMPP_STATE_NONE, /* the receipt does not say */
};
const char *smpp_message_state_name(enum smpp_message_state s); /* "DELIVERED", ... */
/* True for the states after which no other comes. ACCEPTED, ENROUTE, SCHEDULED are not. */
bool smpp_message_state_final(enum smpp_message_state s);

struct smpp_receipt {
	struct view id; /* as the carrier wrote it; empty when absent; at most 65 octets */
	enum smpp_message_state state;
	char error[17];    /* err: as text; else "type:code" of network_error_code; "" when neither */
	struct view raw;   /* the text as it came */
	bool intermediate; /* esm_class 0x20 */
	bool conflict;     /* TLV and text name different states; the TLV counts, but for trap 28 */
	int32_t reference; /* user_message_reference, 0 to 65,535; negative when absent */
	char wide_id[66];  /* where id points for a UCS-2 text: copy the id out, do not move the receipt */
};

/* True for a deliver_sm or data_sm whose esm_class & 0x3c is 0x04 or 0x20. */
bool smpp_receipt_flagged(const struct smpp_pdu *pdu);

/* True when a flagged PDU has an id or a state, by TLV or by text. One in which neither is found is no receipt but a
 * text from a patient (trap 30). */
bool smpp_receipt_parse(const struct smpp_pdu *pdu, struct smpp_receipt *receipt_r);

/* True when the text of a deliver_sm or data_sm that is not flagged as anything has an id and a stat that is a state's
 * word: for carriers that forget the flag. Whether it is a receipt is for the caller to find out: does it fit? */
bool smpp_receipt_parse_unflagged(const struct smpp_pdu *pdu, struct smpp_receipt *receipt_r);

/* Other spellings under which the same id may have come in the answer: raw, lower case, without leading zeros,
 * decimal and hexadecimal (both cases) of the same number; a negative number as the 32-bit one it was. Writes at most
 * LIMIT_RECEIPT_CANDIDATES NUL-terminated ids, raw first, no repeats; ids with letters beyond f or with dashes inside
 * only raw and lower case; none for an id that is empty, longer than 65 octets or has a NUL. Returns how many. */
unsigned smpp_receipt_candidates(struct view id, char to[LIMIT_RECEIPT_CANDIDATES][66]);

#endif
