#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"
#include "policy_zone_rule.h"
#include "seeded.h"

#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t utc(int year, int month, int day, int hour, int minute, int second)
{
	return fixture_utc_us(year, month, day, hour, minute, second) / SECOND_US;
}

/* --- a TZif file made by hand ---------------------------------------------------------------------------------- */

struct made {
	uint8_t version;
	size_t count;
	int64_t at_s[4];
	uint8_t type[4];
	size_t types;
	int32_t offset_s[3];
	uint32_t leaps;
	const char *footer;
};

static void add_block(struct buf *b, const struct made *m, bool wide)
{
	buf_add_str(b, "TZif");
	buf_add_u8(b, m->version);
	buf_add(b, (uint8_t[15]){0}, 15);
	const uint32_t counts[] = {0, 0, m->leaps, (uint32_t)m->count, (uint32_t)m->types, 4};
	for (size_t i = 0; i < 6; i++)
		buf_add_u32(b, counts[i]);
	for (size_t i = 0; i < m->count; i++) {
		if (wide)
			buf_add_u64(b, (uint64_t)m->at_s[i]);
		else
			buf_add_u32(b, (uint32_t)m->at_s[i]);
	}
	buf_add(b, m->type, m->count);
	for (size_t i = 0; i < m->types; i++) {
		buf_add_u32(b, (uint32_t)m->offset_s[i]);
		buf_add_u16(b, 0);
	}
	buf_add(b, "LMT", 4);
	for (uint32_t i = 0; i < m->leaps; i++)
		buf_add(b, (uint8_t[12]){0}, wide ? 12 : 8);
}

static struct buf make(const struct made *m)
{
	struct buf b = BUF(4096);
	add_block(&b, m, false);
	if (m->version) {
		add_block(&b, m, true);
		buf_printf(&b, "\n%s\n", m->footer);
	}
	return b;
}

static struct zone *make_zone(const struct made *m)
{
	const char *error = NULL;
	struct buf b = make(m);
	struct zone *z = policy_zone_parse("Test/Made", buf_view(&b), &error);
	assert_true((z == NULL) == (error != NULL));
	buf_free(&b);
	return z;
}

static void a_version_1_file_ends_with_its_last_type(void **state)
{
	(void)state;
	struct zone *z = make_zone(&(struct made){0, 2, {-1000, 5000}, {1, 0}, 2, {-18000, -14400}, 0, NULL});
	assert_non_null(z);
	assert_string_equal(policy_zone_name(z), "Test/Made");
	assert_int_equal(policy_zone_offset(z, -1001), -18000);
	assert_int_equal(policy_zone_offset(z, -1000), -14400);
	assert_int_equal(policy_zone_offset(z, 4999), -14400);
	assert_int_equal(policy_zone_offset(z, 5000), -18000);
	assert_int_equal(policy_zone_offset(z, INT64_MAX), -18000);
	assert_int_equal(policy_zone_offset(z, INT64_MIN), -18000);
	assert_true(policy_zone_span(z, 0).until_s == 5000);
	assert_true(policy_zone_span(z, 5000).until_s == INT64_MAX);
	policy_zone_free(z);
	policy_zone_free(NULL);
}

static void an_empty_footer_leaves_the_last_type(void **state)
{
	(void)state;
	struct zone *z = make_zone(&(struct made){'2', 1, {100}, {1}, 2, {0, 3600}, 0, ""});
	assert_int_equal(policy_zone_offset(z, 99), 0);
	assert_int_equal(policy_zone_offset(z, INT64_C(1) << 40), 3600);
	policy_zone_free(z);
}

/* A file that leaves everything since 2007 to its rule, and one that has nothing else, agree with the one that lists
 * every transition. */
