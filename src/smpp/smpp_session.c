#include "smpp_session.h"

#include "base_check.h"
#include "base_pool.h"
#include "smpp_inbound.h"
#include "smpp_machine.h"
#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define PROBES_DEAF 3 /* probes while octets come but no whole PDU: a command_length lied, nothing is understood */
#define PROBE_ANSWER_MS 30000 /* longest wait for a sign of life after enquire_link (trap 5) */
#define ID_MAX 64             /* message_id without its NUL */

const char *smpp_session_state_name(enum smpp_session_state s)
{
	static const char *const names[SMPP_SESSION_STATE_COUNT] = {
	        [SMPP_SESSION_CLOSED] = "closed",
	        [SMPP_SESSION_OPEN] = "open",
	        [SMPP_SESSION_BOUND] = "bound",
	        [SMPP_SESSION_UNBINDING] = "unbinding",
	};
	return s < SMPP_SESSION_STATE_COUNT ? names[s] : "unknown";
}

static void set_config(struct smpp_session *s, const struct smpp_session_config *config)
{
	s->config = *config;
	s->config.system_id = mem_copy_str(config->system_id ? config->system_id : "");
	s->config.password = mem_copy_str(config->password ? config->password : "");
	s->config.system_type = mem_copy_str(config->system_type ? config->system_type : "");
	s->config.address_range = mem_copy_str(config->address_range ? config->address_range : "");
	s->bind_kind = config->bind_kind;
}

static void free_config(struct smpp_session *s)
{
	free((char *)s->config.system_id);
	free((char *)s->config.password);
	free((char *)s->config.system_type);
	free((char *)s->config.address_range);
}

struct smpp_session *smpp_session_new(const struct smpp_session_config *config)
{
	struct smpp_session *s = mem_alloc(sizeof *s);
	memset(s, 0, sizeof *s);
	set_config(s, config);
	check(config->first_sequence <= INT32_MAX);
	s->next_sequence = config->first_sequence ? config->first_sequence : 1;
	s->window = smpp_window_new(config->window);
	s->in = BUF(SMPP_SESSION_IN_BYTES);
	s->out = BUF(LIMIT_SESSION_OUT_BYTES + 2 * LIMIT_PDU_BYTES); /* a submit that began below the limit fits */
	return s;
}

void smpp_session_free(struct smpp_session *s)
{
	if (!s)
		return;
	free_config(s);
	smpp_window_free(s->window);
	buf_free(&s->in);
	buf_free(&s->out);
	free(s);
}

enum smpp_session_state smpp_session_state(const struct smpp_session *s)
{
	return s->state;
}

static bool alive(const struct smpp_session *s)
{
	return s->state != SMPP_SESSION_CLOSED && !s->ended && !s->gone;
}

static void write_bind(struct smpp_session *s)
{
	static const enum smpp_command commands[] = {
	        [SMPP_BIND_TRX] = SMPP_bind_transceiver,
	        [SMPP_BIND_TX] = SMPP_bind_transmitter,
	        [SMPP_BIND_RX] = SMPP_bind_receiver,
	};
	struct smpp_fault fault;
	s->bind_command = commands[s->bind_kind];
	s->bind_sequence = smpp_machine_sequence(s);
	smpp_pdu_init(&s->reply, s->bind_command, s->bind_sequence);
	smpp_pdu_set_text(&s->reply, SMPP_F_system_id, view_str(s->config.system_id));
	smpp_pdu_set_text(&s->reply, SMPP_F_password, view_str(s->config.password));
	smpp_pdu_set_text(&s->reply, SMPP_F_system_type, view_str(s->config.system_type));
	smpp_pdu_set_text(&s->reply, SMPP_F_address_range, view_str(s->config.address_range));
	smpp_pdu_set_number(&s->reply, SMPP_F_interface_version, s->config.interface_version);
	if (!smpp_pdu_encode(&s->reply, &s->out, &fault))
		smpp_machine_end(s, SMPP_REASON_bind_invalid);
}

static void write_outbind(struct smpp_session *s)
{
	struct smpp_fault fault;
	smpp_pdu_init(&s->reply, SMPP_outbind, smpp_machine_sequence(s));
	smpp_pdu_set_text(&s->reply, SMPP_F_system_id, view_str(s->config.system_id));
	smpp_pdu_set_text(&s->reply, SMPP_F_password, view_str(s->config.password));
	if (!smpp_pdu_encode(&s->reply, &s->out, &fault))
		smpp_machine_end(s, SMPP_REASON_bind_invalid);
}

