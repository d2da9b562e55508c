#include "base_suggest.h"
#include "config_check.h"
#include "config_fixture.h"
#include "config_host.h"
#include "config_suggest.h"

#include <stdio.h>

static const struct {
	const char *yaml;
	const char *errors;
} bad[] = {
        /* the YAML itself */
        {DB "http: [\n", "c.yaml:4:1: yaml: did not find expected node content while parsing a flow node\n"},
        {DB "http: {a: b\n", "c.yaml:4:1: yaml: did not find expected ',' or '}' while parsing a flow mapping\n"},
        {"a: b: c\n", "c.yaml:1:5: yaml: mapping values are not allowed in this context\n"},
        {"a:\n\t- b\n",
         "c.yaml:2:1: yaml: found character that cannot start any token while scanning for the next token\n"},
        {"node: \xff\n", "c.yaml:1:7: yaml: invalid leading UTF-8 octet\n"},
        {DB "---\nnode: b\n", "c.yaml:3:1: yaml: a second document begins (expected one document a file)\n"},
        {"[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]", "c.yaml:1:17: yaml: nested too deep\n"},
        {"- a\n", "c.yaml:1:1: yaml: wrong kind of value (got a list; expected a mapping)\n"},
        {"text\n", "c.yaml:1:1: yaml: wrong kind of value (got a single value; expected a mapping)\n"},
        {DB "node: &x n\n", "c.yaml:3:7: yaml: anchors are not taken\n"},
        {DB "node: &x info\nlog:\n  level: *x\n",
         "c.yaml:3:7: yaml: anchors are not taken\n"
         "c.yaml:5:10: yaml: aliases are not taken (expected the value itself)\n"},
        {DB "node: *x\n", "c.yaml:3:7: yaml: aliases are not taken (expected the value itself)\n"},
        {DB "node: !!str n\n", "c.yaml:3:7: yaml: tags are not taken (expected a plain value)\n"},
        {DB "node: !x n\n", "c.yaml:3:7: yaml: tags are not taken (expected a plain value)\n"},
        {DB "http: !!map {}\n", "c.yaml:3:7: yaml: tags are not taken (expected a plain value)\n"},
        {DB "carriers: !x []\n", "c.yaml:3:11: yaml: tags are not taken (expected a plain value)\n"},
        {DB "log:\n  <<: {level: off}\n", "c.yaml:4:3: log: merge keys are not taken\n"},
        {DB "<<: {}\n", "c.yaml:3:1: yaml: merge keys are not taken\n"},
        {DB "? [a]\n: b\n", "c.yaml:3:3: yaml: a key is not a plain name\n"},
        /* keys */
        {DB "http:\n  lissten: 127.0.0.1:1\n", "c.yaml:4:3: http.lissten: unknown key (did you mean listen)\n"},
        {DB "htpt:\n  listen: 127.0.0.1:1\n", "c.yaml:3:1: htpt: unknown key (did you mean http)\n"},
        {DB "carrier: []\n", "c.yaml:3:1: carrier: unknown key (did you mean carriers)\n"},
        {DB "nodes: n\n", "c.yaml:3:1: nodes: unknown key (did you mean node)\n"},
        {DB "zzz: n\n",
         "c.yaml:3:1: zzz: unknown key (expected one of node, database, http, smpp, webhook, policy, clock, log, "
         "ledger, listeners, carriers, routes, senders, brands)\n"},
        {DB "log:\n  zzz: n\n", "c.yaml:4:3: log.zzz: unknown key (expected one of level)\n"},
        {DB "log:\n  LEVEL: n\n", "c.yaml:4:3: log.LEVEL: unknown key (expected one of level)\n"},
        {DB CARRIER "    enquire-link: 5s\n",
         "c.yaml:7:5: carriers[0].enquire-link: unknown key (did you mean enquire_link)\n"},
        {DB CARRIER "    password: " SECRET "\n",
         "c.yaml:7:5: carriers[0].password: unknown key (did you mean password_file)\n"},
        {DB CARRIER "    pasword_file: " SECRET "\n",
         "c.yaml:7:5: carriers[0].pasword_file: unknown key (did you mean password_file)\n"},
        {DB "node: a\nnode: b\n", "c.yaml:4:1: node: given twice\n"},
        {DB DB, "c.yaml:3:1: database: given twice\n"},
        {DB CARRIER "carriers: []\n", "c.yaml:7:1: carriers: given twice\n"},
        {DB "log:\n  level: info\n  \"level\": info\n", "c.yaml:5:3: log.level: given twice\n"},
        {DB "carriers:\n  - host: 127.0.0.1\n    port: 1\n",
         "c.yaml:4:5: carriers[0].name: missing (expected text)\n"
         "c.yaml:4:5: carriers[0].system_id: missing (expected text)\n"},
        {DB "carriers:\n  - {}\n", "c.yaml:4:5: carriers[0].name: missing (expected text)\n"
                                   "c.yaml:4:5: carriers[0].system_id: missing (expected text)\n"},
        /* kinds */
        {DB "http: x\n", "c.yaml:3:7: http: wrong kind of value (got a single value; expected a mapping)\n"},
        {DB "http: [x]\n", "c.yaml:3:7: http: wrong kind of value (got a list; expected a mapping)\n"},
        {DB "carriers: x\n", "c.yaml:3:11: carriers: wrong kind of value (got a single value; expected a list)\n"},
        {DB "carriers: {}\n", "c.yaml:3:11: carriers: wrong kind of value (got a mapping; expected a list)\n"},
        {DB "carriers:\n  - x\n",
         "c.yaml:4:5: carriers[0]: wrong kind of value (got a single value; expected a mapping)\n"},
        {DB "carriers:\n  -\n",
         "c.yaml:4:4: carriers[0]: wrong kind of value (got a single value; expected a mapping)\n"},
        {DB "node: [a]\n", "c.yaml:3:7: node: wrong kind of value (got a list; expected text)\n"},
        {DB "node: {a: b}\n", "c.yaml:3:7: node: wrong kind of value (got a mapping; expected text)\n"},
        {DB "node:\n", "c.yaml:3:6: node: has no value (expected text)\n"},
        {DB "node: ~\n", "c.yaml:3:7: node: has no value (got ~; expected text)\n"},
        {DB "node: Null\n", "c.yaml:3:7: node: has no value (got Null; expected text)\n"},
        {DB "node: ''\n", "c.yaml:3:7: node: is empty (expected text)\n"},
        {DB "node: \"a\\0b\"\n", "c.yaml:3:7: node: has a control character (got a?b; expected text)\n"},
        {DB "node: \"\\e[2J0123456789012345678901234567890123456789\"\n",
         "c.yaml:3:7: node: has a control character (got ?[2J012345678901234567890123456789012345...; expected "
         "text)\n"},
        {DB "http:\n  plain_without_tls: yes\n",
         "c.yaml:4:22: http.plain_without_tls: not a boolean (got yes; expected true or false)\n"},
        {DB "http:\n  plain_without_tls: True\n",
         "c.yaml:4:22: http.plain_without_tls: not a boolean (got True; expected true or false)\n"},
        {DB "http:\n  plain_without_tls: 'true'\n",
         "c.yaml:4:22: http.plain_without_tls: is text in quotes (got true; expected true or false)\n"},
        {DB "http:\n  connections: 0\n",
         "c.yaml:4:16: http.connections: out of range (got 0; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: 2049\n",
         "c.yaml:4:16: http.connections: out of range (got 2049; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: 99999999999999999999\n",
         "c.yaml:4:16: http.connections: out of range "
         "(got 99999999999999999999; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: 0x10\n",
         "c.yaml:4:16: http.connections: not a whole number (got 0x10; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: 010\n",
         "c.yaml:4:16: http.connections: not a whole number (got 010; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: +1\n",
         "c.yaml:4:16: http.connections: not a whole number (got +1; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: -1\n",
         "c.yaml:4:16: http.connections: not a whole number (got -1; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: 1_0\n",
         "c.yaml:4:16: http.connections: not a whole number (got 1_0; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: 1.0\n",
         "c.yaml:4:16: http.connections: not a whole number (got 1.0; expected a whole number from 1 to 2048)\n"},
        {DB "http:\n  connections: \"5\"\n",
         "c.yaml:4:16: http.connections: is text in quotes (got 5; expected a whole number from 1 to 2048)\n"},
        {DB "webhook:\n  timeout: 99ms\n",
         "c.yaml:4:12: webhook.timeout: out of range (got 99ms; expected a duration from 100ms to 15s)\n"},
        {DB "webhook:\n  timeout: 15001ms\n",
         "c.yaml:4:12: webhook.timeout: out of range (got 15001ms; expected a duration from 100ms to 15s)\n"},
        {DB "webhook:\n  timeout: 9223372036854775807d\n",
         "c.yaml:4:12: webhook.timeout: out of range "
         "(got 9223372036854775807d; expected a duration from 100ms to 15s)\n"},
        {DB "webhook:\n  timeout: 10\n", "c.yaml:4:12: webhook.timeout: not a duration like 500ms, 10s, 5m, 1h or 2d "
                                         "(got 10; expected a duration from 100ms to 15s)\n"},
        {DB "webhook:\n  timeout: s\n", "c.yaml:4:12: webhook.timeout: not a duration like 500ms, 10s, 5m, 1h or 2d "
                                        "(got s; expected a duration from 100ms to 15s)\n"},
        {DB "webhook:\n  timeout: 1.5s\n", "c.yaml:4:12: webhook.timeout: not a duration like 500ms, 10s, 5m, 1h or 2d "
                                           "(got 1.5s; expected a duration from 100ms to 15s)\n"},
        {DB "webhook:\n  timeout: 5 s\n", "c.yaml:4:12: webhook.timeout: not a duration like 500ms, 10s, 5m, 1h or 2d "
                                          "(got 5 s; expected a duration from 100ms to 15s)\n"},
        {DB "clock:\n  rate: 0.0009\n",
         "c.yaml:4:9: clock.rate: out of range (got 0.0009; expected a number from 0.001 to 1000000)\n"},
        {DB "clock:\n  rate: 1e3\n",
         "c.yaml:4:9: clock.rate: not a decimal number (got 1e3; expected a number from 0.001 to 1000000)\n"},
        {DB "clock:\n  rate: .5\n",
         "c.yaml:4:9: clock.rate: not a decimal number (got .5; expected a number from 0.001 to 1000000)\n"},
        {DB "clock:\n  rate: 1.2.3\n",
         "c.yaml:4:9: clock.rate: not a decimal number (got 1.2.3; expected a number from 0.001 to 1000000)\n"},
        {DB "clock:\n  rate: .inf\n",
         "c.yaml:4:9: clock.rate: not a decimal number (got .inf; expected a number from 0.001 to 1000000)\n"},
        {DB "log:\n  level: Info\n",
         "c.yaml:4:10: log.level: no such word (got Info; expected debug, info, warning, error "
         "or off; did you mean info)\n"},
        {DB "log:\n  level: [off]\n", "c.yaml:4:10: log.level: wrong kind of value (got a list; expected debug, info, "
                                      "warning, error or off)\n"},
        {DB "clock:\n  start: 2026-03-02\n", "c.yaml:4:10: clock.start: not a time with an offset "
                                             "(got 2026-03-02; expected a time like 2026-03-02T21:30:00Z)\n"},
        /* secrets */
        {"database:\n  conninfo: [" SECRET "]\n",
         "c.yaml:2:13: database.conninfo: wrong kind of value (got a list; expected text)\n"},
        {"database:\n  conninfo: \"" SECRET "\\n\"\n",
         "c.yaml:2:13: database.conninfo: has a control character (expected text)\n"},
        {DB "  owner_conninfo: \"" SECRET "\\0\"\n",
         "c.yaml:3:19: database.owner_conninfo: has a control character (expected text)\n"},
        {"database:\n  conninfo:" SECRET "\n",
         "c.yaml:2:3: database: wrong kind of value (got a single value; expected a mapping)\n"},
        {"database: {conninfo:" SECRET "}\n", "c.yaml:1:12: database: a key is not a plain name\n"},
        {DB "aaaaaaaaaabbbbbbbbbbccccccccccddd: x\n", "c.yaml:3:1: yaml: a key is not a plain name\n"},
        {"database: {\"host=db password=" SECRET "\": x}\n", "c.yaml:1:12: database: a key is not a plain name\n"},
        {"database:\n  conninfo_secret_file: none\n",
         "c.yaml:2:25: database.conninfo_secret_file: No such file or directory (expected the path of a file)\n"},
        {"database:\n  conninfo_secret_file: empty\n",
         "c.yaml:2:25: database.conninfo_secret_file: the file is empty (expected the path of a file)\n"},
        {DB CARRIER "    password_file: nul\n",
         "c.yaml:7:20: carriers[0].password_file: the file holds no text (expected the path of a file)\n"},
        {DB CARRIER "    password_file: " SECRET "\n",
         "c.yaml:7:20: carriers[0].password_file: No such file or directory (expected the path of a file)\n"},
        /* between the keys */
        {"", "c.yaml:1:1: database.conninfo: missing (expected this or conninfo_secret_file)\n"},
        {"# nothing\n", "c.yaml:1:1: database.conninfo: missing (expected this or conninfo_secret_file)\n"},
        {"database:\n  conninfo: \"\"\n",
         "c.yaml:2:13: database.conninfo: missing (expected this or conninfo_secret_file)\n"},
        {DB "  conninfo_secret_file: f\n",
         "c.yaml:2:13: database.conninfo: given beside conninfo_secret_file (expected one of the two)\n"},
        {DB "http:\n  listen: 0.0.0.0:80\n",
         "c.yaml:4:11: http.listen: plain HTTP off loopback (expected certificate and "
         "key, a loopback address, or plain_without_tls: true)\n"},
        {DB "http:\n  certificate: c\n",
         "c.yaml:4:16: http.certificate: given without key (expected both or neither)\n"},
        {DB "http:\n  key: k\n", "c.yaml:4:8: http.key: given without certificate (expected both or neither)\n"},
        {DB "http:\n  listen: 127.0.0.1\n",
         "c.yaml:4:11: http.listen: not an address and port (expected one like 127.0.0.1:8443 or [::1]:8443)\n"},
        {DB "http:\n  listen: localhost:65536\n",
         "c.yaml:4:11: http.listen: not an address and port (expected one like 127.0.0.1:8443 or [::1]:8443)\n"
         "c.yaml:4:11: http.listen: plain HTTP off loopback (expected certificate and "
         "key, a loopback address, or plain_without_tls: true)\n"},
        {DB "webhook:\n  retry_base: 10s\n  retry_max: 9999ms\n",
         "c.yaml:4:15: webhook.retry_base: longer than retry_max (expected at most retry_max)\n"},
        {DB "carriers:\n  - name: a\n    host: smsc.example\n    system_id: s\n    tls: false\n",
         "c.yaml:7:10: carriers[0].tls: plain SMPP off loopback (expected tls: true, a loopback host, or "
         "plain_without_tls: true)\n"},
        {DB "carriers:\n  - name: a\n    host: ::1\n    system_id: s\n    system_type: 1234567890123\n",
         "c.yaml:7:18: carriers[0].system_type: too long for a bind (expected at most 12 octets)\n"},
        {DB "carriers:\n  - name: a\n    host: ::1\n    system_id: "
            "12345678901234567890123456789012345678901234567890123456789012345\n",
         "c.yaml:6:16: carriers[0].system_id: too long for a bind (expected at most 64 octets)\n"},
        {DB "http:\n  certificate: a\n  key: b\n  plain_without_tls: true\n",
         "c.yaml:6:22: http.plain_without_tls: true beside a certificate (expected one of the two)\n"},
        {DB CARRIER "  - name: b\n    host: ::1\n    system_id: s\n  - name: a\n    host: ::1\n    system_id: s\n",
         "c.yaml:10:11: carriers[2].name: another carrier has this name (expected a name of its own)\n"},
        {DB CARRIER "  - name: a\n    host: ::1\n    system_id: s\n",
         "c.yaml:7:11: carriers[1].name: another carrier has this name (expected a name of its own)\n"},
        {DB "clock:\n  rate: 60\n" CARRIER "  - name: b\n    host: smsc.example\n    system_id: s\n",
         "c.yaml:4:9: clock.rate: the clock is moved with a carrier off loopback (expected every carrier and SMPP "
         "listener on loopback, or "
         "the real clock)\n"},
        {DB "clock:\n  start: 2026-03-02T21:30:00Z\ncarriers: [{name: b, host: smsc.example, system_id: s}]\n",
         "c.yaml:4:10: clock.start: the clock is moved with a carrier off loopback (expected every carrier and SMPP "
         "listener on loopback, or "
         "the real clock)\n"},
        /* all in one pass */
        {"nod: x\nhttp:\n  listn: y\n  connections: 0\nwebhook: 3\ncarriers:\n  - name: a\n    port: 70000\n    tls: "
         "no\n",
         "c.yaml:1:1: nod: unknown key (did you mean node)\n"
         "c.yaml:3:3: http.listn: unknown key (did you mean listen)\n"
         "c.yaml:4:16: http.connections: out of range (got 0; expected a whole number from 1 to 2048)\n"
         "c.yaml:5:10: webhook: wrong kind of value (got a single value; expected a mapping)\n"
         "c.yaml:8:11: carriers[0].port: out of range (got 70000; expected a whole number from 1 to 65535)\n"
         "c.yaml:9:10: carriers[0].tls: not a boolean (got no; expected true or false)\n"
         "c.yaml:7:5: carriers[0].system_id: missing (expected text)\n"},
};

