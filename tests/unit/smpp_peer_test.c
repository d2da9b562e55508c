/* What the peer asks, sends wrongly, or leaves unsaid, and how sessions end. */
#include "smpp_hand.h"

static void deliveries_are_answered_with_17_octets(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	feed_simple(SMPP_deliver_sm, 0x80000001, 0);
	feed_simple(SMPP_data_sm, 5, 0);
	expect(SMPP_EVENT_DELIVER);
	assert_int_equal(event.command, SMPP_deliver_sm);
	assert_int_equal(event.pdu->command, SMPP_deliver_sm);
	assert_int_equal(event.sequence, 0x80000001);
	expect(SMPP_EVENT_DELIVER);
	smpp_session_answer(it, SMPP_data_sm, 5, ESME_ROK, (struct view){0});
	smpp_session_answer(it, SMPP_deliver_sm, 0x80000001, ESME_RX_T_APPN, (struct view){0});
	assert_int_equal(smpp_session_output(it).n, 34);
	expect_sent(SMPP_data_sm_resp, 5, 0);
	expect_sent(SMPP_deliver_sm_resp, 0x80000001, ESME_RX_T_APPN);
	smpp_session_answer(it, SMPP_deliver_sm, 9, ESME_ROK, (struct view){0}); /* nothing is open */
	expect_nothing_sent();
	stop();
}

static void alerts_are_told_and_not_answered(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_RX);
	feed_simple(SMPP_alert_notification, 3, 0);
	expect(SMPP_EVENT_ALERT);
	feed_hex("00000012"
	         "00000102"
	         "00000000"
	         "00000003"
	         "0101"); /* one that does not decode */
	expect_reason(SMPP_EVENT_FAULT, "undecodable");
	expect_nothing_sent();
	stop();
}

static void too_many_open_requests_are_turned_away(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	for (uint32_t i = 1; i <= LIMIT_SESSION_IN_OPEN; i++) {
		feed_simple(SMPP_deliver_sm, i, 0);
		expect(SMPP_EVENT_DELIVER);
	}
	feed_simple(SMPP_deliver_sm, 1000, 0);
	expect_reason(SMPP_EVENT_FAULT, "too_many_open");
	expect_sent(SMPP_deliver_sm_resp, 1000, ESME_RX_T_APPN);
	smpp_session_answer(it, SMPP_deliver_sm, 1, 0, (struct view){0});
	feed_simple(SMPP_deliver_sm, 1001, 0);
	expect(SMPP_EVENT_DELIVER);
	stop();
	bind_as_mc(SMPP_bind_transceiver);
	for (uint32_t i = 1; i <= LIMIT_SESSION_IN_OPEN; i++) {
		feed_simple(SMPP_submit_sm, i, 0);
		expect(SMPP_EVENT_DELIVER);
	}
	feed_simple(SMPP_submit_sm, 1000, 0);
	expect_reason(SMPP_EVENT_FAULT, "too_many_open");
	expect_sent(SMPP_submit_sm_resp, 1000, ESME_RMSGQFUL);
	stop();
}

struct refusal_case {
	const char *what;
	enum smpp_role role;
	bool bound; /* as transceiver */
	const char *hex;
	const char *reason;
	enum smpp_command answer; /* SMPP_UNKNOWN: none */
	uint32_t status;
};

#define SUBMIT_17                                                                                                      \
	"00000021"                                                                                                     \
	"00000004"                                                                                                     \
	"00000000"                                                                                                     \
	"00000011"                                                                                                     \
	"00"                                                                                                           \
	"000000"                                                                                                       \
	"000000"                                                                                                       \
	"000000"                                                                                                       \
	"0000"                                                                                                         \
	"0000000000"
#define DELIVER_17                                                                                                     \
	"00000021"                                                                                                     \
	"00000005"                                                                                                     \
	"00000000"                                                                                                     \
	"00000011"                                                                                                     \
	"00"                                                                                                           \
	"000000"                                                                                                       \
	"000000"                                                                                                       \
	"000000"                                                                                                       \
	"0000"                                                                                                         \
	"0000000000"
#define CUT(command)                                                                                                   \
	"00000011" command "00000000"                                                                                  \
	"00000011"                                                                                                     \
	"41"

