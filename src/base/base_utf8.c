#include "base_utf8.h"

static size_t sequence_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if ((lead & 0xf0) == 0xe0)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t utf8_get(struct view text, size_t at, uint32_t *character_r)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t lead_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	if (at >= text.n)
		return 0;
	size_t n = sequence_length(text.p[at]);
	if (n == 0 || n > text.n - at)
		return 0;
	uint32_t c = text.p[at] & lead_mask[n];
	for (size_t i = 1; i < n; i++) {
		if ((text.p[at + i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text.p[at + i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*character_r = c;
	return n;
}

size_t utf8_put(uint8_t to[4], uint32_t c)
{
	if (c < 0x80) {
		to[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (uint8_t)(0xc0 | c >> 6);
		to[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (uint8_t)(0xe0 | c >> 12);
		to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		to[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (uint8_t)(0xf0 | c >> 18);
	to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	to[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

bool utf8_add(struct buf *to, uint32_t character)
{
	uint8_t octets[4];
	return buf_add(to, octets, utf8_put(octets, character));
}

bool utf8_valid(struct view text)
{
	uint32_t c;
	for (size_t at = 0; at < text.n;) {
		size_t n = utf8_get(text, at, &c);
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

size_t utf8_length(struct view text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80;
	return n;
}
