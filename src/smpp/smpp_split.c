#include "smpp_split.h"

#include "base_check.h"
#include "base_septet.h"
#include "smpp_concat.h"

#include <string.h>

#define ESCAPE 0x1b
#define HEADER_MAX 7

static const char *const names[SMPP_SPLIT_COUNT] = {"udh8", "udh16", "sar", "payload"};

/* Octets of text (septets have one each) in a PDU alone, behind 6 octets of header, behind 7. */
static const struct {
	uint8_t alone, short_header, long_header;
} rooms[] = {
        [SMPP_UNIT_SEPTET] = {160, 153, 152},
        [SMPP_UNIT_PACKED] = {160, 153, 152},
        [SMPP_UNIT_OCTET] = {140, 134, 133},
        [SMPP_UNIT_UCS2] = {140, 134, 132},
};

const char *smpp_split_name(enum smpp_split_way way)
{
	return way < SMPP_SPLIT_COUNT ? names[way] : names[0];
}

bool smpp_split_find(struct view name, enum smpp_split_way *way_r)
{
	for (unsigned way = 0; way < SMPP_SPLIT_COUNT; way++) {
		if (view_eq(name, view_str(names[way]))) {
			*way_r = (enum smpp_split_way)way;
			return true;
		}
	}
	return false;
}

/* Octets at the front that stay together. */
static size_t together(enum smpp_unit unit, struct view text)
{
	size_t n = 1;
	if (unit == SMPP_UNIT_SEPTET || unit == SMPP_UNIT_PACKED)
		n = text.p[0] == ESCAPE ? 2 : 1;
	else if (unit == SMPP_UNIT_UCS2)
		n = text.n >= 4 && text.p[0] >> 2 == 0xd8 >> 2 && text.p[2] >> 2 == 0xdc >> 2 ? 4 : 2;
	return n < text.n ? n : text.n;
}

static size_t room_of(const struct smpp_split *s)
{
	return s->way == SMPP_SPLIT_UDH16 ? rooms[s->unit].long_header : rooms[s->unit].short_header;
}

/* Packed septets without a header that end at an octet's end with "@" would get a carriage return (base_septet.h): in
 * the middle of a text that "@" goes into the next part. */
static bool ends_in_doubt(const struct smpp_split *s, const uint8_t *text, size_t n)
{
	return s->unit == SMPP_UNIT_PACKED && s->way == SMPP_SPLIT_SAR && n % 8 == 0 && n &&
	       (text[n - 1] == 0 || text[n - 1] == '\r');
}

/* The next part's text, taken off the front. */
static struct view take(const struct smpp_split *s, struct view *text)
{
	size_t n = 0;
	for (size_t next; n < text->n; n += next) {
		next = together(s->unit, view_of(text->p + n, text->n - n));
		if (n + next > room_of(s))
			break;
	}
	n -= n < text->n && ends_in_doubt(s, text->p, n);
	struct view part = view_of(text->p, n);
	*text = view_of(text->p + n, text->n - n);
	return part;
}

bool smpp_split_plan(struct smpp_split *s, enum smpp_split_way way, enum smpp_unit unit, struct view text,
                     uint16_t reference)
{
	*s = (struct smpp_split){way, unit, text, reference, 1, 1};
	if (text.n <= rooms[unit].alone)
		return true;
	for (s->segments = 0; text.n && s->segments <= LIMIT_PARTS_OUT; s->segments++)
		take(s, &text);
	s->parts = way == SMPP_SPLIT_PAYLOAD ? 1 : s->segments;
	return s->segments <= LIMIT_PARTS_OUT;
}

static size_t write_header(const struct smpp_split *s, unsigned n, uint8_t to[HEADER_MAX])
{
	uint8_t low = (uint8_t)s->reference;
	uint8_t part = (uint8_t)(n + 1);
	uint8_t total = (uint8_t)s->parts;
	if (s->way == SMPP_SPLIT_UDH8) {
		memcpy(to, (uint8_t[]){5, 0x00, 3, low, total, part}, 6);
		return 6;
	}
	memcpy(to, (uint8_t[]){6, 0x08, 4, (uint8_t)(s->reference >> 8), low, total, part}, 7);
	return 7;
}

/* The octets of a part, behind header octets that are there already. */
static struct view write_text(const struct smpp_split *s, struct view text, size_t header,
                              struct smpp_split_octets *octets)
{
	size_t n = header + text.n;
	if (s->unit == SMPP_UNIT_PACKED) {
		struct buf packed = BUF(sizeof(octets->text) - header);
		check(septet_pack(text, header, &packed));
		n = header + packed.n;
		if (packed.n)
			memcpy(octets->text + header, packed.p, packed.n);
		buf_free(&packed);
	} else if (text.n) {
		memcpy(octets->text + header, text.p, text.n);
	}
	return view_of(octets->text, n);
}

static bool write_sar(const struct smpp_split *s, unsigned n, struct smpp_split_octets *octets, struct smpp_pdu *pdu)
{
	octets->reference[1] = (uint8_t)s->reference;
	octets->total = (uint8_t)s->parts;
	octets->part = (uint8_t)(n + 1);
	return smpp_pdu_add_tlv(pdu, SMPP_TAG_sar_msg_ref_num, view_of(octets->reference, 2)) &&
	       smpp_pdu_add_tlv(pdu, SMPP_TAG_sar_total_segments, view_of(&octets->total, 1)) &&
	       smpp_pdu_add_tlv(pdu, SMPP_TAG_sar_segment_seqnum, view_of(&octets->part, 1));
}

bool smpp_split_write(const struct smpp_split *s, unsigned n, struct smpp_split_octets *octets, struct smpp_pdu *pdu)
{
	struct view rest = s->text;
	struct view text = s->text;
	size_t header = 0;
	check(n < s->parts && s->segments <= LIMIT_PARTS_OUT);
	memset(octets, 0, sizeof(*octets));
	if (s->parts == 1) {
		text = write_text(s, text, 0, octets);
		if (s->segments > 1)
			return smpp_pdu_add_tlv(pdu, SMPP_TAG_message_payload, text);
		smpp_pdu_set_text(pdu, SMPP_F_short_message, text);
		return true;
	}
	for (unsigned i = 0; i <= n; i++)
		text = take(s, &rest);
	if (s->way != SMPP_SPLIT_SAR) {
		header = write_header(s, n, octets->text);
		smpp_pdu_set_number(pdu, SMPP_F_esm_class, pdu->field[SMPP_F_esm_class].number | SMPP_ESM_UDHI);
	}
	smpp_pdu_set_text(pdu, SMPP_F_short_message, write_text(s, text, header, octets));
	return s->way != SMPP_SPLIT_SAR || write_sar(s, n, octets, pdu);
}
