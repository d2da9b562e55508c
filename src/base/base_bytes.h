/* Octets: views that own nothing, buffers that own and have a ceiling, and a reading cursor with a sticky error. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of octets owned by somebody else. p may be NULL only when n is 0. */
struct view {
	const uint8_t *p;
	size_t n;
};

#define VIEW(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

/* The octets of a C string, without its NUL; NULL gives an empty view. */
struct view view_str(const char *text);
struct view view_of(const void *p, size_t n);
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
/* Room for n more octets, or NULL (and full) when that passes the ceiling. The caller adds to b->n what it used. */
uint8_t *buf_room(struct buf *b, size_t n);
bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_add_view(struct buf *b, struct view v);
bool buf_add_str(struct buf *b, const char *text);
bool buf_add_u8(struct buf *b, uint8_t v);
bool buf_add_u16(struct buf *b, uint16_t v); /* big endian, like the next two */
bool buf_add_u32(struct buf *b, uint32_t v);
bool buf_add_u64(struct buf *b, uint64_t v);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n octets and moves the rest to the front. */
void buf_drop(struct buf *b, size_t n);
/* Appends text as the inside of a JSON string: quotes, backslash and controls escaped. Invalid UTF-8 becomes U+FFFD. */
bool buf_add_json_text(struct buf *b, struct view text);
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

struct cursor cursor_over(struct view v);
size_t cursor_left(const struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
struct view cursor_take(struct cursor *c, size_t n);

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
