#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_phone.h"
#include "policy_zone.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	enum phone_check check;
} phones[] = {
        {"+12125550123", PHONE_FICTIONAL},
        {"+12125550100", PHONE_FICTIONAL},
        {"+12125550199", PHONE_FICTIONAL},
        {"+12125550200", PHONE_OK},
        {"+12125550099", PHONE_OK},
        {"+17295550123", PHONE_FICTIONAL}, /* an area code that the table lacks */
        {"+17295550200", PHONE_OK},
        {"+16715550123", PHONE_FICTIONAL},
        {"+17875550123", PHONE_FICTIONAL},
        /* shape */
        {"", PHONE_MALFORMED},
        {"+", PHONE_MALFORMED},
        {"+1", PHONE_MALFORMED},
        {"12125550123", PHONE_MALFORMED},
        {"2125550123", PHONE_MALFORMED},
        {"+1212555012", PHONE_MALFORMED},
        {"+121255501234", PHONE_MALFORMED},
        {"+1 2125550123", PHONE_MALFORMED},
        {"+1-212-555-0123", PHONE_MALFORMED},
        {"+1212555012a", PHONE_MALFORMED},
        {"+1212555012\xd9", PHONE_MALFORMED},
        {" +12125550123", PHONE_MALFORMED},
        {"+12125550123 ", PHONE_MALFORMED},
        {"++2125550123", PHONE_MALFORMED},
        {"+0212555012", PHONE_MALFORMED},
        /* area and exchange */
        {"+11125550123", PHONE_MALFORMED},
        {"+10125550123", PHONE_MALFORMED},
        {"+19115550123", PHONE_MALFORMED},
        {"+12115550123", PHONE_MALFORMED},
        {"+12121550123", PHONE_MALFORMED},
        {"+12120550123", PHONE_MALFORMED},
        {"+12129110123", PHONE_MALFORMED},
        {"+12124110123", PHONE_MALFORMED},
        /* elsewhere */
        {"+442079460123", PHONE_NOT_US},
        {"+5215550123", PHONE_NOT_US},
        {"+14165550123", PHONE_NOT_US},
        {"+12045550123", PHONE_NOT_US},
        {"+18765550123", PHONE_NOT_US},
        {"+12425550123", PHONE_NOT_US},
        {"+44207946012345678", PHONE_MALFORMED}, /* 17 digits */
        {"+442079460123456", PHONE_NOT_US},      /* 15 */
        /* no place */
        {"+18005550123", PHONE_TOLL_FREE},
        {"+18335550123", PHONE_TOLL_FREE},
        {"+18445550123", PHONE_TOLL_FREE},
        {"+18555550123", PHONE_TOLL_FREE},
        {"+18665550123", PHONE_TOLL_FREE},
        {"+18775550123", PHONE_TOLL_FREE},
        {"+18885550123", PHONE_TOLL_FREE},
        {"+18225550123", PHONE_TOLL_FREE},
        {"+18805550123", PHONE_TOLL_FREE},
        {"+18875550123", PHONE_TOLL_FREE},
        {"+18895550123", PHONE_TOLL_FREE},
        {"+18785550123", PHONE_FICTIONAL}, /* Pennsylvania, in the midst of them */
        {"+19005550123", PHONE_PREMIUM},
        {"+12129760123", PHONE_PREMIUM},
        {"+12129750123", PHONE_OK},
        {"+15005550123", PHONE_SPECIAL},
        {"+15335550123", PHONE_SPECIAL},
        {"+15555550123", PHONE_SPECIAL},
        {"+15215550123", PHONE_SPECIAL},
        {"+15125550123", PHONE_FICTIONAL}, /* Austin */
        {"+16005550123", PHONE_SPECIAL},
        {"+17005550123", PHONE_SPECIAL},
        {"+17105550123", PHONE_SPECIAL},
};

static void phones_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(phones); i++) {
		enum phone_check c = policy_phone_check(view_str(phones[i].text));
		if (c != phones[i].check)
			fail_msg("%s is %s", phones[i].text, policy_phone_code(c));
	}
	assert_int_equal(policy_phone_check((struct view){0}), PHONE_MALFORMED);
	assert_int_equal(policy_phone_check(VIEW("+1212555\0123")), PHONE_MALFORMED);
}

