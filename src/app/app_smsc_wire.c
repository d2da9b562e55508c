/* The octets of a connection between its session and its socket: cut, kept back, slowed down, spoilt, or gone. */
#include "app_smsc.h"

#include "base_check.h"
#include "smpp_status.h"

#include <string.h>

#define SLICE_MS 100 /* slow_reader gives the session its octets in slices */
#define PIECE_MS 1   /* a piece of cut leaves in each turn, so that it is a segment of its own */
#define FLOOD_MAX 10000
#define GARBAGE_MAX 65536
#define OWN_SEQUENCES 0x60000000u /* of enquire_link and alerts that no session knows of */
#define OWN_SEQUENCE_COUNT 0x10000000u
#define STREAM_BYTES (LIMIT_STREAM_OUT_BYTES / 2)

void smsc_wire_free(struct smsc_wire *w)
{
	buf_free(&w->out);
	buf_free(&w->in);
	buf_free(&w->seen);
	net_timer_free(w->out_timer);
	net_timer_free(w->in_timer);
}

static struct stream *stream_of(const struct smsc_peer *p)
{
	return link_pump_stream(p->pump);
}

/* --- out -----------------------------------------------------------------------------------------------------------
 */

static void arm(struct smsc_peer *p, int64_t ms)
{
	net_timer_start(p->wire.out_timer, ms);
}

/* At once, whatever is not yet written. */
static void cut_off(struct smsc_peer *p)
{
	p->ended = true;
	net_stream_close(stream_of(p), "script_close");
}

static void finish(struct smsc_peer *p)
{
	if (p->wire.ending && p->wire.out.n == 0 && !p->wire.half_open)
		net_stream_close_flushed(stream_of(p), p->wire.end_reason);
}

/* One piece, or all that was kept back. */
static void let_go(struct smsc_peer *p)
{
	struct smsc_wire *w = &p->wire;
	size_t n = w->cut && w->cut < w->out.n ? w->cut : w->out.n;
	net_stream_write(stream_of(p), view_of(w->out.p, n));
	buf_drop(&w->out, n);
	if (w->out.n)
		arm(p, PIECE_MS);
}

static void put(struct smsc_peer *p, struct view octets)
{
	struct smsc_wire *w = &p->wire;
	if (w->half_open)
		return;
	if (!w->cut && !w->merge_ms && !w->out.n) {
		net_stream_write(stream_of(p), octets);
		return;
	}
	bool first = w->out.n == 0;
	if (!buf_add_view(&w->out, octets))
		net_stream_close(stream_of(p), "hold_full");
	else if (first)
		arm(p, w->cut ? PIECE_MS : w->merge_ms);
}

void smsc_wire_write(struct smsc_peer *p, struct view octets)
{
	link_pump_flush(p->pump);
	smsc_log_out(p, octets);
	put(p, octets);
}

void smsc_wire_close(struct smsc_peer *p, const char *reason)
{
	struct smsc_wire *w = &p->wire;
	if (!w->ending)
		copy_str(w->end_reason, sizeof(w->end_reason), reason);
	w->ending = p->ended = true;
	finish(p);
}

/* --- the session's own PDUs, changed -------------------------------------------------------------------------------
 */

static void raw_cb(struct smsc *s, struct smsc_later *l)
{
	struct smsc_peer *p = smsc_peer_of(s, l->raw.peer);
	if (p)
		smsc_wire_write(p, view_of(l->raw.octets, SMPP_HEADER_BYTES));
}

