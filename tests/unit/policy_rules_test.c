#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_cap.h"
#include "policy_fixture.h"
#include "policy_pack.h"
#include "policy_quiet.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- rows ------------------------------------------------------------------------------------------------------ */

static void every_reason_is_told(void **state)
{
	(void)state;
	static const char *const rules[] = {
	        "quiet_hours",  "cap",         "opt_out",          "expiry",  "zone",         "carrier",
	        "practice",     "receipt",     "schedule",         "number",  "content",      "class",
	        "rules",        "consent",     "review",           "privacy", "verification", "emergency",
	        "conversation", "appointment", "conversation_once"};
	for (unsigned r = REASON_none + 1; r < REASON_COUNT; r++) {
		const char *code = policy_reason_code(r);
		const char *sentence = policy_reason_sentence(r);
		const char *finality = policy_reason_finality(r);
		bool known = false;
		for (size_t i = 0; i < COUNT(rules); i++)
			known = known || strcmp(policy_reason_rule(r), rules[i]) == 0;
		assert_true(known);
		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz_"), strlen(code));
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		assert_true(!strcmp(finality, "final") || !strcmp(finality, "waits") || !strcmp(finality, "news"));
		assert_non_null(policy_reason_citation(r));
		assert_int_equal(policy_reason_parse(view_str(code)), r);
	}
	assert_string_equal(policy_reason_code(REASON_none), "");
	assert_string_equal(policy_reason_citation(REASON_cap_day), "47 CFR 64.1200(a)(9)(iv)(F); compliance policy");
	assert_int_equal(policy_reason_parse(VIEW("no_such")), REASON_none);
	assert_int_equal(policy_reason_parse(VIEW("")), REASON_none);
}

static void every_category_is_told(void **state)
{
	(void)state;
	const unsigned all = CATEGORY_CAPPED | CATEGORY_COUNTED | CATEGORY_QUIET | CATEGORY_LINTED;
	unsigned from_practices = 0;
	for (unsigned c = 0; c < CATEGORY_COUNT; c++) {
		const char *sentence = policy_category_sentence(c);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		assert_int_equal(policy_category_parse(view_str(policy_category_code(c))), c);
		/* What a practice may send is stoppable; it knows every limit or, as answer or emergency, none of those
		 * of time and number; what answers the patient knows none at all. */
		unsigned flags = policy_category_flags(c);
		unsigned special = CATEGORY_CONVERSATION | CATEGORY_EMERGENCY;
		assert_true(!(flags & CATEGORY_API) == !(flags & CATEGORY_STOPPABLE));
		assert_true(!(flags & CATEGORY_API) ? flags == 0
		            : flags & special       ? !(flags & (CATEGORY_CAPPED | CATEGORY_QUIET))
		                                    : (flags & all) == all);
		assert_true(!(flags & CATEGORY_HEALTH) || policy_category_basis(c) == BASIS_IMPLIED);
		assert_true(!(flags & CATEGORY_SOLICITATION) || policy_category_basis(c) >= BASIS_EXPRESS);
		from_practices += (flags & CATEGORY_API) != 0;
	}
	assert_int_equal(from_practices, 17);
	assert_int_equal(policy_category_flags(CATEGORY_opt_out_confirmation), 0);
	assert_string_equal(policy_category_citation(CATEGORY_lab_results), "47 CFR 64.1200(a)(9)(iv)(C)");
	assert_int_equal(policy_category_parse(VIEW("marketing")), CATEGORY_COUNT);
}

static void verdicts_have_names(void **state)
{
	(void)state;
	assert_string_equal(policy_verdict_name(VERDICT_SEND), "send");
	assert_string_equal(policy_verdict_name(VERDICT_WAIT), "wait");
	assert_string_equal(policy_verdict_name(VERDICT_REFUSE), "refuse");
	assert_string_equal(policy_verdict_name(VERDICT_EXPIRE), "expire");
}

/* --- a table of judgements ------------------------------------------------------------------------------------- */

/* Instants are UTC, "MM-DDThh:mm:ss" of 2026 and a fraction where it matters, so that rows stay short. */
static int64_t at_us(const char *text)
{
	char full[48];
	int64_t us = 0;
	if (!text)
		return 0;
	snprintf(full, sizeof(full), "2026-%sZ", text);
	assert_true(time_parse(view_str(full), &us));
	return us;
}

