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

#define LANGUAGES 14 /* with 0, the default; a row beyond it does not compile */

/* Tables by language. [0] is the default alphabet or its extension table; one that is all zero has no rows. */
static const uint16_t locking_tables[LANGUAGES][128] = {
#define GSM7(septet, character, name) [0][septet] = (character),
#include "gsm7.def"
#define GSM7_LOCKING(language, at, c0, c1, c2, c3, c4, c5, c6, c7)                                                     \
	[language][at] = (c0), (c1), (c2), (c3), (c4), (c5), (c6), (c7),
#include "gsm7_national.def"
};

static const uint16_t single_tables[LANGUAGES][128] = {
#define GSM7_EXTENSION(septet, character, name) [0][septet] = (character),
#include "gsm7.def"
#define GSM7_SINGLE(language, at, c0, c1, c2, c3, c4, c5, c6, c7)                                                      \
	[language][at] = (c0), (c1), (c2), (c3), (c4), (c5), (c6), (c7),
#include "gsm7_national.def"
};

static const char *const languages[LANGUAGES] = {
#define GSM7_LANGUAGE(identifier, name) [identifier] = (name),
#include "gsm7_national.def"
};

const char *text_gsm7_language(uint8_t identifier)
{
	return identifier < LANGUAGES ? languages[identifier] : NULL;
}

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

/* --- decoding -------------------------------------------------------------------------------------------------- */

/* Septets of which every table that is has a character: "!" and "^". */
#define IN_EVERY_LOCKING 0x21
#define IN_EVERY_SINGLE 0x14

static const uint16_t *table_of(const uint16_t tables[LANGUAGES][128], uint8_t language, uint8_t in_every)
{
	return tables[language < LANGUAGES && tables[language][in_every] ? language : 0];
}

struct reader {
	const uint16_t *locking;
	const uint16_t *single;
	struct buf *to;
	bool clean;
};

/* 0, what no table has, is a character that is lost. */
static void put(struct reader *r, uint32_t character)
{
	utf8_add(r->to, character ? character : REPLACEMENT);
	r->clean = r->clean && character;
}

/* The character behind an escape. */
static uint32_t escaped(const struct reader *r, uint8_t septet)
{
	if (septet == ESCAPE)
		return ' ';
	return r->single[septet] ? r->single[septet] : r->locking[septet];
}

bool text_gsm7_decode(struct view octets, struct text_shift shift, struct buf *to)
{
	struct reader r = {.locking = table_of(locking_tables, shift.locking, IN_EVERY_LOCKING),
	                   .single = table_of(single_tables, shift.single, IN_EVERY_SINGLE),
	                   .to = to,
	                   .clean = true};
	for (size_t i = 0; i < octets.n; i++) {
		uint8_t o = octets.p[i];
		bool pair = o == ESCAPE && i + 1 < octets.n && octets.p[i + 1] < 0x80;
		if (pair)
			put(&r, escaped(&r, octets.p[++i]));
		else
			put(&r, o < 0x80 ? r.locking[o] : 0); /* a row has no escape of its own: a lone one is lost */
	}
	return r.clean;
}
