#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_cap.h"
#include "policy_fixture.h"
#include "policy_holiday.h"
#include "policy_pack.h"
#include "policy_state.h"
#include "seeded.h"

#include <time.h>

/* Random facts against a checker that shares no code with the rules: local time comes from the C library, sampled every
 * quarter of an hour (every offset change of these zones falls on one), and each rule is said in the plainest way. */

#define FIRST_YEAR 2025
#define LAST_YEAR 2030
#define QUARTER_S 900
#define QUARTERS ((LAST_YEAR - FIRST_YEAR + 1) * 366 * 96)
#define ZONES 9
#define ROUNDS 8000

static const char *const zone_names[ZONES] = {"America/New_York",    "America/Chicago", "America/Denver",
                                              "America/Los_Angeles", "America/Phoenix", "America/Anchorage",
                                              "Pacific/Honolulu",    "Pacific/Guam",    "Europe/London"};

static struct zone *zones[ZONES];
static int32_t offsets[ZONES][QUARTERS];
static int64_t first_s;

static int sample_zones(void **state)
{
	(void)state;
	first_s = time_days(FIRST_YEAR, 1, 1) * 86400;
	for (int z = 0; z < ZONES; z++) {
		char tz[280];
		zones[z] = fixture_zone(zone_names[z]);
		snprintf(tz, sizeof(tz), ":%s/%s", fixture_folder(), zone_names[z]);
		setenv("TZ", tz, 1);
		tzset();
		for (int q = 0; q < QUARTERS; q++) {
			time_t t = first_s + (int64_t)q * QUARTER_S;
			struct tm tm;
			localtime_r(&t, &tm);
			offsets[z][q] = (int32_t)tm.tm_gmtoff;
		}
	}
	return 0;
}

static int free_zones(void **state)
{
	(void)state;
	for (int z = 0; z < ZONES; z++)
		policy_zone_free(zones[z]);
	return 0;
}

/* --- the naive checker ----------------------------------------------------------------------------------------- */

struct scene {
	struct policy_rules rules; /* today's, or of other numbers */
	struct policy_facts facts;
	int zone[LIMIT_ZONES]; /* numbers of facts.zone */
};

/* Instants in these tests are not before 1970, so that plain division will do. */
static int64_t wall_s(int zone, int64_t us)
{
	int64_t s = us / SECOND_US;
	return s + offsets[zone][(s - first_s) / QUARTER_S];
}

