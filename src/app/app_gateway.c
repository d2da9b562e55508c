#include "app_gateway.h"

#include "api.h"
#include "app_carriers.h"
#include "app_embedded.h"
#include "app_tls.h"
#include "base_check.h"
#include "base_log.h"
#include "base_metric.h"
#include "config_check.h"
#include "config_json.h"
#include "config_warn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAG_EVERY_MS 500

struct gateway {
	const char *config_path;
	struct config *config;
	struct loop *loop;
	struct clock clock;
	struct dispatch *dispatch;
	struct api *api;
	struct http_server *http;
	struct http_server *listener[LIMIT_LISTENERS];
	unsigned listeners;
	struct app_tls tls;
	struct gate *gate; /* NULL when no carrier connects to us */
	struct gate_account gate_accounts[LIMIT_CARRIERS];
	struct carrier_tlvs carrier_tlvs[LIMIT_CARRIERS];
	struct dispatch_flow flow;
	struct net_signal *hup, *term, *interrupt;
	struct net_timer *lag;
	struct buf openapi;
	int64_t lag_expected_ms;
	bool draining;
	int result;
};

/* --- from configuration to parts -----------------------------------------------------------------------------------
 */

static struct dispatch_settings settings_of(const struct config *c)
{
	return (struct dispatch_settings){
	        .unconfirmed_after_ms = c->policy.unconfirmed_after,
	        .idempotency_keep_ms = c->policy.idempotency_keep,
	        .receipts_keep_ms = c->policy.receipts_keep,
	        .parts_wait_ms = c->policy.parts_wait,
	        .release_spread_ms = c->policy.release_spread,
	        .webhook_timeout_ms = c->webhook.timeout,
	        .webhook_retry_base_ms = c->webhook.retry_base,
	        .webhook_retry_max_ms = c->webhook.retry_max,
	        .webhook_plain_ok = c->webhook.allow_plain_http,
	        .webhook_private_ok = c->webhook.allow_private_addresses,
	        .webhook_loopback_ok = c->webhook.allow_loopback,
	        .ledger_key_file = c->ledger.key_file,
	        .seal_every_ms = c->ledger.seal_every,
	        .seal_warn_ms = c->ledger.warn_after,
	};
}

static struct api_oauth oauth_of(const struct config *c)
{
	return (struct api_oauth){.public_url = c->http.public_url,
	                          .token_lifetime_ms = c->http.token_lifetime,
	                          .jwks_ca = c->http.jwks_ca,
	                          .jwks_private_ok = c->http.jwks_private_addresses};
}

static void set_clock(struct gateway *g)
{
	char at[TIME_TEXT_BYTES];
	const struct config_clock *c = &g->config->clock;
	struct clock system = {0};
	if (!config_clock_moved(g->config)) {
		g->clock = system;
		return;
	}
	clock_start(&g->clock, c->start ? c->start : clock_read(&system), c->rate);
	log_event(LOG_WARNING, "clock_moved", LOG_TEXT(clock, time_format(clock_read(&g->clock), at)),
	          LOG_TEXT(warning, "rules run on a demonstration clock; every carrier is on loopback"));
}

static void warning_cb(void *ctx, const struct config_warning *w)
{
	(void)ctx;
	if (w->carrier[0])
		log_event(LOG_WARNING, w->event, LOG_TEXT(carrier, w->carrier), LOG_TEXT(warning, w->sentence));
	else if (w->field[0])
		log_event(LOG_WARNING, w->event, LOG_TEXT(field, w->field), LOG_TEXT(warning, w->sentence));
	else
		log_event(LOG_WARNING, w->event, LOG_TEXT(listen, w->listen), LOG_TEXT(warning, w->sentence));
}

static void set_log_level(const struct config *c)
{
	enum log_level level = LOG_INFO;
	if (log_level_parse(config_word_text(c->log.level), &level))
		log_set_level(level);
}

/* --- reload --------------------------------------------------------------------------------------------------------
 */