static unsigned lines(const char *text)
{
	unsigned n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_errors errors;
		struct config *c = parse(bad[i].yaml, &errors);
		if (c || strcmp(buf_cstr(&errors.text), bad[i].errors) != 0)
			fail_msg("case %zu:\n%s\ngives\n%snot\n%s", i, bad[i].yaml, buf_cstr(&errors.text),
			         bad[i].errors);
		assert_int_equal(errors.count, lines(bad[i].errors));
		assert_null(strstr(buf_cstr(&errors.text), "hunter2"));
		buf_free(&errors.text);
	}
}

/* Every row that holds a secret, with every wrong kind of value: the value never shows. */
static void test_secrets_never_echoed(void **state)
{
	static const char *const shape[] = {SECRET,          "\"" SECRET "\\n\"", "[" SECRET "]", "{" SECRET ": 1}",
	                                    "!" SECRET " a", "&" SECRET " a",     "*" SECRET,     "|\n      " SECRET,
	                                    "\"" SECRET,     "!!int " SECRET};
	unsigned secrets = 0;
	(void)state;
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		if (!config_row_secret(&config_rows[i]))
			continue;
		secrets++;
		for (size_t k = 0; k < sizeof(shape) / sizeof(shape[0]); k++) {
			struct buf yaml = BUF(1000);
			struct config_errors errors;
			bool carrier = config_section_is_list(config_rows[i].section);
			const char *section = config_section_name(config_rows[i].section);
			buf_printf(&yaml, "%s:\n  %s %s: %s\n", section, carrier ? "-" : " ", config_rows[i].key,
			           shape[k]);
			struct config *c = parse(buf_cstr(&yaml), &errors);
			assert_null(strstr(buf_cstr(&errors.text), "hunter2"));
			config_free(c);
			buf_free(&errors.text);
			buf_free(&yaml);
		}
	}
	assert_int_equal(secrets, 5);
}

