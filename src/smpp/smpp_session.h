/* One SMPP session without I/O: feed octets, take octets, tick the time, pull events. The same object serves the
 * gateway (ESME), the simulated carrier (MC), tests and fuzzers. Legality of (state, command, side) is rows:
 * proto/smpp_state.def. Times are monotonic milliseconds. Ownership: the session owns its buffers; views in an event
 * live until the next call. */
#ifndef SMPP_SESSION_H
#define SMPP_SESSION_H

#include "smpp_pdu.h"

enum smpp_role { SMPP_ESME, SMPP_MC };

enum smpp_session_state {
	SMPP_SESSION_CLOSED,    /* no connection */
	SMPP_SESSION_OPEN,      /* connected, not bound; ESME: bind sent, MC: bind awaited */
	SMPP_SESSION_BOUND,     /* bound as transmitter, receiver or transceiver */
	SMPP_SESSION_UNBINDING, /* our unbind is out, or the peer's was answered */
	SMPP_SESSION_STATE_COUNT
};
const char *smpp_session_state_name(enum smpp_session_state s);

enum smpp_bind_kind { SMPP_BIND_TRX, SMPP_BIND_TX, SMPP_BIND_RX };

struct smpp_session_config {
	enum smpp_role role;
	enum smpp_bind_kind bind_kind; /* ESME: how to bind */
	const char *system_id;         /* all copied */
	const char *password;
	const char *system_type;
	const char *address_range;
	uint8_t interface_version; /* ours: 0x33, 0x34 or 0x50 */
	uint8_t least_version;   /* MC: a peer that claims less is taken for this; larvitsmpp claims 0x00 and needs TLVs
	                          * (trap 7). 0: believed */
	bool outbind;            /* ESME: wait for the peer's outbind, then bind. MC: begin with an outbind */
	uint32_t first_sequence; /* where our sequence numbers start; 0: at 1 */
	unsigned window;         /* 1..LIMIT_WINDOW unanswered submits */
	int64_t bind_ms;         /* bind to its answer (MC: connect to bind) */
	int64_t answer_ms;       /* write of a request to its answer; then the submit is uncertain */
	int64_t enquire_ms;      /* silence before we probe */
	int64_t unbind_ms;       /* unbind to close */
};

enum smpp_event_kind {
	SMPP_EVENT_NONE,
	SMPP_EVENT_BOUND,      /* ESME: bind answered with 0. MC: answered by smpp_session_bind_accept */
	SMPP_EVENT_BIND,       /* MC: a bind request is in event.pdu: call smpp_session_bind_accept or _refuse */
	SMPP_EVENT_REFUSED,    /* ESME: bind answered with status; SMPP_EVENT_CLOSE follows */
	SMPP_EVENT_ANSWER,     /* a submit was answered, by a nack too: ref, status, message_id */
	SMPP_EVENT_TIMEOUT,    /* a submit was not answered in time: ref; it may have been taken */
	SMPP_EVENT_LATE,       /* the answer to a timed-out submit came after all: ref, status, message_id */
	SMPP_EVENT_UNSENT,     /* closing: this submit was never given to the socket: ref */
	SMPP_EVENT_UNANSWERED, /* closing: this submit was written and not answered: ref */
	SMPP_EVENT_OUTBIND,    /* ESME: an outbind is in event.pdu: call smpp_session_outbind_accept or _refuse */
	SMPP_EVENT_DELIVER,    /* deliver_sm, data_sm; MC: every request of an ESME. Answer with smpp_session_answer */
	SMPP_EVENT_ALERT,      /* alert_notification, in event.pdu */
	SMPP_EVENT_FAULT,      /* the peer broke the protocol; reason and fault say how; the session goes on */
	SMPP_EVENT_CLOSE,      /* write what output holds, then close the connection; reason says why. Comes once; input
	                        * behind it is dropped, no submit is taken, no deadline fires any more */
};

struct smpp_event {
	enum smpp_event_kind kind;
	uint64_t ref;
	uint32_t status;
	uint32_t sequence;
	enum smpp_command command;
	struct view message_id;
	int64_t took_ms; /* ANSWER, LATE: since the write */
	const struct smpp_pdu *pdu;
	struct smpp_fault fault;
	const char *reason; /* CLOSE, FAULT: stable code, proto/smpp_reason.def */
};

struct smpp_session;

struct smpp_session *smpp_session_new(const struct smpp_session_config *config);
void smpp_session_free(struct smpp_session *s);
/* Where it is; what is legal there: proto/smpp_state.def. */
enum smpp_session_state smpp_session_state(const struct smpp_session *s);

