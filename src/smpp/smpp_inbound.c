#include "smpp_inbound.h"

#include "smpp_status.h"

#define BLIND_NACKS 3 /* generic_nack with sequence 0 that are borne (trap 17) */

static const struct view nothing = {0};

static void report(struct smpp_session *s, enum smpp_reason reason, const struct smpp_fault *fault)
{
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_FAULT);
	e->reason = smpp_reason_name(reason);
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->status = s->pdu.command_status;
	e->fault = *fault;
}

static void report_answer(struct smpp_session *s, enum smpp_reason reason, const char *sentence)
{
	struct smpp_fault fault = {"sequence_number", 12, s->pdu.command_status, sentence};
	report(s, reason, &fault);
}

/* Answers a request with a status: by its own answer, or a generic_nack when it is not known. What is an answer itself,
 * or has none, is not answered. */
static void refuse(struct smpp_session *s, uint32_t status)
{
	enum smpp_command answer = smpp_command_answer(s->pdu.command);
	if (answer != SMPP_UNKNOWN)
		smpp_machine_reply(s, answer, s->pdu.sequence_number, status, nothing);
	else if (s->pdu.command == SMPP_UNKNOWN && !(s->pdu.command_id & 0x80000000u))
		smpp_machine_reply(s, SMPP_generic_nack, s->pdu.sequence_number, status, nothing);
}

static void refuse_for(struct smpp_session *s, enum smpp_reason reason, uint32_t status, const char *sentence)
{
	struct smpp_fault fault = {"command_id", 4, status, sentence};
	refuse(s, status);
	report(s, reason, &fault);
}

/* A nack that says "no error" still says that the request was not taken. */
static uint32_t nack_status(const struct smpp_session *s)
{
	return s->pdu.command_status ? s->pdu.command_status : ESME_RUNKNOWNERR;
}

static void hold_outcome(struct smpp_session *s, enum smpp_event_kind kind, const struct smpp_slot *slot,
                         struct view message_id)
{
	bool nack = s->pdu.command == SMPP_generic_nack;
	struct smpp_event *e = smpp_machine_event(s, kind);
	e->ref = slot->ref;
	e->status = nack ? nack_status(s) : s->pdu.command_status;
	e->sequence = slot->sequence;
	e->command = s->pdu.command;
	e->message_id = message_id;
	e->took_ms = s->now_ms - slot->written_ms;
	e->pdu = &s->pdu;
}

/* Gives an answer to the request that waits for it, or waited. */
static bool settle(struct smpp_session *s, struct view message_id)
{
	struct smpp_slot slot;
	uint32_t sequence = s->pdu.sequence_number;
	if (smpp_window_close(s->window, sequence, s->pdu.command, &slot))
		hold_outcome(s, SMPP_EVENT_ANSWER, &slot, message_id);
	else if (smpp_window_close_late(s->window, sequence, s->pdu.command, &slot))
		hold_outcome(s, SMPP_EVENT_LATE, &slot, message_id);
	else
		return false;
	return true;
}

static void refused_bind(struct smpp_session *s, uint32_t status)
{
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_REFUSED);
	e->status = status;
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->pdu = &s->pdu;
	s->bind_sequence = 0;
	smpp_machine_end(s, SMPP_REASON_bind_refused);
}

/* Versions that no specification has count as the nearest lower one (trap 7). */
static uint8_t known_version(uint32_t claimed)
{
	return claimed >= SMPP_VERSION_5_0   ? SMPP_VERSION_5_0
	       : claimed >= SMPP_VERSION_3_4 ? SMPP_VERSION_3_4
	                                     : SMPP_VERSION_3_3;
}

/* Most carriers that leave sc_interface_version out, or spoil it, do use TLVs: they are taken for 3.4 (trap 8). */
static uint8_t answered_version(const struct smpp_session *s)
{
	uint32_t claimed;
	const struct smpp_tlv *tlv = smpp_pdu_tlv(&s->pdu, SMPP_TAG_sc_interface_version);
	return tlv && smpp_tlv_number(tlv, &claimed) ? known_version(claimed) : SMPP_VERSION_3_4;
}

static void on_bind_answer(struct smpp_session *s)
{
	if (s->bind_sequence == 0 || s->pdu.sequence_number != s->bind_sequence ||
	    s->pdu.command != smpp_command_answer(s->bind_command)) {
		report_answer(s, SMPP_REASON_answer_to_nothing, "no such bind is out");
		return;
	}
	if (s->pdu.command_status) {
		refused_bind(s, s->pdu.command_status);
		return;
	}
	s->bind_sequence = 0;
	s->state = SMPP_SESSION_BOUND;
	smpp_machine_agree(s, answered_version(s));
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_BOUND);
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->pdu = &s->pdu;
}

