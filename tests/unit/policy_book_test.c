#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"
#include "policy_pack.h"
#include "policy_state.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* The rules of the book that no clock ends: classes, packs, consent, privacy, review, conversation, emergency; each
 * with its boundary on both sides, and which of two stands first. Hours and caps: policy_rules_test, policy_state_test.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(s) (UINT64_C(1) << (s))

static struct zone *new_york;

static int load(void **state)
{
	(void)state;
	new_york = fixture_zone("America/New_York");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	policy_zone_free(new_york);
	return 0;
}

static int64_t at_us(const char *text)
{
	char full[48];
	int64_t us = 0;
	snprintf(full, sizeof(full), "2026-%sZ", text);
	assert_true(time_parse(view_str(full), &us));
	return us;
}

/* In January New York is five hours behind UTC. */
#define NOON "01-14T17:00:00"
#define NIGHT "01-14T07:00:00"
#define EXPIRY "01-20T17:00:00"

struct book_case {
	const char *what;
	const char *now;
	struct policy_facts facts; /* in New York, until EXPIRY unless it says when */
	enum verdict verdict;
	enum reason reason;
	const char *until; /* of a wait; NULL: until it expires */
};

/* clang-format off: one case a line, or two. */
#define WROTE INT64_C(1768408200000000) /* 16:30Z of the 14th */
#define CASE(verdict_, what_, now_, class, consent_, ...)                                                              \
	{                                                                                                              \
		.what = what_, .now = now_, verdict_,                                                                  \
		.facts = {.category = CATEGORY_##class, .consent = consent_, __VA_ARGS__},                             \
	}
#define GIVEN(basis_)                                                                                                  \
	{                                                                                                              \
		.basis = BASIS_##basis_                                                                                \
	}
#define ATTESTED(basis_)                                                                                               \
	{                                                                                                              \
		.basis = BASIS_##basis_, .attested = true                                                              \
	}
#define STALE                                                                                                          \
	{                                                                                                              \
		.basis = BASIS_NONE, .stale = true                                                                     \
	}
#define STALE_AND(basis_)                                                                                              \
	{                                                                                                              \
		.basis = BASIS_##basis_, .stale = true                                                                 \
	}
#define MINE GIVEN(IMPLIED)
#define SENDS .verdict = VERDICT_SEND
#define REFUSED(why) .verdict = VERDICT_REFUSE, .reason = REASON_##why
#define EXPIRES(why) .verdict = VERDICT_EXPIRE, .reason = REASON_##why
#define WAITS(why) .verdict = VERDICT_WAIT, .reason = REASON_##why
#define WAITS_UNTIL(why, until_) .verdict = VERDICT_WAIT, .reason = REASON_##why, .until = until_

static const struct book_case cases[] = {
        /* --- consent: the class's basis and the one below ---------------------------------------- */
        CASE(SENDS, "a reminder on implied consent", NOON, appointment_reminder, GIVEN(IMPLIED)),
        CASE(SENDS, "a reminder on express consent", NOON, appointment_reminder, GIVEN(EXPRESS)),
        CASE(SENDS, "a reminder on written consent", NOON, appointment_reminder, GIVEN(WRITTEN)),
        CASE(REFUSED(consent_missing), "a reminder on nothing", NOON, appointment_reminder, GIVEN(NONE)),
        CASE(REFUSED(consent_stale), "a reminder on what is stale", NOON, appointment_reminder, STALE),
        CASE(SENDS, "a reminder on a fresh one beside a stale one", NOON, appointment_reminder, STALE_AND(IMPLIED)),
        CASE(SENDS, "a payment on express consent", NOON, payment, GIVEN(EXPRESS)),
        CASE(REFUSED(consent_weak), "a payment on implied consent", NOON, payment, GIVEN(IMPLIED)),
        CASE(REFUSED(consent_weak), "a payment on weak beside stale", NOON, payment, STALE_AND(IMPLIED)),
        CASE(REFUSED(consent_missing), "a payment on nothing", NOON, payment, GIVEN(NONE)),
        CASE(REFUSED(consent_stale), "a payment on what is stale", NOON, payment, STALE),
        CASE(SENDS, "a survey on express consent", NOON, survey, GIVEN(EXPRESS)),
        CASE(REFUSED(consent_weak), "a survey on implied consent", NOON, survey, GIVEN(IMPLIED)),
        CASE(SENDS, "an advertisement on written consent", NOON, promotional, GIVEN(WRITTEN)),
        CASE(REFUSED(consent_weak), "an advertisement on express consent", NOON, promotional, GIVEN(EXPRESS)),
        CASE(REFUSED(consent_missing), "an advertisement on nothing", NOON, promotional, GIVEN(NONE)),
        CASE(SENDS, "attested: a reminder", NOON, appointment_reminder, ATTESTED(IMPLIED)),
        CASE(REFUSED(consent_weak), "attested is implied and no more", NOON, payment, ATTESTED(WRITTEN)),
        CASE(SENDS, "attested, written", NOON, appointment_reminder, ATTESTED(WRITTEN)),
        CASE(REFUSED(consent_missing), "attested, nothing", NOON, appointment_reminder, ATTESTED(NONE)),
        CASE(SENDS, "an answer to the patient's word needs none", NIGHT, help_reply, GIVEN(NONE)),
        CASE(SENDS, "nor does the confirmation of a stop", NIGHT, opt_out_confirmation, GIVEN(NONE), .opted_out = true),
        CASE(REFUSED(consent_missing), "no consent, at night", NIGHT, appointment_reminder, GIVEN(NONE)),

        /* --- stops and their like ------------------------------------------------------------------ */
        CASE(REFUSED(withdrawn_moved), "nobody wants it any more, opted out too", NOON, appointment_reminder, MINE,
             .withdrawn = REASON_withdrawn_moved, .opted_out = true, .attempts = LIMIT_ATTEMPTS),
        CASE(REFUSED(opted_out), "opted out", NOON, appointment_reminder, MINE, .opted_out = true),
        CASE(REFUSED(opted_out), "opted out and no consent", NOON, appointment_reminder, GIVEN(NONE),
             .opted_out = true),
        CASE(REFUSED(alternative_asked), "another way asked for", NOON, appointment_reminder, MINE,
             .alternative = true),
        CASE(REFUSED(opted_out), "another way, opted out", NOON, appointment_reminder, MINE, .alternative = true,
             .opted_out = true),
        CASE(REFUSED(alternative_asked), "another way, a dead phone", NOON, appointment_reminder, MINE,
             .alternative = true, .phone_flag = REASON_number_dead),
        CASE(SENDS, "another way, an answer for help", NOON, help_reply, MINE, .alternative = true),
        CASE(WAITS(review_pending), "a review is open", NOON, appointment_reminder, MINE, .review_open = true),
        CASE(WAITS(review_pending), "a review is open, at night", NIGHT, appointment_reminder, MINE,
             .review_open = true),
        CASE(SENDS, "a review is open, help", NOON, help_reply, MINE, .review_open = true),
        CASE(WAITS(review_pending), "a review is open, no consent", NOON, appointment_reminder, GIVEN(NONE),
             .review_open = true),
        CASE(REFUSED(opted_out), "a review is open, opted out", NOON, appointment_reminder, MINE, .review_open = true,
             .opted_out = true),
        CASE(EXPIRES(expired), "a review is open, expired", EXPIRY, appointment_reminder, MINE, .review_open = true),
        CASE(WAITS(review_pending), "a review and a stopped sender", NOON, appointment_reminder, MINE,
             .review_open = true, .hold = REASON_sender_stopped, .hold_until_us = TIME_NEVER),

        /* --- content ------------------------------------------------------------------------------- */
        CASE(REFUSED(content_refused), "content refused", NOON, appointment_reminder, MINE, .content_refused = true),
        CASE(REFUSED(content_refused), "content refused, an emergency", NOON, emergency, GIVEN(NONE),
             .content_refused = true, .emergency_person = true),
        CASE(REFUSED(content_refused), "content refused, a conversation", NOON, conversational_reply, GIVEN(NONE),
             .content_refused = true, .conversation = true, .conversation_us = WROTE),
        CASE(REFUSED(carrier_spam), "content refused, and stopped by the carrier", NOON, appointment_reminder, MINE,
             .content_refused = true, .content_stopped = true),
        CASE(REFUSED(content_refused), "content refused, a review", NOON, appointment_reminder, MINE,
             .content_refused = true, .review_open = true),

        /* --- privacy ------------------------------------------------------------------------------- */
        CASE(SENDS, "personal, verified and warned", NOON, lab_results, MINE, .phi = true, .verified = true,
             .risk_warned = true),
        CASE(WAITS(verification_needed), "personal, not verified", NOON, lab_results, MINE, .phi = true,
             .risk_warned = true),
        CASE(WAITS(verification_needed), "personal, not verified, at night", NIGHT, lab_results, MINE, .phi = true,
             .risk_warned = true),
        CASE(REFUSED(risk_unwarned), "personal, not warned", NOON, lab_results, MINE, .phi = true, .verified = true),
        CASE(WAITS(verification_needed), "personal, neither", NOON, lab_results, MINE, .phi = true),
        CASE(SENDS, "not personal, neither", NOON, lab_results, MINE),
        CASE(REFUSED(consent_missing), "personal, no consent", NOON, lab_results, GIVEN(NONE), .phi = true),
        CASE(WAITS(verification_needed), "a personal emergency", NOON, emergency, GIVEN(NONE), .phi = true,
             .emergency_person = true),
        CASE(REFUSED(risk_unwarned), "a personal answer", NOON, conversational_reply, GIVEN(NONE), .phi = true,
             .verified = true, .conversation = true, .conversation_us = WROTE),

        /* --- conversation: the patient wrote at 16:30Z of the 14th ---------------------------------- */
        CASE(SENDS, "an answer", NOON, conversational_reply, GIVEN(NONE), .conversation = true,
             .conversation_us = WROTE),
        CASE(SENDS, "an answer at night", "01-15T07:00:00", conversational_reply, GIVEN(NONE), .conversation = true,
             .conversation_us = WROTE),
        CASE(SENDS, "an answer, capped", NOON, conversational_reply, GIVEN(NONE), .conversation = true,
             .conversation_us = WROTE, .phone = {.at_us = {WROTE}, .count = 1},
             .patient = {.at_us = {WROTE}, .count = 1}),
        CASE(SENDS, "an answer, the last microsecond", "01-15T16:29:59.999999", conversational_reply, GIVEN(NONE),
             .conversation = true, .conversation_us = WROTE),
        CASE(REFUSED(conversation_over), "an answer, a day later", "01-15T16:30:00", conversational_reply, GIVEN(NONE),
             .conversation = true, .conversation_us = WROTE),
        CASE(REFUSED(conversation_over), "an answer to nothing", NOON, conversational_reply, GIVEN(NONE),
             .conversation_us = WROTE),
        CASE(SENDS, "a program's answer", NOON, conversational_reply, GIVEN(NONE), .conversation = true,
             .conversation_us = WROTE, .automatic = true),
        CASE(REFUSED(answered_already), "a program's second answer", NOON, conversational_reply, GIVEN(NONE),
             .conversation = true, .conversation_us = WROTE, .automatic = true, .answered = true),
        CASE(SENDS, "a person's, after a program's", NOON, conversational_reply, GIVEN(NONE), .conversation = true,
             .conversation_us = WROTE, .answered = true),
        CASE(REFUSED(conversation_over), "a program's second answer, a day later", "01-15T16:30:00",
             conversational_reply, GIVEN(NONE), .conversation = true, .conversation_us = WROTE, .automatic = true,
             .answered = true),
        CASE(REFUSED(opted_out), "an answer after a stop", NOON, conversational_reply, GIVEN(NONE),
             .conversation = true, .conversation_us = WROTE, .opted_out = true),
        CASE(REFUSED(conversation_over), "an answer put off past the day", NOON, conversational_reply, GIVEN(NONE),
             .conversation = true, .conversation_us = WROTE, .send_at_us = (WROTE + DAY_US)),
        CASE(WAITS_UNTIL(send_at_future, "01-15T16:29:59.999999"), "an answer put off, still in the day", NOON,
             conversational_reply, GIVEN(NONE), .conversation = true, .conversation_us = WROTE,
             .send_at_us = (WROTE + DAY_US - 1)),
        CASE(REFUSED(conversation_over), "an answer held past the day", NOON, conversational_reply, GIVEN(NONE),
             .conversation = true, .conversation_us = WROTE, .hold = REASON_carrier_rate,
             .hold_until_us = (WROTE + DAY_US)),
        CASE(WAITS_UNTIL(quiet_hours, "01-14T13:00:00"), "a reminder is no conversation", NIGHT, appointment_reminder,
             MINE, .conversation = true, .conversation_us = (WROTE - HOUR_US)),

        /* --- emergency ------------------------------------------------------------------------------ */
        CASE(SENDS, "an emergency at night", NIGHT, emergency, GIVEN(NONE), .emergency_person = true),
        CASE(SENDS, "an emergency past the caps", NOON, emergency, GIVEN(NONE), .emergency_person = true,
             .phone = {.at_us = {WROTE}, .count = 1}),
        CASE(WAITS(emergency_unapproved), "an emergency of nobody", NOON, emergency, GIVEN(NONE)),
        CASE(WAITS(emergency_unapproved), "an emergency of nobody, approved", NOON, emergency, GIVEN(NONE),
             .emergency_approved = true),
        CASE(WAITS(emergency_unapproved), "an emergency for two", NOON, emergency, GIVEN(NONE),
             .emergency_person = true, .emergency_two = true),
        CASE(SENDS, "an emergency for two, approved", NIGHT, emergency, GIVEN(NONE), .emergency_person = true,
             .emergency_two = true, .emergency_approved = true),
        CASE(WAITS(emergency_unapproved), "an emergency after a stop", NOON, emergency, GIVEN(NONE),
             .emergency_person = true, .opted_out = true),
        CASE(SENDS, "an emergency after a stop, approved", NOON, emergency, GIVEN(NONE), .emergency_person = true,
             .opted_out = true, .emergency_approved = true),
        CASE(WAITS(emergency_unapproved), "an emergency while a review is open", NOON, emergency, GIVEN(NONE),
             .emergency_person = true, .review_open = true),
        CASE(SENDS, "an emergency while a review is open, approved", NOON, emergency, GIVEN(NONE),
             .emergency_person = true, .review_open = true, .emergency_approved = true),
        CASE(REFUSED(alternative_asked), "an emergency, another way asked for", NOON, emergency, GIVEN(NONE),
             .emergency_person = true, .emergency_approved = true, .alternative = true),
        CASE(REFUSED(number_dead), "an emergency to a dead phone", NOON, emergency, GIVEN(NONE),
             .emergency_person = true, .phone_flag = REASON_number_dead),
        CASE(EXPIRES(expired), "an emergency, expired", EXPIRY, emergency, GIVEN(NONE)),
        CASE(REFUSED(opted_out), "approval makes no reminder an emergency", NOON, appointment_reminder, MINE,
             .emergency_person = true, .emergency_approved = true, .opted_out = true),

        /* --- households and the practice's hours ---------------------------------------------------- */
        CASE(WAITS_UNTIL(cap_day, "01-15T16:30:00"), "the phone had one today", NOON, appointment_reminder, MINE,
             .phone = {.at_us = {WROTE}, .count = 1}),
        CASE(SENDS, "a household's phone had one today", NOON, appointment_reminder, MINE, .household = true,
             .phone = {.at_us = {WROTE}, .count = 1}),
        CASE(WAITS_UNTIL(cap_day, "01-15T16:30:00"), "a household's patient had one today", NOON, appointment_reminder,
             MINE, .household = true, .patient = {.at_us = {WROTE}, .count = 1}),
        CASE(WAITS_UNTIL(quiet_hours, "01-14T15:00:00"), "the practice opens at ten", "01-14T14:59:59",
             appointment_reminder, MINE, .practice_open_minute = 600),
        CASE(SENDS, "the practice has opened", "01-14T15:00:00", appointment_reminder, MINE,
             .practice_open_minute = 600),
        CASE(SENDS, "the practice closes at five", "01-14T21:54:59.999999", appointment_reminder, MINE,
             .practice_close_minute = 1020),
        CASE(WAITS_UNTIL(quiet_hours, "01-15T13:00:00"), "the practice's guard", "01-14T21:55:00", appointment_reminder,
             MINE, .practice_close_minute = 1020),
        CASE(WAITS_UNTIL(quiet_hours, "01-14T13:00:00"), "a practice does not widen, morning", "01-14T12:59:59",
             appointment_reminder, MINE, .practice_open_minute = 360, .practice_close_minute = 1380),
        CASE(WAITS_UNTIL(quiet_hours, "01-15T13:00:00"), "a practice does not widen, evening", "01-15T01:55:00",
             appointment_reminder, MINE, .practice_open_minute = 360, .practice_close_minute = 1380),
        CASE(REFUSED(no_common_hours), "a practice that is never open", NOON, appointment_reminder, MINE,
             .practice_open_minute = 600, .practice_close_minute = 605),
        CASE(WAITS_UNTIL(quiet_hours, "01-15T15:00:00"), "a practice that is open for a minute", NOON,
             appointment_reminder, MINE, .practice_open_minute = 600, .practice_close_minute = 606),
        CASE(REFUSED(no_common_hours), "hours that the states' leave nothing of", NOON, survey, GIVEN(EXPRESS),
             .practice_open_minute = 1140, .states = BIT(STATE_RI)),

        /* --- states: 14 January 2026 is a Wednesday, 19 January a holiday ---------------------------- */
        CASE(WAITS_UNTIL(quiet_hours_state, "01-14T14:00:00"), "Rhode Island before nine", "01-14T13:59:59",
             promotional, GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(SENDS, "Rhode Island at nine", "01-14T14:00:00", promotional, GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(WAITS_UNTIL(quiet_hours, "01-14T14:00:00"), "Rhode Island before eight", "01-14T12:59:59", promotional,
             GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(WAITS_UNTIL(quiet_hours_state, "01-15T14:00:00"), "Rhode Island's guard", "01-14T22:55:00", promotional,
             GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(WAITS_UNTIL(quiet_hours_state, "01-20T14:00:00"), "from Saturday's end past Sunday and a holiday",
             "01-17T21:55:00", promotional, GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(WAITS_UNTIL(quiet_day_state, "01-20T14:00:00"), "Sunday", "01-18T17:00:00", promotional, GIVEN(WRITTEN),
             .states = BIT(STATE_RI)),
        CASE(WAITS_UNTIL(quiet_day_state, "01-20T14:00:00"), "the holiday", "01-19T17:00:00", promotional,
             GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(WAITS_UNTIL(quiet_hours, "01-20T14:00:00"), "Sunday's night is the night's", "01-18T07:00:00", promotional,
             GIVEN(WRITTEN), .states = BIT(STATE_RI)),
        CASE(EXPIRES(expires_before_allowed), "too late after the holiday", "01-18T17:00:00", promotional,
             GIVEN(WRITTEN), .states = BIT(STATE_RI), .expires_at_us = 1768917600000000),
        CASE(WAITS_UNTIL(quiet_hours_state, "01-14T15:00:00"), "an unknown state before ten", "01-14T14:59:59", survey,
             GIVEN(EXPRESS)),
        CASE(SENDS, "an unknown state at ten", "01-14T15:00:00", survey, GIVEN(EXPRESS)),
};
/* clang-format on */

static struct policy_facts facts_of(const struct book_case *c)
{
	struct policy_facts f = c->facts;
	f.zone[0] = new_york;
	f.zones = 1;
	if (!f.expires_at_us)
		f.expires_at_us = at_us(EXPIRY);
	return f;
}

/* covers: rule consent, rule stale, rule opt_out, rule alternative, rule review, rule content, rule verification,
 * rule risk, rule conversation, rule conversation_once, rule emergency, rule cap_day, rule quiet_hours, rule
 * quiet_hours_state, rule quiet_day_state, rule zone, rule expiry, rule number, rule spam */
static void every_case_is_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct book_case *c = &cases[i];
		struct policy_facts f = facts_of(c);
		struct policy_verdict v = policy_decide(policy_pack_rules(PACK_today), &f, at_us(c->now));
		int64_t until_us = c->verdict != VERDICT_WAIT ? 0 : c->until ? at_us(c->until) : f.expires_at_us;
		char until[TIME_TEXT_BYTES];
		if (v.verdict != c->verdict || v.reason != c->reason || v.until_us != until_us)
			fail_msg("%s: %s %s %s", c->what, policy_verdict_name(v.verdict), policy_reason_code(v.reason),
			         time_format(v.until_us, until));
		if (v.verdict == VERDICT_WAIT && c->until)
			assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, v.until_us).verdict,
			                 VERDICT_SEND);
	}
	print_message("%zu cases\n", COUNT(cases));
}

/* covers: rule class */
static void an_unknown_class_is_refused(void **state)
{
	(void)state;
	struct book_case c = {.facts = {.category = CATEGORY_COUNT}};
	struct policy_facts f = facts_of(&c);
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON)).reason, REASON_class_unknown);
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON)).verdict, VERDICT_REFUSE);
	f.category = CATEGORY_COUNT - 1; /* the last row that there is: help */
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON)).verdict, VERDICT_SEND);
	f.category = (enum category)1000;
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON)).reason, REASON_class_unknown);
	f.attempts = LIMIT_ATTEMPTS;
	assert_int_equal(policy_decide(NULL, &f, at_us(NOON)).reason, REASON_attempts_exhausted);
	assert_int_equal(policy_decide(NULL, &f, at_us(EXPIRY)).reason, REASON_expired);
}

