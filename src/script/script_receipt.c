#include "script_receipt.h"

#include "base_check.h"
#include "base_time.h"
#include "text_alphabet.h"

#include <string.h>

#define ESM_RECEIPT 0x04
#define ESM_INTERMEDIATE 0x20
#define UCS2 8

static const struct {
	const char *word;
	enum smpp_message_state state;
} words[] = {
#define SMPP_MESSAGE_STATE(name, number, final, sentence)
#define SMPP_RECEIPT_WORD(word, state) {word, SMPP_STATE_##state},
#define SMPP_RECEIPT_LABEL(label)
#include "smpp_receipt.def"
#undef SMPP_MESSAGE_STATE
#undef SMPP_RECEIPT_WORD
#undef SMPP_RECEIPT_LABEL
};

enum smpp_message_state script_receipt_state(struct view word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (view_eq_nocase(word, view_str(words[i].word)))
			return words[i].state;
	return SMPP_STATE_NONE;
}

/* --- fields of a template ------------------------------------------------------------------------------------------
 */

static void put_date(struct buf *to, int64_t us, unsigned digits, bool whole_year)
{
	struct civil c = time_civil(floor_div(us, SECOND_US));
	if (digits == 14 || whole_year)
		buf_printf(to, "%04d", c.year);
	else
		buf_printf(to, "%02d", c.year % 100);
	buf_printf(to, "%02d%02d%02d%02d", c.month, c.day, c.hour, c.minute);
	if (digits == 14 || (digits == 12 && !whole_year))
		buf_printf(to, "%02d", c.second);
}

static void put_small(struct buf *to, struct view word)
{
	for (size_t i = 0; i < word.n; i++)
		buf_add_u8(to, word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] + 32 : word.p[i]);
}

static void put_field(const struct script_receipt *r, struct view name, struct buf *to)
{
	static const struct {
		const char *name;
		unsigned digits;
		bool done, whole_year;
	} dates[] = {
	        {"submit10", 10, false, false},   {"done10", 10, true, false},   {"submit12", 12, false, false},
	        {"done12", 12, true, false},      {"submit14", 14, false, true}, {"done14", 14, true, true},
	        {"submit_year", 12, false, true}, {"done_year", 12, true, true},
	};
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
		if (view_eq(name, view_str(dates[i].name))) {
			put_date(to, dates[i].done ? r->done_us : r->submit_us, dates[i].digits, dates[i].whole_year);
			return;
		}
	if (view_eq(name, VIEW("id")))
		buf_add_str(to, r->id);
	else if (view_eq(name, VIEW("stat")))
		buf_add_view(to, r->state);
	else if (view_eq(name, VIEW("stat_small")))
		put_small(to, r->state);
	else if (view_eq(name, VIEW("err")))
		buf_add_view(to, r->error);
	else if (view_eq(name, VIEW("dlvrd")))
		buf_add_str(to, script_receipt_state(r->state) == SMPP_STATE_DELIVERED ? "001" : "000");
	else
		check(!"a template has a field that there is not");
}

static void put_template(const struct script_receipt *r, const char *template, struct buf *to)
{
	for (const char *at = template; *at; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (!end) {
			buf_add_u8(to, (uint8_t)*at);
			continue;
		}
		put_field(r, view_of(at + 1, (size_t)(end - at - 1)), to);
		at = end;
	}
}

/* --- the PDU -------------------------------------------------------------------------------------------------------
 */

void script_deliver_init(struct smpp_pdu *pdu, bool data_sm, const char *from, const char *to, uint8_t esm_class)
{
	smpp_pdu_init(pdu, data_sm ? SMPP_data_sm : SMPP_deliver_sm, 0);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, view_str(from));
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_destination_addr, view_str(to));
	smpp_pdu_set_number(pdu, SMPP_F_esm_class, esm_class);
}

/* The text in the row's shape, at the beginning of octets. */
static struct view shape_text(const struct script_receipt *r, const struct script_named_row *row, struct buf *octets)
{
	struct buf text = BUF(512);
	put_template(r, row->form, &text);
	if (row->shape == SCRIPT_SHAPE_NUL_START)
		buf_add_u8(octets, 0);
	if (row->shape == SCRIPT_SHAPE_UCS2)
		text_ucs2_encode(buf_view(&text), octets);
	else if (row->shape != SCRIPT_SHAPE_BARE)
		buf_add_view(octets, buf_view(&text));
	if (row->shape == SCRIPT_SHAPE_NUL_END)
		buf_add_u8(octets, 0);
	buf_free(&text);
	return buf_view(octets);
}

static void add_tlvs(const struct script_receipt *r, enum script_word tlvs, struct buf *octets, struct smpp_pdu *pdu)
{
	enum smpp_message_state state = script_receipt_state(r->state);
	if (tlvs == SCRIPT_TLVS_id || tlvs == SCRIPT_TLVS_both) {
		size_t at = octets->n;
		buf_add(octets, r->id, strlen(r->id) + 1);
		smpp_pdu_add_tlv(pdu, SMPP_TAG_receipted_message_id, view_of(octets->p + at, octets->n - at));
	}
	if ((tlvs == SCRIPT_TLVS_state || tlvs == SCRIPT_TLVS_both) && state != SMPP_STATE_NONE) {
		buf_add_u8(octets, (uint8_t)state);
		smpp_pdu_add_tlv(pdu, SMPP_TAG_message_state, view_of(octets->p + octets->n - 1, 1));
	}
}

void script_receipt_fill(const struct script_receipt *r, struct buf *octets, struct smpp_pdu *pdu_r)
{
	const struct script_named_row *row = script_format_row(r->format);
	uint8_t esm_class = r->unflagged ? 0 : r->intermediate ? ESM_INTERMEDIATE : ESM_RECEIPT;
	buf_clear(octets);
	check(buf_room(octets, 1024)); /* views into it must stay */
	struct view text = shape_text(r, row, octets);
	script_deliver_init(pdu_r, r->data_sm, r->to, r->from, esm_class);
	smpp_pdu_set_number(pdu_r, SMPP_F_data_coding, row->shape == SCRIPT_SHAPE_UCS2 ? UCS2 : 0);
	if (r->data_sm || row->shape == SCRIPT_SHAPE_PAYLOAD || text.n > 254)
		smpp_pdu_add_tlv(pdu_r, SMPP_TAG_message_payload, text);
	else
		smpp_pdu_set_text(pdu_r, SMPP_F_short_message, text);
	add_tlvs(r, row->shape == SCRIPT_SHAPE_BARE ? SCRIPT_TLVS_both : r->tlvs, octets, pdu_r);
	check(!octets->full);
}
