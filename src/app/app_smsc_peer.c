/* The connections of the simulated carrier: made by ESMEs or dialled, their binds, and what ends them. */
#include "app_smsc.h"

#include "base_check.h"
#include "base_pool.h"
#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define CARRIER_NAME "smsbridge-smsc"
#define BIND_MS 60000 /* connect to bind; also the longest that a bind's answer is delayed */

struct smsc_peer *smsc_peer_of(struct smsc *s, uint32_t number)
{
	struct smsc_peer *p = s->peers;
	while (p && p->number != number)
		p = p->next;
	return p;
}

const char *smsc_account_name(const struct smsc_peer *p)
{
	return p->smsc->account[p->account].name;
}

struct smsc_peer *smsc_peer_draw(struct smsc *s)
{
	unsigned bound = 0;
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		bound += p->bound && !p->ended;
	if (!bound)
		return NULL;
	unsigned at = (unsigned)(script_engine_draw(s->engine, SMSC_DRAW_WHOM) % bound);
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		if (p->bound && !p->ended && at-- == 0)
			return p;
	return NULL;
}

void smsc_flush(struct smsc *s)
{
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		if (p->dirty) {
			p->dirty = false;
			link_pump_flush(p->pump);
		}
}

/* --- binds ---------------------------------------------------------------------------------------------------------
 */

static uint8_t account_of(struct smsc *s, struct view system_id)
{
	for (unsigned i = 0; i < s->accounts; i++)
		if (view_eq(view_str(s->account[i].name), system_id))
			return (uint8_t)i;
	if (s->accounts == SMSC_ACCOUNTS_MAX)
		return SMSC_ACCOUNTS_MAX - 1;
	struct smsc_account *a = &s->account[s->accounts];
	copy_view(a->name, sizeof(a->name), system_id);
	a->last = &a->first;
	return (uint8_t)s->accounts++;
}

static void refuse(struct smsc_peer *p, uint32_t status)
{
	p->bind_waits = true; /* its answer is looked at */
	smpp_session_bind_refuse(link_pump_session(p->pump), status);
	link_pump_resume(p->pump);
}

static void accept_bind(struct smsc_peer *p)
{
	struct smsc *s = p->smsc;
	p->bind_waits = true;
	smpp_session_bind_accept(link_pump_session(p->pump), CARRIER_NAME, net_loop_now_ms(s->loop));
	p->bound = true;
	script_engine_start(s->engine, net_loop_now_ms(s->loop));
	link_pump_flush(p->pump);
	p->bind_waits = false;
}

/* Outside of events: what the session makes of it must be pulled. */
static void accept_later_cb(struct smsc *s, struct smsc_later *l)
{
	struct smsc_peer *p = smsc_peer_of(s, l->peer.number);
	if (!p || p->ended)
		return;
	if (l->peer.value)
		refuse(p, l->peer.value);
	else
		accept_bind(p);
	link_pump_resume(p->pump);
	smsc_wake(s);
}

static bool known(const struct smsc *s, const struct smpp_pdu *pdu)
{
	return (!s->system_id || view_eq(pdu->field[SMPP_F_system_id].text, view_str(s->system_id))) &&
	       (!s->password || view_eq(pdu->field[SMPP_F_password].text, view_str(s->password)));
}

