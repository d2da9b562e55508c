/* What a URL that we post to may look like. */
#include "net_url.h"

#include "base_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct net_url_rules strict = {0};

struct row {
	const char *url;
	enum net_url_fault fault;
};

static void check_rows(const struct row *rows, size_t count, const struct net_url_rules *rules)
{
	for (size_t i = 0; i < count; i++) {
		enum net_url_fault fault = net_url_check(view_str(rows[i].url), rules);
		if (fault != rows[i].fault)
			fail_msg("%s: %d, not %d", rows[i].url, (int)fault, (int)rows[i].fault);
	}
}
#define CHECK(rows, rules) check_rows(rows, sizeof(rows) / sizeof(*(rows)), rules)

static void test_looks(void **state)
{
	static const struct row rows[] = {
	        {"https://clinic.example", NET_URL_OK},
	        {"HTTPS://Clinic.Example:8443/a/b?c=d&e", NET_URL_OK},
	        {"https://clinic.example?x", NET_URL_OK},
	        {"https://my_host.example/", NET_URL_OK},
	        {"https://3com.example/", NET_URL_OK},
	        {"https://[2606:4700::1111]/", NET_URL_OK},
	        {"https://[2606:4700::1111]:443/", NET_URL_OK},
	        {"https://8.8.8.8/", NET_URL_OK},
	        {"", NET_URL_SCHEME},
	        {"clinic.example", NET_URL_SCHEME},
	        {"//clinic.example", NET_URL_SCHEME},
	        {"https:/clinic.example", NET_URL_SCHEME},
	        {"ftp://clinic.example/", NET_URL_SCHEME},
	        {"file:///etc/passwd", NET_URL_SCHEME},
	        {"gopher://127.0.0.1:1/x", NET_URL_SCHEME},
	        {"http://clinic.example/", NET_URL_PLAIN},
	        {"https://", NET_URL_HOST},
	        {"https:///x", NET_URL_HOST},
	        {"https://:443/", NET_URL_HOST},
	        {"https://.example/", NET_URL_HOST},
	        {"https://a..example/", NET_URL_HOST},
	        {"https://clinic.example./", NET_URL_HOST},
	        {"https://clinic%2eexample/", NET_URL_HOST},
	        {"https://[::1/", NET_URL_HOST},
	        {"https://[]/", NET_URL_HOST},
	        {"https://[1.2.3.4]/", NET_URL_HOST},
	        {"https://[fe80::1%25eth0]/", NET_URL_HOST},
	        {"https://2130706433/", NET_URL_HOST},
	        {"https://0x7f000001/", NET_URL_HOST},
	        {"https://0x7f.1/", NET_URL_HOST},
	        {"https://127.1/", NET_URL_HOST},
	        {"https://0177.0.0.1/", NET_URL_HOST},
	        {"https://1.2.3.4.5/", NET_URL_HOST},
	        {"https://clinic.example:/", NET_URL_PORT},
	        {"https://clinic.example:0/", NET_URL_PORT},
	        {"https://clinic.example:65536/", NET_URL_PORT},
	        {"https://clinic.example:000443/", NET_URL_PORT},
	        {"https://clinic.example:-1/", NET_URL_PORT},
	        {"https://[2606:4700::1111]x/", NET_URL_PORT},
	        {"https://u@clinic.example/", NET_URL_USERINFO},
	        {"https://u:p@clinic.example/", NET_URL_USERINFO},
	        {"https://clinic.example:443@127.0.0.1/", NET_URL_USERINFO},
	        {"https://clinic.example/@x", NET_URL_OK},
	        {"https://clinic.example/#x", NET_URL_FRAGMENT},
	        {"https://clinic.example\\@127.0.0.1/", NET_URL_CHARACTER},
	        {"https://clinic.example/\r\nhost: x", NET_URL_CHARACTER},
	        {"https://clinic.example/ x", NET_URL_CHARACTER},
	        {"https://clinic.example/\t", NET_URL_CHARACTER},
	        {"https://clinic.example/\x7f", NET_URL_CHARACTER},
	        {"https://clini\xc3\xa7.example/", NET_URL_CHARACTER},
	};
	(void)state;
	CHECK(rows, &strict);
}

