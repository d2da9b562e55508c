#include "base_bytes.h"

#include "base_check.h"
#include "base_utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view view_str(const char *text)
{
	return text ? view_of(text, strlen(text)) : (struct view){0};
}

bool view_eq(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool view_eq_nocase(struct view a, struct view b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

struct view view_trim(struct view v)
{
	while (v.n && (v.p[0] == ' ' || v.p[0] == '\t'))
		v.p++, v.n--;
	while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	return v;
}

uint64_t view_hash(struct view v)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < v.n; i++)
		h = (h ^ v.p[i]) * 0x100000001b3u;
	return h;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = BUF(b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->full = false;
}

uint8_t *buf_grow(struct buf *b, size_t n)
{
	if (n > b->max || b->n > b->max - n) {
		b->full = true;
		return NULL;
	}
	size_t want = b->n + n + 1; /* one more for buf_cstr */
	if (want > b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 64;
		while (cap < want)
			cap *= 2;
		b->p = realloc(b->p, cap);
		check(b->p);
		b->cap = cap;
	}
	return b->p + b->n;
}

bool buf_add_str(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

bool buf_add_u64(struct buf *b, uint64_t v)
{
	uint8_t o[8];
	for (unsigned i = 0; i < 8; i++)
		o[i] = (uint8_t)(v >> (56 - 8 * i));
	return buf_add(b, o, 8);
}

bool buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	check(n >= 0);
	uint8_t *to = buf_room(b, (size_t)n + 1);
	if (!to)
		return false;
	va_start(args, format);
	vsnprintf((char *)to, (size_t)n + 1, format, args);
	va_end(args);
	b->n += (size_t)n;
	return true;
}

void buf_drop(struct buf *b, size_t n)
{
	check(n <= b->n);
	if (n && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

static bool add_json_char(struct buf *b, uint32_t c)
{
	switch (c) {
	case '"':
		return buf_add(b, "\\\"", 2);
	case '\\':
		return buf_add(b, "\\\\", 2);
	case '\n':
		return buf_add(b, "\\n", 2);
	case '\r':
		return buf_add(b, "\\r", 2);
	case '\t':
		return buf_add(b, "\\t", 2);
	default:
		break;
	}
	if (c < 0x20 || c == 0x7f)
		return buf_printf(b, "\\u%04x", (unsigned)c);
	uint8_t utf8[4];
	return buf_add(b, utf8, utf8_put(utf8, c));
}

bool buf_add_json_text(struct buf *b, struct view text)
{
	size_t at = 0;
	bool ok = true;
	while (at < text.n && ok) {
		uint32_t c = 0xfffd;
		size_t used = utf8_get(text, at, &c);
		at += used ? used : 1;
		ok = add_json_char(b, used ? c : 0xfffd);
	}
	return ok;
}

bool buf_add_html_text(struct buf *b, struct view text)
{
	static const char *const spelled[256] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};
	bool ok = true;
	for (size_t i = 0; i < text.n && ok; i++) {
		uint8_t c = text.p[i];
		if (spelled[c])
			ok = buf_add_str(b, spelled[c]);
		else if (c >= ' ' || c == '\n' || c == '\t')
			ok = buf_add_u8(b, c);
	}
	return ok;
}

bool buf_add_url_text(struct buf *b, struct view text)
{
	bool ok = true;
	for (size_t i = 0; i < text.n && ok; i++) {
		uint8_t c = text.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		             (c && strchr("-._~", c));
		ok = plain ? buf_add_u8(b, c) : buf_printf(b, "%%%02X", c);
	}
	return ok;
}

const char *buf_cstr(struct buf *b)
{
	if (!b->p && !buf_room(b, 0))
		return "";
	b->p[b->n] = 0;
	return (const char *)b->p;
}

struct view buf_view(const struct buf *b)
{
	return view_of(b->p, b->n);
}

uint64_t cursor_u64(struct cursor *c)
{
	struct view v = cursor_take(c, 8);
	uint64_t value = 0;
	for (size_t i = 0; i < v.n; i++)
		value = value << 8 | v.p[i];
	return value;
}

bool copy_view(char *to, size_t cap, struct view from)
{
	check(cap > 0);
	size_t n = from.n < cap - 1 ? from.n : cap - 1;
	if (n)
		memcpy(to, from.p, n);
	to[n] = 0;
	return n == from.n;
}

bool copy_str(char *to, size_t cap, const char *from)
{
	return copy_view(to, cap, view_str(from));
}

void hex_encode(const uint8_t *p, size_t n, char *to)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[p[i] >> 4];
		to[2 * i + 1] = digits[p[i] & 15];
	}
	to[2 * n] = 0;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = fold(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct view text, uint8_t *to, size_t n)
{
	if (text.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text.p[2 * i]);
		int low = hex_digit(text.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool parse_u64(struct view text, uint64_t max, uint64_t *value_r)
{
	uint64_t value = 0;
	if (text.n == 0)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		uint64_t digit = text.p[i] - '0';
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_r = value;
	return true;
}
