#include "script_parts.h"

#include "base_utf8.h"
#include "script_receipt.h"
#include "text_alphabet.h"

#include <string.h>

#define ESM_UDHI 0x40
#define PAYLOAD_MAX 65535

/* Latin-1 octets of UTF-8; false when a character has none. */
static bool latin1(struct view utf8, struct buf *to)
{
	uint32_t character;
	for (size_t at = 0, n; at < utf8.n; at += n) {
		n = utf8_get(utf8, at, &character);
		if (!n || character > 0xff)
			return false;
		buf_add_u8(to, (uint8_t)character);
	}
	return true;
}

static bool encode(enum script_word coding, struct view utf8, struct buf *to)
{
	buf_clear(to);
	return coding == SCRIPT_CODING_gsm      ? text_gsm7_encode(utf8, to)
	       : coding == SCRIPT_CODING_latin1 ? latin1(utf8, to)
	                                        : text_ucs2_encode(utf8, to);
}

/* Where the ith of n pieces begins. */
static size_t piece_start(struct view utf8, size_t characters, unsigned i, unsigned n)
{
	uint32_t character;
	size_t skip = characters * i / n, at = 0;
	while (skip-- > 0)
		at += utf8_get(utf8, at, &character);
	return at;
}

static void mark(struct script_part *p, const struct script_mo *mo, unsigned number, unsigned total)
{
	uint8_t wide = mo->concat == SCRIPT_CONCAT_udh16;
	if (mo->concat == SCRIPT_CONCAT_sar) {
		p->sar_total = (uint8_t)total;
		p->sar_number = (uint8_t)number;
		p->sar_reference = mo->reference;
		return;
	}
	p->esm_class = ESM_UDHI;
	buf_add_u8(&p->octets, 5 + wide);
	buf_add_u8(&p->octets, wide ? 8 : 0);
	buf_add_u8(&p->octets, 3 + wide);
	if (wide)
		buf_add_u16(&p->octets, mo->reference);
	else
		buf_add_u8(&p->octets, (uint8_t)mo->reference);
	buf_add_u8(&p->octets, (uint8_t)total);
	buf_add_u8(&p->octets, (uint8_t)number);
}

/* Octets that fit, without half of a UCS-2 character. */
static size_t fitting(size_t n, size_t room, uint8_t data_coding)
{
	size_t most = data_coding == 8 ? room & ~(size_t)1 : room;
	return n < most ? n : most;
}

static void fill_part(struct script_part *p, enum script_word coding, struct view piece)
{
	struct buf octets = BUF(PAYLOAD_MAX);
	size_t room = p->payload ? PAYLOAD_MAX : SCRIPT_PART_BYTES - p->octets.n;
	encode(coding, piece, &octets);
	p->data_coding = coding == SCRIPT_CODING_gsm ? 0 : coding == SCRIPT_CODING_latin1 ? 3 : 8;
	buf_add(&p->octets, octets.p, fitting(octets.n, room, p->data_coding));
	buf_free(&octets);
}

unsigned script_parts_cut(const struct script_mo *mo, struct script_part to[SCRIPT_PARTS_MAX])
{
	struct buf probe = BUF(PAYLOAD_MAX);
	enum script_word coding = encode(mo->coding, mo->text, &probe) ? mo->coding : SCRIPT_CODING_ucs2;
	bool payload = mo->cut && mo->concat == SCRIPT_CONCAT_payload;
	size_t characters = utf8_length(mo->text);
	unsigned parts = mo->cut && !payload ? mo->parts : 1;
	buf_free(&probe);
	parts = parts > SCRIPT_PARTS_MAX ? SCRIPT_PARTS_MAX : parts;
	parts = parts > characters ? (unsigned)characters : parts;
	parts = parts ? parts : 1;
	for (unsigned i = 0; i < parts; i++) {
		size_t from = piece_start(mo->text, characters, i, parts);
		size_t end = piece_start(mo->text, characters, i + 1, parts);
		to[i] = (struct script_part){.octets = BUF(PAYLOAD_MAX), .payload = payload};
		if (parts > 1)
			mark(&to[i], mo, i + 1, parts);
		fill_part(&to[i], coding, view_of(mo->text.p + from, end - from));
	}
	return parts;
}

void script_part_free(struct script_part *p)
{
	buf_free(&p->octets);
}

void script_part_fill(const struct script_part *p, const char *from, const char *to, uint8_t sar[4],
                      struct smpp_pdu *pdu_r)
{
	script_deliver_init(pdu_r, false, from, to, p->esm_class);
	smpp_pdu_set_number(pdu_r, SMPP_F_data_coding, p->data_coding);
	if (p->payload)
		smpp_pdu_add_tlv(pdu_r, SMPP_TAG_message_payload, buf_view(&p->octets));
	else
		smpp_pdu_set_text(pdu_r, SMPP_F_short_message, buf_view(&p->octets));
	if (!p->sar_total)
		return;
	sar[0] = (uint8_t)(p->sar_reference >> 8);
	sar[1] = (uint8_t)p->sar_reference;
	sar[2] = p->sar_total;
	sar[3] = p->sar_number;
	smpp_pdu_add_tlv(pdu_r, SMPP_TAG_sar_msg_ref_num, view_of(sar, 2));
	smpp_pdu_add_tlv(pdu_r, SMPP_TAG_sar_total_segments, view_of(sar + 2, 1));
	smpp_pdu_add_tlv(pdu_r, SMPP_TAG_sar_segment_seqnum, view_of(sar + 3, 1));
}
