#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"
#include "policy_pack.h"
#include "policy_plan.h"
#include "policy_quiet.h"
#include "policy_state.h"
#include "seeded.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROUNDS 3000

static struct zone *new_york, *los_angeles;

static int64_t at(const char *text)
{
	int64_t us;
	assert_true(time_parse(view_str(text), &us));
	return us;
}

static struct plan_step step(const char *before, int minute, int rank)
{
	struct plan_step s = {.minute = minute, .rank = rank, .category = CATEGORY_appointment_reminder};
	assert_true(policy_plan_before(view_str(before), &s));
	return s;
}

static void a_lead_is_iso_8601(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int days; /* -1: refused */
		int64_t before_s;
	} rows[] = {
	        {"P3D", 3, 0},         {"P1D", 1, 0},
	        {"PT2H", 0, 7200},     {"PT45M", 0, 2700},
	        {"P2W", 14, 0},        {"P1W1D", 8, 0},
	        {"P1DT2H", 1, 7200},   {"PT1H30M", 0, 5400},
	        {"P60D", 60, 0},       {"P0DT1M", 0, 60},
	        {"P61D", -1, 0},       {"P60DT1M", -1, 0},
	        {"", -1, 0},           {"P", -1, 0},
	        {"PT", -1, 0},         {"P1DT", -1, 0},
	        {"P0D", -1, 0},        {"PT0H", -1, 0},
	        {"1D", -1, 0},         {"P1", -1, 0},
	        {"PD", -1, 0},         {"P-1D", -1, 0},
	        {"P1.5D", -1, 0},      {"P1M", -1, 0},
	        {"P1Y", -1, 0},        {"PT1S", -1, 0},
	        {"P1D1D", -1, 0},      {"P1D1W", -1, 0},
	        {"PT1M1H", -1, 0},     {"P1H", -1, 0},
	        {"PT1D", -1, 0},       {"p1d", -1, 0},
	        {"P1D ", -1, 0},       {"P9999999D", -1, 0},
	        {"PDT1H", -1, 0},      {"x1D", -1, 0},
	        {"P59D", 59, 0},       {"PT003540M", 0, 212400},
	        {"PT0003540M", -1, 0}, {"PT1HT1M", -1, 0},
	};
	struct plan_step cut;
	assert_false(policy_plan_before(view_of("P012D", 3), &cut)); /* what lies behind the view is not read */
	assert_false(policy_plan_before(view_of("P1DT1H", 5), &cut));
	assert_false(policy_plan_before(view_of("P1D", 0), &cut));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_step s = {.days = -1};
		bool ok = policy_plan_before(view_str(rows[i].text), &s);
		if (ok != (rows[i].days >= 0))
			fail_msg("%s", rows[i].text);
		if (ok) {
			assert_int_equal(s.days, rows[i].days);
			assert_int_equal(s.before_s, rows[i].before_s);
		}
	}
}

