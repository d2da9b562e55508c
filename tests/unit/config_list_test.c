/* The lists, the SMPP server's section, the words of choices and what must hold between them. */
#include "config_check.h"
#include "config_fixture.h"
#include "config_warn.h"

#include <stdio.h>

#define ACCEPT "carriers:\n  - name: a\n    connect: accept\n    system_id: s\n    password_hash_file: hash\n"
#define OUTBIND "carriers:\n  - name: a\n    connect: outbind\n    system_id: s\n"
#define LISTEN "smpp: {listen: 127.0.0.1:2775}\n"
#define OUTLISTEN "smpp: {outbind_listen: 127.0.0.1:2776}\n"

static const struct {
	const char *yaml;
	const char *errors;
} bad[] = {
        /* words */
        {DB CARRIER "    connect: dail\n",
         "c.yaml:7:14: carriers[0].connect: no such word (got dail; expected dial, accept "
         "or outbind; did you mean dial)\n"},
        {DB CARRIER "    interface_version: 3.5\n",
         "c.yaml:7:24: carriers[0].interface_version: no such word (got 3.5; expected 3.4, 3.3 or 5.0; did you mean "
         "3.4)\n"},
        {DB CARRIER "    alphabet: ''\n",
         "c.yaml:7:15: carriers[0].alphabet: no such word (expected gsm7, gsm7_packed, "
         "latin1 or ascii)\n"},
        {DB CARRIER "    alphabet:\n", "c.yaml:7:14: carriers[0].alphabet: has no value (expected gsm7, gsm7_packed, "
                                       "latin1 or ascii)\n"},
        {DB CARRIER "    bind: relative\n", "c.yaml:7:11: carriers[0].bind: no such word (got relative; expected "
                                            "transceiver, pair, transmitter or receiver)\n"},
        /* lists */
        {DB "routes: {}\n", "c.yaml:3:9: routes: wrong kind of value (got a mapping; expected a list)\n"},
        {DB "routes:\n  - x\n",
         "c.yaml:4:5: routes[0]: wrong kind of value (got a single value; expected a mapping)\n"},
        {DB "routes:\n  - {}\n", "c.yaml:4:5: routes[0].carrier: missing (expected text)\n"},
        {DB "senders:\n  - {number: +12125550100}\n  - {nmber: +12125550101}\n",
         "c.yaml:5:6: senders[1].nmber: unknown key (did you mean number)\n"
         "c.yaml:5:5: senders[1].number: missing (expected text)\n"},
        {DB "brands:\n  - {name: a}\n  - {name: b, daily: -1}\n",
         "c.yaml:5:22: brands[1].daily: not a whole number (got -1; expected a whole number from 0 to 100000000)\n"},
        {DB "route: []\n", "c.yaml:3:1: route: unknown key (did you mean routes)\n"},
        {DB "routes: []\nroutes: []\n", "c.yaml:4:1: routes: given twice\n"},
        /* routes */
        {DB CARRIER "routes:\n  - {carrier: b}\n",
         "c.yaml:8:15: routes[0].carrier: there is no such carrier (expected the name of one)\n"},
        {DB CARRIER "routes:\n  - {carrier: a, tier: 0, weight: 1001}\n",
         "c.yaml:8:24: routes[0].tier: out of range (got 0; expected a whole number from 1 to 9)\n"
         "c.yaml:8:35: routes[0].weight: out of range (got 1001; expected a whole number from 1 to 1000)\n"},
        {DB CARRIER "routes:\n  - {carrier: a, sender: elm, prefix: 1212, category: ads}\n",
         "c.yaml:8:26: routes[0].sender: not a number (expected one like +12125550100, or a short code)\n"
         "c.yaml:8:39: routes[0].prefix: not a prefix (expected one like +1212)\n"
         "c.yaml:8:55: routes[0].category: there is no such category (expected one like appointment_reminder)\n"},
        {DB CARRIER
         "routes:\n  - {carrier: a, tier: 1}\n  - {carrier: a, sender: '24242'}\n  - {carrier: a, tier: 2}\n",
         "c.yaml:10:15: routes[2].carrier: another route says the same (expected one of them)\n"},
        /* senders and brands */
        {DB "senders:\n  - {number: +12125550100, brand: b}\n",
         "c.yaml:4:35: senders[0].brand: there is no such brand (expected the name of one)\n"},
        {DB "senders:\n  - {number: '12'}\n  - {number: +1212555010a}\n",
         "c.yaml:4:14: senders[0].number: not a number (expected one like +12125550100, or a short code)\n"
         "c.yaml:5:14: senders[1].number: not a number (expected one like +12125550100, or a short code)\n"},
        {DB "senders:\n  - {number: +12125550100}\n  - {number: +12125550100}\n",
         "c.yaml:5:14: senders[1].number: another sender has this number (expected each number once)\n"},
        {DB "senders:\n  - {number: '24242', rate: 100001, reset_zone: ../passwd}\n",
         "c.yaml:4:29: senders[0].rate: out of range (got 100001; expected a number from 0 to 100000)\n"},
        {DB "senders:\n  - {number: '24242', reset_zone: ../passwd}\nbrands:\n  - {name: a, reset_zone: America/}\n",
         "c.yaml:4:35: senders[0].reset_zone: not a time zone (expected a name like America/Los_Angeles)\n"
         "c.yaml:6:27: brands[0].reset_zone: not a time zone (expected a name like America/Los_Angeles)\n"},
        {DB "brands:\n  - {name: a}\n  - {name: a}\n",
         "c.yaml:5:12: brands[1].name: another brand has this name (expected a name of its own)\n"},
        /* listeners */
        {DB "smpp: {listen: 2775}\n",
         "c.yaml:3:16: smpp.listen: not an address and port (expected one like 127.0.0.1:2775 or [::1]:2775)\n"},
        {DB "smpp: {listen: 0.0.0.0:2775}\n",
         "c.yaml:3:16: smpp.listen: plain SMPP off loopback (expected certificate and "
         "key, a loopback address, or plain_without_tls: true)\n"},
        {DB "smpp: {outbind_listen: 0.0.0.0:2775}\n",
         "c.yaml:3:24: smpp.outbind_listen: plain SMPP off loopback (expected certificate and key, a loopback address, "
         "or plain_without_tls: true)\n"},
        {DB "smpp: {listen: 127.0.0.1:2775, outbind_listen: 127.0.0.1:2775}\n",
         "c.yaml:3:48: smpp.outbind_listen: the same as listen (expected an address of its own)\n"},
        {DB "smpp: {certificate: c}\n",
         "c.yaml:3:21: smpp.certificate: given without key (expected both or neither)\n"},
        {DB "smpp: {key: c}\n", "c.yaml:3:13: smpp.key: given without certificate (expected both or neither)\n"},
        {DB "smpp: {client_ca: c}\n",
         "c.yaml:3:19: smpp.client_ca: given without certificate (expected a certificate and "
         "key of our own too)\n"},
        {DB "smpp: {certificate: c, key: k, plain_without_tls: true}\n",
         "c.yaml:3:51: smpp.plain_without_tls: true beside a certificate (expected one of the two)\n"},
        {DB "smpp: {connections: 4097}\n",
         "c.yaml:3:21: smpp.connections: out of range (got 4097; expected a whole number from 1 to 4096)\n"},
        {DB "clock: {rate: 2}\nsmpp: {listen: 192.0.2.1:1, plain_without_tls: true}\n",
         "c.yaml:3:15: clock.rate: the clock is moved with a carrier off loopback (expected every carrier and SMPP "
         "listener on loopback, or the real clock)\n"},
        {DB "clock: {rate: 2}\nsmpp: {outbind_listen: 192.0.2.1:1, plain_without_tls: true}\n",
         "c.yaml:3:15: clock.rate: the clock is moved with a carrier off loopback (expected every carrier and SMPP "
         "listener on loopback, or the real clock)\n"},
        /* how a carrier connects */
        {DB "carriers: [{name: a, system_id: s}]\n",
         "c.yaml:3:12: carriers[0].host: missing (expected a host to dial, or connect: accept or outbind)\n"},
        {DB ACCEPT, "c.yaml:5:14: carriers[0].connect: there is no smpp.listen to connect to (expected smpp.listen, or "
                    "connect: dial)\n"},
        {DB OUTBIND, "c.yaml:5:14: carriers[0].connect: there is no smpp.outbind_listen to connect to (expected "
                     "smpp.outbind_listen, or connect: dial)\n"},
        {DB LISTEN "carriers: [{name: a, connect: accept, system_id: s}]\n",
         "c.yaml:4:12: carriers[0].password_hash_file: missing (expected a file with a line of `smsbridge "
         "password`)\n"},
        {DB LISTEN ACCEPT "  - {name: b, connect: accept, system_id: s, password_hash_file: hash}\n",
         "c.yaml:9:43: carriers[1].system_id: another carrier binds to us with it (expected a system_id of its own)\n"},
        {DB LISTEN ACCEPT "    peer_name: smsc.example\n",
         "c.yaml:9:16: carriers[0].peer_name: no client certificate is asked for (expected smpp.client_ca)\n"},
        {DB CARRIER "    peer_name: smsc.example\n",
         "c.yaml:7:16: carriers[0].peer_name: given with connect: dial (expected tls_server_name, which is the name to "
         "look for in the certificate of a host that we dial)\n"},
        {DB "smpp: {outbind_listen: 192.0.2.1:1, plain_without_tls: true}\n" OUTBIND,
         "c.yaml:6:14: carriers[0].connect: anybody who sends outbind would be told our password (expected "
         "password_hash_file, addresses or peer_name)\n"},
        {DB OUTLISTEN OUTBIND "    bind: pair\n",
         "c.yaml:8:11: carriers[0].bind: a pair needs two connections, an outbind "
         "gives one (expected transceiver, transmitter or receiver)\n"},
        {DB OUTLISTEN OUTBIND
         "    outbind_system_id: x\n  - {name: b, connect: outbind, system_id: s, outbind_system_id: "
         "x}\n",
         "c.yaml:9:66: carriers[1].outbind_system_id: another carrier's outbind bears it (expected one of its own)\n"},
        {DB CARRIER "    tls_certificate: c\n    tls: false\n",
         "c.yaml:7:22: carriers[0].tls_certificate: given with tls: false (expected tls: true)\n"
         "c.yaml:7:22: carriers[0].tls_certificate: given without tls_key (expected both or neither)\n"},
        {DB CARRIER "    tls_key: c\n",
         "c.yaml:7:14: carriers[0].tls_key: given without tls_certificate (expected both or neither)\n"},
        /* what it does not have */
        {DB CARRIER "    interface_version: 3.3\n    bind: pair\n    submit_with: data_sm\n    long_messages: sar\n"
                    "    user_message_reference: true\n    tlvs: 0x1400=u8:1\n",
         "c.yaml:9:18: carriers[0].submit_with: SMPP 3.3 has none of it (expected interface_version: 3.4, or leave it "
         "out)\n"
         "c.yaml:10:20: carriers[0].long_messages: SMPP 3.3 has none of it (expected interface_version: 3.4, or leave "
         "it "
         "out)\n"
         "c.yaml:11:29: carriers[0].user_message_reference: SMPP 3.3 has none of it (expected interface_version: 3.4, "
         "or "
         "leave it out)\n"
         "c.yaml:12:11: carriers[0].tlvs: SMPP 3.3 has none of it (expected interface_version: 3.4, or leave it "
         "out)\n"},
        /* texts that are parsed */
        {DB CARRIER "    tlvs: 0x1400=text:a 0x1401=u8:256\n",
         "c.yaml:7:11: carriers[0].tlvs: at octet 25: not a whole number that fits (expected TLVs like "
         "0x1400=text:VALUE)\n"},
        {DB CARRIER "    addresses: 192.0.2.1 192.0.2.1/24\n",
         "c.yaml:7:16: carriers[0].addresses: at octet 11: not an address or prefix (expected ones like 192.0.2.7, "
         "192.0.2.0/24 or 2001:db8::/32, at most 64)\n"},
        {DB CARRIER "    password_hash_file: x\n",
         "c.yaml:7:25: carriers[0].password_hash_file: the file holds no hash of a password (expected a line of "
         "`smsbridge password`)\n"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_errors errors;
		struct config *c = parse(bad[i].yaml, &errors);
		if (c || strcmp(buf_cstr(&errors.text), bad[i].errors) != 0)
			fail_msg("case %zu:\n%s\ngives\n%snot\n%s", i, bad[i].yaml, buf_cstr(&errors.text),
			         bad[i].errors);
		assert_null(strstr(buf_cstr(&errors.text), "hunter2"));
		buf_free(&errors.text);
	}
}