/* The peer's nack of our own bind, probe or unbind. */
static bool nacked_control(struct smpp_session *s)
{
	uint32_t sequence = s->pdu.sequence_number;
	if (s->config.role == SMPP_ESME && sequence == s->bind_sequence)
		refused_bind(s, nack_status(s));
	else if (sequence == s->unbind_sequence)
		smpp_machine_end(s, SMPP_REASON_unbound);
	else if (sequence == s->probe_sequence)
		s->probe_sequence = 0;
	else
		return false;
	return true;
}

static void on_nack(struct smpp_session *s)
{
	if (s->pdu.sequence_number == 0) {
		report_answer(s, SMPP_REASON_nack_without_sequence, "the nack does not say what it means");
		if (++s->blind_nacks >= BLIND_NACKS)
			smpp_machine_end(s, SMPP_REASON_nacked_unknown);
	} else if (!nacked_control(s) && !settle(s, nothing)) {
		report_answer(s, SMPP_REASON_answer_to_nothing, "no request is open under this number");
	}
}

static void on_probe(struct smpp_session *s)
{
	smpp_machine_reply(s, SMPP_enquire_link_resp, s->pdu.sequence_number, ESME_ROK, nothing);
}

static void on_probe_answer(struct smpp_session *s)
{
	if (s->probe_sequence && s->pdu.sequence_number == s->probe_sequence)
		s->probe_sequence = 0;
	else
		report_answer(s, SMPP_REASON_answer_to_nothing, "no such enquire_link is out");
}

static void on_bind(struct smpp_session *s)
{
	s->bind_waits = true;
	s->bind_command = s->pdu.command;
	s->bind_sequence = s->pdu.sequence_number;
	s->claimed = known_version(s->pdu.field[SMPP_F_interface_version].number);
	smpp_machine_agree(s, s->claimed);
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_BIND);
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->pdu = &s->pdu;
}

static void on_nothing(struct smpp_session *s)
{
	(void)s;
}

/* Who did not ask for it lets it by. */
static void on_outbind(struct smpp_session *s)
{
	if (!s->config.outbind || s->bind_sequence)
		return;
	s->outbind_waits = true;
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_OUTBIND);
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->pdu = &s->pdu;
}

static void on_unbind(struct smpp_session *s)
{
	smpp_machine_reply(s, SMPP_unbind_resp, s->pdu.sequence_number, ESME_ROK, nothing);
	s->state = SMPP_SESSION_UNBINDING;
	smpp_machine_end(s, SMPP_REASON_peer_unbind);
}

static void on_unbind_answer(struct smpp_session *s)
{
	if (s->unbind_sequence && s->pdu.sequence_number == s->unbind_sequence)
		smpp_machine_end(s, SMPP_REASON_unbound);
	else
		report_answer(s, SMPP_REASON_answer_to_nothing, "no such unbind is out");
}

static void on_deliver(struct smpp_session *s)
{
	if (s->peer_open >= LIMIT_SESSION_IN_OPEN) {
		refuse_for(s, SMPP_REASON_too_many_open, s->config.role == SMPP_ESME ? ESME_RX_T_APPN : ESME_RMSGQFUL,
		           "too many requests wait for their answer");
		return;
	}
	s->peer_open++;
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_DELIVER);
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->pdu = &s->pdu;
}

static void on_answer(struct smpp_session *s)
{
	if (!settle(s, s->pdu.field[SMPP_F_message_id].text))
		report_answer(s, SMPP_REASON_answer_to_nothing, "no request is open under this number");
}

static void on_alert(struct smpp_session *s)
{
	struct smpp_event *e = smpp_machine_event(s, SMPP_EVENT_ALERT);
	e->command = s->pdu.command;
	e->sequence = s->pdu.sequence_number;
	e->pdu = &s->pdu;
}

static void (*const acts[SMPP_ACT_COUNT])(struct smpp_session *) = {
        [SMPP_ACT_NONE] = on_nothing,
        [SMPP_ACT_NACK] = on_nack,
        [SMPP_ACT_PROBE] = on_probe,
        [SMPP_ACT_PROBE_ANSWER] = on_probe_answer,
        [SMPP_ACT_BIND] = on_bind,
        [SMPP_ACT_BIND_ANSWER] = on_bind_answer,
        [SMPP_ACT_OUTBIND] = on_outbind,
        [SMPP_ACT_UNBIND] = on_unbind,
        [SMPP_ACT_UNBIND_ANSWER] = on_unbind_answer,
        [SMPP_ACT_DELIVER] = on_deliver,
        [SMPP_ACT_ANSWER] = on_answer,
        [SMPP_ACT_ALERT] = on_alert,
};

