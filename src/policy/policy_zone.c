#include "policy_zone.h"

#include "base_check.h"
#include "base_pool.h"
#include "policy_zone_rule.h"

#include <stdlib.h>

#define TYPES_MAX 256 /* a type's number is one octet */
/* Files of the slim kind leave everything since 2007 or so to their rule. A table is many times faster to look into
 * than a rule is to work out, and every decision asks: so the rule's changes up to here become part of the table. */
#define RULED_MAX 256
#define RULED_UNTIL_S INT64_C(4102444800) /* 2100-01-01 */

struct zone {
	char name[LIMIT_ZONE_NAME_BYTES];
	int32_t before_s; /* offset before the first transition */
	bool ruled;       /* rule holds from the last transition on */
	struct zone_rule rule;
	size_t count;
	int64_t *at_s;     /* transitions, ascending */
	int32_t *offset_s; /* after each */
};

/* --- reading --------------------------------------------------------------------------------------------------- */

/* RFC 9636 3.1 */
struct header {
	uint8_t version;
	uint32_t isut;
	uint32_t isstd;
	uint32_t leap;
	uint32_t time;
	uint32_t type;
	uint32_t chars;
};

static bool read_header(struct cursor *c, struct header *h)
{
	bool magic = view_eq(cursor_take(c, 4), VIEW("TZif"));
	h->version = cursor_u8(c);
	cursor_take(c, 15);
	h->isut = cursor_u32(c);
	h->isstd = cursor_u32(c);
	h->leap = cursor_u32(c);
	h->time = cursor_u32(c);
	h->type = cursor_u32(c);
	h->chars = cursor_u32(c);
	return magic && !c->bad && (h->version == 0 || h->version >= '2');
}

/* Passes over the first block, which repeats with 32 bits what the second says with 64. */
static void skip_block(struct cursor *c, const struct header *h)
{
	const uint64_t counts[] = {h->time, h->type, h->chars, h->leap, h->isstd, h->isut};
	static const uint64_t octets[] = {4 + 1, 6, 1, 4 + 4, 1, 1};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		cursor_take(c, counts[i] * octets[i]);
}

static const char *header_fault(const struct header *h)
{
	if (h->leap)
		return "counts leap seconds";
	if (h->time > LIMIT_ZONE_TRANSITIONS)
		return "too many transitions";
	if (h->type == 0 || h->type > TYPES_MAX || h->chars == 0)
		return "no local time types";
	if ((h->isut && h->isut != h->type) || (h->isstd && h->isstd != h->type))
		return "indicators do not match the types";
	return NULL;
}

static const char *read_types(struct cursor *c, const struct header *h, int32_t offset_s[TYPES_MAX])
{
	for (uint32_t i = 0; i < h->type; i++) {
		offset_s[i] = (int32_t)cursor_u32(c);
		uint8_t daylight = cursor_u8(c);
		uint8_t name_at = cursor_u8(c);
		if (offset_s[i] < -ZONE_OFFSET_MAX_S || offset_s[i] > ZONE_OFFSET_MAX_S)
			return "an offset of more than a day";
		if (daylight > 1 || name_at >= h->chars)
			return "a local time type is broken";
	}
	return c->bad ? "cut short" : NULL;
}

/* Fills the transitions of one data block. */
static const char *read_block(struct cursor *c, const struct header *h, bool wide, struct zone *z)
{
	const char *fault = header_fault(h);
	if (fault)
		return fault;
	z->count = h->time;
	z->at_s = mem_alloc((z->count + RULED_MAX) * sizeof(*z->at_s));
	z->offset_s = mem_alloc((z->count + RULED_MAX) * sizeof(*z->offset_s));
	for (size_t i = 0; i < z->count; i++) {
		z->at_s[i] = wide ? (int64_t)cursor_u64(c) : (int32_t)cursor_u32(c);
		if (!c->bad && i && z->at_s[i] <= z->at_s[i - 1])
			return "transitions are not ascending";
	}
	struct view numbers = cursor_take(c, z->count);
	int32_t offset_s[TYPES_MAX];
	fault = read_types(c, h, offset_s);
	if (fault)
		return fault;
	for (size_t i = 0; i < z->count; i++) {
		if (numbers.p[i] >= h->type)
			return "a transition names no type";
		z->offset_s[i] = offset_s[numbers.p[i]];
	}
	z->before_s = offset_s[0];
	cursor_take(c, h->chars + h->isstd + h->isut);
	return c->bad ? "cut short" : NULL;
}

