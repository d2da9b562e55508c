#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seeded.h"
#include "smpp_concat.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct view O(const char *octets, size_t n) {
	return view_of(octets, n);
}

#define OCTETS(literal) O(literal, sizeof(literal) - 1)

static struct smpp_pdu
text_pdu(enum smpp_command command, uint32_t esm_class, struct view text)
{
	struct smpp_pdu pdu;
	smpp_pdu_init(&pdu, command, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, esm_class);
	if (command == SMPP_data_sm)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_payload, text);
	else
		smpp_pdu_set_text(&pdu, SMPP_F_short_message, text);
	return pdu;
}

static struct smpp_concat read_text(uint32_t esm_class, struct view text)
{
	struct smpp_pdu pdu = text_pdu(SMPP_deliver_sm, esm_class, text);
	struct smpp_concat c;
	smpp_concat_read(&pdu, &c);
	return c;
}

static void assert_view(struct view v, const char *wanted)
{
	if (!view_eq(v, view_str(wanted)))
		fail_msg("got \"%.*s\", wanted \"%s\"", (int)v.n, (const char *)v.p, wanted);
}

/* trap 39: the three carriers of concatenation */
static void trap_39_headers_and_sar_are_read(void **state)
{
	(void)state;
	struct smpp_concat c = read_text(0x40, OCTETS("\5\0\3\xab\3\2hello"));
	assert_int_equal(c.kind, SMPP_CONCAT_UDH8);
	assert_int_equal(c.reference, 0xab);
	assert_int_equal(c.total, 3);
	assert_int_equal(c.part, 2);
	assert_view(c.text, "hello");
	assert_int_equal(c.header.n, 6);
	assert_int_equal(c.data.n, 11);
	assert_false(c.odd);
	c = read_text(0x43, OCTETS("\6\x08\4\xab\xcd\2\1x"));
	assert_int_equal(c.kind, SMPP_CONCAT_UDH16);
	assert_int_equal(c.reference, 0xabcd);
	assert_int_equal(c.total, 2);
	assert_int_equal(c.part, 1);
	assert_view(c.text, "x");
	struct smpp_pdu pdu = text_pdu(SMPP_deliver_sm, 0, OCTETS("\5\0\3\1\2\1"));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_msg_ref_num, OCTETS("\x12\x34"));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_total_segments, OCTETS("\2"));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_segment_seqnum, OCTETS("\2"));
	smpp_concat_read(&pdu, &c);
	assert_int_equal(c.kind, SMPP_CONCAT_SAR);
	assert_int_equal(c.reference, 0x1234);
	assert_int_equal(c.part, 2);
	assert_int_equal(c.text.n, 6); /* without 0x40 in esm_class there is no header */
	assert_int_equal(c.header.n, 0);
}

/* A part is one whatever command brings it, and from whichever field (trap 31). */
static void any_command_and_field(void **state)
{
	(void)state;
	static const enum smpp_command commands[] = {SMPP_deliver_sm, SMPP_submit_sm, SMPP_data_sm, SMPP_submit_multi};
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct smpp_pdu pdu = text_pdu(commands[i], 0x40, OCTETS("\5\0\3\7\2\1one"));
		struct smpp_concat c;
		smpp_concat_read(&pdu, &c);
		assert_int_equal(c.kind, SMPP_CONCAT_UDH8);
		assert_view(c.text, "one");
	}
	struct smpp_pdu pdu = text_pdu(SMPP_deliver_sm, 0, OCTETS(""));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_payload, OCTETS("long text"));
	struct smpp_concat c;
	smpp_concat_read(&pdu, &c);
	assert_view(c.text, "long text");
	assert_int_equal(c.kind, SMPP_CONCAT_NONE);
	smpp_pdu_init(&pdu, SMPP_enquire_link, 1);
	pdu.field[SMPP_F_short_message].text = OCTETS("none of its fields");
	smpp_concat_read(&pdu, &c);
	assert_int_equal(c.data.n, 0);
}