static void on_wrong_state(struct smpp_session *s)
{
	if (smpp_command_is_answer(s->pdu.command)) {
		report_answer(s, SMPP_REASON_answer_to_nothing, "no request in this state has such an answer");
		return;
	}
	bool bind = smpp_state_act(s->config.role, s->pdu.command) == SMPP_ACT_BIND;
	refuse_for(s, SMPP_REASON_wrong_state, bind ? ESME_RALYBND : ESME_RINVBNDSTS,
	           "the command is not allowed in this state");
}

/* An answer with status 0 says that the request was taken, whatever became of its body: that part still counts. Fields
 * before the fault are as they came, those behind it are zero. */
static void on_undecodable_answer(struct smpp_session *s)
{
	enum smpp_act act = smpp_state_act(s->config.role, s->pdu.command);
	if ((act == SMPP_ACT_ANSWER || act == SMPP_ACT_BIND_ANSWER) &&
	    smpp_state_allows(s->config.role, s->state, s->bind_kind, SMPP_IN, s->pdu.command))
		acts[act](s);
}

static void on_undecodable(struct smpp_session *s, const struct smpp_fault *fault)
{
	report(s, s->pdu.command == SMPP_UNKNOWN ? SMPP_REASON_unknown_command : SMPP_REASON_undecodable, fault);
	if (smpp_command_is_answer(s->pdu.command))
		on_undecodable_answer(s);
	else
		refuse(s, fault->status);
}

/* Commands of 3.3 that later versions reserve: the codec reads them, a session does not know them. */
static bool disown(struct smpp_session *s, struct smpp_fault *fault)
{
	s->pdu.command = SMPP_UNKNOWN;
	*fault = (struct smpp_fault){"command_id", 4, ESME_RINVCMDID, "only SMPP 3.3 has the command"};
	return false;
}

static void on_pdu(struct smpp_session *s, struct view octets)
{
	struct smpp_fault fault;
	bool whole = smpp_pdu_decode(octets, &s->pdu, &fault);
	if (s->pdu.command != SMPP_UNKNOWN && !smpp_state_spoken(s->pdu.command))
		whole = disown(s, &fault);
	if (!whole)
		on_undecodable(s, &fault);
	else if (smpp_state_allows(s->config.role, s->state, s->bind_kind, SMPP_IN, s->pdu.command))
		acts[smpp_state_act(s->config.role, s->pdu.command)](s);
	else
		on_wrong_state(s);
}

/* What an impossible command_length of an unbound peer gives away (trap 12). */
static enum smpp_reason stranger(const struct smpp_session *s, struct view octets)
{
	static const char *const http[] = {"HTTP", "GET ", "POST", "PUT ", "HEAD", "OPTI", "PRI "};
	if (s->state != SMPP_SESSION_OPEN)
		return SMPP_REASON_framing_lost;
	if (octets.p[0] >= 0x14 && octets.p[0] <= 0x17 && octets.p[1] == 3) /* a TLS record and its version */
		return SMPP_REASON_looks_like_tls;
	for (size_t i = 0; i < sizeof http / sizeof http[0]; i++)
		if (view_eq(view_of(octets.p, 4), view_str(http[i])))
			return SMPP_REASON_looks_like_http;
	return SMPP_REASON_framing_lost;
}

bool smpp_inbound_next(struct smpp_session *s)
{
	if (s->ended || s->gone || s->bind_waits || s->outbind_waits || s->state == SMPP_SESSION_CLOSED ||
	    s->in_at == s->in.n)
		return false;
	struct view rest = view_of(s->in.p + s->in_at, s->in.n - s->in_at);
	uint32_t length = smpp_frame_length(rest);
	if (length == UINT32_MAX) {
		smpp_machine_reply(s, SMPP_generic_nack, 0, ESME_RINVCMDLEN, nothing);
		smpp_machine_end(s, stranger(s, rest));
		return true;
	}
	if (length == 0 || length > rest.n)
		return false;
	s->in_at += length;
	s->probes_deaf = 0;
	on_pdu(s, view_of(rest.p, length));
	return true;
}
