#include "base_uuid.h"

#include "base_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *to, size_t n)
{
	uint8_t *p = to;
	while (n) {
		size_t piece = n < 256 ? n : 256; /* getrandom never returns short below 256 */
		check(getrandom(p, piece, 0) == (ssize_t)piece);
		p += piece;
		n -= piece;
	}
}

uint64_t random_below(uint64_t below)
{
	uint64_t value;
	random_bytes(&value, sizeof(value));
	return below ? value % below : 0;
}

struct uuid uuid_make(struct uuid_maker *m, int64_t wall_us)
{
	int64_t ms = wall_us / 1000;
	uint8_t random[8];
	random_bytes(random, sizeof(random));
	if (ms > m->last_ms) {
		m->last_ms = ms;
		m->counter = (uint32_t)(random[6] << 8 | random[7]); /* starts low: room to count up */
	} else if (++m->counter >= 1u << 26) {
		m->last_ms++;
		m->counter = 0;
	}
	struct uuid id;
	uint64_t t = (uint64_t)m->last_ms;
	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(t >> (40 - 8 * i));
	id.b[6] = (uint8_t)(0x70 | (m->counter >> 22 & 0x0f));
	id.b[7] = (uint8_t)(m->counter >> 14);
	id.b[8] = (uint8_t)(0x80 | (m->counter >> 8 & 0x3f));
	id.b[9] = (uint8_t)m->counter;
	memcpy(id.b + 10, random, 6);
	return id;
}

const char *uuid_format(const struct uuid *id, char to[UUID_TEXT_BYTES])
{
	char hex[33];
	hex_encode(id->b, 16, hex);
	snprintf(to, UUID_TEXT_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return to;
}

bool uuid_parse(struct view text, struct uuid *id_r)
{
	char hex[32];
	size_t n = 0;
	if (text.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash != (text.p[i] == '-'))
			return false;
		if (!dash)
			hex[n++] = (char)text.p[i];
	}
	return hex_decode(view_of(hex, 32), id_r->b, 16);
}

bool uuid_is_zero(const struct uuid *id)
{
	static const struct uuid zero;
	return memcmp(id, &zero, sizeof(zero)) == 0;
}
