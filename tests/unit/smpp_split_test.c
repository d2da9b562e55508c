#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smpp_concat.h"
#include "smpp_split.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t many[LIMIT_PARTS_OUT * 160 + 1];

static int fill(void **state)
{
	(void)state;
	memset(many, 'a', sizeof(many));
	return 0;
}

struct size {
	enum smpp_split_way way;
	enum smpp_unit unit;
	size_t n;
	unsigned parts;
	unsigned segments;
};

static const struct size sizes[] = {
        {SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, 0, 1, 1},      {SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, 160, 1, 1},
        {SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, 161, 2, 2},    {SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, 306, 2, 2},
        {SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, 307, 3, 3},    {SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, 1530, 10, 10},
        {SMPP_SPLIT_UDH16, SMPP_UNIT_SEPTET, 304, 2, 2},   {SMPP_SPLIT_UDH16, SMPP_UNIT_SEPTET, 305, 3, 3},
        {SMPP_SPLIT_SAR, SMPP_UNIT_SEPTET, 306, 2, 2},     {SMPP_SPLIT_SAR, SMPP_UNIT_SEPTET, 307, 3, 3},
        {SMPP_SPLIT_PAYLOAD, SMPP_UNIT_SEPTET, 160, 1, 1}, {SMPP_SPLIT_PAYLOAD, SMPP_UNIT_SEPTET, 307, 1, 3},
        {SMPP_SPLIT_UDH8, SMPP_UNIT_PACKED, 160, 1, 1},    {SMPP_SPLIT_UDH8, SMPP_UNIT_PACKED, 306, 2, 2},
        {SMPP_SPLIT_UDH8, SMPP_UNIT_UCS2, 140, 1, 1},      {SMPP_SPLIT_UDH8, SMPP_UNIT_UCS2, 142, 2, 2},
        {SMPP_SPLIT_UDH8, SMPP_UNIT_UCS2, 268, 2, 2},      {SMPP_SPLIT_UDH8, SMPP_UNIT_UCS2, 270, 3, 3},
        {SMPP_SPLIT_UDH16, SMPP_UNIT_UCS2, 264, 2, 2},     {SMPP_SPLIT_UDH16, SMPP_UNIT_UCS2, 266, 3, 3},
        {SMPP_SPLIT_UDH8, SMPP_UNIT_OCTET, 140, 1, 1},     {SMPP_SPLIT_UDH8, SMPP_UNIT_OCTET, 268, 2, 2},
        {SMPP_SPLIT_UDH16, SMPP_UNIT_OCTET, 266, 2, 2},    {SMPP_SPLIT_UDH16, SMPP_UNIT_OCTET, 267, 3, 3},
};

/* trap 40: what a carrier counts, whichever way the text goes. */
static void trap_40_parts_and_segments_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct smpp_split s;
		assert_true(smpp_split_plan(&s, sizes[i].way, sizes[i].unit, view_of(many, sizes[i].n), 1));
		if (s.parts != sizes[i].parts || s.segments != sizes[i].segments)
			fail_msg("%s, unit %d, %zu octets: %u parts, %u segments", smpp_split_name(sizes[i].way),
			         sizes[i].unit, sizes[i].n, s.parts, s.segments);
	}
}

static void more_than_the_ceiling_is_refused(void **state)
{
	(void)state;
	struct smpp_split s;
	for (unsigned way = 0; way < SMPP_SPLIT_COUNT; way++)
		assert_false(smpp_split_plan(&s, (enum smpp_split_way)way, SMPP_UNIT_SEPTET, view_of(many, 1531), 1));
	assert_false(smpp_split_plan(&s, SMPP_SPLIT_PAYLOAD, SMPP_UNIT_UCS2, view_of(many, 1342), 1));
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_PAYLOAD, SMPP_UNIT_UCS2, view_of(many, 1340), 1));
}

/* A written part and where it lives. */
struct written {
	struct smpp_split_octets octets;
	struct smpp_pdu pdu;
	struct smpp_concat concat;
};

