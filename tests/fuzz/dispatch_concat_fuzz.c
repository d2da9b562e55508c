/* Reassembly: a stream of PDUs by command_length, in whatever order, is read; parts of a key are gathered, the first of
 * each number counts, and what is gathered is joined. Everything lies inside its PDU, and text comes out. */
#include "base_check.h"
#include "base_utf8.h"
#include "smpp_concat.h"
#include "text_alphabet.h"

#include <string.h>

#define TEXTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text whose parts come in. */
struct gathered {
	enum smpp_concat_kind kind;
	uint16_t reference;
	unsigned total;
	unsigned there;
	struct text_part part[UINT8_MAX];
};

static void check_inside(struct view outer, struct view inner)
{
	check(inner.n == 0 || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n));
}

static void check_concat(struct view octets, const struct smpp_concat *c)
{
	check_inside(octets, c->data);
	check_inside(c->data, c->header);
	check_inside(c->data, c->text);
	check(c->header.n + c->text.n == c->data.n);
	check(c->kind == SMPP_CONCAT_NONE || (c->total >= 2 && c->part >= 1 && c->part <= c->total));
	check(c->kind == SMPP_CONCAT_NONE || c->text.n <= LIMIT_PART_BYTES);
}

static void join(const struct gathered *g)
{
	struct buf text = BUF(1 << 20);
	text_join(g->part, g->total, &text);
	check(!text.full && utf8_valid(buf_view(&text)) && (text.n == 0 || !memchr(text.p, 0, text.n)));
	buf_free(&text);
}

static struct gathered *find(struct gathered *all, const struct smpp_concat *c)
{
	struct gathered *oldest = &all[c->reference % TEXTS];
	for (unsigned i = 0; i < TEXTS; i++)
		if (all[i].total == c->total && all[i].kind == c->kind && all[i].reference == c->reference)
			return &all[i];
	*oldest = (struct gathered){.kind = c->kind, .reference = c->reference, .total = c->total};
	for (unsigned i = 0; i < oldest->total; i++)
		oldest->part[i].missing = true;
	return oldest;
}

static void gather(struct gathered *all, const struct smpp_concat *c, uint8_t data_coding, uint8_t alphabet)
{
	struct gathered *g = find(all, c);
	struct text_part *part = &g->part[c->part - 1];
	if (!part->missing)
		return;
	*part = (struct text_part){.coding = {.data_coding = data_coding,
	                                      .alphabet = (enum text_alphabet)(alphabet % ALPHABET_COUNT),
	                                      .shift = {c->locking, c->single},
	                                      .header_octets = (uint8_t)c->header.n},
	                           .octets = c->text};
	g->there++;
	join(g);
	if (g->there == g->total)
		g->total = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gathered all[TEXTS];
	uint8_t alphabet = size ? data[0] : 0;
	struct view rest = view_of(data + (size > 0), size - (size > 0));
	memset(all, 0, sizeof(all));
	for (unsigned pdus = 0; pdus < 64; pdus++) {
		uint32_t n = smpp_frame_length(rest);
		if (n == 0 || n == UINT32_MAX || n > rest.n)
			break;
		struct view octets = view_of(rest.p, n);
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		struct smpp_concat c;
		rest = view_of(rest.p + n, rest.n - n);
		if (!smpp_pdu_decode(octets, &pdu, &fault))
			continue;
		smpp_concat_read(&pdu, &c);
		check_concat(octets, &c);
		if (c.kind != SMPP_CONCAT_NONE)
			gather(all, &c, (uint8_t)pdu.field[SMPP_F_data_coding].number, alphabet);
	}
	return 0;
}
