#include "config_value.h"

#include "base_check.h"
#include "base_time.h"

static const char out_of_range[] = "out of range";

bool config_value_null(struct view text, bool quoted)
{
	return !quoted && (text.n == 0 || view_eq(text, VIEW("~")) || view_eq_nocase(text, VIEW("null")));
}

static bool in_range(const struct config_row *row, double value)
{
	return value >= row->min && value <= row->max;
}

/* "007" is refused: YAML 1.1 reads it as octal, people do not. */
static bool parse_whole(struct view text, uint64_t *value_r, bool *huge_r)
{
	*huge_r = false;
	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	*huge_r = !parse_u64(text, INT64_MAX, value_r);
	return true;
}

static const char *parse_int(const struct config_row *row, struct view text, int64_t *to)
{
	uint64_t value = 0;
	bool huge;
	if (!parse_whole(text, &value, &huge))
		return "not a whole number";
	if (huge || !in_range(row, (double)value))
		return out_of_range;
	*to = (int64_t)value;
	return NULL;
}

static const char *parse_ms(const struct config_row *row, struct view text, int64_t *to)
{
	static const struct {
		const char *name;
		int64_t ms;
	} unit[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	size_t n = 0;
	uint64_t value = 0;
	bool huge;
	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	struct view name = view_of(text.p + n, text.n - n);
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (!view_eq(name, view_str(unit[i].name)) || !parse_whole(view_of(text.p, n), &value, &huge))
			continue;
		if (huge || !in_range(row, (double)value * (double)unit[i].ms))
			return out_of_range;
		*to = (int64_t)value * unit[i].ms;
		return NULL;
	}
	return "not a duration like 500ms, 10s, 5m, 1h or 2d";
}

/* Digits with an optional fraction, by hand: strtod knows hexadecimal, infinity and the locale. */
static bool parse_decimal(struct view text, double *value_r)
{
	double value = 0;
	double unit = 1;
	bool point = false;
	if (text.n == 0 || text.n > 18 || text.p[0] == '.' || text.p[text.n - 1] == '.')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool second_point = c == '.' && point;
		if (second_point || (c != '.' && (c < '0' || c > '9')))
			return false;
		if (c == '.') {
			point = true;
			continue;
		}
		value = value * 10 + (c - '0');
		unit = point ? unit * 10 : unit;
	}
	*value_r = value / unit;
	return true;
}

static const char *parse_real(const struct config_row *row, struct view text, double *to)
{
	double value;
	if (!parse_decimal(text, &value))
		return "not a decimal number";
	if (!in_range(row, value))
		return out_of_range;
	*to = value;
	return NULL;
}

static const char *parse_bool(struct view text, bool *to)
{
	*to = view_eq(text, VIEW("true"));
	return *to || view_eq(text, VIEW("false")) ? NULL : "not a boolean";
}

static bool may_be_absent(const struct config_row *row)
{
	return row->def && row->def[0] == 0;
}

static const char *parse_time(const struct config_row *row, struct view text, int64_t *to)
{
	*to = 0;
	if (text.n == 0 && may_be_absent(row))
		return NULL;
	return time_parse(text, to) ? NULL : "not a time with an offset";
}

static const char *parse_text(const struct config_row *row, struct view text, struct pool *pool, const char **to)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] == 0x7f)
			return "has a control character";
	if (text.n == 0 && !may_be_absent(row))
		return "is empty";
	*to = pool_copy(pool, text);
	return NULL;
}

static const char *parse_choice(const struct config_row *row, struct view text, enum config_word *to)
{
	for (unsigned w = 0; w < CONFIG_WORDS; w++) {
		if (!config_row_has_word(row, w) || !view_eq(text, view_str(config_words[w].word)))
			continue;
		*to = w;
		return NULL;
	}
	return "no such word";
}

const char *config_value_parse(const struct config_row *row, struct view text, bool quoted, struct pool *pool, void *to)
{
	if (config_value_null(text, quoted))
		return "has no value";
	switch (row->kind) {
	case CONFIG_TEXT:
	case CONFIG_FILE:
		return parse_text(row, text, pool, to);
	case CONFIG_TIME:
		return parse_time(row, text, to);
	case CONFIG_CHOICE:
		return parse_choice(row, text, to);
	default:
		break;
	}
	if (quoted)
		return "is text in quotes";
	switch (row->kind) {
	case CONFIG_INT:
		return parse_int(row, text, to);
	case CONFIG_MS:
		return parse_ms(row, text, to);
	case CONFIG_REAL:
		return parse_real(row, text, to);
	default:
		return parse_bool(text, to);
	}
}

void config_value_default(const struct config_row *row, struct pool *pool, void *to)
{
	struct view text = view_str(row->def);
	check(row->def);
	check(config_value_parse(row, text, text.n == 0, pool, to) == NULL);
}
