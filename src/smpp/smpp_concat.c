#include "smpp_concat.h"

#include <string.h>

enum { IE_CONCAT8 = 0x00, IE_CONCAT16 = 0x08, IE_SINGLE_SHIFT = 0x24, IE_LOCKING_SHIFT = 0x25 };

const char *smpp_concat_name(enum smpp_concat_kind kind)
{
	static const char *const names[] = {"none", "udh8", "udh16", "sar"};
	return (unsigned)kind < sizeof(names) / sizeof(*names) ? names[kind] : names[0];
}

static bool has_field(enum smpp_command command, enum smpp_field field)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(command, &count);
	for (unsigned i = 0; i < count; i++)
		if (rows[i].field == field)
			return true;
	return false;
}

static struct view data_of(const struct smpp_pdu *pdu)
{
	const struct smpp_tlv *payload = smpp_pdu_tlv(pdu, SMPP_TAG_message_payload);
	if (has_field(pdu->command, SMPP_F_short_message) && pdu->field[SMPP_F_short_message].text.n)
		return pdu->field[SMPP_F_short_message].text;
	return payload ? payload->value : (struct view){0};
}

/* A text in one part is not concatenated. */
static bool set_part(struct smpp_concat *c, enum smpp_concat_kind kind, uint32_t reference, uint32_t total,
                     uint32_t part)
{
	if (reference > UINT16_MAX || total > UINT8_MAX || part == 0 || part > total)
		return false;
	c->kind = total == 1 ? SMPP_CONCAT_NONE : kind;
	c->reference = (uint16_t)reference;
	c->total = (uint8_t)total;
	c->part = (uint8_t)part;
	return true;
}

static bool read_element(struct smpp_concat *c, uint8_t id, struct view v)
{
	switch (id) {
	case IE_CONCAT8:
		return v.n == 3 && set_part(c, SMPP_CONCAT_UDH8, v.p[0], v.p[1], v.p[2]);
	case IE_CONCAT16:
		return v.n == 4 && set_part(c, SMPP_CONCAT_UDH16, (uint32_t)v.p[0] << 8 | v.p[1], v.p[2], v.p[3]);
	case IE_SINGLE_SHIFT:
		c->single = v.n ? v.p[0] : 0;
		return v.n == 1;
	case IE_LOCKING_SHIFT:
		c->locking = v.n ? v.p[0] : 0;
		return v.n == 1;
	default:
		return true;
	}
}

/* False when the elements do not fill the header to its end: then it is none. */
static bool read_elements(struct smpp_concat *c, struct view elements)
{
	struct cursor at = cursor_over(elements);
	while (cursor_left(&at)) {
		uint8_t id = cursor_u8(&at);
		struct view value = cursor_take(&at, cursor_u8(&at));
		if (at.bad)
			return false;
		if (!read_element(c, id, value))
			c->odd = true;
	}
	return true;
}

static void read_header(struct smpp_concat *c)
{
	struct smpp_concat plain = *c;
	struct cursor at = cursor_over(c->data);
	struct view elements = cursor_take(&at, cursor_u8(&at));
	if (at.bad || !read_elements(c, elements)) {
		*c = plain;
		c->odd = true;
		return;
	}
	c->header = view_of(c->data.p, elements.n + 1);
	c->text = view_of(c->data.p + c->header.n, c->data.n - c->header.n);
}

/* The number of a TLV, 0 when it is absent or none. */
static uint32_t number_of(const struct smpp_tlv *tlv)
{
	uint32_t number;
	return tlv && smpp_tlv_number(tlv, &number) ? number : 0;
}

static void read_sar(struct smpp_concat *c, const struct smpp_pdu *pdu)
{
	const struct smpp_tlv *reference = smpp_pdu_tlv(pdu, SMPP_TAG_sar_msg_ref_num);
	const struct smpp_tlv *total = smpp_pdu_tlv(pdu, SMPP_TAG_sar_total_segments);
	const struct smpp_tlv *part = smpp_pdu_tlv(pdu, SMPP_TAG_sar_segment_seqnum);
	if (!reference && !total && !part)
		return;
	if (!reference || !set_part(c, SMPP_CONCAT_SAR, number_of(reference), number_of(total), number_of(part)))
		c->odd = true;
}

void smpp_concat_read(const struct smpp_pdu *pdu, struct smpp_concat *concat_r)
{
	struct smpp_concat *c = concat_r;
	memset(c, 0, sizeof(*c));
	c->data = c->text = data_of(pdu);
	if (has_field(pdu->command, SMPP_F_esm_class) && pdu->field[SMPP_F_esm_class].number & SMPP_ESM_UDHI &&
	    c->data.n)
		read_header(c);
	if (c->kind == SMPP_CONCAT_NONE)
		read_sar(c, pdu);
	if (c->kind != SMPP_CONCAT_NONE && c->text.n > LIMIT_PART_BYTES) {
		c->kind = SMPP_CONCAT_NONE;
		c->odd = true;
	}
}
