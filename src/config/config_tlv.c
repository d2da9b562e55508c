#include "config_tlv.h"

#include <string.h>

struct item {
	struct view tag;
	struct view kind;
	struct view value;
};

static struct view until(struct view text, char end)
{
	const uint8_t *p = text.n ? memchr(text.p, end, text.n) : NULL;
	return p ? view_of(text.p, (size_t)(p - text.p)) : text;
}

static struct view after(struct view text, struct view head)
{
	size_t n = head.n < text.n ? head.n + 1 : text.n;
	return view_of(text.p + n, text.n - n);
}

static bool parse_tag(struct view text, uint16_t *tag_r)
{
	uint8_t two[2];
	uint64_t value;
	if (text.n == 6 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x' &&
	    hex_decode(view_of(text.p + 2, 4), two, sizeof(two))) {
		*tag_r = (uint16_t)(two[0] << 8 | two[1]);
		return *tag_r > 0;
	}
	if (!parse_u64(text, UINT16_MAX, &value))
		return false;
	*tag_r = (uint16_t)value;
	return *tag_r > 0;
}

/* What the gateway writes itself or only ever reads: SMPP 5.0 4.8.4. */
static bool is_ours(uint16_t tag)
{
	static const uint16_t ours[] = {0x001e, 0x0204, 0x020c, 0x020e, 0x020f, 0x0210, 0x0424, 0x0425, 0x0427, 0x0428};
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i] == tag)
			return true;
	return false;
}

static uint8_t *room(struct config_tlvs *to, size_t n)
{
	return n <= sizeof(to->octets) - to->used ? to->octets + to->used : NULL;
}

static const char *add_octets(struct config_tlvs *to, struct view value, size_t zeros, size_t *n_r)
{
	uint8_t *at = room(to, value.n + zeros);
	if (!at)
		return "the values are too long together";
	if (value.n)
		memcpy(at, value.p, value.n);
	memset(at + value.n, 0, zeros);
	*n_r = value.n + zeros;
	return NULL;
}

static const char *add_hex(struct config_tlvs *to, struct view value, size_t *n_r)
{
	uint8_t *at = room(to, value.n / 2);
	if (!at)
		return "the values are too long together";
	if (value.n % 2 || !hex_decode(value, at, value.n / 2))
		return "not pairs of hexadecimal digits";
	*n_r = value.n / 2;
	return NULL;
}

static const char *add_number(struct config_tlvs *to, struct view value, unsigned bytes, size_t *n_r)
{
	uint64_t number;
	uint8_t *at = room(to, bytes);
	if (!at)
		return "the values are too long together";
	if (!parse_u64(value, (UINT64_C(1) << 8 * bytes) - 1, &number))
		return "not a whole number that fits";
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
	*n_r = bytes;
	return NULL;
}

static const char *add_value(struct config_tlvs *to, const struct item *item, size_t *n_r)
{
	if (view_eq(item->kind, VIEW("text")))
		return add_octets(to, item->value, 0, n_r);
	if (view_eq(item->kind, VIEW("cstring")))
		return add_octets(to, item->value, 1, n_r);
	if (view_eq(item->kind, VIEW("hex")))
		return add_hex(to, item->value, n_r);
	if (view_eq(item->kind, VIEW("u8")))
		return add_number(to, item->value, 1, n_r);
	if (view_eq(item->kind, VIEW("u16")))
		return add_number(to, item->value, 2, n_r);
	return add_number(to, item->value, 4, n_r);
}

static bool is_kind(struct view kind)
{
	static const char *const kinds[] = {"text", "cstring", "hex", "u8", "u16", "u32"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (view_eq(kind, view_str(kinds[i])))
			return true;
	return false;
}

static const char *check_tag(const struct config_tlvs *to, uint16_t tag)
{
	if (is_ours(tag))
		return "a tag that the gateway sets itself";
	for (unsigned i = 0; i < to->count; i++)
		if (to->row[i].tag == tag)
			return "a tag given twice";
	return to->count == LIMIT_CARRIER_TLVS ? "too many TLVs" : NULL;
}

static const char *add_item(struct config_tlvs *to, struct view text, const uint8_t **at_r)
{
	struct item item = {.tag = until(text, '=')};
	struct view rest = after(text, item.tag);
	uint16_t tag;
	size_t n = 0;
	item.kind = until(rest, ':');
	item.value = after(rest, item.kind);
	*at_r = text.p;
	if (!parse_tag(item.tag, &tag))
		return "not a tag like 0x1400 or 5120";
	const char *problem = check_tag(to, tag);
	if (problem)
		return problem;
	*at_r = rest.p;
	if (!is_kind(item.kind) || item.kind.n == rest.n)
		return "neither text:, cstring:, hex:, u8:, u16: nor u32:";
	*at_r = item.value.p;
	problem = add_value(to, &item, &n);
	if (problem)
		return problem;
	to->row[to->count++] = (struct config_tlv){tag, view_of(to->octets + to->used, n)};
	to->used += n;
	return NULL;
}

const char *config_tlvs_parse(struct view text, struct config_tlvs *to, size_t *at_r)
{
	struct view rest = text;
	to->count = 0;
	to->used = 0;
	while (rest.n) {
		struct view item = until(rest, ' ');
		const uint8_t *at = item.p;
		const char *problem = item.n ? add_item(to, item, &at) : NULL;
		if (problem) {
			*at_r = (size_t)(at - text.p);
			return problem;
		}
		rest = after(rest, item);
	}
	return NULL;
}