static void test_values(void **state)
{
	struct config *c = parse_good(
	        DB "smpp:\n  listen: 127.0.0.1:2775\n  outbind_listen: '[::1]:2776'\n  certificate: c\n  key: k\n"
	           "  client_ca: ca\n  connections: 4096\n" ACCEPT
	           "    links: 16\n    peer_name: smsc.example\n    addresses: 192.0.2.0/24 2001:db8::1\n"
	           "  - {name: b, connect: outbind, system_id: t, outbind_system_id: o, bind: receiver}\n"
	           "  - {name: d, host: smsc.example, system_id: u, interface_version: 5.0, submit_with: data_sm,\n"
	           "     alphabet: gsm7_packed, long_messages: payload, validity: none, query: true, query_after: 7d,\n"
	           "     tlvs: '0x1400=text:CX12345', error_codes: twilio, congestion: false, tls_server_name: n}\n"
	           "routes:\n  - {carrier: a, prefix: +1212}\n"
	           "  - {carrier: d, sender: '24242', category: appointment_reminder, tier: 9, weight: 1000}\n"
	           "senders:\n  - {number: +12125550100, rate: 0.25, brand: elm}\n"
	           "  - {number: '24242', daily: 2000, reset_zone: America/New_York}\n"
	           "brands:\n  - {name: elm, daily: 10000}\n");
	(void)state;
	assert_int_equal(c->smpp.connections, 4096);
	assert_int_equal(c->carrier[0].connect, CONFIG_connect_accept);
	assert_string_equal(c->carrier[0].password_hash, HASH);
	assert_int_equal(c->carrier[1].bind, CONFIG_bind_receiver);
	assert_int_equal(c->carrier[2].interface_version, CONFIG_interface_version_v50);
	assert_string_equal(config_word_text(c->carrier[2].interface_version), "5.0");
	assert_int_equal(c->carrier[2].submit_with, CONFIG_submit_with_data_sm);
	assert_int_equal(c->carrier[2].alphabet, CONFIG_alphabet_gsm7_packed);
	assert_int_equal(c->carrier[2].long_messages, CONFIG_long_messages_payload);
	assert_int_equal(c->carrier[2].validity, CONFIG_validity_none);
	assert_int_equal(c->carrier[2].query_after, 604800000);
	assert_int_equal(c->carrier[2].error_codes, CONFIG_error_codes_twilio);
	assert_false(c->carrier[2].congestion);
	assert_int_equal(c->routes, 2);
	assert_string_equal(c->route[0].prefix, "+1212");
	assert_string_equal(c->route[0].sender, "");
	assert_int_equal(c->route[0].tier, 1);
	assert_string_equal(c->route[1].category, "appointment_reminder");
	assert_int_equal(c->route[1].weight, 1000);
	assert_int_equal(c->senders, 2);
	assert_true(c->sender[0].rate > 0.2499 && c->sender[0].rate < 0.2501);
	assert_string_equal(c->sender[0].reset_zone, "America/Los_Angeles");
	assert_int_equal(c->sender[1].daily, 2000);
	assert_int_equal(c->brands, 1);
	assert_int_equal(c->brand[0].daily, 10000);
	config_free(c);
}

