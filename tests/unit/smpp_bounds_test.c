/* Three bug shapes that SMPP stacks keep having: a length that is believed (sm_length, number_of_dests, no_unsuccess,
 * command_length, a TLV's), a body that is read past its end, and a bounded copy that is off by one. For every command
 * and every field of proto/smpp_pdu.def. PDUs are built here, not by our encoder, and stand in memory of their exact
 * size, so that the sanitizers' build sees a read past it. */
#include "smpp_receipt.h"
#include "smpp_row.h"
#include "smpp_status.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXT_OCTETS 20 /* in a short_message */
#define ENTRIES 3      /* in a list */
#define ADDRESS_MAX 20 /* of an entry, without its NUL */
#define ANY_NUMBER 9   /* no dest_flag */
#define NO_ROW UINT32_MAX

struct part {
	const struct smpp_field_row *row;
	size_t at;
	size_t entry[ENTRIES]; /* where the entries of a list begin */
	size_t end;
};

/* A PDU with every field at its full width, and where each stands. */
struct sample {
	enum smpp_command command;
	struct buf octets;
	struct part part[32];
	unsigned parts;
};

static struct buf arena = BUF(1 << 20);
static size_t entry_text = ADDRESS_MAX; /* octets of each entry's text in what is built */

static void add_fill(struct buf *b, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_u8(b, (uint8_t)c);
}

static void add_list(struct buf *b, struct part *part)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		bool name = part->row->type == SMPP_DESTS && i == 1;
		part->entry[i] = b->n;
		if (part->row->type == SMPP_DESTS)
			buf_add_u8(b, name ? 2 : 1);
		if (!name && part->row->type != SMPP_IDS)
			buf_add_u16(b, 0x0101);
		add_fill(b, 'd', entry_text);
		buf_add_u8(b, 0);
		if (part->row->type == SMPP_UNSUCCESS)
			buf_add_u32(b, ESME_RINVDSTADR);
	}
}

static bool is_text(enum smpp_type type)
{
	return type == SMPP_CSTR || type == SMPP_TIME;
}

/* odd_n: octets of a text, or the number of a number. */
static void add_field(struct buf *b, struct part *part, const struct smpp_field_row *counted, bool odd, size_t odd_n)
{
	const struct smpp_field_row *row = part->row;
	if (row->type == SMPP_U8) {
		uint8_t true_count = !counted ? ANY_NUMBER : counted->type == SMPP_OCTETS ? TEXT_OCTETS : ENTRIES;
		buf_add_u8(b, odd ? (uint8_t)odd_n : true_count);
	} else if (row->type == SMPP_U32) {
		buf_add_u32(b, odd ? (uint32_t)odd_n : ANY_NUMBER);
	} else if (is_text(row->type)) {
		add_fill(b, 't', odd ? odd_n : row->max - 1);
		buf_add_u8(b, 0);
	} else if (row->type == SMPP_OCTETS) {
		add_fill(b, 'x', TEXT_OCTETS);
	} else {
		add_list(b, part);
	}
}

static void set_length(uint8_t *p, uint32_t length)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(length >> (24 - 8 * i));
}

/* The field of row odd, if there is one, gets odd_n instead of what would be right. */
static void build(struct sample *s, enum smpp_command command, unsigned odd, size_t odd_n)
{
	const struct smpp_field_row *rows = smpp_command_fields(command, &s->parts);
	assert_true(s->parts <= sizeof s->part / sizeof s->part[0]);
	s->command = command;
	s->octets = arena;
	buf_clear(&s->octets);
	buf_add_u32(&s->octets, 0);
	buf_add_u32(&s->octets, smpp_command_id(command));
	buf_add_u32(&s->octets, ESME_ROK);
	buf_add_u32(&s->octets, 42);
	for (unsigned i = 0; i < s->parts; i++) {
		s->part[i] = (struct part){.row = &rows[i], .at = s->octets.n};
		add_field(&s->octets, &s->part[i], smpp_row_counted(rows, i, s->parts), i == odd, odd_n);
		s->part[i].end = s->octets.n;
	}
	arena = s->octets;
	set_length(s->octets.p, (uint32_t)s->octets.n);
}

/* The first n octets by themselves; length is what command_length says. */
static uint8_t *exact(const struct sample *s, size_t n, uint32_t length)
{
	uint8_t *p = malloc(n ? n : 1);
	assert_non_null(p);
	if (n)
		memcpy(p, s->octets.p, n);
	if (n >= 4)
		set_length(p, length);
	return p;
}