static bool solicits(const struct policy_facts *f)
{
	return f->category == CATEGORY_survey || f->category == CATEGORY_promotional;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static bool naive_hours(const struct scene *c, int64_t us)
{
	const struct policy_facts *f = &c->facts;
	for (unsigned i = 0; i < f->zones; i++) {
		int64_t wall = wall_s(c->zone[i], us);
		int64_t second = wall % 86400;
		int open = larger(c->rules.open_minute, f->practice_open_minute);
		int close = c->rules.close_minute;
		if (f->practice_close_minute && f->practice_close_minute < close)
			close = f->practice_close_minute;
		if (second < open * 60 || second >= close * 60 - c->rules.close_guard_s)
			return false;
		if (!solicits(f))
			continue;
		/* each state of its own; without one all of them */
		for (unsigned s = 0; s < STATE_COUNT; s++) {
			if (f->states && !(f->states & UINT64_C(1) << s))
				continue;
			struct policy_window w = policy_states_window(UINT64_C(1) << s, (int)((wall / 86400 + 4) % 7));
			if (second < w.open_minute * 60 || second >= w.close_minute * 60 - c->rules.close_guard_s)
				return false;
			if (policy_states_rest_on_holidays(UINT64_C(1) << s) && policy_holiday(wall / 86400))
				return false;
		}
	}
	return true;
}

/* 1 January 1970 was a Thursday, the fifth day of its week. */
static int64_t week(int64_t wall)
{
	return (wall / 86400 + 4) / 7;
}

/* Whether a state in which the patient may be allows three in a day. */
static bool naive_state_cap(const struct policy_facts *f)
{
	static const enum state three[] = {STATE_FL, STATE_MD, STATE_OK, STATE_OR};
	bool held = f->states == 0 || f->states >> STATE_AS; /* unknown, or of unknown law */
	for (size_t i = 0; i < sizeof(three) / sizeof(three[0]); i++)
		held = held || f->states & UINT64_C(1) << three[i];
	return solicits(f) && held;
}

static bool naive_caps(const struct scene *c, const struct policy_sends *sends, int64_t us)
{
	int day = 0;
	int seven = 0;
	for (unsigned k = 0; k < sends->count; k++) {
		day += us - sends->at_us[k] < 24 * HOUR_US;
		seven += us - sends->at_us[k] < 168 * HOUR_US;
	}
	for (unsigned i = 0; i < c->facts.zones; i++) {
		int64_t now = wall_s(c->zone[i], us);
		int same_date = 0;
		int same_week = 0;
		for (unsigned k = 0; k < sends->count; k++) {
			int64_t then = wall_s(c->zone[i], sends->at_us[k]);
			same_date += then / 86400 == now / 86400;
			same_week += week(then) == week(now);
		}
		if (c->rules.calendar && (same_date >= c->rules.day_max || same_week >= c->rules.week_max))
			return false;
	}
	return day < c->rules.day_max && seven < c->rules.week_max && !(naive_state_cap(&c->facts) && day >= 3);
}

/* What no hour changes. */
static bool naive_lawful(const struct policy_facts *f)
{
	const unsigned flags = policy_category_flags(f->category);
	const bool emergency = f->category == CATEGORY_emergency;
	enum basis basis = f->consent.attested && f->consent.basis > BASIS_IMPLIED ? BASIS_IMPLIED : f->consent.basis;
	bool second_person = f->emergency_two || f->opted_out || f->review_open;
	if (f->withdrawn || f->attempts >= LIMIT_ATTEMPTS || f->phone_flag || f->content_refused)
		return false;
	if (f->phi && !(f->verified && f->risk_warned))
		return false;
	if (basis < policy_category_basis(f->category))
		return false;
	if (emergency && (!f->emergency_person || (second_person && !f->emergency_approved)))
		return false;
	if (!(flags & CATEGORY_STOPPABLE))
		return true;
	return !f->alternative && !f->content_stopped && (emergency || (!f->opted_out && !f->review_open));
}

/* Whether a message may go at an instant, whatever the instant. */
static bool naive_legal(const struct scene *c, int64_t us)
{
	const struct policy_facts *f = &c->facts;
	if (us >= f->expires_at_us || us < f->send_at_us || us < f->hold_until_us || !naive_lawful(f))
		return false;
	if (f->category == CATEGORY_conversational_reply)
		return f->conversation && !(f->automatic && f->answered) &&
		       us - f->conversation_us < c->rules.conversation_s * SECOND_US;
	if (!(policy_category_flags(f->category) & CATEGORY_CAPPED))
		return true;
	return f->zones > 0 && naive_hours(c, us) && naive_caps(c, &f->patient, us) &&
	       (f->household || naive_caps(c, &f->phone, us));
}

/* --- random scenes --------------------------------------------------------------------------------------------- */

static bool one_in(int n)
{
	return seeded_next() % (uint64_t)n == 0;
}

/* Near to now in either direction, often on a round number, where the edges are. */
static int64_t somewhere(int64_t us, int64_t before, int64_t after)
{
	int64_t t = us + seeded_between(-before, after);
	static const int64_t grains[] = {1, SECOND_US, MINUTE_US, HOUR_US, 24 * HOUR_US};
	int64_t grain = grains[seeded_next() % 5];
	return t / grain * grain;
}

static struct policy_sends random_sends(int64_t now_us)
{
	struct policy_sends s = {.count = (unsigned)seeded_between(0, one_in(3) ? 8 : 3)};
	for (unsigned i = 0; i < s.count; i++)
		s.at_us[i] = one_in(4) ? now_us - seeded_between(0, 8) * DAY_US
		                       : somewhere(now_us, 9 * DAY_US, one_in(20) ? HOUR_US : 0);
	for (unsigned i = s.count; i < POLICY_SENDS_MAX; i++)
		s.at_us[i] = one_in(2) ? now_us : INT64_MIN / 2; /* of others, not counted */
	return s;
}

static enum category random_category(void)
{
	static const enum category often[] = {CATEGORY_appointment_reminder, CATEGORY_survey, CATEGORY_promotional,
	                                      CATEGORY_conversational_reply, CATEGORY_emergency};
	if (one_in(3))
		return (enum category)seeded_between(0, CATEGORY_COUNT - 1);
	return often[one_in(2) ? 0 : seeded_between(0, 4)];
}

static policy_states random_states(void)
{
	policy_states states = 0;
	for (int64_t n = one_in(10) ? 0 : seeded_between(1, 3); n; n--)
		states |= UINT64_C(1) << seeded_between(0, STATE_COUNT - 1);
	return states;
}

static void add_persons(struct policy_facts *f, int64_t now_us)
{
	f->consent.basis = one_in(15) ? BASIS_NONE : (enum basis)seeded_between(BASIS_IMPLIED, BASIS_WRITTEN);
	f->consent.attested = one_in(10);
	f->consent.stale = one_in(10);
	f->states = random_states();
	f->practice_open_minute = one_in(8) ? (int)seeded_between(480, 800) : 0;
	f->practice_close_minute = one_in(8) ? (int)seeded_between(800, 1260) : 0;
	f->phi = one_in(8);
	f->verified = !one_in(4);
	f->risk_warned = !one_in(4);
	f->alternative = one_in(40);
	f->household = one_in(8);
	f->review_open = one_in(30);
	f->conversation = !one_in(8);
	f->automatic = one_in(2);
	f->answered = one_in(3);
	f->conversation_us = somewhere(now_us, 30 * HOUR_US, 0);
	f->emergency_person = !one_in(5);
	f->emergency_two = one_in(4);
	f->emergency_approved = one_in(2);
	f->content_refused = one_in(40);
	f->content_stopped = one_in(40);
	f->withdrawn = one_in(40) ? REASON_withdrawn_moved : REASON_none;
	f->opted_out = one_in(15);
	f->phone_flag = one_in(40) ? REASON_number_dead : REASON_none;
	f->hold = one_in(8) ? REASON_carrier_rate : REASON_none;
	f->hold_until_us = f->hold ? one_in(5) ? TIME_NEVER : somewhere(now_us, HOUR_US, DAY_US) : 0;
}

/* Numbers that no pack has, so that each is seen to be the pack's. */
static struct policy_rules random_rules(void)
{
	return (struct policy_rules){
	        .open_minute = (int)seeded_between(1, 780),
	        .close_minute = (int)seeded_between(600, 1440),
	        .close_guard_s = (int)seeded_between(0, 900),
	        .day_max = (int)seeded_between(1, 5),
	        .week_max = (int)seeded_between(1, 9),
	        .calendar = one_in(2),
	        .conversation_s = (int)seeded_between(3600, 100000),
	};
}

static struct scene random_scene(int64_t now_us)
{
	struct scene c = {.rules = one_in(2) ? *policy_pack_rules(PACK_today) : random_rules()};
	struct policy_facts *f = &c.facts;
	f->category = random_category();
	add_persons(f, now_us);
	f->attempts = one_in(20) ? LIMIT_ATTEMPTS : (unsigned)seeded_between(0, LIMIT_ATTEMPTS - 1);
	f->send_at_us = one_in(3) ? somewhere(now_us, 2 * DAY_US, 20 * DAY_US) : 0;
	f->expires_at_us = one_in(4) ? TIME_NEVER : somewhere(now_us, HOUR_US, 12 * DAY_US);
	f->zones = one_in(30) ? 0 : (unsigned)seeded_between(1, one_in(4) ? 4 : 2);
	for (unsigned i = 0; i < f->zones; i++) {
		c.zone[i] = (int)seeded_between(0, ZONES - 1);
		f->zone[i] = zones[c.zone[i]];
	}
	f->patient = random_sends(now_us);
	f->phone = one_in(2) ? f->patient : random_sends(now_us);
	return c;
}

/* A January to December day of the sampled years, with room for what lies before and after; the days on which clocks
 * change come up often. */
static int64_t random_now(void)
{
	int64_t us = somewhere(fixture_utc_us(FIRST_YEAR, 2, 1, 0, 0, 0), 0, (LAST_YEAR - FIRST_YEAR) * 365 * DAY_US);
	if (one_in(3))
		us = somewhere(fixture_utc_us((int)seeded_between(FIRST_YEAR + 1, LAST_YEAR - 1), one_in(2) ? 3 : 11, 8,
		                              0, 0, 0),
		               8 * DAY_US, 8 * DAY_US);
	return us;
}

/* --- what must hold -------------------------------------------------------------------------------------------- */

/* No instant from from_us up to until_us may be legal: the minutes next to both ends one by one, the rest by chance. */
static void assert_none_legal(const struct scene *c, int64_t from_us, int64_t until_us)
{
	for (int i = 0; i < 120; i++) {
		assert_false(from_us + i * MINUTE_US < until_us && naive_legal(c, from_us + i * MINUTE_US));
		assert_false(until_us - i * MINUTE_US - 1 >= from_us && naive_legal(c, until_us - i * MINUTE_US - 1));
		assert_false(until_us > from_us && naive_legal(c, seeded_between(from_us, until_us - 1)));
	}
	const int64_t step_us = one_in(8) ? MINUTE_US : 15 * MINUTE_US;
	for (int64_t us = from_us / MINUTE_US * MINUTE_US + MINUTE_US; us < until_us; us += step_us)
		assert_false(naive_legal(c, us));
}

static bool only_a_person_ends(const struct policy_facts *f, enum reason reason)
{
	return reason == REASON_review_pending || reason == REASON_verification_needed ||
	       reason == REASON_emergency_unapproved || (reason == f->hold && f->hold_until_us == TIME_NEVER);
}

static int seen[4];
static int by_persons;
static int reasons[REASON_COUNT];
static int no_common_hours;

static void judge(const struct scene *c, int64_t now_us)
{
	struct policy_verdict v = policy_decide(&c->rules, &c->facts, now_us);
	int64_t horizon_us = (c->facts.send_at_us > now_us ? c->facts.send_at_us : now_us) + 15 * DAY_US;
	seen[v.verdict]++;
	reasons[v.reason]++;
	no_common_hours += v.reason == REASON_no_common_hours;
	switch (v.verdict) {
	case VERDICT_SEND:
		assert_true(naive_legal(c, now_us));
		assert_int_equal(v.reason, REASON_none);
		break;
	case VERDICT_WAIT:
		if (only_a_person_ends(&c->facts, v.reason)) {
			by_persons++;
			assert_true(v.until_us == c->facts.expires_at_us);
			assert_none_legal(c, now_us, v.until_us < horizon_us ? v.until_us : horizon_us);
			break;
		}
		assert_true(v.until_us > now_us && v.until_us < c->facts.expires_at_us);
		assert_true(naive_legal(c, v.until_us));
		assert_string_equal(policy_reason_finality(v.reason), "waits");
		assert_none_legal(c, now_us, v.until_us);
		break;
	case VERDICT_REFUSE:
	case VERDICT_EXPIRE:
		assert_string_equal(policy_reason_finality(v.reason), "final");
		assert_none_legal(c, now_us, c->facts.expires_at_us < horizon_us ? c->facts.expires_at_us : horizon_us);
		break;
	}
}

static void no_verdict_breaks_a_rule(void **state)
{
	(void)state;
	seeded_start("no_verdict_breaks_a_rule");
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t at = seeded_state;
		int64_t now_us = random_now();
		struct scene c = random_scene(now_us);
		struct policy_verdict v = policy_decide(&c.rules, &c.facts, now_us);
		if ((v.verdict == VERDICT_SEND) != naive_legal(&c, now_us))
			fail_msg("SEED=%llu, first round: verdict %s", (unsigned long long)at,
			         policy_verdict_name(v.verdict));
		judge(&c, now_us);
	}
	print_message("send %d, wait %d (%d for a person), refuse %d (%d without common hours), expire %d\n",
	              seen[VERDICT_SEND], seen[VERDICT_WAIT], by_persons, seen[VERDICT_REFUSE], no_common_hours,
	              seen[VERDICT_EXPIRE]);
	for (unsigned r = REASON_none + 1; r < REASON_COUNT; r++)
		if (reasons[r])
			print_message("  %s %d\n", policy_reason_code(r), reasons[r]);
	/* A generator that no longer reaches a verdict would prove nothing about it. */
	for (int v = 0; v < 4; v++)
		assert_true(seen[v] > ROUNDS / 50);
	assert_true(no_common_hours > 0);
}

