/* What waits for opening hours does not all come due at the same instant: each message has its own place in the spread,
 * by its id, so that every gateway and every later look gives it the same. */
#include "dispatch_release.h"

#include "policy_quiet.h"

static bool opens_at(const struct policy_rules *rules, const struct policy_facts *f, int64_t at_us)
{
	return policy_category_flags(f->category) & CATEGORY_QUIET && !policy_quiet_open(rules, f, at_us - 1);
}

int64_t release_due_us(const struct policy_rules *rules, const struct policy_facts *f, const struct uuid *id,
                       int64_t until_us, int64_t spread_us)
{
	if (spread_us <= 0 || !opens_at(rules, f, until_us))
		return until_us;
	int64_t close_us = policy_close_us(rules, f, until_us);
	int64_t end_us = close_us - rules->close_guard_s * SECOND_US;
	end_us = f->expires_at_us < end_us ? f->expires_at_us : end_us;
	/* Half of what is left, so that who comes last still has time to go. */
	int64_t room_us = (end_us - until_us) / 2;
	room_us = room_us < spread_us ? room_us : spread_us;
	if (room_us <= 0)
		return until_us;
	return until_us + (int64_t)(view_hash(view_of(id->b, sizeof(id->b))) % (uint64_t)room_us);
}
