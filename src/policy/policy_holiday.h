/* Federal holidays and the days on which they are observed, 5 USC 6103. Rows: proto/holiday.def. */
#ifndef POLICY_HOLIDAY_H
#define POLICY_HOLIDAY_H

#include "base_bytes.h"

/* Whether a civil date (days of time_days) is one, or is one's day of observance: a state that forbids solicitations on
 * holidays is closed then. */
bool policy_holiday(int64_t days);
/* Its name, also on the day of observance; "" when it is none. */
const char *policy_holiday_name(int64_t days);

#endif
