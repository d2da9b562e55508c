#include "policy_cap.h"
#include "policy_state.h"

/* One cap: so many in so many days, where a calendar period is that many local days from a Sunday on. */
struct cap {
	enum reason reason;
	int max;
	int days;
	bool calendar;
};

static int64_t local_days(const struct zone *z, int64_t at_us)
{
	int64_t s = floor_div(at_us, SECOND_US);
	return floor_div(s + policy_zone_offset(z, s), 86400);
}

/* Number of the calendar day, or of the week from Sunday to Saturday. Day 3 of the epoch was a Sunday. */
static int64_t period_of(const struct cap *cap, int64_t days)
{
	return floor_div(days + 4, cap->days);
}

/* Midnight after at_us by the offset of now. Where the clock changes before it that is not the day's end; but what is
 * asked here is a day old, and no clock changes twice in a day. */
static int64_t next_day_us(const struct zone *z, int64_t at_us)
{
	int32_t offset = policy_zone_offset(z, floor_div(at_us, SECOND_US));
	return ((local_days(z, at_us) + 1) * 86400 - offset) * SECOND_US;
}

/* The oldest send that has fewer than max newer ones: once it is a period old, one more may go. */
static int64_t oldest_counted(const struct policy_sends *sends, int max)
{
	int64_t oldest_us = INT64_MAX;
	for (unsigned i = 0; i < sends->count; i++) {
		int newer = 0;
		for (unsigned k = 0; k < sends->count; k++)
			newer += sends->at_us[k] > sends->at_us[i];
		if (newer < max && sends->at_us[i] < oldest_us)
			oldest_us = sends->at_us[i];
	}
	return oldest_us;
}

static int calendar_used(const struct cap *cap, const struct policy_sends *sends, const struct zone *z, int64_t at_us)
{
	int64_t period = period_of(cap, local_days(z, at_us));
	int within = 0;
	for (unsigned i = 0; i < sends->count; i++)
		within += period_of(cap, local_days(z, sends->at_us[i])) == period;
	return within;
}

static bool calendar_full(const struct cap *cap, const struct policy_sends *sends, const struct zone *z, int64_t at_us)
{
	return calendar_used(cap, sends, z, at_us) >= cap->max;
}

static int64_t latest(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* at_us, or the first later instant that one cap allows to one key. */
static int64_t cap_next(const struct cap *cap, const struct policy_facts *facts, const struct policy_sends *sends,
                        int64_t at_us)
{
	if (cap->max < 1)
		return TIME_NEVER;
	if (sends->count < (unsigned)cap->max)
		return at_us;
	at_us = latest(at_us, oldest_counted(sends, cap->max) + cap->days * DAY_US);
	for (unsigned i = 0; cap->calendar && i < facts->zones; i++)
		while (calendar_full(cap, sends, facts->zone[i], at_us))
			at_us = next_day_us(facts->zone[i], at_us);
	return at_us;
}

/* The caps that hold for the message's class; returns how many. */
static unsigned caps_of(const struct policy_rules *rules, const struct policy_facts *facts, struct cap *caps)
{
	unsigned n = 0;
	caps[n++] = (struct cap){REASON_cap_day, rules->day_max, 1, rules->calendar};
	caps[n++] = (struct cap){REASON_cap_week, rules->week_max, 7, rules->calendar};
	if (policy_category_flags(facts->category) & CATEGORY_SOLICITATION) {
		int max = policy_states_day_max(facts->states);
		if (max)
			caps[n++] = (struct cap){REASON_cap_state, max, 1, false};
	}
	return n;
}

/* Time only takes sends out of a period, so that the last instant of all is allowed by all. */
int64_t policy_cap_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us,
                           enum reason *reason_r)
{
	const struct policy_sends *const keys[] = {&facts->patient, &facts->phone};
	const unsigned key_count = facts->household ? 1 : 2;
	struct cap caps[3];
	const unsigned count = caps_of(rules, facts, caps);
	int64_t at_us = from_us;
	*reason_r = REASON_none;
	for (unsigned i = 0; i < count * key_count; i++) {
		const struct cap *cap = &caps[i / key_count];
		int64_t next_us = cap_next(cap, facts, keys[i % key_count], from_us);
		if (next_us != from_us && *reason_r == REASON_none)
			*reason_r = cap->reason;
		at_us = latest(at_us, next_us);
	}
	return at_us;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

static int used(const struct cap *cap, const struct policy_facts *facts, const struct policy_sends *sends,
                int64_t at_us)
{
	int n = 0;
	for (unsigned i = 0; i < sends->count; i++)
		n += at_us < sends->at_us[i] + cap->days * DAY_US;
	for (unsigned i = 0; cap->calendar && i < facts->zones; i++)
		n = most(n, calendar_used(cap, sends, facts->zone[i], at_us));
	return n;
}

struct policy_cap_use policy_cap_use(const struct policy_rules *rules, const struct policy_facts *facts, int64_t at_us)
{
	struct cap caps[3];
	struct policy_cap_use u = {0};
	if (!rules)
		return u;
	caps_of(rules, facts, caps);
	u.day_max = caps[0].max;
	u.week_max = caps[1].max;
	u.day_used = used(&caps[0], facts, &facts->patient, at_us);
	u.week_used = used(&caps[1], facts, &facts->patient, at_us);
	if (!facts->household) {
		u.day_used = most(u.day_used, used(&caps[0], facts, &facts->phone, at_us));
		u.week_used = most(u.week_used, used(&caps[1], facts, &facts->phone, at_us));
	}
	return u;
}
