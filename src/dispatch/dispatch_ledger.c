#include "dispatch_ledger.h"

#include <inttypes.h>

/* Digits where the pattern has 0, else the same character. */
static bool fits(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++)
		if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return true;
}

void dispatch_ledger_time(const char *printed, struct buf *to)
{
	const char *at = printed + strspn(printed, "0123456789");
	size_t year = (size_t)(at - printed);
	if (year < 4 || !fits(at, "-00-00 00:00:00")) {
		buf_add_str(to, printed);
		return;
	}
	const char *rest = at + 15;
	size_t digits = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
	const char *end = digits ? rest + 1 + digits : rest;
	if (digits > 6 || strcmp(end, "+00") != 0) {
		buf_add_str(to, printed);
		return;
	}
	buf_add(to, printed, year);
	buf_printf(to, "%.6sT%.8s.%.*s%.*sZ", at, at + 7, (int)digits, rest + 1, (int)(6 - digits), "000000");
}

/* PostgreSQL's escapes in JSON: nothing but quotes, backslashes and what is below a blank. */
static void add_text(const char *text, struct buf *to)
{
	static const char plain[] = "\b\f\n\r\t\"\\";
	static const char letter[] = "bfnrt\"\\";
	buf_add_u8(to, '"');
	for (const char *c = text; *c; c++) {
		const char *special = strchr(plain, *c);
		if (special) {
			buf_add_u8(to, '\\');
			buf_add_u8(to, (uint8_t)letter[special - plain]);
		} else if ((unsigned char)*c < ' ') {
			buf_printf(to, "\\u%04x", (unsigned)*c);
		} else {
			buf_add_u8(to, (uint8_t)*c);
		}
	}
	buf_add_u8(to, '"');
}

static void add_column(unsigned i, const char *text, struct buf *to)
{
	struct buf time = BUF(64);
	if (!text) {
		buf_add_str(to, "null");
	} else if (i == LEDGER_ID) {
		buf_add_str(to, text);
	} else if (i == LEDGER_AT || i == LEDGER_RECORDED) {
		dispatch_ledger_time(text, &time);
		add_text(buf_cstr(&time), to);
	} else {
		add_text(text, to);
	}
	buf_free(&time);
}

void dispatch_ledger_event(const char *const columns[LEDGER_COLUMNS], struct buf *to)
{
	buf_add_u8(to, '[');
	for (unsigned i = 0; i < LEDGER_COLUMNS; i++) {
		if (i)
			buf_add_str(to, ", ");
		add_column(i, columns[i], to);
	}
	buf_add_u8(to, ']');
}

void dispatch_ledger_line(const struct ledger_entry *e, struct buf *to)
{
	char hex[2 * SHA256_BYTES + 1];
	hex_encode(e->hash, sizeof(e->hash), hex);
	buf_printf(to, "%s %" PRId64 " %s %s %s ", hex, e->number, e->practice, e->xact, e->id);
	dispatch_ledger_time(e->at, to);
	buf_printf(to, " %s\n", e->type);
}

static void add_time(const char *name, const char *printed, struct buf *to)
{
	buf_add_str(to, name);
	dispatch_ledger_time(printed, to);
}

void dispatch_ledger_seal(const struct ledger_seal *s, struct buf *to)
{
	buf_printf(to, "smsbridge seal %" PRId64 "\nevents %" PRId64 " %" PRId64 "\n", s->number, s->first, s->last);
	add_time("times ", s->earliest, to);
	add_time(" ", s->latest, to);
	buf_printf(to, "\ndigest %s\nprevious %s\n", s->digest, s->previous);
	add_time("at ", s->at, to);
	buf_printf(to, "\nkey %s\n", s->key ? s->key : "none");
}

void dispatch_ledger_key(const struct ledger_key *k, struct buf *to)
{
	char hex[2 * SIGN_PUBLIC_BYTES + 1];
	hex_encode(k->public_key, sizeof(k->public_key), hex);
	buf_printf(to, "smsbridge ledger key %d\npublic %s\nprevious %s\n", k->id, hex,
	           k->previous ? k->previous : "none");
	add_time("at ", k->at, to);
	buf_add_u8(to, '\n');
}