static void test_defaults(void **state)
{
	struct config *c = parse_good(DB);
	(void)state;
	assert_string_equal(c->top.node, "gateway-1");
	assert_string_equal(c->database.conninfo, "host=db");
	assert_string_equal(c->database.conninfo_secret, "");
	assert_string_equal(c->http.listen, "127.0.0.1:8443");
	assert_false(c->http.plain_without_tls);
	assert_int_equal(c->http.connections, 1024);
	assert_int_equal(c->webhook.timeout, 15000);
	assert_int_equal(c->webhook.retry_max, 86400000);
	assert_int_equal(c->clock.start, 0);
	assert_true(c->clock.rate >= 1 && c->clock.rate <= 1);
	assert_int_equal(c->log.level, CONFIG_level_info);
	assert_int_equal(c->carriers, 0);
	assert_false(config_clock_moved(c));
	config_free(c);
	config_free(NULL);
}

static void test_values(void **state)
{
	struct config *c =
	        parse_good("---\nnode: 'node 7'\n"
	                   "database: {conninfo_secret_file: /run/conninfo}\n"
	                   "http:\n  listen: \"[::1]:0\"\n  connections: 2048\n  plain_without_tls: true\n"
	                   "webhook: {timeout: 100ms, retry_base: 1h, retry_max: 24h}\n"
	                   "policy:\n  unconfirmed_after: 30d\nclock:\n  rate: 0.001\n  start: 2026-03-02T21:30:00Z\n"
	                   "log:\n" CARRIER "    port: 65535\n    tls: false\n    password_file: /run/p\n"
	                   "  - name: b\n    host: ::1\n    system_id: t\n    bind_timeout: 5m\n");
	(void)state;
	assert_string_equal(c->top.node, "node 7");
	assert_string_equal(c->database.conninfo_secret, SECRET);
	assert_string_equal(c->http.listen, "[::1]:0");
	assert_int_equal(c->http.connections, 2048);
	assert_true(c->http.plain_without_tls);
	assert_int_equal(c->webhook.timeout, 100);
	assert_int_equal(c->webhook.retry_base, 3600000);
	assert_int_equal(c->webhook.retry_max, 86400000);
	assert_int_equal(c->policy.unconfirmed_after, 2592000000);
	assert_int_equal(c->clock.start, 1772487000000000);
	assert_true(c->clock.rate > 0.000999 && c->clock.rate < 0.001001);
	assert_true(config_clock_moved(c));
	assert_int_equal(c->carriers, 2);
	assert_int_equal(c->carrier[0].port, 65535);
	assert_false(c->carrier[0].tls);
	assert_string_equal(c->carrier[0].password, SECRET);
	assert_int_equal(c->carrier[1].bind_timeout, 300000);
	assert_int_equal(c->carrier[1].port, 2775);
	assert_string_equal(c->carrier[1].password, "");
	config_free(c);
}

