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

/* States: what area codes and ZIP codes say of them, and their limits on solicitations. tests/facts has the statutes'
 * table and the holidays as read apart from proto/; instants are made by the C library's mktime. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FACTS TEST_SOURCE_DIR "/tests/facts/"
#define BIT(s) (UINT64_C(1) << (s))

/* --- the statutes, read apart ----------------------------------------------------------------------------------- */

enum day_kind { WEEKDAY, SATURDAY, SUNDAY, HOLIDAY, DAY_KINDS };

struct statute {
	char state[3];
	int open[DAY_KINDS]; /* hours; open == close: closed */
	int close[DAY_KINDS];
	int cap;
};

static struct statute statutes[64];
static size_t statute_count;
static char holidays[64][11];
static size_t holiday_count;

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* "8-20", "none", or "-": the federal hours. */
static void narrow(struct statute *s, enum day_kind kind, const char *cell)
{
	int open = 8;
	int close = 21;
	if (strcmp(cell, "none") == 0)
		close = open = 0;
	else if (strcmp(cell, "-") != 0)
		assert_int_equal(sscanf(cell, "%d-%d", &open, &close), 2);
	s->open[kind] = larger(s->open[kind], open);
	s->close[kind] = smaller(s->close[kind], close);
}

static void read_statute(char *line)
{
	char cells[7][16];
	assert_int_equal(sscanf(line, "%15s %15s %15s %15s %15s %15s %15s", cells[0], cells[1], cells[2], cells[3],
	                        cells[4], cells[5], cells[6]),
	                 7);
	struct statute *s = &statutes[statute_count++];
	*s = (struct statute){.close = {24, 24, 24, 24}};
	snprintf(s->state, sizeof(s->state), "%.2s", cells[0]);
	for (int kind = 0; kind < DAY_KINDS; kind++) {
		narrow(s, kind, cells[1 + kind]);
		narrow(s, kind, cells[6]);
	}
	s->cap = strcmp(cells[5], "3/24h") == 0 ? 3 : 0;
}

static void read_holiday(char *line)
{
	snprintf(holidays[holiday_count++], sizeof(holidays[0]), "%.10s", line);
}

static void read_facts(const char *name, void (*take)(char *line))
{
	char line[256];
	FILE *f = fopen(name, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f))
		take(line);
	fclose(f);
}

static struct zone *new_york;

static int load(void **state)
{
	(void)state;
	new_york = fixture_zone("America/New_York");
	setenv("TZ", ":America/New_York", 1);
	tzset();
	read_facts(FACTS "state_hours.tsv", read_statute);
	read_facts(FACTS "federal_holidays.tsv", read_holiday);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	policy_zone_free(new_york);
	return 0;
}

static bool listed_holiday(int year, int month, int day)
{
	char date[40];
	snprintf(date, sizeof(date), "%04d-%02d-%02d", year, month, day);
	for (size_t i = 0; i < holiday_count; i++)
		if (strcmp(holidays[i], date) == 0)
			return true;
	return false;
}