static const struct refusal_case refusals[] = {
        {"3.3 command", SMPP_ESME, true, CUT("00000022"), "unknown_command", SMPP_generic_nack, ESME_RINVCMDID},
        {"whole 3.3 command", SMPP_MC, true,
         "00000012"
         "00000022"
         "00000000"
         "00000011"
         "4100",
         "unknown_command", SMPP_generic_nack, ESME_RINVCMDID},
        {"whole 3.3 answer", SMPP_ESME, true,
         "00000011"
         "80000023"
         "00000000"
         "00000011"
         "00",
         "unknown_command", SMPP_UNKNOWN, 0},
        {"command before the bind", SMPP_MC, false, CUT("00000099"), "unknown_command", SMPP_generic_nack,
         ESME_RINVCMDID},
        {"unknown answer", SMPP_ESME, true, CUT("80000022"), "unknown_command", SMPP_UNKNOWN, 0},
        {"cut deliver_sm", SMPP_ESME, true, CUT("00000005"), "undecodable", SMPP_deliver_sm_resp, ESME_RINVCMDLEN},
        {"cut submit_sm", SMPP_MC, true, CUT("00000004"), "undecodable", SMPP_submit_sm_resp, ESME_RINVCMDLEN},
        {"cut bind", SMPP_MC, false, CUT("00000009"), "undecodable", SMPP_bind_transceiver_resp, ESME_RINVCMDLEN},
        {"submit before the bind", SMPP_MC, false, SUBMIT_17, "wrong_state", SMPP_submit_sm_resp, ESME_RINVBNDSTS},
        {"deliver before the bind", SMPP_ESME, false, DELIVER_17, "wrong_state", SMPP_deliver_sm_resp, ESME_RINVBNDSTS},
        {"submit to an ESME", SMPP_ESME, true, SUBMIT_17, "wrong_state", SMPP_submit_sm_resp, ESME_RINVBNDSTS},
        {"deliver to a centre", SMPP_MC, true, DELIVER_17, "wrong_state", SMPP_deliver_sm_resp, ESME_RINVBNDSTS},
        {"unbind before the bind", SMPP_MC, false,
         "00000010"
         "00000006"
         "00000000"
         "00000011",
         "wrong_state", SMPP_unbind_resp, ESME_RINVBNDSTS},
        {"second bind", SMPP_MC, true,
         "00000017"
         "00000009"
         "00000000"
         "00000011"
         "00000000000000",
         "wrong_state", SMPP_bind_transceiver_resp, ESME_RALYBND},
        {"outbind when bound", SMPP_ESME, true,
         "00000012"
         "0000000b"
         "00000000"
         "00000011"
         "0000",
         "wrong_state", SMPP_UNKNOWN, 0},
};

static void the_wrong_is_refused_and_the_session_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		const struct refusal_case *c = &refusals[i];
		if (!c->bound)
			start(c->role, SMPP_BIND_TRX);
		else if (c->role == SMPP_ESME)
			bind_as_esme(SMPP_BIND_TRX);
		else
			bind_as_mc(SMPP_bind_transceiver);
		take_output();
		written_n = 0;
		feed_hex(c->hex);
		expect_reason(SMPP_EVENT_FAULT, c->reason);
		assert_non_null(event.fault.sentence);
		if (c->answer != SMPP_UNKNOWN)
			expect_sent(c->answer, 17, c->status);
		expect_nothing_sent();
		expect_quiet();
		feed_simple(SMPP_enquire_link, 18, 0);
		expect_quiet();
		expect_sent(SMPP_enquire_link_resp, 18, 0);
		stop();
	}
}

static void transmitters_are_not_delivered_to(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TX);
	feed_simple(SMPP_deliver_sm, 3, 0);
	expect_reason(SMPP_EVENT_FAULT, "wrong_state");
	expect_sent(SMPP_deliver_sm_resp, 3, ESME_RINVBNDSTS);
	stop();
	bind_as_mc(SMPP_bind_receiver);
	feed_simple(SMPP_submit_sm, 3, 0);
	expect_reason(SMPP_EVENT_FAULT, "wrong_state");
	expect_sent(SMPP_submit_sm_resp, 3, ESME_RINVBNDSTS);
	stop();
}

static void an_outbind_is_let_by(void **state)
{
	(void)state;
	start(SMPP_ESME, SMPP_BIND_TRX);
	expect_sent(SMPP_bind_transceiver, 1, 0);
	feed_hex("00000012"
	         "0000000b"
	         "00000000"
	         "00000011"
	         "0000");
	expect_quiet();
	expect_nothing_sent();
	stop();
}

