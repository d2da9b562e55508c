/* What a variable's value may be: by its type, so that nobody can put a link or an instruction into a name. */
#include "text_template.h"

#include "base_time.h"
#include "base_utf8.h"
#include "text_gsm7.h"
#include "text_keyword.h"
#include "text_shape.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VALUE_BYTES_MAX 1024 /* of a value that is looked at; the longest variable has 80 septets */

struct language {
	const char *code, *days, *months;
};
static const struct language languages[] = {
#define TEMPLATE_LANGUAGE(code, days, months) {code, days, months},
#include "text_template.def"
};

static const struct {
	uint32_t first;
	const char *letters;
	size_t count;
} letter_rows[] = {
#define TEMPLATE_LETTERS(first, letters) {first, letters, sizeof(letters) - 1},
#include "text_template.def"
};

static const char *const verbs[] = {
#define LINT_VERB(phrase) phrase,
#include "lint_word.def"
};

/* --- letters --------------------------------------------------------------------------------------------------- */

static bool is_ascii_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* A letter that the alphabet has, or what stands for it; 0 for anything else. */
static uint32_t gsm_letter(uint32_t c)
{
	if (is_ascii_letter(c))
		return c;
	if (c >= 0xc0 && c != 0xd7 && c != 0xf7 && c <= 0xff && text_gsm7_septets(c) == 1)
		return c;
	for (size_t i = 0; i < COUNT(letter_rows); i++)
		if (c >= letter_rows[i].first && c < letter_rows[i].first + letter_rows[i].count) {
			char to = letter_rows[i].letters[c - letter_rows[i].first];
			return to == '?' ? 0 : (uint32_t)to;
		}
	return 0;
}

static bool ends_word(struct view text, size_t at)
{
	return at >= text.n || text.p[at] == ' ' || text.p[at] == ',';
}

/* Letters, and of the rest what others has; a full stop only at a word's end, or it would make a link. */
static enum template_fault take_text(struct view v, const char *others, bool digits, struct buf *to)
{
	uint32_t c;
	for (size_t at = 0, n; at < v.n; at += n) {
		n = utf8_get(v, at, &c);
		uint32_t letter = n ? gsm_letter(c) : 0;
		bool other = n && c < 0x80 && c && strchr(others, (int)c) && (c != '.' || ends_word(v, at + 1));
		if (!letter && !other && !(n && digits && is_digit(c)))
			return TEMPLATE_FAULT_value_characters;
		utf8_add(to, letter ? letter : c);
	}
	return to->n && view_trim(buf_view(to)).n == to->n ? TEMPLATE_FINE : TEMPLATE_FAULT_value_form;
}

/* --- instructions ---------------------------------------------------------------------------------------------- */

static struct view word_at(struct view text, size_t at)
{
	size_t n = 0;
	while (at + n < text.n && text.p[at + n] != ' ' && text.p[at + n] != ',' && text.p[at + n] != '-')
		n++;
	return view_of(text.p + at, n);
}

static bool is_verb(struct view word)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (view_eq_nocase(word, view_str(verbs[i])))
			return true;
	return false;
}

/* Of every kind: all texts, those of a class, those of every practice. */
static bool is_stop_or_start(struct view text)
{
	return strncmp(text_keyword_name(text_keyword_match(text, NULL)), "st", 2) == 0;
}

/* Whether a word, or the whole, is one by which texts end or begin; with_verb: only where a reply is asked for ("East
 * End Ave" is a place). */
static bool instructs(struct view text, bool with_verb)
{
	bool verb = !with_verb;
	bool stops = is_stop_or_start(text);
	for (size_t at = 0; at < text.n;) {
		struct view word = word_at(text, at);
		verb = verb || is_verb(word);
		stops = stops || is_stop_or_start(word);
		at += word.n + 1;
	}
	return verb && stops;
}

/* --- types ----------------------------------------------------------------------------------------------------- */

static enum template_fault take_name(struct view v, struct buf *to)
{
	enum template_fault fault = take_text(v, " -'.", false, to);
	return fault == TEMPLATE_FINE && instructs(buf_view(to), false) ? TEMPLATE_FAULT_value_instructs : fault;
}

static enum template_fault take_word(struct view v, struct buf *to)
{
	enum template_fault fault = take_text(v, "-", true, to);
	return fault == TEMPLATE_FINE && instructs(buf_view(to), false) ? TEMPLATE_FAULT_value_instructs : fault;
}

static enum template_fault take_place(struct view v, struct buf *to)
{
	enum template_fault fault = take_text(v, " ,.#-'&()", true, to);
	return fault == TEMPLATE_FINE && instructs(buf_view(to), true) ? TEMPLATE_FAULT_value_instructs : fault;
}

static bool digits_only(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_digit(v.p[i]))
			return false;
	return v.n > 0;
}

static enum template_fault take_number(struct view v, struct buf *to)
{
	if (!digits_only(v))
		return TEMPLATE_FAULT_value_characters;
	buf_add_view(to, v);
	return TEMPLATE_FINE;
}

static unsigned number(struct view v, size_t at, size_t n)
{
	unsigned value = 0;
	for (size_t i = at; i < at + n; i++)
		value = value * 10 + (v.p[i] - '0');
	return value;
}