static void other_elements_are_passed_over(void **state)
{
	(void)state;
	/* ports, then the part, then both shifts */
	struct smpp_concat c = read_text(0x40, OCTETS("\x11\5\4\x0b\x84\x23\xf0\0\3\x11\2\2\x24\1\1\x25\1\3text"));
	assert_int_equal(c.kind, SMPP_CONCAT_UDH8);
	assert_int_equal(c.part, 2);
	assert_int_equal(c.single, 1);
	assert_int_equal(c.locking, 3);
	assert_view(c.text, "text");
	assert_false(c.odd);
	c = read_text(0x40, OCTETS("\3\x24\1\2no m\x1b\x61s"));
	assert_int_equal(c.kind, SMPP_CONCAT_NONE);
	assert_int_equal(c.single, 2);
	c = read_text(0x40, OCTETS("\0text"));
	assert_view(c.text, "text");
	assert_int_equal(c.header.n, 1);
	assert_false(c.odd);
	c = read_text(0x40, OCTETS("\2\x70\0text"));
	assert_view(c.text, "text");
	c = read_text(0x40, OCTETS("\x0b\0\3\1\2\1\x08\4\1\2\3\2xx")); /* 9.2.3.24: the last one counts */
	assert_int_equal(c.kind, SMPP_CONCAT_UDH16);
	assert_int_equal(c.reference, 0x102);
	assert_int_equal(c.total, 3);
	assert_int_equal(c.part, 2);
}

struct odd {
	const char *what;
	struct view data;
	const char *text;
	size_t header;
};

/* What is no header is text: a STOP behind a wrong flag must stay readable. */
static void nonsense_is_a_text_of_its_own(void **state)
{
	(void)state;
	const struct odd cases[] = {
	        {"flag on a plain text", OCTETS("STOP"), "STOP", 0},
	        {"flag on a longer text", OCTETS("!please stop texting me, I do not want this"),
	         "!please stop texting me, I do not want this", 0},
	        {"length past the end", OCTETS("\5\0\3\1\2"), "\5\0\3\1\2", 0},
	        {"length past the end by one", OCTETS("\5A"), "\5A", 0},
	        {"element past the end", OCTETS("\5\0\4\1\2\1abc"), NULL, 0},
	        {"element without a length", OCTETS("\6\0\3\1\2\1\7abc"), NULL, 0},
	        {"total 0", OCTETS("\5\0\3\1\0\1abc"), "abc", 6},
	        {"part 0", OCTETS("\5\0\3\1\2\0abc"), "abc", 6},
	        {"part above total", OCTETS("\5\0\3\1\2\3abc"), "abc", 6},
	        {"element of another length", OCTETS("\4\0\2\1\2abc"), "abc", 5},
	        {"16 bit element of another length", OCTETS("\5\x08\3\1\2\1abc"), "abc", 6},
	        {"shift without its language", OCTETS("\2\x24\0abc"), "abc", 3},
	        {"shift with two",
	         OCTETS("\4\x25\2\1\1"
	                "abc"),
	         "abc", 5},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smpp_concat c = read_text(0x40, cases[i].data);
		if (c.kind != SMPP_CONCAT_NONE || !c.odd || c.header.n != cases[i].header)
			fail_msg("%s: %s, odd %d, header %zu", cases[i].what, smpp_concat_name(c.kind), c.odd,
			         c.header.n);
		assert_true(view_eq(c.data, cases[i].data));
		assert_true(view_eq(c.text, view_of(c.data.p + c.header.n, c.data.n - c.header.n)));
		if (cases[i].text && cases[i].header)
			assert_view(c.text, cases[i].text);
	}
	struct smpp_concat c = read_text(0x40, OCTETS("\5\0\3\1\1\1whole")); /* one of one is no part, and not odd */
	assert_int_equal(c.kind, SMPP_CONCAT_NONE);
	assert_false(c.odd);
	assert_view(c.text, "whole");
	c = read_text(0x40, OCTETS(""));
	assert_int_equal(c.text.n, 0);
	assert_false(c.odd);
}

static struct smpp_concat read_sar(struct view reference, struct view total, struct view part)
{
	struct smpp_pdu pdu = text_pdu(SMPP_deliver_sm, 0, OCTETS("text"));
	if (reference.n)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_msg_ref_num, reference);
	if (total.n)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_total_segments, total);
	if (part.n)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_segment_seqnum, part);
	struct smpp_concat c;
	smpp_concat_read(&pdu, &c);
	return c;
}

