#include "policy_fixture.h"
#include "policy_vendor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void every_word_is_told(void **state)
{
	(void)state;
	for (unsigned w = WORD_none + 1; w < WORD_COUNT; w++) {
		const char *sentence = policy_word_sentence(w);
		assert_true(*policy_word_name(w));
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		/* Only what the carrier itself does not know has no reason of its own. */
		assert_int_equal(policy_word_reason(w) == REASON_none, w == WORD_unknown);
	}
	assert_string_equal(policy_word_name(WORD_none), "");
	assert_string_equal(policy_word_sentence(WORD_none), "");
	assert_int_equal(policy_word_reason(WORD_daily_cap), REASON_carrier_daily_cap);
}

/* The table of compliance.md section 4, written down a second time. */
static void codes_mean_what_the_vendors_say(void **state)
{
	(void)state;
	static const struct {
		const char *profile;
		const char *codes;
		enum carrier_word word;
	} table[] = {
	        {"bandwidth", "4775", WORD_opted_out},
	        {"telnyx", "40300", WORD_opted_out},
	        {"twilio", "21610", WORD_opted_out},
	        {"bandwidth", "4470 4770 4771", WORD_spam},
	        {"telnyx", "40002 40003 40015 40322 40017", WORD_spam},
	        {"sinch", "15 62 015 062", WORD_spam},
	        {"twilio", "30007", WORD_spam},
	        {"bandwidth", "4780", WORD_daily_cap},
	        {"telnyx", "40016", WORD_daily_cap},
	        {"sinch", "64 064", WORD_daily_cap},
	        {"infobip", "542", WORD_daily_cap},
	        {"bird", "106", WORD_daily_cap},
	        {"bandwidth", "4781 4785", WORD_rate},
	        {"telnyx", "40018 40011", WORD_rate},
	        {"infobip", "541", WORD_rate},
	        {"bird", "107", WORD_rate},
	        {"twilio", "30022", WORD_rate},
	        {"bandwidth", "4773 4774 4795", WORD_registration},
	        {"telnyx", "40010 40329", WORD_registration},
	        {"sinch", "60 060", WORD_registration},
	        {"twilio", "30034 30032", WORD_registration},
	        {"bandwidth", "4720 4721", WORD_dead_number},
	        {"telnyx", "40001 40012", WORD_dead_number},
	        {"sinch", "300", WORD_dead_number},
	        {"twilio", "30003 30005 30006", WORD_dead_number},
	        {"bandwidth", "4482 4772 4790", WORD_blocked_pair},
	        {"sinch", "349", WORD_blocked_pair},
	        {"bandwidth", "9902 9999", WORD_unknown},
	        {"sinch", "399", WORD_unknown},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		char codes[64];
		copy_str(codes, sizeof(codes), table[i].codes);
		for (char *at = codes; *at;) {
			size_t n = strcspn(at, " ");
			bool last = at[n] == 0;
			at[n] = 0;
			assert_int_equal(policy_vendor_code(table[i].profile, at), table[i].word);
			at += n + !last;
		}
	}
}

static void a_code_is_its_own_vendors(void **state)
{
	(void)state;
	assert_int_equal(policy_vendor_code("bandwidth", "40300"), WORD_none);
	assert_int_equal(policy_vendor_code("", "4775"), WORD_none);
	assert_int_equal(policy_vendor_code("nobody", "4775"), WORD_none);
	assert_int_equal(policy_vendor_code("any", "4775"), WORD_none);
	assert_int_equal(policy_vendor_code("bandwidth", ""), WORD_none);
	assert_int_equal(policy_vendor_code("bandwidth", "000"), WORD_none);
	assert_int_equal(policy_vendor_code("bandwidth", "47750"), WORD_none);
	assert_int_equal(policy_vendor_code("bandwidth", "477"), WORD_none);
}

static void a_network_error_counts_when_a_message_centre_says_it(void **state)
{
	(void)state;
	assert_int_equal(policy_vendor_code("bandwidth", "8:4775"), WORD_opted_out);
	assert_int_equal(policy_vendor_code("bandwidth", "7:4775"), WORD_opted_out);
	assert_int_equal(policy_vendor_code("sinch", "8:015"), WORD_spam);
	assert_int_equal(policy_vendor_code("sinch", "3:15"), WORD_none); /* GSM's own cause 15 */
	assert_int_equal(policy_vendor_code("sinch", "18:15"), WORD_none);
	assert_int_equal(policy_vendor_code("sinch", ":15"), WORD_none);
	assert_int_equal(policy_vendor_code("sinch", "8:"), WORD_none);
}

