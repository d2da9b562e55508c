/* Delivery receipts in every form that the field has: rows of proto/script_word.def. */
#ifndef SCRIPT_RECEIPT_H
#define SCRIPT_RECEIPT_H

#include "script_row.h"
#include "smpp_receipt.h"

struct script_receipt {
	const char *id;
	const char *from, *to; /* of the submit; the receipt goes the other way */
	struct view state;     /* the word behind stat: */
	struct view error;     /* the code behind err: */
	int64_t submit_us, done_us;
	enum script_format format;
	enum script_word tlvs; /* SCRIPT_TLVS_none, ... */
	bool intermediate;     /* esm_class 0x20 */
	bool unflagged;        /* esm_class 0 */
	bool data_sm;          /* as data_sm, which has its text in message_payload */
};

/* Fills a deliver_sm or data_sm, sequence_number 0. Its views point into octets, which is cleared first and needs 1024
 * octets; it must live as long as the PDU. */
void script_receipt_fill(const struct script_receipt *r, struct buf *octets, struct smpp_pdu *pdu_r);

/* What a word says; SMPP_STATE_NONE for words that say nothing. */
enum smpp_message_state script_receipt_state(struct view word);

/* A deliver_sm or data_sm with its addresses, both international. */
void script_deliver_init(struct smpp_pdu *pdu, bool data_sm, const char *from, const char *to, uint8_t esm_class);

#endif