/* Makes the facts stricter in one way: one more candidate, narrower hours, one more thing that stands against it. */
static void restrict_facts(struct scene *c)
{
	struct policy_facts *f = &c->facts;
	switch (seeded_between(0, 9)) {
	case 0:
		f->states |= f->states ? random_states()
		                       : 0; /* to an unknown state, which is the strictest, none is added */
		break;
	case 1:
		if (f->zones && f->zones < LIMIT_ZONES)
			f->zone[f->zones++] = zones[seeded_between(0, ZONES - 1)];
		break;
	case 2:
		f->practice_open_minute += (int)seeded_between(0, 600);
		break;
	case 3:
		f->practice_close_minute =
		        (int)seeded_between(1, f->practice_close_minute ? f->practice_close_minute : 1440);
		break;
	case 4:
		f->states = 0;
		break;
	case 5:
		f->consent.basis -= f->consent.basis > BASIS_NONE;
		break;
	case 6:
		f->phone = f->patient;
		f->household = false;
		break;
	case 7:
		*(one_in(2) ? &f->opted_out : &f->review_open) = true;
		break;
	case 8:
		*(one_in(2) ? &f->alternative : &f->content_refused) = true;
		break;
	default:
		c->rules.close_guard_s += (int)seeded_between(0, 600);
		c->rules.day_max -= c->rules.day_max > 1;
		c->rules.week_max -= c->rules.week_max > 1;
		break;
	}
}

