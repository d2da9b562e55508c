#include "policy_cap.h"
#include "policy_quiet.h"

#include "base_check.h"

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

/* A named person ordered it; a second one approved where the practice wants that, and always where the patient has
 * stopped texts, or may have. */
static bool emergency_ordered(const struct policy_facts *facts)
{
	bool second = facts->emergency_two || facts->opted_out || facts->review_open;
	return facts->emergency_person && (!second || facts->emergency_approved);
}

/* What the patient, or the carrier, has stopped. */
static enum reason stopped(const struct policy_facts *facts, unsigned flags)
{
	const bool stoppable = flags & CATEGORY_STOPPABLE;
	if (stoppable && facts->opted_out && !(flags & CATEGORY_EMERGENCY))
		return REASON_opted_out;
	if (stoppable && facts->alternative)
		return REASON_alternative_asked;
	if (facts->phone_flag)
		return facts->phone_flag;
	if (stoppable && facts->content_stopped)
		return REASON_carrier_spam;
	if (facts->content_refused)
		return REASON_content_refused;
	if (stoppable && facts->review_open && !(flags & CATEGORY_EMERGENCY))
		return REASON_review_pending;
	return REASON_none;
}

/* What the patient's consent does not carry. A practice's attestation that it got its numbers from its patients is
 * implied consent and no more. */
static enum reason unconsented(const struct policy_facts *facts)
{
	const enum basis least = policy_category_basis(facts->category);
	enum basis basis = facts->consent.basis;
	if (facts->consent.attested && basis > BASIS_IMPLIED)
		basis = BASIS_IMPLIED;
	if (basis >= least)
		return REASON_none;
	if (basis != BASIS_NONE)
		return REASON_consent_weak;
	return facts->consent.stale ? REASON_consent_stale : REASON_consent_missing;
}

/* The instant at which the patient's text can no longer be answered. */
static int64_t conversation_end_us(const struct policy_rules *rules, const struct policy_facts *facts)
{
	return facts->conversation ? facts->conversation_us + rules->conversation_s * SECOND_US : INT64_MIN;
}

static bool conversation_over(const struct policy_rules *rules, const struct policy_facts *facts, int64_t at_us)
{
	return policy_category_flags(facts->category) & CATEGORY_CONVERSATION &&
	       at_us >= conversation_end_us(rules, facts);
}

/* One answer of a program's to a text; people may answer as often as they like. */
static bool answered_already(const struct policy_facts *facts)
{
	return policy_category_flags(facts->category) & CATEGORY_CONVERSATION && facts->automatic && facts->answered;
}

/* What forbids the message whatever the hour, in the order in which a person would say it. */
static enum reason forbidden(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	const unsigned flags = policy_category_flags(facts->category);
	enum reason reason;
	if (flags & CATEGORY_EMERGENCY && !emergency_ordered(facts))
		return REASON_emergency_unapproved;
	if ((reason = stopped(facts, flags)) || (reason = unconsented(facts)))
		return reason;
	if (facts->phi && !facts->verified)
		return REASON_verification_needed;
	if (facts->phi && !facts->risk_warned)
		return REASON_risk_unwarned;
	if (conversation_over(rules, facts, now_us))
		return REASON_conversation_over;
	if (answered_already(facts))
		return REASON_answered_already;
	if (flags & (CATEGORY_QUIET | CATEGORY_CAPPED) && facts->zones == 0)
		return REASON_no_zone;
	return REASON_none;
}

/* Nobody but a person ends it. */
static bool waits_for_person(enum reason reason)
{
	return reason == REASON_emergency_unapproved || reason == REASON_review_pending ||
	       reason == REASON_verification_needed;
}

/* The first instant from from_us on that the category's rules allow together. What a cap allows it allows ever after,
 * so that the first sending hour after it is the first of all. */
static int64_t next_allowed_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us)
{
	const unsigned flags = policy_category_flags(facts->category);
	enum reason unused;
	int64_t at_us = from_us;
	if (flags & CATEGORY_CAPPED)
		at_us = policy_cap_next_us(rules, facts, at_us, &unused);
	if (flags & CATEGORY_QUIET && at_us != TIME_NEVER)
		at_us = policy_quiet_next_us(rules, facts, at_us);
	return at_us;
}

/* What keeps the message from going at now_us that time alone will end, in the order in which a person would say it. */
static enum reason obstacle(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	const unsigned flags = policy_category_flags(facts->category);
	enum reason reason = REASON_none;
	if (facts->send_at_us > now_us)
		return REASON_send_at_future;
	if (flags & CATEGORY_QUIET)
		reason = policy_quiet_obstacle(rules, facts, now_us);
	if (reason == REASON_none && flags & CATEGORY_CAPPED)
		policy_cap_next_us(rules, facts, now_us, &reason);
	return reason == REASON_none && facts->hold_until_us > now_us ? facts->hold : reason;
}

static int64_t latest(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* Until when it waits for hours, caps and holds, if it may go then at all. */
static struct policy_verdict wait_or_end(const struct policy_rules *rules, const struct policy_facts *facts,
                                         int64_t now_us, enum reason reason)
{
	const unsigned flags = policy_category_flags(facts->category);
	int64_t from_us = latest(latest(facts->send_at_us, facts->hold_until_us), now_us);
	if (flags & CATEGORY_QUIET && policy_quiet_next_us(rules, facts, from_us) == TIME_NEVER)
		return ends(VERDICT_REFUSE, REASON_no_common_hours);
	int64_t until_us = next_allowed_us(rules, facts, from_us);
	if (conversation_over(rules, facts, until_us))
		return ends(VERDICT_REFUSE, REASON_conversation_over);
	if (until_us >= facts->expires_at_us)
		return ends(VERDICT_EXPIRE, REASON_expires_before_allowed);
	return (struct policy_verdict){VERDICT_WAIT, reason, until_us};
}

struct policy_verdict policy_decide(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us)
{
	check(facts->zones <= LIMIT_ZONES);
	check(facts->patient.count <= POLICY_SENDS_MAX && facts->phone.count <= POLICY_SENDS_MAX);
	if (now_us >= facts->expires_at_us)
		return ends(VERDICT_EXPIRE, REASON_expired);
	if (facts->withdrawn)
		return ends(VERDICT_REFUSE, facts->withdrawn);
	if (facts->attempts >= LIMIT_ATTEMPTS)
		return ends(VERDICT_REFUSE, REASON_attempts_exhausted);
	if ((unsigned)facts->category >= CATEGORY_COUNT)
		return ends(VERDICT_REFUSE, REASON_class_unknown);
	if (!rules)
		return ends(VERDICT_REFUSE, REASON_rules_missing);
	enum reason reason = forbidden(rules, facts, now_us);
	if (reason == REASON_none && facts->hold && facts->hold_until_us == TIME_NEVER)
		reason = facts->hold;
	else if (reason && !waits_for_person(reason))
		return ends(VERDICT_REFUSE, reason);
	if (reason)
		return (struct policy_verdict){VERDICT_WAIT, reason, facts->expires_at_us};
	reason = obstacle(rules, facts, now_us);
	return reason ? wait_or_end(rules, facts, now_us, reason) : ends(VERDICT_SEND, REASON_none);
}