static void test_defaults(void **state)
{
	struct config *c = parse_good(DB CARRIER "routes:\nsenders: ~\nbrands: []\n");
	const struct config_carrier *one = &c->carrier[0];
	(void)state;
	assert_string_equal(c->smpp.listen, "");
	assert_int_equal(c->smpp.connections, 256);
	assert_int_equal(one->connect, CONFIG_connect_dial);
	assert_int_equal(one->bind, CONFIG_bind_transceiver);
	assert_int_equal(one->interface_version, CONFIG_interface_version_v34);
	assert_int_equal(one->submit_with, CONFIG_submit_with_submit_sm);
	assert_int_equal(one->alphabet, CONFIG_alphabet_gsm7);
	assert_int_equal(one->long_messages, CONFIG_long_messages_udh8);
	assert_int_equal(one->validity, CONFIG_validity_relative);
	assert_int_equal(one->error_codes, CONFIG_error_codes_none);
	assert_int_equal(one->query_after, 3600000);
	assert_true(one->congestion);
	assert_false(one->query || one->cancel || one->replace || one->submit_multi || one->receipts_unflagged);
	assert_int_equal(c->routes + c->senders + c->brands, 0);
	assert_true(config_all_loopback(c));
	config_free(c);
}

/* Each list is full at its ceiling and told past it. */
static void test_ceilings(void **state)
{
	static const struct {
		const char *key;
		const char *item; /* with the number */
		unsigned most;
	} lists[] = {
	        {"routes", "  - {carrier: a, prefix: +1%u}\n", LIMIT_ROUTES},
	        {"senders", "  - {number: '%u'}\n", LIMIT_SENDERS},
	        {"brands", "  - {name: b%u}\n", LIMIT_BRANDS},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (unsigned over = 0; over < 2; over++) {
			struct buf yaml = BUF(1 << 20);
			struct buf told = BUF(200);
			struct config_errors errors;
			buf_printf(&yaml, DB CARRIER "%s:\n", lists[i].key);
			for (unsigned n = 0; n < lists[i].most + over; n++) {
				char item[80];
				(void)snprintf(item, sizeof(item), "%u", 1000 + n);
				const char *mark = strstr(lists[i].item, "%u");
				buf_add(&yaml, lists[i].item, (size_t)(mark - lists[i].item));
				buf_printf(&yaml, "%s%s", item, mark + 2);
			}
			buf_printf(&told, "c.yaml:%u:5: %s: too many (expected at most %u)\n", 8 + lists[i].most,
			           lists[i].key, lists[i].most);
			struct config *c = parse(buf_cstr(&yaml), &errors);
			assert_string_equal(buf_cstr(&errors.text), over ? buf_cstr(&told) : "");
			assert_true((c != NULL) == (over == 0));
			config_free(c);
			buf_free(&errors.text);
			buf_free(&yaml);
			buf_free(&told);
		}
	}
}