/* A message that may go with more against it may go with less. */
static void what_is_stricter_allows_no_more(void **state)
{
	(void)state;
	int both = 0;
	int only_before = 0;
	seeded_start("what_is_stricter_allows_no_more");
	for (int round = 0; round < 20 * ROUNDS; round++) {
		uint64_t at = seeded_state;
		int64_t now_us = random_now();
		struct scene c = random_scene(now_us);
		c.facts.phone = c.facts.household ? c.facts.phone : c.facts.patient;
		struct scene stricter = c;
		restrict_facts(&stricter);
		bool before = policy_decide(&c.rules, &c.facts, now_us).verdict == VERDICT_SEND;
		bool after = policy_decide(&stricter.rules, &stricter.facts, now_us).verdict == VERDICT_SEND;
		if (after && !before)
			fail_msg("SEED=%llu, first round", (unsigned long long)at);
		both += after;
		only_before += before && !after;
	}
	print_message("%d sent with both, %d only with less against them\n", both, only_before);
	assert_true(both > ROUNDS && only_before > ROUNDS / 4);
}

/* The validity that a carrier gets: until policy_close_us the message would be legal all the time but for the guard,
 * and at it no more. */
static void the_close_is_where_hours_end(void **state)
{
	(void)state;
	int closes = 0;
	seeded_start("the_close_is_where_hours_end");
	for (int round = 0; round < ROUNDS; round++) {
		int64_t now_us = random_now();
		struct scene c = random_scene(now_us);
		int64_t close_us = policy_close_us(&c.rules, &c.facts, now_us);
		c.rules.close_guard_s = 0;
		if (c.facts.zones == 0) {
			assert_true(close_us == TIME_NEVER);
		} else if (close_us == now_us) {
			assert_false(naive_hours(&c, now_us));
		} else {
			closes++;
			assert_true(close_us > now_us && close_us <= now_us + 25 * HOUR_US);
			assert_false(naive_hours(&c, close_us));
			for (int64_t us = now_us; us < close_us; us += MINUTE_US)
				assert_true(naive_hours(&c, us));
			assert_true(naive_hours(&c, close_us - 1));
		}
	}
	assert_true(closes > ROUNDS / 8);
}

