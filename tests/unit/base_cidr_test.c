/* Addresses and prefixes. */
#include "base_cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

static void octets_of(const char *address, uint8_t to[ADDRESS_BYTES])
{
	struct cidr one;
	if (!cidr_parse(view_str(address), &one))
		fail_msg("%s is no address", address);
	memcpy(to, one.address, ADDRESS_BYTES);
}

static const struct {
	const char *list;
	const char *address;
	bool has;
} cases[] = {
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"192.0.2.0/24", "192.0.2.0", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/24", "192.0.1.255", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.4/30", "192.0.2.7", true},
        {"192.0.2.4/30", "192.0.2.8", false},
        {"192.0.2.7/32", "192.0.2.7", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", true},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"192.0.2.9", "::ffff:192.0.2.9", true},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::2", false},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {" 192.0.2.1   192.0.2.3 ", "192.0.2.3", true},
        {"192.0.2.1 192.0.2.3", "192.0.2.2", false},
        {"", "192.0.2.2", false},
};

static void test_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cidr list[4];
		uint8_t address[ADDRESS_BYTES];
		size_t at;
		int n = cidr_list_parse(view_str(cases[i].list), list, 4, &at);
		assert_true(n >= 0);
		octets_of(cases[i].address, address);
		if (cidr_list_has(list, (unsigned)n, address) != cases[i].has)
			fail_msg("%s in %s", cases[i].address, cases[i].list);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
	        "x",
	        "192.0.2",
	        "192.0.2.256",
	        "192.0.2.1/33",
	        "192.0.2.1/",
	        "192.0.2.1/x",
	        "192.0.2.1/24",
	        "2001:db8::/129",
	        "2001:db8::1/64",
	        "192.0.2.01",
	        "::1%eth0",
	        "/24",
	        "192.0.2.0/ 24",
	        "192.0.2.0/-1",
	        "[::1]",
	        "192.0.2.1:2775",
	        "::ffff:192.0.2.1/24",
	        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cidr one;
		if (cidr_parse(view_str(bad[i]), &one))
			fail_msg("%s is taken", bad[i]);
	}
	struct cidr one;
	assert_false(cidr_parse((struct view){0}, &one));
	assert_false(cidr_parse(view_of("1\0.2.3.4", 8), &one));
}

static void test_place_of_the_fault(void **state)
{
	struct cidr list[2];
	size_t at = 99;
	(void)state;
	assert_int_equal(cidr_list_parse(VIEW("192.0.2.1  x"), list, 2, &at), -1);
	assert_int_equal(at, 11);
	assert_int_equal(cidr_list_parse(VIEW("192.0.2.1 192.0.2.2 192.0.2.3"), list, 2, &at), -1);
	assert_int_equal(at, 20);
	assert_int_equal(cidr_list_parse(VIEW("192.0.2.1 192.0.2.2 "), list, 2, &at), 2);
}

/* Every prefix length: the last bit inside and the first bit outside decide. */
static void test_every_length(void **state)
{
	(void)state;
	for (unsigned bits = 1; bits <= 128; bits++) {
		struct cidr c = {.bits = bits};
		uint8_t address[ADDRESS_BYTES] = {0};
		address[(bits - 1) / 8] = (uint8_t)(0x80 >> (bits - 1) % 8);
		assert_false(cidr_list_has(&c, 1, address));
		memset(address, 0, sizeof(address));
		if (bits < 128) {
			address[bits / 8] = (uint8_t)(0x80 >> bits % 8);
			assert_true(cidr_list_has(&c, 1, address));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_has),
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_place_of_the_fault),
	        cmocka_unit_test(test_every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