static void slim_files_agree_with_a_fat_one(void **state)
{
	(void)state;
	const char *rule = "EST5EDT,M3.2.0,M11.1.0";
	const int64_t march = utc(2007, 3, 11, 7, 0, 0);
	struct zone *fat = fixture_zone("America/New_York");
	struct zone *slim = make_zone(&(struct made){'2', 1, {march}, {1}, 2, {-18000, -14400}, 0, rule});
	struct zone *bare = make_zone(&(struct made){'2', 0, {0}, {0}, 1, {-18000}, 0, rule});
	for (int64_t s = utc(2007, 1, 2, 0, 0, 0); s < utc(2110, 1, 1, 0, 0, 0); s += 3599) {
		int32_t offset = policy_zone_offset(fat, s);
		assert_int_equal(policy_zone_offset(slim, s), offset);
		assert_int_equal(policy_zone_offset(bare, s), offset);
	}
	policy_zone_free(fat);
	policy_zone_free(slim);
	policy_zone_free(bare);
}

static const struct {
	struct made made;
	const char *error;
} broken[] = {
        {{'2', 0, {0}, {0}, 0, {0}, 0, ""}, "no local time types"},
        {{'2', 2, {5, 5}, {0, 0}, 1, {0}, 0, ""}, "transitions are not ascending"},
        {{'2', 2, {6, 5}, {0, 0}, 1, {0}, 0, ""}, "transitions are not ascending"},
        {{'2', 1, {5}, {1}, 1, {0}, 0, ""}, "a transition names no type"},
        {{'2', 0, {0}, {0}, 1, {93601}, 0, ""}, "an offset of more than a day"},
        {{'2', 0, {0}, {0}, 1, {INT32_MIN}, 0, ""}, "an offset of more than a day"},
        {{'2', 0, {0}, {0}, 1, {0}, 1, ""}, "counts leap seconds"},
        {{'2', 0, {0}, {0}, 1, {0}, 0, "EST5EDT"}, "the footer's rule is not understood"},
        {{'1', 0, {0}, {0}, 1, {0}, 0, ""}, "not a TZif file"},
};

static void broken_files_are_refused_with_a_reason(void **state)
{
	(void)state;
	const char *error = NULL;
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct buf b = make(&broken[i].made);
		assert_null(policy_zone_parse("X", buf_view(&b), &error));
		assert_string_equal(error, broken[i].error);
		buf_free(&b);
	}
	assert_null(policy_zone_parse("X", VIEW("no such thing"), &error));
	assert_string_equal(error, "not a TZif file");
	assert_null(policy_zone_parse("X", (struct view){0}, &error));
	static const uint8_t large[LIMIT_ZONE_FILE_BYTES + 1] = "TZif";
	assert_null(policy_zone_parse("X", view_of(large, sizeof(large)), &error));
	assert_string_equal(error, "too large");
	struct buf good = make(&(struct made){'2', 0, {0}, {0}, 1, {0}, 0, "UTC0"});
	char name[LIMIT_ZONE_NAME_BYTES + 1];
	memset(name, 'a', sizeof(name));
	name[LIMIT_ZONE_NAME_BYTES] = 0;
	assert_null(policy_zone_parse(name, buf_view(&good), &error));
	name[LIMIT_ZONE_NAME_BYTES - 1] = 0;
	struct zone *z = policy_zone_parse(name, buf_view(&good), &error);
	assert_non_null(z);
	policy_zone_free(z);
	buf_free(&good);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	(void)state;
	const char *error = NULL;
	struct view file = fixture_file("America/New_York");
	assert_true(file.n > 0);
	for (size_t n = 0; n < file.n; n++) {
		uint8_t *exact =
		        malloc(n ? n : 1); /* of just that size, so that a sanitizer sees a read past the end */
		memcpy(exact, file.p, n);
		assert_null(policy_zone_parse("America/New_York", view_of(exact, n), &error));
		assert_non_null(error);
		free(exact);
	}
	free((void *)(uintptr_t)file.p);
}

