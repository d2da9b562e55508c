#include "text_shape.h"

#include "base_utf8.h"
#include "text_gsm7.h"

#include <string.h>

const char *text_encoding_name(enum text_encoding e)
{
	return e == TEXT_GSM7 ? "gsm7" : "ucs2";
}

/* --- measuring ------------------------------------------------------------------------------------------------- */

static bool all_gsm7(struct view utf8)
{
	uint32_t character;
	for (size_t at = 0, n; (n = utf8_get(utf8, at, &character)); at += n)
		if (text_gsm7_septets(character) == 0)
			return false;
	return true;
}

struct text_shape text_measure(struct view utf8)
{
	struct text_shape s = {.encoding = all_gsm7(utf8) ? TEXT_GSM7 : TEXT_UCS2, .segments = 1};
	const unsigned single = s.encoding == TEXT_GSM7 ? 160 : 70;
	const unsigned part = s.encoding == TEXT_GSM7 ? 153 : 67; /* less 6 octets of header that join the parts */
	unsigned parts = 1;
	unsigned filled = 0;
	uint32_t character;
	for (size_t at = 0, n; (n = utf8_get(utf8, at, &character)); at += n) {
		unsigned units = s.encoding == TEXT_GSM7 ? text_gsm7_septets(character) : 1 + (character > 0xffff);
		s.characters++;
		s.units += units;
		if (filled + units > part) {
			parts++;
			filled = 0;
		}
		filled += units;
	}
	if (s.units > single)
		s.segments = parts;
	return s;
}

/* --- typography ------------------------------------------------------------------------------------------------ */

struct translit {
	uint32_t first;
	uint32_t last;
	const char *to;
};

static const struct translit translits[] = {
#define TRANSLIT(first, last, to, what) {first, last, to},
#include "translit.def"
};

struct compose {
	uint32_t base;
	uint32_t mark;
	uint32_t letter;
	char text[3];
};

#define UTF8_2(c)                                                                                                      \
	{                                                                                                              \
		(char)(0xc0 | (c) >> 6), (char)(0x80 | ((c)&0x3f)), 0                                                  \
	}

static const struct compose composes[] = {
#define COMPOSE(base, mark, letter) {base, mark, letter, UTF8_2(letter)},
#include "translit.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct translit *translit_find(uint32_t character)
{
	size_t low = 0;
	size_t high = COUNT(translits);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (translits[middle].last < character)
			low = middle + 1;
		else
			high = middle;
	}
	return low < COUNT(translits) && translits[low].first <= character ? &translits[low] : NULL;
}

static const struct compose *compose_find(uint32_t base, uint32_t mark)
{
	for (size_t i = 0; i < COUNT(composes); i++)
		if (composes[i].base == base && composes[i].mark == mark)
			return &composes[i];
	return NULL;
}

static void note(struct text_changes *changes, uint32_t from, const char *to)
{
	for (unsigned i = 0; i < changes->count; i++) {
		if (changes->change[i].from == from && changes->change[i].to == to) {
			changes->change[i].count++;
			return;
		}
	}
	if (changes->count < TEXT_CHANGES_MAX)
		changes->change[changes->count++] = (struct text_change){from, to, 1};
}

/* What was written so far, with the last character in hand: a mark joins the letter that precedes it in the result, so
 * that a soft hyphen dropped between the two makes no difference and a second pass finds nothing left to do. */
struct writer {
	struct buf *to;
	struct text_changes *changes;
	size_t start;
	uint32_t last;
	size_t last_at;
};

static void put(struct writer *w, uint32_t character)
{
	uint8_t octets[4];
	size_t n = utf8_put(octets, character);
	for (; character == '\n' && w->to->n > w->start && w->to->p[w->to->n - 1] == '\r'; w->to->n--)
		note(w->changes, '\r', "");
	size_t at = w->to->n;
	if (buf_add(w->to, octets, n)) {
		w->last = character;
		w->last_at = at;
	} else {
		w->last = 0;
	}
}

static void put_text(struct writer *w, struct view utf8)
{
	uint32_t character;
	for (size_t at = 0, n; (n = utf8_get(utf8, at, &character)); at += n)
		put(w, character);
}

void text_normalise(struct view utf8, struct buf *to, struct text_changes *changes_r)
{
	struct writer w = {.to = to, .changes = changes_r, .start = to->n};
	uint32_t character;
	changes_r->count = 0;
	for (size_t at = 0, n; (n = utf8_get(utf8, at, &character)); at += n) {
		const struct translit *t = translit_find(character);
		const struct compose *c = compose_find(w.last, character);
		if (t) {
			note(changes_r, character, t->to);
			put_text(&w, view_str(t->to));
		} else if (c) {
			note(changes_r, character, c->text);
			to->n = w.last_at;
			put(&w, c->letter);
		} else {
			put(&w, character);
		}
	}
}

static bool contains(struct view text, struct view part)
{
	return text.n >= part.n && memmem(text.p, text.n, part.p, part.n);
}

void text_not_gsm7(struct view utf8, unsigned max, struct buf *to)
{
	const size_t start = to->n;
	uint32_t character;
	for (size_t at = 0, n; max && (n = utf8_get(utf8, at, &character)); at += n) {
		struct view one = view_of(utf8.p + at, n);
		struct view listed = view_of(to->p + start, to->n - start);
		if (text_gsm7_septets(character) || (listed.n && contains(listed, one)))
			continue;
		if (listed.n)
			buf_add_u8(to, ' ');
		buf_add_view(to, one);
		max--;
	}
}