/* enquire_link_resp: true when it must not leave now. */
static bool hold_probe_answer(struct smsc_peer *p, struct view pdu, uint32_t sequence)
{
	struct smsc *s = p->smsc;
	struct script_plan plan;
	struct script_facts facts = {.event = SCRIPT_ON_probe,
	                             .now_ms = net_loop_now_ms(s->loop),
	                             .account = view_str(smsc_account_name(p)),
	                             .command = VIEW("enquire_link")};
	script_decide(s->engine, &facts, &plan);
	if (script_has(&plan, SCRIPT_close) && script_number(&plan, SCRIPT_close, 0) == 0) {
		smsc_did(s, p, &plan, SCRIPT_close, sequence);
		cut_off(p);
		return true;
	}
	if (script_has(&plan, SCRIPT_drop)) {
		smsc_did(s, p, &plan, SCRIPT_drop, sequence);
		return true;
	}
	if (!script_has(&plan, SCRIPT_delay))
		return false;
	smsc_did(s, p, &plan, SCRIPT_delay, sequence);
	struct smsc_later *l = smsc_later_add(s, script_number(&plan, SCRIPT_delay, 0), raw_cb);
	if (l) {
		l->raw.peer = p->number;
		memcpy(l->raw.octets, pdu.p, SMPP_HEADER_BYTES);
	}
	return true;
}

/* The answer to a bind with less in it. */
static void put_bind_answer(struct smsc_peer *p, struct view octets)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct buf to = BUF(1024);
	check(smpp_pdu_decode(octets, &pdu, &fault));
	if (p->bind_nack)
		smpp_pdu_init(&pdu, SMPP_generic_nack, pdu.sequence_number);
	if (p->bind_nack || p->bind_header_only)
		pdu.command_status = p->bind_status;
	if (p->bind_header_only)
		pdu.has_body = false;
	pdu.tlvs = 0;
	check(smpp_pdu_encode(&pdu, &to, &fault));
	smsc_log_out(p, buf_view(&to));
	put(p, buf_view(&to));
	buf_free(&to);
}

static bool is_bind_answer(uint32_t command_id)
{
	return command_id == 0x80000001u || command_id == 0x80000002u || command_id == 0x80000009u;
}

/* One PDU of the session; false when it goes as it is. */
static bool changed(struct smsc_peer *p, struct view pdu)
{
	struct cursor c = cursor_over(pdu);
	cursor_u32(&c);
	uint32_t command_id = cursor_u32(&c);
	cursor_u32(&c);
	uint32_t sequence = cursor_u32(&c);
	if (command_id == smpp_command_id(SMPP_enquire_link_resp) && p->smsc->watches[SCRIPT_ON_probe])
		return hold_probe_answer(p, pdu, sequence);
	if (!is_bind_answer(command_id) || !(p->bind_nack || p->bind_header_only || p->bind_plain))
		return false;
	put_bind_answer(p, pdu);
	return true;
}

static void out_cb(void *ctx, struct pump *pump, struct view octets)
{
	struct smsc_peer *p = ctx;
	(void)pump;
	bool looks = p->smsc->log || p->smsc->watches[SCRIPT_ON_probe] || !p->bound || p->bind_waits;
	for (size_t at = 0; looks && at < octets.n;) {
		struct view pdu = view_of(octets.p + at, octets.n - at);
		pdu.n = smpp_frame_length(pdu);
		check(pdu.n >= SMPP_HEADER_BYTES && pdu.n <= octets.n - at);
		if (!changed(p, pdu)) {
			smsc_log_out(p, pdu);
			put(p, pdu);
		}
		at += pdu.n;
	}
	if (!looks)
		put(p, octets);
}

/* --- in ------------------------------------------------------------------------------------------------------------
 */

static void feed(struct smsc_peer *p, struct view octets)
{
	smsc_log_in(p, octets);
	link_pump_feed(p->pump, octets);
}