/* Sends that follow the verdicts, a month of reminders that all want to go at once, keep every cap. */
static void a_month_of_waiting_keeps_the_caps(void **state)
{
	(void)state;
	seeded_start("a_month_of_waiting_keeps_the_caps");
	for (int round = 0; round < 50; round++) {
		int64_t now_us = random_now();
		struct scene c = {.rules = *policy_pack_rules(PACK_today)};
		c.facts = (struct policy_facts){.consent = {.basis = BASIS_IMPLIED},
		                                .expires_at_us = TIME_NEVER,
		                                .zones = 1,
		                                .zone = {zones[round % ZONES]}};
		c.zone[0] = round % ZONES;
		for (int sent = 0; sent < 12; sent++) {
			struct policy_verdict v = policy_decide(&c.rules, &c.facts, now_us);
			now_us = v.verdict == VERDICT_WAIT ? v.until_us : now_us;
			assert_true(v.verdict == VERDICT_WAIT || v.verdict == VERDICT_SEND);
			assert_true(naive_legal(&c, now_us));
			struct policy_sends *s = &c.facts.patient;
			memmove(s->at_us + 1, s->at_us, (POLICY_SENDS_MAX - 1) * sizeof(s->at_us[0]));
			s->at_us[0] = now_us;
			s->count += s->count < POLICY_SENDS_MAX;
		}
		/* Three a week: the twelfth cannot come before three weeks are over, and should not come after five. */
		int64_t took_us = c.facts.patient.at_us[0] - c.facts.patient.at_us[11];
		assert_true(took_us >= 21 * DAY_US && took_us <= 35 * DAY_US);
	}
}

