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

/* The first instant after at_us with another local date. */
static int64_t next_day_us(const struct zone *z, int64_t at_us)
{
	int64_t s = floor_div(at_us, SECOND_US);
	int64_t today = local_days(z, at_us);
	for (;;) {
		int64_t midnight = (today + 1) * 86400 - policy_zone_offset(z, s);
		int64_t until_s = policy_zone_span(z, s).until_s;
		if (midnight < until_s)
			return midnight * SECOND_US;
		s = until_s;
		if (local_days(z, s * SECOND_US) != today)
			return s * SECOND_US;
	}
}

/* The send that has max - 1 newer ones: once it is a period old, one more may go. False when there are fewer. */
static bool nth_newest(const struct policy_sends *sends, int max, int64_t *at_us_r)
{
	for (unsigned i = 0; i < sends->count; i++) {
		int newer = 0;
		for (unsigned k = 0; k < sends->count; k++)
			newer += sends->at_us[k] > sends->at_us[i] || (sends->at_us[k] == sends->at_us[i] && k < i);
		if (newer == max - 1) {
			*at_us_r = sends->at_us[i];
			return true;
		}
	}
	return false;
}

static bool calendar_full(const struct cap *cap, const struct policy_sends *sends, const struct zone *z, int64_t at_us)
{
	int64_t period = period_of(cap, local_days(z, at_us));
	int within = 0;
	for (unsigned i = 0; i < sends->count; i++)
		within += period_of(cap, local_days(z, sends->at_us[i])) == period;
	return within >= cap->max;
}

/* at_us, or the first later instant that one cap allows to one key. A calendar day that ends in one zone may leave
 * another zone's still full, or its clock may go back over midnight: hence the rounds. */
static int64_t cap_next(const struct cap *cap, const struct policy_facts *facts, const struct policy_sends *sends,
                        int64_t at_us)
{
	int64_t oldest_us;
	if (cap->max < 1)
		return TIME_NEVER;
	if (sends->count < (unsigned)cap->max)
		return at_us;
	if (nth_newest(sends, cap->max, &oldest_us) && at_us < oldest_us + cap->days * DAY_US)
		at_us = oldest_us + cap->days * DAY_US;
	for (unsigned i = 0; cap->calendar && i < facts->zones;) {
		if (calendar_full(cap, sends, facts->zone[i], at_us)) {
			at_us = next_day_us(facts->zone[i], at_us);
			i = 0;
		} else {
			i++;
		}
	}
	return at_us;
}

/* The caps that hold for the message's class; returns how many. */
static unsigned caps_of(const struct policy_rules *rules, const struct policy_facts *facts, struct cap caps[3])
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

int64_t policy_cap_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us,
                           enum reason *reason_r)
{
	const struct policy_sends *const keys[] = {&facts->patient, &facts->phone};
	const unsigned key_count = facts->household ? 1 : 2;
	struct cap caps[3];
	const unsigned count = caps_of(rules, facts, caps);
	int64_t at_us = from_us;
	int64_t before_us;
	*reason_r = REASON_none;
	do {
		before_us = at_us;
		for (unsigned i = 0; i < count * key_count && at_us != TIME_NEVER; i++) {
			at_us = cap_next(&caps[i / key_count], facts, keys[i % key_count], at_us);
			if (at_us != from_us && *reason_r == REASON_none)
				*reason_r = caps[i / key_count].reason;
		}
	} while (at_us != before_us && at_us != TIME_NEVER);
	return at_us;
}