/* Nothing of an earlier connection may reach this one. */
static void forget_connection(struct smpp_session *s)
{
	smpp_window_clear(s->window);
	buf_clear(&s->in);
	buf_clear(&s->out);
	s->in_at = 0;
	s->held_n = 0;
	s->peer_open = s->blind_nacks = 0;
	s->bind_sequence = s->probe_sequence = s->unbind_sequence = 0;
	s->probing = s->bind_waits = s->outbind_waits = s->ended = s->close_told = s->gone = false;
	s->close_reason = NULL;
}

void smpp_session_open(struct smpp_session *s, int64_t now_ms)
{
	check(s->state == SMPP_SESSION_CLOSED && smpp_window_used(s->window) == 0);
	forget_connection(s);
	s->state = SMPP_SESSION_OPEN;
	s->now_ms = s->heard_ms = now_ms;
	s->probes_deaf = 0;
	s->bind_until_ms = now_ms + s->config.bind_ms;
	s->version = s->config.interface_version;
	if (s->config.role == SMPP_MC && s->config.outbind)
		write_outbind(s);
	else if (s->config.role == SMPP_ESME && !s->config.outbind)
		write_bind(s);
}

void smpp_session_outbind_accept(struct smpp_session *s, int64_t now_ms)
{
	smpp_machine_hear_time(s, now_ms);
	if (!alive(s) || !s->outbind_waits)
		return;
	s->outbind_waits = false;
	s->bind_until_ms = s->now_ms + s->config.bind_ms;
	write_bind(s);
}

void smpp_session_outbind_refuse(struct smpp_session *s)
{
	if (alive(s) && s->outbind_waits)
		smpp_machine_end(s, SMPP_REASON_outbind_refused);
}

void smpp_session_feed(struct smpp_session *s, struct view octets, int64_t now_ms)
{
	smpp_machine_hear_time(s, now_ms);
	if (!alive(s) || octets.n == 0)
		return;
	s->heard_ms = s->now_ms;
	s->probing = false;
	buf_drop(&s->in, s->in_at);
	s->in_at = 0;
	if (!buf_add_view(&s->in, octets))
		smpp_machine_end(s, SMPP_REASON_input_full);
}

static bool probes(const struct smpp_session *s)
{
	return s->state == SMPP_SESSION_BOUND && s->config.enquire_ms > 0;
}

static void tick_probe(struct smpp_session *s)
{
	if (!probes(s))
		return;
	if (s->probing) {
		if (s->now_ms >= s->probe_until_ms)
			smpp_machine_end(s, SMPP_REASON_enquire_link_timeout);
	} else if (s->now_ms - s->heard_ms >= s->config.enquire_ms) {
		if (s->probes_deaf++ == PROBES_DEAF) {
			smpp_machine_end(s, SMPP_REASON_enquire_link_timeout);
			return;
		}
		int64_t wait_ms = s->config.enquire_ms < PROBE_ANSWER_MS ? s->config.enquire_ms : PROBE_ANSWER_MS;
		s->probing = true;
		s->probe_until_ms = s->now_ms + wait_ms;
		s->probe_sequence = smpp_machine_request(s, SMPP_enquire_link);
	}
}

