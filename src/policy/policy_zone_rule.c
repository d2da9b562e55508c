#include "policy_zone_rule.h"

/* Years that the calendar arithmetic is asked for; outside them standard time stands in. */
#define FIRST_S INT64_C(-62135596800) /* 0001-01-01 */
#define LAST_S INT64_C(253402300800)  /* 10000-01-01 */

/* --- reading --------------------------------------------------------------------------------------------------- */

static uint8_t peek(const struct cursor *c)
{
	return cursor_left(c) ? c->p[c->at] : 0;
}

static bool take(struct cursor *c, char wanted)
{
	bool there = peek(c) == (uint8_t)wanted;
	if (there)
		c->at++;
	return there;
}

static bool is_digit(uint8_t o)
{
	return o >= '0' && o <= '9';
}

static bool is_letter(uint8_t o)
{
	return (o >= 'A' && o <= 'Z') || (o >= 'a' && o <= 'z');
}

/* A number of at most three digits, in its range. */
static bool take_number(struct cursor *c, int least, int most, int *value_r)
{
	int value = 0;
	int n = 0;
	for (; is_digit(peek(c)) && n < 3; n++)
		value = value * 10 + (cursor_u8(c) - '0');
	*value_r = value;
	return n > 0 && value >= least && value <= most;
}

/* An abbreviation: three letters or more, or anything alphanumeric in angle brackets. It is not kept. */
static bool take_name(struct cursor *c)
{
	bool quoted = take(c, '<');
	size_t n = 0;
	while (is_letter(peek(c)) || (quoted && (is_digit(peek(c)) || peek(c) == '+' || peek(c) == '-'))) {
		c->at++;
		n++;
	}
	return n >= 3 && (!quoted || take(c, '>'));
}

/* [+-]h[:m[:s]] in seconds. */
static bool take_time(struct cursor *c, int hours_max, int32_t *seconds_r)
{
	int h = 0;
	int m = 0;
	int s = 0;
	bool negative = take(c, '-');
	if (!negative)
		take(c, '+');
	if (!take_number(c, 0, hours_max, &h))
		return false;
	if (take(c, ':') && (!take_number(c, 0, 59, &m) || (take(c, ':') && !take_number(c, 0, 59, &s))))
		return false;
	*seconds_r = (h * 3600 + m * 60 + s) * (negative ? -1 : 1);
	return true;
}

static bool take_change(struct cursor *c, struct zone_change *change_r)
{
	struct zone_change v = {.kind = ZONE_DAY_ZERO, .time_s = 2 * 3600};
	bool ok;
	if (take(c, 'M')) {
		v.kind = ZONE_DAY_MONTH;
		ok = take_number(c, 1, 12, &v.month) && take(c, '.') && take_number(c, 1, 5, &v.week) && take(c, '.') &&
		     take_number(c, 0, 6, &v.day);
	} else if (take(c, 'J')) {
		v.kind = ZONE_DAY_JULIAN;
		ok = take_number(c, 1, 365, &v.day);
	} else {
		ok = take_number(c, 0, 365, &v.day);
	}
	if (ok && take(c, '/'))
		ok = take_time(c, 167, &v.time_s);
	*change_r = v;
	return ok;
}

bool policy_zone_rule_parse(struct view text, struct zone_rule *rule_r)
{
	struct cursor c = cursor_over(text);
	struct zone_rule r = {0};
	int32_t west_s; /* POSIX counts west of Greenwich */
	if (!take_name(&c) || !take_time(&c, 24, &west_s))
		return false;
	r.standard_s = -west_s;
	r.changes = cursor_left(&c) > 0;
	if (r.changes) {
		if (!take_name(&c))
			return false;
		r.daylight_s = r.standard_s + 3600;
		if (peek(&c) != ',') {
			if (!take_time(&c, 24, &west_s))
				return false;
			r.daylight_s = -west_s;
		}
		if (!take(&c, ',') || !take_change(&c, &r.start) || !take(&c, ',') || !take_change(&c, &r.end))
			return false;
	}
	*rule_r = r;
	return cursor_left(&c) == 0;
}

/* --- applying -------------------------------------------------------------------------------------------------- */

static int64_t change_days(const struct zone_change *c, int year)
{
	int64_t new_year = time_days(year, 1, 1);
	if (c->kind == ZONE_DAY_ZERO)
		return new_year + c->day;
	if (c->kind == ZONE_DAY_JULIAN) {
		bool leap = time_days(year, 3, 1) - new_year == 60;
		return new_year + c->day - 1 + (leap && c->day >= 60);
	}
	int64_t first = time_days(year, c->month, 1);
	int64_t next_month = c->month == 12 ? time_days(year + 1, 1, 1) : time_days(year, c->month + 1, 1);
	int64_t days = first + (c->day - time_weekday(first) + 7) % 7 + 7 * (c->week - 1);
	return days < next_month ? days : days - 7;
}

static int64_t change_s(const struct zone_change *c, int year, int32_t offset_before_s)
{
	return change_days(c, year) * 86400 + c->time_s - offset_before_s;
}

/* The newest change at or before an instant, and the first after it. */
struct search {
	int64_t at_s;
	int64_t newest_s;
	struct zone_span span;
};

static void offer(struct search *s, int64_t change, int32_t offset_after)
{
	if (change > s->at_s) {
		if (change < s->span.until_s)
			s->span.until_s = change;
	} else if (change >= s->newest_s) {
		s->newest_s = change;
		s->span.offset = offset_after;
	}
}

struct zone_span policy_zone_rule_span(const struct zone_rule *rule, int64_t unix_s)
{
	if (!rule->changes || unix_s >= LAST_S)
		return (struct zone_span){rule->standard_s, INT64_MAX};
	if (unix_s < FIRST_S)
		return (struct zone_span){rule->standard_s, FIRST_S};
	struct search s = {unix_s, INT64_MIN, {rule->standard_s, INT64_MAX}};
	int year = time_civil(unix_s + rule->standard_s).year;
	/* Two years to either side, because a change may lie a week outside its year. Each end is offered before the
	 * next year's start, so that of an end and a start at one instant (daylight saving all year) the start stands.
	 */
	for (int y = year - 2; y <= year + 2; y++) {
		offer(&s, change_s(&rule->start, y, rule->standard_s), rule->daylight_s);
		offer(&s, change_s(&rule->end, y, rule->daylight_s), rule->standard_s);
	}
	return s.span;
}
