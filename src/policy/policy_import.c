#include "policy_import.h"

#include "base_check.h"
#include "base_time.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fields {
	struct view f[LIMIT_IMPORT_COLUMNS];
	unsigned count;
};

static const char *const answers[] = {
        [IMPORT_NONE] = "",
        [IMPORT_YES] = "yes",
        [IMPORT_NO] = "no",
        [IMPORT_NO_DATA] = "no_data",
};

const char *policy_import_answer(enum import_answer a)
{
	return answers[a];
}

const char *policy_import_sentence(enum import_fault f)
{
	static const char *const sentences[] = {
	        [IMPORT_FINE] = "fine",
	        [IMPORT_BAD_NUMBER] = "not a number that a patient may have",
	        [IMPORT_BAD_DATE] = "no date, or none of the calendar",
	        [IMPORT_BAD_ANSWER] = "no answer, or none of yes, no and no data",
	        [IMPORT_BAD_LINE] = "too long, or a quote that does not end",
	};
	return sentences[f];
}

/* --- a line --------------------------------------------------------------------------------------------------------
 */

static bool parts(char c)
{
	return c == ',' || c == ';' || c == '\t' || c == '|';
}

/* A quoted field: its octets move to where it began, without the quotes. NULL when it does not end. */
static char *take_quoted(char *at, struct view *field_r)
{
	char *to = at;
	char *from = at + 1;
	for (;; from++) {
		if (!*from)
			return NULL;
		if (*from != '"')
			*to++ = *from;
		else if (from[1] == '"')
			*to++ = *from++;
		else
			break;
	}
	*field_r = view_trim(view_of(at, (size_t)(to - at)));
	for (from++; *from && !parts(*from);)
		from++;
	return from;
}

/* False when a quote does not end. The text is taken apart in place. */
static bool take_fields(char *text, struct fields *to)
{
	to->count = 0;
	for (char *at = text; to->count < COUNT(to->f);) {
		at += strspn(at, " ");
		struct view *field = &to->f[to->count++];
		if (*at == '"') {
			at = take_quoted(at, field);
		} else {
			char *end = at;
			while (*end && !parts(*end))
				end++;
			*field = view_trim(view_of(at, (size_t)(end - at)));
			at = end;
		}
		if (!at)
			return false;
		if (!*at++)
			break;
	}
	return true;
}

/* "+12125550101", "2125550101", "1-212-555-0101", "(212) 555-0101" */
static bool take_number(struct view v, char to[PHONE_BYTES])
{
	char digits[PHONE_BYTES + 1] = "+1";
	size_t n = 2;
	for (size_t i = 0; i < v.n; i++) {
		bool digit = v.p[i] >= '0' && v.p[i] <= '9';
		if (!digit && !strchr("+-. ()", v.p[i] ? v.p[i] : 'x'))
			return false;
		if (digit && n == 2 && v.p[i] == '1')
			continue; /* no area code begins with 1 */
		if (digit && n == PHONE_BYTES - 1)
			return false;
		if (digit)
			digits[n++] = (char)v.p[i];
	}
	enum phone_check result = policy_phone_check(view_of(digits, n));
	copy_view(to, PHONE_BYTES, view_of(digits, n));
	return result == PHONE_OK || result == PHONE_FICTIONAL;
}

static bool day_fits(const char *text, char to[11])
{
	char whole[32];
	int64_t at_us;
	snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
	return strlen(text) == 10 && time_parse(view_str(whole), &at_us) && copy_str(to, 11, text);
}

static bool day_of(uint64_t year, uint64_t month, uint64_t day, char to[11])
{
	char iso[16];
	snprintf(iso, sizeof(iso), "%04u-%02u-%02u", (unsigned)year, (unsigned)month, (unsigned)day);
	return day_fits(iso, to);
}

/* "3/2/2026" and "03/02/2026" */
static bool take_american(struct view v, char to[11])
{
	uint64_t n[3];
	size_t at = 0;
	for (int i = 0; i < 3; i++) {
		size_t end = at;
		while (end < v.n && v.p[end] != '/')
			end++;
		if (end - at > 4 || at > v.n || !parse_u64(view_of(v.p + at, end - at), 9999, &n[i]) ||
		    (end == v.n) != (i == 2))
			return false;
		at = end + 1;
	}
	return n[0] < 100 && n[1] < 100 && day_of(n[2], n[0], n[1], to);
}

/* "2026-03-02", "20260302", "3/2/2026" */
static bool take_day(struct view v, char to[11])
{
	char text[16];
	uint64_t n;
	if (!copy_view(text, sizeof(text), v))
		return false;
	if (v.n == 8 && parse_u64(v, 99999999, &n))
		return day_of(n / 10000, n / 100 % 100, n % 100, to);
	return day_fits(text, to) || take_american(v, to);
}

