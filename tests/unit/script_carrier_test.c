/* What the simulated carrier keeps and writes: ids, messages, receipts, texts in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_time.h"
#include "script_book.h"
#include "script_parts.h"
#include "script_receipt.h"
#include "seeded.h"
#include "text_alphabet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum script_word spelling;
	const char *text;
} spellings[] = {
        {SCRIPT_ID_hex, "18d0e03a"},  {SCRIPT_ID_upper, "18D0E03A"},    {SCRIPT_ID_mixed, "18D0e03A"},
        {SCRIPT_ID_dec, "416342074"}, {SCRIPT_ID_padded, "0416342074"}, {SCRIPT_ID_hex_padded, "0018d0e03a"},
};

static void test_spellings(void **state)
{
	char id[SCRIPT_ID_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		assert_string_equal(script_id_spell(spellings[i].spelling, 0x18d0e03a, 1, id), spellings[i].text);
	assert_int_equal(strlen(script_id_spell(SCRIPT_ID_long, 0x18d0e03a, 1, id)), 64);
	assert_string_equal(id + 52, "000018d0e03a");
	assert_int_equal(strlen(script_id_spell(SCRIPT_ID_uuid, 0x18d0e03a, 1, id)), 36);
	assert_string_equal(id + 24, "000018d0e03a");
}

static const enum script_word all_spellings[] = {SCRIPT_ID_hex,  SCRIPT_ID_upper,  SCRIPT_ID_mixed,
                                                 SCRIPT_ID_dec,  SCRIPT_ID_padded, SCRIPT_ID_hex_padded,
                                                 SCRIPT_ID_uuid, SCRIPT_ID_long};

/* Every message is found by its own id and by no other's, while the book has it. */
static void test_book_finds(void **state)
{
	(void)state;
	seeded_start("book");
	uint64_t first = 1 + seeded_next() % (1u << 30), seed = seeded_next();
	struct script_book *b = script_book_new(first, seed, 4096);
	char id[SCRIPT_ID_BYTES];
	for (uint64_t i = 0; i < 10000; i++) {
		enum script_word spelling = all_spellings[i % 8];
		struct script_message *m = script_book_add(b, spelling);
		assert_true(m->number == first + i);
		script_id_spell(spelling, m->number, seed, id);
		assert_ptr_equal(script_book_find(b, view_str(id)), m);
		if (i % 3)
			script_book_move(b, m, SMPP_STATE_DELIVERED, 5);
	}
	for (uint64_t i = 0; i < 10000; i++) {
		struct script_message *m =
		        script_book_find(b, view_str(script_id_spell(all_spellings[i % 8], first + i, seed, id)));
		assert_int_equal(m != NULL, i >= 10000 - 4096);
		assert_true(!m || (m->number == first + i && (m->final_us == 5) == (i % 3 != 0)));
	}
	assert_null(script_book_find(b, VIEW("")));
	assert_null(script_book_find(b, VIEW("zz")));
	assert_int_equal(script_book_open(b) + script_book_forgotten(b), 3334);
	assert_int_equal(script_book_last(b) - first, 9999);
	script_book_free(b);
}

static void test_final_stays(void **state)
{
	(void)state;
	struct script_book *b = script_book_new(1, 1, 16);
	struct script_message *m = script_book_add(b, SCRIPT_ID_hex);
	script_book_move(b, m, SMPP_STATE_ACCEPTED, 1);
	assert_int_equal(script_book_open(b), 1);
	script_book_move(b, m, SMPP_STATE_EXPIRED, 2);
	script_book_move(b, m, SMPP_STATE_DELIVERED, 3);
	assert_true(m->state == SMPP_STATE_EXPIRED && m->final_us == 2 && script_book_open(b) == 0);
	script_book_free(b);
}

/* Through the codec and back, as the ESME sees it. */
static void over_the_wire(const struct smpp_pdu *pdu, struct buf *octets, struct smpp_pdu *seen)
{
	struct smpp_fault fault;
	buf_clear(octets);
	assert_true(smpp_pdu_encode(pdu, octets, &fault));
	assert_true(smpp_pdu_decode(buf_view(octets), seen, &fault));
}

/* Every form, with every kind of TLVs, is a receipt that says what it should. */
static void test_receipts_are_understood(void **state)
{
	(void)state;
	struct buf octets = BUF(4096), wire = BUF(4096);
	static const enum script_word tlvs[] = {SCRIPT_TLVS_none, SCRIPT_TLVS_id, SCRIPT_TLVS_state, SCRIPT_TLVS_both};
	for (int f = 0; f < SCRIPT_FORMAT_COUNT; f++)
		for (int i = 0; i < 16; i++) {
			struct smpp_pdu pdu, seen;
			struct smpp_receipt understood;
			struct script_receipt r = {.id = "18d0e03a",
			                           .from = "12125550199",
			                           .to = "12125550101",
			                           .state = VIEW("UNDELIV"),
			                           .error = VIEW("045"),
			                           .submit_us = 1740000000 * SECOND_US,
			                           .done_us = 1740000007 * SECOND_US,
			                           .format = (enum script_format)f,
			                           .tlvs = tlvs[i % 4],
			                           .data_sm = i / 4 % 2,
			                           .intermediate = i / 8};
			script_receipt_fill(&r, &octets, &pdu);
			over_the_wire(&pdu, &wire, &seen);
			assert_true(view_eq(seen.field[SMPP_F_source_addr].text, VIEW("12125550101")));
			assert_int_equal(seen.command, r.data_sm ? SMPP_data_sm : SMPP_deliver_sm);
			assert_int_equal(seen.tlvs_dropped, 0);
			if (!smpp_receipt_parse(&seen, &understood) || !view_eq(understood.id, VIEW("18d0e03a")) ||
			    understood.state != SMPP_STATE_UNDELIVERABLE || understood.intermediate != r.intermediate)
				fail_msg("%s with tlvs %d", script_format_row((enum script_format)f)->name, i % 4);
		}
	buf_free(&octets);
	buf_free(&wire);
}

