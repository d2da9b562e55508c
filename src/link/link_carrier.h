/* One link to a carrier: connects, binds, reconnects with backoff and jitter, takes submits while a slot, the rate and
 * the socket allow, and hands answers and deliveries up. Knows nothing of messages: only refs. */
#ifndef LINK_CARRIER_H
#define LINK_CARRIER_H

#include "net_stream.h"
#include "smpp_session.h"

struct carrier_link;

struct carrier_link_config {
	const char *carrier; /* name, for logs and metrics */
	unsigned number;     /* 1..LIMIT_LINKS */
	const char *host;
	int port;
	struct tls_context *tls; /* NULL: plain */
	unsigned rate;           /* segments a second, 0: no limit */
	struct smpp_session_config session;
};

/* What the link tells its owner. Views live for the call. */
struct carrier_link_ops {
	void (*bound)(void *ctx, struct carrier_link *l, bool up);
	/* submit_sm_resp: status 0 with the carrier's message id, or a refusal. late: after it was given up. */
	void (*answered)(void *ctx, struct carrier_link *l, uint64_t ref, uint32_t status, struct view message_id,
	                 bool late);
	/* Written, and no answer will come on this session in time: it may have been taken. */
	void (*unanswered)(void *ctx, struct carrier_link *l, uint64_t ref);
	/* Proven never to have been written. */
	void (*unsent)(void *ctx, struct carrier_link *l, uint64_t ref);
	/* deliver_sm or data_sm: answer with link_carrier_answer(sequence), once, later or now. */
	void (*delivered)(void *ctx, struct carrier_link *l, const struct smpp_pdu *pdu);
};

struct carrier_link *link_carrier_new(struct loop *l, const struct carrier_link_config *config,
                                      const struct carrier_link_ops *ops, void *ctx);
/* Submits that it would take now. */
unsigned link_carrier_slots(struct carrier_link *l);
/* Takes a submit_sm; false with a sentence when the PDU does not encode (then nothing happens). */
bool link_carrier_submit(struct carrier_link *l, uint64_t ref, struct smpp_pdu *pdu, const char **error_r);
/* Puts what was queued on the wire. */
void link_carrier_flush(struct carrier_link *l);
/* generation: as it was when the delivery came; an answer for an earlier connection is dropped. */
void link_carrier_answer(struct carrier_link *l, unsigned generation, enum smpp_command request, uint32_t sequence,
                         uint32_t status);
unsigned link_carrier_generation(const struct carrier_link *l);
/* The carrier said that it is too fast: takes nothing for a while that doubles up to a minute. */
void link_carrier_throttle(struct carrier_link *l);
bool link_carrier_bound(const struct carrier_link *l);
unsigned link_carrier_in_flight(const struct carrier_link *l);
const char *link_carrier_name(const struct carrier_link *l);
void link_carrier_set_rate(struct carrier_link *l, unsigned rate);
/* Takes no more; unbinds when nothing is open; closed_cb style end is seen by link_carrier_gone. */
void link_carrier_unbind(struct carrier_link *l);
bool link_carrier_gone(const struct carrier_link *l);
/* Only when gone. */
void link_carrier_free(struct carrier_link *l);

#endif