/* What the checks between the keys let pass. */
static void test_good(void **state)
{
	static const char *const good[] = {
	        DB "http:\n  listen: 0.0.0.0:80\n  plain_without_tls: true\n",
	        DB "http:\n  listen: 0.0.0.0:80\n  certificate: c\n  key: k\n",
	        DB "http:\n  listen: localhost:80\n",
	        DB "webhook:\n  retry_base: 10s\n  retry_max: 10s\n",
	        DB "clock:\n  rate: 60\n",
	        DB "clock:\n  rate: 60\n" CARRIER,
	        DB "clock:\n  start: ''\ncarriers: [{name: b, host: smsc.example, system_id: s}]\n",
	        DB "carriers: [{name: b, host: smsc.example, system_id: s, tls: false, plain_without_tls: true}]\n",
	        DB CARRIER "    tls: false\n",
	        DB CARRIER "    password_file: ''\n",
	        DB "carriers:\nhttp: ~\nlog: {}\n",
	        DB "log: {level: debug}\n",
	        DB "log: {level: \"off\"}\n",
	        DB "...\n",
	        "%YAML 1.1\n---\n" DB,
	        "\xef\xbb\xbf" DB,
	        "database:\r\n  conninfo: host=db\r\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		config_free(parse_good(good[i]));
}

static void add_carriers(struct buf *yaml, int n)
{
	buf_add_str(yaml, DB "carriers:\n");
	for (int i = 0; i < n; i++)
		buf_printf(yaml, "  - {name: c%d, host: localhost, system_id: s}\n", i);
}

static void test_carriers_ceiling(void **state)
{
	(void)state;
	for (int n = LIMIT_CARRIERS; n <= LIMIT_CARRIERS + 1; n++) {
		struct buf yaml = BUF(1 << 16);
		struct config_errors errors;
		add_carriers(&yaml, n);
		struct config *c = parse(buf_cstr(&yaml), &errors);
		if (n == LIMIT_CARRIERS)
			assert_int_equal(c->carriers, LIMIT_CARRIERS);
		else
			assert_string_equal(buf_cstr(&errors.text),
			                    "c.yaml:36:5: carriers: too many (expected at most 32)\n");
		config_free(c);
		buf_free(&errors.text);
		buf_free(&yaml);
	}
}

static void test_errors_ceiling(void **state)
{
	(void)state;
	for (unsigned n = LIMIT_CONFIG_ERRORS; n <= LIMIT_CONFIG_ERRORS + 2; n++) {
		struct buf yaml = BUF(1 << 16);
		struct config_errors errors;
		for (unsigned i = 0; i < n; i++)
			buf_printf(&yaml, "zz%u: x\n", i);
		assert_null(parse(buf_cstr(&yaml), &errors));
		bool more = n > LIMIT_CONFIG_ERRORS;
		assert_int_equal(errors.count, LIMIT_CONFIG_ERRORS + more);
		assert_int_equal(lines(buf_cstr(&errors.text)), LIMIT_CONFIG_ERRORS + more);
		assert_true(more ==
		            (strstr(buf_cstr(&errors.text), "c.yaml: there are more errors than these 100\n") != NULL));
		buf_free(&errors.text);
		buf_free(&yaml);
	}
}

static void test_size_ceiling(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct config_errors errors = {.text = BUF(LIMIT_CONFIG_BYTES)};
		struct buf yaml = BUF(LIMIT_CONFIG_BYTES + 1);
		buf_add_str(&yaml, DB "#");
		while (yaml.n < LIMIT_CONFIG_BYTES + over)
			buf_add_u8(&yaml, 'x');
		struct config *c = config_parse("c.yaml", buf_view(&yaml), NULL, NULL, &errors);
		assert_true((c == NULL) == (over == 1));
		assert_string_equal(buf_cstr(&errors.text), over ? "c.yaml:1:1: yaml: the file is too large\n" : "");
		config_free(c);
		buf_free(&yaml);
		buf_free(&errors.text);
	}
}

