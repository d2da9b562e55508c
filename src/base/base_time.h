/* Time as numbers. Wall time is microseconds since 1970-01-01T00:00:00Z without leap seconds ("_us"); monotonic time is
 * milliseconds of an arbitrary origin ("_ms"). Nothing here reads a clock but clock_read, which app calls once a turn.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base_bytes.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)
#define TIME_NEVER INT64_MAX

/* A date and time of day on the proleptic Gregorian calendar. */
struct civil {
	int year;   /* 1970-9999 in what we accept */
	int month;  /* 1-12 */
	int day;    /* 1-31 */
	int hour;   /* 0-23 */
	int minute; /* 0-59 */
	int second; /* 0-59 */
};

/* Days since 1970-01-01 of a civil date, and back. Any int year. */
int64_t time_days(int year, int month, int day);
/* Seconds since the epoch, floor semantics for negative values. */
struct civil time_civil(int64_t seconds);
int64_t time_seconds(const struct civil *c);
/* 0 Sunday - 6 Saturday of a day number from time_days. */
int time_weekday(int64_t days);
/* a / b rounded to minus infinity, b > 0. */
int64_t floor_div(int64_t a, int64_t b);

/* RFC 3339 with a mandatory offset ("2026-03-02T21:30:00-06:00", "...Z", fraction of 1-9 digits). A second of 60 is
 * refused. False when it is anything else or outside 1970-9999. */
bool time_parse(struct view text, int64_t *wall_us_r);
#define TIME_TEXT_BYTES 40
/* "2026-03-02T21:30:00.000000Z" */
const char *time_format(int64_t wall_us, char to[TIME_TEXT_BYTES]);

/* The rule clock: the system's wall clock, or for a demonstration one that starts elsewhere and runs faster. */
struct clock {
	int64_t start_us;  /* wall time at origin */
	int64_t origin_us; /* real monotonic time when started */
	double rate;       /* wall seconds per real second; 1 is real */
	bool moved;        /* false: the system's own clock */
};

void clock_start(struct clock *c, int64_t start_us, double rate);
/* Wall time now. */
int64_t clock_read(const struct clock *c);
/* Real wall-clock milliseconds until the rule clock shows wall_us; 0 when it is past, at least 1 otherwise. */
int64_t clock_delay_ms(const struct clock *c, int64_t now_us, int64_t wall_us);
int64_t time_mono_us(void);
int64_t time_mono_ms(void);

#endif
