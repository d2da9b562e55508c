/* What must hold for any PDU and any peer. The seed is printed; SEED=n repeats a run. */
#include "smpp_drive.h"
#include "smpp_page.h"
#include "smpp_receipt.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static uint64_t seed;
static uint64_t dice;

static uint32_t roll(uint32_t below)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((dice >> 33) % below);
}

static uint8_t arena[1 << 18];
static size_t arena_used;

/* Random octets; without NULs for texts. */
static struct view random_text(size_t n, bool nuls)
{
	if (n > sizeof arena - arena_used)
		n = 0;
	uint8_t *p = arena + arena_used;
	arena_used += n;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(nuls ? roll(256) : 1 + roll(255));
	return view_of(p, n);
}

static struct view random_entries(enum smpp_type type, unsigned count)
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

static void random_field(struct smpp_pdu *pdu, const struct smpp_field_row *row)
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

static void random_pdu(struct smpp_pdu *pdu, enum smpp_command command)
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
	const char *given = getenv("SEED");
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	dice = seed;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_pdu_comes_back),
	        cmocka_unit_test(changed_octets_stay_in_bounds),
	        cmocka_unit_test(sessions_keep_their_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
