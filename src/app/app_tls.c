#include "app_tls.h"

#include "base_log.h"
#include "base_metric.h"
#include "base_time.h"

#include <string.h>

#define WARN_BEFORE_US (30 * INT64_C(86400000000))

static bool keeps_certificate(const char *what, const char *running, const char *fresh, struct buf *error)
{
	if (!*running || *fresh)
		return true;
	buf_printf(error, "%s: it is taken away; only a restart makes a listener plain", what);
	return false;
}

static bool ask_clients(struct tls_context *tls, const char *ca, enum config_word who, struct buf *error)
{
	if (!*ca)
		return true;
	if (!net_tls_ask_clients(tls, ca, error))
		return false;
	if (who == CONFIG_client_certificate_required)
		net_tls_need_clients(tls);
	return true;
}

static bool load_http(const struct config *running, const struct config *fresh, struct app_tls *to, struct buf *error)
{
	if (!keeps_certificate("http.certificate", running->http.certificate, fresh->http.certificate, error))
		return false;
	if (!*fresh->http.certificate)
		return true; /* config_check saw to it that this is loopback, or said in so many words */
	to->http = net_tls_server(fresh->http.certificate, fresh->http.key, error);
	return to->http && ask_clients(to->http, fresh->http.client_ca, fresh->http.client_certificate, error);
}

/* Those that run, by their place; a fresh configuration may have fewer, which only a restart takes over. */
static bool load_listeners(const struct config *running, const struct config *fresh, struct app_tls *to,
                           struct buf *error)
{
	for (unsigned i = 0; i < running->listeners; i++) {
		const struct config_listener *files =
		        i < fresh->listeners ? &fresh->listener[i] : &running->listener[i];
		to->listener[i] = net_tls_server(files->certificate, files->key, error);
		if (!to->listener[i] ||
		    !ask_clients(to->listener[i], files->client_ca, files->client_certificate, error))
			return false;
	}
	return true;
}

static bool load_smpp(const struct config *running, const struct config *fresh, struct app_tls *to, struct buf *error)
{
	const struct config_smpp *files = &fresh->smpp;
	if (!keeps_certificate("smpp.certificate", running->smpp.certificate, files->certificate, error))
		return false;
	if (!*files->certificate)
		return true;
	to->smpp = net_tls_server(files->certificate, files->key, error);
	return to->smpp && (!*files->client_ca || net_tls_ask_clients(to->smpp, files->client_ca, error));
}

/* Its files in fresh; its own when fresh has lost it, which only a restart takes over. */
static const struct config_carrier *files_of(const struct config_carrier *running, const struct config *fresh)
{
	for (unsigned i = 0; i < fresh->carriers; i++)
		if (strcmp(fresh->carrier[i].name, running->name) == 0)
			return &fresh->carrier[i];
	return running;
}

static bool load_carrier(const struct config_carrier *running, const struct config *fresh, struct tls_context **to,
                         struct buf *error)
{
	const struct config_carrier *files = files_of(running, fresh);
	if (!running->tls || running->connect != CONFIG_connect_dial)
		return true;
	*to = net_tls_client(files->tls_ca, error);
	if (!*to)
		return false;
	net_tls_set_server_name(*to, files->tls_server_name);
	return !*files->tls_certificate || net_tls_identify(*to, files->tls_certificate, files->tls_key, error);
}

bool app_tls_load(const struct config *running, const struct config *fresh, struct app_tls *to, struct buf *error)
{
	*to = (struct app_tls){0};
	bool ok = load_http(running, fresh, to, error) && load_listeners(running, fresh, to, error) &&
	          load_smpp(running, fresh, to, error);
	for (unsigned i = 0; ok && i < running->carriers; i++)
		ok = load_carrier(&running->carrier[i], fresh, &to->carrier[i], error);
	if (!ok)
		app_tls_free(to);
	return ok;
}

void app_tls_free(struct app_tls *tls)
{
	net_tls_unref(tls->http);
	for (unsigned i = 0; i < LIMIT_LISTENERS; i++)
		net_tls_unref(tls->listener[i]);
	net_tls_unref(tls->smpp);
	for (unsigned i = 0; i < LIMIT_CARRIERS; i++)
		net_tls_unref(tls->carrier[i]);
	*tls = (struct app_tls){0};
}

static void tell(const struct tls_context *tls, const char *role, const char *carrier, int64_t now_us)
{
	char at[TIME_TEXT_BYTES];
	int64_t expiry_us = tls ? net_tls_expiry_us(tls) : 0;
	if (!expiry_us)
		return;
	metric_set(METRIC_tls_certificate_expiry_seconds, (double)(expiry_us / 1000000), LABELS(role, carrier));
	if (expiry_us - now_us < WARN_BEFORE_US)
		log_event(LOG_WARNING, "certificate_ends", LOG_TEXT(field, role), LOG_TEXT(carrier, carrier),
		          LOG_TEXT(clock, time_format(expiry_us, at)),
		          LOG_TEXT(warning, expiry_us < now_us ? "our certificate has ended; peers refuse it"
		                                               : "our certificate ends within 30 days"));
}

void app_tls_tell(const struct config *running, const struct app_tls *tls, int64_t now_us)
{
	tell(tls->http, "http", "", now_us);
	for (unsigned i = 0; i < running->listeners; i++)
		tell(tls->listener[i], "listener", "", now_us);
	tell(tls->smpp, "smpp", "", now_us);
	for (unsigned i = 0; i < running->carriers; i++)
		tell(tls->carrier[i], "carrier", running->carrier[i].name, now_us);
}