static void write_part(const struct smpp_split *s, unsigned n, struct written *w)
{
	struct buf wire = BUF(LIMIT_PDU_BYTES);
	struct smpp_fault fault;
	smpp_pdu_init(&w->pdu, SMPP_submit_sm, 1);
	smpp_pdu_set_number(&w->pdu, SMPP_F_esm_class, 0x03);
	assert_true(smpp_split_write(s, n, &w->octets, &w->pdu));
	assert_true(smpp_pdu_encode(&w->pdu, &wire, &fault));
	buf_free(&wire);
	smpp_concat_read(&w->pdu, &w->concat);
}

static void assert_tlv(const struct smpp_pdu *pdu, uint16_t tag, uint32_t number)
{
	uint32_t got;
	assert_non_null(smpp_pdu_tlv(pdu, tag));
	assert_true(smpp_tlv_number(smpp_pdu_tlv(pdu, tag), &got));
	assert_int_equal(got, number);
}

/* trap 39: never a header and SAR together */
static void trap_39_each_way_has_its_own_marks(void **state)
{
	(void)state;
	struct smpp_split s;
	struct written w;
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, view_of(many, 200), 0xabcd));
	write_part(&s, 1, &w);
	assert_int_equal(w.pdu.field[SMPP_F_esm_class].number, 0x43);
	assert_int_equal(w.pdu.tlvs, 0);
	assert_memory_equal(w.concat.data.p, "\5\0\3\xcd\2\2", 6);
	assert_int_equal(w.concat.text.n, 200 - 153);
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_UDH16, SMPP_UNIT_SEPTET, view_of(many, 200), 0xabcd));
	write_part(&s, 0, &w);
	assert_int_equal(w.pdu.field[SMPP_F_esm_class].number, 0x43);
	assert_int_equal(w.pdu.tlvs, 0);
	assert_memory_equal(w.concat.data.p, "\6\x08\4\xab\xcd\2\1", 7);
	assert_int_equal(w.concat.text.n, 152);
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_SAR, SMPP_UNIT_SEPTET, view_of(many, 200), 0xabcd));
	write_part(&s, 1, &w);
	assert_int_equal(w.pdu.field[SMPP_F_esm_class].number, 0x03);
	assert_int_equal(w.concat.data.n, 200 - 153);
	assert_tlv(&w.pdu, SMPP_TAG_sar_msg_ref_num, 0xcd);
	assert_tlv(&w.pdu, SMPP_TAG_sar_total_segments, 2);
	assert_tlv(&w.pdu, SMPP_TAG_sar_segment_seqnum, 2);
}

static void a_payload_leaves_short_message_empty(void **state)
{
	(void)state;
	struct smpp_split s;
	struct written w;
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_PAYLOAD, SMPP_UNIT_SEPTET, view_of(many, 500), 1));
	write_part(&s, 0, &w);
	assert_int_equal(w.pdu.field[SMPP_F_short_message].text.n, 0);
	assert_int_equal(w.concat.data.n, 500);
	assert_int_equal(w.pdu.field[SMPP_F_esm_class].number, 0x03);
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_PAYLOAD, SMPP_UNIT_PACKED, view_of(many, 1530), 1));
	write_part(&s, 0, &w);
	assert_int_equal(w.concat.data.n, (1530 * 7 + 7) / 8);
}

static void one_part_has_no_marks(void **state)
{
	(void)state;
	for (unsigned way = 0; way < SMPP_SPLIT_COUNT; way++) {
		struct smpp_split s;
		struct written w;
		assert_true(smpp_split_plan(&s, (enum smpp_split_way)way, SMPP_UNIT_SEPTET, view_of(many, 160), 1));
		write_part(&s, 0, &w);
		assert_int_equal(w.pdu.field[SMPP_F_short_message].text.n, 160);
		assert_int_equal(w.pdu.field[SMPP_F_esm_class].number, 0x03);
		assert_int_equal(w.pdu.tlvs, 0);
		assert_true(smpp_split_plan(&s, (enum smpp_split_way)way, SMPP_UNIT_SEPTET, (struct view){0}, 1));
		write_part(&s, 0, &w);
		assert_int_equal(w.concat.data.n, 0);
	}
}

