#include "smpp_receipt.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* One receipt: its text, its TLVs, and what is to be read. Names are those of the known formats. */
struct receipt_case {
	const char *format;
	const char *text;
	const char *tlv_id;    /* NULL: none */
	int tlv_state;         /* -1: none */
	const char *error_tlv; /* octets of network_error_code in hexadecimal, or NULL */
	bool receipt;
	const char *id;
	enum smpp_message_state state;
	const char *error;
};

#define TEXT(format, text, id, state, error)                                                                           \
	{                                                                                                              \
		format, text, NULL, -1, NULL, true, id, SMPP_STATE_##state, error                                      \
	}
#define MO(format, text)                                                                                               \
	{                                                                                                              \
		format, text, NULL, -1, NULL, false, "", SMPP_STATE_NONE, ""                                           \
	}
#define DATES "sub:001 dlvrd:001 submit date:0809011130 done date:0809011131 "
#define WORD(word, state) TEXT("stat " word, "id:7 stat:" word " err:000", "7", state, "000")
#define NUMBER(n, state)                                                                                               \
	{                                                                                                              \
		"message_state " #n, "", "7", n, NULL, true, "7", SMPP_STATE_##state, ""                               \
	}
#define ERROR_TLV(hex, error)                                                                                          \
	{                                                                                                              \
		"network_error_code " hex, "", "7", 2, hex, true, "7", SMPP_STATE_DELIVERED, error                     \
	}