static void reload_failed(struct view why)
{
	struct buf text = BUF(LIMIT_CONFIG_BYTES);
	buf_add_view(&text, why);
	metric_add(METRIC_config_reloads_total, 1, LABELS("failed"));
	log_event(LOG_ERROR, "reload_failed", LOG_TEXT(reason, buf_cstr(&text)),
	          LOG_TEXT(warning, "the old configuration stays"));
	buf_free(&text);
}

/* A demonstration's clock goes on where it is, unless its settings changed. */
static void apply_clock(struct gateway *g, const struct config_clock *before)
{
	const struct config_clock *now = &g->config->clock;
	if (now->start == before->start && !(now->rate < before->rate) && !(now->rate > before->rate))
		return;
	set_clock(g);
	dispatch_clock_moved(g->dispatch);
}

static void apply_flow(struct gateway *g)
{
	struct dispatch_flow before = g->flow;
	g->flow = app_flow(g->config);
	dispatch_set_flow(g->dispatch, &g->flow);
	app_flow_free(&before);
}

/* The old contexts live on in what is connected with them. */
static void apply_tls(struct gateway *g, struct app_tls *fresh)
{
	struct app_tls before = g->tls;
	g->tls = *fresh;
	link_http_set_tls(g->http, g->tls.http);
	for (unsigned i = 0; i < g->listeners; i++)
		link_http_set_tls(g->listener[i], g->tls.listener[i]);
	if (g->gate)
		link_gate_set_tls(g->gate, g->tls.smpp);
	for (unsigned i = 0; i < g->config->carriers; i++)
		dispatch_set_tls(g->dispatch, g->config->carrier[i].name, g->tls.carrier[i]);
	app_tls_free(&before);
	app_tls_tell(g->config, &g->tls, clock_read(&(struct clock){0}));
}

static void apply(struct gateway *g)
{
	const struct config *c = g->config;
	struct dispatch_settings settings = settings_of(c);
	set_log_level(c);
	dispatch_set(g->dispatch, &settings);
	for (unsigned i = 0; i < c->carriers; i++) {
		const struct config_carrier *k = &c->carrier[i];
		const uint8_t types[] = {(uint8_t)k->source_ton, (uint8_t)k->source_npi, (uint8_t)k->dest_ton,
		                         (uint8_t)k->dest_npi};
		dispatch_set_rate(g->dispatch, k->name, (double)k->rate);
		dispatch_set_types(g->dispatch, k->name, types);
	}
	apply_flow(g);
	struct api_oauth oauth = oauth_of(c);
	api_set_oauth(g->api, &oauth);
	api_set_rate(g->api, c->http.requests_per_second);
	link_http_set_connections(g->http, (unsigned)c->http.connections);
	for (unsigned i = 0; i < g->listeners; i++)
		link_http_set_connections(g->listener[i], (unsigned)c->http.connections);
	config_warn(c, warning_cb, NULL);
}

/* The running parts hold texts of the configuration that they were made from, so the old one is kept: reloads are rare
 * and a configuration is a few kilobytes. What only a restart can change keeps its old value and is named. */
static void reload_cb(void *ctx)
{
	struct gateway *g = ctx;
	struct config_errors errors;
	struct buf restart = BUF(LIMIT_CONFIG_BYTES);
	struct buf error = BUF(1024);
	struct app_tls tls;
	struct config *fresh = app_config_load_quiet(g->config_path, &errors);
	if (!fresh) {
		reload_failed(buf_view(&errors.text));
	} else if (!app_tls_load(g->config, fresh, &tls, &error)) {
		reload_failed(buf_view(&error));
		config_free(fresh);
	} else {
		struct config_clock before = g->config->clock;
		config_restart_needed(g->config, fresh, &restart);
		config_adopt(g->config, fresh);
		apply_clock(g, &before);
		apply_tls(g, &tls);
		apply(g);
		metric_add(METRIC_config_reloads_total, 1, LABELS("ok"));
		log_event(
		        LOG_INFO, "reloaded", LOG_TEXT(file, g->config_path), LOG_TEXT(field, buf_cstr(&restart)),
		        LOG_TEXT(warning, restart.n ? "the settings named in `field` change with the next start" : ""));
	}
	buf_free(&restart);
	buf_free(&error);
	buf_free(&errors.text);
}