/* Whether every statute of the states lets a solicitation go at a second of a day. */
static bool statutes_allow(policy_states states, const struct tm *day, int second)
{
	static const enum day_kind kinds[] = {SUNDAY, WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, WEEKDAY, SATURDAY};
	const int guard = 300;
	bool holiday = listed_holiday(day->tm_year + 1900, day->tm_mon + 1, day->tm_mday);
	if (second < 8 * 3600 || second >= 21 * 3600 - guard)
		return false;
	for (size_t i = 0; i < statute_count; i++) {
		const struct statute *s = &statutes[i];
		if (states && !(states & policy_states_of_code(view_str(s->state))))
			continue;
		enum day_kind kind = kinds[day->tm_wday];
		if (second < s->open[kind] * 3600 || second >= s->close[kind] * 3600 - guard)
			return false;
		if (holiday && s->open[HOLIDAY] >= s->close[HOLIDAY])
			return false;
	}
	return true;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static void every_row_is_told(void **state)
{
	(void)state;
	static const char *const codes[] = {
#define STATE_HOURS(code, weekdays, saturday, sunday, holidays, day_max, citation, note) #code,
#include "state_hours.def"
#undef STATE_HOURS
	};
	static const char *const citations[] = {
#define STATE_HOURS(code, weekdays, saturday, sunday, holidays, day_max, citation, note) citation,
#include "state_hours.def"
#undef STATE_HOURS
	};
	assert_int_equal(COUNT(codes), statute_count);
	for (size_t i = 0; i < COUNT(codes); i++) {
		assert_string_equal(codes[i], statutes[i].state);
		assert_true(strlen(citations[i]) > 5);
	}
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		assert_true(strlen(policy_state_code(s)) == 2);
		assert_true(strlen(policy_state_name(s)) > 3);
		assert_true(policy_states_of_code(view_str(policy_state_code(s))) == BIT(s));
	}
	assert_int_equal(STATE_COUNT, 51 + 5 + 3);
	assert_true(policy_states_of_code(VIEW("ny")) == BIT(STATE_NY));
	assert_true(policy_states_of_code(VIEW("")) == 0);
	assert_true(policy_states_of_code(VIEW("XX")) == 0);
	assert_true(policy_states_of_code(VIEW("NYC")) == 0);
}

/* covers: rule quiet_day_state */
static void holidays_are_the_federal_ones(void **state)
{
	(void)state;
	size_t found = 0;
	for (int64_t days = time_days(2026, 1, 1); days < time_days(2029, 1, 1); days++) {
		struct civil c = time_civil(days * 86400);
		bool expected = listed_holiday(c.year, c.month, c.day);
		if (policy_holiday(days) != expected)
			fail_msg("%04d-%02d-%02d", c.year, c.month, c.day);
		assert_true((policy_holiday_name(days)[0] != '\0') == expected);
		found += expected;
	}
	assert_int_equal(found, holiday_count);
	assert_string_equal(policy_holiday_name(time_days(2026, 7, 3)), "Independence Day");
	assert_string_equal(policy_holiday_name(time_days(2027, 12, 31)), "New Year's Day");
	assert_string_equal(policy_holiday_name(time_days(2026, 11, 26)), "Thanksgiving Day");
	assert_string_equal(policy_holiday_name(time_days(2026, 11, 27)), "");
}

/* --- where ------------------------------------------------------------------------------------------------------- */

static void area_codes_name_their_state(void **state)
{
	(void)state;
	static const struct {
		unsigned area;
		const char *region;
	} rows[] = {
#define NPA(area, region, ...) {area, region},
#include "npa.def"
	};
	policy_states seen = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char phone[32];
		snprintf(phone, sizeof(phone), "+1%u5550123", rows[i].area);
		policy_states one = policy_states_of_phone(phone);
		if (!one || one != policy_states_of_code(view_str(rows[i].region)))
			fail_msg("%u %s", rows[i].area, rows[i].region);
		seen |= one;
	}
	/* every state and territory has one; the armed forces have none */
	assert_true(seen == BIT(STATE_VI + 1) - 1);
	assert_true(policy_states_of_phone("+12125550123") == BIT(STATE_NY));
	assert_true(policy_states_of_phone("+17295550123") == 0); /* no row */
	assert_true(policy_states_of_phone("+14165550123") == 0); /* Toronto */
}