static const struct receipt_case cases[] = {
        TEXT("spec_appendix_b",
             "id:1234567890 sub:001 dlvrd:001 submit date:0809011130 done date:0809011131 stat:DELIVRD "
             "err:0 Text:20 characters of it.",
             "1234567890", DELIVERED, "0"),
        TEXT("classic_10_digit_dates", "id:0123456789 " DATES "stat:DELIVRD err:000 Text:Hello", "0123456789",
             DELIVERED, "000"),
        TEXT("12_digit_dates",
             "id:74e02ee1-4e2f-4a6e-a78b-4b247d756a22 sub:001 dlvrd:001 submit date:110206193041 done "
             "date:110206193110 stat:DELIVRD err:000 text:",
             "74e02ee1-4e2f-4a6e-a78b-4b247d756a22", DELIVERED, "000"),
        TEXT("14_digit_dates_no_sub_dlvrd_no_text",
             "id:2E179B310EDE971B2760C72B7F026E1B submit date:20110314181534 done "
             "date:20110314181741 stat:DELIVRD err:0",
             "2E179B310EDE971B2760C72B7F026E1B", DELIVERED, "0"),
        TEXT("12_digit_dates_4_digit_year",
             "id:dbd1d8e8 submit date:201906190720 done date:201906190720 stat:EXPIRED err:030", "dbd1d8e8", EXPIRED,
             "030"),
        TEXT("smpp_time_dates",
             "id:rdwjwxns18 sub:000 dlvrd:000 submit date:180711070003912+ done date:180711070000012+ "
             "stat:UNDELIV err:000",
             "rdwjwxns18", UNDELIVERABLE, "000"),
        TEXT("garbage_dates", "id:1 submit date:150701adsfas1202 stat:DELIVRD err:000", "1", DELIVERED, "000"),
        TEXT("zero_dates", "id:1 submit date:0000000000 done date:0000000000 stat:DELIVRD err:000", "1", DELIVERED,
             "000"),
        TEXT("no_sub_dlvrd",
             "id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 text:hellow", "1526758174",
             DELIVERED, "000"),
        TEXT("no_dates", "id:1846655173 stat:DELIVRD err:000", "1846655173", DELIVERED, "000"),
        TEXT("no_text_label", "id:0123456789 " DATES "stat:DELIVRD err:000 Hello", "0123456789", DELIVERED, "000"),
        TEXT("no_text_trailing_space", "id:110830142754556182180110 " DATES "stat:DELIVRD err:000 ",
             "110830142754556182180110", DELIVERED, "000"),
        TEXT("no_stat_label",
             "id:ce5bc5a9-4f7d sub:000 dlvrd:000 submit date:180903120815 done date:180903120816 DELIVRD "
             "err:000 Text:",
             "ce5bc5a9-4f7d", DELIVERED, "000"),
        TEXT("id_with_dot", "id:1479978899.393701000100 " DATES "stat:DELIVRD err:000", "1479978899.393701000100",
             DELIVERED, "000"),
        TEXT("id_with_space_values", "id: 77 stat: DELIVRD err: 0", "77", DELIVERED, "0"),
        TEXT("text_with_vendor_data", "id:7 stat:DELIVRD err:000 text:GW250 MCC=270 MNC=1", "7", DELIVERED, "000"),
        TEXT("text_with_labels", "id:7 stat:UNDELIV err:015 text:id:8 stat:DELIVRD err:000", "7", UNDELIVERABLE, "015"),
        TEXT("text_binary",
             "id:7 stat:DELIVRD err:000 text:\x84"
             "A\x89"
             "O\n\x88 ENTO\x84H",
             "7", DELIVERED, "000"),
        TEXT("nul_terminated_text", "id:7 stat:DELIVRD err:000 Text:DLVRD TO MOBILE\0", "7", DELIVERED, "000"),
        TEXT("nul_terminated_value", "id:7 err:000 stat:DELIVRD\0\0", "7", DELIVERED, "000"),
        TEXT("leading_nul", "\0id:7 stat:DELIVRD err:00", "7", DELIVERED, "00"),
        TEXT("other_order", "stat:DELIVRD err:1 id:7", "7", DELIVERED, "1"),
        TEXT("upper_labels", "ID:7 STAT:delivrd ERR:000 TEXT:x", "7", DELIVERED, "000"),
        TEXT("line_ends", "id:7\r\nstat:EXPIRED\r\nerr:000", "7", EXPIRED, "000"),
        TEXT("id_only", "id:7", "7", NONE, ""),
        TEXT("state_only", "stat:REJECTD", "", REJECTED, ""),
        {"tlv_only", "", "18d0e03a", 2, NULL, true, "18d0e03a", SMPP_STATE_DELIVERED, ""},
        {"tlv_id_alone", "", "18d0e03a", -1, NULL, true, "18d0e03a", SMPP_STATE_NONE, ""},
        {"tlv_state_alone", "", NULL, 5, NULL, true, "", SMPP_STATE_UNDELIVERABLE, ""},
        {"tlv_id_first", "id:0416342074 stat:DELIVRD err:000", "18d0e03a", 2, NULL, true, "18d0e03a",
         SMPP_STATE_DELIVERED, "000"},
        {"empty_text_id", "id: sub:001 stat:DELIVRD err:000", "7", 2, NULL, true, "7", SMPP_STATE_DELIVERED, "000"},
        {"empty_text_id_no_tlv", "id: sub:001 stat:DELIVRD err:000", NULL, -1, NULL, true, "", SMPP_STATE_DELIVERED,
         "000"},
        {"conflict", "id:7 stat:DELIVRD", "7", 5, NULL, true, "7", SMPP_STATE_UNDELIVERABLE, ""},
        {"state_0_and_a_final_word", "id:7 stat:UNDELIV", "7", 0, NULL, true, "7", SMPP_STATE_UNDELIVERABLE, ""},
        {"state_1_and_a_final_word", "id:7 stat:DELIVRD", "7", 1, NULL, true, "7", SMPP_STATE_DELIVERED, ""},
        {"state_6_and_a_final_word", "id:7 stat:REJECTD", "7", 6, NULL, true, "7", SMPP_STATE_REJECTED, ""},
        {"state_6_and_an_open_word", "id:7 stat:ENROUTE", "7", 6, NULL, true, "7", SMPP_STATE_ACCEPTED, ""},
        {"missing", "id:8 stat:EXPIRED", "7", -1, NULL, true, "7", SMPP_STATE_EXPIRED, ""},
        {"state_10", "id:8 stat:EXPIRED", "7", 10, NULL, true, "7", SMPP_STATE_EXPIRED, ""},
        NUMBER(0, SCHEDULED),
        NUMBER(1, ENROUTE),
        NUMBER(2, DELIVERED),
        NUMBER(3, EXPIRED),
        NUMBER(4, DELETED),
        NUMBER(5, UNDELIVERABLE),
        NUMBER(6, ACCEPTED),
        NUMBER(7, UNKNOWN),
        NUMBER(8, REJECTED),
        NUMBER(9, SKIPPED),
        NUMBER(10, NONE),
        NUMBER(255, NONE),
        WORD("ENROUTE", ENROUTE),
        WORD("DELIVRD", DELIVERED),
        WORD("EXPIRED", EXPIRED),
        WORD("DELETED", DELETED),
        WORD("UNDELIV", UNDELIVERABLE),
        WORD("ACCEPTD", ACCEPTED),
        WORD("UNKNOWN", UNKNOWN),
        WORD("REJECTD", REJECTED),
        WORD("SCHEDLD", SCHEDULED),
        WORD("SKIPPED", SKIPPED),
        WORD("ACKED", ACCEPTED),
        WORD("BUFFRED", ENROUTE),
        WORD("BUFFERD", ENROUTE),
        WORD("FAILED", UNDELIVERABLE),
        WORD("UNDELVRD", UNDELIVERABLE),
        WORD("DELIVERED", DELIVERED),
        WORD("UNDELIVERABLE", UNDELIVERABLE),
        WORD("ACCEPTED", ACCEPTED),
        WORD("REJECTED", REJECTED),
        WORD("BADSTAT", UNKNOWN),
        WORD("delivrd", DELIVERED),
        WORD("Delivrd", DELIVERED),
        WORD("0", NONE),
        WORD("DELIVR", NONE),
        WORD("DELIVRDX", NONE),
        TEXT("4_digit", "id:7 stat:DELIVRD err:0000", "7", DELIVERED, "0000"),
        TEXT("1_digit", "id:7 stat:DELIVRD err:0", "7", DELIVERED, "0"),
        TEXT("hex_or_alnum", "id:7 stat:DELIVRD err:21b", "7", DELIVERED, "21b"),
        TEXT("nonzero_with_delivrd", "id:7 stat:DELIVRD err:002", "7", DELIVERED, "002"),
        TEXT("err_of_16", "id:7 stat:DELIVRD err:0123456789abcdef", "7", DELIVERED, "0123456789abcdef"),
        TEXT("err_of_17", "id:7 stat:DELIVRD err:0123456789abcdefX", "7", DELIVERED, "0123456789abcdef"),
        TEXT("err_not_printable",
             "id:7 stat:DELIVRD err:1\x80"
             "2",
             "7", DELIVERED, "1"),
        ERROR_TLV("030006", "3:6"),
        ERROR_TLV("08ffff", "8:65535"),
        ERROR_TLV("303030", "000"),
        ERROR_TLV("30313233", "0123"),
        ERROR_TLV("03000601", "03000601"),
        ERROR_TLV("03", "03"),
        ERROR_TLV("0300060102030405", "0300060102030405"),
        ERROR_TLV("030006010203040506", "0300060102030405"),
        {"err_of_the_text_first", "id:7 stat:UNDELIV err:015", "7", 5, "030006", true, "7", SMPP_STATE_UNDELIVERABLE,
         "015"},
        MO("esm_class_flag_on_mo", "STOP"),
        MO("mo_empty", ""),
        MO("mo_with_a_state_word", "my number is UNKNOWN to you"),
        MO("mo_with_id_inside_a_word", "paid:7 avid:8"),
        MO("mo_id_without_value", "what is my id:"),
        MO("mo_nuls", "\0\0\0"),
};