struct judgement {
	const char *what;
	const char *zones; /* letters: E New York, C Chicago, P Los Angeles, G Guam, H Honolulu, A Phoenix, L London */
	const char *now;
	const char *send_at;
	const char *expires; /* NULL: never */
	const char *patient[5];
	const char *phone[5];
	enum verdict verdict;
	enum reason reason;
	const char *until;
	enum category category;
	bool opted_out;
	unsigned attempts;
	enum reason flag;
	bool stopped; /* content */
	enum reason hold;
	const char *hold_until; /* NULL with a hold: until somebody clears it */
};

#define JUDGE(what_, zones_, now_, ...)                                                                                \
	{                                                                                                              \
		.what = what_, .zones = zones_, .now = now_, __VA_ARGS__                                               \
	}
#define SENDS .verdict = VERDICT_SEND, .reason = REASON_none
#define WAITS(why, until_) .verdict = VERDICT_WAIT, .reason = REASON_##why, .until = until_
#define REFUSED(why) .verdict = VERDICT_REFUSE, .reason = REASON_##why
#define EXPIRES(why) .verdict = VERDICT_EXPIRE, .reason = REASON_##why

/* clang-format off: one judgement a line. */
/* In January New York is five hours behind UTC: 08:00 is 13:00Z, 21:00 is 02:00Z of the next day. */
static const struct judgement judgements[] = {
        JUDGE("before opening", "E", "01-14T12:59:59", WAITS(quiet_hours, "01-14T13:00:00")),
        JUDGE("a microsecond before", "E", "01-14T12:59:59.999999", WAITS(quiet_hours, "01-14T13:00:00")),
        JUDGE("at opening", "E", "01-14T13:00:00", SENDS),
        JUDGE("noon", "E", "01-14T17:00:00", SENDS),
        JUDGE("last second", "E", "01-15T01:54:59", SENDS),
        JUDGE("last microsecond", "E", "01-15T01:54:59.999999", SENDS),
        JUDGE("the guard", "E", "01-15T01:55:00", WAITS(quiet_hours, "01-15T13:00:00")),
        JUDGE("at closing", "E", "01-15T02:00:00", WAITS(quiet_hours, "01-15T13:00:00")),
        JUDGE("local midnight", "E", "01-15T05:00:00", WAITS(quiet_hours, "01-15T13:00:00")),

        JUDGE("two zones: east open, west not", "EP", "01-14T15:59:59", WAITS(quiet_hours, "01-14T16:00:00")),
        JUDGE("two zones: west opens", "EP", "01-14T16:00:00", SENDS),
        JUDGE("two zones: east closes first", "EP", "01-15T01:54:59", SENDS),
        JUDGE("two zones: east has closed", "PE", "01-15T01:55:00", WAITS(quiet_hours, "01-15T16:00:00")),
        JUDGE("four zones", "ECPH", "01-14T17:59:59", WAITS(quiet_hours, "01-14T18:00:00")),
        JUDGE("Guam alone", "G", "01-14T22:00:00", SENDS),
        /* Two zones with 13 hours each always share some; a third, far from both, may take them away. */
        JUDGE("Guam and New York", "EG", "01-14T17:00:00", WAITS(quiet_hours, "01-14T22:00:00")),
        JUDGE("Guam and New York share", "EG", "01-15T01:54:59", SENDS),
        JUDGE("and London never", "EGL", "01-14T17:00:00", REFUSED(no_common_hours)),
        JUDGE("and London, later", "LGE", "01-14T17:00:00", REFUSED(no_common_hours), .send_at = "02-14T17:00:00"),
        JUDGE("no zone", "", "01-14T17:00:00", REFUSED(no_zone)),
        JUDGE("no zone, later", "", "01-14T17:00:00", REFUSED(no_zone), .send_at = "01-15T17:00:00"),

        /* 8 March: 2:00 becomes 3:00; 1 November: 2:00 becomes 1:00 */
        JUDGE("spring, the evening before", "E", "03-08T02:00:00", WAITS(quiet_hours, "03-08T12:00:00")),
        JUDGE("spring, before opening", "E", "03-08T11:59:59", WAITS(quiet_hours, "03-08T12:00:00")),
        JUDGE("spring, opening", "E", "03-08T12:00:00", SENDS),
        JUDGE("spring, Phoenix stays", "A", "03-08T14:59:59", WAITS(quiet_hours, "03-08T15:00:00")),
        JUDGE("autumn, the evening before", "E", "11-01T01:00:00", WAITS(quiet_hours, "11-01T13:00:00")),
        JUDGE("autumn, summer's opening", "E", "11-01T12:00:00", WAITS(quiet_hours, "11-01T13:00:00")),
        JUDGE("autumn, last of summer", "E", "11-01T00:54:59", SENDS),

        /* the day: 24 hours, and the local date */
        JUDGE("the day, rolling", "E", "01-15T16:59:59", WAITS(cap_day, "01-15T17:00:00"),
              .patient = {"01-14T17:00:00"}),
        JUDGE("the day, by a microsecond", "E", "01-15T16:59:59.999999", WAITS(cap_day, "01-15T17:00:00"),
              .patient = {"01-14T17:00:00"}),
        JUDGE("the day is over", "E", "01-15T17:00:00", SENDS, .patient = {"01-14T17:00:00"}),
        JUDGE("the phone's day", "E", "01-15T16:59:59", WAITS(cap_day, "01-15T17:00:00"), .phone = {"01-14T17:00:00"}),
        JUDGE("the phone's day is over", "E", "01-15T17:00:00", SENDS, .phone = {"01-14T17:00:00"}),
        JUDGE("the later of both", "E", "01-15T16:00:00", WAITS(cap_day, "01-15T18:00:00"),
              .patient = {"01-14T17:00:00"}, .phone = {"01-14T18:00:00"}),
        JUDGE("the day ends in the guard", "E", "01-14T20:00:00", WAITS(cap_day, "01-15T13:00:00"),
              .patient = {"01-14T01:57:00"}),
        JUDGE("quiet comes first", "E", "01-15T03:00:00", WAITS(quiet_hours, "01-15T17:00:00"),
              .patient = {"01-14T17:00:00"}),
        /* 1 November lasts 25 hours: a message at 08:00 of it is 24 hours old at 08:00 of the 2nd, but one of
         * 00:30 summer time is a day old at 23:30 of the same date */
        JUDGE("the date outlasts 24 hours", "E", "11-02T04:30:00", WAITS(quiet_hours, "11-02T13:00:00"),
              .patient = {"11-01T04:30:00"}),

        /* the week: 168 hours, and Sunday to Saturday. 11 January is a Sunday. */
        JUDGE("two in a week", "E", "01-15T17:00:00", SENDS, .patient = {"01-13T17:00:00", "01-12T17:00:00"}),
        JUDGE("three in a week, rolling", "E", "01-15T17:00:00", WAITS(cap_week, "01-16T17:00:00"),
              .patient = {"01-14T16:00:00", "01-10T17:00:00", "01-09T17:00:00"}),
        JUDGE("three in a week, a second early", "E", "01-16T16:59:59", WAITS(cap_week, "01-16T17:00:00"),
              .patient = {"01-14T16:00:00", "01-10T17:00:00", "01-09T17:00:00"}),
        JUDGE("three in a week, rolled out", "E", "01-16T17:00:00", SENDS,
              .patient = {"01-14T16:00:00", "01-10T17:00:00", "01-09T17:00:00"}),
        JUDGE("three since Sunday", "E", "01-17T17:00:00", WAITS(cap_week, "01-18T17:00:00"),
              .patient = {"01-14T16:00:00", "01-12T17:00:00", "01-11T17:00:00"}),
        JUDGE("three since Sunday, the phone", "E", "01-17T17:00:00", WAITS(cap_week, "01-18T17:00:00"),
              .phone = {"01-14T16:00:00", "01-12T17:00:00", "01-11T17:00:00"}),
        JUDGE("order does not matter", "E", "01-15T17:00:00", WAITS(cap_week, "01-16T17:00:00"),
              .patient = {"01-09T17:00:00", "01-14T16:00:00", "01-10T17:00:00"}),
        JUDGE("the day before the week", "E", "01-15T15:00:00", WAITS(cap_day, "01-16T17:00:00"),
              .patient = {"01-14T16:00:00", "01-10T17:00:00", "01-09T17:00:00"}),
        JUDGE("split over patient and phone", "E", "01-15T17:00:00", SENDS,
              .patient = {"01-14T16:00:00", "01-13T16:00:00"}, .phone = {"01-12T16:00:00"}),
        JUDGE("a send that this clock has not reached", "E", "01-15T17:00:00", WAITS(cap_day, "01-16T17:00:01"),
              .patient = {"01-15T17:00:01"}),

        JUDGE("not yet", "E", "01-14T17:00:00", WAITS(send_at_future, "01-14T18:00:00"), .send_at = "01-14T18:00:00"),
        JUDGE("now", "E", "01-14T18:00:00", SENDS, .send_at = "01-14T18:00:00"),
        JUDGE("later, at night", "E", "01-14T17:00:00", WAITS(send_at_future, "01-15T13:00:00"),
              .send_at = "01-15T03:00:00"),
        JUDGE("later, capped", "E", "01-14T17:00:00", WAITS(send_at_future, "01-15T16:00:00"),
              .send_at = "01-15T14:00:00", .patient = {"01-14T16:00:00"}),

        JUDGE("expired", "E", "01-14T17:00:00", EXPIRES(expired), .expires = "01-14T17:00:00"),
        JUDGE("a microsecond left", "E", "01-14T17:00:00", SENDS, .expires = "01-14T17:00:00.000001"),
        JUDGE("expires before opening", "E", "01-14T12:00:00", EXPIRES(expires_before_allowed),
              .expires = "01-14T13:00:00"),
        JUDGE("expires just after opening", "E", "01-14T12:00:00", WAITS(quiet_hours, "01-14T13:00:00"),
              .expires = "01-14T13:00:01"),
        JUDGE("expires before the cap lets go", "E", "01-15T14:00:00", EXPIRES(expires_before_allowed),
              .expires = "01-15T17:00:00", .patient = {"01-14T17:00:00"}),
        JUDGE("send_at past expiry", "E", "01-14T17:00:00", EXPIRES(expires_before_allowed),
              .send_at = "01-16T17:00:00", .expires = "01-15T17:00:00"),

        JUDGE("opted out", "E", "01-14T17:00:00", REFUSED(opted_out), .opted_out = true),
        JUDGE("opted out at night", "E", "01-14T03:00:00", REFUSED(opted_out), .opted_out = true),
        JUDGE("opted out, later", "E", "01-14T17:00:00", REFUSED(opted_out), .send_at = "01-15T17:00:00",
              .opted_out = true),
        JUDGE("opted out, no zone", "", "01-14T17:00:00", REFUSED(opted_out), .opted_out = true),
        JUDGE("opted out, expired", "E", "01-14T17:00:00", EXPIRES(expired), .expires = "01-14T16:00:00",
              .opted_out = true),
        JUDGE("one attempt left", "E", "01-14T17:00:00", SENDS, .attempts = LIMIT_ATTEMPTS - 1),
        JUDGE("no attempt left", "E", "01-14T17:00:00", REFUSED(attempts_exhausted), .attempts = LIMIT_ATTEMPTS),
        JUDGE("no attempt left, opted out", "E", "01-14T17:00:00", REFUSED(attempts_exhausted), .opted_out = true,
              .attempts = LIMIT_ATTEMPTS),

        /* what carriers said of earlier messages */
        JUDGE("a dead number", "E", "01-14T17:00:00", REFUSED(number_dead), .flag = REASON_number_dead),
        JUDGE("a blocked pair, at night", "E", "01-14T03:00:00", REFUSED(number_blocked),
              .flag = REASON_number_blocked),
        JUDGE("opted out and dead", "E", "01-14T17:00:00", REFUSED(opted_out), .flag = REASON_number_dead,
              .opted_out = true),
        JUDGE("dead, but expired", "E", "01-14T17:00:00", EXPIRES(expired), .flag = REASON_number_dead,
              .expires = "01-14T16:00:00"),
        JUDGE("a dead number's confirmation", "E", "01-14T17:00:00", REFUSED(number_dead), .flag = REASON_number_dead,
              .category = CATEGORY_help_reply),
        JUDGE("stopped words", "E", "01-14T17:00:00", REFUSED(carrier_spam), .stopped = true),
        JUDGE("stopped words in an answer to the patient", "E", "01-14T17:00:00", SENDS, .stopped = true,
              .category = CATEGORY_opt_out_confirmation),
        JUDGE("the carrier's day", "E", "01-14T17:00:00", WAITS(carrier_daily_cap, "01-15T13:00:00"),
              .hold = REASON_carrier_daily_cap, .hold_until = "01-15T08:00:00"),
        JUDGE("the carrier's day ends in sending hours", "G", "01-15T00:00:00",
              WAITS(carrier_daily_cap, "01-15T08:00:00"), .hold = REASON_carrier_daily_cap,
              .hold_until = "01-15T08:00:00"),
        JUDGE("the carrier's day is over", "E", "01-15T13:00:00", SENDS, .hold = REASON_carrier_daily_cap,
              .hold_until = "01-15T08:00:00"),
        JUDGE("held to the microsecond", "E", "01-14T17:00:00", WAITS(carrier_rate, "01-14T17:00:00.000001"),
              .hold = REASON_carrier_rate, .hold_until = "01-14T17:00:00.000001"),
        JUDGE("held and capped", "E", "01-14T17:00:00", WAITS(cap_day, "01-15T16:00:00"), .hold = REASON_carrier_rate,
              .hold_until = "01-14T17:01:00", .patient = {"01-14T16:00:00"}),
        JUDGE("held past the cap's end", "E", "01-14T17:00:00", WAITS(cap_day, "01-15T18:00:00"),
              .hold = REASON_carrier_rate, .hold_until = "01-15T18:00:00", .patient = {"01-14T16:00:00"}),
        JUDGE("held and too late then", "E", "01-14T17:00:00", EXPIRES(expires_before_allowed),
              .hold = REASON_carrier_daily_cap, .hold_until = "01-15T08:00:00", .expires = "01-15T13:00:00"),
        JUDGE("stopped until somebody clears it", "E", "01-14T17:00:00", WAITS(sender_stopped, "01-20T17:00:00"),
              .hold = REASON_sender_stopped, .expires = "01-20T17:00:00"),
        JUDGE("stopped, at night, for later", "E", "01-14T03:00:00", WAITS(sender_stopped, "01-20T17:00:00"),
              .hold = REASON_sender_stopped, .expires = "01-20T17:00:00", .send_at = "01-18T17:00:00"),
        JUDGE("a confirmation of a held number", "E", "01-14T17:00:00", EXPIRES(expires_before_allowed),
              .hold = REASON_carrier_rate, .hold_until = "01-14T18:00:00", .expires = "01-14T17:05:00",
              .category = CATEGORY_opt_out_confirmation),

        JUDGE("confirmation at night, after a STOP", "E", "01-14T05:00:00", SENDS, .patient = {"01-14T04:59:00"},
              .phone = {"01-14T04:59:00"}, .category = CATEGORY_opt_out_confirmation, .opted_out = true),
        JUDGE("confirmation without a zone", "", "01-14T05:00:00", SENDS, .category = CATEGORY_opt_out_confirmation,
              .opted_out = true),
        JUDGE("confirmation expires", "E", "01-14T05:00:00", EXPIRES(expired), .expires = "01-14T05:00:00",
              .category = CATEGORY_opt_out_confirmation, .opted_out = true),
        JUDGE("help at night", "E", "01-14T05:00:00", SENDS, .patient = {"01-14T04:59:00"},
              .category = CATEGORY_help_reply),
        JUDGE("help later", "", "01-14T05:00:00", WAITS(send_at_future, "01-14T05:00:01"), .send_at = "01-14T05:00:01",
              .category = CATEGORY_help_reply),
};
/* clang-format on */