static void read_whole(const char *path, struct buf *to)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be opened", path);
	for (int c = fgetc(f); c != EOF; c = fgetc(f))
		buf_add_u8(to, (uint8_t)c);
	fclose(f);
}

static void test_example_is_the_file(void **state)
{
	struct buf printed = BUF(LIMIT_CONFIG_BYTES);
	struct buf stored = BUF(LIMIT_CONFIG_BYTES);
	(void)state;
	config_print_example(&printed);
	read_whole(TEST_SOURCE_DIR "/config.yaml.example", &stored);
	assert_string_equal(buf_cstr(&printed), buf_cstr(&stored));
	assert_int_equal(printed.n, stored.n);
	buf_free(&printed);
	buf_free(&stored);
}

/* As printed, and with every commented row uncommented: both are good and mean the defaults. */
static void test_example_parses(void **state)
{
	struct buf printed = BUF(LIMIT_CONFIG_BYTES);
	struct buf open = BUF(LIMIT_CONFIG_BYTES);
	(void)state;
	config_print_example(&printed);
	const char *text = buf_cstr(&printed);
	for (size_t i = 0; i < printed.n; i++)
		if (text[i] != '#' || text[i + 1] == ' ')
			buf_add_u8(&open, (uint8_t)text[i]);
	assert_true(open.n < printed.n);
	struct config *c = parse_good(text);
	struct config *all = parse_good(buf_cstr(&open));
	struct buf differences = BUF(1000);
	config_restart_needed(c, all, &differences);
	assert_string_equal(buf_cstr(&differences), "listeners\n"); /* the one list without any that needs a restart */
	assert_int_equal(c->carriers, 1);
	assert_int_equal(all->webhook.retry_base, c->webhook.retry_base);
	for (size_t i = 0; i < CONFIG_ROWS; i++)
		assert_non_null(strstr(text, config_rows[i].sentence));
	config_free(c);
	config_free(all);
	buf_free(&differences);
	buf_free(&printed);
	buf_free(&open);
}

