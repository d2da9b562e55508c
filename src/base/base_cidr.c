#include "base_cidr.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* The address with the number of bits it has: 32 or 128; 0 when it is none. */
static unsigned parse_address(struct view text, uint8_t to[ADDRESS_BYTES])
{
	char copy[INET6_ADDRSTRLEN];
	if (!copy_view(copy, sizeof(copy), text) || strlen(copy) != text.n)
		return 0;
	if (inet_pton(AF_INET6, copy, to) == 1)
		return 128;
	memcpy(to, mapped, sizeof(mapped));
	return inet_pton(AF_INET, copy, to + sizeof(mapped)) == 1 ? 32 : 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned octets = bits / 8;
	unsigned rest = bits % 8;
	if (memcmp(a, b, octets) != 0)
		return false;
	return rest == 0 || (a[octets] ^ b[octets]) >> (8 - rest) == 0;
}

static bool zero_after(const struct cidr *c)
{
	for (unsigned bit = c->bits; bit < 8 * ADDRESS_BYTES; bit++)
		if (c->address[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

bool cidr_parse(struct view text, struct cidr *to)
{
	const uint8_t *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	size_t n = slash ? (size_t)(slash - text.p) : text.n;
	unsigned most = parse_address(view_of(text.p, n), to->address);
	uint64_t bits = most;
	if (!most || (slash && !parse_u64(view_of(slash + 1, text.n - n - 1), most, &bits)))
		return false;
	to->bits = (unsigned)bits + (8 * ADDRESS_BYTES - most);
	return zero_after(to);
}

int cidr_list_parse(struct view text, struct cidr *to, unsigned cap, size_t *at_r)
{
	unsigned n = 0;
	size_t at = 0;
	while (at < text.n) {
		size_t end = at;
		while (end < text.n && text.p[end] != ' ')
			end++;
		*at_r = at;
		if (end > at && (n == cap || !cidr_parse(view_of(text.p + at, end - at), &to[n++])))
			return -1;
		at = end + 1;
	}
	return (int)n;
}

bool cidr_list_has(const struct cidr *list, unsigned n, const uint8_t address[ADDRESS_BYTES])
{
	for (unsigned i = 0; i < n; i++)
		if (same_bits(list[i].address, address, list[i].bits))
			return true;
	return false;
}