static void lost_framing_closes(void **state)
{
	(void)state;
	static const char *const heads[] = {"0000000f00000015", "00000000", "00011171", "16030101", "ffffffff"};
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		bind_as_esme(SMPP_BIND_TRX);
		feed_simple(SMPP_enquire_link, 9, 0);
		feed_hex(heads[i]);
		expect_reason(SMPP_EVENT_CLOSE, "framing_lost");
		expect_quiet();
		expect_sent(SMPP_enquire_link_resp, 9, 0);
		expect_sent(SMPP_generic_nack, 0, ESME_RINVCMDLEN);
		feed_simple(SMPP_enquire_link, 10, 0); /* nothing is read any more */
		expect_quiet();
		expect_nothing_sent();
		assert_false(submit(1));
		stop();
	}
}

static void silence_is_probed_and_ends(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	assert_int_equal(smpp_session_deadline_ms(it), now + ENQUIRE_MS);
	now += ENQUIRE_MS - 1;
	smpp_session_tick(it, now);
	expect_nothing_sent();
	now++;
	smpp_session_tick(it, now);
	expect_sent(SMPP_enquire_link, 2, 0);
	smpp_session_tick(it, now);
	expect_nothing_sent();
	assert_int_equal(smpp_session_deadline_ms(it), now + ENQUIRE_MS);
	now += ENQUIRE_MS - 1;
	smpp_session_tick(it, now);
	expect_quiet();
	now++;
	smpp_session_tick(it, now);
	expect_reason(SMPP_EVENT_CLOSE, "enquire_link_timeout");
	stop();
}

static void a_probe_waits_half_a_minute_at_most(void **state)
{
	(void)state;
	struct smpp_session_config config = {
	        .role = SMPP_ESME, .system_id = "c", .window = 1, .bind_ms = 1000, .enquire_ms = 60000};
	written_n = 0;
	now = 0;
	it = smpp_session_new(&config);
	smpp_session_open(it, now);
	feed_simple(SMPP_bind_transceiver_resp, 1, 0);
	expect(SMPP_EVENT_BOUND);
	now = 60000;
	smpp_session_tick(it, now);
	assert_int_equal(smpp_session_deadline_ms(it), now + 30000);
	now += 30000;
	smpp_session_tick(it, now);
	expect_reason(SMPP_EVENT_CLOSE, "enquire_link_timeout");
	stop();
}

static void any_octet_is_a_sign_of_life(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	now += ENQUIRE_MS;
	smpp_session_tick(it, now);
	expect_sent(SMPP_enquire_link, 2, 0);
	now += ENQUIRE_MS - 1;
	feed("\0", 1); /* the first octet of a PDU that trickles in */
	now++;
	smpp_session_tick(it, now);
	expect_quiet();
	now += ENQUIRE_MS - 1;
	smpp_session_tick(it, now);
	expect_sent(SMPP_enquire_link, 3, 0);
	feed("\0\0\x10"
	     "\x80\0\0\x15"
	     "\0\0\0\0"
	     "\0\0\0\3",
	     15);
	expect_quiet();
	smpp_session_tick(it, now);
	expect_nothing_sent();
	assert_int_equal(smpp_session_deadline_ms(it), now + ENQUIRE_MS);
	stop();
}

static void no_probe_before_the_bind(void **state)
{
	(void)state;
	struct smpp_session_config config = {
	        .role = SMPP_ESME, .system_id = "c", .window = 1, .bind_ms = 100000, .enquire_ms = 10};
	written_n = 0;
	now = 0;
	it = smpp_session_new(&config);
	smpp_session_open(it, now);
	expect_sent(SMPP_bind_transceiver, 1, 0);
	now = 50;
	smpp_session_tick(it, now);
	expect_nothing_sent();
	feed_simple(SMPP_enquire_link, 4, 0);
	expect_quiet();
	expect_sent(SMPP_enquire_link_resp, 4, 0);
	stop();
}