static struct policy_sends sends_of(const char *const text[5])
{
	struct policy_sends s = {.count = 0};
	while (s.count < 5 && text[s.count]) {
		s.at_us[s.count] = at_us(text[s.count]);
		s.count++;
	}
	return s;
}

static struct zone *zone_by_letter[128];

static int load_zones(void **state)
{
	(void)state;
	zone_by_letter['E'] = fixture_zone("America/New_York");
	zone_by_letter['C'] = fixture_zone("America/Chicago");
	zone_by_letter['P'] = fixture_zone("America/Los_Angeles");
	zone_by_letter['A'] = fixture_zone("America/Phoenix");
	zone_by_letter['H'] = fixture_zone("Pacific/Honolulu");
	zone_by_letter['G'] = fixture_zone("Pacific/Guam");
	zone_by_letter['L'] = fixture_zone("Europe/London");
	zone_by_letter['N'] = fixture_zone("America/Havana");
	return 0;
}

static int free_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(zone_by_letter); i++)
		policy_zone_free(zone_by_letter[i]);
	return 0;
}

static struct policy_facts facts_of(const struct judgement *j)
{
	struct policy_facts f = {
	        .category = j->category,
	        .consent = {.basis = BASIS_IMPLIED},
	        .opted_out = j->opted_out,
	        .send_at_us = at_us(j->send_at),
	        .expires_at_us = j->expires ? at_us(j->expires) : TIME_NEVER,
	        .attempts = j->attempts,
	        .zones = (unsigned)strlen(j->zones),
	        .patient = sends_of(j->patient),
	        .phone = sends_of(j->phone),
	        .phone_flag = j->flag,
	        .content_stopped = j->stopped,
	        .hold = j->hold,
	        .hold_until_us = j->hold && !j->hold_until ? TIME_NEVER : at_us(j->hold_until),
	};
	for (unsigned i = 0; i < f.zones; i++)
		f.zone[i] = zone_by_letter[(unsigned char)j->zones[i]];
	return f;
}