/* covers: rule rules */
static void without_rules_nothing_goes(void **state)
{
	(void)state;
	for (unsigned category = 0; category < CATEGORY_COUNT; category++) {
		struct book_case c = {.facts = {.category = category,
		                                .consent = {.basis = BASIS_WRITTEN},
		                                .emergency_person = true,
		                                .conversation = true,
		                                .conversation_us = at_us(NOON)}};
		struct policy_facts f = facts_of(&c);
		assert_int_equal(policy_decide(NULL, &f, at_us(NOON)).reason, REASON_rules_missing);
		assert_int_equal(policy_decide(NULL, &f, at_us(NOON)).verdict, VERDICT_REFUSE);
		assert_true(policy_close_us(NULL, &f, at_us(NOON)) == at_us(NOON));
		/* and with them everything: nothing in the facts stands against any class */
		assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON)).verdict, VERDICT_SEND);
	}
	struct book_case c = {.facts = {.category = CATEGORY_COUNT}};
	struct policy_facts f = facts_of(&c);
	assert_int_equal(policy_decide(NULL, &f, at_us(NOON)).reason, REASON_class_unknown);
}

/* Every class, with the least consent and with the one below. covers: rule consent */
static void every_class_needs_its_basis(void **state)
{
	(void)state;
	for (unsigned category = 0; category < CATEGORY_COUNT; category++)
		for (enum basis basis = BASIS_NONE; basis <= BASIS_WRITTEN; basis++) {
			struct book_case c = {.facts = {.category = category,
			                                .consent = {.basis = basis},
			                                .emergency_person = true,
			                                .conversation = true,
			                                .conversation_us = at_us(NOON)}};
			struct policy_facts f = facts_of(&c);
			enum reason reason = policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON)).reason;
			enum reason expected = basis >= policy_category_basis(category) ? REASON_none
			                       : basis == BASIS_NONE                    ? REASON_consent_missing
			                                                                : REASON_consent_weak;
			assert_int_equal(reason, expected);
		}
	assert_string_equal(policy_basis_name(BASIS_NONE), "none");
	assert_string_equal(policy_basis_name(BASIS_WRITTEN), "written");
	assert_int_equal(policy_basis_parse(VIEW("express")), BASIS_EXPRESS);
	assert_int_equal(policy_basis_parse(VIEW("implied")), BASIS_IMPLIED);
	assert_int_equal(policy_basis_parse(VIEW("written")), BASIS_WRITTEN);
	assert_int_equal(policy_basis_parse(VIEW("oral")), BASIS_NONE);
}