static void zip_codes_name_their_states(void **state)
{
	(void)state;
	static const struct {
		const char *zip;
		const char *states;
	} cases[] = {
	        {"10001", "NY"},     {"10001-1234", "NY"}, {"00501", "NY"},    {"06390", "CT NY"},
	        {"94103", "CA"},     {"60601", "IL"},      {"33101", "FL"},    {"32501", "FL"},
	        {"34001", "AA"},     {"09001", "AE"},      {"96201", "AP"},    {"96701", "HI AS"},
	        {"96799", "HI AS"},  {"96910", "GU MP"},   {"00601", "PR"},    {"00801", "VI"},
	        {"99501", "AK"},     {"20001", "DC"},      {"20101", "VA"},    {"22201", "VA"},
	        {"20601", "MD"},     {"02101", "MA"},      {"05501", "MA"},    {"05001", "VT"},
	        {"73301", "TX"},     {"73101", "OK"},      {"88501", "TX"},    {"83414", "ID WY"},
	        {"42223", "KY TN"},  {"82001", "WY"},      {"59001", "MT"},    {"58001", "ND"},
	        {"57001", "SD"},     {"39801", "GA"},      {"39701", "MS"},    {"84101", "UT"},
	        {"85001", "AZ"},     {"89101", "NV"},      {"97201", "OR"},    {"98101", "WA"},
	        {"02801", "MA RI"},  {"37201", "TN"},      {"00401", ""},      {"21301", ""},
	        {"34301", ""},       {"99901", "AK"},      {"", ""},           {"1000", ""},
	        {"100011", ""},      {"1000a", ""},        {"10001 1234", ""}, {"10001-123", ""},
	        {"10001-12345", ""}, {"10001-123x", ""},   {"x0001", ""},      {"10001\x2d\x39\x39\x39\x3a", ""},
	        {"1/001", ""},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[POLICY_STATES_TEXT_BYTES];
		policy_states_format(policy_states_of_zip(view_str(cases[i].zip)), text);
		if (strcmp(text, cases[i].states) != 0)
			fail_msg("%s: \"%s\"", cases[i].zip, text);
	}
	/* every state, territory and armed force is reached by some prefix, and prefixes ascend */
	policy_states seen = 0;
	for (int prefix = 0; prefix < 1000; prefix++) {
		char zip[16];
		snprintf(zip, sizeof(zip), "%03d01", prefix);
		seen |= policy_states_of_zip(view_str(zip));
	}
	assert_true(seen == BIT(STATE_COUNT - 1) * 2 - 1);
	static const int firsts[] = {
#define ZIP3(first, last, ...) first, last,
#include "zip3.def"
#undef ZIP3
	};
	for (size_t i = 1; i < COUNT(firsts); i++)
		assert_true(firsts[i] > firsts[i - 1] - (int)(i % 2));
}

static void states_are_written_and_read(void **state)
{
	(void)state;
	char text[POLICY_STATES_TEXT_BYTES];
	policy_states states;
	seeded_start("states_are_written_and_read");
	for (int i = 0; i < 2000; i++) {
		policy_states random = seeded_next() & seeded_next() & (BIT(STATE_COUNT - 1) * 2 - 1);
		assert_true(policy_states_parse(view_str(policy_states_format(random, text)), &states));
		assert_true(states == random);
	}
	assert_int_equal(strlen(policy_states_format(UINT64_MAX, text)), STATE_COUNT * 3 - 1);
	assert_string_equal(policy_states_format(0, text), "");
	assert_string_equal(policy_states_format(BIT(STATE_AL), text), "AL");
	assert_string_equal(policy_states_format(BIT(STATE_NY) | BIT(STATE_CT), text), "CT NY");
	assert_true(policy_states_parse(VIEW(""), &states) && states == 0);
	assert_true(policy_states_parse(VIEW("  \t "), &states) && states == 0);
	assert_true(policy_states_parse(VIEW(" NY\tct  NY "), &states) && states == (BIT(STATE_NY) | BIT(STATE_CT)));
	states = 1;
	assert_false(policy_states_parse(VIEW("NY XX"), &states));
	assert_true(states == 0);
	assert_false(policy_states_parse(VIEW("N Y"), &states));
	assert_false(policy_states_parse(VIEW("NYCT"), &states));
	assert_false(policy_states_parse(VIEW("NY,CT"), &states));
}

static bool has_zone(const struct zone_names *z, const char *name)
{
	for (unsigned i = 0; i < z->count; i++)
		if (strcmp(z->name[i], name) == 0)
			return true;
	return false;
}

