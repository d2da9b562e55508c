/* Binding, in both roles. */
#include "smpp_hand.h"

static void binds_in_every_kind(void **state)
{
	(void)state;
	static const unsigned slots[] = {[SMPP_BIND_TRX] = WINDOW, [SMPP_BIND_TX] = WINDOW, [SMPP_BIND_RX] = 0};
	for (unsigned kind = SMPP_BIND_TRX; kind <= SMPP_BIND_RX; kind++) {
		bind_as_esme((enum smpp_bind_kind)kind);
		assert_int_equal(smpp_session_slots(it), slots[kind]);
		stop();
	}
}

static void refused_bind_closes(void **state)
{
	(void)state;
	start(SMPP_ESME, SMPP_BIND_TRX);
	assert_int_equal(smpp_session_slots(it), 0);
	assert_false(submit(1));
	feed_simple(SMPP_bind_transceiver_resp, 1, ESME_RINVPASWD);
	expect_outcome(SMPP_EVENT_REFUSED, 0, ESME_RINVPASWD);
	expect_reason(SMPP_EVENT_CLOSE, "bind_refused");
	expect_quiet();
	stop();
}

static void nacked_bind_is_refused(void **state)
{
	(void)state;
	static const uint32_t statuses[][2] = {{ESME_RINVCMDID, ESME_RINVCMDID}, {ESME_ROK, ESME_RUNKNOWNERR}};
	for (size_t i = 0; i < 2; i++) {
		start(SMPP_ESME, SMPP_BIND_TRX);
		feed_simple(SMPP_generic_nack, 1, statuses[i][0]);
		expect_outcome(SMPP_EVENT_REFUSED, 0, statuses[i][1]);
		expect_reason(SMPP_EVENT_CLOSE, "bind_refused");
		stop();
	}
}

static void answers_to_other_binds_count_for_nothing(void **state)
{
	(void)state;
	start(SMPP_ESME, SMPP_BIND_TRX);
	feed_simple(SMPP_bind_transceiver_resp, 2, 0);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_bind_receiver_resp, 1, 0);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	assert_int_equal(smpp_session_state(it), SMPP_SESSION_OPEN);
	stop();
}

static void broken_body_does_not_undo_a_bind(void **state)
{
	(void)state;
	start(SMPP_ESME, SMPP_BIND_TRX);
	feed_hex("00000013"
	         "80000009"
	         "00000000"
	         "00000001"
	         "616263"); /* system_id without NUL */
	expect_reason(SMPP_EVENT_FAULT, "undecodable");
	expect(SMPP_EVENT_BOUND);
	stop();
}

static void bind_timer(void **state)
{
	(void)state;
	for (unsigned role = SMPP_ESME; role <= SMPP_MC; role++) {
		start((enum smpp_role)role, SMPP_BIND_TRX);
		assert_int_equal(smpp_session_deadline_ms(it), now + BIND_MS);
		now += BIND_MS - 1;
		smpp_session_tick(it, now);
		expect_quiet();
		now++;
		smpp_session_tick(it, now);
		expect_reason(SMPP_EVENT_CLOSE, "bind_timeout");
		assert_int_equal(smpp_session_deadline_ms(it), INT64_MAX);
		stop();
	}
}

static void bind_that_does_not_fit_is_not_sent(void **state)
{
	(void)state;
	struct smpp_session_config config = {
	        .role = SMPP_ESME,
	        .system_id = "c",
	        .system_type = "far too long a system_type",
	        .window = 1,
	};
	it = smpp_session_new(&config);
	smpp_session_open(it, 0);
	expect_reason(SMPP_EVENT_CLOSE, "bind_invalid");
	assert_int_equal(smpp_session_output(it).n, 0);
	stop();
}

static void mc_decides_the_bind_before_it_reads_on(void **state)
{
	(void)state;
	start(SMPP_MC, SMPP_BIND_TRX);
	feed_simple(SMPP_bind_transmitter, 0xfffffff0, 0);
	feed_simple(SMPP_submit_sm, 2, 0);
	expect(SMPP_EVENT_BIND);
	expect_quiet();
	expect_nothing_sent();
	smpp_session_bind_accept(it, "centre", now);
	expect(SMPP_EVENT_BOUND);
	expect(SMPP_EVENT_DELIVER);
	expect_sent(SMPP_bind_transmitter_resp, 0xfffffff0, 0);
	assert_int_equal(sent.tlvs, 0);              /* version 0 in the bind: no TLVs */
	assert_int_equal(smpp_session_slots(it), 0); /* it does not receive */
	stop();
}

static void mc_tells_its_version_to_who_knows_tlvs(void **state)
{
	(void)state;
	for (uint32_t version = 0x33; version <= 0x34; version++) {
		struct smpp_pdu pdu;
		start(SMPP_MC, SMPP_BIND_TRX);
		smpp_pdu_init(&pdu, SMPP_bind_transceiver, 1);
		smpp_pdu_set_number(&pdu, SMPP_F_interface_version, version);
		feed_pdu(&pdu);
		expect(SMPP_EVENT_BIND);
		smpp_session_bind_accept(it, "centre", now);
		expect_sent(SMPP_bind_transceiver_resp, 1, 0);
		assert_int_equal(sent.tlvs, version - 0x33);
		stop();
	}
}

static void mc_refuses_a_bind(void **state)
{
	(void)state;
	start(SMPP_MC, SMPP_BIND_TRX);
	feed_simple(SMPP_bind_receiver, 7, 0);
	expect(SMPP_EVENT_BIND);
	smpp_session_bind_refuse(it, ESME_RINVSYSID);
	expect_reason(SMPP_EVENT_CLOSE, "bind_refused");
	expect_sent(SMPP_bind_receiver_resp, 7, ESME_RINVSYSID);
	smpp_session_bind_accept(it, "centre", now); /* too late: nothing happens */
	expect_nothing_sent();
	expect_quiet();
	stop();
}

static void input_behind_an_undecided_bind_has_a_ceiling(void **state)
{
	(void)state;
	static uint8_t octets[LIMIT_PDU_BYTES];
	start(SMPP_MC, SMPP_BIND_TRX);
	feed_simple(SMPP_bind_receiver, 7, 0);
	expect(SMPP_EVENT_BIND);
	for (unsigned i = 0; i < SMPP_SESSION_IN_BYTES / LIMIT_PDU_BYTES; i++) {
		feed(octets, sizeof octets);
		expect_quiet();
	}
	feed(octets, 1);
	expect_reason(SMPP_EVENT_CLOSE, "input_full");
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(binds_in_every_kind),
	        cmocka_unit_test(refused_bind_closes),
	        cmocka_unit_test(nacked_bind_is_refused),
	        cmocka_unit_test(answers_to_other_binds_count_for_nothing),
	        cmocka_unit_test(broken_body_does_not_undo_a_bind),
	        cmocka_unit_test(bind_timer),
	        cmocka_unit_test(bind_that_does_not_fit_is_not_sent),
	        cmocka_unit_test(mc_decides_the_bind_before_it_reads_on),
	        cmocka_unit_test(mc_tells_its_version_to_who_knows_tlvs),
	        cmocka_unit_test(mc_refuses_a_bind),
	        cmocka_unit_test(input_behind_an_undecided_bind_has_a_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
