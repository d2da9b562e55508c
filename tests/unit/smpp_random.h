/* PDUs at random, any value that their rows take. The seed is told (seeded.h). */
#ifndef SMPP_RANDOM_H
#define SMPP_RANDOM_H

#include "seeded.h"
#include "smpp_pdu.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static inline uint32_t roll(uint32_t below)
{
	return (uint32_t)(seeded_next() % below);
}

static uint8_t arena[1 << 18];
static size_t arena_used;

/* Random octets; without NULs for texts. */
static inline struct view random_text(size_t n, bool nuls)
{
	if (n > sizeof arena - arena_used)
		n = 0;
	uint8_t *p = arena + arena_used;
	arena_used += n;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(nuls ? roll(256) : 1 + roll(255));
	return view_of(p, n);
}

static inline struct view random_entries(enum smpp_type type, unsigned count)
{
	struct buf b = BUF(sizeof arena - arena_used);
	for (unsigned i = 0; i < count; i++) {
		bool list = type == SMPP_DESTS && roll(2);
		if (type == SMPP_DESTS)
			buf_add_u8(&b, list ? 2 : 1);
		if (!list && type != SMPP_IDS)
			buf_add_u16(&b, (uint16_t)roll(65536));
		buf_add_view(&b, random_text(roll(21), false));
		buf_add_u8(&b, 0);
		if (type == SMPP_UNSUCCESS)
			buf_add_u32(&b, roll(0x500));
	}
	struct view entries = view_of(arena + arena_used, b.n);
	assert_true(b.n <= sizeof arena - arena_used);
	if (b.n)
		memcpy(arena + arena_used, b.p, b.n);
	arena_used += b.n;
	buf_free(&b);
	return entries;
}

static inline void random_field(struct smpp_pdu *pdu, const struct smpp_field_row *row)
{
	switch (row->type) {
	case SMPP_U8:
		smpp_pdu_set_number(pdu, row->field, roll(256));
		break;
	case SMPP_U32:
		smpp_pdu_set_number(pdu, row->field, roll(UINT32_MAX));
		break;
	case SMPP_CSTR:
		smpp_pdu_set_text(pdu, row->field, random_text(roll(row->max), false));
		break;
	case SMPP_TIME:
		smpp_pdu_set_text(pdu, row->field, random_text(roll(2) * (row->max - 1), false));
		break;
	case SMPP_OCTETS:
		smpp_pdu_set_text(pdu, row->field, random_text(roll(row->max + 1), true));
		break;
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		smpp_pdu_set_text(pdu, row->field, random_entries(row->type, roll(row->max + 1)));
		break;
	}
}

static const struct {
	uint16_t tag;
	uint16_t min;
	uint16_t max;
} tlv_rows[] = {
#define SMPP_TLV(name, tag, type, min, max, note) {tag, min, max},
#include "smpp_tlv.def"
#undef SMPP_TLV
        {0x1400, 0, 300},
        {0x3fff, 0, 9},
};

static inline void random_pdu(struct smpp_pdu *pdu, enum smpp_command command)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(command, &count);
	arena_used = 0;
	smpp_pdu_init(pdu, command, roll(UINT32_MAX));
	pdu->command_status = roll(3) ? 0 : roll(0x500);
	for (unsigned i = 0; i < count; i++)
		random_field(pdu, &rows[i]);
	for (unsigned n = roll(8); n; n--) {
		unsigned row = roll(sizeof tlv_rows / sizeof tlv_rows[0]);
		unsigned span = tlv_rows[row].max - tlv_rows[row].min;
		smpp_pdu_add_tlv(pdu, tlv_rows[row].tag,
		                 random_text(tlv_rows[row].min + roll((span < 2000 ? span : 2000) + 1), true));
	}
}

#endif
