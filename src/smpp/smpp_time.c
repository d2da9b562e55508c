#include "smpp_time.h"

#include "base_time.h"

#include <stdio.h>

#define DAY_S 86400

const char *smpp_time_relative(int64_t seconds, char to[SMPP_TIME_TEXT_BYTES])
{
	if (seconds < 0)
		seconds = 0;
	if (seconds >= 100 * DAY_S)
		seconds = 100 * DAY_S - 1;
	unsigned s = (unsigned)seconds;
	snprintf(to, SMPP_TIME_TEXT_BYTES, "0000%02u%02u%02u%02u000R", s / DAY_S % 100, s / 3600 % 24, s / 60 % 60,
	         s % 60);
	return to;
}

const char *smpp_time_absolute(int64_t wall_us, char to[SMPP_TIME_TEXT_BYTES])
{
	struct civil c = time_civil(floor_div(wall_us, SECOND_US));
	unsigned tenth = (unsigned)(wall_us - floor_div(wall_us, SECOND_US) * SECOND_US) / 100000 % 10;
	snprintf(to, SMPP_TIME_TEXT_BYTES, "%02u%02u%02u%02u%02u%02u%u00+", (unsigned)c.year % 100,
	         (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100,
	         (unsigned)c.second % 100, tenth);
	return to;
}