/* covers: rule quiet_hours, rule cap_day, rule cap_week, rule expiry, rule zone, rule opt_out, rule number, rule spam,
 * rule double */
static void judgements_are_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(judgements); i++) {
		const struct judgement *j = &judgements[i];
		struct policy_facts f = facts_of(j);
		struct policy_verdict v = policy_decide(policy_pack_rules(PACK_today), &f, at_us(j->now));
		char until[TIME_TEXT_BYTES];
		bool right = v.verdict == j->verdict && v.reason == j->reason && v.until_us == at_us(j->until);
		if (!right)
			fail_msg("%s: %s %s %s", j->what, policy_verdict_name(v.verdict), policy_reason_code(v.reason),
			         time_format(v.until_us, until));
		/* A wait ends: judged again at its end, the same facts let the message go; where only a person ends the
		 * hold, the message has expired by then. */
		enum verdict end = f.hold_until_us == TIME_NEVER ? VERDICT_EXPIRE : VERDICT_SEND;
		if (v.verdict == VERDICT_WAIT)
			assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, v.until_us).verdict, end);
	}
	print_message("%zu judgements\n", COUNT(judgements));
}

/* --- the calendar clock ---------------------------------------------------------------------------------------- */

/* Whether the calendar alone holds a message back shows only where a local date or week is longer than 24 or 168 hours,
 * or with rules of other numbers. Two a day: the rolling clock lets the third go when the first is a day old. */