static size_t text_length(const struct receipt_case *c)
{
	/* Cases with NULs: the literal's end is found behind them. */
	static const struct {
		const char *format;
		size_t n;
	} with_nul[] = {
	        {"nul_terminated_text", sizeof "id:7 stat:DELIVRD err:000 Text:DLVRD TO MOBILE\0" - 1},
	        {"nul_terminated_value", sizeof "id:7 err:000 stat:DELIVRD\0\0" - 1},
	        {"leading_nul", sizeof "\0id:7 stat:DELIVRD err:00" - 1},
	        {"mo_nuls", 3},
	};
	for (size_t i = 0; i < sizeof with_nul / sizeof with_nul[0]; i++)
		if (strcmp(c->format, with_nul[i].format) == 0)
			return with_nul[i].n;
	return strlen(c->text);
}

static uint8_t state_octet;
static uint8_t error_octets[16];

static void add_tlvs(struct smpp_pdu *pdu, const struct receipt_case *c)
{
	if (c->tlv_id)
		smpp_pdu_add_tlv(pdu, SMPP_TAG_receipted_message_id, view_of(c->tlv_id, strlen(c->tlv_id) + 1));
	state_octet = (uint8_t)c->tlv_state;
	if (c->tlv_state >= 0)
		smpp_pdu_add_tlv(pdu, SMPP_TAG_message_state, view_of(&state_octet, 1));
	if (c->error_tlv) {
		size_t n = strlen(c->error_tlv) / 2;
		assert_true(hex_decode(view_str(c->error_tlv), error_octets, n));
		smpp_pdu_add_tlv(pdu, SMPP_TAG_network_error_code, view_of(error_octets, n));
	}
}