/* What a decoded PDU points at, a read of which the sanitizer watches. */
static unsigned read_all(const struct smpp_pdu *pdu)
{
	unsigned sum = 0, count;
	const struct smpp_field_row *rows = smpp_command_fields(pdu->command, &count);
	for (unsigned i = 0; i < count; i++) {
		struct view text = pdu->field[rows[i].field].text;
		for (size_t k = 0; k < text.n; k++)
			sum += text.p[k];
	}
	for (unsigned i = 0; i < pdu->tlvs; i++)
		for (size_t k = 0; k < pdu->tlv[i].value.n; k++)
			sum += pdu->tlv[i].value.p[k];
	return sum;
}

struct expected {
	const char *field; /* NULL: it decodes */
	size_t offset;
	uint32_t status;
};

static void expect(const struct sample *s, const char *what, size_t n, uint32_t length, struct expected e,
                   struct smpp_pdu *pdu_r)
{
	struct smpp_fault fault;
	uint8_t *p = exact(s, n, length);
	bool decoded = smpp_pdu_decode(view_of(p, n), pdu_r, &fault);
	if (decoded)
		read_all(pdu_r);
	if (decoded != !e.field || (e.field && (strcmp(fault.field, e.field) || fault.offset != e.offset ||
	                                        fault.status != e.status || !fault.sentence)))
		fail_msg("%s, %s, %zu octets: %s at %u, status %x, instead of %s at %zu, status %x",
		         smpp_command_name(s->command), what, n, decoded ? "decodes" : fault.field, fault.offset,
		         fault.status, e.field ? e.field : "decoding", e.offset, e.status);
	if (n >= SMPP_HEADER_BYTES) {
		assert_int_equal(pdu_r->command_id, smpp_command_id(s->command));
		assert_int_equal(pdu_r->sequence_number, 42);
	}
	free(p);
}

static struct expected command_length_fault(void)
{
	return (struct expected){"command_length", 0, ESME_RINVCMDLEN};
}

/* --- missing length checks in the body parser -------------------------------------------------------------------- */

/* The fault of a PDU that ends before its octet n. */
static struct expected fault_of_cut(const struct sample *s, size_t n)
{
	const struct part *part = s->part;
	size_t at;
	while (n >= part->end)
		part++;
	at = part->at;
	for (unsigned i = 0; i < ENTRIES; i++)
		if (part->entry[i] && part->entry[i] <= n)
			at = part->entry[i];
	enum smpp_type type = part->row->type;
	uint32_t status = type == SMPP_OCTETS  ? ESME_RINVMSGLEN
	                  : type >= SMPP_DESTS ? ESME_RINVNUMDESTS
	                                       : ESME_RINVCMDLEN;
	return (struct expected){smpp_field_name(part->row->field), at, status};
}

static void the_body_parser_stops_at_every_end(void **state)
{
	(void)state;
	struct sample s;
	struct smpp_pdu pdu;
	unsigned cuts = 0;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		build(&s, (enum smpp_command)c, NO_ROW, 0);
		bool answer = smpp_command_is_answer(s.command);
		for (size_t n = 0; n < s.octets.n; n++, cuts++) {
			bool whole = n == SMPP_HEADER_BYTES && answer;
			expect(&s, "cut", n, (uint32_t)n,
			       n < SMPP_HEADER_BYTES ? command_length_fault()
			       : whole               ? (struct expected){0}
			                             : fault_of_cut(&s, n),
			       &pdu);
			expect(&s, "cut, and command_length does not know", n, (uint32_t)s.octets.n,
			       command_length_fault(), &pdu);
		}
		expect(&s, "whole", s.octets.n, (uint32_t)s.octets.n, (struct expected){0}, &pdu);
		assert_int_equal(pdu.tlvs_dropped, 0);
	}
	assert_true(cuts > 2000);
}

/* An answer that says "no" decodes whatever its body is (trap 18), and then has none: no half of a field is left. */
static void an_error_answer_keeps_nothing_of_a_cut_body(void **state)
{
	(void)state;
	struct sample s;
	struct smpp_pdu pdu;
	static const struct smpp_value zero[SMPP_F_COUNT];
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		if (!smpp_command_is_answer((enum smpp_command)c))
			continue;
		build(&s, (enum smpp_command)c, NO_ROW, 0);
		s.octets.p[11] = ESME_RSYSERR;
		for (size_t n = SMPP_HEADER_BYTES; n < s.octets.n; n++) {
			expect(&s, "cut", n, (uint32_t)n, (struct expected){0}, &pdu);
			assert_false(pdu.has_body);
			assert_memory_equal(pdu.field, zero, sizeof zero);
		}
	}
}

