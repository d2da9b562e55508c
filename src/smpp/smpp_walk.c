#include "smpp_walk.h"

#include <string.h>

#define HEADER_STEPS 4

void smpp_walk_start(struct smpp_walk *w, struct view octets, const struct smpp_pdu *pdu,
                     const struct smpp_fault *fault)
{
	*w = (struct smpp_walk){.octets = octets, .pdu = pdu, .fault = fault};
	if (octets.n < SMPP_HEADER_BYTES)
		w->step = HEADER_STEPS;
}

static void take(struct smpp_walk *w, size_t n, struct smpp_piece *piece)
{
	piece->offset = w->at;
	piece->octets = view_of(w->octets.p + w->at, n);
	w->at += n;
}

static void take_header(struct smpp_walk *w, struct smpp_piece *piece)
{
	static const char *const names[HEADER_STEPS] = {"command_length", "command_id", "command_status",
	                                                "sequence_number"};
	piece->kind = SMPP_PIECE_HEADER;
	piece->name = names[w->step++];
	take(w, 4, piece);
	struct cursor c = cursor_over(piece->octets);
	piece->number = cursor_u32(&c);
}

static size_t width(const struct smpp_field_row *row, const struct smpp_value *value)
{
	switch (row->type) {
	case SMPP_U8:
		return 1;
	case SMPP_U32:
		return 4;
	case SMPP_CSTR:
	case SMPP_TIME:
		return value->text.n + 1;
	case SMPP_OCTETS:
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		break;
	}
	return value->text.n;
}

static bool has_fields(const struct smpp_walk *w)
{
	return w->fault ? w->fault->offset >= SMPP_HEADER_BYTES : w->pdu->has_body;
}

/* False when there is no further field, or the next one is the one at fault. */
static bool take_field(struct smpp_walk *w, struct smpp_piece *piece)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(w->pdu->command, &count);
	unsigned i = w->step - HEADER_STEPS;
	if (!has_fields(w) || i >= count)
		return false;
	piece->name = smpp_field_name(rows[i].field);
	if (w->fault && strcmp(w->fault->field, piece->name) == 0)
		return false;
	piece->kind = SMPP_PIECE_FIELD;
	piece->row = &rows[i];
	piece->value = &w->pdu->field[rows[i].field];
	take(w, width(piece->row, piece->value), piece);
	w->step++;
	return true;
}

static bool take_tlv(struct smpp_walk *w, struct smpp_piece *piece)
{
	if (w->fault || w->tlv >= w->pdu->tlvs)
		return false;
	piece->kind = SMPP_PIECE_TLV;
	piece->tlv = &w->pdu->tlv[w->tlv++];
	piece->name = smpp_tlv_name(piece->tlv->tag);
	take(w, 4 + piece->tlv->value.n, piece);
	return true;
}

bool smpp_walk_next(struct smpp_walk *w, struct smpp_piece *piece_r)
{
	*piece_r = (struct smpp_piece){0};
	if (w->step < HEADER_STEPS) {
		take_header(w, piece_r);
		return true;
	}
	if (take_field(w, piece_r) || take_tlv(w, piece_r))
		return true;
	piece_r->name = NULL;
	piece_r->kind = SMPP_PIECE_REST;
	take(w, w->octets.n - w->at, piece_r);
	return piece_r->octets.n > 0;
}

enum smpp_command smpp_fault_answer(const struct smpp_pdu *pdu, const struct smpp_fault *fault)
{
	if (strcmp(fault->field, "command_length") == 0)
		return SMPP_generic_nack;
	if (pdu->command == SMPP_UNKNOWN)
		return pdu->command_id & 0x80000000u ? SMPP_UNKNOWN : SMPP_generic_nack;
	return smpp_command_answer(pdu->command);
}