static void states_have_the_zones_of_their_area_codes(void **state)
{
	(void)state;
	struct zone_names z = policy_zones_of_states(BIT(STATE_NY));
	assert_int_equal(z.count, 1);
	assert_false(z.assumed);
	assert_string_equal(z.name[0], "America/New_York");
	z = policy_zones_of_states(BIT(STATE_ID) | BIT(STATE_FL));
	assert_int_equal(z.count, 5);
	assert_true(has_zone(&z, "America/Boise") && has_zone(&z, "America/Denver") && has_zone(&z, "America/Chicago"));
	z = policy_zones_of_states(BIT(STATE_GU));
	assert_int_equal(z.count, 1);
	assert_string_equal(z.name[0], "Pacific/Guam");
	z = policy_zones_of_states(BIT(STATE_AA));
	assert_string_equal(z.name[0], "America/Panama");
	z = policy_zones_of_states(BIT(STATE_AE));
	assert_int_equal(z.count, 2);
	assert_true(z.assumed && has_zone(&z, "Asia/Kuwait") && has_zone(&z, "Europe/London"));
	assert_int_equal(policy_zones_of_states(0).count, 0);
	/* more than can be judged: unknown, so that nothing goes */
	assert_int_equal(policy_zones_of_states(UINT64_MAX).count, 0);
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		z = policy_zones_of_states(BIT(s));
		assert_true(z.count > 0);
		for (unsigned i = 0; i < z.count; i++)
			policy_zone_free(fixture_zone(z.name[i]));
	}
	/* exactly as many as there is room for */
	z = policy_zones_of_states(BIT(STATE_AK) | BIT(STATE_ND) | BIT(STATE_NY));
	assert_int_equal(z.count, LIMIT_ZONES);
	z = policy_zones_of_states(BIT(STATE_AK) | BIT(STATE_ND) | BIT(STATE_NY) | BIT(STATE_AZ));
	assert_int_equal(z.count, 0);
}

/* --- hours ------------------------------------------------------------------------------------------------------- */

static struct policy_facts survey_in(policy_states states)
{
	return (struct policy_facts){
	        .category = CATEGORY_survey,
	        .consent = {.basis = BASIS_EXPRESS},
	        .states = states,
	        .expires_at_us = TIME_NEVER,
	        .zones = 1,
	        .zone = {new_york},
	};
}

/* The instant of a local time of New York by the C library. */
static int64_t instant_us(struct tm day, int second)
{
	day.tm_hour = second / 3600;
	day.tm_min = second / 60 % 60;
	day.tm_sec = second % 60;
	day.tm_isdst = -1;
	return mktime(&day) * SECOND_US;
}

static void judge_instant(const struct policy_facts *f, const struct tm *day, int second)
{
	bool sends = policy_decide(policy_pack_rules(PACK_today), f, instant_us(*day, second)).verdict == VERDICT_SEND;
	if (sends != statutes_allow(f->states, day, second))
		fail_msg("states %llx, %04d-%02d-%02d at second %d: %s", (unsigned long long)f->states,
		         day->tm_year + 1900, day->tm_mon + 1, day->tm_mday, second, sends ? "sends" : "does not send");
}

/* One day, at every hour and at the guard before it, and at the second before each: all openings and closings are on
 * the hour. */
static void judge_day(const struct policy_facts *f, struct tm day)
{
	for (int hour = 0; hour < 24; hour++) {
		judge_instant(f, &day, hour * 3600);
		judge_instant(f, &day, hour * 3600 + 3299);
		judge_instant(f, &day, hour * 3600 + 3300);
		judge_instant(f, &day, hour * 3600 + 3599);
	}
}

/* Days on which something is different: each weekday of a week without a holiday, every holiday of the years, its
 * observance, and the days beside them. */
static size_t judge_days(const struct policy_facts *f, int year, int years)
{
	size_t days = 0;
	for (int i = 0; i < years * 366; i++) {
		struct tm day = {.tm_year = year - 1900, .tm_mday = 1 + i, .tm_hour = 12, .tm_isdst = -1};
		mktime(&day);
		bool near = i >= 60 && i < 67;
		for (int beside = -1; beside <= 1; beside++) {
			struct tm other = {.tm_year = year - 1900, .tm_mday = 1 + i + beside, .tm_hour = 12};
			mktime(&other);
			near = near || listed_holiday(other.tm_year + 1900, other.tm_mon + 1, other.tm_mday);
		}
		if (!near || day.tm_year + 1900 >= year + years)
			continue;
		judge_day(f, day);
		days++;
	}
	return days;
}

