#include "text_gsm7.h"

#include "base_utf8.h"

#define ESCAPE 0x1b
#define REPLACEMENT 0xfffd
#define LAST_CHARACTER 0x20ac /* the euro sign: a row beyond it does not compile */

/* A character's entry: the septet, and which table has it. Zero is no entry, so septet 0 needs its flag. */
#define IN_DEFAULT 0x100
#define IN_EXTENSION 0x200

static const uint16_t by_character[LAST_CHARACTER + 1] = {
#define GSM7(septet, character, name) [character] = IN_DEFAULT | (septet),
#define GSM7_EXTENSION(septet, character, name) [character] = IN_EXTENSION | (septet),
#include "gsm7.def"
};

static const uint16_t by_septet[128] = {
#define GSM7(septet, character, name) [septet] = (character),
#include "gsm7.def"
};

static const uint16_t by_extension[128] = {
#define GSM7_EXTENSION(septet, character, name) [septet] = (character),
#include "gsm7.def"
};

static unsigned entry_of(uint32_t character)
{
	return character <= LAST_CHARACTER ? by_character[character] : 0;
}

unsigned text_gsm7_septets(uint32_t character)
{
	return entry_of(character) >> 8;
}

bool text_gsm7_encode(struct view utf8, struct buf *to)
{
	for (size_t at = 0; at < utf8.n;) {
		uint32_t character;
		size_t n = utf8_get(utf8, at, &character);
		unsigned entry = n ? entry_of(character) : 0;
		uint8_t pair[2] = {ESCAPE, (uint8_t)entry};
		if (entry == 0 || !(entry & IN_EXTENSION ? buf_add(to, pair, 2) : buf_add_u8(to, pair[1])))
			return false;
		at += n;
	}
	return true;
}

static void put(struct buf *to, uint32_t character)
{
	uint8_t octets[4];
	buf_add(to, octets, utf8_put(octets, character));
}

/* The character behind an escape. */
static uint32_t escaped(uint8_t septet)
{
	if (septet == ESCAPE)
		return ' ';
	return by_extension[septet] ? by_extension[septet] : by_septet[septet];
}

void text_gsm7_decode(struct view octets, struct buf *to)
{
	for (size_t i = 0; i < octets.n; i++) {
		uint8_t o = octets.p[i];
		bool pair = o == ESCAPE && i + 1 < octets.n && octets.p[i + 1] < 0x80;
		if (pair)
			put(to, escaped(octets.p[++i]));
		else
			put(to, o < 0x80 && o != ESCAPE ? by_septet[o] : REPLACEMENT);
	}
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

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

void text_ucs2_decode(struct view octets, struct buf *to)
{
	struct cursor c = cursor_over(octets);
	while (cursor_left(&c) >= 2) {
		uint32_t unit = cursor_u16(&c);
		struct cursor ahead = c;
		uint32_t next = is_high(unit) ? cursor_u16(&ahead) : 0;
		if (is_low(next)) {
			c = ahead;
			put(to, 0x10000 + ((unit & 0x3ff) << 10 | (next & 0x3ff)));
		} else {
			put(to, unit == 0 || is_high(unit) || is_low(unit) ? REPLACEMENT : unit);
		}
	}
	if (cursor_left(&c))
		put(to, REPLACEMENT);
}

void text_latin1_decode(struct view octets, struct buf *to)
{
	for (size_t i = 0; i < octets.n; i++)
		put(to, octets.p[i] ? octets.p[i] : REPLACEMENT);
}

static void ascii_decode(struct view octets, struct buf *to)
{
	for (size_t i = 0; i < octets.n; i++)
		put(to, octets.p[i] && octets.p[i] < 0x80 ? octets.p[i] : REPLACEMENT);
}

typedef void decoder(struct view octets, struct buf *to);

static decoder *decoder_of(uint8_t data_coding)
{
	static decoder *const by_class_group[4] = {text_gsm7_decode, text_latin1_decode, text_ucs2_decode,
	                                           text_latin1_decode};
	if ((data_coding & 0xf0) == 0xf0)
		return data_coding & 4 ? text_latin1_decode : text_gsm7_decode;
	if ((data_coding & 0xf0) == 0x10)
		return by_class_group[data_coding >> 2 & 3];
	switch (data_coding) {
	case 0:
		return text_gsm7_decode;
	case 1:
		return ascii_decode;
	case 8:
		return text_ucs2_decode;
	default:
		return text_latin1_decode;
	}
}

void text_decode(uint8_t data_coding, struct view octets, struct buf *to)
{
	decoder_of(data_coding)(octets, to);
}
