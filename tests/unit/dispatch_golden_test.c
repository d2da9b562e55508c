/* Golden page: tests/golden/text/split.md holds texts and the PDUs that carry them, side by side. Read back they are
 * the same texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smpp_concat.h"
#include "smpp_split.h"
#include "text_alphabet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE TEST_SOURCE_DIR "/tests/golden/text/split.md"
#define LINE_BYTES 8192

struct example {
	char title[200];
	enum smpp_split_way way;
	enum text_alphabet alphabet;
	bool ucs2;
	uint16_t reference;
	struct buf text;
	struct buf hex; /* as on the page, a PDU a line */
};

static unsigned examples;

static enum smpp_unit unit_of(const struct example *e)
{
	if (e->ucs2)
		return SMPP_UNIT_UCS2;
	return e->alphabet == ALPHABET_GSM7          ? SMPP_UNIT_SEPTET
	       : e->alphabet == ALPHABET_GSM7_PACKED ? SMPP_UNIT_PACKED
	                                             : SMPP_UNIT_OCTET;
}

static void encode(const struct example *e, struct buf *to)
{
	uint32_t stranger;
	if (e->ucs2)
		assert_true(text_ucs2_encode(buf_view(&e->text), to));
	else if (e->alphabet == ALPHABET_GSM7_PACKED)
		assert_true(text_gsm7_encode(buf_view(&e->text), to));
	else
		assert_true(text_encode(e->alphabet, buf_view(&e->text), to, &stranger));
}

static void write_pdu(const struct example *e, const struct smpp_split *s, unsigned n, struct buf *wire)
{
	struct smpp_split_octets octets;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, SMPP_submit_sm, n + 1);
	smpp_pdu_set_text(&pdu, SMPP_F_source_addr, VIEW("12125550100"));
	smpp_pdu_set_text(&pdu, SMPP_F_destination_addr, VIEW("12125550101"));
	smpp_pdu_set_number(&pdu, SMPP_F_source_addr_ton, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_source_addr_npi, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_dest_addr_ton, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_dest_addr_npi, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, e->ucs2 ? 8 : 0);
	assert_true(smpp_split_write(s, n, &octets, &pdu));
	assert_true(smpp_pdu_encode(&pdu, wire, &fault));
}

static void add_hex(struct buf *to, const struct buf *wire)
{
	char *hex = malloc(2 * wire->n + 1);
	assert_non_null(hex);
	hex_encode(wire->p, wire->n, hex);
	buf_printf(to, "%s\n", hex);
	free(hex);
}

/* What the PDUs say when they are read. */
static void assert_reads_back(const struct example *e, struct buf *wire, unsigned parts)
{
	struct text_part part[LIMIT_PARTS_OUT];
	struct smpp_pdu pdu[LIMIT_PARTS_OUT];
	struct buf back = BUF(LINE_BYTES);
	for (unsigned i = 0; i < parts; i++) {
		struct smpp_fault fault;
		struct smpp_concat c;
		assert_true(smpp_pdu_decode(buf_view(&wire[i]), &pdu[i], &fault));
		smpp_concat_read(&pdu[i], &c);
		assert_int_equal(c.kind == SMPP_CONCAT_NONE, parts == 1);
		part[i] = (struct text_part){.coding = {.data_coding = e->ucs2 ? 8 : 0,
		                                        .alphabet = e->alphabet,
		                                        .header_octets = (uint8_t)c.header.n},
		                             .octets = c.text};
	}
	assert_true(text_join(part, parts, &back));
	assert_string_equal(buf_cstr(&back), buf_cstr((struct buf *)&e->text));
	buf_free(&back);
}

static void check_example(struct example *e)
{
	struct buf encoded = BUF(LINE_BYTES), hex = BUF(1 << 16);
	struct buf wire[LIMIT_PARTS_OUT];
	struct smpp_split s;
	encode(e, &encoded);
	assert_true(smpp_split_plan(&s, e->way, unit_of(e), buf_view(&encoded), e->reference));
	for (unsigned i = 0; i < s.parts; i++) {
		wire[i] = BUF(LIMIT_PDU_BYTES);
		write_pdu(e, &s, i, &wire[i]);
		add_hex(&hex, &wire[i]);
	}
	if (!view_eq(buf_view(&hex), buf_view(&e->hex)))
		fail_msg("%s:\n%s", e->title, buf_cstr(&hex));
	assert_reads_back(e, wire, s.parts);
	for (unsigned i = 0; i < s.parts; i++)
		buf_free(&wire[i]);
	buf_free(&encoded);
	buf_free(&hex);
	examples++;
}

static void read_head(struct example *e, const char *line)
{
	char way[16], alphabet[16], reference[8];
	assert_int_equal(sscanf(line, "```text %15s %15s %7s", way, alphabet, reference), 3);
	assert_true(smpp_split_find(view_str(way), &e->way));
	e->ucs2 = strcmp(alphabet, "ucs2") == 0;
	e->alphabet = ALPHABET_GSM7;
	if (!e->ucs2)
		assert_true(text_alphabet_find(view_str(alphabet), &e->alphabet));
	e->reference = (uint16_t)strtoul(reference, NULL, 16);
	buf_clear(&e->text);
	buf_clear(&e->hex);
}

/* Where the next line's octets go; NULL for prose. */
static struct buf *take_line(struct example *e, struct buf *in, char *line)
{
	if (strncmp(line, "```", 3) == 0) {
		if (in == &e->hex)
			check_example(e);
		if (strncmp(line, "```text", 7) == 0)
			read_head(e, line);
		return strncmp(line, "```text", 7) == 0 ? &e->text : strncmp(line, "```hex", 6) == 0 ? &e->hex : NULL;
	}
	if (!in && strncmp(line, "## ", 3) == 0)
		copy_str(e->title, sizeof(e->title), line + 3);
	if (in == &e->text)
		line[strcspn(line, "\n")] = 0;
	if (in)
		buf_add_str(in, line);
	return in;
}

static void texts_are_split_as_written(void **state)
{
	(void)state;
	static char line[LINE_BYTES];
	struct example e = {.text = BUF(LINE_BYTES), .hex = BUF(1 << 16)};
	struct buf *in = NULL;
	FILE *page = fopen(PAGE, "r");
	assert_non_null(page);
	while (fgets(line, sizeof(line), page))
		in = take_line(&e, in, line);
	fclose(page);
	buf_free(&e.text);
	buf_free(&e.hex);
	assert_null(in);
	assert_int_equal(examples, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_split_as_written)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