static void the_calendar_counts_in_every_zone(void **state)
{
	(void)state;
	const struct policy_rules two = {.open_minute = 480,
	                                 .close_minute = 1260,
	                                 .close_guard_s = 300,
	                                 .day_max = 2,
	                                 .week_max = 9,
	                                 .calendar = true};
	enum reason reason;
	struct judgement j = {.zones = "E", .patient = {"01-14T22:00:00", "01-14T13:30:00"}};
	struct policy_facts f = facts_of(&j);
	assert_true(policy_cap_next_us(&two, &f, at_us("01-14T23:00:00"), &reason) == at_us("01-15T13:30:00"));
	assert_int_equal(reason, REASON_cap_day);
	/* 25 hours of 1 November: 24 hours after 00:30 summer time it is 23:30, still the same date. */
	j = (struct judgement){.zones = "E", .patient = {"11-01T04:30:00"}};
	f = facts_of(&j);
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-01T20:00:00"), &reason) ==
	            at_us("11-02T05:00:00"));
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-02T04:30:00"), &reason) ==
	            at_us("11-02T05:00:00"));
	assert_int_equal(reason, REASON_cap_day);
	/* With Honolulu beside it the send is of 31 October there, and 24 hours are enough; New York still rules. */
	j.zones = "HE";
	f = facts_of(&j);
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-02T04:30:00"), &reason) ==
	            at_us("11-02T05:00:00"));
	/* Havana goes back over midnight: 1 November has 00:30 twice, and ends 25 hours after its first midnight. */
	j = (struct judgement){.zones = "N", .patient = {"11-01T04:30:00"}};
	f = facts_of(&j);
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-01T20:00:00"), &reason) ==
	            at_us("11-02T05:00:00"));
}