static void every_outcome_has_words(void **state)
{
	(void)state;
	static const char *const codes[] = {"ok",
	                                    "phone_malformed",
	                                    "phone_not_us",
	                                    "phone_toll_free",
	                                    "phone_premium",
	                                    "phone_special",
	                                    "phone_fictional"};
	for (unsigned c = PHONE_OK; c <= PHONE_FICTIONAL; c++) {
		assert_string_equal(policy_phone_code(c), codes[c]);
		const char *sentence = policy_phone_sentence(c);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
	}
}

static const struct {
	const char *phone;
	const char *region;
	const char *zones; /* joined by blanks */
	bool assumed;
} places[] = {
        {"+12125550123", "NY", "America/New_York", false},
        {"+16025550123", "AZ", "America/Phoenix", false},
        {"+12085550123", "ID", "America/Boise America/Denver America/Los_Angeles", false},
        {"+18505550123", "FL", "America/Chicago America/New_York", false},
        {"+14485550123", "FL", "America/Chicago America/New_York", false},
        {"+19075550123", "AK", "America/Adak America/Anchorage America/Juneau Pacific/Honolulu", false},
        {"+16715550123", "GU", "Pacific/Guam", false},
        {"+17295550123", "", "America/New_York America/Chicago America/Denver America/Los_Angeles", true},
        {"+19995550123", "", "America/New_York America/Chicago America/Denver America/Los_Angeles", true},
        {"+14165550123", "", "America/New_York America/Chicago America/Denver America/Los_Angeles", true},
};

static void area_codes_name_their_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		struct zone_names z = policy_phone_zones(places[i].phone);
		struct buf joined = BUF(512);
		for (unsigned k = 0; k < z.count; k++)
			buf_printf(&joined, "%s%s", k ? " " : "", z.name[k]);
		assert_string_equal(buf_cstr(&joined), places[i].zones);
		assert_int_equal(z.assumed, places[i].assumed);
		assert_string_equal(policy_phone_region(places[i].phone), places[i].region);
		buf_free(&joined);
	}
}

struct row {
	unsigned area;
	const char *region; /* NULL: foreign */
	const char *zone[8];
};

static const struct row rows[] = {
#define NPA(area, region, ...) {area, region, {__VA_ARGS__}},
#define NPA_FOREIGN(area, where) {area, NULL, {NULL}},
#include "npa.def"
};

/* The table is searched by halves: one row out of order would hide others, and with them their zones. */
static void every_row_is_found_again(void **state)
{
	(void)state;
	unsigned american = 0;
	unsigned split = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char phone[16];
		assert_true(i == 0 || rows[i - 1].area < rows[i].area);
		snprintf(phone, sizeof(phone), "+1%03u5550123", rows[i].area);
		enum phone_check want = rows[i].region ? PHONE_FICTIONAL : PHONE_NOT_US;
		assert_int_equal(policy_phone_check(view_str(phone)), want);
		if (!rows[i].region)
			continue;
		american++;
		struct zone_names z = policy_phone_zones(phone);
		assert_false(z.assumed);
		assert_true(z.count > 0);
		split += z.count > 1;
		assert_string_equal(policy_phone_region(phone), rows[i].region);
		for (unsigned k = 0; k < z.count; k++) {
			assert_string_equal(z.name[k], rows[i].zone[k]);
			assert_true(policy_zone_name_ok(view_str(z.name[k])));
		}
		assert_null(rows[i].zone[z.count]);
	}
	assert_int_equal(american, 365);
	assert_int_equal(split, 24);
}

/* Every ten-digit number gets an answer, and only digits that can be dialled get a good one. */
static void every_area_code_is_decided(void **state)
{
	(void)state;
	for (unsigned area = 0; area < 1000; area++) {
		char phone[16];
		snprintf(phone, sizeof(phone), "+1%03u5550123", area);
		enum phone_check c = policy_phone_check(view_str(phone));
		bool possible = area >= 200 && area % 100 != 11;
		assert_int_equal(c != PHONE_MALFORMED, possible);
		assert_true(policy_phone_zones(phone).count >= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(phones_are_told_apart),       cmocka_unit_test(every_outcome_has_words),
	        cmocka_unit_test(area_codes_name_their_zones), cmocka_unit_test(every_row_is_found_again),
	        cmocka_unit_test(every_area_code_is_decided),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