static void check_receipt(const struct receipt_case *c, const char *how, const struct smpp_pdu *pdu)
{
	struct smpp_receipt r;
	bool receipt = smpp_receipt_parse(pdu, &r);
	if (receipt != c->receipt || r.state != c->state || !view_eq(r.id, view_str(c->id)) ||
	    strcmp(r.error, c->error))
		fail_msg("%s (%s): %d, id \"%.*s\", %s, err \"%s\"", c->format, how, receipt, (int)r.id.n,
		         (const char *)r.id.p, smpp_message_state_name(r.state), r.error);
	assert_false(r.intermediate);
}

/* Each format as deliver_sm, as data_sm, in message_payload, and in UCS-2. */
static void every_format_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct receipt_case *c = &cases[i];
		struct view text = view_of(c->text, text_length(c));
		uint8_t wide[1024];
		struct smpp_pdu pdu;
		for (size_t k = 0; k < text.n; k++) {
			wide[2 * k] = text.p[k] > 0x7f ? 4 : 0;
			wide[2 * k + 1] = text.p[k];
		}
		smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
		smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 0x04);
		smpp_pdu_set_text(&pdu, SMPP_F_short_message, text);
		add_tlvs(&pdu, c);
		check_receipt(c, "short_message", &pdu);
		smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_of(wide, 2 * text.n));
		smpp_pdu_set_number(&pdu, SMPP_F_data_coding, 8);
		if (strcmp(c->format, "err_not_printable"))
			check_receipt(c, "UCS-2", &pdu);
		smpp_pdu_init(&pdu, SMPP_data_sm, 1);
		smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 0xc4);
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_payload, text);
		add_tlvs(&pdu, c);
		check_receipt(c, "data_sm", &pdu);
	}
}

/* An ASCII receipt whose free text is UCS-2. */
static void wide_text_in_an_ascii_receipt(void **state)
{
	(void)state;
	struct smpp_pdu pdu;
	struct smpp_receipt r;
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 4);
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, 8);
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, VIEW("id:0489708364 stat:DELIVRD err:000 text:\x04\x1f\x04\x40"));
	assert_true(smpp_receipt_parse(&pdu, &r));
	assert_true(view_eq(r.id, VIEW("0489708364")));
	assert_int_equal(r.state, SMPP_STATE_DELIVERED);
}

struct flag_case {
	enum smpp_command command;
	uint32_t esm_class;
	bool receipt;
	bool intermediate;
};

static void only_flagged_pdus_are_receipts(void **state)
{
	(void)state;
	static const struct flag_case flags[] = {
	        {SMPP_deliver_sm, 0x00, false, false}, {SMPP_deliver_sm, 0x04, true, false},
	        {SMPP_deliver_sm, 0x08, false, false}, {SMPP_deliver_sm, 0x10, false, false},
	        {SMPP_deliver_sm, 0x18, false, false}, {SMPP_deliver_sm, 0x20, true, true},
	        {SMPP_deliver_sm, 0x24, false, false}, {SMPP_deliver_sm, 0x44, true, false},
	        {SMPP_deliver_sm, 0x07, true, false},  {SMPP_data_sm, 0x20, true, true},
	        {SMPP_submit_sm, 0x04, false, false},
	};
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		struct smpp_pdu pdu;
		struct smpp_receipt r;
		smpp_pdu_init(&pdu, flags[i].command, 1);
		smpp_pdu_set_number(&pdu, SMPP_F_esm_class, flags[i].esm_class);
		smpp_pdu_set_text(&pdu, SMPP_F_short_message, VIEW("id:1 stat:ENROUTE err:000"));
		assert_int_equal(smpp_receipt_parse(&pdu, &r), flags[i].receipt);
		assert_int_equal(r.intermediate, flags[i].intermediate);
	}
}

static void long_ids_are_no_ids(void **state)
{
	(void)state;
	char text[80] = "id:";
	struct smpp_pdu pdu;
	struct smpp_receipt r;
	memset(text + 3, 'a', 66);
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 4);
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_of(text, 3 + 65));
	assert_true(smpp_receipt_parse(&pdu, &r));
	assert_int_equal(r.id.n, 65);
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_of(text, 3 + 66));
	assert_false(smpp_receipt_parse(&pdu, &r));
}