/* The week that holds 1 November lasts 169 hours from its Sunday on. */
static void the_calendar_week_may_outlast_168_hours(void **state)
{
	(void)state;
	enum reason reason;
	struct judgement j = {.zones = "E", .patient = {"11-04T17:00:00", "11-03T17:00:00", "11-01T04:10:00"}};
	struct policy_facts f = facts_of(&j);
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-07T17:00:00"), &reason) ==
	            at_us("11-08T05:00:00"));
	assert_int_equal(reason, REASON_cap_week);
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-08T04:10:00"), &reason) ==
	            at_us("11-08T05:00:00"));
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-08T05:00:00"), &reason) ==
	            at_us("11-08T05:00:00"));
	assert_int_equal(reason, REASON_none);
}

static void a_cap_of_none_is_never(void **state)
{
	(void)state;
	const struct policy_rules none = {.open_minute = 480,
	                                  .close_minute = 1260,
	                                  .close_guard_s = 300,
	                                  .day_max = 0,
	                                  .week_max = 3,
	                                  .calendar = true};
	struct judgement j = {.zones = "E"};
	struct policy_facts f = facts_of(&j);
	enum reason reason;
	assert_true(policy_cap_next_us(&none, &f, at_us("01-14T17:00:00"), &reason) == TIME_NEVER);
	assert_int_equal(policy_decide(&none, &f, at_us("01-14T17:00:00")).verdict, VERDICT_EXPIRE);
}

