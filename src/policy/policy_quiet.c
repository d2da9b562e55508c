#include "policy_quiet.h"

static int64_t second_of_day(int64_t unix_s, int32_t offset)
{
	int64_t wall = unix_s + offset;
	return wall - floor_div(wall, 86400) * 86400;
}

static bool within(const struct policy_rules *rules, int64_t second)
{
	return second >= rules->open_minute * 60 && second < rules->close_minute * 60 - rules->close_guard_s;
}

/* First second at or after unix_s in the zone's sending hours. It walks stretch by stretch, so that a change of the
 * clock over the opening hour itself is no special case. */
static int64_t zone_next_open(const struct policy_rules *rules, const struct zone *z, int64_t unix_s)
{
	for (;;) {
		struct zone_span span = policy_zone_span(z, unix_s);
		int64_t second = second_of_day(unix_s, span.offset);
		if (within(rules, second))
			return unix_s;
		int64_t wait = rules->open_minute * 60 - second;
		wait += wait > 0 ? 0 : 86400;
		if (unix_s + wait < span.until_s)
			return unix_s + wait;
		unix_s = span.until_s;
	}
}

bool policy_quiet_open(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	int64_t s = floor_div(now_us, SECOND_US);
	for (unsigned i = 0; i < facts->zones; i++)
		if (!within(rules, second_of_day(s, policy_zone_offset(facts->zone[i], s))))
			return false;
	return true;
}

int64_t policy_quiet_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us)
{
	int64_t at_us = from_us;
	while (!policy_quiet_open(rules, facts, at_us)) {
		int64_t s = floor_div(at_us, SECOND_US);
		for (unsigned i = 0; i < facts->zones; i++)
			s = zone_next_open(rules, facts->zone[i], s);
		at_us = s * SECOND_US;
		if (at_us > from_us + POLICY_HORIZON_US)
			return TIME_NEVER;
	}
	return at_us;
}

/* First instant after unix_s, which is within hours, at which the zone's are over. */
static int64_t zone_close(const struct policy_rules *rules, const struct zone *z, int64_t unix_s)
{
	for (;;) {
		struct zone_span span = policy_zone_span(z, unix_s);
		int64_t left = rules->close_minute * 60 - second_of_day(unix_s, span.offset);
		if (left <= 0 || left > (rules->close_minute - rules->open_minute) * 60)
			return unix_s;
		if (unix_s + left <= span.until_s)
			return unix_s + left;
		unix_s = span.until_s;
	}
}

int64_t policy_close_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	int64_t first_us = TIME_NEVER;
	for (unsigned i = 0; i < facts->zones; i++) {
		int64_t close_us = zone_close(rules, facts->zone[i], floor_div(now_us, SECOND_US)) * SECOND_US;
		if (close_us < first_us)
			first_us = close_us;
	}
	return first_us > now_us ? first_us : now_us;
}
