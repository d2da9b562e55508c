#include "text_alphabet.h"

#include "base_septet.h"
#include "base_utf8.h"

#include <string.h>

#define REPLACEMENT 0xfffd
#define BYTE_ORDER_MARK 0xfeff
#define ESCAPE 0x1b
#define JOINED_BYTES_MAX (1 << 20) /* octets of neighbours that are read alike; 255 parts of LIMIT_PART_BYTES fit */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const names[ALPHABET_COUNT] = {"gsm7", "gsm7_packed", "latin1", "ascii"};

const char *text_alphabet_name(enum text_alphabet a)
{
	return a < ALPHABET_COUNT ? names[a] : names[ALPHABET_GSM7];
}

bool text_alphabet_find(struct view name, enum text_alphabet *a_r)
{
	for (unsigned a = 0; a < ALPHABET_COUNT; a++) {
		if (view_eq(name, view_str(names[a]))) {
			*a_r = (enum text_alphabet)a;
			return true;
		}
	}
	return false;
}

/* --- encoding -------------------------------------------------------------------------------------------------- */

/* The first character that is in no octet of the alphabet; 0 when there is none. */
static uint32_t stranger_of(enum text_alphabet a, struct view utf8)
{
	uint32_t most = a == ALPHABET_LATIN1 ? 0xff : 0x7f;
	bool gsm7 = a == ALPHABET_GSM7 || a == ALPHABET_GSM7_PACKED;
	for (size_t at = 0; at < utf8.n;) {
		uint32_t c;
		size_t n = utf8_get(utf8, at, &c);
		if (n == 0 || c == 0)
			return REPLACEMENT;
		if (gsm7 ? text_gsm7_septets(c) == 0 : c > most)
			return c;
		at += n;
	}
	return 0;
}

static bool encode_octets(struct view utf8, struct buf *to)
{
	uint32_t c;
	for (size_t at = 0, n; (n = utf8_get(utf8, at, &c)); at += n)
		if (!buf_add_u8(to, (uint8_t)c))
			return false;
	return true;
}

static bool encode_packed(struct view utf8, struct buf *to)
{
	struct buf septets = BUF(2 * utf8.n);
	bool ok = text_gsm7_encode(utf8, &septets) && septet_pack(buf_view(&septets), 0, to);
	buf_free(&septets);
	return ok;
}

bool text_encode(enum text_alphabet a, struct view utf8, struct buf *to, uint32_t *stranger_r)
{
	size_t before = to->n;
	*stranger_r = stranger_of(a, utf8);
	if (*stranger_r)
		return false;
	bool ok = a == ALPHABET_GSM7          ? text_gsm7_encode(utf8, to)
	          : a == ALPHABET_GSM7_PACKED ? encode_packed(utf8, to)
	                                      : encode_octets(utf8, to);
	if (!ok)
		to->n = before;
	return ok;
}

bool text_ucs2_encode(struct view utf8, struct buf *to)
{
	for (size_t at = 0; at < utf8.n;) {
		uint32_t c;
		size_t n = utf8_get(utf8, at, &c);
		if (n == 0)
			return false;
		uint32_t above = c - 0x10000;
		bool fits = c < 0x10000 ? buf_add_u16(to, (uint16_t)c)
		                        : buf_add_u32(to, (0xd800u | above >> 10) << 16 | 0xdc00u | (above & 0x3ff));
		if (!fits)
			return false;
		at += n;
	}
	return true;
}

/* --- decoding -------------------------------------------------------------------------------------------------- */

enum reading {
	READ_LINK,
	READ_GSM7,
	READ_GSM7_PACKED, /* of no row: GSM7 on a link that packs */
	READ_ASCII,
	READ_LATIN1,
	READ_CYRILLIC,
	READ_HEBREW,
	READ_UCS2,
	READ_BINARY,
	READ_PAIRS,
	READ_JIS
};

static const struct {
	uint8_t mask;
	uint8_t value;
	enum reading reading;
} data_codings[] = {
#define DATA_CODING(mask, value, reading, what) {mask, value, READ_##reading},
#include "charset.def"
};

