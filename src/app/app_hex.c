#include "app_pdu.h"

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool separates(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == ':' || c == ',' || c == ';' || c == '-' || c == '\\';
}

/* The x of 0x or \x takes back what it follows. */
static bool take_x(struct app_hex *h)
{
	bool prefix = h->half == 16 || h->backslash;
	h->half = 0;
	return prefix;
}

static bool take(struct app_hex *h, uint8_t c, struct buf *to)
{
	int digit = digit_of(c);
	if (digit < 0)
		return c == 'x' || c == 'X' ? take_x(h) : separates(c) && h->half == 0;
	if (h->half == 0) {
		h->half = 16 + digit;
		return true;
	}
	uint8_t octet = (uint8_t)((h->half & 15) << 4 | digit);
	h->half = 0;
	return buf_add_u8(to, octet);
}

bool app_hex_read(struct app_hex *h, struct view text, struct buf *to, size_t *bad_r)
{
	for (size_t i = 0; i < text.n; i++) {
		if (!take(h, text.p[i], to)) {
			*bad_r = i;
			return false;
		}
		h->backslash = text.p[i] == '\\';
	}
	return true;
}
