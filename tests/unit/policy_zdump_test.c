#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"

/* zdump of the C library, which reads the same files with other code, prints each transition as two lines: the second
 * before it and the second itself. Both must agree here, and the offset must not change anywhere else. */

#define FIRST_YEAR 2020
#define LAST_YEAR 2040

struct dumped {
	int64_t unix_s;
	long offset;
};

/* "America/New_York  Sun Mar  8 06:59:59 2020 UT = Sun Mar  8 01:59:59 2020 EST isdst=0 gmtoff=-18000" */
static bool read_line(const char *line, struct dumped *d)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4];
	struct civil c;
	const char *gmtoff = strstr(line, "gmtoff=");
	if (!gmtoff ||
	    sscanf(line, "%*s %*3s %3s %d %d:%d:%d %d UT =", month, &c.day, &c.hour, &c.minute, &c.second, &c.year) !=
	            6 ||
	    c.year < FIRST_YEAR - 1 ||
	    c.year > LAST_YEAR + 1) /* newer ones tell the ends of time too, whatever -c says */
		return false;
	const char *at = strstr(months, month);
	assert_non_null(at);
	c.month = (int)(at - months) / 3 + 1;
	d->unix_s = time_seconds(&c);
	d->offset = strtol(gmtoff + strlen("gmtoff="), NULL, 10);
	return true;
}

static size_t read_dump(const char *name, struct dumped *d, size_t max)
{
	char command[256];
	char line[512];
	size_t n = 0;
	snprintf(command, sizeof(command), "zdump -v -c %d,%d %s", FIRST_YEAR, LAST_YEAR + 1, name);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	while (n < max && fgets(line, sizeof(line), f))
		n += read_line(line, &d[n]);
	assert_int_equal(pclose(f), 0);
	return n;
}

static int64_t new_year(int year)
{
	return time_days(year, 1, 1) * 86400;
}

/* Walks our own stretches and returns how many times the offset changes. */
static size_t our_changes(const struct zone *z)
{
	size_t n = 0;
	int64_t s = new_year(FIRST_YEAR);
	while (s < new_year(LAST_YEAR + 1)) {
		struct zone_span span = policy_zone_span(z, s);
		assert_true(span.until_s > s);
		assert_int_equal(policy_zone_offset(z, span.until_s - 1), span.offset);
		n += span.until_s < new_year(LAST_YEAR + 1) && policy_zone_offset(z, span.until_s) != span.offset;
		s = span.until_s;
	}
	return n;
}

static size_t agree(const char *name)
{
	struct dumped d[256];
	struct zone *z = fixture_zone(name);
	size_t n = read_dump(name, d, sizeof(d) / sizeof(d[0]));
	size_t changes = 0;
	assert_true(n % 2 == 0 && n < sizeof(d) / sizeof(d[0]));
	for (size_t i = 0; i < n; i++)
		if (policy_zone_offset(z, d[i].unix_s) != d[i].offset)
			fail_msg("%s at %lld: %d, zdump %ld", name, (long long)d[i].unix_s,
			         policy_zone_offset(z, d[i].unix_s), d[i].offset);
	for (size_t i = 0; i + 1 < n; i += 2) {
		assert_true(d[i].unix_s + 1 == d[i + 1].unix_s);
		changes += d[i].offset != d[i + 1].offset;
	}
	assert_int_equal(our_changes(z), changes);
	policy_zone_free(z);
	return changes;
}

static void every_transition_agrees_with_zdump(void **state)
{
	(void)state;
	static const char *const odd[] = {"America/St_Johns",    "America/Havana", "America/Nuuk",
	                                  "Australia/Lord_Howe", "Europe/Dublin",  "Africa/Casablanca",
	                                  "Pacific/Chatham",     "Asia/Gaza"};
	const char *names[64];
	size_t zones = fixture_names(names, sizeof(names) / sizeof(names[0]));
	size_t changes = 0;
	assert_true(zones >= 15);
	setenv("TZDIR", fixture_folder(), 1);
	for (size_t i = 0; i < zones; i++)
		changes += agree(names[i]);
	assert_int_equal(agree("America/New_York"), 2 * (LAST_YEAR - FIRST_YEAR + 1));
	assert_int_equal(agree("America/Phoenix"), 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_true(agree(odd[i]) > 0);
	print_message("%zu zones of area codes, %zu transitions\n", zones, changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_transition_agrees_with_zdump)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