static enum reading reading_of(const struct text_coding *c)
{
	static const enum reading of_link[ALPHABET_COUNT] = {READ_GSM7, READ_GSM7_PACKED, READ_LATIN1, READ_ASCII};
	size_t i = 0;
	while ((c->data_coding & data_codings[i].mask) != data_codings[i].value)
		i++; /* the last row fits every value */
	enum reading r = data_codings[i].reading;
	if (r == READ_LINK)
		return c->alphabet < ALPHABET_COUNT ? of_link[c->alphabet] : READ_GSM7;
	return r == READ_GSM7 && c->alphabet == ALPHABET_GSM7_PACKED ? READ_GSM7_PACKED : r;
}

enum charset {
#define CHARSET(name) CHARSET_##name,
#include "charset.def"
};

static const struct {
	enum charset charset;
	uint8_t first;
	uint8_t last;
	uint16_t character;
} ranges[] = {
#define CHARSET_RANGE(charset, first, last, character) {CHARSET_##charset, first, last, character},
#include "charset.def"
};

/* 0 when the alphabet lacks the octet. */
static uint32_t character_of(enum charset charset, uint8_t octet)
{
	for (size_t i = 0; i < COUNT(ranges); i++)
		if (ranges[i].charset == charset && octet >= ranges[i].first && octet <= ranges[i].last)
			return ranges[i].character + (octet - ranges[i].first);
	return 0;
}

static bool put(struct buf *to, uint32_t character)
{
	utf8_add(to, character ? character : REPLACEMENT);
	return character != 0;
}

