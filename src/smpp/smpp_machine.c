#include "smpp_machine.h"

#include "base_check.h"

#include <string.h>

#define SEQUENCE_MAX 0x7fffffffu

const char *smpp_reason_name(enum smpp_reason reason)
{
	static const char *const names[] = {
#define SMPP_REASON(code, kind, sentence) #code,
#include "smpp_reason.def"
#undef SMPP_REASON
	};
	return names[reason];
}

void smpp_machine_hear_time(struct smpp_session *s, int64_t now_ms)
{
	if (now_ms > s->now_ms)
		s->now_ms = now_ms;
}

void smpp_machine_agree(struct smpp_session *s, uint8_t peer)
{
	uint8_t least = s->config.role == SMPP_MC ? s->config.least_version : 0;
	uint8_t theirs = peer > least ? peer : least;
	s->version = theirs < s->config.interface_version ? theirs : s->config.interface_version;
}

struct smpp_event *smpp_machine_event(struct smpp_session *s, enum smpp_event_kind kind)
{
	check(s->held_n < SMPP_EVENTS_HELD);
	struct smpp_event *e = &s->held[(s->held_at + s->held_n++) % SMPP_EVENTS_HELD];
	memset(e, 0, sizeof *e);
	e->kind = kind;
	return e;
}

void smpp_machine_end(struct smpp_session *s, enum smpp_reason reason)
{
	if (s->ended)
		return;
	s->ended = true;
	s->close_reason = smpp_reason_name(reason);
}

static bool in_use(const struct smpp_session *s, uint32_t sequence)
{
	return sequence == s->probe_sequence || sequence == s->unbind_sequence ||
	       (s->config.role == SMPP_ESME && sequence == s->bind_sequence) || smpp_window_has(s->window, sequence);
}

uint32_t smpp_machine_sequence(struct smpp_session *s)
{
	uint32_t sequence;
	do {
		sequence = s->next_sequence;
		s->next_sequence = sequence == SEQUENCE_MAX ? 1 : sequence + 1;
	} while (in_use(s, sequence));
	return sequence;
}

void smpp_machine_send(struct smpp_session *s, const struct smpp_pdu *pdu)
{
	struct smpp_fault fault;
	if (!smpp_pdu_encode(pdu, &s->out, &fault))
		smpp_machine_end(s, SMPP_REASON_output_full);
}

static bool keeps_body(enum smpp_command answer)
{
	return answer == SMPP_deliver_sm_resp || answer == SMPP_data_sm_resp;
}

void smpp_machine_reply(struct smpp_session *s, enum smpp_command answer, uint32_t sequence, uint32_t status,
                        struct view message_id)
{
	smpp_pdu_init(&s->reply, answer, sequence);
	s->reply.command_status = status;
	s->reply.has_body = status == 0 || keeps_body(answer);
	if (answer == SMPP_submit_sm_resp || (answer == SMPP_data_sm_resp && s->config.role == SMPP_MC))
		smpp_pdu_set_text(&s->reply, SMPP_F_message_id, message_id);
	smpp_machine_send(s, &s->reply);
}

uint32_t smpp_machine_request(struct smpp_session *s, enum smpp_command command)
{
	smpp_pdu_init(&s->reply, command, smpp_machine_sequence(s));
	smpp_machine_send(s, &s->reply);
	return s->reply.sequence_number;
}
