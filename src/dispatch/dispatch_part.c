/* Texts in several parts (trap 39). Parts come in any order, twice, over several binds and to several gateways, so they
 * wait in PostgreSQL, under the recipient's lock; each is answered after its own commit. Which text a part belongs to
 * is decided in part_store.sql, since references repeat. Whoever commits the last part joins and delivers the text;
 * whoever first sees that the rest does not come delivers it as incomplete. */
#include "dispatch_inbound.h"

#include <stdlib.h>

/* A text is known, so that its parts are not taken for new ones, for as long again as it waited. */
#define KNOWN_WAITS 2

void inbound_add_hex(struct store_params *ps, struct view octets)
{
	char *hex = mem_alloc(2 * octets.n + 1);
	hex_encode(octets.p, octets.n, hex);
	store_value_str(ps, hex);
	free(hex);
}

static void store_params(const struct inbound *m, int64_t wait_ms, struct store_params *ps)
{
	store_value_uuid(ps, &m->own_id);
	store_value_str(ps, m->carrier);
	store_value_str(ps, m->phone);
	store_value_str(ps, m->sender);
	store_value_str(ps, smpp_concat_name(m->concat.kind));
	store_value_int(ps, STORE_INT4, m->concat.reference);
	store_value_int(ps, STORE_INT4, m->concat.total);
	store_value_int(ps, STORE_INT4, m->concat.part);
	inbound_add_hex(ps, m->part.octets);
	store_value_int(ps, STORE_INT4, m->part.coding.data_coding);
	store_value_int(ps, STORE_INT4, m->part.coding.shift.locking);
	store_value_int(ps, STORE_INT4, m->part.coding.shift.single);
	store_value_int(ps, STORE_INT4, m->part.coding.header_octets);
	store_value_time(ps, m->at_us);
	store_value_time(ps, m->at_us - KNOWN_WAITS * wait_ms * 1000);
}

void inbound_part_params(const struct inbound *m, int64_t wait_ms, struct store_params *ps)
{
	store_params_clear(ps);
	store_value_uuid(ps, &m->practice_id);
	if (m->kind == INBOUND_PART) {
		store_params(m, wait_ms, ps);
	} else {
		store_value_uuid(ps, &m->own_id);
		store_value_time(ps, m->at_us - wait_ms * 1000);
	}
}

/* --- what the database has -----------------------------------------------------------------------------------------
 */

static struct view octets_of(struct pool *pool, struct view hex)
{
	uint8_t *octets = pool_alloc(pool, hex.n / 2 + 1);
	return view_of(octets, hex_decode(hex, octets, hex.n / 2) ? hex.n / 2 : 0);
}

static void add_row(struct inbound_parts *p, enum text_alphabet alphabet, const struct store_rows *rows, unsigned row)
{
	int64_t number = store_rows_int(rows, row, 3);
	if (store_rows_null(rows, row, 3) || number < 1 || number > p->total)
		return;
	struct text_part *part = &p->part[number - 1];
	part->octets = octets_of(&p->octets, store_rows_text(rows, row, 4));
	part->coding = (struct text_coding){
	        .data_coding = (uint8_t)store_rows_int(rows, row, 5),
	        .alphabet = alphabet,
	        .shift = {(uint8_t)store_rows_int(rows, row, 6), (uint8_t)store_rows_int(rows, row, 7)},
	        .header_octets = (uint8_t)store_rows_int(rows, row, 8)};
	p->there += part->missing;
	part->missing = false;
}

static struct inbound_parts *parts_new(unsigned total)
{
	struct inbound_parts *p = mem_alloc(sizeof(*p));
	p->total = total;
	for (unsigned i = 0; i < total; i++)
		p->part[i].missing = true;
	return p;
}

void inbound_parts_free(struct inbound_parts *p)
{
	if (p)
		pool_free(&p->octets);
	free(p);
}

static void add_own(struct inbound *m)
{
	struct text_part *part = &m->parts->part[m->concat.part - 1];
	m->parts->there += part->missing;
	*part = m->part;
}

void inbound_part_rows(struct inbound *m, enum text_alphabet alphabet, const struct store_rows *rows)
{
	m->fate = INBOUND_REPEATED; /* of an EXPIRED one without rows: somebody else had it */
	if (store_rows_count(rows) == 0)
		return;
	m->id = store_rows_uuid(rows, 0, 0);
	m->stopped = store_rows_bool(rows, 0, 1);
	if (store_rows_bool(rows, 0, 2))
		return;
	inbound_parts_free(m->parts);
	m->parts = parts_new(m->concat.total);
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		add_row(m->parts, alphabet, rows, i);
	if (m->kind == INBOUND_PART)
		add_own(m);
	m->fate = m->kind == INBOUND_EXPIRED || m->parts->there == m->parts->total ? INBOUND_KEEP : INBOUND_WAITS;
}

/* --- the text ------------------------------------------------------------------------------------------------------
 */

void inbound_part_join(struct inbound *m)
{
	buf_clear(&m->body);
	m->clean = text_join(m->parts->part, m->parts->total, &m->body);
}

void inbound_part_missing(const struct inbound *m, struct buf *to)
{
	unsigned written = 0;
	buf_add_u8(to, '{');
	for (unsigned i = 0; m->parts && i < m->parts->total; i++)
		if (m->parts->part[i].missing)
			buf_printf(to, "%s%u", written++ ? "," : "", i + 1);
	buf_add_u8(to, '}');
}

void inbound_part_octets(const struct inbound *m, struct buf *to)
{
	for (unsigned i = 0; i < m->parts->total; i++)
		if (!m->parts->part[i].missing)
			buf_add_view(to, m->parts->part[i].octets);
}
