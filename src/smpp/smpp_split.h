/* A text of ours in several PDUs. Each carrier takes long texts its own way (trap 40): with a user data header of an 8
 * or 16 bit reference (3GPP TS 23.040 9.2.3.24.1 and 9.2.3.24.8), with SAR TLVs, never with both (trap 39), or whole in
 * message_payload. */
#ifndef SMPP_SPLIT_H
#define SMPP_SPLIT_H

#include "smpp_pdu.h"

enum smpp_split_way {
	SMPP_SPLIT_UDH8,    /* "udh8" */
	SMPP_SPLIT_UDH16,   /* "udh16" */
	SMPP_SPLIT_SAR,     /* "sar" */
	SMPP_SPLIT_PAYLOAD, /* "payload" */
	SMPP_SPLIT_COUNT
};
const char *smpp_split_name(enum smpp_split_way way);
/* False when no way has the name. */
bool smpp_split_find(struct view name, enum smpp_split_way *way_r);

/* What may not be cut through, and how much one PDU holds: alone, with a header of 6 octets (SAR too, since the carrier
 * makes it one), with a header of 7. */
enum smpp_unit {
	SMPP_UNIT_SEPTET, /* GSM 7-bit, an octet each: 160, 153, 152; an escape stays with what it escapes */
	SMPP_UNIT_PACKED, /* the same, and packed when it is written (base_septet.h) */
	SMPP_UNIT_OCTET,  /* Latin-1 and the like: 140, 134, 133 octets, for a carrier that sends 8-bit data */
	SMPP_UNIT_UCS2,   /* 70, 67, 66 units; a surrogate pair stays whole */
};

struct smpp_split {
	enum smpp_split_way way;
	enum smpp_unit unit;
	struct view text; /* encoded; the caller's. PACKED: septets, an octet each */
	uint16_t reference;
	unsigned parts;    /* PDUs */
	unsigned segments; /* what the carrier counts: as parts, or for a payload what it will make of it */
};

/* Plans. A text that fits one PDU is one part without a header. reference tells the texts to one phone apart: its low 8
 * bits for UDH8 and for SAR, whose reference many carriers put into an 8 bit header. False when there are more than
 * LIMIT_PARTS_OUT segments. */
bool smpp_split_plan(struct smpp_split *s, enum smpp_split_way way, enum smpp_unit unit, struct view text,
                     uint16_t reference);

/* Where a part's octets live until the PDU is encoded. */
struct smpp_split_octets {
	uint8_t text[LIMIT_PARTS_OUT * 160]; /* a PDU's short_message, or a packed message_payload */
	uint8_t reference[2];
	uint8_t total;
	uint8_t part;
};

/* Puts part n (from 0) into a submit: its text, the bit of esm_class, the TLVs. The PDU is otherwise ready, without a
 * text, and points into *octets afterwards. False when it holds LIMIT_PDU_TLVS already. */
bool smpp_split_write(const struct smpp_split *s, unsigned n, struct smpp_split_octets *octets, struct smpp_pdu *pdu);

#endif