/* Both parts of a text of n octets whose only pair begins at offset at. */
static void first_part_is(enum smpp_unit unit, size_t n, size_t at, const void *pair, size_t wide, size_t wanted)
{
	static uint8_t text[400];
	struct smpp_split s;
	struct written w;
	for (size_t i = 0; i < n; i++)
		text[i] = unit == SMPP_UNIT_UCS2 && i % 2 == 0 ? 0 : 'a';
	memcpy(text + at, pair, wide);
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_UDH8, unit, view_of(text, n), 1));
	write_part(&s, 0, &w);
	assert_int_equal(w.concat.text.n, wanted);
	assert_memory_equal(w.concat.text.p, text, wanted);
	write_part(&s, 1, &w);
	assert_memory_equal(w.concat.text.p, text + wanted, w.concat.text.n);
}

/* trap 37: an escape stays with what it escapes; trap 38: a surrogate pair stays whole */
static void trap_37_pairs_are_not_cut_through(void **state)
{
	(void)state;
	first_part_is(SMPP_UNIT_SEPTET, 200, 151, "\x1b\x65", 2, 153);
	first_part_is(SMPP_UNIT_SEPTET, 200, 152, "\x1b\x65", 2, 152);
	first_part_is(SMPP_UNIT_SEPTET, 200, 153, "\x1b\x65", 2, 153);
	first_part_is(SMPP_UNIT_SEPTET, 200, 151, "\x1b\x1b", 2,
	              153); /* the second one is escaped and escapes nothing */
	first_part_is(SMPP_UNIT_UCS2, 200, 130, "\xd8\x3d\xdc\x4d", 4, 134);
	first_part_is(SMPP_UNIT_UCS2, 200, 132, "\xd8\x3d\xdc\x4d", 4, 132);
	first_part_is(SMPP_UNIT_UCS2, 200, 132, "\xd8\x3d\0a", 4, 134); /* half a pair is a unit like any other */
	first_part_is(SMPP_UNIT_OCTET, 200, 133, "\x1b\x65", 2, 134);
}

static void ends_that_are_cut_off_are_kept(void **state)
{
	(void)state;
	struct smpp_split s;
	struct written w;
	uint8_t text[161];
	memset(text, 0, sizeof(text));
	text[160] = 0x1b; /* an escape at the end */
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_UDH8, SMPP_UNIT_SEPTET, view_of(text, 161), 1));
	write_part(&s, 1, &w);
	assert_int_equal(w.concat.text.n, 8);
	assert_true(smpp_split_plan(&s, SMPP_SPLIT_UDH8, SMPP_UNIT_UCS2, view_of(text, 141), 1)); /* an odd octet */
	write_part(&s, 1, &w);
	assert_int_equal(w.concat.text.n, 7);
}

static void names_find_their_way(void **state)
{
	(void)state;
	static const char *const wanted[] = {"udh8", "udh16", "sar", "payload"};
	enum smpp_split_way way;
	for (unsigned i = 0; i < SMPP_SPLIT_COUNT; i++) {
		assert_string_equal(smpp_split_name((enum smpp_split_way)i), wanted[i]);
		assert_true(smpp_split_find(view_str(wanted[i]), &way));
		assert_int_equal(way, i);
	}
	assert_false(smpp_split_find(VIEW("udh"), &way));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trap_40_parts_and_segments_are_counted),
	        cmocka_unit_test(more_than_the_ceiling_is_refused),
	        cmocka_unit_test(trap_39_each_way_has_its_own_marks),
	        cmocka_unit_test(a_payload_leaves_short_message_empty),
	        cmocka_unit_test(one_part_has_no_marks),
	        cmocka_unit_test(trap_37_pairs_are_not_cut_through),
	        cmocka_unit_test(ends_that_are_cut_off_are_kept),
	        cmocka_unit_test(names_find_their_way),
	};
	return cmocka_run_group_tests(tests, fill, NULL);
}
