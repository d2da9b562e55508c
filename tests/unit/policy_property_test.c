#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"
#include "policy_pack.h"
#include "seeded.h"

#include <time.h>

/* Random facts against a checker that shares no code with the rules: local time comes from the C library, sampled every
 * quarter of an hour (every offset change of these zones falls on one), and each rule is said in the plainest way. */

#define FIRST_YEAR 2025
#define LAST_YEAR 2030
#define QUARTER_S 900
#define QUARTERS ((LAST_YEAR - FIRST_YEAR + 1) * 366 * 96)
#define ZONES 9
#define ROUNDS 4000

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
	struct policy_facts facts;
	int zone[LIMIT_ZONES]; /* numbers of facts.zone */
};

/* Instants in these tests are not before 1970, so that plain division will do. */
static int64_t wall_s(int zone, int64_t us)
{
	int64_t s = us / SECOND_US;
	return s + offsets[zone][(s - first_s) / QUARTER_S];
}

static bool naive_hours(const struct scene *c, int64_t us)
{
	for (unsigned i = 0; i < c->facts.zones; i++) {
		int64_t second = wall_s(c->zone[i], us) % 86400;
		if (second < 8 * 3600 || second >= 21 * 3600 - 300)
			return false;
	}
	return true;
}

/* 1 January 1970 was a Thursday, the fifth day of its week. */
static int64_t week(int64_t wall)
{
	return (wall / 86400 + 4) / 7;
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
		if (same_date >= 1 || same_week >= 3)
			return false;
	}
	return day < 1 && seven < 3;
}

/* Whether a message may go at an instant, whatever the instant. */
static bool naive_legal(const struct scene *c, int64_t us)
{
	const struct policy_facts *f = &c->facts;
	if (us >= f->expires_at_us || us < f->send_at_us || f->attempts >= LIMIT_ATTEMPTS)
		return false;
	if (f->category == CATEGORY_help_reply)
		return true;
	return !f->opted_out && f->zones > 0 && naive_hours(c, us) && naive_caps(c, &f->patient, us) &&
	       naive_caps(c, &f->phone, us);
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
	return s;
}

static struct scene random_scene(int64_t now_us)
{
	struct scene c = {0};
	struct policy_facts *f = &c.facts;
	f->category = one_in(15) ? CATEGORY_help_reply : CATEGORY_appointment_reminder;
	f->opted_out = one_in(15);
	f->consent.basis = BASIS_IMPLIED;
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
	for (int64_t us = from_us / MINUTE_US * MINUTE_US + MINUTE_US; us < until_us; us += 15 * MINUTE_US)
		assert_false(naive_legal(c, us));
}

static int seen[4];
static int no_common_hours;

static void judge(const struct scene *c, int64_t now_us)
{
	struct policy_verdict v = policy_decide(policy_pack_rules(PACK_today), &c->facts, now_us);
	int64_t horizon_us = (c->facts.send_at_us > now_us ? c->facts.send_at_us : now_us) + 15 * DAY_US;
	seen[v.verdict]++;
	no_common_hours += v.reason == REASON_no_common_hours;
	switch (v.verdict) {
	case VERDICT_SEND:
		assert_true(naive_legal(c, now_us));
		assert_int_equal(v.reason, REASON_none);
		break;
	case VERDICT_WAIT:
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
		struct policy_verdict v = policy_decide(policy_pack_rules(PACK_today), &c.facts, now_us);
		if ((v.verdict == VERDICT_SEND) != naive_legal(&c, now_us))
			fail_msg("SEED=%llu, first round: verdict %s", (unsigned long long)at,
			         policy_verdict_name(v.verdict));
		judge(&c, now_us);
	}
	print_message("send %d, wait %d, refuse %d (%d without common hours), expire %d\n", seen[VERDICT_SEND],
	              seen[VERDICT_WAIT], seen[VERDICT_REFUSE], no_common_hours, seen[VERDICT_EXPIRE]);
	/* A generator that no longer reaches a verdict would prove nothing about it. */
	for (int v = 0; v < 4; v++)
		assert_true(seen[v] > ROUNDS / 50);
	assert_true(no_common_hours > 0);
}

/* Sends that follow the verdicts, a month of reminders that all want to go at once, keep every cap. */
static void a_month_of_waiting_keeps_the_caps(void **state)
{
	(void)state;
	seeded_start("a_month_of_waiting_keeps_the_caps");
	for (int round = 0; round < 50; round++) {
		int64_t now_us = random_now();
		struct scene c = random_scene(now_us);
		c.facts = (struct policy_facts){.consent = {.basis = BASIS_IMPLIED},
		                                .expires_at_us = TIME_NEVER,
		                                .zones = 1,
		                                .zone = {zones[round % ZONES]}};
		c.zone[0] = round % ZONES;
		for (int sent = 0; sent < 12; sent++) {
			struct policy_verdict v = policy_decide(policy_pack_rules(PACK_today), &c.facts, now_us);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_verdict_breaks_a_rule),
	        cmocka_unit_test(a_month_of_waiting_keeps_the_caps),
	};
	return cmocka_run_group_tests(tests, sample_zones, free_zones);
}