static enum import_answer take_answer(struct view v)
{
	static const struct {
		const char *word;
		enum import_answer answer;
	} words[] = {{"yes", IMPORT_YES},       {"y", IMPORT_YES},           {"no", IMPORT_NO},
	             {"n", IMPORT_NO},          {"no data", IMPORT_NO_DATA}, {"no_data", IMPORT_NO_DATA},
	             {"nodata", IMPORT_NO_DATA}};
	for (size_t i = 0; i < COUNT(words); i++)
		if (view_eq_nocase(v, view_str(words[i].word)))
			return words[i].answer;
	return IMPORT_NONE;
}

/* --- a header ------------------------------------------------------------------------------------------------------
 */

static bool is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether one of the words, with blanks between, stands in the field by itself. */
static bool says(struct view field, const char *words)
{
	for (size_t i = 0, n; i < field.n; i += n + 1) {
		n = 0;
		while (i + n < field.n && is_word(field.p[i + n]))
			n++;
		for (const char *w = words; n && *w; w += strcspn(w, " "), w += *w == ' ')
			if (view_eq_nocase(view_of(field.p + i, n), view_of(w, strcspn(w, " "))))
				return true;
	}
	return false;
}

static void take_header(struct import_reader *r, const struct fields *fields)
{
	static const char *const words[] = {"answer result response status disconnected",
	                                    "date day consent deactivated since",
	                                    "number phone telephone tn mdn ctn msisdn mobile"};
	int *const column[] = {&r->answer, &r->date, &r->number};
	int found[3] = {-1, -1, -1};
	for (unsigned i = 0; i < fields->count; i++)
		for (int k = 0; k < 3; k++)
			if (says(fields->f[i], words[k])) {
				found[k] = found[k] < 0 ? (int)i : found[k];
				break;
			}
	for (int k = 0; k < 3; k++)
		if (found[k] >= 0)
			*column[k] = found[k];
}

/* A first line without a number but with letters. */
static bool is_header(const struct fields *fields)
{
	char phone[PHONE_BYTES];
	bool letters = false;
	for (unsigned i = 0; i < fields->count; i++) {
		if (take_number(fields->f[i], phone))
			return false;
		for (size_t k = 0; k < fields->f[i].n; k++)
			letters = letters || is_word(fields->f[i].p[k]);
	}
	return letters;
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

void policy_import_begin(struct import_reader *r, enum import_kind kind, import_row_cb cb, void *ctx)
{
	bool answers_too = kind == IMPORT_REASSIGNED;
	*r = (struct import_reader){.kind = kind, .cb = cb, .ctx = ctx, .number = 0};
	r->date = answers_too ? 1 : -1;
	r->answer = answers_too ? 2 : -1;
}

static struct view field_at(const struct fields *fields, int i)
{
	return i >= 0 && (unsigned)i < fields->count ? fields->f[i] : VIEW("");
}

static enum import_fault take_row(const struct import_reader *r, const struct fields *fields, struct import_row *row)
{
	struct view day = field_at(fields, r->date);
	if (!take_number(field_at(fields, r->number), row->phone))
		return IMPORT_BAD_NUMBER;
	if ((day.n || r->kind == IMPORT_REASSIGNED) && !take_day(day, row->day))
		return IMPORT_BAD_DATE;
	row->answer = r->kind == IMPORT_REASSIGNED ? take_answer(field_at(fields, r->answer)) : IMPORT_NONE;
	return r->kind == IMPORT_REASSIGNED && !row->answer ? IMPORT_BAD_ANSWER : IMPORT_FINE;
}

static void end_line(struct import_reader *r)
{
	struct import_row row = {.line = ++r->line};
	struct fields fields;
	size_t bom = r->line == 1 && strncmp(r->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	bool first = !r->begun;
	bool too_long = r->skips;
	r->text[r->n] = 0;
	bool empty = view_trim(view_of(r->text + bom, r->n - bom)).n == 0 && !too_long;
	r->n = 0;
	r->skips = false;
	if (empty)
		return;
	r->begun = true;
	if (too_long || !take_fields(r->text + bom, &fields))
		row.fault = IMPORT_BAD_LINE;
	else if (first && is_header(&fields))
		take_header(r, &fields);
	else
		row.fault = take_row(r, &fields, &row);
	if (row.fault || row.phone[0])
		r->cb(r->ctx, &row);
}

void policy_import_feed(struct import_reader *r, struct view octets)
{
	for (size_t i = 0; i < octets.n; i++) {
		char c = (char)octets.p[i];
		bool second = c == '\n' && r->after_cr; /* of one end */
		r->after_cr = c == '\r';
		if (second)
			continue;
		if (c == '\n' || c == '\r')
			end_line(r);
		else if (r->n == LIMIT_IMPORT_LINE_BYTES)
			r->skips = true;
		else
			r->text[r->n++] = c ? c : '?';
	}
}

void policy_import_end(struct import_reader *r)
{
	if (r->n || r->skips)
		end_line(r);
}