static void sar_that_makes_no_sense(void **state)
{
	(void)state;
	const struct view none = {0};
	const struct view bad[][3] = {{OCTETS("\0\1"), OCTETS("\0"), OCTETS("\1")},
	                              {OCTETS("\0\1"), OCTETS("\2"), OCTETS("\0")},
	                              {OCTETS("\0\1"), OCTETS("\2"), OCTETS("\3")},
	                              {OCTETS("\0\1"), OCTETS("\2"), none},
	                              {OCTETS("\0\1"), none, OCTETS("\1")},
	                              {none, OCTETS("\2"), OCTETS("\1")},
	                              {OCTETS("\0\1"), OCTETS("\1\1"), OCTETS("\1")},
	                              {OCTETS("\1\0\0\0"), OCTETS("\2"), OCTETS("\1")},
	                              {OCTETS("\0\1"), OCTETS("\0\0\2"), OCTETS("\1")}};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct smpp_concat c = read_sar(bad[i][0], bad[i][1], bad[i][2]);
		assert_int_equal(c.kind, SMPP_CONCAT_NONE);
		assert_true(c.odd);
		assert_view(c.text, "text");
	}
	struct smpp_concat c = read_sar(OCTETS("\0\1"), OCTETS("\1"), OCTETS("\1"));
	assert_int_equal(c.kind, SMPP_CONCAT_NONE);
	assert_false(c.odd);
	c = read_sar(OCTETS("\x07"), OCTETS("\0\2"), OCTETS("\0\0\0\2")); /* widths that we would not write */
	assert_int_equal(c.kind, SMPP_CONCAT_SAR);
	assert_int_equal(c.reference, 7);
	assert_int_equal(c.part, 2);
}

/* Both at once should not be; the header, which the phone wrote, counts. */
static void a_header_goes_before_sar(void **state)
{
	(void)state;
	struct smpp_pdu pdu = text_pdu(SMPP_deliver_sm, 0x40, OCTETS("\5\0\3\x09\3\3text"));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_msg_ref_num, OCTETS("\0\1"));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_total_segments, OCTETS("\2"));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_sar_segment_seqnum, OCTETS("\1"));
	struct smpp_concat c;
	smpp_concat_read(&pdu, &c);
	assert_int_equal(c.kind, SMPP_CONCAT_UDH8);
	assert_int_equal(c.reference, 9);
}

static void a_part_too_long_for_one_stands_alone(void **state)
{
	(void)state;
	static uint8_t text[6 + LIMIT_PART_BYTES + 1] = {5, 0, 3, 1, 2, 1};
	struct smpp_pdu pdu = text_pdu(SMPP_data_sm, 0x40, view_of(text, sizeof(text) - 1));
	struct smpp_concat c;
	smpp_concat_read(&pdu, &c);
	assert_int_equal(c.kind, SMPP_CONCAT_UDH8);
	pdu = text_pdu(SMPP_data_sm, 0x40, view_of(text, sizeof(text)));
	smpp_concat_read(&pdu, &c);
	assert_int_equal(c.kind, SMPP_CONCAT_NONE);
	assert_true(c.odd);
	assert_int_equal(c.text.n, LIMIT_PART_BYTES + 1);
}

/* Whatever comes, what is read lies inside and is consistent. */
static void random_headers_are_safe(void **state)
{
	(void)state;
	seeded_start("random_headers_are_safe");
	unsigned parts = 0;
	for (int round = 0; round < 50000; round++) {
		uint8_t data[40];
		size_t n = (size_t)seeded_between(0, sizeof(data));
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)(seeded_next() % 4 ? seeded_between(0, 8) : (int64_t)(seeded_next() & 0xff));
		struct smpp_concat c = read_text(0x40, view_of(data, n));
		assert_true(c.header.n + c.text.n == c.data.n && c.data.n == n);
		assert_true(n == 0 || c.text.p == data + c.header.n);
		assert_true(c.kind == SMPP_CONCAT_NONE || (c.total >= 2 && c.part >= 1 && c.part <= c.total));
		parts += c.kind != SMPP_CONCAT_NONE;
	}
	assert_true(parts > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trap_39_headers_and_sar_are_read),
	        cmocka_unit_test(any_command_and_field),
	        cmocka_unit_test(other_elements_are_passed_over),
	        cmocka_unit_test(nonsense_is_a_text_of_its_own),
	        cmocka_unit_test(sar_that_makes_no_sense),
	        cmocka_unit_test(a_header_goes_before_sar),
	        cmocka_unit_test(a_part_too_long_for_one_stands_alone),
	        cmocka_unit_test(random_headers_are_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