void smpp_session_tick(struct smpp_session *s, int64_t now_ms)
{
	smpp_machine_hear_time(s, now_ms);
	if (!alive(s))
		return;
	if (s->state == SMPP_SESSION_OPEN && s->now_ms >= s->bind_until_ms)
		smpp_machine_end(s, SMPP_REASON_bind_timeout);
	else if (s->state == SMPP_SESSION_UNBINDING && s->now_ms >= s->unbind_until_ms)
		smpp_machine_end(s, SMPP_REASON_unbind_timeout);
	else
		tick_probe(s);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t smpp_session_deadline_ms(const struct smpp_session *s)
{
	int64_t at = INT64_MAX;
	if (!alive(s))
		return at;
	if (s->state == SMPP_SESSION_OPEN)
		at = s->bind_until_ms;
	else if (s->state == SMPP_SESSION_UNBINDING)
		at = s->unbind_until_ms;
	else if (probes(s))
		at = s->probing ? s->probe_until_ms : s->heard_ms + s->config.enquire_ms;
	int64_t oldest = smpp_window_oldest_ms(s->window);
	return oldest == INT64_MAX ? at : sooner(at, oldest + s->config.answer_ms);
}

static void hold_slot(struct smpp_session *s, enum smpp_event_kind kind, const struct smpp_slot *slot, bool written)
{
	struct smpp_event *e = smpp_machine_event(s, kind);
	e->ref = slot->ref;
	e->sequence = slot->sequence;
	e->command = slot->answer;
	e->took_ms = written ? s->now_ms - slot->written_ms : 0;
}

static bool expire_one(struct smpp_session *s)
{
	int64_t oldest = smpp_window_oldest_ms(s->window);
	if (!alive(s) || oldest == INT64_MAX || s->now_ms < oldest + s->config.answer_ms)
		return false;
	struct smpp_slot slot;
	smpp_window_expire(s->window, &slot);
	hold_slot(s, SMPP_EVENT_TIMEOUT, &slot, true);
	return true;
}

static bool hand_back_one(struct smpp_session *s)
{
	struct smpp_slot slot;
	bool written;
	if (!s->gone || !smpp_window_pop(s->window, &slot, &written))
		return false;
	hold_slot(s, written ? SMPP_EVENT_UNANSWERED : SMPP_EVENT_UNSENT, &slot, written);
	return true;
}

static bool tell_close(struct smpp_session *s)
{
	if (!s->ended || s->close_told || s->gone)
		return false;
	s->close_told = true;
	smpp_machine_event(s, SMPP_EVENT_CLOSE)->reason = s->close_reason;
	return true;
}

/* Answers that are already here count before the deadline they would miss: input first, deadlines second (trap 14). */
bool smpp_session_next(struct smpp_session *s, struct smpp_event *event_r)
{
	while (s->held_n == 0)
		if (!smpp_inbound_next(s) && !expire_one(s) && !tell_close(s) && !hand_back_one(s))
			return false;
	*event_r = s->held[s->held_at];
	s->held_at = (s->held_at + 1) % SMPP_EVENTS_HELD;
	s->held_n--;
	return true;
}

uint8_t smpp_session_version(const struct smpp_session *s)
{
	return s->version;
}

bool smpp_session_transmits(const struct smpp_session *s)
{
	enum smpp_command command = s->config.role == SMPP_ESME ? SMPP_submit_sm : SMPP_deliver_sm;
	return alive(s) && smpp_state_allows(s->config.role, s->state, s->bind_kind, SMPP_OUT, command);
}

unsigned smpp_session_slots(const struct smpp_session *s)
{
	if (!smpp_session_transmits(s) || s->out.n >= LIMIT_SESSION_OUT_BYTES)
		return 0;
	return smpp_window_free_slots(s->window);
}

unsigned smpp_session_in_flight(const struct smpp_session *s)
{
	return smpp_window_used(s->window);
}

/* A 3.3 peer knows no TLVs (5.0 2.11.2); a text that stands in one cannot be said to it. */
static bool fit_version(const struct smpp_session *s, struct smpp_pdu *pdu, struct smpp_fault *fault_r)
{
	if (s->version >= SMPP_VERSION_3_4)
		return true;
	if (smpp_pdu_tlv(pdu, SMPP_TAG_message_payload)) {
		*fault_r = (struct smpp_fault){"message_payload", 0, ESME_RINVTLVSTREAM,
		                               "the session is SMPP 3.3, which has no TLVs"};
		return false;
	}
	pdu->tlvs = 0;
	return true;
}

bool smpp_session_submit(struct smpp_session *s, uint64_t ref, struct smpp_pdu *pdu, int64_t now_ms,
                         struct smpp_fault *fault_r)
{
	enum smpp_command answer = smpp_command_answer(pdu->command);
	memset(fault_r, 0, sizeof *fault_r);
	smpp_machine_hear_time(s, now_ms);
	if (answer == SMPP_UNKNOWN || smpp_session_slots(s) == 0 ||
	    !smpp_state_allows(s->config.role, s->state, s->bind_kind, SMPP_OUT, pdu->command) ||
	    !fit_version(s, pdu, fault_r))
		return false;
	uint32_t next = s->next_sequence;
	pdu->sequence_number = smpp_machine_sequence(s);
	if (!smpp_pdu_encode(pdu, &s->out, fault_r)) {
		s->next_sequence = next;
		return false;
	}
	smpp_window_open(s->window, ref, pdu->sequence_number, answer);
	return true;
}

void smpp_session_answer(struct smpp_session *s, enum smpp_command request, uint32_t sequence, uint32_t status,
                         struct view message_id)
{
	check(message_id.n <= ID_MAX && smpp_command_answer(request) != SMPP_UNKNOWN);
	if (!alive(s) || s->peer_open == 0)
		return;
	s->peer_open--;
	smpp_machine_reply(s, smpp_command_answer(request), sequence, status, message_id);
}

void smpp_session_tune(struct smpp_session *s, const struct smpp_session_config *config)
{
	struct smpp_session_config tuned = *config;
	if (!alive(s) || (!s->bind_waits && !s->outbind_waits))
		return;
	tuned.role = s->config.role;
	tuned.outbind = s->config.outbind;
	free_config(s);
	set_config(s, &tuned);
	smpp_window_free(s->window); /* nothing is in it before the bind */
	s->window = smpp_window_new(tuned.window);
	if (s->bind_waits)
		smpp_machine_agree(s, s->claimed);
}

void smpp_session_forget(struct smpp_session *s)
{
	if (alive(s) && s->peer_open > 0)
		s->peer_open--;
}

static enum smpp_bind_kind kind_of(enum smpp_command bind)
{
	return bind == SMPP_bind_transmitter ? SMPP_BIND_TX : bind == SMPP_bind_receiver ? SMPP_BIND_RX : SMPP_BIND_TRX;
}

void smpp_session_bind_accept(struct smpp_session *s, const char *system_id, int64_t now_ms)
{
	smpp_machine_hear_time(s, now_ms);
	if (!alive(s) || !s->bind_waits)
		return;
	smpp_pdu_init(&s->reply, smpp_command_answer(s->bind_command), s->bind_sequence);
	smpp_pdu_set_text(&s->reply, SMPP_F_system_id, view_str(system_id));
	if (s->version >= SMPP_VERSION_3_4)
		smpp_pdu_add_tlv(&s->reply, SMPP_TAG_sc_interface_version, view_of(&s->config.interface_version, 1));
	smpp_machine_send(s, &s->reply);
	s->bind_waits = false;
	s->bind_kind = kind_of(s->bind_command);
	s->state = SMPP_SESSION_BOUND;
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_BOUND);
	e->command = s->bind_command;
	e->sequence = s->bind_sequence;
}

