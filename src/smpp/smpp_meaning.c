#include "smpp_meaning.h"

#include "base_utf8.h"
#include "smpp_status.h"

#include <inttypes.h>
#include <string.h>

#define NOTHING(...)

static const struct {
	const char *name;
	const char *list;
} lists[] = {
#define SMPP_MEANS(name, list) {#name, #list},
#define SMPP_MEANING NOTHING
#define SMPP_PART NOTHING
#define SMPP_UDH NOTHING
#include "smpp_meaning.def"
#undef SMPP_MEANS
#undef SMPP_MEANING
};

static const struct {
	const char *list;
	uint32_t mask;
	uint32_t value;
	const char *words;
} meanings[] = {
#define SMPP_MEANS NOTHING
#define SMPP_MEANING(list, mask, value, words) {#list, mask, value, words},
#include "smpp_meaning.def"
#undef SMPP_MEANING
#undef SMPP_PART
#define SMPP_MESSAGE_STATE(name, number, final, sentence) {"message_state", 0xff, number, #name ": " sentence},
#define SMPP_RECEIPT_WORD NOTHING
#define SMPP_RECEIPT_LABEL NOTHING
#include "smpp_receipt.def"
#undef SMPP_MESSAGE_STATE
#undef SMPP_RECEIPT_WORD
#undef SMPP_RECEIPT_LABEL
#define GSM7_LANGUAGE(identifier, name) {"language", 0xff, identifier, name},
#include "gsm7_national.def"
};

enum part_type { U8 = 1, U16 = 2, U32 = 4, TEXT, HEX };

static const struct {
	const char *name;
	const char *part;
	enum part_type type;
} parts[] = {
#define SMPP_MEANING NOTHING
#define SMPP_PART(name, part, type) {#name, #part, type},
#include "smpp_meaning.def"
#undef SMPP_PART
#undef SMPP_UDH
};

static const struct {
	uint8_t element;
	const char *name;
} elements[] = {
#define SMPP_PART NOTHING
#define SMPP_UDH(element, name) {element, #name},
#include "smpp_meaning.def"
#undef SMPP_MEANS
#undef SMPP_MEANING
#undef SMPP_PART
#undef SMPP_UDH
};

static const char *list_of(const char *name)
{
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strcmp(lists[i].name, name) == 0)
			return lists[i].list;
	return name;
}

static bool is_status(const char *name)
{
	return strcmp(name, "command_status") == 0 || strcmp(name, "error_status_code") == 0 ||
	       strcmp(name, "broadcast_error_status") == 0;
}

void smpp_meaning_add(const char *name, uint32_t number, struct buf *to)
{
	if (is_status(name)) {
		buf_printf(to, "  %s: %s", smpp_status_name(number), smpp_status_sentence(number));
		return;
	}
	const char *list = list_of(name);
	const char *between = "  ";
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		if (strcmp(meanings[i].list, list) != 0 || (number & meanings[i].mask) != meanings[i].value)
			continue;
		buf_printf(to, "%s%s", between, meanings[i].words);
		between = ", ";
	}
}

static void add_hex(struct view octets, struct buf *to)
{
	for (size_t i = 0; i < octets.n; i++)
		buf_printf(to, "%02x", octets.p[i]);
}

/* Octets that a part takes of those left. */
static size_t part_size(enum part_type type, struct view octets)
{
	return type <= U32 ? (size_t)type : octets.n;
}

static void add_part(const char *name, enum part_type type, struct view octets, struct buf *to)
{
	buf_printf(to, "%s ", name);
	if (type == TEXT) {
		smpp_meaning_quote(octets, to);
	} else if (type == HEX) {
		add_hex(octets, to);
	} else {
		uint32_t number = 0;
		for (size_t i = 0; i < octets.n; i++)
			number = number << 8 | octets.p[i];
		buf_printf(to, "%" PRIu32, number);
		smpp_meaning_add(name, number, to);
	}
}

bool smpp_meaning_parts(const char *name, struct view octets, struct buf *to)
{
	const char *between = "";
	size_t at = 0;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (strcmp(parts[i].name, name) != 0)
			continue;
		struct view left = view_of(octets.p + at, octets.n - at);
		size_t n = part_size(parts[i].type, left);
		if (n == 0 || n > left.n)
			break;
		buf_add_str(to, between);
		add_part(parts[i].part, parts[i].type, view_of(left.p, n), to);
		between = ", ";
		at += n;
	}
	if (at && at < octets.n) {
		buf_add_str(to, ", then ");
		add_hex(view_of(octets.p + at, octets.n - at), to);
	}
	return at > 0;
}

const char *smpp_meaning_udh(uint8_t element)
{
	for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
		if (elements[i].element == element)
			return elements[i].name;
	return NULL;
}

static unsigned two(struct view text, size_t at)
{
	return (unsigned)(text.p[at] - '0') * 10 + (text.p[at + 1] - '0');
}

static bool digits(struct view text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return true;
}

void smpp_meaning_time(struct view text, struct buf *to)
{
	if (text.n != 16 || !digits(text, 15))
		return;
	unsigned quarters = two(text, 13);
	uint8_t sign = text.p[15];
	if (sign == 'R')
		buf_printf(to, "  in %u years %u months %u days %02u:%02u:%02u", two(text, 0), two(text, 2),
		           two(text, 4), two(text, 6), two(text, 8), two(text, 10));
	else if (sign == '+' || sign == '-')
		buf_printf(to, "  20%02u-%02u-%02u %02u:%02u:%02u.%c, UTC%c%02u:%02u", two(text, 0), two(text, 2),
		           two(text, 4), two(text, 6), two(text, 8), two(text, 10), text.p[12], sign, quarters / 4,
		           quarters % 4 * 15);
}

/* Control characters, and those that change the direction of what follows. */
static bool unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static void quote_one(uint32_t c, struct view octets, struct buf *to)
{
	if (c == '"' || c == '\\')
		buf_printf(to, "\\%c", (char)c);
	else if (c == '\n')
		buf_add_str(to, "\\n");
	else if (!unsafe(c))
		buf_add_view(to, octets);
	else if (c < 0x80)
		buf_printf(to, "\\x%02x", (unsigned)c);
	else
		buf_printf(to, "\\u{%04x}", (unsigned)c);
}

void smpp_meaning_quote(struct view text, struct buf *to)
{
	buf_add_u8(to, '"');
	for (size_t at = 0; at < text.n;) {
		uint32_t c;
		size_t n = utf8_get(text, at, &c);
		if (n)
			quote_one(c, view_of(text.p + at, n), to);
		else
			buf_printf(to, "\\x%02x", text.p[at]);
		at += n ? n : 1;
	}
	buf_add_u8(to, '"');
}
