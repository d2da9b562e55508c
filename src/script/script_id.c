#include "script_id.h"

#include "base_check.h"
#include "script_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TAIL 12 /* hexadecimal digits of the number at the end of a UUID or a long id */

static void mix_case(char *text)
{
	bool upper = true;
	for (; *text; text++)
		if (*text >= 'a' && *text <= 'f') {
			*text = upper ? (char)(*text - 32) : *text;
			upper = !upper;
		}
}

static void spell_uuid(uint64_t number, uint64_t seed, char *to)
{
	uint64_t a = script_draw(seed, 0, number, 0);
	snprintf(to, SCRIPT_ID_BYTES, "%08x-%04x-4%03x-8%03x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a & 0xffff),
	         (unsigned)(a >> 16 & 0xfff), (unsigned)(a >> 4 & 0xfff), number);
}

/* Letters beyond f make it opaque: nobody may take it for a number. */
static void spell_long(uint64_t number, uint64_t seed, char *to)
{
	static const char letters[] = "ghijkmnpqrstuvwxyz";
	unsigned fill = SCRIPT_ID_BYTES - 1 - TAIL;
	for (unsigned i = 0; i < fill; i++)
		to[i] = letters[script_draw_below(script_draw(seed, 1, number, i), sizeof(letters) - 1)];
	snprintf(to + fill, TAIL + 1, "%012" PRIx64, number);
}

const char *script_id_spell(enum script_word spelling, uint64_t number, uint64_t seed, char to[SCRIPT_ID_BYTES])
{
	check(number >> SCRIPT_ID_NUMBER_BITS == 0);
	if (spelling == SCRIPT_ID_uuid)
		spell_uuid(number, seed, to);
	else if (spelling == SCRIPT_ID_long)
		spell_long(number, seed, to);
	else if (spelling == SCRIPT_ID_dec)
		snprintf(to, SCRIPT_ID_BYTES, "%" PRIu64, number);
	else if (spelling == SCRIPT_ID_padded)
		snprintf(to, SCRIPT_ID_BYTES, "%010" PRIu64, number);
	else if (spelling == SCRIPT_ID_upper)
		snprintf(to, SCRIPT_ID_BYTES, "%" PRIX64, number);
	else if (spelling == SCRIPT_ID_hex_padded)
		snprintf(to, SCRIPT_ID_BYTES, "%010" PRIx64, number);
	else
		snprintf(to, SCRIPT_ID_BYTES, "%" PRIx64, number);
	if (spelling == SCRIPT_ID_mixed)
		mix_case(to);
	return to;
}

static bool read_hex(struct view digits, uint64_t *number_r)
{
	*number_r = 0;
	for (size_t i = 0; i < digits.n; i++) {
		uint8_t c = digits.p[i] | 0x20;
		unsigned digit = c >= '0' && c <= '9' ? c - 48u : c >= 'a' && c <= 'f' ? c - 87u : 16u;
		if (digit == 16 || *number_r >> (SCRIPT_ID_NUMBER_BITS - 4))
			return false;
		*number_r = *number_r << 4 | digit;
	}
	return digits.n > 0;
}

unsigned script_id_read(struct view id, uint64_t to[SCRIPT_ID_READINGS])
{
	unsigned n = 0;
	n += parse_u64(id, (UINT64_C(1) << SCRIPT_ID_NUMBER_BITS) - 1, &to[n]);
	n += read_hex(id, &to[n]);
	if (id.n > TAIL)
		n += read_hex(view_of(id.p + id.n - TAIL, TAIL), &to[n]);
	return n;
}
