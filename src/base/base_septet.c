#include "base_septet.h"

#define CARRIAGE_RETURN 0x0d

/* Whether a reader takes the septet for filling when it ends with its octet. */
static bool fills(uint8_t septet)
{
	return septet == CARRIAGE_RETURN || septet == 0;
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

bool septet_pack(struct view septets, unsigned fill_bits, struct buf *to)
{
	struct packer p = {to, 0, fill_bits};
	for (size_t i = 0; i < septets.n; i++)
		if (!pack_one(&p, septets.p[i] & 0x7f))
			return false;
	bool spare = p.count == 1;
	bool doubtful = p.count == 0 && septets.n && fills(septets.p[septets.n - 1]);
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

bool septet_unpack(struct view octets, unsigned fill_bits, struct buf *to)
{
	size_t bits = octets.n * 8;
	size_t count = bits > fill_bits ? (bits - fill_bits) / 7 : 0;
	if (count && (bits - fill_bits) % 7 == 0 && fills(septet_at(octets, bits - 7)))
		count--;
	for (size_t i = 0; i < count; i++)
		if (!buf_add_u8(to, septet_at(octets, fill_bits + i * 7)))
			return false;
	return true;
}
