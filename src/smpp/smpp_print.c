#include "smpp_list.h"
#include "smpp_row.h"
#include "smpp_status.h"

#include <inttypes.h>
#include <stdio.h>

struct page {
	struct view octets;
	const struct smpp_pdu *pdu;
	bool mask;
	struct buf *to;
};

static void put_name(struct page *p, const char *name)
{
	buf_printf(p->to, "%-34s ", name);
}

static void put_hex(struct page *p, struct view octets)
{
	for (size_t i = 0; i < octets.n; i++)
		buf_printf(p->to, "%02x", octets.p[i]);
	if (octets.n == 0)
		buf_add_str(p->to, "-");
}

/* Printable ASCII as it is, the rest as \xNN: what alphabet the octets are in is not known here. */
static void put_quoted(struct page *p, struct view text)
{
	buf_add_str(p->to, "  \"");
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		if (c < 0x20 || c > 0x7e)
			buf_printf(p->to, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			buf_printf(p->to, "\\%c", c);
		else
			buf_add_u8(p->to, c);
	}
	buf_add_str(p->to, "\"\n");
}

static void put_masked(struct page *p, size_t n)
{
	buf_printf(p->to, "(%zu octets)\n", n);
}

static void put_header_line(struct page *p, const char *name, uint32_t number, const char *meaning)
{
	put_name(p, name);
	if (meaning)
		buf_printf(p->to, "%08" PRIx32 "  %s\n", number, meaning);
	else
		buf_printf(p->to, "%08" PRIx32 "  %" PRIu32 "\n", number, number);
}

static void put_header(struct page *p)
{
	struct cursor c = cursor_over(p->octets);
	put_header_line(p, "command_length", cursor_u32(&c), NULL);
	put_header_line(p, "command_id", p->pdu->command_id, smpp_command_name(p->pdu->command));
	put_header_line(p, "command_status", p->pdu->command_status, smpp_status_name(p->pdu->command_status));
	put_header_line(p, "sequence_number", p->pdu->sequence_number, NULL);
}

/* A text's octets with their NUL, which the view leaves out. */
static struct view with_nul(struct view text)
{
	return view_of(text.p, text.n + 1);
}

static void put_entry(struct page *p, const struct smpp_field_row *row, unsigned i, struct view octets,
                      const struct smpp_dest *dest)
{
	char name[64];
	snprintf(name, sizeof name, "%s %u", smpp_field_name(row->field), i + 1);
	put_name(p, name);
	if (p->mask) {
		put_masked(p, octets.n);
		return;
	}
	put_hex(p, octets);
	if (row->type == SMPP_UNSUCCESS)
		buf_printf(p->to, "  %s,", smpp_status_name(dest->error_status_code));
	if (dest->dest_flag == 1)
		buf_printf(p->to, "  ton %u npi %u", dest->ton, dest->npi);
	else
		buf_add_str(p->to, "  list");
	put_quoted(p, dest->address);
}

static void put_list(struct page *p, const struct smpp_field_row *row, const struct smpp_value *v)
{
	size_t at = 0;
	struct smpp_dest dest;
	for (unsigned i = 0; i < v->number; i++) {
		size_t start = at;
		if (!smpp_list_next(row->type, v->text, &at, &dest))
			return;
		put_entry(p, row, i, view_of(v->text.p + start, at - start), &dest);
	}
}

static void put_text(struct page *p, const struct smpp_field_row *row, struct view text)
{
	bool octets = row->type == SMPP_OCTETS;
	put_name(p, smpp_field_name(row->field));
	if (p->mask && smpp_field_masked(row->field)) {
		put_masked(p, text.n);
		return;
	}
	put_hex(p, octets ? text : with_nul(text));
	put_quoted(p, text);
}

static void put_number(struct page *p, const struct smpp_field_row *row, uint32_t number)
{
	put_name(p, smpp_field_name(row->field));
	buf_printf(p->to, "%0*" PRIx32 "  %" PRIu32 "\n", row->type == SMPP_U8 ? 2 : 8, number, number);
}

static void put_field(struct page *p, const struct smpp_field_row *row)
{
	const struct smpp_value *v = &p->pdu->field[row->field];
	switch (row->type) {
	case SMPP_U8:
	case SMPP_U32:
		put_number(p, row, v->number);
		return;
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
		put_list(p, row, v);
		return;
	case SMPP_CSTR:
	case SMPP_TIME:
	case SMPP_OCTETS:
		put_text(p, row, v->text);
		return;
	}
}

static void put_tlv_value(struct page *p, const struct smpp_tlv_row *row, const struct smpp_tlv *tlv)
{
	uint32_t number;
	put_hex(p, tlv->value);
	if (row && row->type <= SMPP_TLV_U32 && smpp_tlv_number(tlv, &number))
		buf_printf(p->to, "  %" PRIu32 "\n", number);
	else if (row && row->type == SMPP_TLV_CSTR)
		put_quoted(p, smpp_tlv_text(tlv));
	else
		put_quoted(p, tlv->value);
}

static void put_tlv(struct page *p, const struct smpp_tlv *tlv)
{
	const struct smpp_tlv_row *row = smpp_tlv_row_of(tlv->tag);
	bool vendor = tlv->tag >= 0x1400 && tlv->tag <= 0x3fff;
	char name[64];
	snprintf(name, sizeof name, "%04x %s", tlv->tag, row ? row->name : vendor ? "vendor" : "unknown");
	put_name(p, name);
	if (p->mask && (!row || row->type == SMPP_TLV_PERSONAL))
		put_masked(p, tlv->value.n);
	else
		put_tlv_value(p, row, tlv);
}

/* Fields up to the one at fault, which has no value. */
static void put_body(struct page *p, const struct smpp_fault *fault)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(p->pdu->command, &count);
	for (unsigned i = 0; i < count; i++) {
		if (fault && fault->field == smpp_field_name(rows[i].field))
			return;
		put_field(p, &rows[i]);
	}
	for (unsigned i = 0; i < p->pdu->tlvs; i++)
		put_tlv(p, &p->pdu->tlv[i]);
	if (p->pdu->tlvs_dropped)
		buf_printf(p->to, "dropped: %u TLVs or a broken tail\n", p->pdu->tlvs_dropped);
}

void smpp_pdu_print(struct view octets, bool mask_text, struct buf *to)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct page p = {octets, &pdu, mask_text, to};
	bool whole = smpp_pdu_decode(octets, &pdu, &fault);
	bool body = whole ? pdu.has_body : fault.offset >= SMPP_HEADER_BYTES;
	if (octets.n >= SMPP_HEADER_BYTES)
		put_header(&p);
	if (body)
		put_body(&p, whole ? NULL : &fault);
	else if (whole && octets.n > SMPP_HEADER_BYTES)
		buf_printf(to, "body: %zu octets that do not decode\n", octets.n - SMPP_HEADER_BYTES);
	if (!whole)
		buf_printf(to, "fault: %s at %" PRIu32 ": %s (%s)\n", fault.field, fault.offset, fault.sentence,
		           smpp_status_name(fault.status));
}