/* A test of each row of proto/state_hours.def, of states without one, and of an unknown state.
 * covers: rule quiet_hours_state, rule quiet_day_state */
static void every_state_keeps_its_hours(void **state)
{
	(void)state;
	size_t days = 0;
	for (size_t i = 0; i < statute_count; i++) {
		struct policy_facts f = survey_in(policy_states_of_code(view_str(statutes[i].state)));
		days += judge_days(&f, 2027, 1);
	}
	struct policy_facts f = survey_in(BIT(STATE_CA));
	days += judge_days(&f, 2027, 1);
	f = survey_in(0);
	days += judge_days(&f, 2026, 3);
	print_message("%zu rows, %zu days\n", statute_count, days);
}

/* covers: rule quiet_hours_state, rule quiet_day_state, rule cap_state */
static void several_states_keep_the_hours_of_all(void **state)
{
	(void)state;
	seeded_start("several_states_keep_the_hours_of_all");
	for (int i = 0; i < 60; i++) {
		policy_states states = 0;
		for (int64_t k = seeded_between(2, 4); k; k--)
			states |= BIT(seeded_between(0, STATE_WY));
		struct policy_facts f = survey_in(states);
		struct tm day = {.tm_year = 126, .tm_mday = (int)seeded_between(1, 3 * 365), .tm_hour = 12};
		day.tm_isdst = -1;
		mktime(&day);
		judge_day(&f, day);
		int cap = 0;
		for (size_t k = 0; k < statute_count; k++)
			if (states & policy_states_of_code(view_str(statutes[k].state)))
				cap = larger(cap, statutes[k].cap);
		assert_int_equal(policy_states_day_max(states), cap);
	}
}

/* A territory's or the armed forces' law has not been read: as if the state were unknown, also beside a known one. */
static void unknown_law_is_the_strictest(void **state)
{
	(void)state;
	for (unsigned s = STATE_WY + 1; s < STATE_COUNT; s++)
		for (unsigned beside = 0; beside < 2; beside++) {
			policy_states states = BIT(s) | (beside ? BIT(STATE_CA) : 0);
			for (int weekday = 0; weekday < 7; weekday++) {
				struct policy_window w = policy_states_window(states, weekday);
				struct policy_window all = policy_states_window(0, weekday);
				assert_int_equal(w.open_minute, all.open_minute);
				assert_int_equal(w.close_minute, all.close_minute);
			}
			assert_true(policy_states_rest_on_holidays(states));
			assert_int_equal(policy_states_day_max(states), 3);
		}
	/* compliance.md section 3: 10 to 18, Saturday 10 to 17, no Sunday, no holidays, three in 24 hours */
	struct policy_window w = policy_states_window(0, 3);
	assert_true(w.open_minute == 600 && w.close_minute == 1080);
	w = policy_states_window(0, 6);
	assert_true(w.open_minute == 600 && w.close_minute == 1020);
	w = policy_states_window(0, 0);
	assert_true(w.open_minute >= w.close_minute);
	w = policy_states_window(BIT(STATE_CA), 3); /* no row of its own: nothing narrower than the pack */
	assert_true(w.open_minute == 0 && w.close_minute == 24 * 60);
	assert_false(policy_states_rest_on_holidays(BIT(STATE_CA)));
	assert_int_equal(policy_states_day_max(BIT(STATE_CA)), 0);
	assert_int_equal(policy_states_day_max(BIT(STATE_FL)), 3);
}