/* --- quiet hours alone ----------------------------------------------------------------------------------------- */

static void narrower_hours_hold(void **state)
{
	(void)state;
	const struct policy_rules narrow = {.open_minute = 540,
	                                    .close_minute = 1020,
	                                    .close_guard_s = 0,
	                                    .day_max = 1,
	                                    .week_max = 3,
	                                    .calendar = true};
	struct judgement j = {.zones = "E"};
	struct policy_facts f = facts_of(&j);
	assert_false(policy_quiet_open(&narrow, &f, at_us("01-14T13:59:59")));
	assert_true(policy_quiet_open(&narrow, &f, at_us("01-14T14:00:00")));
	assert_true(policy_quiet_open(&narrow, &f, at_us("01-14T21:59:59.999999")));
	assert_false(policy_quiet_open(&narrow, &f, at_us("01-14T22:00:00")));
	assert_true(policy_quiet_next_us(&narrow, &f, at_us("01-14T22:00:00")) == at_us("01-15T14:00:00"));
	/* inside, an instant stays what it is */
	assert_true(policy_quiet_next_us(&narrow, &f, at_us("01-14T15:00:00.5")) == at_us("01-14T15:00:00.5"));
	/* Narrowed to eight hours, New York and Guam share none. */
	j.zones = "EG";
	f = facts_of(&j);
	assert_int_equal(policy_decide(&narrow, &f, at_us("01-14T15:00:00")).reason, REASON_no_common_hours);
	j.zones = "E";
	f = facts_of(&j);
	const struct policy_rules never = {.open_minute = 540,
	                                   .close_minute = 540,
	                                   .close_guard_s = 0,
	                                   .day_max = 1,
	                                   .week_max = 3,
	                                   .calendar = true};
	assert_true(policy_quiet_next_us(&never, &f, at_us("01-14T15:00:00")) == TIME_NEVER);
	/* Opening at 2 on the day that has no 2:00, and on the one that has it after two 1:00s. */
	const struct policy_rules early = {.open_minute = 120,
	                                   .close_minute = 240,
	                                   .close_guard_s = 0,
	                                   .day_max = 1,
	                                   .week_max = 3,
	                                   .calendar = true};
	assert_true(policy_quiet_next_us(&early, &f, at_us("03-08T06:30:00")) == at_us("03-08T07:00:00"));
	assert_true(policy_quiet_next_us(&early, &f, at_us("11-01T05:30:00")) == at_us("11-01T07:00:00"));
}

/* Without the calendar 24 and 168 hours are all that counts. */
static void the_calendar_is_the_packs(void **state)
{
	(void)state;
	struct policy_rules rolling = *policy_pack_rules(PACK_today);
	rolling.calendar = false;
	enum reason reason;
	/* 1 November has 25 hours */
	struct judgement j = {.zones = "E", .patient = {"11-01T04:30:00"}};
	struct policy_facts f = facts_of(&j);
	assert_true(policy_cap_next_us(&rolling, &f, at_us("11-01T20:00:00"), &reason) == at_us("11-02T04:30:00"));
	assert_true(policy_cap_next_us(policy_pack_rules(PACK_today), &f, at_us("11-01T20:00:00"), &reason) ==
	            at_us("11-02T05:00:00"));
}

/* compliance.md section 5 has it that Guam and Saipan leave nothing of the fifty states' hours. They leave four in
 * winter, three in summer; not enough for American Samoa to take them all. */