/* --- rules ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	bool good;
} rules[] = {
        {"EST5EDT,M3.2.0,M11.1.0", true},
        {"EST5", true},
        {"UTC0", true},
        {"<-03>3", true},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", true},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", true},
        {"XXX3EDT4,0/0,J365/23", true},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", true},
        {"EST5EDT,J60,J300", true},
        {"EST5EDT,59/2:30:15,300", true},
        {"EST5EDT4,M3.2.0/167,M11.1.0/-167", true},
        {"EST24EDT,M3.2.0,M11.1.0", true},
        {"", false},
        {"5", false},
        {"EST", false},
        {"ES5", false},
        {"<ES>5", false},
        {"<EST5", false},
        {"E1T5", false},
        {"EST25", false},
        {"EST5:60", false},
        {"EST5EDT", false},
        {"EST5EDT,M3.2.0", false},
        {"EST5EDT,M3.2.0,", false},
        {"EST5EDT,M3.2.0,M11.1.0,", false},
        {"EST5EDT,M3.2.0,M11.1.0 ", false},
        {"EST5EDT,M0.2.0,M11.1.0", false},
        {"EST5EDT,M13.2.0,M11.1.0", false},
        {"EST5EDT,M3.0.0,M11.1.0", false},
        {"EST5EDT,M3.6.0,M11.1.0", false},
        {"EST5EDT,M3.2.7,M11.1.0", false},
        {"EST5EDT,J0,J300", false},
        {"EST5EDT,J366,J300", false},
        {"EST5EDT,366,300", false},
        {"EST5EDT,M3.2.0/168,M11.1.0", false},
        {"EST5EDT,M3.2.0/,M11.1.0", false},
        {"EST5EDT,0001,300", false},
};

static void rules_are_read_whole_or_not_at_all(void **state)
{
	(void)state;
	struct zone_rule r;
	for (size_t i = 0; i < COUNT(rules); i++)
		if (policy_zone_rule_parse(view_str(rules[i].text), &r) != rules[i].good)
			fail_msg("\"%s\"", rules[i].text);
}

/* glibc reads the same strings and is the witness; it knows no rule times outside 0-24 h before version 2.37 or so, so
 * those are checked against instants computed by hand below. */
static void rules_agree_with_glibc(void **state)
{
	(void)state;
	static const char *const both[] = {"EST5EDT,M3.2.0,M11.1.0",     "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
	                                   "IST-1GMT0,M10.5.0,M3.5.0/1", "EST5EDT,J60,J300",
	                                   "EST5EDT,59/2:30:15,300",     "NZST-12NZDT,M9.5.0,M4.1.0/3",
	                                   "CET-1CEST,M3.5.0,M10.5.0/3"};
	seeded_start("rules_agree_with_glibc");
	for (size_t i = 0; i < COUNT(both); i++) {
		struct zone *z = make_zone(&(struct made){'2', 0, {0}, {0}, 1, {0}, 0, both[i]});
		setenv("TZ", both[i], 1);
		tzset();
		for (int n = 0; n < 5000; n++) {
			time_t t = seeded_between(0, utc(2200, 1, 1, 0, 0, 0));
			struct tm tm;
			localtime_r(&t, &tm);
			if (policy_zone_offset(z, t) != tm.tm_gmtoff)
				fail_msg("%s at %lld", both[i], (long long)t);
		}
		policy_zone_free(z);
	}
}