/* covers: rule cap_state */
static void three_in_a_day_where_a_state_has_it(void **state)
{
	(void)state;
	const struct policy_rules many = {
	        .open_minute = 480, .close_minute = 1260, .day_max = 9, .week_max = 9, .close_guard_s = 300};
	struct tm tuesday = {.tm_year = 126, .tm_mon = 2, .tm_mday = 3};
	struct policy_facts f = survey_in(BIT(STATE_FL));
	const int64_t noon_us = instant_us(tuesday, 12 * 3600);
	const struct policy_sends three = {.at_us = {noon_us - 3, noon_us - HOUR_US, noon_us - 2}, .count = 3};
	const int64_t over_us = noon_us - HOUR_US + DAY_US;
	f.patient = three;
	assert_int_equal(policy_decide(&many, &f, noon_us).reason, REASON_cap_state);
	assert_true(policy_decide(&many, &f, noon_us).until_us == over_us);
	assert_int_equal(policy_decide(&many, &f, over_us - 1).reason, REASON_cap_state);
	assert_int_equal(policy_decide(&many, &f, over_us).verdict, VERDICT_SEND);
	f.patient.count = 2;
	assert_int_equal(policy_decide(&many, &f, noon_us).verdict, VERDICT_SEND);
	f.phone = three;
	assert_int_equal(policy_decide(&many, &f, noon_us).reason, REASON_cap_state);
	f.household = true;
	assert_int_equal(policy_decide(&many, &f, noon_us).verdict, VERDICT_SEND);
	f.household = false;
	f.states = BIT(STATE_CA);
	assert_int_equal(policy_decide(&many, &f, noon_us).verdict, VERDICT_SEND);
	f.states |= BIT(STATE_OK);
	assert_int_equal(policy_decide(&many, &f, noon_us).reason, REASON_cap_state);
	f.states = 0;
	assert_int_equal(policy_decide(&many, &f, noon_us).reason, REASON_cap_state);
	f.category = CATEGORY_payment;
	assert_int_equal(policy_decide(&many, &f, noon_us).verdict, VERDICT_SEND);
	/* by the clock of 24 hours alone: 1 November has 25 */
	struct tm long_day = {.tm_year = 126, .tm_mon = 10, .tm_mday = 1};
	const int64_t early_us = instant_us(long_day, 1800);
	struct policy_rules calendar = many;
	enum reason reason;
	calendar.calendar = true;
	f = survey_in(BIT(STATE_FL));
	f.patient = (struct policy_sends){.at_us = {early_us, early_us, early_us}, .count = 3};
	assert_true(policy_cap_next_us(&calendar, &f, early_us, &reason) == early_us + DAY_US);
	assert_int_equal(reason, REASON_cap_state);
	/* The pack's own day comes first. */
	f.category = CATEGORY_survey;
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, noon_us).reason, REASON_cap_day);
}

/* Only solicitations: a reminder goes on a Sunday's holiday in Rhode Island, and carries no state's number. */
static void what_is_no_solicitation_keeps_the_federal_hours(void **state)
{
	(void)state;
	struct policy_facts f = survey_in(BIT(STATE_RI));
	struct tm sunday = {.tm_year = 127, .tm_mon = 6, .tm_mday = 4};
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, instant_us(sunday, 8 * 3600)).reason,
	                 REASON_quiet_day_state);
	f.category = CATEGORY_appointment_reminder;
	f.consent.basis = BASIS_IMPLIED;
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, instant_us(sunday, 8 * 3600)).verdict,
	                 VERDICT_SEND);
	assert_int_equal(policy_decide(policy_pack_rules(PACK_today), &f, instant_us(sunday, 8 * 3600 - 1)).reason,
	                 REASON_quiet_hours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_row_is_told),
	        cmocka_unit_test(holidays_are_the_federal_ones),
	        cmocka_unit_test(area_codes_name_their_state),
	        cmocka_unit_test(zip_codes_name_their_states),
	        cmocka_unit_test(states_are_written_and_read),
	        cmocka_unit_test(states_have_the_zones_of_their_area_codes),
	        cmocka_unit_test(every_state_keeps_its_hours),
	        cmocka_unit_test(several_states_keep_the_hours_of_all),
	        cmocka_unit_test(three_in_a_day_where_a_state_has_it),
	        cmocka_unit_test(unknown_law_is_the_strictest),
	        cmocka_unit_test(what_is_no_solicitation_keeps_the_federal_hours),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
