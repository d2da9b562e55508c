/* The rate of a sender number, which all gateways share: one instant in the database says how far ahead of its rate it
 * has sent (the generic cell rate algorithm of ITU-T I.371: the theoretical arrival time of the next). Pure: rule
 * times, in microseconds. */
#ifndef DISPATCH_RATE_H
#define DISPATCH_RATE_H

#include "base_time.h"

struct rate {
	int64_t each_us;  /* that one segment takes */
	int64_t slack_us; /* what may be caught up at once, beside the one segment whose turn it is */
};

/* Segments that may go at now_us. A text of several may borrow what lacks. */
unsigned rate_allows(const struct rate *r, int64_t next_us, int64_t now_us);
/* When so many (at least 1) may go; now_us or earlier when they may now. */
int64_t rate_ready_us(const struct rate *r, int64_t next_us, unsigned segments, int64_t now_us);
/* The instant after so many went at now_us. */
int64_t rate_spent_us(const struct rate *r, int64_t next_us, unsigned segments, int64_t now_us);

#endif
