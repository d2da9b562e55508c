#include "base_time.h"

#include "base_check.h"

#include <stdio.h>
#include <time.h>

int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t time_days(int year, int month, int day)
{
	/* Years counted from March, so that the leap day is the last of its year. */
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

struct civil time_civil(int64_t seconds)
{
	int64_t days = floor_div(seconds, 86400);
	int64_t rest = seconds - days * 86400;
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	return (struct civil){
	        .year = (int)(yoe + era * 400 + (month <= 2)),
	        .month = month,
	        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
	        .hour = (int)(rest / 3600),
	        .minute = (int)(rest / 60 % 60),
	        .second = (int)(rest % 60),
	};
}

int64_t time_seconds(const struct civil *c)
{
	return time_days(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

int time_weekday(int64_t days)
{
	return (int)((days % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
}

static bool digits(struct cursor *c, size_t n, int *value_r)
{
	uint64_t value;
	if (!parse_u64(cursor_take(c, n), 9999, &value))
		return false;
	*value_r = (int)value;
	return true;
}

static bool literal(struct cursor *c, char upper, char lower)
{
	uint8_t o = cursor_u8(c);
	return !c->bad && (o == (uint8_t)upper || o == (uint8_t)lower);
}

static bool parse_fraction(struct cursor *c, int64_t *us_r)
{
	*us_r = 0;
	if (!cursor_left(c) || c->p[c->at] != '.')
		return true;
	cursor_u8(c);
	int64_t unit = 100000;
	size_t n = 0;
	for (; cursor_left(c) && c->p[c->at] >= '0' && c->p[c->at] <= '9'; n++, unit /= 10)
		*us_r += (cursor_u8(c) - '0') * unit;
	return n >= 1 && n <= 9;
}

static bool parse_offset(struct cursor *c, int64_t *offset_s_r)
{
	uint8_t sign = cursor_u8(c);
	int hours = 0;
	int minutes = 0;
	*offset_s_r = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if ((sign != '+' && sign != '-') || !digits(c, 2, &hours) || !literal(c, ':', ':') || !digits(c, 2, &minutes))
		return false;
	if (hours > 23 || minutes > 59)
		return false;
	*offset_s_r = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

static bool civil_valid(const struct civil *v)
{
	return v->year >= 1970 && v->month >= 1 && v->month <= 12 && v->day >= 1 &&
	       v->day <= days_in_month(v->year, v->month) && v->hour <= 23 && v->minute <= 59 && v->second <= 59;
}

bool time_parse(struct view text, int64_t *wall_us_r)
{
	struct cursor c = cursor_over(text);
	struct civil v = {0};
	int64_t fraction_us;
	int64_t offset_s;
	bool ok = digits(&c, 4, &v.year) && literal(&c, '-', '-') && digits(&c, 2, &v.month) && literal(&c, '-', '-') &&
	          digits(&c, 2, &v.day) && literal(&c, 'T', 't') && digits(&c, 2, &v.hour) && literal(&c, ':', ':') &&
	          digits(&c, 2, &v.minute) && literal(&c, ':', ':') && digits(&c, 2, &v.second) && civil_valid(&v) &&
	          parse_fraction(&c, &fraction_us) && parse_offset(&c, &offset_s) && !c.bad && cursor_left(&c) == 0;
	if (!ok)
		return false;
	int64_t seconds = time_seconds(&v) - offset_s;
	if (seconds < 0 || seconds >= INT64_C(253402300800)) /* 10000-01-01 */
		return false;
	*wall_us_r = seconds * SECOND_US + fraction_us;
	return true;
}

const char *time_format(int64_t wall_us, char to[TIME_TEXT_BYTES])
{
	int64_t seconds = floor_div(wall_us, SECOND_US);
	struct civil v = time_civil(seconds);
	snprintf(to, TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", v.year % 10000, v.month % 100, v.day % 100,
	         v.hour % 100, v.minute % 100, v.second % 100, (int)(wall_us - seconds * SECOND_US) % 1000000);
	return to;
}

static int64_t read_us(clockid_t id)
{
	struct timespec t;
	check(clock_gettime(id, &t) == 0);
	return t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

int64_t time_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t time_mono_ms(void)
{
	return time_mono_us() / 1000;
}

void clock_start(struct clock *c, int64_t start_us, double rate)
{
	*c = (struct clock){.start_us = start_us, .origin_us = time_mono_us(), .rate = rate, .moved = true};
}

int64_t clock_read(const struct clock *c)
{
	if (!c->moved)
		return read_us(CLOCK_REALTIME);
	return c->start_us + (int64_t)((double)(time_mono_us() - c->origin_us) * c->rate);
}

int64_t clock_delay_ms(const struct clock *c, int64_t now_us, int64_t wall_us)
{
	if (wall_us <= now_us)
		return 0;
	double real_us = (double)(wall_us - now_us) / (c->moved ? c->rate : 1.0);
	double ms = real_us / 1000.0 + 1.0;
	return ms > 3600000.0 ? 3600000 : (int64_t)ms;
}