/* --- lengths that are believed ----------------------------------------------------------------------------------- */

struct lie {
	const char *what;
	int sum;   /* added to the true count, unless */
	int count; /* this one is told, when not negative */
};

static const struct lie lies[] = {
        {"one more than there is", +1, -1},
        {"one less than there is", -1, -1},
        {"the largest", 0, 255},
        {"twice what there is", 0, 2 * TEXT_OCTETS},
        {"none", 0, 0},
};

/* What an sm_length of another count must come to. A text behind short_message (3.3 has one) is at its full width: it
 * can lose octets to a larger count, and is too long for a smaller one. */
static struct expected fault_of_text(const struct sample *s, const struct part *told, unsigned count)
{
	if (told->at + count > s->octets.n)
		return (struct expected){"short_message", told->at, ESME_RINVMSGLEN};
	if (told->end == s->octets.n || count > TEXT_OCTETS)
		return (struct expected){0};
	return (struct expected){smpp_field_name(told[1].row->field), told->at + count,
	                         smpp_field_fault(told[1].row->field)};
}

/* What a count of too many, or too few, entries must come to. What is not counted at the end of a PDU is taken for TLVs
 * that are broken: dropped and counted. */
static struct expected fault_of_list(const struct part *told, unsigned count)
{
	if (told->row->type == SMPP_DESTS && count > ENTRIES)
		return (struct expected){"dest_address", told->end, ESME_RINVDESTFLAG};
	if (count > ENTRIES)
		return (struct expected){smpp_field_name(told->row->field), told->end, ESME_RINVNUMDESTS};
	if (told->row->type != SMPP_DESTS)
		return (struct expected){0};
	unsigned numbers = 0;
	while (told[1 + numbers].row->type == SMPP_U8)
		numbers++;
	/* the entry's first octets are read as the numbers behind the list, the rest as a time */
	return (struct expected){"schedule_delivery_time", told->entry[count] + numbers, ESME_RINVSCHED};
}

static void lie_about(enum smpp_command command, unsigned row, const struct lie *lie)
{
	struct sample s;
	struct smpp_pdu pdu;
	build(&s, command, NO_ROW, 0);
	const struct part *told = &s.part[row + 1];
	bool text = told->row->type == SMPP_OCTETS;
	int true_count = text ? TEXT_OCTETS : ENTRIES;
	unsigned count = (unsigned)(lie->count < 0 ? true_count + lie->sum : lie->count);
	struct expected e = text ? fault_of_text(&s, told, count) : fault_of_list(told, count);
	s.octets.p[s.part[row].at] = (uint8_t)count;
	expect(&s, lie->what, s.octets.n, (uint32_t)s.octets.n, e, &pdu);
	if (e.field)
		return;
	assert_int_equal(pdu.field[told->row->field].number, count);
	assert_int_equal(pdu.tlvs_dropped > 0, told->end == s.octets.n);
	if (text)
		assert_int_equal(pdu.field[SMPP_F_short_message].text.n, count);
}

static void sm_length_and_the_counts_are_not_believed(void **state)
{
	(void)state;
	unsigned fields = 0;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		unsigned count;
		const struct smpp_field_row *rows = smpp_command_fields((enum smpp_command)c, &count);
		for (unsigned i = 0; i < count; i++) {
			if (!smpp_row_counted(rows, i, count))
				continue;
			fields++;
			for (size_t k = 0; k < sizeof lies / sizeof lies[0]; k++)
				lie_about((enum smpp_command)c, i, &lies[k]);
		}
	}
	/* submit_sm, deliver_sm, replace_sm, submit_multi_resp, query_last_msgs_resp; submit_multi and
	 * query_msg_details_resp twice */
	assert_int_equal(fields, 9);
}

static void command_length_is_not_believed(void **state)
{
	(void)state;
	struct sample s;
	struct smpp_pdu pdu;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		build(&s, (enum smpp_command)c, NO_ROW, 0);
		uint32_t n = (uint32_t)s.octets.n;
		const uint32_t told[] = {n + 1, n - 1, 0, 15, 2 * n, LIMIT_PDU_BYTES, LIMIT_PDU_BYTES + 1, UINT32_MAX};
		for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
			expect(&s, "command_length", n, told[i], command_length_fault(), &pdu);
	}
}

