/* How many requests a practice may send, and how many unknown keys an address may try: token buckets. */
#ifndef API_RATE_H
#define API_RATE_H

#include "base_bytes.h"
#include "base_uuid.h"

struct rates;

/* What is left to a practice: for RateLimit headers. */
struct auth_rate {
	int64_t limit;   /* requests a second; 0: no limit, and the rest says nothing */
	int64_t left;    /* at this moment */
	int64_t reset_s; /* until all are there again, rounded up */
};

struct rates *rates_new(void);
/* Takes one of the practice's `limit` requests a second (0: as many as it likes); false when none is left. */
bool rates_take(struct rates *r, const struct uuid *practice, int64_t limit, int64_t now_ms);
struct auth_rate rates_left(struct rates *r, const struct uuid *practice, int64_t limit, int64_t now_ms);
/* Whether a key that is not known may be looked up for this address: LIMIT_STRANGERS_BURST at once, then
 * LIMIT_STRANGERS_RATE a second; addresses share a bucket by their hash. rates_failed takes one. */
bool rates_stranger(struct rates *r, struct view address, int64_t now_ms);
void rates_failed(struct rates *r, struct view address, int64_t now_ms);
void rates_free(struct rates *r);

#endif