static const char before[] =
        DB CARRIER "    rate: 5\n    tls_ca: one\n  - {name: b, host: localhost, system_id: t}\n"
                   "routes:\n  - {carrier: a, prefix: +1212}\n  - {carrier: b}\n"
                   "senders:\n  - {number: '24242', rate: 1.5, brand: elm}\nbrands:\n  - {name: elm, daily: 5}\n";
static const char after[] =
        DB "carriers:\n  - {name: b, host: localhost, system_id: t, rate: 7, tls_certificate: c, tls_key: k}\n"
           "  - {name: a, host: 127.0.0.1, system_id: s, tls_ca: two, window: 3}\n"
           "routes:\n  - {carrier: b, weight: 9}\n"
           "senders:\n  - {number: '24243'}\n  - {number: '24242', rate: 2}\n  - {number: '24244', daily: 3}\n";

static void test_adopt(void **state)
{
	struct config *c = parse_good(before);
	struct config *fresh = parse_good(after);
	const char *name = c->route[1].carrier;
	(void)state;
	config_adopt(c, fresh);
	assert_int_equal(c->carriers, 2);
	assert_string_equal(c->carrier[0].name, "a");
	assert_string_equal(c->carrier[0].tls_ca, "two");
	assert_int_equal(c->carrier[0].rate, 0);
	assert_int_equal(c->carrier[0].window, 10);
	assert_int_equal(c->carrier[1].rate, 7);
	assert_string_equal(c->carrier[1].tls_certificate, "c");
	assert_int_equal(c->routes, 1);
	assert_string_equal(c->route[0].carrier, "b");
	assert_string_equal(c->route[0].prefix, "");
	assert_int_equal(c->route[0].weight, 9);
	assert_int_equal(c->senders, 3);
	assert_string_equal(c->sender[0].number, "24243");
	assert_string_equal(c->sender[0].brand, "");
	assert_true(c->sender[1].rate > 1.99);
	assert_int_equal(c->sender[2].daily, 3);
	assert_int_equal(c->brands, 0);
	assert_string_equal(name, "b"); /* texts that were in use stay */
	config_free(c);
}