static const struct {
	const char *fresh;
	const char *needed;
} restarts[] = {
        {DB CARRIER, ""},
        {DB "http:\n  connections: 5\nlog:\n  level: off\n" CARRIER "    rate: 5\n", ""},
        {"node: b\n" DB CARRIER, "node\n"},
        {"database:\n  conninfo_secret_file: f\n" CARRIER, "database.conninfo\ndatabase.conninfo_secret_file\n"},
        {DB "http:\n  listen: 127.0.0.1:1\n  plain_without_tls: true\n" CARRIER,
         "http.listen\nhttp.plain_without_tls\n"},
        {DB CARRIER "    links: 2\n    password_file: p\n    bind_timeout: 1s\n",
         "carriers[0].links\ncarriers[0].password_file\ncarriers[0].bind_timeout\n"},
        {DB, "carriers\n"},
        {DB CARRIER "  - name: b\n    host: ::1\n    system_id: s\n", "carriers\n"},
};

static void test_restart_needed(void **state)
{
	struct config *old = parse_good(DB CARRIER);
	(void)state;
	for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++) {
		struct config *fresh = parse_good(restarts[i].fresh);
		struct buf needed = BUF(1000);
		config_restart_needed(old, fresh, &needed);
		assert_string_equal(buf_cstr(&needed), restarts[i].needed);
		buf_free(&needed);
		config_free(fresh);
	}
	config_free(old);
}

