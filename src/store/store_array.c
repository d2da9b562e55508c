#include "store_array.h"

#include "base_check.h"
#include "base_limits.h"

#include <string.h>

/* Binary array: number of dimensions, flags, element type, then for the one dimension its length and lower bound. */
#define ARRAY_HEAD_BYTES 20u
#define POSTGRES_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */

static const uint32_t element_oid[] = {
        [STORE_TEXT] = 25, [STORE_UUID] = 2950, [STORE_INT4] = 23,  [STORE_INT8] = 20,
        [STORE_BOOL] = 16, [STORE_TIME] = 1184, [STORE_BYTEA] = 17,
};

void store_params_free(struct store_params *ps)
{
	for (unsigned i = 0; i < STORE_PARAMS_MAX; i++)
		buf_free(&ps->p[i].octets);
	ps->count = 0;
}

void store_params_clear(struct store_params *ps)
{
	ps->count = 0;
}

static struct store_param *next_param(struct store_params *ps, enum store_type type, bool array)
{
	check(ps->count < STORE_PARAMS_MAX);
	struct store_param *p = &ps->p[ps->count++];
	p->type = type;
	p->array = array;
	p->null = false;
	p->count = 0;
	p->has_null = false;
	p->octets.max = LIMIT_ARRAY_BYTES;
	buf_clear(&p->octets);
	return p;
}

unsigned store_array(struct store_params *ps, enum store_type type)
{
	static const uint8_t head[ARRAY_HEAD_BYTES];
	struct store_param *p = next_param(ps, type, true);
	buf_add(&p->octets, head, sizeof(head));
	return ps->count - 1;
}

static struct buf *element(struct store_params *ps, unsigned i, uint32_t length)
{
	struct store_param *p = &ps->p[i];
	check(i < ps->count && p->array);
	p->count++;
	buf_add_u32(&p->octets, length);
	return &p->octets;
}

void store_add_null(struct store_params *ps, unsigned i)
{
	element(ps, i, UINT32_MAX);
	ps->p[i].has_null = true;
}

void store_add_text(struct store_params *ps, unsigned i, struct view v)
{
	buf_add_view(element(ps, i, (uint32_t)v.n), v);
}

void store_add_str(struct store_params *ps, unsigned i, const char *text)
{
	if (text)
		store_add_text(ps, i, view_str(text));
	else
		store_add_null(ps, i);
}

void store_add_uuid(struct store_params *ps, unsigned i, const struct uuid *id)
{
	buf_add(element(ps, i, sizeof(id->b)), id->b, sizeof(id->b));
}

static void add_int(struct buf *b, enum store_type type, int64_t v)
{
	if (type == STORE_BOOL)
		buf_add_u8(b, v != 0);
	else if (type == STORE_INT4)
		buf_add_u32(b, (uint32_t)v);
	else
		buf_add_u64(b, (uint64_t)v);
}

static uint32_t int_bytes(enum store_type type)
{
	return type == STORE_BOOL ? 1 : type == STORE_INT4 ? 4 : 8;
}

void store_add_int(struct store_params *ps, unsigned i, int64_t v)
{
	enum store_type type = ps->p[i].type;
	add_int(element(ps, i, int_bytes(type)), type, v);
}

void store_add_time(struct store_params *ps, unsigned i, int64_t wall_us)
{
	/* PostgreSQL's infinity is the same number. */
	buf_add_u64(element(ps, i, 8),
	            wall_us == STORE_TIME_NEVER ? (uint64_t)wall_us : (uint64_t)(wall_us - POSTGRES_EPOCH_US));
}

void store_add_bytes(struct store_params *ps, unsigned i, struct view v)
{
	store_add_text(ps, i, v);
}

void store_value_null(struct store_params *ps)
{
	next_param(ps, STORE_TEXT, false)->null = true;
}

void store_value_text(struct store_params *ps, struct view v)
{
	buf_add_view(&next_param(ps, STORE_TEXT, false)->octets, v);
}

void store_value_str(struct store_params *ps, const char *text)
{
	if (text)
		store_value_text(ps, view_str(text));
	else
		store_value_null(ps);
}

void store_value_uuid(struct store_params *ps, const struct uuid *id)
{
	buf_add(&next_param(ps, STORE_UUID, false)->octets, id->b, sizeof(id->b));
}

void store_value_int(struct store_params *ps, enum store_type type, int64_t v)
{
	add_int(&next_param(ps, type, false)->octets, type, v);
}

void store_value_time(struct store_params *ps, int64_t wall_us)
{
	buf_add_u64(&next_param(ps, STORE_TIME, false)->octets, (uint64_t)(wall_us - POSTGRES_EPOCH_US));
}

void store_value_bytes(struct store_params *ps, struct view v)
{
	buf_add_view(&next_param(ps, STORE_BYTEA, false)->octets, v);
}

static void put_u32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

const char *store_param_octets(struct store_param *p, int *length_r)
{
	if (p->null)
		return NULL;
	check(!p->octets.full); /* batches are bounded so that this holds */
	if (p->array) {
		uint8_t *head = p->octets.p;
		put_u32(head, p->count ? 1 : 0);
		put_u32(head + 4, p->has_null);
		put_u32(head + 8, element_oid[p->type]);
		put_u32(head + 12, p->count);
		put_u32(head + 16, 1);
	}
	*length_r = (int)(p->array && p->count == 0 ? 12 : p->octets.n);
	return buf_cstr(&p->octets);
}