/* The connection stands: an ESME writes its bind. After smpp_session_closed a session may be opened again, once every
 * event of the old connection was pulled; a request of the old connection must not be answered on the new one. */
void smpp_session_open(struct smpp_session *s, int64_t now_ms);
/* Octets from the peer; all are taken. Pull all events after each feed: PDUs are decoded one at a time as events are
 * pulled, and what waits has a ceiling of SMPP_SESSION_IN_BYTES, past which the session ends ("input_full"). */
#define SMPP_SESSION_IN_BYTES (4 * LIMIT_PDU_BYTES)
void smpp_session_feed(struct smpp_session *s, struct view octets, int64_t now_ms);
/* Fires deadlines that have passed. */
void smpp_session_tick(struct smpp_session *s, int64_t now_ms);
/* When tick is wanted next; INT64_MAX when never. */
int64_t smpp_session_deadline_ms(const struct smpp_session *s);
/* Pulls the next event; false when there is none. Call until false after open, feed, tick, bind_accept, bind_refuse,
 * unbind, closed. */
bool smpp_session_next(struct smpp_session *s, struct smpp_event *event_r);

/* The lower of both sides' versions, 0x33, 0x34 or 0x50; ours until bound (3.4 4.1.2, 5.0 2.11.2). Below 0x34 no TLV is
 * written. */
uint8_t smpp_session_version(const struct smpp_session *s);
/* Whether it is bound so that it may send submit_sm (MC: deliver_sm), with a free slot or not. */
bool smpp_session_transmits(const struct smpp_session *s);
/* Free slots of the window; 0 unless bound to transmit and the output is below LIMIT_SESSION_OUT_BYTES. */
unsigned smpp_session_slots(const struct smpp_session *s);
unsigned smpp_session_in_flight(const struct smpp_session *s);
/* Queues a request that has an answer (submit_sm; MC: deliver_sm) under ref; its sequence_number is set here, and on a
 * 3.3 session its TLVs are left out (a fault when one holds the text). The slot's deadline starts at
 * smpp_session_taken. False with a fault when the PDU does not encode, or (fault_r->field NULL) when there is no slot
 * or the state does not allow the command. */
bool smpp_session_submit(struct smpp_session *s, uint64_t ref, struct smpp_pdu *pdu, int64_t now_ms,
                         struct smpp_fault *fault_r);
/* Answers a SMPP_EVENT_DELIVER request; dropped when the session has ended. message_id (at most 64 octets) only matters
 * to an MC answering submit_sm. */
void smpp_session_answer(struct smpp_session *s, enum smpp_command request, uint32_t sequence, uint32_t status,
                         struct view message_id);
/* A request that is not answered through the session, or never: the place that it holds among the open ones is free
 * again. */
void smpp_session_forget(struct smpp_session *s);
/* ESME: the outbind came from whom it should: the bind is written, and bind_ms starts anew. Or it did not: the session
 * ends (3.4 2.2.1: an outbind has no answer). Nothing happens when the session ended meanwhile. */
void smpp_session_outbind_accept(struct smpp_session *s, int64_t now_ms);
void smpp_session_outbind_refuse(struct smpp_session *s);
/* While a bind or outbind waits for its decision: the settings of who it turned out to be. role and outbind stay as
 * they are; nothing happens at any other time. */
void smpp_session_tune(struct smpp_session *s, const struct smpp_session_config *config);
/* MC: ends the bind handshake begun by SMPP_EVENT_BIND. PDUs behind the bind wait until then; refusing ends in
 * SMPP_EVENT_CLOSE. Nothing happens when the session ended meanwhile. */
void smpp_session_bind_accept(struct smpp_session *s, const char *system_id, int64_t now_ms);
void smpp_session_bind_refuse(struct smpp_session *s, uint32_t status);
/* Asks the peer to end: no more submits are taken; SMPP_EVENT_CLOSE follows at its answer or at unbind_ms. */
void smpp_session_unbind(struct smpp_session *s, int64_t now_ms);
/* The connection is gone: every open submit comes back as UNSENT or UNANSWERED; then the state is CLOSED. */
void smpp_session_closed(struct smpp_session *s);

/* Octets for the socket. After giving all of them to the socket call smpp_session_taken, which empties the output and
 * starts the deadlines of the requests among them (SMPP_EVENT_TIMEOUT counts from the write, trap 13). No other call on
 * the session may come between the two. */
struct view smpp_session_output(const struct smpp_session *s);
void smpp_session_taken(struct smpp_session *s, int64_t now_ms);

#endif