static void rules_outside_their_year_hold(void **state)
{
	(void)state;
	struct zone *all_year = make_zone(&(struct made){'3', 0, {0}, {0}, 1, {-14400}, 0, "XXX3EDT4,0/0,J365/23"});
	seeded_start("rules_outside_their_year_hold");
	for (int n = 0; n < 5000; n++)
		assert_int_equal(policy_zone_offset(all_year, seeded_between(0, utc(2200, 1, 1, 0, 0, 0))), -14400);
	policy_zone_free(all_year);
	/* Nuuk changes at 1:00 UTC on the last Sundays of March and October: on the Saturday evening before, there. */
	struct zone *nuuk =
	        make_zone(&(struct made){'3', 0, {0}, {0}, 1, {-7200}, 0, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"});
	assert_int_equal(policy_zone_offset(nuuk, utc(2030, 3, 31, 0, 59, 59)), -7200);
	assert_int_equal(policy_zone_offset(nuuk, utc(2030, 3, 31, 1, 0, 0)), -3600);
	assert_int_equal(policy_zone_offset(nuuk, utc(2030, 10, 27, 0, 59, 59)), -3600);
	assert_int_equal(policy_zone_offset(nuuk, utc(2030, 10, 27, 1, 0, 0)), -7200);
	assert_int_equal(policy_zone_offset(nuuk, INT64_MAX), -7200);
	assert_int_equal(policy_zone_offset(nuuk, INT64_MIN), -7200);
	policy_zone_free(nuuk);
}

/* --- asking ---------------------------------------------------------------------------------------------------- */

static void local_time_is_civil(void **state)
{
	(void)state;
	struct zone *z = fixture_zone("America/New_York");
	struct civil c = policy_zone_local(z, utc(2026, 7, 4, 3, 59, 59));
	assert_int_equal(c.day, 3);
	assert_int_equal(c.hour, 23);
	assert_int_equal(c.second, 59);
	c = policy_zone_local(z, utc(2026, 1, 1, 4, 59, 59));
	assert_int_equal(c.year, 2025);
	assert_int_equal(c.month, 12);
	policy_zone_free(z);
}

static const struct {
	const char *zone;
	int year, month, day, hour; /* wall time asked for */
	struct civil utc;           /* answer */
} instants[] = {
        {"America/New_York", 2026, 1, 15, 8, {2026, 1, 15, 13, 0, 0}},
        {"America/New_York", 2026, 7, 15, 8, {2026, 7, 15, 12, 0, 0}},
        {"America/New_York", 2026, 7, 15, 0, {2026, 7, 15, 4, 0, 0}},
        {"America/New_York", 2026, 3, 8, 2, {2026, 3, 8, 7, 0, 0}}, /* does not exist: 2:00 is 3:00 */
        {"America/New_York", 2026, 3, 8, 3, {2026, 3, 8, 7, 0, 0}},
        {"America/New_York", 2026, 3, 8, 8, {2026, 3, 8, 12, 0, 0}},
        {"America/New_York", 2026, 11, 1, 1, {2026, 11, 1, 5, 0, 0}}, /* exists twice: the first */
        {"America/New_York", 2026, 11, 1, 2, {2026, 11, 1, 7, 0, 0}},
        {"America/New_York", 2050, 7, 15, 8, {2050, 7, 15, 12, 0, 0}},
        {"America/Phoenix", 2026, 7, 15, 8, {2026, 7, 15, 15, 0, 0}},
        {"Pacific/Honolulu", 2026, 7, 15, 23, {2026, 7, 16, 9, 0, 0}},
        {"Pacific/Guam", 2026, 7, 15, 8, {2026, 7, 14, 22, 0, 0}},
        {"Pacific/Apia", 2011, 12, 30, 8, {2011, 12, 30, 10, 0, 0}}, /* a day that never was */
        {"America/Havana", 2026, 3, 8, 0, {2026, 3, 8, 5, 0, 0}},    /* midnight does not exist */
        {"America/Havana", 2026, 11, 1, 0, {2026, 11, 1, 4, 0, 0}},  /* midnight exists twice */
};

static void wall_times_become_instants(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(instants); i++) {
		struct zone *z = fixture_zone(instants[i].zone);
		int64_t days = time_days(instants[i].year, instants[i].month, instants[i].day);
		int64_t got = policy_zone_instant(z, days, instants[i].hour);
		if (got != time_seconds(&instants[i].utc))
			fail_msg("case %zu: %lld", i, (long long)got);
		policy_zone_free(z);
	}
}

/* The answer shows at least the wall time, and no earlier second of three days does. */
static void instants_are_the_first(void **state)
{
	(void)state;
	static const char *const names[] = {"America/New_York", "America/Havana", "Australia/Lord_Howe",
	                                    "Pacific/Apia"};
	seeded_start("instants_are_the_first");
	for (size_t i = 0; i < COUNT(names); i++) {
		struct zone *z = fixture_zone(names[i]);
		for (int n = 0; n < 300; n++) {
			int64_t days = seeded_between(time_days(2005, 1, 1), time_days(2060, 1, 1));
			int hour = (int)seeded_between(0, 23);
			int64_t wall = days * 86400 + hour * 3600;
			int64_t got = policy_zone_instant(z, days, hour);
			assert_true(got + policy_zone_offset(z, got) >= wall);
			for (int64_t s = got - 1; s > got - 3 * 86400; s -= s > got - 7300 ? 1 : 60)
				if (s + policy_zone_offset(z, s) >= wall)
					fail_msg("%s, day %lld, hour %d", names[i], (long long)days, hour);
		}
		policy_zone_free(z);
	}
}

static void names_stay_inside_their_folder(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
	        {"America/New_York", true},
	        {"America/Argentina/Buenos_Aires", true},
	        {"Etc/GMT+5", true},
	        {"Etc/GMT-14", true},
	        {"UTC", true},
	        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true}, /* 47 */
	        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	        {"", false},
	        {"/", false},
	        {"/etc/passwd", false},
	        {"America/", false},
	        {"America//New_York", false},
	        {"..", false},
	        {"../../etc/passwd", false},
	        {"America/../UTC", false},
	        {"a.b", false},
	        {"New York", false},
	        {"Am\xc3\xa9rica", false},
	        {"America\\New_York", false},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(policy_zone_name_ok(view_str(cases[i].name)), cases[i].ok);
	assert_false(policy_zone_name_ok(VIEW("UTC\0")));
}

