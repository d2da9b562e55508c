#include "smpp_id.h"

#include "base_check.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_uuid(struct view id)
{
	if (id.n != 36)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? id.p[i] != '-' : !is_digit(id.p[i]) && !is_hex_letter(id.p[i]))
			return false;
	}
	return true;
}

enum smpp_id_form smpp_id_form(struct view id)
{
	size_t digits = 0;
	size_t letters = 0;
	for (size_t i = 0; i < id.n; i++) {
		digits += is_digit(id.p[i]);
		letters += is_hex_letter(id.p[i]);
	}
	if (id.n == 0)
		return SMPP_ID_NO_FORM;
	if (digits + letters < id.n)
		return is_uuid(id) ? SMPP_ID_UUID : SMPP_ID_OPAQUE;
	return letters ? SMPP_ID_HEX : SMPP_ID_DECIMAL;
}

const char *smpp_id_form_name(enum smpp_id_form f)
{
	static const char *const names[SMPP_ID_FORMS] = {"none", "decimal", "hex", "uuid", "opaque"};
	check((unsigned)f < SMPP_ID_FORMS);
	return names[f];
}

const char *smpp_id_relation_name(enum smpp_id_relation r)
{
	static const char *const names[SMPP_ID_RELATIONS] = {"same",    "case",   "zeros", "dec_hex",
	                                                     "hex_dec", "signed", "other"};
	check((unsigned)r < SMPP_ID_RELATIONS);
	return names[r];
}

static struct view without_zeros(struct view id)
{
	while (id.n > 1 && id.p[0] == '0')
		id.p++, id.n--;
	return id;
}

static bool parse_hex(struct view id, uint64_t *number_r)
{
	enum smpp_id_form form = smpp_id_form(id);
	uint64_t number = 0;
	id = without_zeros(id);
	if ((form != SMPP_ID_HEX && form != SMPP_ID_DECIMAL) || id.n > 16)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		unsigned c = id.p[i] | 0x20u; /* lower case; digits already have the bit */
		number = number << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*number_r = number;
	return true;
}

static bool parse_decimal(struct view id, uint64_t *number_r)
{
	return parse_u64(without_zeros(id), UINT64_MAX, number_r);
}

static bool same_signed(struct view receipt, struct view answer)
{
	uint64_t magnitude;
	uint64_t number;
	if (receipt.n < 2 || receipt.p[0] != '-' ||
	    !parse_u64(view_of(receipt.p + 1, receipt.n - 1), UINT64_C(0x80000000), &magnitude) || magnitude == 0)
		return false;
	uint64_t meant = (UINT64_C(1) << 32) - magnitude;
	return (parse_decimal(answer, &number) && number == meant) || (parse_hex(answer, &number) && number == meant);
}

enum smpp_id_relation smpp_id_relation(struct view receipt, struct view answer)
{
	uint64_t ours;
	uint64_t theirs;
	if (view_eq(receipt, answer))
		return SMPP_ID_SAME;
	if (view_eq_nocase(receipt, answer))
		return SMPP_ID_CASE;
	if (view_eq_nocase(without_zeros(receipt), without_zeros(answer)))
		return SMPP_ID_ZEROS;
	if (parse_decimal(receipt, &theirs) && parse_hex(answer, &ours) && theirs == ours)
		return SMPP_ID_DEC_HEX;
	if (parse_hex(receipt, &theirs) && parse_decimal(answer, &ours) && theirs == ours)
		return SMPP_ID_HEX_DEC;
	return same_signed(receipt, answer) ? SMPP_ID_SIGNED : SMPP_ID_OTHER;
}

bool smpp_id_spell(enum smpp_id_relation r, struct view receipt, char to[24])
{
	uint64_t number;
	if (r == SMPP_ID_DEC_HEX && parse_decimal(receipt, &number))
		snprintf(to, 24, "%" PRIx64, number);
	else if (r == SMPP_ID_HEX_DEC && parse_hex(receipt, &number))
		snprintf(to, 24, "%" PRIu64, number);
	else
		return false;
	return true;
}