/* The footer: a line with the rule, or an empty one. */
static const char *read_footer(struct cursor *c, struct zone *z)
{
	if (cursor_u8(c) != '\n')
		return "no footer";
	struct view line = view_of(c->p + c->at, 0);
	while (cursor_left(c) && c->p[c->at] != '\n') {
		line.n++;
		c->at++;
	}
	if (cursor_u8(c) != '\n')
		return "no footer";
	z->ruled = line.n > 0;
	return z->ruled && !policy_zone_rule_parse(line, &z->rule) ? "the footer's rule is not understood" : NULL;
}

/* Only behind a transition: before the first one of a table its rule does not hold. */
static void extend_by_rule(struct zone *z)
{
	if (!z->ruled || z->count == 0)
		return;
	int64_t s = z->at_s[z->count - 1];
	for (int i = 0; i < RULED_MAX; i++) {
		s = policy_zone_rule_span(&z->rule, s).until_s;
		if (s >= RULED_UNTIL_S)
			return;
		z->at_s[z->count] = s;
		z->offset_s[z->count++] = policy_zone_rule_span(&z->rule, s).offset;
	}
}

static const char *read_file(struct view file, struct zone *z)
{
	struct cursor c = cursor_over(file);
	struct header h;
	if (file.n > LIMIT_ZONE_FILE_BYTES)
		return "too large";
	if (!read_header(&c, &h))
		return "not a TZif file";
	if (h.version == 0)
		return read_block(&c, &h, false, z);
	skip_block(&c, &h);
	if (!read_header(&c, &h))
		return "no second block";
	const char *fault = read_block(&c, &h, true, z);
	return fault ? fault : read_footer(&c, z);
}

struct zone *policy_zone_parse(const char *name, struct view file, const char **error_r)
{
	struct zone *z = mem_alloc(sizeof(*z));
	*z = (struct zone){0};
	const char *fault = copy_str(z->name, sizeof(z->name), name) ? read_file(file, z) : "its name is too long";
	*error_r = fault;
	if (!fault) {
		extend_by_rule(z);
		return z;
	}
	policy_zone_free(z);
	return NULL;
}

void policy_zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->at_s);
	free(z->offset_s);
	free(z);
}

/* --- asking ---------------------------------------------------------------------------------------------------- */

const char *policy_zone_name(const struct zone *z)
{
	return z->name;
}

/* How many transitions lie at or before the instant. */
static size_t transitions_until(const struct zone *z, int64_t unix_s)
{
	size_t low = 0;
	size_t high = z->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (z->at_s[middle] <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct zone_span policy_zone_span(const struct zone *z, int64_t unix_s)
{
	size_t passed = transitions_until(z, unix_s);
	if (passed == z->count && z->ruled)
		return policy_zone_rule_span(&z->rule, unix_s);
	return (struct zone_span){
	        .offset = passed ? z->offset_s[passed - 1] : z->before_s,
	        .until_s = passed < z->count ? z->at_s[passed] : INT64_MAX,
	};
}

int32_t policy_zone_offset(const struct zone *z, int64_t unix_s)
{
	return policy_zone_span(z, unix_s).offset;
}

struct civil policy_zone_local(const struct zone *z, int64_t unix_s)
{
	return time_civil(unix_s + policy_zone_offset(z, unix_s));
}

int64_t policy_zone_instant(const struct zone *z, int64_t days, int hour)
{
	const int64_t wall = days * 86400 + hour * 3600;
	int64_t s = wall - ZONE_OFFSET_MAX_S - 1; /* no clock on earth shows wall yet */
	for (;;) {
		struct zone_span span = policy_zone_span(z, s);
		int64_t hit = wall - span.offset;
		if (hit < s)
			hit = s;
		if (hit < span.until_s)
			return hit;
		s = span.until_s;
	}
}

static bool name_octet(uint8_t o)
{
	bool letter = (o >= 'A' && o <= 'Z') || (o >= 'a' && o <= 'z');
	return letter || (o >= '0' && o <= '9') || o == '_' || o == '+' || o == '-';
}

bool policy_zone_name_ok(struct view name)
{
	if (name.n == 0 || name.n >= LIMIT_ZONE_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		bool joint = name.p[i] == '/' && i > 0 && i + 1 < name.n && name.p[i - 1] != '/';
		if (!joint && !name_octet(name.p[i]))
			return false;
	}
	return true;
}
