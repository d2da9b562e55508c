#include "config_check.h"

#include "base_check.h"
#include "config_report.h"

#include <arpa/inet.h>
#include <string.h>

struct checker {
	const char *file;
	const struct config *c;
	struct config_errors *errors;
};

static void wrong(struct checker *k, enum config_section section, unsigned carrier, const char *key,
                  const char *problem, const char *expected)
{
	const struct config_row *row = config_row_find(section, view_str(key));
	check(row);
	struct config_wrong w = {.section = section, .carrier = carrier, .key = key};
	w.problem = problem;
	w.expected = expected;
	if (k->c->mark)
		w.mark = *config_row_mark(k->c, row, carrier);
	config_report(k->file, k->errors, &w);
}

/* "host:port" and "[host]:port"; without a port the whole is the host. False when it is neither. */
static bool split_listen(const char *text, char *host, size_t cap, bool *port_r)
{
	struct view v = view_str(text);
	const uint8_t *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
	bool v6 = v.n && v.p[0] == '[';
	bool several = colon && memchr(colon + 1, ':', v.n - (size_t)(colon + 1 - v.p));
	size_t n = v.n;
	if (v6) {
		const uint8_t *close = memchr(v.p, ']', v.n);
		if (!close)
			return false;
		n = (size_t)(close - v.p) + 1;
	} else if (colon && !several) {
		n = (size_t)(colon - v.p);
	}
	struct view name = v6 ? view_of(v.p + 1, n - 2) : view_of(v.p, n);
	struct view rest = view_of(v.p + n, v.n - n);
	uint64_t port;
	*port_r = rest.n > 0;
	if (rest.n && (rest.p[0] != ':' || !parse_u64(view_of(rest.p + 1, rest.n - 1), 65535, &port)))
		return false;
	return name.n > 0 && copy_view(host, cap, name);
}

bool config_host_is_loopback(const char *host_or_listen)
{
	char host[64];
	bool port;
	struct in_addr v4;
	struct in6_addr v6;
	if (!split_listen(host_or_listen, host, sizeof(host), &port))
		return false;
	if (view_eq_nocase(view_str(host), VIEW("localhost")))
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool config_clock_moved(const struct config *c)
{
	return c->clock.start != 0 || c->clock.rate < 1 || c->clock.rate > 1;
}

static void check_database(struct checker *k)
{
	bool text = k->c->database.conninfo[0];
	bool file = k->c->database.conninfo_secret[0];
	if (text && file)
		wrong(k, CONFIG_database, 0, "conninfo", "given beside conninfo_secret_file", "one of the two");
	if (!text && !file)
		wrong(k, CONFIG_database, 0, "conninfo", "missing", "this or conninfo_secret_file");
}

static void check_http(struct checker *k)
{
	const struct config_http *h = &k->c->http;
	char host[256];
	bool port;
	bool certificate = h->certificate[0];
	bool key = h->key[0];
	if (!split_listen(h->listen, host, sizeof(host), &port) || !port)
		wrong(k, CONFIG_http, 0, "listen", "not an address and port", "one like 127.0.0.1:8443 or [::1]:8443");
	if (certificate != key)
		wrong(k, CONFIG_http, 0, certificate ? "certificate" : "key",
		      certificate ? "given without key" : "given without certificate", "both or neither");
	if (certificate && h->plain_without_tls)
		wrong(k, CONFIG_http, 0, "plain_without_tls", "true beside a certificate", "one of the two");
	if (!certificate && !key && !h->plain_without_tls && !config_host_is_loopback(h->listen))
		wrong(k, CONFIG_http, 0, "listen", "plain HTTP off loopback",
		      "certificate and key, a loopback address, or plain_without_tls: true");
}

static void check_webhook(struct checker *k)
{
	if (k->c->webhook.retry_base > k->c->webhook.retry_max)
		wrong(k, CONFIG_webhook, 0, "retry_base", "longer than retry_max", "at most retry_max");
}

static void check_log(struct checker *k)
{
	static const char *const level[] = {"debug", "info", "warning", "error", "off"};
	for (size_t i = 0; i < sizeof(level) / sizeof(level[0]); i++)
		if (strcmp(k->c->log.level, level[i]) == 0)
			return;
	wrong(k, CONFIG_log, 0, "level", "no such level", "debug, info, warning, error or off");
}

static void check_clock(struct checker *k)
{
	const char *key = k->c->clock.start ? "start" : "rate";
	for (unsigned i = 0; i < k->c->carriers && config_clock_moved(k->c); i++) {
		if (config_host_is_loopback(k->c->carrier[i].host))
			continue;
		wrong(k, CONFIG_clock, 0, key, "the clock is moved with a carrier off loopback",
		      "every carrier on loopback, or the real clock");
		return;
	}
}

#define CREDENTIAL_MAX 64  /* the session's own; providers issue more than the specification's 15 and 8 */
#define SYSTEM_TYPE_MAX 12 /* SMPP 3.4 4.1: 13 octets with the NUL */

static void check_length(struct checker *k, unsigned i, const char *key, const char *value, size_t max)
{
	if (strlen(value) > max)
		wrong(k, CONFIG_carrier, i, key, "too long for a bind",
		      max == SYSTEM_TYPE_MAX ? "at most 12 octets" : "at most 64 octets");
}

static void check_carrier(struct checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	if (!one->tls && !one->plain_without_tls && !config_host_is_loopback(one->host))
		wrong(k, CONFIG_carrier, i, "tls", "plain SMPP off loopback",
		      "tls: true, a loopback host, or plain_without_tls: true");
	check_length(k, i, "system_id", one->system_id, CREDENTIAL_MAX);
	check_length(k, i, "password_file", one->password, CREDENTIAL_MAX);
	check_length(k, i, "system_type", one->system_type, SYSTEM_TYPE_MAX);
	for (unsigned other = 0; other < i; other++) {
		if (strcmp(one->name, k->c->carrier[other].name) == 0) {
			wrong(k, CONFIG_carrier, i, "name", "another carrier has this name", "a name of its own");
			return;
		}
	}
}

void config_check(const char *file, const struct config *c, struct config_errors *errors_r)
{
	struct checker k = {file, c, errors_r};
	check_database(&k);
	check_http(&k);
	check_webhook(&k);
	check_clock(&k);
	check_log(&k);
	for (unsigned i = 0; i < c->carriers; i++)
		check_carrier(&k, i);
}
