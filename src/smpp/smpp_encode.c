#include "base_check.h"
#include "smpp_list.h"
#include "smpp_row.h"
#include "smpp_status.h"

#include <string.h>

struct writer {
	const struct smpp_pdu *pdu;
	struct buf *to;
	size_t start; /* of the PDU in to */
	struct smpp_fault *fault;
};

static bool refuse(struct writer *w, enum smpp_field f, const char *sentence)
{
	return smpp_fault_set(w->fault, smpp_field_name(f), w->to->n - w->start, smpp_field_fault(f), sentence);
}

static bool room(struct writer *w, bool added)
{
	return added || smpp_fault_set(w->fault, "command_length", 0, ESME_RSYSERR, "the output is full");
}

/* Entries of a list, or UINT32_MAX when its octets are not whole entries. */
static uint32_t count_entries(enum smpp_type type, struct view entries)
{
	size_t at = 0;
	uint32_t count = 0;
	struct smpp_dest dest;
	while (smpp_list_next(type, entries, &at, &dest))
		count++;
	return at == entries.n ? count : UINT32_MAX;
}

static uint32_t count_of(const struct smpp_field_row *row, const struct smpp_value *v)
{
	if (row->type == SMPP_OCTETS)
		return v->text.n > UINT32_MAX ? UINT32_MAX : (uint32_t)v->text.n;
	return count_entries(row->type, v->text);
}

static bool write_number(struct writer *w, const struct smpp_field_row *row, uint32_t number)
{
	if (number > row->max)
		return refuse(w, row->field, "the number is too large");
	return room(w, row->type == SMPP_U8 ? buf_add_u8(w->to, (uint8_t)number) : buf_add_u32(w->to, number));
}

static bool write_text(struct writer *w, const struct smpp_field_row *row, struct view text)
{
	if (text.n >= row->max)
		return refuse(w, row->field, "the text is too long");
	if (text.n && memchr(text.p, 0, text.n))
		return refuse(w, row->field, "the text has a NUL inside");
	if (row->type == SMPP_TIME && text.n != 0 && text.n != row->max - 1)
		return refuse(w, row->field, "a time has 0 or 16 characters");
	return room(w, buf_add_view(w->to, text) && buf_add_u8(w->to, 0));
}

static bool write_counted(struct writer *w, const struct smpp_field_row *row, const struct smpp_value *v)
{
	uint32_t count = count_of(row, v);
	if (count > row->max)
		return refuse(w, row->field, row->type == SMPP_OCTETS ? "too many octets" : "not a list of entries");
	return room(w, buf_add_view(w->to, v->text));
}

static bool write_field(struct writer *w, const struct smpp_field_row *row, const struct smpp_field_row *counted)
{
	const struct smpp_value *v = &w->pdu->field[row->field];
	switch (row->type) {
	case SMPP_U8:
	case SMPP_U32:
		return write_number(w, row, counted ? count_of(counted, &w->pdu->field[counted->field]) : v->number);
	case SMPP_CSTR:
	case SMPP_TIME:
		return write_text(w, row, v->text);
	case SMPP_OCTETS:
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		break;
	}
	return write_counted(w, row, v);
}

static bool write_fields(struct writer *w)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(w->pdu->command, &count);
	for (unsigned i = 0; i < count; i++)
		if (!write_field(w, &rows[i], smpp_row_counted(rows, i, count)))
			return false;
	return true;
}

static bool write_tlv(struct writer *w, const struct smpp_tlv *tlv)
{
	const struct smpp_tlv_row *row = smpp_tlv_row_of(tlv->tag);
	size_t min = row ? row->min : 0;
	size_t max = row ? row->max : UINT16_MAX;
	if (tlv->value.n < min || tlv->value.n > max)
		return smpp_fault_set(w->fault, row ? row->name : "tlv", w->to->n - w->start, ESME_RINVTLVLEN,
		                      "the TLV has a length outside its row");
	return room(w, buf_add_u16(w->to, tlv->tag) && buf_add_u16(w->to, (uint16_t)tlv->value.n) &&
	                       buf_add_view(w->to, tlv->value));
}

static bool write_body(struct writer *w)
{
	bool answer = smpp_command_is_answer(w->pdu->command);
	if (answer && !w->pdu->has_body)
		return true;
	if (!write_fields(w))
		return false;
	check(w->pdu->tlvs <= LIMIT_PDU_TLVS);
	for (unsigned i = 0; i < w->pdu->tlvs; i++)
		if (!write_tlv(w, &w->pdu->tlv[i]))
			return false;
	return true;
}

static bool write_header(struct writer *w)
{
	const struct smpp_pdu *pdu = w->pdu;
	return room(w, buf_add_u32(w->to, 0) && buf_add_u32(w->to, smpp_command_id(pdu->command)) &&
	                       buf_add_u32(w->to, pdu->command_status) && buf_add_u32(w->to, pdu->sequence_number));
}

/* command_length is known last. */
static bool write_length(struct writer *w)
{
	size_t n = w->to->n - w->start;
	if (n > LIMIT_PDU_BYTES)
		return smpp_fault_set(w->fault, "command_length", 0, ESME_RINVCMDLEN, "the PDU is too long");
	uint8_t *p = w->to->p + w->start;
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> (24 - 8 * i));
	return true;
}

bool smpp_pdu_encode(const struct smpp_pdu *pdu, struct buf *to, struct smpp_fault *fault_r)
{
	bool was_full = to->full;
	struct writer w = {pdu, to, to->n, fault_r};
	memset(fault_r, 0, sizeof *fault_r);
	if (pdu->command >= SMPP_UNKNOWN)
		return smpp_fault_set(fault_r, "command_id", 4, ESME_RINVCMDID, "no such command");
	if (write_header(&w) && write_body(&w) && write_length(&w))
		return true;
	to->n = w.start;
	to->full = was_full;
	return false;
}