/* --- what is ours to get right ------------------------------------------------------------------------------------ */

/* Whether it ends the process. */
static bool aborts(void (*act)(int what), int what)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		act(what);
		_exit(0);
	}
	int status = 0;
	assert_true(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void decide_with_too_many(int what)
{
	struct book_case c = {.facts = {.category = CATEGORY_help_reply}};
	struct policy_facts f = facts_of(&c);
	for (unsigned i = 0; i < LIMIT_ZONES; i++)
		f.zone[i] = new_york;
	f.zones = LIMIT_ZONES + (what == 1);
	f.patient.count = POLICY_SENDS_MAX + (what == 2);
	f.phone.count = POLICY_SENDS_MAX + (what == 3);
	policy_decide(policy_pack_rules(PACK_today), &f, at_us(NOON));
}

static void name_what_is_none(int what)
{
	switch (what) {
	case 0:
		policy_verdict_name((enum verdict)(VERDICT_EXPIRE + 1));
		break;
	case 1:
		policy_pack_rules(PACK_COUNT);
		break;
	case 2:
		policy_state_code(STATE_COUNT);
		break;
	case 3:
		policy_state_name(STATE_COUNT);
		break;
	case 4:
		policy_category_code(CATEGORY_COUNT);
		break;
	case 5:
		policy_reason_code(REASON_COUNT);
		break;
	case 6:
		policy_basis_name((enum basis)(BASIS_WRITTEN + 1));
		break;
	default:
		policy_pack_rules(PACK_COUNT);
		break;
	}
}

/* Facts that no caller can have end the process rather than be judged. */
static void what_cannot_be_is_not_judged(void **state)
{
	(void)state;
	assert_false(aborts(decide_with_too_many, 0));
	for (int what = 1; what <= 3; what++)
		assert_true(aborts(decide_with_too_many, what));
	for (int what = 0; what <= 7; what++)
		assert_true(aborts(name_what_is_none, what));
}

/* --- packs ------------------------------------------------------------------------------------------------------- */

static const char *pack_at(const char *when, const struct policy_switch *switches, size_t count)
{
	int64_t us;
	assert_true(time_parse(view_str(when), &us));
	const struct policy_rules *rules = policy_pack_at(us, switches, count);
	return rules ? rules->pack : "";
}

static int64_t full_us(const char *when)
{
	int64_t us;
	assert_true(time_parse(view_str(when), &us));
	return us;
}

/* covers: rule rules */
static void packs_hold_in_their_dates(void **state)
{
	(void)state;
	assert_string_equal(pack_at("2025-04-10T23:59:59.999999Z", NULL, 0), "");
	assert_string_equal(pack_at("2025-04-11T00:00:00Z", NULL, 0), "today");
	assert_string_equal(pack_at("2035-01-01T00:00:00Z", NULL, 0), "today");
	struct policy_switch on[] = {{"fcc_26_67", full_us("2026-01-01T00:00:00Z"), true},
	                             {"revoke_all", full_us("2026-01-01T00:00:00Z"), true},
	                             {"no_such", full_us("2026-01-01T00:00:00Z"), true}};
	assert_string_equal(pack_at("2026-10-29T23:59:59.999999Z", on, 3), "today");
	assert_string_equal(pack_at("2026-10-30T00:00:00Z", on, 3), "fcc_26_67");
	assert_string_equal(pack_at("2027-01-30T23:59:59.999999Z", on, 3), "fcc_26_67");
	assert_string_equal(pack_at("2027-01-31T00:00:00Z", on, 3), "revoke_all");
	assert_string_equal(pack_at("2027-01-31T00:00:00Z", on, 1), "fcc_26_67");
	assert_string_equal(pack_at("2027-01-31T00:00:00Z", on, 0), "today");
}

static void packs_are_switched(void **state)
{
	(void)state;
	/* in no order; the one of the other pack changes nothing */
	struct policy_switch s[] = {{"fcc_26_67", full_us("2026-12-02T00:00:00Z"), false},
	                            {"fcc_26_67", full_us("2026-12-01T00:00:00Z"), true},
	                            {"revoke_all", full_us("2026-12-03T00:00:00Z"), false},
	                            {"fcc_26_67", full_us("2026-12-04T00:00:00Z"), true},
	                            {"fcc_26_67", full_us("2026-12-04T00:00:00Z"), false},
	                            {"today", full_us("2026-12-05T00:00:00Z"), false}};
	assert_string_equal(pack_at("2026-11-30T23:59:59.999999Z", s, COUNT(s)), "today");
	assert_string_equal(pack_at("2026-12-01T00:00:00Z", s, COUNT(s)), "fcc_26_67");
	assert_string_equal(pack_at("2026-12-01T23:59:59.999999Z", s, COUNT(s)), "fcc_26_67");
	assert_string_equal(pack_at("2026-12-02T00:00:00Z", s, COUNT(s)), "today");
	assert_string_equal(pack_at("2026-12-04T00:00:00Z", s, COUNT(s) - 2), "fcc_26_67");
	assert_string_equal(pack_at("2026-12-04T00:00:00Z", s, COUNT(s)), "today");
	assert_string_equal(pack_at("2026-12-05T00:00:00Z", s, COUNT(s)), "");
	assert_false(policy_pack_on(PACK_fcc_26_67, full_us("2026-10-29T00:00:00Z"), s, COUNT(s)));
}

static void packs_are_as_their_rows(void **state)
{
	(void)state;
	for (unsigned p = 0; p < PACK_COUNT; p++) {
		const struct policy_rules *r = policy_pack_rules(p);
		assert_int_equal(policy_pack_parse(view_str(r->pack)), p);
		/* No pack so far changes these; and none may be wider than the rule. */
		assert_true(r->open_minute == 480 && r->close_minute == 1260 && r->close_guard_s == 300);
		assert_true(r->day_max == 1 && r->week_max == 3 && r->calendar && r->conversation_s == 86400);
		assert_true(r->week_max <= POLICY_SENDS_MAX && r->category_opt_out == (p == PACK_fcc_26_67));
	}
	assert_int_equal(policy_pack_parse(VIEW("yesterday")), PACK_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case_is_as_written),     cmocka_unit_test(an_unknown_class_is_refused),
	        cmocka_unit_test(without_rules_nothing_goes),   cmocka_unit_test(every_class_needs_its_basis),
	        cmocka_unit_test(what_cannot_be_is_not_judged), cmocka_unit_test(packs_hold_in_their_dates),
	        cmocka_unit_test(packs_are_switched),           cmocka_unit_test(packs_are_as_their_rows),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