/* What is told of the caps is what holds a message back: full by the plain count, and by the rule, at the same instant.
 */
static void what_is_used_of_the_caps_is_what_holds(void **state)
{
	(void)state;
	int full = 0;
	int part = 0;
	seeded_start("what_is_used_of_the_caps_is_what_holds");
	for (int round = 0; round < ROUNDS; round++) {
		int64_t now_us = random_now();
		struct scene c = random_scene(now_us);
		const struct policy_facts *f = &c.facts;
		if (naive_state_cap(f))
			continue;
		struct policy_cap_use u = policy_cap_use(&c.rules, f, now_us);
		bool room = u.day_used < u.day_max && u.week_used < u.week_max;
		enum reason reason;
		assert_int_equal(room, naive_caps(&c, &f->patient, now_us) &&
		                               (f->household || naive_caps(&c, &f->phone, now_us)));
		assert_int_equal(room, policy_cap_next_us(&c.rules, f, now_us, &reason) == now_us);
		assert_true(u.day_used <= u.week_used && u.day_max == c.rules.day_max &&
		            u.week_max == c.rules.week_max);
		full += !room;
		part += room && u.week_used > 0;
	}
	assert_true(full > ROUNDS / 20 && part > ROUNDS / 20);
	struct policy_cap_use none = policy_cap_use(NULL, &(struct policy_facts){0}, random_now());
	assert_true(none.day_max == 0 && none.day_used == 0 && none.week_max == 0 && none.week_used == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_verdict_breaks_a_rule),
	        cmocka_unit_test(what_is_stricter_allows_no_more),
	        cmocka_unit_test(the_close_is_where_hours_end),
	        cmocka_unit_test(a_month_of_waiting_keeps_the_caps),
	        cmocka_unit_test(what_is_used_of_the_caps_is_what_holds),
	};
	return cmocka_run_group_tests(tests, sample_zones, free_zones);
}
