#include "config_check_internal.h"

#include "base_check.h"
#include "config_host.h"
#include "config_report.h"

#include <string.h>

void config_check_wrong(struct config_checker *k, enum config_section section, unsigned item, const char *key,
                        const char *problem, const char *expected)
{
	const struct config_row *row = config_row_find(section, view_str(key));
	check(row);
	struct config_wrong w = {.section = section, .item = item, .key = key};
	w.problem = problem;
	w.expected = expected;
	if (k->c->mark)
		w.mark = *config_row_mark(k->c, row, item);
	config_report(k->file, k->errors, &w);
}

static const char *text_of(struct config_checker *k, enum config_section section, unsigned item, const char *key)
{
	const struct config_row *row = config_row_find(section, view_str(key));
	check(row && row->kind == CONFIG_TEXT);
	return *(const char *const *)config_row_value(k->c, row, item);
}

void config_check_pair(struct config_checker *k, enum config_section section, unsigned item, const char *certificate,
                       const char *key)
{
	char problem[64] = "given without ";
	bool has_certificate = text_of(k, section, item, certificate)[0];
	bool has_key = text_of(k, section, item, key)[0];
	size_t n = strlen(problem);
	if (has_certificate == has_key)
		return;
	copy_str(problem + n, sizeof(problem) - n, has_certificate ? key : certificate);
	config_check_wrong(k, section, item, has_certificate ? certificate : key, problem, "both or neither");
}

bool config_check_is_listen(const char *text)
{
	char host[256];
	bool port;
	return config_host_split(text, host, sizeof(host), &port) && port;
}

bool config_clock_moved(const struct config *c)
{
	return c->clock.start != 0 || c->clock.rate < 1 || c->clock.rate > 1;
}

static bool none_or_loopback(const char *listen)
{
	return !listen[0] || config_host_is_loopback(listen);
}

bool config_all_loopback(const struct config *c)
{
	for (unsigned i = 0; i < c->carriers; i++)
		if (c->carrier[i].connect == CONFIG_connect_dial && !config_host_is_loopback(c->carrier[i].host))
			return false;
	return none_or_loopback(c->smpp.listen) && none_or_loopback(c->smpp.outbind_listen);
}

static void check_database(struct config_checker *k)
{
	bool text = k->c->database.conninfo[0];
	bool file = k->c->database.conninfo_secret[0];
	if (text && file)
		config_check_wrong(k, CONFIG_database, 0, "conninfo", "given beside conninfo_secret_file",
		                   "one of the two");
	if (!text && !file)
		config_check_wrong(k, CONFIG_database, 0, "conninfo", "missing", "this or conninfo_secret_file");
}

static void check_client_ca(struct config_checker *k, enum config_section section, unsigned i, const char *ca,
                            enum config_word who, bool tls)
{
	if (ca[0] && !tls)
		config_check_wrong(k, section, i, "client_ca", "without a certificate of the listener's",
		                   "certificate and key beside it");
	if (!ca[0] && who == CONFIG_client_certificate_required)
		config_check_wrong(k, section, i, "client_certificate", "required without client_ca",
		                   "client_ca, or optional");
}

static void check_listeners(struct config_checker *k)
{
	for (unsigned i = 0; i < k->c->listeners; i++) {
		const struct config_listener *l = &k->c->listener[i];
		if (!config_check_is_listen(l->listen))
			config_check_wrong(k, CONFIG_listener, i, "listen", "not an address and port",
			                   "one like 192.0.2.1:9443 or [::1]:9443");
		check_client_ca(k, CONFIG_listener, i, l->client_ca, l->client_certificate, true);
	}
}

static void check_public_url(struct config_checker *k)
{
	const char *url = k->c->http.public_url;
	size_t n = strlen(url);
	if (n && (strncmp(url, "https://", 8) != 0 || n < 9 || n > 400 || url[n - 1] == '/' || strpbrk(url, " ?#")))
		config_check_wrong(k, CONFIG_http, 0, "public_url", "not such a URL",
		                   "one like https://sms.clinic.example, without a slash at its end");
}

static void check_http(struct config_checker *k)
{
	const struct config_http *h = &k->c->http;
	bool tls = h->certificate[0] || h->key[0];
	if (!config_check_is_listen(h->listen))
		config_check_wrong(k, CONFIG_http, 0, "listen", "not an address and port",
		                   "one like 127.0.0.1:8443 or [::1]:8443");
	config_check_pair(k, CONFIG_http, 0, "certificate", "key");
	check_client_ca(k, CONFIG_http, 0, h->client_ca, h->client_certificate, h->certificate[0]);
	check_public_url(k);
	if (h->certificate[0] && h->plain_without_tls)
		config_check_wrong(k, CONFIG_http, 0, "plain_without_tls", "true beside a certificate",
		                   "one of the two");
	if (!tls && !h->plain_without_tls && !config_host_is_loopback(h->listen))
		config_check_wrong(k, CONFIG_http, 0, "listen", "plain HTTP off loopback",
		                   "certificate and key, a loopback address, or plain_without_tls: true");
}

static void check_webhook(struct config_checker *k)
{
	if (k->c->webhook.retry_base > k->c->webhook.retry_max)
		config_check_wrong(k, CONFIG_webhook, 0, "retry_base", "longer than retry_max", "at most retry_max");
}

static void check_clock(struct config_checker *k)
{
	const char *key = k->c->clock.start ? "start" : "rate";
	if (config_clock_moved(k->c) && !config_all_loopback(k->c))
		config_check_wrong(k, CONFIG_clock, 0, key, "the clock is moved with a carrier off loopback",
		                   "every carrier and SMPP listener on loopback, or the real clock");
}

void config_check(const char *file, const struct config *c, struct config_errors *errors_r)
{
	struct config_checker k = {file, c, errors_r};
	check_database(&k);
	check_http(&k);
	check_listeners(&k);
	check_webhook(&k);
	check_clock(&k);
	config_check_carriers(&k);
	config_check_lists(&k);
}
