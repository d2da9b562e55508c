#include "policy_holiday.h"

#include "base_time.h"

enum holiday_kind { HOLIDAY_DATE, HOLIDAY_NTH, HOLIDAY_LAST };

struct holiday {
	enum holiday_kind kind;
	int month;
	int day;
	int weekday;
	const char *name;
};

static const struct holiday holidays[] = {
#define HOLIDAY(code, kind, month, day, weekday, name, citation) {HOLIDAY_##kind, month, day, weekday, name},
#include "holiday.def"
#undef HOLIDAY
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FRIDAY 5
#define MONDAY 1

/* The day is the row's own, not one of observance. */
static bool falls_on(const struct holiday *h, int64_t days)
{
	struct civil date = time_civil(days * 86400);
	if (date.month != h->month)
		return false;
	if (h->kind == HOLIDAY_DATE)
		return date.day == h->day;
	if (time_weekday(days) != h->weekday)
		return false;
	if (h->kind == HOLIDAY_NTH)
		return (date.day + 6) / 7 == h->day;
	return time_civil((days + 7) * 86400).month != h->month;
}

static const struct holiday *find(int64_t days)
{
	for (size_t i = 0; i < COUNT(holidays); i++)
		if (falls_on(&holidays[i], days))
			return &holidays[i];
	return NULL;
}

/* Only a date falls on a weekend, so that what is observed is one. */
static const struct holiday *holiday_of(int64_t days)
{
	const struct holiday *h = find(days);
	if (!h && time_weekday(days) == FRIDAY)
		h = find(days + 1);
	if (!h && time_weekday(days) == MONDAY)
		h = find(days - 1);
	return h;
}

bool policy_holiday(int64_t days)
{
	return holiday_of(days) != NULL;
}

const char *policy_holiday_name(int64_t days)
{
	const struct holiday *h = holiday_of(days);
	return h ? h->name : "";
}
