#include "dispatch_rate.h"

#include "base_limits.h"

/* Nothing is saved up, and what lies further ahead than texts can borrow was written by a clock that was moved since.
 */
static int64_t sane_us(const struct rate *r, int64_t next_us, int64_t now_us)
{
	int64_t most_us = now_us + (LIMIT_PARTS_OUT + 2) * r->each_us + r->slack_us;
	return next_us < now_us || next_us > most_us ? now_us : next_us;
}

unsigned rate_allows(const struct rate *r, int64_t next_us, int64_t now_us)
{
	int64_t ahead_us = sane_us(r, next_us, now_us) - now_us;
	return ahead_us > r->slack_us ? 0 : (unsigned)((r->slack_us - ahead_us) / r->each_us) + 1;
}

int64_t rate_ready_us(const struct rate *r, int64_t next_us, unsigned segments, int64_t now_us)
{
	return sane_us(r, next_us, now_us) - r->slack_us + (int64_t)(segments - 1) * r->each_us;
}

int64_t rate_spent_us(const struct rate *r, int64_t next_us, unsigned segments, int64_t now_us)
{
	return sane_us(r, next_us, now_us) + (int64_t)segments * r->each_us;
}