static void test_addresses(void **state)
{
	static const struct row rows[] = {
	        {"https://10.0.0.1/", NET_URL_PRIVATE},
	        {"https://172.16.0.1/", NET_URL_PRIVATE},
	        {"https://192.168.0.1/", NET_URL_PRIVATE},
	        {"https://169.254.169.254/", NET_URL_PRIVATE},
	        {"https://100.64.0.1/", NET_URL_PRIVATE},
	        {"https://0.0.0.0/", NET_URL_PRIVATE},
	        {"https://224.0.0.1/", NET_URL_PRIVATE},
	        {"https://255.255.255.255/", NET_URL_PRIVATE},
	        {"https://[::]/", NET_URL_PRIVATE},
	        {"https://[fd00::1]/", NET_URL_PRIVATE},
	        {"https://[fe80::1]/", NET_URL_PRIVATE},
	        {"https://[ff02::1]/", NET_URL_PRIVATE},
	        {"https://[::ffff:10.0.0.1]/", NET_URL_PRIVATE},
	        {"https://[::ffff:a9fe:a9fe]/", NET_URL_PRIVATE},
	        {"https://[64:ff9b::a00:1]/", NET_URL_PRIVATE},
	        {"https://[2002:a00:1::]/", NET_URL_PRIVATE},
	        {"https://127.0.0.1/", NET_URL_PRIVATE},
	        {"http://localhost:8080/", NET_URL_PRIVATE},
	        {"http://LOCALHOST/", NET_URL_PRIVATE},
	        {"https://[::1]/", NET_URL_PRIVATE},
	        {"https://[::ffff:127.0.0.1]/", NET_URL_PRIVATE},
	        {"http://localhost.example/", NET_URL_PLAIN},
	};
	static const struct row ours[] = {
	        {"https://127.0.0.1/", NET_URL_OK},
	        {"http://127.0.0.1:8080/", NET_URL_OK},
	        {"http://localhost:8080/", NET_URL_OK},
	        {"http://LOCALHOST/", NET_URL_OK},
	        {"http://[::1]/", NET_URL_OK},
	        {"http://[::ffff:127.0.0.1]/", NET_URL_OK},
	        {"http://u@127.0.0.1/", NET_URL_USERINFO},
	        {"https://10.0.0.1/", NET_URL_PRIVATE},
	        {"http://clinic.example/", NET_URL_PLAIN},
	};
	static const struct row allowed[] = {
	        {"http://clinic.example/", NET_URL_OK},   {"https://10.0.0.1/", NET_URL_OK},
	        {"http://u@10.0.0.1/", NET_URL_USERINFO}, {"http://127.0.0.1/", NET_URL_PRIVATE},
	        {"http://0.0.0.0/", NET_URL_PRIVATE},     {"https://[::]/", NET_URL_PRIVATE},
	};
	(void)state;
	CHECK(rows, &strict);
	CHECK(ours, &((struct net_url_rules){.loopback_ok = true}));
	CHECK(allowed, &((struct net_url_rules){.plain_ok = true, .private_ok = true}));
}

static void test_loopback(void **state)
{
	(void)state;
	assert_true(net_url_is_loopback(VIEW("http://localhost:1/x")));
	assert_true(net_url_is_loopback(VIEW("https://127.8.8.8/")));
	assert_true(net_url_is_loopback(VIEW("https://[::1]:1/")));
	assert_false(net_url_is_loopback(VIEW("https://clinic.example/localhost")));
	assert_false(net_url_is_loopback(VIEW("https://clinic.localhost/")));
	assert_false(net_url_is_loopback(VIEW("https://x@localhost/")));
	assert_false(net_url_is_loopback(VIEW("not a url")));
}

static void test_length(void **state)
{
	char url[LIMIT_WEBHOOK_URL_BYTES + 8] = "https://clinic.example/";
	(void)state;
	size_t n = strlen(url);
	memset(url + n, 'x', sizeof(url) - n);
	assert_int_equal(net_url_check(view_of(url, LIMIT_WEBHOOK_URL_BYTES), &strict), NET_URL_OK);
	assert_int_equal(net_url_check(view_of(url, LIMIT_WEBHOOK_URL_BYTES + 1), &strict), NET_URL_TOO_LONG);
	snprintf(url, sizeof(url), "https://%0300d.example/", 1);
	assert_int_equal(net_url_check(view_str(url), &strict), NET_URL_HOST);
	for (enum net_url_fault f = NET_URL_OK; f <= NET_URL_FRAGMENT; f++)
		assert_true(strlen(net_url_sentence(f)) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_looks), cmocka_unit_test(test_addresses),
	                                   cmocka_unit_test(test_loopback), cmocka_unit_test(test_length)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