static void the_whole_country_shares_some_hours(void **state)
{
	(void)state;
	static const char *const names[] = {"America/New_York", "America/Chicago",  "America/Denver",
	                                    "America/Phoenix",  "Pacific/Honolulu", "America/Adak",
	                                    "Pacific/Guam",     "Pacific/Pago_Pago"};
	static const struct {
		const char *from;
		const char *open;
		int minutes;
	} cases[] = {{"01-14T12:00:00", "01-14T22:00:00", 240}, {"07-14T12:00:00", "07-14T22:00:00", 180}};
	struct policy_facts f = {
	        .consent = {.basis = BASIS_IMPLIED}, .expires_at_us = TIME_NEVER, .zones = COUNT(names)};
	for (size_t i = 0; i < COUNT(names); i++)
		f.zone[i] = fixture_zone(names[i]);
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t open_us = policy_quiet_next_us(policy_pack_rules(PACK_today), &f, at_us(cases[i].from));
		assert_true(open_us == at_us(cases[i].open));
		int64_t close_us = policy_close_us(policy_pack_rules(PACK_today), &f, open_us);
		assert_true(close_us - open_us == cases[i].minutes * MINUTE_US);
	}
	for (size_t i = 0; i < COUNT(names); i++)
		policy_zone_free((struct zone *)(uintptr_t)f.zone[i]);
}

/* Hours that end at the instant at which the clock changes: forward over it they are over; back over it they are not.
 */
static void closing_when_the_clock_changes(void **state)
{
	(void)state;
	const struct policy_rules night = {
	        .open_minute = 0, .close_minute = 120, .close_guard_s = 0, .day_max = 1, .week_max = 3};
	struct judgement j = {.zones = "E"};
	struct policy_facts f = facts_of(&j);
	assert_true(policy_close_us(&night, &f, at_us("03-08T06:30:00")) == at_us("03-08T07:00:00"));
	assert_true(policy_close_us(&night, &f, at_us("11-01T05:30:00")) == at_us("11-01T07:00:00"));
	assert_true(policy_close_us(&night, &f, at_us("11-01T06:30:00")) == at_us("11-01T07:00:00"));
	/* from midnight on, and until midnight */
	assert_true(policy_quiet_next_us(&night, &f, at_us("01-14T08:00:00")) == at_us("01-15T05:00:00"));
	const struct policy_rules always = {
	        .open_minute = 0, .close_minute = 1440, .close_guard_s = 0, .day_max = 1, .week_max = 3};
	assert_true(policy_quiet_open(&always, &f, at_us("01-14T05:00:00")));
	assert_true(policy_quiet_open(&always, &f, at_us("01-15T04:59:59.999999")));
}

/* covers: rule validity */
static void closing_is_the_first_zone_that_closes(void **state)
{
	(void)state;
	static const struct {
		const char *zones;
		const char *now;
		const char *close;
	} cases[] = {
	        {"E", "01-14T13:00:00", "01-15T02:00:00"},      {"E", "01-14T17:00:00.5", "01-15T02:00:00"},
	        {"E", "01-15T01:54:59", "01-15T02:00:00"},      {"E", "01-15T01:59:59.9", "01-15T02:00:00"},
	        {"PE", "01-14T17:00:00", "01-15T02:00:00"},     {"EP", "01-14T17:00:00", "01-15T02:00:00"},
	        {"P", "01-14T17:00:00", "01-15T05:00:00"},      {"E", "07-14T17:00:00", "07-15T01:00:00"},
	        {"E", "01-15T02:00:00", "01-15T02:00:00"},      {"E", "01-14T12:00:00", "01-14T12:00:00"},
	        {"EP", "01-14T13:00:00.5", "01-14T13:00:00.5"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct judgement j = {.zones = cases[i].zones};
		struct policy_facts f = facts_of(&j);
		if (policy_close_us(policy_pack_rules(PACK_today), &f, at_us(cases[i].now)) != at_us(cases[i].close))
			fail_msg("%s at %s", cases[i].zones, cases[i].now);
	}
	struct judgement j = {.zones = ""};
	struct policy_facts f = facts_of(&j);
	assert_true(policy_close_us(policy_pack_rules(PACK_today), &f, at_us("01-14T13:00:00")) == TIME_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_reason_is_told),
	        cmocka_unit_test(every_category_is_told),
	        cmocka_unit_test(verdicts_have_names),
	        cmocka_unit_test(judgements_are_as_written),
	        cmocka_unit_test(the_calendar_counts_in_every_zone),
	        cmocka_unit_test(the_calendar_week_may_outlast_168_hours),
	        cmocka_unit_test(a_cap_of_none_is_never),
	        cmocka_unit_test(narrower_hours_hold),
	        cmocka_unit_test(the_calendar_is_the_packs),
	        cmocka_unit_test(the_whole_country_shares_some_hours),
	        cmocka_unit_test(closing_when_the_clock_changes),
	        cmocka_unit_test(closing_is_the_first_zone_that_closes),
	};
	return cmocka_run_group_tests(tests, load_zones, free_zones);
}