void smpp_session_bind_refuse(struct smpp_session *s, uint32_t status)
{
	if (!alive(s) || !s->bind_waits)
		return;
	check(status != ESME_ROK);
	smpp_machine_reply(s, smpp_command_answer(s->bind_command), s->bind_sequence, status, (struct view){0});
	s->bind_waits = false;
	smpp_machine_end(s, SMPP_REASON_bind_refused);
}

void smpp_session_unbind(struct smpp_session *s, int64_t now_ms)
{
	smpp_machine_hear_time(s, now_ms);
	if (!alive(s) || s->state == SMPP_SESSION_UNBINDING)
		return;
	if (s->state != SMPP_SESSION_BOUND) {
		smpp_machine_end(s, SMPP_REASON_unbound);
		return;
	}
	s->unbind_sequence = smpp_machine_request(s, SMPP_unbind);
	s->unbind_until_ms = s->now_ms + s->config.unbind_ms;
	s->state = SMPP_SESSION_UNBINDING;
}

void smpp_session_closed(struct smpp_session *s)
{
	s->state = SMPP_SESSION_CLOSED;
	s->gone = true;
	buf_clear(&s->in);
	buf_clear(&s->out);
	s->in_at = 0;
}

struct view smpp_session_output(const struct smpp_session *s)
{
	return buf_view(&s->out);
}

void smpp_session_taken(struct smpp_session *s, int64_t now_ms)
{
	smpp_machine_hear_time(s, now_ms);
	buf_clear(&s->out);
	smpp_window_written(s->window, s->now_ms);
}