/* A TLV of 8 octets at the end of every command, whole, cut at each octet, and with a length that lies. */
static void tlv_lengths_are_not_believed(void **state)
{
	(void)state;
	struct sample s;
	struct smpp_pdu pdu;
	static const uint16_t told[] = {9, 7, 0, UINT16_MAX, 0x7fff, 0x8000};
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		build(&s, (enum smpp_command)c, NO_ROW, 0);
		size_t body = s.octets.n;
		buf_add_u16(&s.octets, SMPP_TAG_message_payload);
		buf_add_u16(&s.octets, 8);
		add_fill(&s.octets, 'p', 8);
		arena = s.octets;
		for (size_t n = body; n <= s.octets.n; n++) {
			expect(&s, "TLV cut", n, (uint32_t)n, (struct expected){0}, &pdu);
			assert_int_equal(pdu.tlvs, n == s.octets.n);
			assert_int_equal(pdu.tlvs_dropped, n > body && n < s.octets.n);
		}
		for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
			s.octets.p[body + 2] = (uint8_t)(told[i] >> 8);
			s.octets.p[body + 3] = (uint8_t)told[i];
			expect(&s, "TLV length", s.octets.n, (uint32_t)s.octets.n, (struct expected){0}, &pdu);
			assert_int_equal(pdu.tlvs, told[i] < 8);
			assert_int_equal(pdu.tlvs_dropped, 1);
		}
	}
}

/* --- off by one -------------------------------------------------------------------------------------------------- */

static void check_width(enum smpp_command command, unsigned row, size_t n)
{
	struct sample s;
	struct smpp_pdu pdu;
	build(&s, command, row, n);
	const struct smpp_field_row *r = s.part[row].row;
	bool fits = r->type == SMPP_TIME ? n == 0 || n == r->max - 1 : n < r->max;
	struct expected e = {smpp_field_name(r->field), s.part[row].at, smpp_field_fault(r->field)};
	expect(&s, e.field, s.octets.n, (uint32_t)s.octets.n, fits ? (struct expected){0} : e, &pdu);
	if (fits)
		assert_int_equal(pdu.field[r->field].text.n, n);
}

/* A text may have one octet less than its width, which counts the NUL: each length around that, for each text of each
 * command. */
static void no_text_is_read_past_its_width(void **state)
{
	(void)state;
	unsigned texts = 0;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		unsigned count;
		const struct smpp_field_row *rows = smpp_command_fields((enum smpp_command)c, &count);
		for (unsigned i = 0; i < count; i++) {
			if (!is_text(rows[i].type))
				continue;
			texts++;
			for (size_t n = 0; n <= rows[i].max + 2; n++)
				check_width((enum smpp_command)c, i, n);
		}
	}
	assert_true(texts > 60);
}

static void check_entry_width(enum smpp_command command, unsigned row, size_t n)
{
	struct sample s;
	struct smpp_pdu pdu;
	build(&s, command, NO_ROW, 0);
	const struct part *part = &s.part[row];
	bool ids = part->row->type == SMPP_IDS;
	struct expected e = {smpp_field_name(part->row->field), part->entry[0], ids ? ESME_RINVMSGID : ESME_RINVDSTADR};
	bool fits = n <= (ids ? 64 : ADDRESS_MAX);
	expect(&s, "entries of a width", s.octets.n, (uint32_t)s.octets.n, fits ? (struct expected){0} : e, &pdu);
}

static void no_entry_is_read_past_its_width(void **state)
{
	(void)state;
	unsigned lists = 0;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		unsigned count;
		const struct smpp_field_row *rows = smpp_command_fields((enum smpp_command)c, &count);
		for (unsigned i = 0; i < count; i++) {
			if (rows[i].type < SMPP_DESTS)
				continue;
			lists++;
			for (entry_text = 0; entry_text < 70; entry_text++)
				check_entry_width((enum smpp_command)c, i, entry_text);
		}
	}
	entry_text = ADDRESS_MAX;
	assert_int_equal(lists, 4); /* submit_multi and its answer, two answers of 3.3 */
}

/* Writing: a ceiling of one octet less than the PDU needs takes nothing, its exact size takes all. */
static void nothing_is_written_past_the_ceiling(void **state)
{
	(void)state;
	struct sample s;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		build(&s, (enum smpp_command)c, NO_ROW, 0);
		assert_true(smpp_pdu_decode(buf_view(&s.octets), &pdu, &fault));
		for (size_t max = 0; max <= s.octets.n; max++) {
			struct buf to = BUF(max);
			bool written = smpp_pdu_encode(&pdu, &to, &fault);
			assert_int_equal(written, max == s.octets.n);
			assert_int_equal(to.n, written ? s.octets.n : 0);
			if (written)
				assert_memory_equal(to.p, s.octets.p, to.n);
			else
				assert_string_equal(fault.field, "command_length");
			buf_free(&to);
		}
	}
}