static const struct {
	const char *host;
	bool loopback;
} hosts[] = {
        {"127.0.0.1", true},
        {"127.0.0.1:80", true},
        {"127.255.255.254", true},
        {"localhost", true},
        {"LOCALHOST:1", true},
        {"::1", true},
        {"[::1]", true},
        {"[::1]:8443", true},
        {"0:0:0:0:0:0:0:1", true},
        {"126.255.255.255", false},
        {"128.0.0.0", false},
        {"0.0.0.0:80", false},
        {"::", false},
        {"[::]:80", false},
        {"::2", false},
        {"::1:8443", false},
        {"127.1", false},
        {"127.0.0.1.example", false},
        {"localhost.example", false},
        {"xlocalhost", false},
        {"", false},
        {":80", false},
        {"[]:80", false},
        {"[::1", false},
        {"[::1]x", false},
        {"127.0.0.1:", false},
        {"127.0.0.1:x", false},
        {"127.0.0.1:65536", false},
        {"127.0.0.1:65535", true},
        {"10.0.0.1", false},
        {"::ffff:127.0.0.1", false},
        {"127.0.0.1 ", false},
        {"[127.0.0.1]:80", true},
};

static void test_loopback(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (config_host_is_loopback(hosts[i].host) != hosts[i].loopback)
			fail_msg("%s", hosts[i].host);
}

