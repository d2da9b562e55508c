/* A pure SMPP session joined to a stream: octets in, octets out, ticks. Used by the carrier links, by
 * the gate where carriers connect to us, and by the simulated carrier. */
#ifndef LINK_PUMP_H
#define LINK_PUMP_H

#include "net_stream.h"
#include "smpp_session.h"

struct pump;

struct pump_ops {
	/* One event of the session; never SMPP_EVENT_CLOSE, which the pump acts on itself. */
	void (*event)(void *ctx, struct pump *p, const struct smpp_event *e);
	/* The connection is gone and all open submits came back as events; the pump is freed after this call. */
	void (*closed)(void *ctx, struct pump *p, const char *reason);
};

/* Stands between session and stream, for a simulated carrier that misbehaves on purpose. What it is given it passes on
 * itself, changed, later or never: link_pump_feed towards the session, net_stream_write towards the peer. */
struct pump_filter {
	void (*in)(void *ctx, struct pump *p, struct view octets);
	/* Whole PDUs of the session, which must not be called meanwhile. */
	void (*out)(void *ctx, struct pump *p, struct view octets);
	/* The session is over: close the stream, now or when all is written. */
	void (*end)(void *ctx, struct pump *p, const char *reason);
};

struct pump *link_pump_connect(struct loop *l, const char *host, int port, struct tls_context *tls,
                               const struct smpp_session_config *config, const struct pump_ops *ops, void *ctx);
struct pump *link_pump_accept(struct loop *l, struct listener *from, const struct smpp_session_config *config,
                              const struct pump_ops *ops, void *ctx);
/* Hands the pump to another owner, whom every later event goes to; also from within an event. */
void link_pump_give(struct pump *p, const struct pump_ops *ops, void *ctx);
/* After a call on the session that makes events (a bind decided outside of an event): hands them out. */
void link_pump_resume(struct pump *p);
/* Right after the pump was made; its ctx is that of the ops. */
void link_pump_set_filter(struct pump *p, const struct pump_filter *filter);
/* Octets for the session, as if they had come from the stream. */
void link_pump_feed(struct pump *p, struct view octets);
struct smpp_session *link_pump_session(struct pump *p);
const char *link_pump_peer(const struct pump *p);
struct stream *link_pump_stream(const struct pump *p);
/* After something was queued in the session: gives its octets to the stream and re-arms the timer. */
void link_pump_flush(struct pump *p);
/* Octets that the socket has not taken yet. */
size_t link_pump_queued(const struct pump *p);
/* Asks the peer to unbind, or closes when not bound. */
void link_pump_unbind(struct pump *p);
void link_pump_close(struct pump *p, const char *reason);

#endif