static void only_some_states_are_final(void **state)
{
	(void)state;
	static const enum smpp_message_state open[] = {
	        SMPP_STATE_SCHEDULED,
	        SMPP_STATE_ENROUTE,
	        SMPP_STATE_ACCEPTED,
	        SMPP_STATE_NONE,
	};
	for (unsigned s = 0; s <= SMPP_STATE_NONE; s++) {
		bool expected = true;
		for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
			expected = expected && open[i] != s;
		assert_int_equal(smpp_message_state_final((enum smpp_message_state)s), expected);
	}
	assert_string_equal(smpp_message_state_name(SMPP_STATE_DELIVERED), "DELIVERED");
	assert_string_equal(smpp_message_state_name(SMPP_STATE_NONE), "NONE");
}

struct candidate_case {
	const char *id;
	const char *spellings[LIMIT_RECEIPT_CANDIDATES + 1];
};

#define ID64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct candidate_case candidate_cases[] = {
        {"0416342074", {"0416342074", "416342074", "18d0e03a", "18D0E03A", "17552384116"}},
        {"18d0e03a", {"18d0e03a", "18D0E03A", "416342074"}},
        {"0000436949", {"0000436949", "436949", "6aad5", "6AAD5", "4417865"}},
        {"6aad5", {"6aad5", "6AAD5", "436949"}},
        {"1891273321", {"1891273321", "70ba8a69", "70BA8A69", "105514480417"}},
        {"70BA8A69", {"70BA8A69", "70ba8a69", "1891273321"}},
        {"00B8BE19", {"00B8BE19", "00b8be19", "b8be19", "12107289"}},
        {"B8BE19", {"B8BE19", "b8be19", "12107289"}},
        {"0a1b", {"0a1b", "a1b", "0A1B", "2587"}},
        {"7", {"7"}},
        {"0", {"0"}},
        {"000", {"000", "0"}},
        {"-1568301278", {"-1568301278", "2726666018", "a2859f22", "A2859F22"}},
        {"-0", {"-0"}},
        {"-2147483649", {"-2147483649"}},
        {"12absa-adsasdas-gfgfdg", {"12absa-adsasdas-gfgfdg"}},
        {"3FA85F64-5717-4562-B3FC-2C963F66AFA6",
         {"3FA85F64-5717-4562-B3FC-2C963F66AFA6", "3fa85f64-5717-4562-b3fc-2c963f66afa6"}},
        {"rdwjwxns18", {"rdwjwxns18"}},
        {"0123G", {"0123G", "0123g"}},
        {"1479978899.393701", {"1479978899.393701"}},
        {"18446744073709551615", {"18446744073709551615", "ffffffffffffffff", "FFFFFFFFFFFFFFFF"}},
        {"18446744073709551616", {"18446744073709551616"}},
        {"ffffffffffffffff", {"ffffffffffffffff", "FFFFFFFFFFFFFFFF", "18446744073709551615"}},
        {"1ffffffffffffffff", {"1ffffffffffffffff", "1FFFFFFFFFFFFFFFF"}},
        {ID64,
         {ID64, "112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
          "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"}},
        {"", {NULL}},
};

static void candidates_are_the_known_spellings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof candidate_cases / sizeof candidate_cases[0]; i++) {
		const struct candidate_case *c = &candidate_cases[i];
		char to[LIMIT_RECEIPT_CANDIDATES][66];
		unsigned n = smpp_receipt_candidates(view_str(c->id), to);
		unsigned expected = 0;
		for (; c->spellings[expected]; expected++)
			if (expected >= n || strcmp(to[expected], c->spellings[expected]))
				fail_msg("%s: spelling %u is not %s but %s of %u", c->id, expected,
				         c->spellings[expected], expected < n ? to[expected] : "missing", n);
		assert_int_equal(n, expected);
	}
	char to[LIMIT_RECEIPT_CANDIDATES][66];
	assert_int_equal(smpp_receipt_candidates(VIEW(ID64 "xx"), to), 0);
	assert_int_equal(smpp_receipt_candidates(VIEW("a\0b"), to), 0);
	assert_int_equal(smpp_receipt_candidates(VIEW(ID64 "x"), to), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_format_is_read),           cmocka_unit_test(wide_text_in_an_ascii_receipt),
	        cmocka_unit_test(only_flagged_pdus_are_receipts), cmocka_unit_test(long_ids_are_no_ids),
	        cmocka_unit_test(only_some_states_are_final),     cmocka_unit_test(candidates_are_the_known_spellings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
