#include "policy_cap.h"
#include "policy_quiet.h"

#include "base_check.h"

const struct policy_rules policy_rules_default = {
        .pack = "today",
        .open_minute = 8 * 60,
        .close_minute = 21 * 60,
        .close_guard_s = 5,
        .day_max = 1,
        .week_max = 3,
        .conversation_s = 86400,
};

const char *policy_verdict_name(enum verdict v)
{
	static const char *const names[] = {"send", "wait", "refuse", "expire"};
	check((unsigned)v < sizeof(names) / sizeof(names[0]));
	return names[v];
}

static struct policy_verdict ends(enum verdict verdict, enum reason reason)
{
	return (struct policy_verdict){.verdict = verdict, .reason = reason};
}

/* The first instant from from_us on that the category's rules allow together. Each rule gives the first instant of its
 * own at or after the one it is asked for, so the first on which they agree is the first of all. */
static int64_t next_allowed_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us)
{
	const unsigned flags = policy_category_flags(facts->category);
	enum reason unused;
	int64_t at_us = from_us;
	int64_t before_us;
	do {
		before_us = at_us;
		if (flags & CATEGORY_CAPPED)
			at_us = policy_cap_next_us(rules, facts, at_us, &unused);
		if (flags & CATEGORY_QUIET && at_us != TIME_NEVER)
			at_us = policy_quiet_next_us(rules, facts, at_us);
	} while (at_us != before_us && at_us != TIME_NEVER);
	return at_us;
}

/* What keeps the message from going at now_us, in the order in which a person would say it. */
static enum reason obstacle(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	const unsigned flags = policy_category_flags(facts->category);
	enum reason reason = REASON_none;
	if (facts->send_at_us > now_us)
		return REASON_send_at_future;
	if (flags & CATEGORY_QUIET && !policy_quiet_open(rules, facts, now_us))
		return REASON_quiet_hours;
	if (flags & CATEGORY_CAPPED)
		policy_cap_next_us(rules, facts, now_us, &reason);
	return reason == REASON_none && facts->hold_until_us > now_us ? facts->hold : reason;
}

/* What forbids the message for good, whatever the time. */
static enum reason forbidden(const struct policy_facts *facts)
{
	const unsigned flags = policy_category_flags(facts->category);
	if (facts->attempts >= LIMIT_ATTEMPTS)
		return REASON_attempts_exhausted;
	if (flags & CATEGORY_STOPPABLE && facts->opted_out)
		return REASON_opted_out;
	if (facts->phone_flag)
		return facts->phone_flag;
	if (flags & CATEGORY_STOPPABLE && facts->content_stopped)
		return REASON_carrier_spam;
	if (flags & (CATEGORY_QUIET | CATEGORY_CAPPED) && facts->zones == 0)
		return REASON_no_zone;
	return REASON_none;
}

static int64_t latest(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

struct policy_verdict policy_decide(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	const unsigned flags = policy_category_flags(facts->category);
	check(facts->zones <= LIMIT_ZONES);
	check(facts->patient.count <= POLICY_SENDS_MAX && facts->phone.count <= POLICY_SENDS_MAX);
	if (now_us >= facts->expires_at_us)
		return ends(VERDICT_EXPIRE, REASON_expired);
	enum reason never = forbidden(facts);
	if (never)
		return ends(VERDICT_REFUSE, never);
	if (facts->hold && facts->hold_until_us == TIME_NEVER)
		return (struct policy_verdict){VERDICT_WAIT, facts->hold, facts->expires_at_us};
	enum reason reason = obstacle(rules, facts, now_us);
	if (reason == REASON_none)
		return ends(VERDICT_SEND, REASON_none);
	int64_t from_us = latest(latest(facts->send_at_us, facts->hold_until_us), now_us);
	if (flags & CATEGORY_QUIET && policy_quiet_next_us(rules, facts, from_us) == TIME_NEVER)
		return ends(VERDICT_REFUSE, REASON_no_common_hours);
	int64_t until_us = next_allowed_us(rules, facts, from_us);
	if (until_us >= facts->expires_at_us)
		return ends(VERDICT_EXPIRE, REASON_expires_before_allowed);
	return (struct policy_verdict){VERDICT_WAIT, reason, until_us};
}
