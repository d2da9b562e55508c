/* What stands in a PDU, piece by piece in wire order. Whoever prints a PDU walks it here, so that only one place knows
 * which octets belong to which row. */
#ifndef SMPP_WALK_H
#define SMPP_WALK_H

#include "smpp_pdu.h"

enum smpp_piece_kind {
	SMPP_PIECE_HEADER, /* one of the four numbers of the header */
	SMPP_PIECE_FIELD,  /* a mandatory field */
	SMPP_PIECE_TLV,
	SMPP_PIECE_REST, /* octets that no row explains: behind a fault, behind the last whole TLV */
};

struct smpp_piece {
	enum smpp_piece_kind kind;
	const char *name;                 /* the specification's; NULL for an unknown TLV and the rest */
	size_t offset;                    /* octets from the start of the PDU */
	struct view octets;               /* all of its octets: with NUL, with tag and length */
	uint32_t number;                  /* HEADER */
	const struct smpp_field_row *row; /* FIELD */
	const struct smpp_value *value;   /* FIELD */
	const struct smpp_tlv *tlv;       /* TLV */
};

struct smpp_walk {
	struct view octets;
	const struct smpp_pdu *pdu;
	const struct smpp_fault *fault;
	size_t at;
	unsigned step;
	unsigned tlv;
};

/* octets and what smpp_pdu_decode made of them; fault is NULL when it decoded. All three must outlive the walk. */
void smpp_walk_start(struct smpp_walk *w, struct view octets, const struct smpp_pdu *pdu,
                     const struct smpp_fault *fault);
/* The next piece; false at the end. The pieces' octets, one behind the other, are the PDU's. */
bool smpp_walk_next(struct smpp_walk *w, struct smpp_piece *piece_r);

/* The PDU that answers a fault: the request's own answer, generic_nack when the command or the framing is not known,
 * SMPP_UNKNOWN when nothing is answered. */
enum smpp_command smpp_fault_answer(const struct smpp_pdu *pdu, const struct smpp_fault *fault);

#endif