/* --- end -----------------------------------------------------------------------------------------------------------
 */

/* Of all listeners. */
static unsigned count_of(const struct gateway *g, unsigned (*count)(const struct http_server *))
{
	unsigned n = count(g->http);
	for (unsigned i = 0; i < g->listeners; i++)
		n += count(g->listener[i]);
	return n;
}

/* A request outlives its connection: a query may run that its owner waits for. */
static unsigned asked_cb(void *ctx)
{
	return count_of(ctx, link_http_exchanges);
}

static void drained_cb(void *ctx)
{
	net_loop_stop(((struct gateway *)ctx)->loop);
}

static void drain(struct gateway *g, const char *why)
{
	if (g->draining)
		return;
	g->draining = true;
	log_event(LOG_INFO, "draining", LOG_TEXT(reason, why));
	link_http_drain(g->http);
	for (unsigned i = 0; i < g->listeners; i++)
		link_http_drain(g->listener[i]);
	if (g->gate)
		link_gate_close(g->gate);
	dispatch_drain(g->dispatch, asked_cb, drained_cb, g);
}

static void term_cb(void *ctx)
{
	drain(ctx, "signal");
}

static void evicted_cb(void *ctx)
{
	struct gateway *g = ctx;
	g->result = EXIT_FAILED;
	drain(g, "node_name_taken");
}

static void lag_cb(void *ctx)
{
	struct gateway *g = ctx;
	int64_t now_ms = time_mono_ms();
	if (g->lag_expected_ms)
		metric_observe(METRIC_loop_lag_seconds, (double)(now_ms - g->lag_expected_ms) / 1000.0, NO_LABELS);
	g->lag_expected_ms = now_ms + LAG_EVERY_MS;
	net_timer_start(g->lag, LAG_EVERY_MS);
}

/* --- assembly ------------------------------------------------------------------------------------------------------
 */

static bool start_http(struct gateway *g, struct buf *error)
{
	struct http_server_config config = {.listen = g->config->http.listen,
	                                    .tls = g->tls.http,
	                                    .connections = (unsigned)g->config->http.connections,
	                                    .answered = api_answered};
	config.routes = api_routes(&config.route_count);
	g->http = link_http_new(g->loop, &config, g->api, error);
	for (unsigned i = 0; g->http && i < g->config->listeners; i++) {
		config.listen = g->config->listener[i].listen;
		config.tls = g->tls.listener[i];
		g->listener[i] = link_http_new(g->loop, &config, g->api, error);
		if (!g->listener[i])
			return false;
		g->listeners++;
		log_event(LOG_INFO, "https_listening", LOG_TEXT(listen, link_http_address(g->listener[i])));
	}
	return g->http != NULL;
}

static struct carrier_link *place_cb(void *ctx, const char *carrier)
{
	return dispatch_waiting_link(((struct gateway *)ctx)->dispatch, carrier);
}

static bool start_gate(struct gateway *g, struct buf *error)
{
	const struct config_smpp *c = &g->config->smpp;
	struct gate_config config = {.listen = c->listen,
	                             .outbind_listen = c->outbind_listen,
	                             .tls = g->tls.smpp,
	                             .connections = (unsigned)c->connections,
	                             .accounts = g->gate_accounts,
	                             .account_count = app_gate_accounts(g->config, g->gate_accounts),
	                             .place = place_cb,
	                             .ctx = g};
	if (!*c->listen && !*c->outbind_listen)
		return true;
	g->gate = link_gate_new(g->loop, &config, error);
	if (g->gate)
		log_event(LOG_INFO, "smpp_listening", LOG_TEXT(listen, link_gate_address(g->gate)),
		          LOG_TEXT(peer, link_gate_outbind_address(g->gate)));
	return g->gate != NULL;
}

