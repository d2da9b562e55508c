/* What numbers and octets mean, in words for people. Rows: proto/smpp_meaning.def, smpp_status.def, smpp_receipt.def.
 */
#ifndef SMPP_MEANING_H
#define SMPP_MEANING_H

#include "smpp_pdu.h"

/* Appends two blanks and the words for the number of a field, TLV or part ("registered_delivery", "ton"); nothing when
 * no row fits. */
void smpp_meaning_add(const char *name, uint32_t number, struct buf *to);
/* Appends "network 3  GSM, error 6" for octets that have parts, as far as they go. False when there is none. */
bool smpp_meaning_parts(const char *name, struct view octets, struct buf *to);
/* The name of a user data header element, or NULL. */
const char *smpp_meaning_udh(uint8_t element);
/* Appends two blanks and how a time of 16 characters reads; nothing for anything else. SMPP 3.4 7.1.1. */
void smpp_meaning_time(struct view text, struct buf *to);

/* Appends UTF-8 in double quotes: quotes and backslashes get a backslash; octets that are no UTF-8 become \xNN; what
 * could move a terminal's cursor or turn its text around becomes \xNN or \u{NNNN}. */
void smpp_meaning_quote(struct view text, struct buf *to);

#endif
