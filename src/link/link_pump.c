#include "link_pump.h"

#include "base_check.h"
#include "base_pool.h"

#include <stdlib.h>

struct pump {
	struct loop *loop;
	struct stream *stream;
	struct smpp_session *session;
	struct net_timer *timer;
	const struct pump_ops *ops;
	const struct pump_filter *filter; /* NULL: none */
	void *ctx;
	bool pumping; /* events are being handed out: the outer call goes on with what inner calls queue */
	bool closing;
};

static void write_out(struct pump *p)
{
	struct view out = smpp_session_output(p->session);
	if (out.n == 0 || p->closing)
		return;
	if (p->filter)
		p->filter->out(p->ctx, p, out);
	else
		net_stream_write(p->stream, out);
	smpp_session_taken(p->session, net_loop_now_ms(p->loop));
}

static void arm(struct pump *p)
{
	int64_t deadline_ms = smpp_session_deadline_ms(p->session);
	int64_t now_ms = net_loop_now_ms(p->loop);
	if (p->closing || deadline_ms == INT64_MAX)
		net_timer_stop(p->timer);
	else
		net_timer_start(p->timer, deadline_ms > now_ms ? deadline_ms - now_ms : 0);
}

static void end_stream(struct pump *p, const char *reason)
{
	write_out(p);
	if (p->filter)
		p->filter->end(p->ctx, p, reason);
	else
		net_stream_close_flushed(p->stream, reason);
}

static void hand_out(struct pump *p)
{
	struct smpp_event e;
	if (p->pumping)
		return;
	p->pumping = true;
	while (smpp_session_next(p->session, &e)) {
		if (e.kind == SMPP_EVENT_CLOSE) {
			end_stream(p, e.reason);
			break;
		}
		p->ops->event(p->ctx, p, &e);
	}
	p->pumping = false;
	write_out(p);
	arm(p);
}

void link_pump_flush(struct pump *p)
{
	write_out(p);
	arm(p);
}

static void opened_cb(void *ctx)
{
	struct pump *p = ctx;
	smpp_session_open(p->session, net_loop_now_ms(p->loop));
	hand_out(p);
}

void link_pump_feed(struct pump *p, struct view octets)
{
	if (p->closing)
		return;
	smpp_session_feed(p->session, octets, net_loop_now_ms(p->loop));
	hand_out(p);
}

static void octets_cb(void *ctx, struct view octets)
{
	struct pump *p = ctx;
	if (p->filter)
		p->filter->in(p->ctx, p, octets);
	else
		link_pump_feed(p, octets);
}

static void timer_cb(void *ctx)
{
	struct pump *p = ctx;
	smpp_session_tick(p->session, net_loop_now_ms(p->loop));
	hand_out(p);
}

static void closed_cb(void *ctx, const char *reason)
{
	struct pump *p = ctx;
	p->closing = true;
	smpp_session_closed(p->session);
	hand_out(p);
	p->ops->closed(p->ctx, p, reason);
	net_timer_free(p->timer);
	smpp_session_free(p->session);
	free(p);
}

static const struct stream_ops pump_stream_ops = {.opened = opened_cb, .octets = octets_cb, .closed = closed_cb};

static struct pump *pump_new(struct loop *l, const struct smpp_session_config *config, const struct pump_ops *ops,
                             void *ctx)
{
	struct pump *p = mem_alloc(sizeof(*p));
	*p = (struct pump){.loop = l, .ops = ops, .ctx = ctx};
	p->session = smpp_session_new(config);
	p->timer = net_timer_new(l, timer_cb, p);
	return p;
}

struct pump *link_pump_connect(struct loop *l, const char *host, int port, struct tls_context *tls,
                               const struct smpp_session_config *config, const struct pump_ops *ops, void *ctx)
{
	struct pump *p = pump_new(l, config, ops, ctx);
	p->stream = net_stream_connect(l, host, port, tls, &pump_stream_ops, p);
	net_stream_open_within(p->stream, config->bind_ms);
	return p;
}

struct pump *link_pump_accept(struct loop *l, struct listener *from, const struct smpp_session_config *config,
                              const struct pump_ops *ops, void *ctx)
{
	struct pump *p = pump_new(l, config, ops, ctx);
	p->stream = net_stream_accept(from, &pump_stream_ops, p);
	net_stream_open_within(p->stream, config->bind_ms);
	return p;
}

void link_pump_give(struct pump *p, const struct pump_ops *ops, void *ctx)
{
	p->ops = ops;
	p->ctx = ctx;
}

void link_pump_set_filter(struct pump *p, const struct pump_filter *filter)
{
	p->filter = filter;
}

void link_pump_resume(struct pump *p)
{
	hand_out(p);
}

struct stream *link_pump_stream(const struct pump *p)
{
	return p->stream;
}

struct smpp_session *link_pump_session(struct pump *p)
{
	return p->session;
}

const char *link_pump_peer(const struct pump *p)
{
	return net_stream_peer(p->stream);
}

size_t link_pump_queued(const struct pump *p)
{
	return net_stream_queued(p->stream);
}

void link_pump_unbind(struct pump *p)
{
	if (smpp_session_state(p->session) != SMPP_SESSION_BOUND) {
		link_pump_close(p, "shutting_down");
		return;
	}
	smpp_session_unbind(p->session, net_loop_now_ms(p->loop));
	hand_out(p);
}

void link_pump_close(struct pump *p, const char *reason)
{
	net_stream_close(p->stream, reason);
}