/* Writing: a text of its width has no room for its NUL. */
static void no_text_is_written_past_its_width(void **state)
{
	(void)state;
	static uint8_t letters[300];
	struct sample s;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct buf to = BUF(4096);
	memset(letters, 't', sizeof letters);
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++) {
		build(&s, (enum smpp_command)c, NO_ROW, 0);
		for (unsigned i = 0; i < s.parts; i++) {
			const struct smpp_field_row *r = s.part[i].row;
			size_t most = is_text(r->type) ? r->max - 1 : r->max;
			if (!is_text(r->type) && r->type != SMPP_OCTETS)
				continue;
			assert_true(smpp_pdu_decode(buf_view(&s.octets), &pdu, &fault));
			for (size_t n = most; n <= most + 2; n++) {
				smpp_pdu_set_text(&pdu, r->field, view_of(letters, n));
				buf_clear(&to);
				assert_int_equal(smpp_pdu_encode(&pdu, &to, &fault), n == most);
				if (n > most)
					assert_int_equal(fault.status, smpp_field_fault(r->field));
				assert_int_equal(to.n > 0, n == most);
			}
		}
	}
	buf_free(&to);
}

/* A receipt's copies: the err: of 16 octets, the id of 65 that a UCS-2 text carries, with one less and some more. The
 * receipt and the text stand in memory of their exact size. */
static void parse_receipt(size_t id_n, size_t err_n, bool wide)
{
	struct buf text = BUF(1 << 10);
	buf_add_str(&text, "id:");
	add_fill(&text, '7', id_n);
	buf_add_str(&text, " stat:DELIVRD err:");
	add_fill(&text, '8', err_n);
	uint8_t *p = malloc(text.n * 2);
	struct smpp_receipt *r = malloc(sizeof *r);
	assert_true(p && r);
	for (size_t i = 0; i < text.n; i++) {
		p[wide ? 2 * i : i] = wide ? 0 : text.p[i];
		if (wide)
			p[2 * i + 1] = text.p[i];
	}
	uint8_t *octets = realloc(p, wide ? text.n * 2 : text.n);
	assert_non_null(octets);
	struct smpp_pdu pdu;
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 4);
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, wide ? 8 : 0);
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_of(octets, wide ? text.n * 2 : text.n));
	assert_true(smpp_receipt_parse(&pdu, r));
	assert_int_equal(r->id.n, id_n <= 65 ? id_n : 0);
	assert_int_equal(strlen(r->error), err_n <= 16 ? err_n : 16);
	free(octets);
	free(r);
	buf_free(&text);
}

static void receipts_copy_within_bounds(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		for (size_t n = 0; n <= 20; n++)
			parse_receipt(10, n, wide);
		for (size_t n = 60; n <= 70; n++)
			parse_receipt(n, 3, wide);
	}
}

static void candidates_copy_within_bounds(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 70; n++) {
		char(*to)[66] = malloc(LIMIT_RECEIPT_CANDIDATES * sizeof *to);
		uint8_t *id = malloc(n ? n : 1);
		assert_true(to && id);
		memset(id, 'F', n ? n : 1);
		unsigned found = smpp_receipt_candidates(view_of(id, n), to);
		assert_int_equal(found > 0, n >= 1 && n <= 65);
		if (found)
			assert_int_equal(strlen(to[0]), n);
		free(id);
		free(to);
	}
}

static int free_arena(void **state)
{
	(void)state;
	buf_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_body_parser_stops_at_every_end),
	        cmocka_unit_test(an_error_answer_keeps_nothing_of_a_cut_body),
	        cmocka_unit_test(sm_length_and_the_counts_are_not_believed),
	        cmocka_unit_test(command_length_is_not_believed),
	        cmocka_unit_test(tlv_lengths_are_not_believed),
	        cmocka_unit_test(no_text_is_read_past_its_width),
	        cmocka_unit_test(no_entry_is_read_past_its_width),
	        cmocka_unit_test(nothing_is_written_past_the_ceiling),
	        cmocka_unit_test(no_text_is_written_past_its_width),
	        cmocka_unit_test(receipts_copy_within_bounds),
	        cmocka_unit_test(candidates_copy_within_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, free_arena);
}
