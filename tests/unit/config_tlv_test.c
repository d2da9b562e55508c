/* Vendor TLVs as the configuration writes them. */
#include "config_tlv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *text;
	const char *shown; /* tag:hex, or the octet counted from 0 and the problem */
} cases[] = {
        {"", ""},
        {"  ", ""},
        {"0x1400=text:A", "1400:41 "},
        {"0X14ff=text:", "14ff: "},
        {"5120=text:a=b:c", "1400:613d623a63 "},
        {"0x1400=cstring:A", "1400:4100 "},
        {"0x1400=cstring:", "1400:00 "},
        {"0x1400=hex:00fFa0", "1400:00ffa0 "},
        {"0x1400=hex:", "1400: "},
        {"0x1400=u8:255", "1400:ff "},
        {"0x1400=u16:258", "1400:0102 "},
        {"0x1400=u32:4294967295", "1400:ffffffff "},
        {" 0x1400=u8:1  65535=u8:2 ", "1400:01 ffff:02 "},
        {"0x1400", "6 neither text:, cstring:, hex:, u8:, u16: nor u32:"},
        {"0x1400=", "7 neither text:, cstring:, hex:, u8:, u16: nor u32:"},
        {"0x1400=text", "7 neither text:, cstring:, hex:, u8:, u16: nor u32:"},
        {"0x1400=TEXT:a", "7 neither text:, cstring:, hex:, u8:, u16: nor u32:"},
        {"0x1400=u8:1 =u8:1", "12 not a tag like 0x1400 or 5120"},
        {"0x140=u8:1", "0 not a tag like 0x1400 or 5120"},
        {"0x14000=u8:1", "0 not a tag like 0x1400 or 5120"},
        {"65536=u8:1", "0 not a tag like 0x1400 or 5120"},
        {"0=u8:1", "0 not a tag like 0x1400 or 5120"},
        {"0x0000=u8:1", "0 not a tag like 0x1400 or 5120"},
        {"-1=u8:1", "0 not a tag like 0x1400 or 5120"},
        {"0x0424=text:a", "0 a tag that the gateway sets itself"},
        {"524=u8:1", "0 a tag that the gateway sets itself"},
        {"0x1400=u8:1 5120=u8:2", "12 a tag given twice"},
        {"0x1400=u8:256", "10 not a whole number that fits"},
        {"0x1400=u16:65536", "11 not a whole number that fits"},
        {"0x1400=u32:4294967296", "11 not a whole number that fits"},
        {"0x1400=u8:", "10 not a whole number that fits"},
        {"0x1400=u8:0x1", "10 not a whole number that fits"},
        {"0x1400=hex:0", "11 not pairs of hexadecimal digits"},
        {"0x1400=hex:0g", "11 not pairs of hexadecimal digits"},
};

static void show(const struct config_tlvs *t, struct buf *to)
{
	for (unsigned i = 0; i < t->count; i++) {
		char hex[2 * LIMIT_CARRIER_TLV_BYTES + 1];
		hex_encode(t->row[i].value.p, t->row[i].value.n, hex);
		buf_printf(to, "%04x:%s ", (unsigned)t->row[i].tag, hex);
	}
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_tlvs tlvs;
		struct buf shown = BUF(4000);
		size_t at = 0;
		const char *problem = config_tlvs_parse(view_str(cases[i].text), &tlvs, &at);
		if (problem)
			buf_printf(&shown, "%zu %s", at, problem);
		else
			show(&tlvs, &shown);
		if (strcmp(buf_cstr(&shown), cases[i].shown) != 0)
			fail_msg("%s gives %s, not %s", cases[i].text, buf_cstr(&shown), cases[i].shown);
		buf_free(&shown);
	}
}

static void test_ceiling_of_rows(void **state)
{
	(void)state;
	for (unsigned n = LIMIT_CARRIER_TLVS; n <= LIMIT_CARRIER_TLVS + 1; n++) {
		struct config_tlvs tlvs;
		struct buf text = BUF(4000);
		size_t at = 0;
		for (unsigned i = 0; i < n; i++)
			buf_printf(&text, "%u=u8:1 ", 5000 + i);
		const char *problem = config_tlvs_parse(buf_view(&text), &tlvs, &at);
		if (n == LIMIT_CARRIER_TLVS) {
			assert_null(problem);
			assert_int_equal(tlvs.count, LIMIT_CARRIER_TLVS);
		} else {
			assert_string_equal(problem, "too many TLVs");
			assert_int_equal(at, LIMIT_CARRIER_TLVS * 10);
		}
		buf_free(&text);
	}
}

static void test_ceiling_of_octets(void **state)
{
	static const char *const kinds[] = {"text:", "hex:"};
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		for (unsigned k = 0; k < 2; k++) {
			struct config_tlvs tlvs;
			struct buf text = BUF(4000);
			size_t at = 0;
			buf_printf(&text, "0x1400=%s", kinds[k]);
			for (unsigned i = 0; i < (LIMIT_CARRIER_TLV_BYTES + over) * (k + 1); i++)
				buf_add_u8(&text, '1');
			const char *problem = config_tlvs_parse(buf_view(&text), &tlvs, &at);
			if (over)
				assert_string_equal(problem, "the values are too long together");
			else
				assert_int_equal(tlvs.row[0].value.n, LIMIT_CARRIER_TLV_BYTES);
			buf_free(&text);
		}
	}
	struct config_tlvs tlvs;
	struct buf text = BUF(4000);
	size_t at = 0;
	buf_add_str(&text, "0x1400=text:");
	for (unsigned i = 0; i < LIMIT_CARRIER_TLV_BYTES; i++)
		buf_add_u8(&text, '1');
	buf_add_str(&text, " 0x1401=u8:1");
	assert_string_equal(config_tlvs_parse(buf_view(&text), &tlvs, &at), "the values are too long together");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_cases),
	        cmocka_unit_test(test_ceiling_of_rows),
	        cmocka_unit_test(test_ceiling_of_octets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