/* What one slice of time allows; all of it when the time of slowness is over. */
static void slice_cb(void *ctx)
{
	struct smsc_peer *p = ctx;
	struct smsc_wire *w = &p->wire;
	if (net_loop_now_ms(p->smsc->loop) >= w->slow_until_ms)
		w->slow = 0;
	w->credit += (uint64_t)w->slow * SLICE_MS;
	size_t n = w->slow ? (size_t)(w->credit / 1000) : w->in.n;
	n = n < w->in.n ? n : w->in.n;
	w->credit -= w->slow ? n * 1000 : w->credit;
	struct buf slice = BUF(STREAM_BYTES);
	buf_add(&slice, w->in.p, n);
	buf_drop(&w->in, n);
	if (w->in.n)
		net_timer_start(w->in_timer, SLICE_MS);
	else if (!w->half_open)
		net_stream_read(stream_of(p), true);
	feed(p, buf_view(&slice));
	buf_free(&slice);
	smsc_wake(p->smsc);
}

static void in_cb(void *ctx, struct pump *pump, struct view octets)
{
	struct smsc_peer *p = ctx;
	struct smsc_wire *w = &p->wire;
	(void)pump;
	if (w->half_open) {
		net_stream_read(stream_of(p), false); /* it was not connected yet when it went silent */
		return;
	}
	if (!w->slow && !w->in.n) {
		feed(p, octets);
		return;
	}
	net_stream_read(stream_of(p), false);
	if (!buf_add_view(&w->in, octets))
		net_stream_close(stream_of(p), "hold_full");
	else
		net_timer_start(w->in_timer, SLICE_MS);
}

static void end_cb(void *ctx, struct pump *pump, const char *reason)
{
	(void)pump;
	smsc_wire_close(ctx, reason);
}

const struct pump_filter smsc_filter = {.in = in_cb, .out = out_cb, .end = end_cb};

static void out_timer_cb(void *ctx)
{
	struct smsc_peer *p = ctx;
	if (p->wire.out.n)
		let_go(p);
	finish(p);
}

void smsc_wire_init(struct smsc_peer *p)
{
	struct smsc_wire *w = &p->wire;
	w->out = BUF(SMSC_HOLD_BYTES);
	w->in = BUF(SMSC_HOLD_BYTES);
	w->seen = BUF(2 * LIMIT_PDU_BYTES + 65536);
	w->out_timer = net_timer_new(p->smsc->loop, out_timer_cb, p);
	w->in_timer = net_timer_new(p->smsc->loop, slice_cb, p);
}

/* --- faults of the connection --------------------------------------------------------------------------------------
 */

void smsc_wire_shape(struct smsc_peer *p, const struct script_plan *plan)
{
	struct smsc_wire *w = &p->wire;
	if (script_has(plan, SCRIPT_cut)) {
		smsc_did(p->smsc, p, plan, SCRIPT_cut, 0);
		w->cut = (unsigned)script_number(plan, SCRIPT_cut, 0);
	}
	if (script_has(plan, SCRIPT_merge)) {
		smsc_did(p->smsc, p, plan, SCRIPT_merge, 0);
		w->merge_ms = script_number(plan, SCRIPT_merge, 0);
	}
	if (script_has(plan, SCRIPT_slow_reader)) {
		smsc_did(p->smsc, p, plan, SCRIPT_slow_reader, 0);
		w->slow = (unsigned)script_number(plan, SCRIPT_slow_reader, 0);
		w->slow_until_ms = net_loop_now_ms(p->smsc->loop) + script_number(plan, SCRIPT_slow_reader, 1);
	}
}

static int64_t at_most(int64_t value, int64_t most)
{
	return value < most ? value : most;
}

static void write_garbage(struct smsc_peer *p, int64_t n)
{
	struct buf octets = BUF(GARBAGE_MAX);
	for (int64_t i = 0; i < at_most(n, GARBAGE_MAX); i++)
		buf_add_u8(&octets, (uint8_t)script_engine_draw(p->smsc->engine, SMSC_DRAW_OCTETS));
	smsc_wire_write(p, buf_view(&octets));
	buf_free(&octets);
}

