/* Which addresses a webhook may go to, and known vectors of the hashes and encodings. */
#include "net_address.h"
#include "net_crypto.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *in = (void *)&a;
	struct sockaddr_in6 *in6 = (void *)&a;
	a.ss_family = AF_INET;
	if (inet_pton(AF_INET, text, &in->sin_addr) != 1) {
		a.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	}
	return a;
}

static void test_private(void **state)
{
	static const struct {
		const char *text;
		bool private, loopback, unspecified;
	} rows[] = {
	        {"127.0.0.1", true, true, false},
	        {"127.255.255.255", true, true, false},
	        {"128.0.0.1", false, false, false},
	        {"10.0.0.1", true, false, false},
	        {"11.0.0.1", false, false, false},
	        {"172.15.255.255", false, false, false},
	        {"172.16.0.1", true, false, false},
	        {"172.31.255.255", true, false, false},
	        {"172.32.0.0", false, false, false},
	        {"192.168.1.1", true, false, false},
	        {"192.167.1.1", false, false, false},
	        {"169.254.169.254", true, false, false},
	        {"100.64.0.1", true, false, false},
	        {"100.128.0.1", false, false, false},
	        {"0.0.0.0", true, false, true},
	        {"0.1.2.3", true, false, true},
	        {"1.0.0.0", false, false, false},
	        {"224.0.0.1", true, false, false},
	        {"255.255.255.255", true, false, false},
	        {"198.18.0.1", true, false, false},
	        {"198.20.0.1", false, false, false},
	        {"192.0.0.8", true, false, false},
	        {"::1", true, true, false},
	        {"::", true, false, true},
	        {"::ffff:0.0.0.0", true, false, true},
	        {"::ffff:127.0.0.1", true, true, false},
	        {"::ffff:10.0.0.1", true, false, false},
	        {"::ffff:93.184.216.34", false, false, false},
	        {"fe80::1", true, false, false},
	        {"fc00::1", true, false, false},
	        {"ff02::1", true, false, false},
	        {"2606:2800:220:1::1", false, false, false},
	        {"64:ff9b::7f00:1", true, false, false},
	        {"2002:7f00:1::1", true, false, false},
	        {"2001::1", true, false, false},
	        {"2001:db8::1", true, false, false},
	        {"2001:4860::1", false, false, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sockaddr_storage a = address(rows[i].text);
		if (net_address_is_private((void *)&a) != rows[i].private ||
		    net_address_is_loopback((void *)&a) != rows[i].loopback ||
		    net_address_is_unspecified((void *)&a) != rows[i].unspecified)
			fail_msg("%s", rows[i].text);
	}
}

static void test_split(void **state)
{
	char host[64];
	int port;
	(void)state;
	assert_true(net_address_split("127.0.0.1:80", host, sizeof(host), &port) && port == 80);
	assert_true(net_address_split("[::1]:8443", host, sizeof(host), &port));
	assert_string_equal(host, "::1");
	assert_false(net_address_split("127.0.0.1", host, sizeof(host), &port));
	assert_false(net_address_split(":80", host, sizeof(host), &port));
	assert_false(net_address_split("a:65536", host, sizeof(host), &port));
	assert_false(net_address_split("a:-1", host, sizeof(host), &port));
}

static void test_vectors(void **state)
{
	uint8_t sum[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct buf b = BUF(200);
	(void)state;
	net_sha256(VIEW("abc"), sum); /* FIPS 180-4 */
	hex_encode(sum, sizeof(sum), hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	net_hmac_sha256(VIEW("Jefe"), VIEW("what do ya want for nothing?"), sum); /* RFC 4231 case 2 */
	hex_encode(sum, sizeof(sum), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	net_base64(VIEW("foob"), &b); /* RFC 4648 section 10 */
	assert_string_equal(buf_cstr(&b), "Zm9vYg==");
	buf_clear(&b);
	assert_true(net_base64_decode(VIEW("Zm9vYmE="), &b));
	assert_string_equal(buf_cstr(&b), "fooba");
	assert_false(net_base64_decode(VIEW("Zm9vYmE"), &b));
	assert_false(net_base64_decode(VIEW("Zm9v*mE="), &b));
	buf_free(&b);
}

static void test_allowed(void **state)
{
	static const struct {
		const char *list;
		const char *address;
		bool allowed;
	} rows[] = {
	        {"", "203.0.113.9", true},
	        {" ", "2001:db8::1", true},
	        {"192.0.2.0/24", "192.0.2.255", true},
	        {"192.0.2.0/24", "192.0.3.0", false},
	        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
	        {"192.0.2.0/24", "2001:db8::1", false},
	        {"192.0.2.1 2001:db8::/32", "2001:db8:1::9", true},
	        {"192.0.2.1 2001:db8::/32", "192.0.2.2", false},
	        {"nonsense", "192.0.2.2", false},
	        {"192.0.2.2 nonsense", "192.0.2.2", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sockaddr_storage a = address(rows[i].address);
		if (net_address_allowed((struct sockaddr *)&a, rows[i].list) != rows[i].allowed)
			fail_msg("%s in \"%s\"", rows[i].address, rows[i].list);
	}
	struct sockaddr_storage local = {.ss_family = AF_UNIX};
	assert_false(net_address_allowed((struct sockaddr *)&local, "192.0.2.0/24"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_private), cmocka_unit_test(test_allowed),
	                                   cmocka_unit_test(test_split), cmocka_unit_test(test_vectors)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
