/* What must hold for any PDU and any peer. The seed is printed; SEED=n repeats a run. */
#include "smpp_drive.h"
#include "smpp_page.h"
#include "smpp_random.h"
#include "smpp_receipt.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void compare_pdus(const struct smpp_pdu *a, const struct smpp_pdu *b)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(a->command, &count);
	assert_int_equal(a->command_id, b->command_id);
	assert_int_equal(a->command_status, b->command_status);
	assert_int_equal(a->sequence_number, b->sequence_number);
	assert_int_equal(a->tlvs, b->tlvs);
	for (unsigned i = 0; i < count; i++) {
		const struct smpp_value *x = &a->field[rows[i].field];
		const struct smpp_value *y = &b->field[rows[i].field];
		bool counter = i + 1 < count && rows[i + 1].type >= SMPP_OCTETS;
		assert_true(view_eq(x->text, y->text));
		if (rows[i].type <= SMPP_U32 && !counter)
			assert_int_equal(x->number, y->number);
	}
	for (unsigned i = 0; i < a->tlvs; i++)
		assert_true(a->tlv[i].tag == b->tlv[i].tag && view_eq(a->tlv[i].value, b->tlv[i].value));
}

static void every_pdu_comes_back(void **state)
{
	(void)state;
	struct buf first = BUF(LIMIT_PDU_BYTES), second = BUF(LIMIT_PDU_BYTES), page = BUF(SMPP_PAGE_BYTES);
	struct smpp_pdu pdu, read;
	struct smpp_fault fault;
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
			random_pdu(&pdu, (enum smpp_command)c);
			buf_clear(&first);
			buf_clear(&second);
			buf_clear(&page);
			if (!smpp_pdu_encode(&pdu, &first, &fault))
				fail_msg("%s: %s: %s", smpp_command_name(pdu.command), fault.field, fault.sentence);
			assert_int_equal(smpp_frame_length(buf_view(&first)), first.n);
			assert_true(smpp_pdu_decode(buf_view(&first), &read, &fault));
			if (read.has_body)
				compare_pdus(&pdu, &read);
			assert_int_equal(read.tlvs_dropped, 0);
			assert_true(smpp_pdu_encode(&read, &second, &fault));
			assert_true(view_eq(buf_view(&first), buf_view(&second)));
			smpp_page_print(buf_view(&first), &(struct smpp_page_options){.masked = roll(2)}, &page);
			assert_true(page.n > 100 && !page.full);
		}
	}
	buf_free(&first);
	buf_free(&second);
	buf_free(&page);
}

/* Octets that were changed decode to something that is written and read the same, or to a fault. */
static void changed_octets_stay_in_bounds(void **state)
{
	(void)state;
	struct buf b = BUF(LIMIT_PDU_BYTES), again = BUF(LIMIT_PDU_BYTES);
	struct smpp_pdu pdu, read;
	struct smpp_fault fault;
	struct smpp_receipt receipt;
	unsigned decoded = 0, refused = 0;
	for (unsigned round = 0; round < 6000; round++) {
		random_pdu(&pdu, (enum smpp_command)roll(SMPP_COMMAND_COUNT));
		buf_clear(&b);
		buf_clear(&again);
		assert_true(smpp_pdu_encode(&pdu, &b, &fault));
		for (unsigned n = 1 + roll(4); n && b.n > 16; n--)
			b.p[16 + roll((uint32_t)b.n - 16)] = (uint8_t)roll(256);
		if (roll(3) == 0 && b.n > 16)
			b.n = 16 + roll((uint32_t)b.n - 16);
		for (unsigned i = 0; i < 4; i++)
			b.p[i] = (uint8_t)(b.n >> (24 - 8 * i));
		uint8_t *exact = malloc(b.n);
		assert_non_null(exact);
		memcpy(exact, b.p, b.n);
		if (!smpp_pdu_decode(view_of(exact, b.n), &read, &fault)) {
			assert_true(fault.status && fault.offset <= b.n);
			refused++;
		} else {
			smpp_receipt_parse(&read, &receipt);
			decoded++;
			if (smpp_pdu_encode(&read, &again, &fault)) {
				assert_true(smpp_pdu_decode(buf_view(&again), &pdu, &fault));
				compare_pdus(&read, &pdu);
			}
		}
		free(exact);
	}
	assert_true(decoded > 500 && refused > 500);
	buf_free(&b);
	buf_free(&again);
}

static void sessions_keep_their_word(void **state)
{
	(void)state;
	static uint8_t choices[6000];
	struct drive d;
	unsigned answers = 0, timeouts = 0, lates = 0;
	for (unsigned round = 0; round < 300; round++) {
		for (size_t i = 0; i < sizeof choices; i++)
			choices[i] = (uint8_t)roll(256);
		drive_run(&d, view_of(choices, 2 + roll(sizeof choices - 2)));
		answers += d.answers;
		timeouts += d.timeouts;
		lates += d.lates;
	}
	print_message("%u answers, %u timeouts, %u late\n", answers, timeouts, lates);
	assert_true(answers > 500 && timeouts > 500 && lates > 100);
}

int main(void)
{
	seeded_start("smpp_property");
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_pdu_comes_back),
	        cmocka_unit_test(changed_octets_stay_in_bounds),
	        cmocka_unit_test(sessions_keep_their_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