/* The nth of blank separated words. */
static struct view nth(const char *words, unsigned n)
{
	while (n--)
		words += strcspn(words, " ") + 1;
	return view_of(words, strcspn(words, " "));
}

static const struct language *language_of(struct view code)
{
	for (size_t i = 0; i < COUNT(languages); i++)
		if (view_eq(code, view_str(languages[i].code)))
			return &languages[i];
	return &languages[0];
}

/* 2026-03-02 */
static bool date_ok(struct view v)
{
	if (v.n != 10 || v.p[4] != '-' || v.p[7] != '-' || !digits_only(view_of(v.p, 4)) ||
	    !digits_only(view_of(v.p + 5, 2)) || !digits_only(view_of(v.p + 8, 2)))
		return false;
	int year = (int)number(v, 0, 4), month = (int)number(v, 5, 2), day = (int)number(v, 8, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1)
		return false;
	struct civil c = time_civil(time_days(year, month, day) * 86400);
	return c.month == month && c.day == day;
}

static enum template_fault take_date(struct view v, struct view language, struct buf *to)
{
	if (!date_ok(v))
		return TEMPLATE_FAULT_value_form;
	const struct language *l = language_of(language);
	unsigned month = number(v, 5, 2), day = number(v, 8, 2);
	struct view name = nth(l->days, (unsigned)time_weekday(time_days((int)number(v, 0, 4), (int)month, (int)day)));
	struct view of = nth(l->months, month - 1);
	if (strcmp(l->code, "en") == 0)
		buf_printf(to, "%.*s, %.*s %u", (int)name.n, (const char *)name.p, (int)of.n, (const char *)of.p, day);
	else
		buf_printf(to, "%.*s %u %.*s", (int)name.n, (const char *)name.p, day, (int)of.n, (const char *)of.p);
	return TEMPLATE_FINE;
}

/* 14:30 */
static enum template_fault take_time(struct view v, struct buf *to)
{
	bool ok = v.n == 5 && v.p[2] == ':' && digits_only(view_of(v.p, 2)) && digits_only(view_of(v.p + 3, 2));
	unsigned hour = ok ? number(v, 0, 2) : 24, minute = ok ? number(v, 3, 2) : 60;
	if (hour > 23 || minute > 59)
		return TEMPLATE_FAULT_value_form;
	buf_printf(to, "%u:%02u %s", hour % 12 ? hour % 12 : 12, minute, hour < 12 ? "AM" : "PM");
	return TEMPLATE_FINE;
}

/* +12125550100 */
static enum template_fault take_phone(struct view v, struct buf *to)
{
	if (v.n != 12 || v.p[0] != '+' || v.p[1] != '1' || !digits_only(view_of(v.p + 2, 10)))
		return TEMPLATE_FAULT_value_form;
	const char *d = (const char *)v.p + 2;
	buf_printf(to, "%.3s-%.3s-%.4s", d, d + 3, d + 6);
	return TEMPLATE_FINE;
}

/* Plain characters of one septet only; whose domain it is, the lint judges on the whole text. */
static enum template_fault take_link(struct view v, struct buf *to)
{
	static const char plain[] = "-._/?#&=+%:";
	if (v.n < 12 || memcmp(v.p, "https://", 8) != 0 || !is_ascii_letter(v.p[8] | 0x20u))
		return TEMPLATE_FAULT_value_form;
	for (size_t i = 0; i < v.n; i++)
		if (!is_ascii_letter(v.p[i]) && !is_digit(v.p[i]) && !(v.p[i] && strchr(plain, v.p[i])))
			return TEMPLATE_FAULT_value_characters;
	buf_add_view(to, v);
	return TEMPLATE_FINE;
}

static enum template_fault take(const struct template_variable *v, struct view language, struct view value,
                                struct buf *to)
{
	switch (v->type) {
	case TEMPLATE_name:
		return take_name(value, to);
	case TEMPLATE_word:
		return take_word(value, to);
	case TEMPLATE_number:
		return take_number(value, to);
	case TEMPLATE_date:
		return take_date(value, language, to);
	case TEMPLATE_time:
		return take_time(value, to);
	case TEMPLATE_phone:
		return take_phone(value, to);
	case TEMPLATE_place:
		return take_place(value, to);
	case TEMPLATE_link:
		return take_link(value, to);
	default:
		return TEMPLATE_FAULT_variable_type;
	}
}

enum template_fault text_template_value(const struct template_variable *v, struct view language, struct view value,
                                        struct buf *to)
{
	struct text_changes changes;
	struct buf normal = BUF(VALUE_BYTES_MAX), text = BUF(VALUE_BYTES_MAX);
	enum template_fault fault = value.n > VALUE_BYTES_MAX / 2 ? TEMPLATE_FAULT_value_long : TEMPLATE_FINE;
	if (fault == TEMPLATE_FINE) {
		text_normalise(value, &normal, &changes);
		fault = utf8_valid(value) ? take(v, language, buf_view(&normal), &text)
		                          : TEMPLATE_FAULT_value_characters;
	}
	/* every character that a type lets through takes one septet */
	if (fault == TEMPLATE_FINE && utf8_length(buf_view(&text)) > v->max)
		fault = TEMPLATE_FAULT_value_long;
	if (fault == TEMPLATE_FINE)
		buf_add_view(to, buf_view(&text));
	buf_free(&normal);
	buf_free(&text);
	return fault;
}
