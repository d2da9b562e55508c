#include "link_gate.h"

#include "base_check.h"
#include "base_log.h"
#include "base_metric.h"
#include "base_pool.h"
#include "net_address.h"
#include "net_password.h"
#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define GUEST_MS 10000 /* from connection to bind */
#define ANSWER_MS 10000
#define UNBIND_MS 5000
#define OUR_SYSTEM_ID "smsbridge"

struct gate;

struct account {
	const struct gate_account *row;
	int64_t minute_ms; /* the minute being counted */
	unsigned binds;    /* in it */
};

struct guest {
	struct gate *gate;
	struct pump *pump;
	struct account *account;
	struct net_password_check *check;
	bool outbind;
	struct guest *next;
	struct guest **at;
};

struct gate {
	struct loop *loop;
	struct gate_config config;
	struct account *accounts;
	struct net_passwords *passwords;
	struct listener *listener;
	struct listener *outbind_listener;
	struct guest *guests;
	unsigned count;
};

/* --- guests ------------------------------------------------------------------------------------------------------ */

static void forget(struct guest *g)
{
	net_password_cancel(g->check);
	*g->at = g->next;
	if (g->next)
		g->next->at = g->at;
	g->gate->count--;
	free(g);
}

/* An outbind has no answer; a bind is told why. */
static void refuse(struct guest *g, uint32_t status, const char *reason)
{
	struct smpp_session *session = link_pump_session(g->pump);
	const char *carrier = g->account ? g->account->row->carrier : "";
	metric_add(METRIC_smpp_binds_refused_total, 1, LABELS(carrier, reason));
	log_event(LOG_WARNING, "peer_bind_refused", LOG_TEXT(carrier, carrier), LOG_TEXT(peer, link_pump_peer(g->pump)),
	          LOG_TEXT(reason, reason));
	if (g->outbind)
		smpp_session_outbind_refuse(session);
	else
		smpp_session_bind_refuse(session, status);
}

static void let_in(struct guest *g)
{
	struct gate *gate = g->gate;
	const struct gate_account *row = g->account->row;
	struct carrier_link *link = gate->config.place(gate->config.ctx, row->carrier);
	struct pump *pump = g->pump;
	struct smpp_session *session = link_pump_session(pump);
	int64_t now_ms = net_loop_now_ms(gate->loop);
	if (!link) {
		refuse(g, ESME_RALYBND, "all_links_bound");
		link_pump_resume(pump);
		return;
	}
	smpp_session_tune(session, &row->session);
	bool outbind = g->outbind;
	forget(g);
	link_carrier_take(link, pump);
	if (outbind)
		smpp_session_outbind_accept(session, now_ms);
	else
		smpp_session_bind_accept(session, OUR_SYSTEM_ID, now_ms);
	link_pump_resume(pump);
}

static void password_cb(void *ctx, enum net_password_result result)
{
	struct guest *g = ctx;
	struct pump *pump = g->pump;
	g->check = NULL;
	if (result == NET_PASSWORD_MATCHES) {
		let_in(g);
		return;
	}
	if (result == NET_PASSWORD_BUSY)
		refuse(g, ESME_RTHROTTLED, "too_many_binds");
	else
		refuse(g, ESME_RINVPASWD, "password");
	link_pump_resume(pump);
}

/* Some bind for each message (trap 11): that is borne, up to a rate. */
static bool too_often(struct account *a, int64_t now_ms)
{
	if (now_ms - a->minute_ms >= 60000) {
		a->minute_ms = now_ms;
		a->binds = 0;
	}
	return ++a->binds > LIMIT_BINDS_A_MINUTE;
}

static bool address_allowed(const struct account *a, const struct guest *g)
{
	return net_stream_peer_allowed(link_pump_stream(g->pump), a->row->addresses);
}

static bool certified(const struct account *a, const struct guest *g)
{
	const struct stream *s = link_pump_stream(g->pump);
	return !*a->row->peer_name || net_stream_peer_name_matches(s, a->row->peer_name);
}

static bool named(const struct account *a, bool outbind, struct view system_id)
{
	const char *name = a->row->system_id;
	return a->row->outbind == outbind && ((outbind && !*name) || view_eq(view_str(name), system_id));
}

/* The account of that name from whose addresses it comes; else any of that name, to tell the two refusals apart. */
static struct account *find_account(struct guest *g, struct view system_id)
{
	struct account *of_name = NULL;
	for (unsigned i = 0; i < g->gate->config.account_count; i++) {
		struct account *a = &g->gate->accounts[i];
		if (!named(a, g->outbind, system_id))
			continue;
		if (address_allowed(a, g))
			return a;
		of_name = a;
	}
	return of_name;
}