static void test_receipt_text(void **state)
{
	(void)state;
	struct buf octets = BUF(4096);
	struct smpp_pdu pdu;
	struct script_receipt r = {.id = "1",
	                           .from = "a",
	                           .to = "b",
	                           .state = VIEW("DELIVRD"),
	                           .error = VIEW("000"),
	                           .submit_us = 1741964405 * SECOND_US, /* 2025-03-14 15:00:05 */
	                           .done_us = 1741964466 * SECOND_US};
	static const struct {
		enum script_format format;
		const char *text;
	} rows[] = {
	        {SCRIPT_FORMAT_classic,
	         "id:1 sub:001 dlvrd:001 submit date:2503141500 done date:2503141501 stat:DELIVRD "
	         "err:000 text:"},
	        {SCRIPT_FORMAT_long_dates,
	         "id:1 submit date:20250314150005 done date:20250314150106 stat:DELIVRD err:0"},
	        {SCRIPT_FORMAT_long_year, "id:1 submit date:202503141500 done date:202503141501 stat:DELIVRD err:000"},
	        {SCRIPT_FORMAT_no_dates, "id:1 stat:DELIVRD err:000"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r.format = rows[i].format;
		script_receipt_fill(&r, &octets, &pdu);
		struct view text = pdu.field[SMPP_F_short_message].text;
		assert_true(view_eq(text, view_str(rows[i].text)));
	}
	r.unflagged = true;
	script_receipt_fill(&r, &octets, &pdu);
	assert_int_equal(pdu.field[SMPP_F_esm_class].number, 0);
	buf_free(&octets);
}

static size_t udh_octets(const struct script_part *p)
{
	return p->esm_class & 0x40 ? (size_t)p->octets.p[0] + 1 : 0;
}

/* The parts, put together, are the text; each is marked with its place. */
static void test_parts(void **state)
{
	static const char *const texts[] = {"one two three", "\xc2\xa3 \xc3\xa9 \xe2\x82\xac",
	                                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80x", "ab", "a"};
	static const enum script_word kinds[] = {SCRIPT_CONCAT_udh8, SCRIPT_CONCAT_udh16, SCRIPT_CONCAT_sar,
	                                         SCRIPT_CONCAT_payload};
	static const enum script_word codings[] = {SCRIPT_CODING_gsm, SCRIPT_CODING_latin1, SCRIPT_CODING_ucs2};
	(void)state;
	for (unsigned i = 0; i < 5 * 4 * 3 * 8; i++) {
		struct script_part part[SCRIPT_PARTS_MAX];
		struct buf whole = BUF(4096), wire = BUF(4096);
		struct script_mo mo = {.text = view_str(texts[i % 5]),
		                       .coding = codings[i / 5 % 3],
		                       .concat = kinds[i / 15 % 4],
		                       .cut = true,
		                       .parts = 2 + i / 60,
		                       .reference = 0x1234};
		unsigned n = script_parts_cut(&mo, part);
		assert_true(n >= 1 && n <= mo.parts);
		for (unsigned k = 0; k < n; k++) {
			struct smpp_pdu pdu, seen;
			uint8_t sar[4];
			size_t udh = udh_octets(&part[k]);
			script_part_fill(&part[k], "12125550101", "12125550199", sar, &pdu);
			over_the_wire(&pdu, &wire, &seen);
			const struct smpp_tlv *payload = smpp_pdu_tlv(&seen, SMPP_TAG_message_payload);
			struct view octets = payload ? payload->value : seen.field[SMPP_F_short_message].text;
			text_decode(part[k].data_coding, view_of(octets.p + udh, octets.n - udh), &whole);
			if (udh)
				assert_true(octets.p[udh - 2] == n && octets.p[udh - 1] == k + 1);
			assert_int_equal(smpp_pdu_tlv(&seen, SMPP_TAG_sar_total_segments) != NULL,
			                 mo.concat == SCRIPT_CONCAT_sar && n > 1);
			script_part_free(&part[k]);
		}
		assert_string_equal(buf_cstr(&whole), texts[i % 5]);
		buf_free(&whole);
		buf_free(&wire);
	}
}

/* What does not fit into short_message is cut off at a whole character of its alphabet. */
static void test_long_text(void **state)
{
	(void)state;
	char text[701];
	memset(text, 'x', 700);
	text[700] = 0;
	struct script_part part[SCRIPT_PARTS_MAX];
	struct script_mo mo = {.text = view_str(text), .coding = SCRIPT_CODING_ucs2};
	assert_int_equal(script_parts_cut(&mo, part), 1);
	assert_int_equal(part[0].octets.n, 254);
	script_part_free(&part[0]);
	mo.cut = true;
	mo.concat = SCRIPT_CONCAT_payload;
	assert_int_equal(script_parts_cut(&mo, part), 1);
	assert_int_equal(part[0].octets.n, 1400);
	script_part_free(&part[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_spellings),    cmocka_unit_test(test_book_finds),
	        cmocka_unit_test(test_final_stays),  cmocka_unit_test(test_receipts_are_understood),
	        cmocka_unit_test(test_receipt_text), cmocka_unit_test(test_parts),
	        cmocka_unit_test(test_long_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