static void our_unbind(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(1);
	smpp_session_unbind(it, now);
	smpp_session_unbind(it, now); /* once is enough */
	expect_sent(SMPP_unbind, 3, 0);
	expect_nothing_sent();
	assert_int_equal(smpp_session_state(it), SMPP_SESSION_UNBINDING);
	assert_int_equal(smpp_session_slots(it), 0);
	assert_false(submit(2));
	feed_answer(2, 0, "a"); /* answers and deliveries still cross it */
	feed_simple(SMPP_deliver_sm, 8, 0);
	expect_outcome(SMPP_EVENT_ANSWER, 100, 0);
	expect(SMPP_EVENT_DELIVER);
	smpp_session_answer(it, SMPP_deliver_sm, 8, 0, (struct view){0});
	expect_sent(SMPP_deliver_sm_resp, 8, 0);
	feed_simple(SMPP_unbind_resp, 3, 0);
	expect_reason(SMPP_EVENT_CLOSE, "unbound");
	expect_quiet();
	stop();
}

static void our_unbind_is_not_answered(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	smpp_session_unbind(it, now);
	assert_int_equal(smpp_session_deadline_ms(it), now + UNBIND_MS);
	now += UNBIND_MS;
	smpp_session_tick(it, now);
	expect_reason(SMPP_EVENT_CLOSE, "unbind_timeout");
	stop();
	start(SMPP_ESME, SMPP_BIND_TRX);
	smpp_session_unbind(it, now);
	expect_reason(SMPP_EVENT_CLOSE, "unbound");
	stop();
}

static void peer_unbinds_with_submits_open(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(2);
	assert_true(submit(200));
	feed_simple(SMPP_unbind, 77, 0);
	feed_answer(2, 0, "behind");
	expect_reason(SMPP_EVENT_CLOSE, "peer_unbind");
	expect_quiet();
	assert_int_equal(smpp_session_in_flight(it), 3);
	smpp_session_closed(it);
	assert_int_equal(smpp_session_state(it), SMPP_SESSION_CLOSED);
	expect_outcome(SMPP_EVENT_UNSENT, 200, 0);
	expect_outcome(SMPP_EVENT_UNANSWERED, 100, 0);
	expect_outcome(SMPP_EVENT_UNANSWERED, 101, 0);
	expect_quiet();
	stop();
	bind_as_esme(SMPP_BIND_TRX);
	feed_simple(SMPP_unbind, 77, 0);
	expect_reason(SMPP_EVENT_CLOSE, "peer_unbind");
	expect_sent(SMPP_unbind_resp, 77, 0);
	stop();
}

static void unbinds_cross(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	smpp_session_unbind(it, now);
	expect_sent(SMPP_unbind, 2, 0);
	feed_simple(SMPP_unbind, 2, 0);
	expect_reason(SMPP_EVENT_CLOSE, "peer_unbind");
	expect_sent(SMPP_unbind_resp, 2, 0);
	stop();
}

static void a_session_opens_again(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(1);
	now += ANSWER_MS;
	smpp_session_tick(it, now);
	expect_outcome(SMPP_EVENT_TIMEOUT, 100, 0);
	feed_simple(SMPP_deliver_sm, 8, 0);
	expect(SMPP_EVENT_DELIVER);
	feed("\0\0\0", 3);
	smpp_session_closed(it);
	expect_quiet();
	smpp_session_answer(it, SMPP_deliver_sm, 8, 0, (struct view){0});
	assert_int_equal(smpp_session_output(it).n, 0);
	smpp_session_open(it, now);
	expect_sent(SMPP_bind_transceiver, 3, 0);
	feed_simple(SMPP_bind_transceiver_resp, 3, 0);
	expect(SMPP_EVENT_BOUND);
	feed_answer(2, 0, "a"); /* an answer of the connection before counts for nothing */
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(deliveries_are_answered_with_17_octets),
	        cmocka_unit_test(alerts_are_told_and_not_answered),
	        cmocka_unit_test(too_many_open_requests_are_turned_away),
	        cmocka_unit_test(the_wrong_is_refused_and_the_session_goes_on),
	        cmocka_unit_test(transmitters_are_not_delivered_to),
	        cmocka_unit_test(an_outbind_is_let_by),
	        cmocka_unit_test(lost_framing_closes),
	        cmocka_unit_test(silence_is_probed_and_ends),
	        cmocka_unit_test(a_probe_waits_half_a_minute_at_most),
	        cmocka_unit_test(any_octet_is_a_sign_of_life),
	        cmocka_unit_test(no_probe_before_the_bind),
	        cmocka_unit_test(our_unbind),
	        cmocka_unit_test(our_unbind_is_not_answered),
	        cmocka_unit_test(peer_unbinds_with_submits_open),
	        cmocka_unit_test(unbinds_cross),
	        cmocka_unit_test(a_session_opens_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
