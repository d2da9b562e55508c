#include "policy_quiet.h"

#include "policy_holiday.h"
#include "policy_state.h"

#define DAY_S 86400
#define DAY_MINUTES (24 * 60)

static const struct policy_window all_day = {0, DAY_MINUTES};

/* A wall clock: the day, and the second of it. */
struct wall {
	int64_t days;
	int64_t second;
};

static struct wall wall_of(int64_t unix_s, int32_t offset)
{
	int64_t days = floor_div(unix_s + offset, DAY_S);
	return (struct wall){days, unix_s + offset - days * DAY_S};
}

static struct policy_window common(struct policy_window a, struct policy_window b)
{
	return (struct policy_window){
	        .open_minute = a.open_minute > b.open_minute ? a.open_minute : b.open_minute,
	        .close_minute = a.close_minute < b.close_minute ? a.close_minute : b.close_minute,
	};
}

/* For every text. */
static struct policy_window base_window(const struct policy_rules *rules, const struct policy_facts *facts)
{
	struct policy_window pack = {rules->open_minute, rules->close_minute};
	struct policy_window practice = {facts->practice_open_minute, facts->practice_close_minute};
	if (!practice.close_minute)
		practice.close_minute = all_day.close_minute;
	return common(pack, practice);
}

/* What the states allow on a local date; the whole day when it is none of their business. */
static struct policy_window state_window(const struct policy_facts *facts, int64_t days)
{
	if (!(policy_category_flags(facts->category) & CATEGORY_SOLICITATION))
		return all_day;
	if (policy_states_rest_on_holidays(facts->states) && policy_holiday(days))
		return (struct policy_window){0, 0};
	return policy_states_window(facts->states, time_weekday(days));
}

/* The message's sending hours on a local date. */
static struct policy_window window_of(const struct policy_rules *rules, const struct policy_facts *facts, int64_t days)
{
	return common(base_window(rules, facts), state_window(facts, days));
}

static bool within(const struct policy_rules *rules, struct policy_window w, int64_t second)
{
	return second >= w.open_minute * 60 && second < w.close_minute * 60 - rules->close_guard_s;
}

static struct wall zone_wall(const struct zone *z, int64_t unix_s)
{
	return wall_of(unix_s, policy_zone_offset(z, unix_s));
}

enum reason policy_quiet_obstacle(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	const int64_t s = floor_div(now_us, SECOND_US);
	const struct policy_window base = base_window(rules, facts);
	enum reason reason = REASON_none;
	for (unsigned i = 0; i < facts->zones; i++) {
		struct wall at = zone_wall(facts->zone[i], s);
		struct policy_window state = state_window(facts, at.days);
		if (!within(rules, base, at.second))
			return REASON_quiet_hours;
		if (state.open_minute >= state.close_minute)
			reason = REASON_quiet_day_state;
		else if (!within(rules, common(base, state), at.second) && reason == REASON_none)
			reason = REASON_quiet_hours_state;
	}
	return reason;
}

bool policy_quiet_open(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	return policy_quiet_obstacle(rules, facts, now_us) == REASON_none;
}

/* First second at or after unix_s in the zone's sending hours; one after limit_s when there is none until then. It
 * walks day by day, and stretch by stretch, so that a change of the clock over the opening hour itself is no special
 * case. */
static int64_t zone_next_open(const struct policy_rules *rules, const struct policy_facts *facts, const struct zone *z,
                              int64_t unix_s, int64_t limit_s)
{
	while (unix_s <= limit_s) {
		struct zone_span span = policy_zone_span(z, unix_s);
		struct wall at = wall_of(unix_s, span.offset);
		struct policy_window w = window_of(rules, facts, at.days);
		if (within(rules, w, at.second))
			return unix_s;
		int64_t next = within(rules, w, w.open_minute * 60) && at.second < w.open_minute * 60
		                       ? w.open_minute * 60
		                       : DAY_S;
		unix_s += next - at.second;
		unix_s = unix_s < span.until_s ? unix_s : span.until_s;
	}
	return unix_s;
}

int64_t policy_quiet_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us)
{
	const int64_t limit_s = floor_div(from_us + POLICY_HORIZON_US, SECOND_US);
	int64_t at_us = from_us;
	while (!policy_quiet_open(rules, facts, at_us)) {
		int64_t s = floor_div(at_us, SECOND_US);
		for (unsigned i = 0; i < facts->zones; i++)
			s = zone_next_open(rules, facts, facts->zone[i], s, limit_s);
		at_us = s * SECOND_US;
		if (s > limit_s)
			return TIME_NEVER;
	}
	return at_us;
}

/* First instant at or after unix_s at which the zone's hours are over. */
static int64_t zone_close(const struct policy_rules *rules, const struct policy_facts *facts, const struct zone *z,
                          int64_t unix_s)
{
	for (;;) {
		struct zone_span span = policy_zone_span(z, unix_s);
		struct wall at = wall_of(unix_s, span.offset);
		struct policy_window w = window_of(rules, facts, at.days);
		if (at.second < w.open_minute * 60 || at.second >= w.close_minute * 60)
			return unix_s;
		int64_t close_s = unix_s + w.close_minute * 60 - at.second;
		if (close_s < span.until_s)
			return close_s;
		unix_s = span.until_s;
	}
}

int64_t policy_close_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	int64_t first_us = TIME_NEVER;
	if (!rules)
		return now_us;
	for (unsigned i = 0; i < facts->zones; i++) {
		int64_t s = zone_close(rules, facts, facts->zone[i], floor_div(now_us, SECOND_US));
		first_us = s * SECOND_US < first_us ? s * SECOND_US : first_us;
	}
	return first_us > now_us ? first_us : now_us;
}
