/* One link to a carrier: connects, binds, reconnects with backoff and jitter, takes requests while a slot, the pace and
 * the socket allow, and hands answers and deliveries up. A link whose carrier connects to us waits to be given a
 * connection by link_gate. Knows nothing of messages: only refs. */
#ifndef LINK_CARRIER_H
#define LINK_CARRIER_H

#include "link_pump.h"

struct carrier_link;

enum link_connect {
	LINK_DIAL,    /* we connect and bind */
	LINK_ACCEPT,  /* the carrier connects and binds: we are the message centre */
	LINK_OUTBIND, /* the carrier connects and says outbind, then we bind */
};

struct carrier_link_config {
	const char *carrier; /* name, for logs and metrics */
	unsigned number;     /* 1..LIMIT_LINKS, twice that for pairs */
	enum link_connect connect;
	const char *host; /* LINK_DIAL only, with port and tls */
	int port;
	struct tls_context *tls; /* NULL: plain; referenced by the link */
	double rate;             /* segments a second, 0: no limit */
	bool congestion;         /* congestion_state of answers is heeded */
	struct smpp_session_config session;
};

/* The answer to a request. Views live for the call. */
struct link_answer {
	uint64_t ref;
	enum smpp_command command; /* what came: submit_sm_resp, generic_nack, ... */
	uint32_t status;
	struct view message_id;
	bool late;                  /* after it was given up */
	const struct smpp_pdu *pdu; /* the whole answer */
};

/* What the link tells its owner. Views live for the call. */
struct carrier_link_ops {
	void (*bound)(void *ctx, struct carrier_link *l, bool up);
	void (*answered)(void *ctx, struct carrier_link *l, const struct link_answer *answer);
	/* Written, and no answer will come on this session in time: it may have been taken. */
	void (*unanswered)(void *ctx, struct carrier_link *l, uint64_t ref);
	/* Proven never to have been written. */
	void (*unsent)(void *ctx, struct carrier_link *l, uint64_t ref);
	/* deliver_sm or data_sm, or any request of an ESME: answer with link_carrier_answer(sequence), once, later or
	 * now. */
	void (*delivered)(void *ctx, struct carrier_link *l, const struct smpp_pdu *pdu);
	/* alert_notification: the phone that source_addr names can be reached again. It has no answer. */
	void (*alerted)(void *ctx, struct carrier_link *l, const struct smpp_pdu *pdu);
};

struct carrier_link *link_carrier_new(struct loop *l, const struct carrier_link_config *config,
                                      const struct carrier_link_ops *ops, void *ctx);
/* A carrier that connects to us has done so: the pump is the link's from now on. Only when link_carrier_waits. */
void link_carrier_take(struct carrier_link *l, struct pump *pump);
/* Whether it could take a connection now. */
bool link_carrier_waits(const struct carrier_link *l);
/* Whether we are the message centre on it: ours goes as deliver_sm. */
bool link_carrier_is_centre(const struct carrier_link *l);
/* Submits of one segment that it would take now. */
unsigned link_carrier_slots(struct carrier_link *l);
/* Free slots of its window, whatever the pace lets go now. */
unsigned link_carrier_window(const struct carrier_link *l);
/* Whether it is bound so that submits may go, now or when a slot is free. */
bool link_carrier_transmits(const struct carrier_link *l);
/* Milliseconds until its pace lets more go: 0 when it does; INT64_MAX when it is not bound, or an answer must come
 * first. */
int64_t link_carrier_ready_ms(const struct carrier_link *l);
/* Segments a second that it takes while it is kept busy: by its pace, and by its window and how fast answers came. 0
 * while neither is known, or nothing may go. */
double link_carrier_rate(const struct carrier_link *l);
/* Takes a request: a submit of so many segments, or 0 for what the rate does not count. False with a sentence when the
 * PDU does not encode (then nothing happens). */
bool link_carrier_submit(struct carrier_link *l, uint64_t ref, struct smpp_pdu *pdu, unsigned segments,
                         const char **error_r);
/* Puts what was queued on the wire. */
void link_carrier_flush(struct carrier_link *l);
/* Whether its session has TLVs: not with a peer of 3.3. */
bool link_carrier_has_tlvs(const struct carrier_link *l);
/* The message_id as it is told on this link: SMPP 3.3 has room for 8 octets, and longer ids break such peers off (5.0
 * 2.11.2), so they get the last ones. A view into message_id. */
struct view link_carrier_fit_id(const struct carrier_link *l, struct view message_id);
/* generation: as it was when the delivery came; an answer for an earlier connection is dropped. message_id: at most 64
 * octets, for what an ESME submitted. */
void link_carrier_answer(struct carrier_link *l, unsigned generation, enum smpp_command request, uint32_t sequence,
                         uint32_t status, struct view message_id);
unsigned link_carrier_generation(const struct carrier_link *l);
/* The carrier said that it is too fast, or that its queue is full: smpp_pace_refused. */
void link_carrier_throttle(struct carrier_link *l, bool queue_full);
bool link_carrier_bound(const struct carrier_link *l);
unsigned link_carrier_in_flight(const struct carrier_link *l);
const char *link_carrier_name(const struct carrier_link *l);
void link_carrier_set_rate(struct carrier_link *l, double rate);
/* For the connections to come: what is bound stays as it is. A link that waits to connect again tries at once. */
void link_carrier_set_tls(struct carrier_link *l, struct tls_context *tls);
/* Takes no more; unbinds when nothing is open; closed_cb style end is seen by link_carrier_gone. */
void link_carrier_unbind(struct carrier_link *l);
bool link_carrier_gone(const struct carrier_link *l);
/* Only when gone. */
void link_carrier_free(struct carrier_link *l);

#endif
