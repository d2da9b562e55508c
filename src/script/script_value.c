#include "script_value.h"

#include "base_suggest.h"
#include "base_utf8.h"
#include "smpp_status.h"

#include <string.h>

/* "7" or "7ms": digits, then a unit. */
static bool split_unit(struct view text, uint64_t max, uint64_t *number_r, struct view *unit_r)
{
	size_t digits = 0;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	*unit_r = view_of(text.p + digits, text.n - digits);
	return parse_u64(view_of(text.p, digits), max, number_r);
}

static bool read_time(struct view text, int64_t *ms_r)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	uint64_t number;
	struct view unit;
	if (!split_unit(text, (uint64_t)SCRIPT_SPAN_MAX_MS, &number, &unit))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (view_eq(unit, view_str(units[i].name))) {
			*ms_r = (int64_t)number * units[i].ms;
			return *ms_r <= SCRIPT_SPAN_MAX_MS;
		}
	return false;
}

static bool read_count(struct view text, int64_t *count_r)
{
	uint64_t number;
	if (!parse_u64(text, SCRIPT_COUNT_MAX, &number))
		return false;
	*count_r = (int64_t)number;
	return true;
}

/* "LOW..HIGH" or one value. */
static bool read_range(struct view text, bool (*read)(struct view, int64_t *), struct script_choice *c)
{
	for (size_t i = 0; i + 1 < text.n; i++)
		if (text.p[i] == '.' && text.p[i + 1] == '.')
			return read(view_of(text.p, i), &c->low) &&
			       read(view_of(text.p + i + 2, text.n - i - 2), &c->high) && c->low <= c->high;
	if (!read(text, &c->low))
		return false;
	c->high = c->low;
	return true;
}

static bool read_span(struct view text, struct script_choice *c)
{
	if (text.n && text.p[0] == '~') {
		c->mean = true;
		return read_time(view_of(text.p + 1, text.n - 1), &c->low);
	}
	return read_range(text, read_time, c);
}

/* Up to four decimals, in millionths of the whole. */
static bool read_percent(struct view text, int64_t *millionths_r)
{
	uint64_t whole, part = 0, scale = 10000;
	struct view rest;
	if (text.n < 2 || text.p[text.n - 1] != '%' || !split_unit(view_of(text.p, text.n - 1), 100, &whole, &rest))
		return false;
	if (rest.n) {
		if (rest.p[0] != '.' || rest.n > 5 || !parse_u64(view_of(rest.p + 1, rest.n - 1), 9999, &part))
			return false;
		for (size_t i = 1; i < rest.n; i++)
			scale /= 10;
	}
	*millionths_r = (int64_t)(whole * 10000 + part * scale);
	return *millionths_r > 0 && *millionths_r <= 1000000;
}

static bool read_hex(struct view text, uint64_t max, uint64_t *value_r)
{
	static const char digits[] = "0123456789abcdef";
	*value_r = 0;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i] >= 'A' && text.p[i] <= 'F' ? text.p[i] + 32 : text.p[i];
		const char *at = c ? strchr(digits, c) : NULL;
		if (!at)
			return false;
		*value_r = *value_r * 16 + (uint64_t)(at - digits);
		if (*value_r > max)
			return false;
	}
	return text.n > 0;
}

static const struct {
	const char *name;
	uint32_t code;
} statuses[] = {
#define SMPP_STATUS(name, code, class, sentence) {#name, code},
#include "smpp_status.def"
#undef SMPP_STATUS
};

bool script_status_read(struct view text, uint32_t *status_r)
{
	uint64_t number;
	if (text.n > 5 && memcmp(text.p, "ESME_", 5) == 0)
		text = view_of(text.p + 5, text.n - 5);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (view_eq(text, view_str(statuses[i].name))) {
			*status_r = statuses[i].code;
			return true;
		}
	bool hex = text.n > 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'X');
	if (hex ? !read_hex(view_of(text.p + 2, text.n - 2), UINT32_MAX, &number)
	        : !parse_u64(text, UINT32_MAX, &number))
		return false;
	*status_r = (uint32_t)number;
	return true;
}

struct nearest {
	struct view word;
	const char *best;
	unsigned distance;
};

static void compare_cb(void *ctx, const char *name)
{
	struct nearest *n = ctx;
	unsigned distance = suggest_distance(n->word, view_str(name));
	if (distance < n->distance && suggest_near(distance, n->word.n)) {
		n->distance = distance;
		n->best = name;
	}
}

static void suggest(enum script_type type, struct view text, struct buf *why)
{
	struct nearest n = {.word = text, .distance = 99};
	if (type == SCRIPT_TYPE_STATUS)
		for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
			compare_cb(&n, statuses[i].name);
	script_words(type, compare_cb, &n);
	if (n.best)
		buf_printf(why, "; did you mean %s?", n.best);
}

static bool read_word(enum script_type type, struct view text, struct script_choice *c)
{
	int at = script_word_find(type, text);
	c->low = c->high = at;
	return at >= 0;
}

static bool read_plain(struct view text, size_t max, struct script_choice *c)
{
	c->text = text;
	return text.n > 0 && text.n <= max && utf8_valid(text) && !memchr(text.p, 0, text.n);
}

static bool read_number(enum script_type type, struct view text, struct script_choice *c)
{
	uint32_t status = 0;
	bool good = false;
	struct view rate = view_of(text.p, text.n > 2 ? text.n - 2 : 0);
	if (type == SCRIPT_TYPE_PERCENT)
		good = read_percent(text, &c->low);
	else if (type == SCRIPT_TYPE_NUMBER)
		good = read_count(text, &c->low) && c->low > 0;
	else if (type == SCRIPT_TYPE_RATE)
		good = rate.n && memcmp(rate.p + rate.n, "/s", 2) == 0 && read_count(rate, &c->low) && c->low > 0;
	else if (type == SCRIPT_TYPE_STATUS && (good = script_status_read(text, &status)))
		c->low = status;
	c->high = c->low;
	return good;
}

static bool read_value(enum script_type type, struct view text, struct script_choice *c)
{
	switch (type) {
	case SCRIPT_TYPE_SPAN:
		return read_span(text, c);
	case SCRIPT_TYPE_COUNT:
		return read_range(text, read_count, c);
	case SCRIPT_TYPE_NUMBER:
	case SCRIPT_TYPE_PERCENT:
	case SCRIPT_TYPE_RATE:
	case SCRIPT_TYPE_STATUS:
		return read_number(type, text, c);
	case SCRIPT_TYPE_STATE:
		return read_plain(text, 16, c);
	case SCRIPT_TYPE_ADDRESS:
		return read_plain(text, 20, c);
	case SCRIPT_TYPE_TEXT:
	case SCRIPT_TYPE_PATTERN:
		return read_plain(text, 1000, c);
	default:
		return read_word(type, text, c);
	}
}

bool script_value_read(enum script_type type, struct view text, struct script_choice *c_r, struct buf *why)
{
	*c_r = (struct script_choice){.weight = 1};
	if (read_value(type, text, c_r))
		return true;
	const struct script_named_row *row = script_type_row(type);
	buf_printf(why, "\"%.*s\" is no %s", (int)(text.n < 60 ? text.n : 60), (const char *)text.p, row->name);
	if (row->form[0])
		buf_printf(why, " (such as %s)", row->form);
	suggest(type, text, why);
	return false;
}
