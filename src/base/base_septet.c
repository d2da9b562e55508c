#include "base_septet.h"

#define CARRIAGE_RETURN 0x0d

/* Whether a reader takes a septet that ends with the last of so many octets for filling. */
static bool fills(uint8_t septet, size_t octets)
{
	return septet == CARRIAGE_RETURN || (septet == 0 && octets < SEPTET_FULL);
}

unsigned septet_fill_bits(size_t header_octets)
{
	return (unsigned)((7 - header_octets * 8 % 7) % 7);
}

/* Bits that wait for their octet: at most 7 before a septet comes, 14 with it. */
struct packer {
	struct buf *to;
	unsigned bits;
	unsigned count;
};

static bool pack_one(struct packer *p, uint8_t septet)
{
	p->bits |= (unsigned)septet << p->count;
	p->count += 7;
	if (p->count < 8)
		return true;
	bool fits = buf_add_u8(p->to, (uint8_t)p->bits);
	p->bits >>= 8;
	p->count -= 8;
	return fits;
}

bool septet_pack(struct view septets, size_t header_octets, struct buf *to)
{
	struct packer p = {to, 0, septet_fill_bits(header_octets)};
	size_t before = to->n;
	for (size_t i = 0; i < septets.n; i++)
		if (!pack_one(&p, septets.p[i] & 0x7f))
			return false;
	size_t octets = header_octets + to->n - before;
	bool spare = p.count == 1;
	bool doubtful = p.count == 0 && septets.n && octets < SEPTET_FULL && fills(septets.p[septets.n - 1], octets);
	if ((spare || doubtful) && !pack_one(&p, CARRIAGE_RETURN))
		return false;
	return p.count == 0 || buf_add_u8(to, (uint8_t)p.bits);
}

static uint8_t septet_at(struct view octets, size_t bit)
{
	unsigned pair = octets.p[bit / 8];
	if (bit / 8 + 1 < octets.n)
		pair |= (unsigned)octets.p[bit / 8 + 1] << 8;
	return pair >> bit % 8 & 0x7f;
}

bool septet_unpack(struct view octets, size_t header_octets, struct buf *to)
{
	unsigned fill_bits = septet_fill_bits(header_octets);
	size_t bits = octets.n * 8;
	size_t count = bits > fill_bits ? (bits - fill_bits) / 7 : 0;
	bool ends = count && (bits - fill_bits) % 7 == 0;
	if (ends && fills(septet_at(octets, bits - 7), header_octets + octets.n))
		count--;
	for (size_t i = 0; i < count; i++)
		if (!buf_add_u8(to, septet_at(octets, fill_bits + i * 7)))
			return false;
	return true;
}
