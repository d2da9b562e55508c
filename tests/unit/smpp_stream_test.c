/* Octets in any cut, and both roles joined in memory. */
#include "smpp_hand.h"

static void pdus_are_cut_anywhere(void **state)
{
	(void)state;
	struct buf stream = BUF(1 << 16);
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	for (uint32_t i = 1; i <= 5; i++) {
		smpp_pdu_init(&pdu, i % 2 ? SMPP_deliver_sm : SMPP_enquire_link, i);
		smpp_pdu_set_text(&pdu, SMPP_F_short_message, VIEW("a text of a patient"));
		assert_true(smpp_pdu_encode(&pdu, &stream, &fault));
	}
	for (size_t step = 1; step <= stream.n; step++) {
		unsigned delivered = 0;
		bind_as_esme(SMPP_BIND_TRX);
		for (size_t at = 0; at < stream.n; at += step) {
			feed(stream.p + at, step < stream.n - at ? step : stream.n - at);
			while (smpp_session_next(it, &event)) {
				assert_int_equal(event.kind, SMPP_EVENT_DELIVER);
				assert_int_equal(event.sequence, 1 + 2 * delivered);
				assert_true(view_eq(event.pdu->field[SMPP_F_short_message].text,
				                    VIEW("a text of a patient")));
				delivered++;
			}
		}
		assert_int_equal(delivered, 3);
		expect_sent(SMPP_enquire_link_resp, 2, 0);
		expect_sent(SMPP_enquire_link_resp, 4, 0);
		stop();
	}
	buf_free(&stream);
}

static void what_comes_behind_the_bind_answer_is_read(void **state)
{
	(void)state;
	start(SMPP_ESME, SMPP_BIND_TRX);
	feed_hex("00000011"
	         "80000009"
	         "00000000"
	         "00000001"
	         "00"
	         "00000010"
	         "00000015"
	         "00000000"
	         "00000002");
	expect(SMPP_EVENT_BOUND);
	expect_quiet();
	expect_sent(SMPP_bind_transceiver, 1, 0);
	expect_sent(SMPP_enquire_link_resp, 2, 0);
	stop();
}

static void carry(struct smpp_session *from, struct smpp_session *to, size_t step)
{
	uint8_t octets[8192];
	struct view out = smpp_session_output(from);
	size_t n = out.n;
	assert_true(n <= sizeof octets);
	if (n)
		memcpy(octets, out.p, n);
	smpp_session_taken(from, now);
	for (size_t at = 0; at < n; at += step)
		smpp_session_feed(to, view_of(octets + at, step < n - at ? step : n - at), now);
}

static unsigned pull_esme(struct smpp_session *esme, uint64_t *answered)
{
	struct smpp_event e;
	unsigned closes = 0;
	while (smpp_session_next(esme, &e)) {
		if (e.kind == SMPP_EVENT_ANSWER)
			*answered += e.ref;
		if (e.kind == SMPP_EVENT_DELIVER)
			smpp_session_answer(esme, e.command, e.sequence, 0, (struct view){0});
		closes += e.kind == SMPP_EVENT_CLOSE;
		assert_int_not_equal(e.kind, SMPP_EVENT_FAULT);
	}
	return closes;
}

static unsigned pull_mc(struct smpp_session *mc, uint64_t *answered)
{
	struct smpp_event e;
	unsigned closes = 0;
	while (smpp_session_next(mc, &e)) {
		if (e.kind == SMPP_EVENT_BIND)
			smpp_session_bind_accept(mc, "centre", now);
		if (e.kind == SMPP_EVENT_DELIVER)
			smpp_session_answer(mc, e.command, e.sequence, 0, VIEW("id-of-it"));
		if (e.kind == SMPP_EVENT_ANSWER)
			*answered += e.ref;
		closes += e.kind == SMPP_EVENT_CLOSE;
		assert_int_not_equal(e.kind, SMPP_EVENT_FAULT);
	}
	return closes;
}