/* --- against glibc --------------------------------------------------------------------------------------------- */

static void offsets_agree_with_glibc(void **state)
{
	(void)state;
	static const char *const odd[] = {"Australia/Lord_Howe", "Africa/Casablanca", "Europe/Dublin",   "Asia/Kolkata",
	                                  "America/St_Johns",    "America/Nuuk",      "America/Havana",  "Pacific/Apia",
	                                  "Asia/Gaza",           "Antarctica/Troll",  "Pacific/Chatham", "Etc/GMT+5"};
	const char *names[64];
	size_t n = fixture_names(names, COUNT(names) - COUNT(odd));
	for (size_t i = 0; i < COUNT(odd); i++)
		names[n++] = odd[i];
	seeded_start("offsets_agree_with_glibc");
	for (size_t i = 0; i < n; i++) {
		struct zone *z = fixture_zone(names[i]);
		char tz[280];
		snprintf(tz, sizeof(tz), ":%s/%s", fixture_folder(), names[i]);
		setenv("TZ", tz, 1);
		tzset();
		for (int k = 0; k < 4000; k++) {
			time_t t = seeded_between(utc(1970, 1, 1, 0, 0, 0), utc(2100, 1, 1, 0, 0, 0));
			struct tm tm;
			localtime_r(&t, &tm);
			struct civil c = policy_zone_local(z, t);
			if (policy_zone_offset(z, t) != tm.tm_gmtoff || c.year != tm.tm_year + 1900 ||
			    c.month != tm.tm_mon + 1 || c.day != tm.tm_mday || c.hour != tm.tm_hour ||
			    c.minute != tm.tm_min || c.second != tm.tm_sec)
				fail_msg("%s at %lld: %d, glibc %ld", names[i], (long long)t, policy_zone_offset(z, t),
				         tm.tm_gmtoff);
		}
		policy_zone_free(z);
	}
	print_message("%zu zones, 4000 instants each\n", n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_version_1_file_ends_with_its_last_type),
	        cmocka_unit_test(an_empty_footer_leaves_the_last_type),
	        cmocka_unit_test(slim_files_agree_with_a_fat_one),
	        cmocka_unit_test(broken_files_are_refused_with_a_reason),
	        cmocka_unit_test(a_file_cut_anywhere_is_refused),
	        cmocka_unit_test(rules_are_read_whole_or_not_at_all),
	        cmocka_unit_test(rules_agree_with_glibc),
	        cmocka_unit_test(rules_outside_their_year_hold),
	        cmocka_unit_test(local_time_is_civil),
	        cmocka_unit_test(wall_times_become_instants),
	        cmocka_unit_test(instants_are_the_first),
	        cmocka_unit_test(names_stay_inside_their_folder),
	        cmocka_unit_test(offsets_agree_with_glibc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