static void days_are_the_calendars_and_hours_the_clocks(void **state)
{
	(void)state;
	static const struct {
		const char *before;
		int minute;
		const char *visit, *nominal;
	} rows[] = {
	        {"P3D", -1, "2026-03-05T14:30:00-05:00", "2026-03-02T14:30:00-05:00"},
	        {"P1D", 600, "2026-03-05T14:30:00-05:00", "2026-03-04T10:00:00-05:00"},
	        {"PT2H", -1, "2026-03-05T14:30:00-05:00", "2026-03-05T12:30:00-05:00"},
	        {"P1DT2H", -1, "2026-03-05T14:30:00-05:00", "2026-03-04T12:30:00-05:00"},
	        /* the clock goes forward on March 8 and back on November 1 */
	        {"P1D", 600, "2026-03-09T09:00:00-04:00", "2026-03-08T10:00:00-04:00"},
	        {"P3D", 600, "2026-03-09T09:00:00-04:00", "2026-03-06T10:00:00-05:00"},
	        {"P3D", -1, "2026-03-09T09:00:00-04:00", "2026-03-06T09:00:00-05:00"},
	        {"P3D", 630, "2026-11-02T09:00:00-05:00", "2026-10-30T10:30:00-04:00"},
	        {"PT36H", -1, "2026-03-09T09:00:00-04:00", "2026-03-07T20:00:00-05:00"},
	        {"P1D", 150, "2026-03-09T09:00:00-04:00", "2026-03-08T03:30:00-04:00"}, /* 2:30 does not exist */
	        {"P1D", 60, "2026-11-02T09:00:00-05:00", "2026-11-01T01:00:00-04:00"},  /* 1:00 exists twice */
	        {"PT2H", -1, "2026-11-01T01:30:00-05:00", "2026-11-01T00:30:00-04:00"}, /* the second 1:30 of the day */
	        {"P1D", 0, "2026-03-05T14:30:00-05:00", "2026-03-04T00:00:00-05:00"},
	        {"P1D", -1, "2026-03-05T14:59:59-05:00", "2026-03-04T14:59:59-05:00"},
	        {"P1D", 1439, "2026-03-05T00:10:00-05:00", "2026-03-04T23:59:00-05:00"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_step s = step(rows[i].before, rows[i].minute, 0);
		int64_t got = policy_plan_nominal(&s, at(rows[i].visit), new_york);
		if (got != at(rows[i].nominal))
			fail_msg("row %zu: %lld", i, (long long)(got - at(rows[i].nominal)) / SECOND_US);
	}
}

static struct plan_visit visit_of(const char *now, const char *visit)
{
	struct plan_visit v = {
	        .now_us = at(now), .visit_us = at(visit), .location = new_york, .rules = policy_pack_rules(PACK_today)};
	v.facts.zone[0] = new_york;
	v.facts.zones = 1;
	return v;
}

static void expect(const struct plan_choice *c, const char *due, const char *reason)
{
	assert_string_equal(policy_reason_code(c->reason), reason);
	if (due)
		assert_int_equal((c->due_us - at(due)) / SECOND_US, 0);
}

static void the_usual_plan_fits(void **state)
{
	(void)state;
	struct plan_step steps[] = {step("P3D", 600, 0), step("P1D", 600, 0), step("PT2H", -1, 0)};
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c[3];
	policy_plan(&v, steps, 3, c);
	expect(&c[0], "2026-03-09T10:00:00-04:00", "");
	expect(&c[1], "2026-03-11T10:00:00-04:00", "");
	expect(&c[2], "2026-03-12T12:30:00-04:00", "");
}

/* What went at ten sharp left a moment later: a day after it is ten o'clock and that moment. */
static void a_moment_of_a_cap_is_waited_for(void **state)
{
	(void)state;
	static const struct {
		const char *sent, *due, *reason;
	} rows[] = {
	        {"2026-03-03T10:00:00-05:00", "2026-03-04T10:00:00-05:00", ""},
	        {"2026-03-03T10:00:01-05:00", "2026-03-04T10:01:00-05:00", ""},
	        {"2026-03-03T10:15:00-05:00", "2026-03-04T10:15:00-05:00", ""},
	        {"2026-03-03T10:15:01-05:00", NULL, "dropped_cap_day"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_step steps[] = {step("P1D", 600, 0), step("PT2H", -1, 0)};
		struct plan_visit v = visit_of("2026-03-03T12:00:00-05:00", "2026-03-05T14:30:00-05:00");
		struct plan_choice c[2];
		v.patient.at_us[v.patient.count++] = at(rows[i].sent);
		policy_plan(&v, steps, 2, c);
		expect(&c[0], rows[i].due, rows[i].reason);
		expect(&c[1], "2026-03-05T12:30:00-05:00", "");
	}
}

static void the_night_moves_to_the_useful_side(void **state)
{
	(void)state;
	static const struct {
		const char *before, *visit, *due, *reason;
	} rows[] = {
	        {"PT2H", "2026-03-05T09:30:00-05:00", "2026-03-05T08:00:00-05:00", ""}, /* the morning still serves */
	        {"PT2H", "2026-03-05T09:00:00-05:00", "2026-03-05T08:00:00-05:00", ""},
	        {"PT2H", "2026-03-05T08:59:00-05:00", "2026-03-04T20:45:00-05:00",
	         ""}, /* too near: the evening before */
	        {"PT2H", "2026-03-05T07:00:00-05:00", "2026-03-04T20:45:00-05:00", ""},
	        {"PT12H", "2026-03-05T17:00:00-05:00", "2026-03-05T08:00:00-05:00", ""},
	        {"PT12H", "2026-03-05T09:30:00-05:00", "2026-03-05T08:00:00-05:00", ""},
	        {"PT30M", "2026-03-05T08:20:00-05:00", "2026-03-04T20:45:00-05:00",
	         ""}, /* its own lead is half an hour */
	        {"PT30M", "2026-03-05T08:30:00-05:00", "2026-03-05T08:00:00-05:00", ""},
	        {"PT30M", "2026-03-05T12:05:00-05:00", "2026-03-05T11:35:00-05:00", ""}, /* by day it stays */
	        {"P1D", "2026-03-05T06:30:00-05:00", "2026-03-04T08:00:00-05:00", ""},
	        {"P1D", "2026-03-05T22:30:00-05:00", "2026-03-05T08:00:00-05:00", ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_step s = step(rows[i].before, -1, 0);
		struct plan_visit v = visit_of("2026-03-01T12:00:00-05:00", rows[i].visit);
		struct plan_choice c;
		policy_plan(&v, &s, 1, &c);
		expect(&c, rows[i].due, rows[i].reason);
	}
}

static void what_is_late_or_needless_is_dropped(void **state)
{
	(void)state;
	struct plan_step steps[] = {step("P3D", 600, 0), step("P1D", 600, 0), step("PT2H", -1, 0)};
	struct plan_visit v = visit_of("2026-03-04T12:00:00-05:00", "2026-03-05T14:30:00-05:00");
	struct plan_choice c[3];
	steps[2].skip_confirmed = true;
	policy_plan(&v, steps, 3, c);
	expect(&c[0], NULL, "dropped_late");
	expect(&c[1], NULL, "dropped_late");
	expect(&c[2], "2026-03-05T12:30:00-05:00", "");
	v.confirmed = true;
	policy_plan(&v, steps, 3, c);
	expect(&c[2], NULL, "dropped_confirmed");
	v.now_us = v.visit_us;
	policy_plan(&v, steps, 3, c);
	expect(&c[1], NULL, "dropped_late");
	v.rules = NULL;
	v.now_us = at("2026-03-01T12:00:00-05:00");
	policy_plan(&v, steps, 3, c);
	expect(&c[1], NULL, "dropped_hours");
}

/* Nobody is texted at 6 in the morning, and a visit booked at 5 for 7 leaves no evening before. */
static void no_hour_left_is_said(void **state)
{
	(void)state;
	struct plan_step s = step("PT1H", -1, 0);
	struct plan_visit v = visit_of("2026-03-05T05:00:00-05:00", "2026-03-05T07:00:00-05:00");
	struct plan_choice c;
	policy_plan(&v, &s, 1, &c);
	expect(&c, NULL, "dropped_hours");
	v = visit_of("2026-03-01T05:00:00-05:00", "2026-03-05T12:00:00-05:00");
	v.facts.zones = 0;
	policy_plan(&v, &s, 1, &c);
	expect(&c, NULL, "dropped_hours");
}

static void caps_keep_the_most_useful(void **state)
{
	(void)state;
	/* 22 hours apart: the day before leaves time to act, two hours do not */
	struct plan_step steps[] = {step("PT2H", -1, 0), step("P1D", -1, 0)};
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c[5];
	policy_plan(&v, steps, 2, c);
	expect(&c[0], NULL, "dropped_cap_day");
	expect(&c[1], "2026-03-11T14:30:00-04:00", "");
	steps[0].rank = 1; /* unless the practice says otherwise */
	policy_plan(&v, steps, 2, c);
	expect(&c[0], "2026-03-12T12:30:00-04:00", "");
	expect(&c[1], NULL, "dropped_cap_day");
	struct plan_step many[] = {step("P5D", 600, 0), step("P4D", 600, 0), step("P3D", 600, 0), step("P2D", 600, 0),
	                           step("P1D", 600, 0)};
	policy_plan(&v, many, 5, c);
	expect(&c[0], NULL, "dropped_cap_week");
	expect(&c[1], NULL, "dropped_cap_week");
	expect(&c[2], "2026-03-09T10:00:00-04:00", "");
	expect(&c[4], "2026-03-11T10:00:00-04:00", "");
}

static void other_messages_count(void **state)
{
	(void)state;
	struct plan_step steps[] = {step("P3D", 600, 0), step("P1D", 600, 0)};
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c[2];
	v.patient.at_us[v.patient.count++] = at("2026-03-11T15:00:00-04:00"); /* of another visit, hours after ours */
	policy_plan(&v, steps, 2, c);
	expect(&c[0], "2026-03-09T10:00:00-04:00", "");
	expect(&c[1], NULL, "dropped_cap_day");
	v.patient.count = 0;
	v.phone.at_us[v.phone.count++] = at("2026-03-11T08:00:00-04:00");
	policy_plan(&v, steps, 2, c);
	expect(&c[1], NULL, "dropped_cap_day");
	v.facts.household = true; /* a household's phone has no cap of its own */
	policy_plan(&v, steps, 2, c);
	expect(&c[1], "2026-03-11T10:00:00-04:00", "");
}

/* Two visits in the same hour: the second one's only reminder goes a day earlier, not at all would be worse. */
static void a_lone_reminder_moves(void **state)
{
	(void)state;
	struct plan_step s = step("P1D", 600, 0);
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c;
	v.patient.at_us[v.patient.count++] = at("2026-03-11T10:00:00-04:00");
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-10T10:00:00-04:00", "");
	v.now_us = at("2026-03-11T09:00:00-04:00"); /* the day before has passed: the morning of the visit */
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-12T10:00:00-04:00", "");
	v.visit_us = at("2026-03-12T10:30:00-04:00"); /* which is too near to this one */
	policy_plan(&v, &s, 1, &c);
	expect(&c, NULL, "dropped_cap_day");
}

static void every_zone_and_the_practices_hours_hold(void **state)
{
	(void)state;
	struct plan_step s = step("P1D", 540, 0);
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c;
	v.facts.zone[v.facts.zones++] = los_angeles;
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-11T11:00:00-04:00", "");
	v.facts.practice_open_minute = 600;
	v.facts.practice_close_minute = 1020;
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-11T13:00:00-04:00", "");
}

static void equals_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		const char *visit, *first, *second;
		bool first_goes;
	} rows[] = {
	        {"2026-03-12T22:00:00-04:00", "PT12H", "PT13H", true}, /* half a day leaves time to act: the nearer */
	        {"2026-03-12T22:00:00-04:00", "PT13H", "PT12H", false},
	        {"2026-03-12T14:00:00-04:00", "PT2H", "PT4H", false}, /* neither does: the farther */
	        {"2026-03-12T14:00:00-04:00", "PT4H", "PT2H", true},
	        {"2026-03-12T14:00:00-04:00", "PT4H", "PT240M", true}, /* the same: the plan's first */
	        {"2026-03-12T14:00:00-04:00", "PT2H", "PT23H", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_step steps[] = {step(rows[i].first, -1, 0), step(rows[i].second, -1, 0)};
		struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", rows[i].visit);
		struct plan_choice c[2];
		policy_plan(&v, steps, 2, c);
		expect(&c[rows[i].first_goes ? 0 : 1], NULL, "");
		expect(&c[rows[i].first_goes ? 1 : 0], NULL, "dropped_cap_day");
	}
}

static void now_is_not_too_late(void **state)
{
	(void)state;
	struct plan_step s = step("PT2H", -1, 0);
	struct plan_visit v = visit_of("2026-03-12T12:30:00-04:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c;
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-12T12:30:00-04:00", "");
	v.now_us++;
	policy_plan(&v, &s, 1, &c);
	expect(&c, NULL, "dropped_late");
	v = visit_of("2026-03-04T20:45:00-05:00", "2026-03-05T07:00:00-05:00"); /* the last quarter of the evening */
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-04T20:45:00-05:00", "");
	v.now_us++;
	policy_plan(&v, &s, 1, &c);
	expect(&c, NULL, "dropped_hours");
}

static void add(struct plan_times *to, const char *text)
{
	to->at_us[to->count++] = at(text);
}

/* Of many only the newest are of interest, in whatever order they come; what is far ahead is in nobody's way. */
static void many_messages_are_no_trouble(void **state)
{
	(void)state;
	struct plan_step s = step("P1D", 600, 0);
	for (int turn = 0; turn < 2; turn++) {
		struct plan_visit v = visit_of("2026-03-10T12:00:00-04:00", "2026-03-12T14:30:00-04:00");
		struct plan_choice c;
		for (int i = 0; i < 20 && !turn; i++)
			add(&v.patient, "2026-03-02T12:00:00-05:00");
		add(&v.patient, "2026-03-06T12:00:00-05:00");
		add(&v.patient, "2026-03-08T12:00:00-04:00");
		add(&v.patient, "2026-03-09T12:00:00-04:00");
		for (int i = 0; i < 20 && turn; i++)
			add(&v.patient, "2026-03-02T12:00:00-05:00");
		while (v.patient.count < PLAN_TIMES_MAX)
			add(&v.patient, "2026-06-01T12:00:00-04:00");
		policy_plan(&v, &s, 1, &c);
		expect(&c, NULL, "dropped_cap_week");
		v.patient.at_us[turn ? 0 : 20] = at("2026-03-02T12:00:00-05:00");
		policy_plan(&v, &s, 1, &c);
		expect(&c, "2026-03-11T10:00:00-04:00", "");
		assert_int_equal(v.patient.count, PLAN_TIMES_MAX);
	}
}

/* A phone that other patients are texted at too: their texts and the plan's own count together. */
static void a_phones_texts_add_up(void **state)
{
	(void)state;
	struct plan_step steps[] = {step("P1D", 600, 0), step("P3D", 600, 0)};
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-12T14:30:00-04:00");
	struct plan_choice c[2];
	v.facts.patient.at_us[v.facts.patient.count++] = at("2026-03-11T09:00:00-04:00"); /* not looked at */
	add(&v.phone, "2026-03-07T10:00:00-05:00");
	add(&v.phone, "2026-03-08T10:00:00-04:00");
	policy_plan(&v, steps, 2, c);
	expect(&c[0], "2026-03-11T10:00:00-04:00", "");
	expect(&c[1], NULL, "dropped_cap_week");
	v.facts.household = true;
	policy_plan(&v, steps, 2, c);
	expect(&c[1], "2026-03-09T10:00:00-04:00", "");
	add(&v.patient, "2026-03-09T12:00:00-04:00"); /* the patient's own count at a household's phone too */
	policy_plan(&v, steps, 2, c);
	expect(&c[1], NULL, "dropped_cap_day");
}

static void a_class_has_its_own_rules(void **state)
{
	(void)state;
	struct plan_step s = step("P1D", 540, 0);
	struct plan_visit v = visit_of("2026-03-02T08:00:00-05:00", "2026-03-09T14:30:00-04:00");
	struct plan_choice c;
	assert_true(policy_states_parse(VIEW("TX"), &v.facts.states));
	s.category = CATEGORY_survey; /* a Sunday in Texas begins at noon */
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-08T12:00:00-04:00", "");
	s.category = CATEGORY_conversational_reply;
	add(&v.patient, "2026-03-08T09:00:00-04:00");
	policy_plan(&v, &s, 1, &c);
	expect(&c, "2026-03-08T09:00:00-04:00", "");
}

static void the_edges_of_moving(void **state)
{
	(void)state;
	struct plan_step s = step("P1D", 600, 0);
	struct plan_visit v = visit_of("2026-03-11T09:00:00-04:00", "2026-03-12T11:00:00-04:00");
	struct plan_choice c[2];
	add(&v.patient, "2026-03-11T10:00:00-04:00");
	policy_plan(&v, &s, 1, c);
	expect(c, "2026-03-12T10:00:00-04:00", ""); /* an hour before is near enough */
	v.now_us = at("2026-03-10T10:00:00-04:00");
	policy_plan(&v, &s, 1, c);
	expect(c, "2026-03-10T10:00:00-04:00", ""); /* and now soon enough */
	v = visit_of("2026-03-02T09:00:00-05:00", "2026-03-12T10:30:00-04:00");
	add(&v.patient, "2026-03-11T10:00:00-04:00");
	add(&v.patient, "2026-03-09T10:30:00-04:00");
	policy_plan(&v, &s, 1, c);
	expect(c, "2026-03-08T10:00:00-04:00", ""); /* three days off */
	v.patient.at_us[1] = at("2026-03-08T10:30:00-04:00");
	add(&v.patient, "2026-03-10T09:00:00-04:00");
	policy_plan(&v, &s, 1, c);
	expect(c, NULL, "dropped_cap_day"); /* but no farther */
	struct plan_step steps[] = {step("P1D", 600, 1), step("P1D", 630, 2)};
	steps[0].skip_confirmed = true;
	v = visit_of("2026-03-02T09:00:00-05:00", "2026-03-12T14:30:00-04:00");
	v.confirmed = true;
	add(&v.patient, "2026-03-11T10:30:00-04:00");
	policy_plan(&v, steps, 2, c);
	expect(&c[0], NULL, "dropped_confirmed"); /* what is needless is not moved, the next is */
	expect(&c[1], "2026-03-10T10:30:00-04:00", "");
}

/* --- random plans, judged by the plainest words --------------------------------------------------------------------
 */

static int64_t local_s(const struct zone *z, int64_t us)
{
	int64_t s = floor_div(us, SECOND_US);
	return s + policy_zone_offset(z, s);
}

static void expect_hours(const struct plan_visit *v, int64_t us)
{
	for (unsigned i = 0; i < v->facts.zones; i++) {
		int64_t second = local_s(v->facts.zone[i], us) % 86400;
		assert_in_range(second, 8 * 3600, 21 * 3600 - 300 - 1);
	}
}

static bool same_day(const struct plan_visit *v, int64_t a, int64_t b)
{
	for (unsigned i = 0; i < v->facts.zones; i++)
		if (local_s(v->facts.zone[i], a) / 86400 == local_s(v->facts.zone[i], b) / 86400)
			return true;
	return false;
}

/* Nothing within a day of a planned one; never four in 168 hours. */
static void expect_caps(const struct plan_visit *v, const struct plan_choice *c, unsigned count)
{
	int64_t all[PLAN_TIMES_MAX + LIMIT_PLAN_STEPS];
	unsigned n = 0;
	for (unsigned i = 0; i < count; i++)
		if (!c[i].reason)
			all[n++] = c[i].due_us;
	const unsigned own = n;
	for (unsigned i = 0; i < v->patient.count; i++)
		all[n++] = v->patient.at_us[i];
	for (unsigned i = 0; i < own; i++)
		for (unsigned k = i + 1; k < n; k++) {
			int64_t apart = all[i] > all[k] ? all[i] - all[k] : all[k] - all[i];
			assert_true(apart >= DAY_US && !same_day(v, all[i], all[k]));
		}
	for (unsigned i = 0; i < own; i++) {
		unsigned week = 0;
		for (unsigned k = 0; k < n; k++)
			week += all[k] <= all[i] && all[k] > all[i] - 7 * DAY_US;
		assert_in_range(week, 1, 3);
	}
}

static struct plan_visit random_visit(void)
{
	static const int64_t hours[] = {1, 12, 100, 600, 2000};
	struct plan_visit v = visit_of("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
	v.now_us += seeded_between(0, 365 * 24 * 60) * MINUTE_US;
	v.visit_us = v.now_us + seeded_between(0, hours[seeded_between(0, 4)] * 60) * MINUTE_US;
	v.confirmed = seeded_between(0, 3) == 0;
	if (seeded_between(0, 2) == 0)
		v.facts.zone[v.facts.zones++] = los_angeles;
	for (int64_t n = seeded_between(0, 4); n > 0; n--)
		v.patient.at_us[v.patient.count++] = v.now_us + seeded_between(-9 * 24, 40 * 24) * HOUR_US;
	return v;
}

static struct plan_step random_step(void)
{
	struct plan_step s = {.minute = -1, .category = CATEGORY_appointment_reminder};
	s.days = (int)seeded_between(0, 6);
	if (s.days && seeded_between(0, 1))
		s.minute = (int)seeded_between(0, 1439);
	else if (!s.days)
		s.before_s = seeded_between(1, 48 * 60) * 60;
	s.rank = (int)seeded_between(0, 3);
	s.skip_confirmed = seeded_between(0, 2) == 0;
	return s;
}

static void a_random_plan_keeps_every_rule(void **state)
{
	(void)state;
	unsigned planned = 0, dropped = 0;
	seeded_start("a_random_plan_keeps_every_rule");
	for (int round = 0; round < ROUNDS; round++) {
		struct plan_visit v = random_visit();
		struct plan_step steps[LIMIT_PLAN_STEPS];
		struct plan_choice c[LIMIT_PLAN_STEPS], again[LIMIT_PLAN_STEPS];
		unsigned n = (unsigned)seeded_between(0, LIMIT_PLAN_STEPS);
		for (unsigned i = 0; i < n; i++)
			steps[i] = random_step();
		policy_plan(&v, steps, n, c);
		policy_plan(&v, steps, n, again);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(c[i].due_us, again[i].due_us);
			if (c[i].reason) {
				dropped++;
				continue;
			}
			planned++;
			assert_true(c[i].due_us >= v.now_us && c[i].due_us < v.visit_us);
			assert_false(v.confirmed && steps[i].skip_confirmed);
			expect_hours(&v, c[i].due_us);
		}
		expect_caps(&v, c, n);
	}
	assert_true(planned > ROUNDS / 4 && dropped > ROUNDS / 4); /* both were looked at */
}

static int open_zones(void **state)
{
	(void)state;
	new_york = fixture_zone("America/New_York");
	los_angeles = fixture_zone("America/Los_Angeles");
	return 0;
}

static int close_zones(void **state)
{
	(void)state;
	policy_zone_free(new_york);
	policy_zone_free(los_angeles);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_lead_is_iso_8601),
	        cmocka_unit_test(days_are_the_calendars_and_hours_the_clocks),
	        cmocka_unit_test(the_usual_plan_fits),
	        cmocka_unit_test(a_moment_of_a_cap_is_waited_for),
	        cmocka_unit_test(the_night_moves_to_the_useful_side),
	        cmocka_unit_test(what_is_late_or_needless_is_dropped),
	        cmocka_unit_test(no_hour_left_is_said),
	        cmocka_unit_test(caps_keep_the_most_useful),
	        cmocka_unit_test(other_messages_count),
	        cmocka_unit_test(a_lone_reminder_moves),
	        cmocka_unit_test(every_zone_and_the_practices_hours_hold),
	        cmocka_unit_test(equals_are_told_apart),
	        cmocka_unit_test(now_is_not_too_late),
	        cmocka_unit_test(many_messages_are_no_trouble),
	        cmocka_unit_test(a_phones_texts_add_up),
	        cmocka_unit_test(a_class_has_its_own_rules),
	        cmocka_unit_test(the_edges_of_moving),
	        cmocka_unit_test(a_random_plan_keeps_every_rule),
	};
	return cmocka_run_group_tests(tests, open_zones, close_zones);
}
