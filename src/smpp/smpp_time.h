/* SMPP's time format for validity_period and schedule_delivery_time: 16 characters, "YYMMDDhhmmsstnnp". 3.4 7.1.1. */
#ifndef SMPP_TIME_H
#define SMPP_TIME_H

#include <stdint.h>

#define SMPP_TIME_TEXT_BYTES 17

/* So many seconds from the carrier's now, "000001020304000R": written in days at most, because nobody knows how long
 * the other side's months are. Negative counts as 0, more than 99 days as 99 days. */
const char *smpp_time_relative(int64_t seconds, char to[SMPP_TIME_TEXT_BYTES]);
/* A wall time in microseconds since 1970, of 2000 to 2099, in UTC: "260302213000000+", tenths cut off. */
const char *smpp_time_absolute(int64_t wall_us, char to[SMPP_TIME_TEXT_BYTES]);

#endif
