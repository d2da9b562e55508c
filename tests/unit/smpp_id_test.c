#include "smpp_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base_limits.h"
#include "smpp_receipt.h"

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void forms(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		enum smpp_id_form form;
		const char *name;
	} cases[] = {
	        {"", SMPP_ID_NO_FORM, "none"},
	        {"0", SMPP_ID_DECIMAL, "decimal"},
	        {"0416342074", SMPP_ID_DECIMAL, "decimal"},
	        {"18d0e03a", SMPP_ID_HEX, "hex"},
	        {"18D0E03A", SMPP_ID_HEX, "hex"},
	        {"2E179B310EDE971B2760C72B7F026E1B", SMPP_ID_HEX, "hex"},
	        {"74e02ee1-4e2f-4a6e-a78b-4b247d756a22", SMPP_ID_UUID, "uuid"},
	        {"74e02ee1-4e2f-4a6e-a78b-4b247d756a2", SMPP_ID_OPAQUE, "opaque"},
	        {"74e02ee1-4e2f-4a6e-a78b-4b247d756a2g", SMPP_ID_OPAQUE, "opaque"},
	        {"-1568301278", SMPP_ID_OPAQUE, "opaque"},
	        {"1479978899.393701000100", SMPP_ID_OPAQUE, "opaque"},
	        {"12absa-adsasdas", SMPP_ID_OPAQUE, "opaque"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(smpp_id_form(view_str(cases[i].id)), cases[i].form);
		assert_string_equal(smpp_id_form_name(cases[i].form), cases[i].name);
	}
}

/* Answer and receipt as they were captured, and neighbours. */
static void trap_27_relations(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		const char *receipt;
		enum smpp_id_relation relation;
	} cases[] = {
	        {"18d0e03a", "18d0e03a", SMPP_ID_SAME},
	        {"", "", SMPP_ID_SAME},
	        {"18d0e03a", "18D0E03A", SMPP_ID_CASE},
	        {"0a1b", "0A1B", SMPP_ID_CASE},
	        {"00B8BE19", "B8BE19", SMPP_ID_ZEROS},
	        {"B8BE19", "00b8be19", SMPP_ID_ZEROS},
	        {"18d0e03a", "0416342074", SMPP_ID_DEC_HEX},
	        {"6aad5", "0000436949", SMPP_ID_DEC_HEX},
	        {"70BA8A69", "1891273321", SMPP_ID_DEC_HEX},
	        {"39f99dd5", "0972660181", SMPP_ID_DEC_HEX},
	        {"416342074", "18d0e03a", SMPP_ID_HEX_DEC},
	        {"0416342074", "18D0E03A", SMPP_ID_HEX_DEC},
	        {"18446744073709551615", "ffffffffffffffff", SMPP_ID_HEX_DEC},
	        {"2726666018", "-1568301278", SMPP_ID_SIGNED},
	        {"a2859f22", "-1568301278", SMPP_ID_SIGNED},
	        {"18d0e03a", "18d0e03b", SMPP_ID_OTHER},
	        {"10", "a", SMPP_ID_HEX_DEC},
	        {"a", "10", SMPP_ID_DEC_HEX},
	        {"10", "16", SMPP_ID_DEC_HEX},
	        {"10000000000000000", "1", SMPP_ID_OTHER},
	        {"74e02ee1-4e2f-4a6e-a78b-4b247d756a22", "74E02EE1-4E2F-4A6E-A78B-4B247D756A22", SMPP_ID_CASE},
	        {"x", "", SMPP_ID_OTHER},
	        {"-", "-", SMPP_ID_SAME},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum smpp_id_relation r = smpp_id_relation(view_str(cases[i].receipt), view_str(cases[i].answer));
		if (r != cases[i].relation)
			fail_msg("%s in the receipt of %s: %s", cases[i].receipt, cases[i].answer,
			         smpp_id_relation_name(r));
	}
}

static void a_spelling_has_its_relation(void **state)
{
	(void)state;
	char to[24];
	assert_true(smpp_id_spell(SMPP_ID_DEC_HEX, VIEW("0416342074"), to));
	assert_string_equal(to, "18d0e03a");
	assert_true(smpp_id_spell(SMPP_ID_HEX_DEC, VIEW("18D0E03A"), to));
	assert_string_equal(to, "416342074");
	assert_false(smpp_id_spell(SMPP_ID_DEC_HEX, VIEW("18d0e03a"), to));
	assert_false(smpp_id_spell(SMPP_ID_HEX_DEC, VIEW("18d0-e03a"), to));
	assert_false(smpp_id_spell(SMPP_ID_DEC_HEX, VIEW("18446744073709551616"), to));
	assert_false(smpp_id_spell(SMPP_ID_HEX_DEC, VIEW("10000000000000000"), to));
	assert_false(smpp_id_spell(SMPP_ID_DEC_HEX, VIEW(""), to));
	assert_false(smpp_id_spell(SMPP_ID_SAME, VIEW("1"), to));
	assert_false(smpp_id_spell(SMPP_ID_OTHER, VIEW("1"), to));
}

/* Whatever relation two ids have, the candidates of the one hold the key of the other: what is learned is never needed
 * to find, only to prefer. */
static void what_is_related_is_a_candidate(void **state)
{
	(void)state;
	uint64_t number = 0x123456789abcdefu;
	for (int i = 0; i < 200; i++) {
		char dec[32], hex[32], zeros[32], ids[LIMIT_RECEIPT_CANDIDATES][66];
		number = number * 6364136223846793005u + 1442695040888963407u;
		unsigned long long n = number >> (i % 60);
		snprintf(dec, sizeof(dec), "%llu", n);
		snprintf(hex, sizeof(hex), "%llx", n);
		snprintf(zeros, sizeof(zeros), "%024llu", n);
		const char *const pairs[][2] = {{dec, hex}, {hex, dec}, {zeros, dec}, {zeros, hex}};
		for (size_t k = 0; k < COUNT(pairs); k++) {
			unsigned count = smpp_receipt_candidates(view_str(pairs[k][0]), ids);
			bool found = false;
			for (unsigned c = 0; c < count; c++)
				found = found ||
				        smpp_id_relation(view_str(ids[c]), view_str(pairs[k][1])) <= SMPP_ID_ZEROS;
			if (!found)
				fail_msg("%s is no candidate of %s", pairs[k][1], pairs[k][0]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(forms),
	        cmocka_unit_test(trap_27_relations),
	        cmocka_unit_test(a_spelling_has_its_relation),
	        cmocka_unit_test(what_is_related_is_a_candidate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
