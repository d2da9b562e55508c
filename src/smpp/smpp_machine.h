/* The inside of a session, shared by smpp_session.c (its calls) and smpp_inbound.c (what PDUs do to it). */
#ifndef SMPP_MACHINE_H
#define SMPP_MACHINE_H

#include "smpp_session.h"
#include "smpp_state.h"
#include "smpp_window.h"

#define SMPP_EVENTS_HELD 4 /* one PDU makes at most two events, one call of ours one more */

enum smpp_reason {
#define SMPP_REASON(code, kind, sentence) SMPP_REASON_##code,
#include "smpp_reason.def"
#undef SMPP_REASON
};

struct smpp_session {
	struct smpp_session_config config; /* strings are copies */
	enum smpp_session_state state;
	enum smpp_bind_kind bind_kind;
	int64_t now_ms;        /* never goes back */
	int64_t heard_ms;      /* last octet from the peer */
	int64_t bind_until_ms; /* in OPEN */
	int64_t unbind_until_ms;
	int64_t probe_until_ms;
	bool probing;         /* an enquire_link is out and no octet came since */
	unsigned probes_deaf; /* enquire_links since the last whole PDU came */

	uint32_t next_sequence;
	uint32_t bind_sequence; /* ours, or of the peer's bind that waits for its decision; 0: none */
	uint32_t probe_sequence;
	uint32_t unbind_sequence;
	enum smpp_command bind_command; /* of the bind that waits or is out */
	bool bind_waits;                /* MC: until accepted or refused no further PDU is read */
	bool outbind_waits;             /* ESME: likewise */
	uint8_t version;                /* the lower of both sides' */
	uint8_t claimed;                /* MC: what the peer says that its own is, as a version that there is */

	struct smpp_window *window;
	unsigned peer_open;   /* peer's requests not yet answered */
	unsigned blind_nacks; /* generic_nack with sequence 0 */

	struct buf in;
	size_t in_at; /* octets of in that are done with */
	struct buf out;

	struct smpp_event held[SMPP_EVENTS_HELD];
	unsigned held_at;
	unsigned held_n;
	bool ended; /* CLOSE is decided: nothing in or out any more */
	bool close_told;
	bool gone; /* the connection is closed: slots go back */
	const char *close_reason;

	struct smpp_pdu pdu;   /* what came last; events point here */
	struct smpp_pdu reply; /* scratch of what we write */
};

#define SMPP_VERSION_3_3 0x33
#define SMPP_VERSION_3_4 0x34 /* the first that knows TLVs */
#define SMPP_VERSION_5_0 0x50

/* The code that events and logs carry. */
const char *smpp_reason_name(enum smpp_reason reason);

/* The version of both from what the peer says that its own is. */
void smpp_machine_agree(struct smpp_session *s, uint8_t peer);

void smpp_machine_hear_time(struct smpp_session *s, int64_t now_ms);
/* A free event to fill, zeroed. */
struct smpp_event *smpp_machine_event(struct smpp_session *s, enum smpp_event_kind kind);
/* Decides the end; the first reason counts. */
void smpp_machine_end(struct smpp_session *s, enum smpp_reason reason);
/* A sequence number of ours that is not in use. */
uint32_t smpp_machine_sequence(struct smpp_session *s);
/* Writes a PDU without deadline; ends the session when the output cannot take it. */
void smpp_machine_send(struct smpp_session *s, const struct smpp_pdu *pdu);
/* Writes an answer. A status takes the body away, but not from the answers whose readers want one (trap 19). */
void smpp_machine_reply(struct smpp_session *s, enum smpp_command answer, uint32_t sequence, uint32_t status,
                        struct view message_id);
/* Writes a request without fields: enquire_link or unbind. Returns its sequence. */
uint32_t smpp_machine_request(struct smpp_session *s, enum smpp_command command);

#endif