/* A reload that changes nothing takes no memory: its texts are those that there were. */
static void test_adopt_the_same(void **state)
{
	struct config *c = parse_good(before);
	const char *number = c->sender[0].number;
	const char *ca = c->carrier[0].tls_ca;
	(void)state;
	config_adopt(c, parse_good(before));
	assert_ptr_equal(c->sender[0].number, number);
	assert_ptr_equal(c->carrier[0].tls_ca, ca);
	assert_int_equal(c->routes, 2);
	assert_int_equal(c->brand[0].daily, 5);
	config_free(c);
}

static void test_restart(void **state)
{
	struct config *c = parse_good(before);
	struct config *fresh = parse_good(after);
	struct buf needed = BUF(1000);
	(void)state;
	config_restart_needed(c, fresh, &needed);
	assert_string_equal(buf_cstr(&needed),
	                    "carriers[0].name\ncarriers[1].name\ncarriers[0].host\ncarriers[1].host\n"
	                    "carriers[0].system_id\ncarriers[1].system_id\ncarriers[1].window\n");
	config_free(c);
	config_free(fresh);
	buf_free(&needed);
}

static void warning_cb(void *ctx, const struct config_warning *w)
{
	buf_printf(ctx, "%s %s%s%s|", w->event, w->carrier, w->listen, w->field);
}