/* A configuration that was never in a file has no marks: the same lines without them. */
static void test_check_without_marks(void **state)
{
	struct config_errors errors = {.text = BUF(1000)};
	struct config *c = parse_good(DB CARRIER);
	struct config_mark *mark = c->mark;
	(void)state;
	c->mark = NULL;
	c->carrier[0].host = "smsc.example";
	c->carrier[0].tls = false;
	config_check("c.yaml", c, &errors);
	assert_string_equal(buf_cstr(&errors.text),
	                    "c.yaml: carriers[0].tls: plain SMPP off loopback (expected tls: true, a "
	                    "loopback host, or plain_without_tls: true)\n");
	buf_clear(&errors.text);
	c->carrier[0].plain_without_tls = true;
	config_check("c.yaml", c, &errors);
	assert_string_equal(buf_cstr(&errors.text), "");
	c->mark = mark;
	config_free(c);
	buf_free(&errors.text);
}

static const struct {
	const char *a;
	const char *b;
	unsigned distance;
} distances[] = {
        {"", "", 0},
        {"abc", "abc", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"abc", "abd", 1},
        {"abc", "acb", 1},
        {"abc", "ab", 1},
        {"ab", "abc", 1},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
        {"abcd", "badc", 2},
        {"0123456789012345678901234567890123456789", "x123456789012345678901234567890123456789", 1},
        {"01234567890123456789012345678901234567890", "0", 99},
};

static void test_distance(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++)
		assert_int_equal(suggest_distance(view_str(distances[i].a), view_str(distances[i].b)),
		                 distances[i].distance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_secrets_never_echoed),
	        cmocka_unit_test(test_defaults),
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_carriers_ceiling),
	        cmocka_unit_test(test_errors_ceiling),
	        cmocka_unit_test(test_size_ceiling),
	        cmocka_unit_test(test_example_is_the_file),
	        cmocka_unit_test(test_example_parses),
	        cmocka_unit_test(test_restart_needed),
	        cmocka_unit_test(test_loopback),
	        cmocka_unit_test(test_check_without_marks),
	        cmocka_unit_test(test_distance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
