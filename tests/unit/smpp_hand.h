/* One session whose peer is played by hand: octets are fed, what it writes is taken apart, events are expected. */
#ifndef SMPP_HAND_H
#define SMPP_HAND_H

#include "smpp_session.h"
#include "smpp_status.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ANSWER_MS 1000
#define ENQUIRE_MS 5000
#define BIND_MS 2000
#define UNBIND_MS 3000
#define WINDOW 4

static inline struct smpp_session *new_session(enum smpp_role role, enum smpp_bind_kind kind, uint32_t first)
{
	struct smpp_session_config config = {
	        .role = role,
	        .bind_kind = kind,
	        .system_id = "clinic01",
	        .password = "s3cret",
	        .system_type = "",
	        .address_range = "",
	        .interface_version = 0x34,
	        .first_sequence = first,
	        .window = WINDOW,
	        .bind_ms = BIND_MS,
	        .answer_ms = ANSWER_MS,
	        .enquire_ms = ENQUIRE_MS,
	        .unbind_ms = UNBIND_MS,
	};
	return smpp_session_new(&config);
}

static struct smpp_session *it;
static int64_t now;
static struct smpp_event event;

static inline void feed(const void *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1); /* its own memory, so that a kept pointer into it is found out */
	assert_non_null(exact);
	memcpy(exact, p, n);
	smpp_session_feed(it, view_of(exact, n), now);
	free(exact);
}

static inline void feed_pdu(const struct smpp_pdu *pdu)
{
	struct buf b = BUF(LIMIT_PDU_BYTES);
	struct smpp_fault fault;
	assert_true(smpp_pdu_encode(pdu, &b, &fault));
	feed(b.p, b.n);
	buf_free(&b);
}

static inline void feed_simple(enum smpp_command command, uint32_t sequence, uint32_t status)
{
	struct smpp_pdu pdu;
	smpp_pdu_init(&pdu, command, sequence);
	pdu.command_status = status;
	pdu.has_body = status == 0;
	feed_pdu(&pdu);
}

static inline void feed_answer(uint32_t sequence, uint32_t status, const char *message_id)
{
	struct smpp_pdu pdu;
	smpp_pdu_init(&pdu, SMPP_submit_sm_resp, sequence);
	pdu.command_status = status;
	smpp_pdu_set_text(&pdu, SMPP_F_message_id, view_str(message_id));
	feed_pdu(&pdu);
}

static inline void feed_hex(const char *hex)
{
	uint8_t octets[512];
	size_t n = strlen(hex) / 2;
	assert_true(hex_decode(view_str(hex), octets, n));
	feed(octets, n);
}

/* The PDU at the head of the output, taken. */
static uint8_t written[1 << 17];
static size_t written_n;
static struct smpp_pdu sent;

static inline void take_output(void)
{
	struct view out = smpp_session_output(it);
	assert_true(written_n + out.n <= sizeof written);
	if (out.n)
		memcpy(written + written_n, out.p, out.n);
	written_n += out.n;
	smpp_session_taken(it, now);
}

static inline bool next_sent(void)
{
	static uint8_t one[LIMIT_PDU_BYTES];
	struct smpp_fault fault;
	take_output();
	uint32_t n = smpp_frame_length(view_of(written, written_n));
	if (n == 0)
		return false;
	assert_true(n <= written_n);
	memcpy(one, written, n);
	memmove(written, written + n, written_n - n);
	written_n -= n;
	assert_true(smpp_pdu_decode(view_of(one, n), &sent, &fault));
	return true;
}

static inline void expect_sent(enum smpp_command command, uint32_t sequence, uint32_t status)
{
	assert_true(next_sent());
	if (sent.command != command || sent.sequence_number != sequence || sent.command_status != status)
		fail_msg("sent %s %u %x, not %s", smpp_command_name(sent.command), sent.sequence_number,
		         sent.command_status, smpp_command_name(command));
}

static inline void expect_nothing_sent(void)
{
	if (next_sent())
		fail_msg("sent %s", smpp_command_name(sent.command));
}

static inline void expect(enum smpp_event_kind kind)
{
	if (!smpp_session_next(it, &event))
		fail_msg("no event, not %d", kind);
	if (event.kind != kind)
		fail_msg("event %d (%s), not %d", event.kind, event.reason ? event.reason : "", kind);
}

static inline void expect_outcome(enum smpp_event_kind kind, uint64_t ref, uint32_t status)
{
	expect(kind);
	assert_int_equal(event.ref, ref);
	assert_int_equal(event.status, status);
}

static inline void expect_reason(enum smpp_event_kind kind, const char *reason)
{
	expect(kind);
	assert_string_equal(event.reason, reason);
}

static inline void expect_quiet(void)
{
	if (smpp_session_next(it, &event))
		fail_msg("event %d (%s)", event.kind, event.reason ? event.reason : "");
}

static inline void start(enum smpp_role role, enum smpp_bind_kind kind)
{
	now = 1000000;
	written_n = 0;
	it = new_session(role, kind, 0);
	assert_int_equal(smpp_session_state(it), SMPP_SESSION_CLOSED);
	smpp_session_open(it, now);
	assert_int_equal(smpp_session_state(it), SMPP_SESSION_OPEN);
}

static inline void bind_as_esme(enum smpp_bind_kind kind)
{
	static const enum smpp_command binds[] = {
	        [SMPP_BIND_TRX] = SMPP_bind_transceiver,
	        [SMPP_BIND_TX] = SMPP_bind_transmitter,
	        [SMPP_BIND_RX] = SMPP_bind_receiver,
	};
	start(SMPP_ESME, kind);
	expect_sent(binds[kind], 1, 0);
	assert_true(view_eq(sent.field[SMPP_F_password].text, VIEW("s3cret")));
	assert_int_equal(sent.field[SMPP_F_interface_version].number, 0x34);
	feed_simple(smpp_command_answer(binds[kind]), 1, 0);
	expect(SMPP_EVENT_BOUND);
	expect_quiet();
	assert_int_equal(smpp_session_state(it), SMPP_SESSION_BOUND);
}

static inline void bind_as_mc(enum smpp_command bind)
{
	start(SMPP_MC, SMPP_BIND_TRX);
	feed_simple(bind, 1, 0);
	expect(SMPP_EVENT_BIND);
	assert_int_equal(event.command, bind);
	smpp_session_bind_accept(it, "centre", now);
	expect(SMPP_EVENT_BOUND);
	expect_quiet();
	expect_sent(smpp_command_answer(bind), 1, 0);
}

static inline void stop(void)
{
	smpp_session_free(it);
	it = NULL;
}

static inline bool submit(uint64_t ref)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, SMPP_submit_sm, 0);
	smpp_pdu_set_text(&pdu, SMPP_F_destination_addr, VIEW("12125550123"));
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, VIEW("hello"));
	bool queued = smpp_session_submit(it, ref, &pdu, now, &fault);
	assert_true(queued || !fault.field);
	return queued;
}

static inline void submit_and_write(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(submit(100 + i));
	for (unsigned i = 0; i < n; i++)
		expect_sent(SMPP_submit_sm, 2 + i, 0);
}

#endif