static void both_roles_talk(void **state)
{
	(void)state;
	for (size_t step = 1; step < 200; step += 13) {
		struct smpp_session *esme = new_session(SMPP_ESME, SMPP_BIND_TRX, 0x7ffffff0);
		struct smpp_session *mc = new_session(SMPP_MC, SMPP_BIND_TRX, 0);
		uint64_t from_esme = 0, from_mc = 0, esme_sum = 0, mc_sum = 0;
		unsigned closes = 0;
		smpp_session_open(esme, now = 0);
		smpp_session_open(mc, now);
		for (unsigned turn = 0; turn < 60; turn++, now += 10) {
			struct smpp_pdu pdu;
			struct smpp_fault fault;
			smpp_pdu_init(&pdu, SMPP_submit_sm, 0);
			while (turn < 50 && smpp_session_submit(esme, turn + 1, &pdu, now, &fault))
				from_esme += turn + 1;
			smpp_pdu_init(&pdu, SMPP_deliver_sm, 0);
			while (turn < 50 && smpp_session_submit(mc, turn + 1, &pdu, now, &fault))
				from_mc += turn + 1;
			if (turn == 55)
				smpp_session_unbind(esme, now);
			carry(esme, mc, step);
			closes += pull_mc(mc, &mc_sum);
			carry(mc, esme, step);
			closes += pull_esme(esme, &esme_sum);
		}
		assert_true(from_esme > 100 && from_mc > 100);
		assert_int_equal(esme_sum, from_esme);
		assert_int_equal(mc_sum, from_mc);
		assert_int_equal(closes, 2);
		smpp_session_free(esme);
		smpp_session_free(mc);
	}
}

static void a_full_output_stops_submits(void **state)
{
	(void)state;
	static char text[60000];
	struct smpp_session_config config = {.role = SMPP_ESME,
	                                     .interface_version = 0x34,
	                                     .system_id = "c",
	                                     .window = LIMIT_WINDOW,
	                                     .bind_ms = 1000,
	                                     .answer_ms = 1000,
	                                     .enquire_ms = 1000};
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	unsigned queued = 0;
	now = 0;
	it = smpp_session_new(&config);
	smpp_session_open(it, now);
	feed_simple(SMPP_bind_transceiver_resp, 1, 0);
	expect(SMPP_EVENT_BOUND);
	smpp_pdu_init(&pdu, SMPP_submit_sm, 0);
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_payload, view_of(text, sizeof text));
	while (smpp_session_submit(it, 1, &pdu, now, &fault))
		queued++;
	assert_int_equal(queued, LIMIT_SESSION_OUT_BYTES / 60000 + 1);
	assert_null(fault.field);
	assert_int_equal(smpp_session_slots(it), 0);
	smpp_session_taken(it, now);
	assert_int_equal(smpp_session_slots(it), LIMIT_WINDOW - queued);
	stop();
}

static void a_peer_that_does_not_read_is_closed(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	unsigned probes = 0;
	do
		feed_simple(SMPP_enquire_link, ++probes, 0);
	while (!smpp_session_next(it, &event) && probes < 1u << 20);
	assert_int_equal(event.kind, SMPP_EVENT_CLOSE);
	assert_string_equal(event.reason, "output_full");
	assert_true(smpp_session_output(it).n > LIMIT_SESSION_OUT_BYTES);
	stop();
}

static void the_first_reason_counts(void **state)
{
	(void)state;
	static const size_t ceiling = LIMIT_SESSION_OUT_BYTES + 2 * LIMIT_PDU_BYTES;
	bind_as_esme(SMPP_BIND_TRX);
	while (smpp_session_output(it).n + 16 <= ceiling) {
		feed_simple(SMPP_enquire_link, 1, 0);
		expect_quiet();
	}
	feed_simple(SMPP_unbind, 2, 0); /* its answer has no room */
	expect_reason(SMPP_EVENT_CLOSE, "output_full");
	expect_quiet();
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pdus_are_cut_anywhere),
	        cmocka_unit_test(what_comes_behind_the_bind_answer_is_read),
	        cmocka_unit_test(both_roles_talk),
	        cmocka_unit_test(a_full_output_stops_submits),
	        cmocka_unit_test(a_peer_that_does_not_read_is_closed),
	        cmocka_unit_test(the_first_reason_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