static void start_dispatch(struct gateway *g)
{
	struct dispatch_carrier carriers[LIMIT_CARRIERS];
	const struct config *c = g->config;
	for (unsigned i = 0; i < c->carriers; i++)
		carriers[i] = app_carrier(&c->carrier[i], g->tls.carrier[i], &g->carrier_tlvs[i]);
	g->flow = app_flow(c);
	struct dispatch_config config = {.loop = g->loop,
	                                 .clock = &g->clock,
	                                 .conninfo = app_conninfo(c),
	                                 .node = c->top.node,
	                                 .tzdata = c->policy.tzdata,
	                                 .carriers = carriers,
	                                 .carrier_count = c->carriers,
	                                 .flow = g->flow,
	                                 .settings = settings_of(c),
	                                 .evicted = evicted_cb,
	                                 .ctx = g};
	g->dispatch = dispatch_new(&config);
}

static bool prepare(struct gateway *g, struct buf *error)
{
	const struct store_file *contract = app_embedded_files;
	g->openapi = BUF(1 << 22);
	return config_yaml_to_json(view_of(contract->text, contract->bytes), &g->openapi, error) &&
	       app_tls_load(g->config, g->config, &g->tls, error);
}

static bool start(struct gateway *g, struct buf *error)
{
	set_clock(g);
	config_warn(g->config, warning_cb, NULL);
	app_tls_tell(g->config, &g->tls, clock_read(&(struct clock){0}));
	start_dispatch(g);
	struct api_config api = {.loop = g->loop,
	                         .dispatch = g->dispatch,
	                         .clock = &g->clock,
	                         .openapi = buf_cstr(&g->openapi),
	                         .fictional_ok = config_all_loopback(g->config),
	                         .requests_per_second = g->config->http.requests_per_second};
	struct api_oauth oauth = oauth_of(g->config);
	g->api = api_new(&api);
	api_set_oauth(g->api, &oauth);
	g->hup = net_signal_new(g->loop, SIGHUP, reload_cb, g);
	g->term = net_signal_new(g->loop, SIGTERM, term_cb, g);
	g->interrupt = net_signal_new(g->loop, SIGINT, term_cb, g);
	g->lag = net_timer_new(g->loop, lag_cb, g);
	lag_cb(g);
	metric_set(METRIC_build_info, 1, LABELS(APP_VERSION));
	return start_gate(g, error) && start_http(g, error);
}

/* Frees everything, so that leak checkers have the last word; a drain that ran out of time, or a connection
 * that lingers over its last answer, leaves the rest to the system. */
static void finish(struct gateway *g)
{
	net_timer_free(g->lag);
	net_signal_free(g->hup);
	net_signal_free(g->term);
	net_signal_free(g->interrupt);
	if (!dispatch_drained_clean(g->dispatch) || count_of(g, link_http_connections) || asked_cb(g) ||
	    (g->gate && link_gate_guests(g->gate))) {
		log_event(LOG_WARNING, "stopped", LOG_TEXT(reason, "drain_incomplete"));
		fflush(NULL);
		_exit(g->result); /* what is still in use is no leak */
	}
	api_close(g->api);
	link_http_free(g->http);
	for (unsigned i = 0; i < g->listeners; i++)
		link_http_free(g->listener[i]);
	link_gate_free(g->gate);
	dispatch_free(g->dispatch);
	api_free(g->api);
	app_tls_free(&g->tls);
	for (unsigned i = 0; i < g->config->carriers; i++)
		free(g->carrier_tlvs[i].parsed);
	app_flow_free(&g->flow);
	net_loop_free(g->loop);
	metric_free();
	log_event(LOG_INFO, "stopped", LOG_TEXT(reason, "drained"));
}

int gateway_run(const char *config_path, struct config *config)
{
	struct gateway g = {.config_path = config_path, .config = config};
	struct buf error = BUF(2048);
	set_log_level(config);
	g.loop = net_loop_new();
	if (!prepare(&g, &error) || !start(&g, &error)) {
		failure("%s", buf_cstr(&error));
		exit(EXIT_FAILED); /* nothing was promised to anybody yet */
	}
	log_event(LOG_INFO, "started", LOG_TEXT(version, APP_VERSION), LOG_TEXT(node, config->top.node),
	          LOG_TEXT(listen, link_http_address(g.http)));
	net_loop_run(g.loop);
	finish(&g);
	config_free(g.config);
	buf_free(&g.openapi);
	buf_free(&error);
	return g.result;
}