static void write_header(struct smsc_peer *p, enum smpp_command command)
{
	struct buf octets = BUF(64);
	buf_add_u32(&octets, SMPP_HEADER_BYTES);
	buf_add_u32(&octets, smpp_command_id(command));
	buf_add_u32(&octets, 0);
	buf_add_u32(&octets, OWN_SEQUENCES + p->smsc->next_own_sequence++ % OWN_SEQUENCE_COUNT);
	smsc_wire_write(p, buf_view(&octets));
	buf_free(&octets);
}

void smsc_wire_noise(struct smsc_peer *p, const struct script_plan *plan, uint32_t sequence)
{
	if (script_has(plan, SCRIPT_garbage)) {
		smsc_did(p->smsc, p, plan, SCRIPT_garbage, sequence);
		write_garbage(p, script_number(plan, SCRIPT_garbage, 0));
	}
	if (script_has(plan, SCRIPT_flood)) {
		smsc_did(p->smsc, p, plan, SCRIPT_flood, sequence);
		for (int64_t i = at_most(script_number(plan, SCRIPT_flood, 0), FLOOD_MAX); i > 0; i--)
			write_header(p, SMPP_enquire_link);
	}
}

void smsc_wire_alert(struct smsc_peer *p, const char *from, const char *to)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct buf octets = BUF(1024);
	smpp_pdu_init(&pdu, SMPP_alert_notification, OWN_SEQUENCES + p->smsc->next_own_sequence++ % OWN_SEQUENCE_COUNT);
	smpp_pdu_set_number(&pdu, SMPP_F_source_addr_ton, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_source_addr_npi, 1);
	smpp_pdu_set_text(&pdu, SMPP_F_source_addr, view_str(from));
	smpp_pdu_set_number(&pdu, SMPP_F_esme_addr_ton, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esme_addr_npi, 1);
	smpp_pdu_set_text(&pdu, SMPP_F_esme_addr, view_str(to));
	check(smpp_pdu_encode(&pdu, &octets, &fault));
	smsc_wire_write(p, buf_view(&octets));
	buf_free(&octets);
}

/* --- faults that end it --------------------------------------------------------------------------------------------
 */

static void close_cb(struct smsc *s, struct smsc_later *l)
{
	struct smsc_peer *p = smsc_peer_of(s, l->peer.number);
	if (p)
		cut_off(p);
}

static void unbind_cb(struct smsc *s, struct smsc_later *l)
{
	struct smsc_peer *p = smsc_peer_of(s, l->peer.number);
	if (p)
		link_pump_unbind(p->pump);
}

static void end_later(struct smsc_peer *p, int64_t after_ms, smsc_later_cb run)
{
	struct smsc_later *l = smsc_later_add(p->smsc, after_ms, run);
	if (l)
		l->peer.number = p->number;
}

static void go_silent(struct smsc_peer *p, int64_t ms)
{
	p->wire.half_open = true;
	buf_clear(&p->wire.out);
	net_stream_read(stream_of(p), false);
	end_later(p, ms, close_cb);
}

bool smsc_wire_end(struct smsc_peer *p, const struct script_plan *plan, uint32_t sequence, int64_t base_ms)
{
	struct smsc *s = p->smsc;
	if (script_has(plan, SCRIPT_unbind)) {
		smsc_did(s, p, plan, SCRIPT_unbind, sequence);
		end_later(p, base_ms + script_number(plan, SCRIPT_unbind, 0), unbind_cb);
	} else if (script_has(plan, SCRIPT_half_open)) {
		smsc_did(s, p, plan, SCRIPT_half_open, sequence);
		go_silent(p, script_number(plan, SCRIPT_half_open, 0));
		return true;
	} else if (script_has(plan, SCRIPT_close)) {
		int64_t after_ms = base_ms + script_number(plan, SCRIPT_close, 0);
		smsc_did(s, p, plan, SCRIPT_close, sequence);
		if (after_ms > 0)
			end_later(p, after_ms, close_cb);
		else
			cut_off(p);
		return after_ms == 0;
	}
	return false;
}