/* What the script makes of the answer: its status, and how it looks. */
static uint32_t bind_status(struct smsc_peer *p, const struct script_plan *plan, uint32_t status)
{
	static const enum script_fault answers[] = {SCRIPT_status, SCRIPT_header_only, SCRIPT_nack};
	struct smsc *s = p->smsc;
	struct smsc_account *a = &s->account[p->account];
	if (script_has(plan, SCRIPT_stale_bind) && a->broke &&
	    net_loop_now_ms(s->loop) < a->broke_ms + script_number(plan, SCRIPT_stale_bind, 0)) {
		smsc_did(s, p, plan, SCRIPT_stale_bind, p->bind_sequence);
		return ESME_RALYBND;
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (script_has(plan, answers[i])) {
			smsc_did(s, p, plan, answers[i], p->bind_sequence);
			status = (uint32_t)script_number(plan, answers[i], 0);
		}
	p->bind_nack = script_has(plan, SCRIPT_nack);
	p->bind_header_only = script_has(plan, SCRIPT_header_only);
	p->bind_plain = script_has(plan, SCRIPT_no_version);
	if (p->bind_plain)
		smsc_did(s, p, plan, SCRIPT_no_version, p->bind_sequence);
	p->bind_status = status;
	if (p->bind_nack && status == 0)
		status = ESME_RBINDFAIL; /* a nack refuses, whatever it says */
	return status;
}

static void answer_bind(struct smsc_peer *p, const struct script_plan *plan, uint32_t status)
{
	struct smsc *s = p->smsc;
	if (script_has(plan, SCRIPT_drop)) {
		smsc_did(s, p, plan, SCRIPT_drop, p->bind_sequence);
		return;
	}
	status = bind_status(p, plan, status);
	s->refused += status != 0;
	if (script_has(plan, SCRIPT_delay)) {
		smsc_did(s, p, plan, SCRIPT_delay, p->bind_sequence);
		struct smsc_later *l = smsc_later_add(s, script_number(plan, SCRIPT_delay, 0), accept_later_cb);
		if (l) {
			l->peer.number = p->number;
			l->peer.value = status;
		}
	} else if (status) {
		refuse(p, status);
	} else {
		accept_bind(p);
	}
}

static void on_bind(struct smsc_peer *p, const struct smpp_event *e)
{
	struct smsc *s = p->smsc;
	struct script_plan plan;
	struct script_facts facts = {.event = SCRIPT_ON_bind,
	                             .now_ms = net_loop_now_ms(s->loop),
	                             .account = e->pdu->field[SMPP_F_system_id].text,
	                             .command = view_str(smpp_command_name(e->pdu->command))};
	p->account = account_of(s, facts.account);
	p->kind = e->pdu->command == SMPP_bind_receiver      ? SMPP_BIND_RX
	          : e->pdu->command == SMPP_bind_transmitter ? SMPP_BIND_TX
	                                                     : SMPP_BIND_TRX;
	p->bind_sequence = e->sequence;
	script_decide(s->engine, &facts, &plan);
	smsc_wire_shape(p, &plan);
	if (script_has(&plan, SCRIPT_close) && smsc_wire_end(p, &plan, e->sequence, 0))
		return;
	answer_bind(p, &plan, known(s, e->pdu) ? ESME_ROK : ESME_RINVPASWD);
	smsc_wire_noise(p, &plan, e->sequence);
	if (!script_has(&plan, SCRIPT_close))
		smsc_wire_end(p, &plan, e->sequence, 0);
	p->dirty = true;
}

/* --- events of the session -----------------------------------------------------------------------------------------
 */

static void on_outcome(struct smsc_peer *p, const struct smpp_event *e)
{
	struct smsc *s = p->smsc;
	if (e->kind == SMPP_EVENT_ANSWER || e->kind == SMPP_EVENT_LATE) {
		s->acknowledged++;
		smsc_delivery_answered(s, e->ref, e->status);
	} else {
		smsc_delivery_lost(s, e->ref);
	}
}

static void event_cb(void *ctx, struct pump *pump, const struct smpp_event *e)
{
	struct smsc_peer *p = ctx;
	(void)pump;
	if (e->kind == SMPP_EVENT_BIND)
		on_bind(p, e);
	else if (e->kind == SMPP_EVENT_DELIVER)
		smsc_request(p, e->pdu);
	else if (e->kind == SMPP_EVENT_FAULT)
		smsc_log_event(p->smsc, p, "fault", e->reason);
	else if (e->kind != SMPP_EVENT_BOUND && e->kind != SMPP_EVENT_ALERT && e->kind != SMPP_EVENT_OUTBIND)
		on_outcome(p, e);
	smsc_wake(p->smsc);
}

static bool orderly(const char *reason)
{
	return strcmp(reason, "peer_unbind") == 0 || strcmp(reason, "unbound") == 0;
}

static void closed_cb(void *ctx, struct pump *pump, const char *reason)
{
	struct smsc_peer *p = ctx;
	struct smsc *s = p->smsc;
	struct smsc_peer **at = &s->peers;
	(void)pump;
	smsc_log_event(s, p, "closed", reason);
	if (p->bound && !orderly(reason)) {
		s->account[p->account].broke = true;
		s->account[p->account].broke_ms = net_loop_now_ms(s->loop);
	}
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	s->peer_count--;
	smsc_wire_free(&p->wire);
	free(p);
	smsc_wake(s);
}

static const struct pump_ops peer_ops = {.event = event_cb, .closed = closed_cb};

/* --- connections ---------------------------------------------------------------------------------------------------
 */

static struct smpp_session_config session_config(const struct smsc *s, bool outbind)
{
	return (struct smpp_session_config){.role = SMPP_MC,
	                                    .system_id = outbind && s->system_id ? s->system_id : CARRIER_NAME,
	                                    .password = outbind && s->password ? s->password : "",
	                                    .system_type = "",
	                                    .address_range = "",
	                                    .interface_version = 0x34,
	                                    .outbind = outbind,
	                                    .window = SMSC_WINDOW,
	                                    .bind_ms = BIND_MS,
	                                    .answer_ms = 60000,
	                                    .enquire_ms = 30000,
	                                    .unbind_ms = 5000};
}

static struct smsc_peer *peer_new(struct smsc *s)
{
	struct smsc_peer *p = mem_alloc(sizeof(*p));
	p->smsc = s;
	p->number = ++s->next_peer;
	p->next = s->peers;
	s->peers = p;
	s->peer_count++;
	smsc_wire_init(p);
	return p;
}

static void connected(struct smsc_peer *p)
{
	struct smsc *s = p->smsc;
	struct script_plan plan;
	struct script_facts facts = {.event = SCRIPT_ON_connect, .now_ms = net_loop_now_ms(s->loop)};
	link_pump_set_filter(p->pump, &smsc_filter);
	smsc_log_event(s, p, p->dialled ? "dialled" : "accepted", "");
	script_decide(s->engine, &facts, &plan);
	smsc_wire_shape(p, &plan);
	smsc_wire_end(p, &plan, 0, 0);
}

void smsc_accept(struct smsc *s, struct listener *from)
{
	if (s->peer_count >= SMSC_PEERS_MAX)
		return;
	struct smsc_peer *p = peer_new(s);
	struct smpp_session_config config = session_config(s, false);
	p->pump = link_pump_accept(s->loop, from, &config, &peer_ops, p);
	connected(p);
}

bool smsc_dial(struct smsc *s)
{
	if (!s->outbind_port || s->peer_count >= SMSC_PEERS_MAX)
		return false;
	struct smsc_peer *p = peer_new(s);
	struct smpp_session_config config = session_config(s, true);
	p->dialled = true;
	p->pump = link_pump_connect(s->loop, s->outbind_host, s->outbind_port, NULL, &config, &peer_ops, p);
	connected(p);
	return true;
}

/* --- times of the script -------------------------------------------------------------------------------------------
 */

static void half_a_pdu(struct smsc_peer *p)
{
	static const uint8_t half[] = {0, 0, 0, SMPP_HEADER_BYTES, 0, 0, 0, 0x15};
	smsc_wire_write(p, view_of(half, sizeof(half)));
	smsc_wire_close(p, "script_close");
}

static bool timed_text(struct smsc *s, const struct script_plan *plan)
{
	const struct script_value *value = plan->value[SCRIPT_mo];
	char from[SCRIPT_ADDRESS_BYTES], to[SCRIPT_ADDRESS_BYTES];
	copy_view(from, sizeof(from), value[1].given ? value[1].text : view_str(s->last_to));
	copy_view(to, sizeof(to), value[2].given ? value[2].text : view_str(s->last_from));
	for (char *c = from; *c; c++)
		if (*c == '#')
			*c = (char)('0' + script_engine_draw(s->engine, SMSC_DRAW_DIGITS) % 10);
	for (char *c = to; *c; c++)
		if (*c == '#')
			*c = (char)('0' + script_engine_draw(s->engine, SMSC_DRAW_DIGITS) % 10);
	return from[0] && to[0] && smsc_text(s, NULL, s->last_account, from, to, value[0].text, 0);
}

void smsc_timed(struct smsc *s, const struct script_plan *plan)
{
	struct smsc_peer *p = smsc_peer_draw(s);
	if (script_has(plan, SCRIPT_outbind)) {
		if (smsc_dial(s))
			smsc_did(s, NULL, plan, SCRIPT_outbind, 0);
	} else if (script_has(plan, SCRIPT_mo)) {
		if (timed_text(s, plan))
			smsc_did(s, NULL, plan, SCRIPT_mo, 0);
	} else if (p && script_has(plan, SCRIPT_alert) && s->last_to[0]) {
		smsc_did(s, p, plan, SCRIPT_alert, 0);
		smsc_wire_alert(p, s->last_to, s->last_from);
	} else if (p && script_has(plan, SCRIPT_close_mid_pdu)) {
		smsc_did(s, p, plan, SCRIPT_close_mid_pdu, 0);
		half_a_pdu(p);
	} else if (p) {
		smsc_wire_shape(p, plan);
		smsc_wire_noise(p, plan, 0);
		smsc_wire_end(p, plan, 0, 0);
	}
}
