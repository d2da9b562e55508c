/* Text and SMPP together: what is encoded, split and written comes back from what is read and joined, in any order and
 * with parts that came twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_utf8.h"
#include "seeded.h"
#include "smpp_concat.h"
#include "smpp_split.h"
#include "text_alphabet.h"

#include <string.h>

/* How a text travels on a link. */
struct wire {
	enum text_alphabet alphabet;
	uint8_t data_coding;
	enum smpp_unit unit;
};

static struct wire random_wire(void)
{
	static const struct wire wires[] = {{ALPHABET_GSM7, 0, SMPP_UNIT_SEPTET},
	                                    {ALPHABET_GSM7_PACKED, 0, SMPP_UNIT_PACKED},
	                                    {ALPHABET_LATIN1, 0, SMPP_UNIT_OCTET},
	                                    {ALPHABET_ASCII, 0, SMPP_UNIT_OCTET},
	                                    {ALPHABET_GSM7, 8, SMPP_UNIT_UCS2}};
	return wires[seeded_next() % (sizeof(wires) / sizeof(*wires))];
}

static uint32_t random_character(const struct wire *w)
{
	static const uint32_t escaped[] = {0x20ac, '{', '}', '[', ']', '~', '^', '|', '\\'};
	static const uint32_t any[] = {0x1f44d, 0x436, 'a', 0x20ac, '@'};
	if (w->unit == SMPP_UNIT_UCS2)
		return any[seeded_next() % 5];
	if (w->alphabet == ALPHABET_LATIN1 && seeded_next() % 4 == 0)
		return (uint32_t)seeded_between(0xa1, 0xff);
	if (w->unit == SMPP_UNIT_OCTET)
		return (uint32_t)seeded_between(' ', '~');
	return seeded_next() % 4 ? (uint32_t)seeded_between('?', 'Z') : escaped[seeded_next() % 9];
}

static void random_text(const struct wire *w, struct buf *text)
{
	for (int64_t n = seeded_between(0, 400); n > 0; n--)
		utf8_add(text, random_character(w));
}

static void encode(const struct wire *w, struct view text, struct buf *to)
{
	uint32_t stranger;
	if (w->unit == SMPP_UNIT_UCS2)
		assert_true(text_ucs2_encode(text, to));
	else if (w->unit == SMPP_UNIT_PACKED)
		assert_true(text_gsm7_encode(text, to));
	else
		assert_true(text_encode(w->alphabet, text, to, &stranger));
}

/* One text on its way: PDUs written, encoded and decoded again, and gathered by part. */
struct journey {
	struct wire wire;
	struct buf octets[LIMIT_PARTS_OUT];
	struct smpp_pdu pdu[LIMIT_PARTS_OUT];
	struct text_part part[LIMIT_PARTS_OUT];
	unsigned total;
};

static void write_all(struct journey *j, const struct smpp_split *s)
{
	for (unsigned i = 0; i < s->parts; i++) {
		struct smpp_split_octets octets;
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		smpp_pdu_init(&pdu, seeded_next() % 2 ? SMPP_submit_sm : SMPP_deliver_sm, i + 1);
		smpp_pdu_set_number(&pdu, SMPP_F_data_coding, j->wire.data_coding);
		assert_true(smpp_split_write(s, i, &octets, &pdu));
		j->octets[i] = BUF(LIMIT_PDU_BYTES);
		assert_true(smpp_pdu_encode(&pdu, &j->octets[i], &fault));
		assert_true(smpp_pdu_decode(buf_view(&j->octets[i]), &j->pdu[i], &fault));
	}
	j->total = s->parts;
}

static void take_part(struct journey *j, const struct smpp_pdu *pdu, uint16_t reference)
{
	struct smpp_concat c;
	smpp_concat_read(pdu, &c);
	unsigned at = c.kind == SMPP_CONCAT_NONE ? 0 : c.part - 1u;
	assert_false(c.odd);
	assert_int_equal(c.kind == SMPP_CONCAT_NONE ? 1 : c.total, j->total);
	if (c.kind == SMPP_CONCAT_UDH16)
		assert_int_equal(c.reference, reference);
	else if (c.kind != SMPP_CONCAT_NONE)
		assert_int_equal(c.reference, reference & 0xff);
	j->part[at] = (struct text_part){.coding = {.data_coding = j->wire.data_coding,
	                                            .alphabet = j->wire.alphabet,
	                                            .header_octets = (uint8_t)c.header.n},
	                                 .octets = c.text};
}

/* Each part at least once, some twice, in any order. */
static void take_shuffled(struct journey *j, uint16_t reference)
{
	unsigned left = j->total;
	bool seen[LIMIT_PARTS_OUT] = {false};
	while (left) {
		unsigned i = (unsigned)(seeded_next() % j->total);
		take_part(j, &j->pdu[i], reference);
		left -= !seen[i];
		seen[i] = true;
	}
}

static void assert_came_back(const struct journey *j, const struct buf *text)
{
	struct buf back = BUF(1 << 16);
	assert_true(text_join(j->part, j->total, &back));
	bool added = j->wire.unit == SMPP_UNIT_PACKED && back.n == text->n + 1 && back.p[text->n] == '\r';
	assert_int_equal(back.n, text->n + added);
	assert_true(text->n == 0 || memcmp(back.p, text->p, text->n) == 0);
	buf_free(&back);
}

static void trap_39_what_is_split_joins_again(void **state)
{
	(void)state;
	seeded_start("trap_39_what_is_split_joins_again");
	unsigned split = 0;
	for (int round = 0; round < 3000; round++) {
		struct journey *j = calloc(1, sizeof(*j));
		struct buf text = BUF(1 << 14), encoded = BUF(1 << 14);
		struct smpp_split s;
		uint16_t reference = (uint16_t)seeded_next();
		enum smpp_split_way way = (enum smpp_split_way)(seeded_next() % SMPP_SPLIT_COUNT);
		assert_non_null(j);
		j->wire = random_wire();
		random_text(&j->wire, &text);
		encode(&j->wire, buf_view(&text), &encoded);
		if (smpp_split_plan(&s, way, j->wire.unit, buf_view(&encoded), reference)) {
			write_all(j, &s);
			take_shuffled(j, reference);
			assert_came_back(j, &text);
			split += s.parts > 1;
		}
		for (unsigned i = 0; i < j->total; i++)
			buf_free(&j->octets[i]);
		buf_free(&text);
		buf_free(&encoded);
		free(j);
	}
	assert_true(split > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(trap_39_what_is_split_joins_again)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