#define KEY "ledger: {key_file: k}\n"

static const struct {
	const char *yaml;
	const char *warnings;
} warned[] = {
        {DB CARRIER KEY, ""},
        {DB CARRIER, "seals_unsigned key_file|"},
        {DB KEY "http: {listen: 0.0.0.0:80, plain_without_tls: true}\n", "plain_http 0.0.0.0:80|"},
        {DB KEY "http: {listen: 127.0.0.1:80, plain_without_tls: true}\n", ""},
        {DB KEY "carriers: [{name: a, host: smsc.example, system_id: s, tls: false, plain_without_tls: true}]\n",
         "plain_smpp a|"},
        {DB KEY CARRIER "    tls: false\n", ""},
        {DB KEY LISTEN, "listener_unused 127.0.0.1:2775|"},
        {DB KEY LISTEN ACCEPT, ""},
        {DB KEY "smpp: {listen: 192.0.2.1:1, plain_without_tls: true}\n" ACCEPT,
         "plain_smpp 192.0.2.1:1|any_address a192.0.2.1:1|"},
        {DB KEY "smpp: {listen: 192.0.2.1:1, certificate: c, key: k}\n" ACCEPT "    addresses: 192.0.2.9\n", ""},
        {DB KEY "smpp: {listen: 192.0.2.1:1, certificate: c, key: k, client_ca: a}\n" ACCEPT "    peer_name: smsc\n",
         ""},
        {DB KEY CARRIER "    bind: transmitter\n", "transmitter_only a|"},
        {DB KEY CARRIER "    interface_version: 3.3\n", "no_transceiver a|"},
        {DB KEY CARRIER "    interface_version: 3.3\n    bind: pair\n", ""},
};

static void test_warnings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
		struct config *c = parse_good(warned[i].yaml);
		struct buf told = BUF(1000);
		config_warn(c, warning_cb, &told);
		if (strcmp(buf_cstr(&told), warned[i].warnings) != 0)
			fail_msg("%s\ngives %s\nnot %s", warned[i].yaml, buf_cstr(&told), warned[i].warnings);
		buf_free(&told);
		config_free(c);
	}
}

/* A transmitter beside a carrier that hears is another matter than one that stands alone. */
static void sentence_cb(void *ctx, const struct config_warning *w)
{
	*(const char **)ctx = w->sentence;
}

static void test_transmitter_beside(void **state)
{
	struct config *alone = parse_good(DB CARRIER "    bind: transmitter\n");
	struct config *beside =
	        parse_good(DB CARRIER "    bind: transmitter\n  - {name: b, host: localhost, system_id: s}\n");
	const char *sentence = "";
	(void)state;
	config_warn(alone, sentence_cb, &sentence);
	assert_non_null(strstr(sentence, "no carrier brings them"));
	config_warn(beside, sentence_cb, &sentence);
	assert_non_null(strstr(sentence, "another must bring them"));
	config_free(alone);
	config_free(beside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_defaults),
	        cmocka_unit_test(test_ceilings),
	        cmocka_unit_test(test_adopt),
	        cmocka_unit_test(test_adopt_the_same),
	        cmocka_unit_test(test_restart),
	        cmocka_unit_test(test_warnings),
	        cmocka_unit_test(test_transmitter_beside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