/* With the session's decision pending; what is refused here is written when the event's turn ends. */
static void on_bind(struct guest *g, const struct smpp_pdu *pdu)
{
	struct gate *gate = g->gate;
	struct account *a = find_account(g, pdu->field[SMPP_F_system_id].text);
	if (g->check)
		return;
	g->account = a;
	if (!a)
		refuse(g, ESME_RINVSYSID, "system_id");
	else if (!address_allowed(a, g))
		refuse(g, ESME_RBINDFAIL, "address");
	else if (!certified(a, g))
		refuse(g, ESME_RBINDFAIL, "certificate");
	else if (too_often(a, net_loop_now_ms(gate->loop)))
		refuse(g, ESME_RTHROTTLED, "too_many_binds");
	else if (!*a->row->password_hash)
		let_in(g); /* an outbind of whom the address or the certificate told */
	else
		g->check = net_password_verify(gate->passwords, a->row->password_hash, pdu->field[SMPP_F_password].text,
		                               password_cb, g);
}

static void event_cb(void *ctx, struct pump *p, const struct smpp_event *e)
{
	struct guest *g = ctx;
	(void)p;
	if (e->kind == SMPP_EVENT_BIND || e->kind == SMPP_EVENT_OUTBIND)
		on_bind(g, e->pdu);
	else if (e->kind == SMPP_EVENT_FAULT)
		metric_add(METRIC_smpp_faults_total, 1, LABELS("", e->reason));
}

static void closed_cb(void *ctx, struct pump *p, const char *reason)
{
	struct guest *g = ctx;
	log_event(LOG_INFO, "guest_gone", LOG_TEXT(peer, link_pump_peer(p)), LOG_TEXT(reason, reason));
	forget(g);
}

static const struct pump_ops guest_ops = {.event = event_cb, .closed = closed_cb};

/* --- listeners --------------------------------------------------------------------------------------------------- */

static void welcome(struct gate *gate, struct listener *from, bool outbind)
{
	struct smpp_session_config session = {.role = outbind ? SMPP_ESME : SMPP_MC,
	                                      .outbind = outbind,
	                                      .interface_version = 0x50,
	                                      .window = 1,
	                                      .bind_ms = GUEST_MS,
	                                      .answer_ms = ANSWER_MS,
	                                      .unbind_ms = UNBIND_MS};
	if (gate->count >= gate->config.connections) {
		metric_add(METRIC_smpp_binds_refused_total, 1, LABELS("", "too_many_connections"));
		return; /* the listener closes what nobody takes */
	}
	struct guest *g = mem_alloc(sizeof(*g));
	*g = (struct guest){.gate = gate, .outbind = outbind, .next = gate->guests, .at = &gate->guests};
	if (g->next)
		g->next->at = &g->next;
	gate->guests = g;
	gate->count++;
	g->pump = link_pump_accept(gate->loop, from, &session, &guest_ops, g);
}

static void accept_cb(void *ctx, struct listener *from)
{
	welcome(ctx, from, false);
}

static void outbind_cb(void *ctx, struct listener *from)
{
	welcome(ctx, from, true);
}

static void read_accounts(struct gate *gate)
{
	gate->accounts = mem_alloc((gate->config.account_count + 1) * sizeof(*gate->accounts));
	for (unsigned i = 0; i < gate->config.account_count; i++)
		gate->accounts[i].row = &gate->config.accounts[i];
}

static bool listen_on(struct gate *gate, const char *address, net_accept_cb cb, struct listener **to, struct buf *error)
{
	if (!*address)
		return true;
	*to = net_listen(gate->loop, address, gate->config.tls, cb, gate, error);
	return *to != NULL;
}

struct gate *link_gate_new(struct loop *l, const struct gate_config *config, struct buf *error)
{
	struct gate *gate = mem_alloc(sizeof(*gate));
	*gate = (struct gate){.loop = l, .config = *config};
	read_accounts(gate);
	gate->passwords = net_passwords_new(l);
	if (listen_on(gate, config->listen, accept_cb, &gate->listener, error) &&
	    listen_on(gate, config->outbind_listen, outbind_cb, &gate->outbind_listener, error))
		return gate;
	link_gate_close(gate);
	link_gate_free(gate);
	return NULL;
}

void link_gate_set_tls(struct gate *g, struct tls_context *tls)
{
	g->config.tls = tls;
	if (g->listener)
		net_listener_set_tls(g->listener, tls);
	if (g->outbind_listener)
		net_listener_set_tls(g->outbind_listener, tls);
}

const char *link_gate_address(const struct gate *g)
{
	return g->listener ? net_listener_address(g->listener) : "";
}

const char *link_gate_outbind_address(const struct gate *g)
{
	return g->outbind_listener ? net_listener_address(g->outbind_listener) : "";
}

void link_gate_close(struct gate *g)
{
	net_listener_free(g->listener);
	net_listener_free(g->outbind_listener);
	g->listener = g->outbind_listener = NULL;
	for (struct guest *guest = g->guests; guest; guest = guest->next)
		link_pump_close(guest->pump, "shutting_down");
}

unsigned link_gate_guests(const struct gate *g)
{
	return g->count;
}

void link_gate_free(struct gate *g)
{
	if (!g)
		return;
	check(g->count == 0);
	net_passwords_free(g->passwords);
	free(g->accounts);
	free(g);
}