static void statuses_of_answers(void **state)
{
	(void)state;
	assert_int_equal(policy_vendor_status("infobip", 0xff), WORD_registration);
	assert_int_equal(policy_vendor_status("sinch", 0xff), WORD_none);
	for (unsigned i = 0; policy_vendor_name(i); i++)
		assert_int_equal(policy_vendor_status(policy_vendor_name(i), 0xc3), WORD_registration);
	assert_int_equal(policy_vendor_status("", 0xc3), WORD_none);
	assert_int_equal(policy_vendor_status("nobody", 0xc3), WORD_none);
	assert_int_equal(policy_vendor_status("sinch", 0), WORD_none);
	assert_int_equal(policy_vendor_status("sinch", 0x58), WORD_none);
}

static void profiles(void **state)
{
	(void)state;
	static const char *const wanted[] = {"bandwidth", "telnyx", "sinch", "twilio", "infobip", "bird"};
	for (size_t i = 0; i < COUNT(wanted); i++) {
		assert_true(policy_vendor_known(wanted[i]));
		assert_string_equal(policy_vendor_name((unsigned)i), wanted[i]);
	}
	assert_null(policy_vendor_name(COUNT(wanted)));
	assert_false(policy_vendor_known(""));
	assert_false(policy_vendor_known("any"));
}

static void a_carriers_day_ends_at_its_midnight(void **state)
{
	(void)state;
	struct zone *z = fixture_zone("America/Los_Angeles");
	const int64_t end_us = fixture_utc_us(2026, 3, 3, 8, 0, 0); /* Pacific standard time */
	assert_int_equal(policy_carrier_day_end_us(z, fixture_utc_us(2026, 3, 2, 8, 0, 0)), end_us);
	assert_int_equal(policy_carrier_day_end_us(z, end_us - 1), end_us);
	assert_int_equal(policy_carrier_day_end_us(z, end_us), end_us + DAY_US);
	/* The day of 23 hours, and the one of 25. */
	assert_int_equal(policy_carrier_day_end_us(z, fixture_utc_us(2026, 3, 8, 8, 0, 0)),
	                 fixture_utc_us(2026, 3, 9, 7, 0, 0));
	assert_int_equal(policy_carrier_day_end_us(z, fixture_utc_us(2026, 11, 1, 7, 0, 0)),
	                 fixture_utc_us(2026, 11, 2, 8, 0, 0));
	assert_int_equal(policy_carrier_day_end_us(NULL, end_us), end_us + DAY_US);
	policy_zone_free(z);
}

static void same_words_have_one_key(void **state)
{
	(void)state;
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} pairs[] = {
	        {"Visit at 9:30, code 12345", "Visit at 10:05, code 7", true},
	        {"Visit at 9:30", "VISIT  at\n9:30 ", true},
	        {" Visit", "Visit", true},
	        {"Visit at 9", "Visit at nine", false},
	        {"Visit at 9", "Visit at", false},
	        {"Dear Ann, visit", "Dear Bob, visit", false},
	        {"a 1 b", "a1b", false},
	        {"1", "", false},
	        {"1", "22", true},
	        {"0", " ", false},
	        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", true},
	};
	for (size_t i = 0; i < COUNT(pairs); i++)
		assert_int_equal(policy_content_key(view_str(pairs[i].a)) == policy_content_key(view_str(pairs[i].b)),
		                 pairs[i].same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_word_is_told),
	        cmocka_unit_test(codes_mean_what_the_vendors_say),
	        cmocka_unit_test(a_code_is_its_own_vendors),
	        cmocka_unit_test(a_network_error_counts_when_a_message_centre_says_it),
	        cmocka_unit_test(statuses_of_answers),
	        cmocka_unit_test(profiles),
	        cmocka_unit_test(a_carriers_day_ends_at_its_midnight),
	        cmocka_unit_test(same_words_have_one_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