static bool decode_octets(enum charset charset, struct view octets, struct buf *to)
{
	bool clean = true;
	for (size_t i = 0; i < octets.n; i++)
		clean = put(to, character_of(charset, octets.p[i])) && clean;
	return clean;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static uint32_t read_unit(struct cursor *c, bool little)
{
	uint16_t unit = cursor_u16(c);
	return little ? (uint16_t)(unit << 8 | unit >> 8) : unit;
}

/* The next character, 0 when it is none. */
static uint32_t read_ucs2(struct cursor *c, bool little)
{
	uint32_t unit = read_unit(c, little);
	struct cursor ahead = *c;
	uint32_t next = is_high(unit) ? read_unit(&ahead, little) : 0;
	if (!is_low(next))
		return is_high(unit) || is_low(unit) ? 0 : unit;
	*c = ahead;
	return 0x10000 + ((unit & 0x3ff) << 10 | (next & 0x3ff));
}

static bool decode_ucs2(struct view octets, struct buf *to)
{
	struct cursor c = cursor_over(octets);
	struct cursor ahead = c;
	uint16_t mark = cursor_u16(&ahead);
	bool little = mark == 0xfffe;
	bool clean = true;
	if (little || mark == BYTE_ORDER_MARK)
		c = ahead;
	while (cursor_left(&c) >= 2)
		clean = put(to, read_ucs2(&c, little)) && clean;
	return cursor_left(&c) ? put(to, 0) : clean;
}

/* Octets from 0x80 on come in pairs, each a character that we do not know; the rest is ASCII. */
static bool decode_pairs(struct view octets, struct buf *to)
{
	bool clean = true;
	for (size_t i = 0; i < octets.n; i++) {
		uint8_t o = octets.p[i];
		clean = put(to, character_of(CHARSET_ASCII, o)) && clean;
		i += o >= 0x80 && i + 1 < octets.n;
	}
	return clean;
}

/* Whether an escape sequence of ISO-2022-JP chooses ASCII or JIS X 0201 Roman, one octet a character. */
static bool is_roman(struct view sequence)
{
	return sequence.p[1] == '(' && (sequence.p[2] == 'B' || sequence.p[2] == 'J');
}

static bool decode_jis(struct view octets, struct buf *to)
{
	bool roman = true;
	bool clean = true;
	for (size_t i = 0; i < octets.n; i++) {
		if (octets.p[i] == ESCAPE && octets.n - i >= 3) {
			roman = is_roman(view_of(octets.p + i, 3));
			i += octets.p[i + 1] == '$' && octets.p[i + 2] == '(' ? 3 : 2;
		} else {
			clean = put(to, roman ? character_of(CHARSET_ASCII, octets.p[i]) : 0) && clean;
			i += !roman && i + 1 < octets.n;
		}
	}
	return clean;
}

static bool decode_packed(const struct text_coding *c, struct view octets, struct buf *to)
{
	struct buf septets = BUF(octets.n * 8 / 7 + 1);
	septet_unpack(octets, c->header_octets, &septets);
	bool clean = text_gsm7_decode(buf_view(&septets), c->shift, to);
	buf_free(&septets);
	return clean;
}

/* Valid UTF-8 with characters past ASCII and no controls but those of a text. */
static bool looks_utf8(struct view octets)
{
	bool high = false;
	for (size_t i = 0; i < octets.n; i++) {
		uint8_t o = octets.p[i];
		if (o < ' ' && o != '\n' && o != '\r' && o != '\t')
			return false;
		high = high || o >= 0x80;
	}
	return high && utf8_valid(octets);
}

/* An odd number of visible ASCII characters, which UCS-2 cannot be. */
static bool looks_ascii(struct view octets)
{
	for (size_t i = 0; i < octets.n; i++)
		if (octets.p[i] < ' ' || octets.p[i] > '~')
			return false;
	return octets.n % 2;
}

static bool decode_reading(enum reading reading, const struct text_coding *c, struct view octets, struct buf *to)
{
	switch (reading) {
	case READ_GSM7_PACKED:
		return decode_packed(c, octets, to);
	case READ_ASCII:
		return decode_octets(CHARSET_ASCII, octets, to);
	case READ_LATIN1:
		return decode_octets(CHARSET_LATIN1, octets, to);
	case READ_CYRILLIC:
		return decode_octets(CHARSET_CYRILLIC, octets, to);
	case READ_HEBREW:
		return decode_octets(CHARSET_HEBREW, octets, to);
	case READ_UCS2:
		return decode_ucs2(octets, to);
	case READ_BINARY:
		decode_octets(CHARSET_LATIN1, octets, to);
		return octets.n == 0;
	case READ_PAIRS:
		return decode_pairs(octets, to);
	case READ_JIS:
		return decode_jis(octets, to);
	default:
		return text_gsm7_decode(octets, c->shift, to);
	}
}

bool text_decode_as(const struct text_coding *coding, struct view octets, struct buf *to)
{
	enum reading reading = reading_of(coding);
	bool utf8 = (reading == READ_ASCII || reading == READ_GSM7) && looks_utf8(octets);
	if (utf8 || (reading == READ_UCS2 && looks_ascii(octets))) {
		buf_add_view(to, octets);
		return false;
	}
	return decode_reading(reading, coding, octets, to);
}

bool text_decode(uint8_t data_coding, struct view octets, struct buf *to)
{
	return text_decode_as(&(struct text_coding){.data_coding = data_coding}, octets, to);
}

/* --- joining --------------------------------------------------------------------------------------------------- */

/* How a part is read once its septets have an octet each. */
static struct text_coding unpacked(const struct text_coding *c)
{
	struct text_coding plain = *c;
	if (reading_of(c) == READ_GSM7_PACKED)
		plain = (struct text_coding){.shift = c->shift};
	plain.header_octets = 0;
	return plain;
}

static bool read_alike(const struct text_coding *a, const struct text_coding *b)
{
	bool shifted = reading_of(a) == READ_GSM7;
	return reading_of(a) == reading_of(b) && (!shifted || memcmp(&a->shift, &b->shift, sizeof(a->shift)) == 0);
}

/* Parts that are read alike, gathered until another kind comes. */
struct joiner {
	struct text_coding coding;
	struct buf octets;
	struct buf *to;
	bool clean;
};

static void flush(struct joiner *j)
{
	j->clean = text_decode_as(&j->coding, buf_view(&j->octets), j->to) && j->clean;
	buf_clear(&j->octets);
}

static void add_part(struct joiner *j, const struct text_part *part)
{
	struct text_coding coding = unpacked(&part->coding);
	if (!read_alike(&coding, &j->coding))
		flush(j);
	j->coding = coding;
	if (reading_of(&part->coding) == READ_GSM7_PACKED)
		septet_unpack(part->octets, part->coding.header_octets, &j->octets);
	else
		buf_add_view(&j->octets, part->octets);
}

bool text_join(const struct text_part *parts, unsigned count, struct buf *to)
{
	struct joiner j = {.octets = BUF(JOINED_BYTES_MAX), .to = to, .clean = true};
	for (unsigned i = 0; i < count; i++) {
		if (!parts[i].missing) {
			add_part(&j, &parts[i]);
		} else if (i == 0 || !parts[i - 1].missing) {
			flush(&j);
			buf_add_str(to, " [...] ");
		}
	}
	flush(&j);
	j.clean = j.clean && !j.octets.full;
	buf_free(&j.octets);
	return j.clean;
}
