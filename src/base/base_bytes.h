/* Octets: views that own nothing, buffers that own and have a ceiling, and a reading cursor with a sticky error. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What the codecs call for every octet is inline here: see tests/bench/smpp. */

/* A run of octets owned by somebody else. p may be NULL only when n is 0. */
struct view {
	const uint8_t *p;
	size_t n;
};

#define VIEW(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

/* The octets of a C string, without its NUL; NULL gives an empty view. */
struct view view_str(const char *text);
static inline struct view view_of(const void *p, size_t n)
{
	return (struct view){(const uint8_t *)p, n};
}
bool view_eq(struct view a, struct view b);
/* Equal when ASCII letters are folded. */
bool view_eq_nocase(struct view a, struct view b);
/* Takes ASCII blanks and tabs off both ends. */
struct view view_trim(struct view v);
/* FNV-1a over the octets: for tables whose keys no peer can choose. */
uint64_t view_hash(struct view v);

/* A growing buffer. It never grows past its ceiling: an append that would is dropped whole and marks the buffer full.
 * Allocation failure aborts. Zero-initialise with BUF(ceiling); buf_free when done. */
struct buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
	bool full; /* an append was dropped */
};

#define BUF(ceiling) ((struct buf){.max = (ceiling)})

void buf_free(struct buf *b);
/* Makes it empty and not full; keeps its memory. */
void buf_clear(struct buf *b);
/* buf_room where the memory is too small, or the ceiling reached. */
uint8_t *buf_grow(struct buf *b, size_t n);
/* Room for n more octets, or NULL (and full) when that passes the ceiling. The caller adds to b->n what it used. */
static inline uint8_t *buf_room(struct buf *b, size_t n)
{
	if (n < b->cap - b->n && b->n + n <= b->max) /* one more than n, for buf_cstr */
		return b->p + b->n;
	return buf_grow(b, n);
}

static inline bool buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_room(b, n);
	if (!to)
		return false;
	if (n)
		memcpy(to, p, n);
	b->n += n;
	return true;
}

static inline bool buf_add_view(struct buf *b, struct view v)
{
	return buf_add(b, v.p, v.n);
}

/* Big endian, like the next three. */
static inline bool buf_add_u8(struct buf *b, uint8_t v)
{
	return buf_add(b, &v, 1);
}

static inline bool buf_add_u16(struct buf *b, uint16_t v)
{
	uint8_t o[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	return buf_add(b, o, 2);
}

static inline bool buf_add_u32(struct buf *b, uint32_t v)
{
	uint8_t o[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
	return buf_add(b, o, 4);
}

bool buf_add_u64(struct buf *b, uint64_t v);
bool buf_add_str(struct buf *b, const char *text);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n octets and moves the rest to the front. */
void buf_drop(struct buf *b, size_t n);
/* Appends text as the inside of a JSON string: quotes, backslash and controls escaped. Invalid UTF-8 becomes U+FFFD. */
bool buf_add_json_text(struct buf *b, struct view text);
/* Appends text as the content of an HTML element or of an attribute in double quotes. Controls but line feed and tab
 * are left out. */
bool buf_add_html_text(struct buf *b, struct view text);
/* Appends text percent-encoded: all but the unreserved characters of RFC 3986, 2.3. */
bool buf_add_url_text(struct buf *b, struct view text);
/* The content with a NUL behind it that is not counted. */
const char *buf_cstr(struct buf *b);
struct view buf_view(const struct buf *b);

/* Reads forward over a view. A read past the end sets bad, returns zeros and stays bad: read on, check once. */
struct cursor {
	const uint8_t *p;
	size_t n;
	size_t at;
	bool bad;
};

static inline struct cursor cursor_over(struct view v)
{
	return (struct cursor){.p = v.p, .n = v.n};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : c->n - c->at;
}

/* The next n octets. */
static inline struct view cursor_take(struct cursor *c, size_t n)
{
	if (c->bad || n > c->n - c->at) {
		c->bad = true;
		return (struct view){0};
	}
	struct view v = {c->p + c->at, n};
	c->at += n;
	return v;
}

/* Big endian, like the next three. */
static inline uint8_t cursor_u8(struct cursor *c)
{
	struct view v = cursor_take(c, 1);
	return v.n ? v.p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	struct view v = cursor_take(c, 2);
	return v.n ? (uint16_t)(v.p[0] << 8 | v.p[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	struct view v = cursor_take(c, 4);
	return v.n ? (uint32_t)v.p[0] << 24 | (uint32_t)v.p[1] << 16 | (uint32_t)v.p[2] << 8 | v.p[3] : 0;
}

/* Eight octets, big endian. */
uint64_t cursor_u64(struct cursor *c);

/* strlcpy's contract: copies at most cap - 1 octets, always ends with NUL, tells whether all fitted. */
bool copy_str(char *to, size_t cap, const char *from);
bool copy_view(char *to, size_t cap, struct view from);

/* Hexadecimal, lower case. to holds 2 * n + 1. */
void hex_encode(const uint8_t *p, size_t n, char *to);
/* Decodes 2 * n digits of either case into to; false on any other character or an odd length. */
bool hex_decode(struct view text, uint8_t *to, size_t n);

/* Decimal digits only, no sign, no blanks; false on overflow past max or emptiness. */
bool parse_u64(struct view text, uint64_t max, uint64_t *value_r);

#endif
