#include "smpp_receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ID_BYTES 65

struct list {
	char (*to)[66];
	unsigned n;
};

static void add(struct list *l, struct view id)
{
	for (unsigned i = 0; i < l->n; i++)
		if (view_eq(view_str(l->to[i]), id))
			return;
	if (l->n < LIMIT_RECEIPT_CANDIDATES && id.n)
		copy_view(l->to[l->n++], 66, id);
}

/* form: 'd' decimal, 'x' and 'X' hexadecimal. */
static void add_number(struct list *l, char form, uint64_t number)
{
	char text[24];
	if (form == 'd')
		snprintf(text, sizeof text, "%" PRIu64, number);
	else if (form == 'x')
		snprintf(text, sizeof text, "%" PRIx64, number);
	else
		snprintf(text, sizeof text, "%" PRIX64, number);
	add(l, view_str(text));
}

static void add_folded(struct list *l, struct view id, char first, char last, int shift)
{
	char text[ID_BYTES];
	for (size_t i = 0; i < id.n; i++)
		text[i] = (char)(id.p[i] >= first && id.p[i] <= last ? id.p[i] + shift : id.p[i]);
	add(l, view_of(text, id.n));
}

static void add_lower(struct list *l, struct view id)
{
	add_folded(l, id, 'A', 'Z', 'a' - 'A');
}

static struct view without_zeros(struct view id)
{
	while (id.n > 1 && id.p[0] == '0')
		id.p++, id.n--;
	return id;
}

static bool hex_number(struct view id, uint64_t *number_r)
{
	uint64_t number = 0;
	if (id.n > 16)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		unsigned letter = id.p[i] | 0x20u; /* lower case; digits already have the bit */
		number = number << 4 | (letter <= '9' ? letter - '0' : letter - 'a' + 10);
	}
	*number_r = number;
	return true;
}

static bool is_hex(struct view id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!memchr("0123456789abcdefABCDEF", id.p[i], 22))
			return false;
	return id.n > 0;
}

static void add_both_hex(struct list *l, uint64_t number)
{
	add_number(l, 'x', number);
	add_number(l, 'X', number);
}

/* A 32-bit number that somebody printed with a sign. */
static bool add_negative(struct list *l, struct view id)
{
	uint64_t magnitude;
	if (id.n < 2 || id.p[0] != '-' || !parse_u64(view_of(id.p + 1, id.n - 1), UINT64_C(0x80000000), &magnitude) ||
	    magnitude == 0)
		return false;
	uint64_t number = (UINT64_C(1) << 32) - magnitude;
	add_number(l, 'd', number);
	add_both_hex(l, number);
	return true;
}

static void add_spellings(struct list *l, struct view id)
{
	uint64_t number;
	add_lower(l, without_zeros(id));
	if (parse_u64(id, UINT64_MAX, &number))
		add_both_hex(l, number);
	else
		add_folded(l, id, 'a', 'f', 'A' - 'a');
	if (hex_number(without_zeros(id), &number))
		add_number(l, 'd', number);
}

unsigned smpp_receipt_candidates(struct view id, char to[LIMIT_RECEIPT_CANDIDATES][66])
{
	struct list l = {to, 0};
	if (id.n == 0 || id.n > ID_BYTES || memchr(id.p, 0, id.n))
		return 0;
	add(&l, id);
	if (add_negative(&l, id))
		return l.n;
	add_lower(&l, id);
	if (is_hex(id))
		add_spellings(&l, id);
	return l.n;
}
