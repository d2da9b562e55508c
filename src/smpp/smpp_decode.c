#include "smpp_list.h"
#include "smpp_row.h"
#include "smpp_status.h"

#include <string.h>

struct reader {
	struct cursor c;
	struct smpp_pdu *pdu;
	struct smpp_fault *fault;
};

static bool refuse(struct reader *r, enum smpp_field f, size_t at, uint32_t status, const char *sentence)
{
	return smpp_fault_set(r->fault, smpp_field_name(f), at, status, sentence);
}

static bool refuse_end(struct reader *r, enum smpp_field f, size_t at)
{
	return refuse(r, f, at, ESME_RINVCMDLEN, "the PDU ends inside the field");
}

static bool read_number(struct reader *r, const struct smpp_field_row *row, struct smpp_value *v)
{
	size_t at = r->c.at;
	v->number = row->type == SMPP_U8 ? cursor_u8(&r->c) : cursor_u32(&r->c);
	if (r->c.bad)
		return refuse_end(r, row->field, at);
	if (v->number > row->max)
		return refuse(r, row->field, at, smpp_field_fault(row->field), "the number is too large");
	return true;
}

static bool read_text(struct reader *r, const struct smpp_field_row *row, struct smpp_value *v)
{
	size_t at = r->c.at;
	if (!smpp_cstr_read(&r->c, row->max, &v->text))
		return r->c.bad ? refuse_end(r, row->field, at)
		                : refuse(r, row->field, at, smpp_field_fault(row->field), "no NUL within its width");
	if (row->type == SMPP_TIME && v->text.n != 0 && v->text.n != row->max - 1)
		return refuse(r, row->field, at, smpp_field_fault(row->field), "a time has 0 or 16 characters");
	return true;
}

static bool read_octets(struct reader *r, const struct smpp_field_row *row, uint32_t n, struct smpp_value *v)
{
	size_t at = r->c.at;
	v->text = cursor_take(&r->c, n);
	v->number = n;
	if (r->c.bad)
		return refuse(r, row->field, at, smpp_field_fault(row->field), "its length passes the end of the PDU");
	return true;
}

static uint32_t long_fault(const struct smpp_field_row *row, const struct smpp_dest *dest)
{
	if (row->type == SMPP_IDS)
		return smpp_field_fault(row->field);
	return dest->dest_flag == 1 ? ESME_RINVDSTADR : ESME_RINVDLNAME;
}

static bool read_list(struct reader *r, const struct smpp_field_row *row, uint32_t n, struct smpp_value *v)
{
	size_t start = r->c.at;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = r->c.at;
		struct smpp_dest dest;
		enum smpp_list_result result = smpp_list_read(row->type, &r->c, &dest);
		if (result == SMPP_LIST_FLAG)
			return refuse(r, row->field, at, ESME_RINVDESTFLAG, "dest_flag is neither 1 nor 2");
		if (result == SMPP_LIST_LONG)
			return refuse(r, row->field, at, long_fault(row, &dest), "no NUL within its width");
		if (result != SMPP_LIST_ENTRY)
			return refuse(r, row->field, at, ESME_RINVNUMDESTS, "fewer entries than their count says");
	}
	v->text = view_of(r->c.p + start, r->c.at - start);
	v->number = n;
	return true;
}

/* told: the u8 before the field, which says how long or how many. */
static bool read_field(struct reader *r, const struct smpp_field_row *row, uint32_t told)
{
	struct smpp_value *v = &r->pdu->field[row->field];
	switch (row->type) {
	case SMPP_U8:
	case SMPP_U32:
		return read_number(r, row, v);
	case SMPP_CSTR:
	case SMPP_TIME:
		return read_text(r, row, v);
	case SMPP_OCTETS:
		return read_octets(r, row, told, v);
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		break;
	}
	return read_list(r, row, told, v);
}

static bool read_fields(struct reader *r)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(r->pdu->command, &count);
	uint32_t told = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!read_field(r, &rows[i], told))
			return false;
		told = r->pdu->field[rows[i].field].number;
	}
	return true;
}

static bool only_nuls(const struct cursor *c)
{
	for (size_t i = c->at; i < c->n; i++)
		if (c->p[i])
			return false;
	return true;
}

static void read_tlvs(struct cursor *c, struct smpp_pdu *pdu)
{
	while (cursor_left(c) >= 4) {
		uint16_t tag = cursor_u16(c);
		uint16_t n = cursor_u16(c);
		struct view value = cursor_take(c, n);
		if (c->bad || !smpp_pdu_add_tlv(pdu, tag, value))
			pdu->tlvs_dropped++;
	}
	/* Up to three octets are left; some stacks write stray NULs there (trap 41). */
	if (cursor_left(c) && !only_nuls(c))
		pdu->tlvs_dropped++;
}

static bool read_header(struct reader *r, struct view octets)
{
	struct smpp_pdu *pdu = r->pdu;
	uint32_t length = cursor_u32(&r->c);
	pdu->command_id = cursor_u32(&r->c);
	pdu->command_status = cursor_u32(&r->c);
	pdu->sequence_number = cursor_u32(&r->c);
	if (r->c.bad) {
		smpp_pdu_clear(pdu);
		pdu->command = SMPP_UNKNOWN;
		return smpp_fault_set(r->fault, "command_length", 0, ESME_RINVCMDLEN, "fewer octets than a header has");
	}
	pdu->command = smpp_command_of(pdu->command_id);
	if (length != octets.n || length > LIMIT_PDU_BYTES)
		return smpp_fault_set(r->fault, "command_length", 0, ESME_RINVCMDLEN,
		                      "it is not the length of the PDU");
	if (pdu->command == SMPP_UNKNOWN)
		return smpp_fault_set(r->fault, "command_id", 4, ESME_RINVCMDID, "no such command");
	return true;
}

/* What an undecodable body left behind would be half true: take it back. */
static void forget_body(struct smpp_pdu *pdu)
{
	memset(pdu->field, 0, sizeof pdu->field);
	pdu->has_body = false;
	pdu->tlvs_dropped++;
}

bool smpp_pdu_decode(struct view octets, struct smpp_pdu *pdu_r, struct smpp_fault *fault_r)
{
	smpp_pdu_clear(pdu_r);
	memset(fault_r, 0, sizeof *fault_r);
	struct reader r = {cursor_over(octets), pdu_r, fault_r};
	if (!read_header(&r, octets))
		return false;
	bool answer = smpp_command_is_answer(pdu_r->command);
	pdu_r->has_body = !answer || octets.n > SMPP_HEADER_BYTES;
	if (!pdu_r->has_body)
		return true;
	if (read_fields(&r)) {
		read_tlvs(&r.c, pdu_r);
		return true;
	}
	if (!answer || pdu_r->command_status == 0)
		return false;
	memset(fault_r, 0, sizeof *fault_r);
	forget_body(pdu_r);
	return true;
}
