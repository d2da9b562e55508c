/* What both sides make of interface_version and sc_interface_version (traps 7 and 8), and binds that begin with an
 * outbind. */
#include "smpp_hand.h"

static void start_as(enum smpp_role role, uint8_t version, uint8_t least, bool outbind)
{
	struct smpp_session_config config = {.role = role,
	                                     .system_id = "clinic01",
	                                     .password = "s3cret",
	                                     .interface_version = version,
	                                     .least_version = least,
	                                     .outbind = outbind,
	                                     .window = WINDOW,
	                                     .bind_ms = BIND_MS,
	                                     .answer_ms = ANSWER_MS,
	                                     .enquire_ms = ENQUIRE_MS,
	                                     .unbind_ms = UNBIND_MS};
	now = 1000000;
	written_n = 0;
	it = smpp_session_new(&config);
	smpp_session_open(it, now);
}

/* claimed: the octets of sc_interface_version in hex, NULL for no such TLV. */
static void trap_08_answered_version(void **state)
{
	(void)state;
	static const struct {
		uint8_t ours;
		const char *claimed;
		uint8_t agreed;
	} cases[] = {
	        {0x34, "34", 0x34}, {0x34, "50", 0x34}, {0x50, "50", 0x50},   {0x50, "34", 0x34},
	        {0x50, "33", 0x33}, {0x34, NULL, 0x34}, {0x50, NULL, 0x34},   {0x33, NULL, 0x33},
	        {0x33, "34", 0x33}, {0x34, "00", 0x33}, {0x34, "", 0x34},     {0x50, "ff", 0x50},
	        {0x50, "35", 0x34}, {0x34, "22", 0x33}, {0x34, "0034", 0x34}, {0x50, "3450500", 0x34},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t octets[8];
		struct smpp_pdu pdu;
		start_as(SMPP_ESME, cases[i].ours, 0, false);
		assert_int_equal(smpp_session_version(it), cases[i].ours);
		smpp_pdu_init(&pdu, SMPP_bind_transceiver_resp, 1);
		struct buf b = BUF(LIMIT_PDU_BYTES);
		struct smpp_fault fault;
		assert_true(smpp_pdu_encode(&pdu, &b, &fault));
		if (cases[i].claimed) {
			size_t n = strlen(cases[i].claimed) / 2;
			assert_true(hex_decode(view_of(cases[i].claimed, 2 * n), octets, n));
			buf_add_u8(&b, 0x02);
			buf_add_u8(&b, 0x10);
			buf_add_u8(&b, 0);
			buf_add_u8(&b, (uint8_t)n);
			buf_add_view(&b, view_of(octets, n));
			b.p[3] = (uint8_t)b.n;
		}
		feed(b.p, b.n);
		buf_free(&b);
		expect(SMPP_EVENT_BOUND);
		if (smpp_session_version(it) != cases[i].agreed)
			fail_msg("case %zu: agreed on %02x", i, smpp_session_version(it));
		stop();
	}
}

static void trap_07_claimed_version(void **state)
{
	(void)state;
	static const struct {
		uint8_t ours, least;
		uint32_t claimed;
		uint8_t agreed;
	} cases[] = {
	        {0x34, 0, 0x34, 0x34}, {0x34, 0, 0x00, 0x33},    {0x34, 0, 0x22, 0x33},    {0x34, 0, 0x03, 0x33},
	        {0x34, 0, 0x33, 0x33}, {0x34, 0, 0x50, 0x34},    {0x50, 0, 0x50, 0x50},    {0x50, 0, 0x4f, 0x34},
	        {0x50, 0, 0xff, 0x50}, {0x34, 0x34, 0x00, 0x34}, {0x34, 0x34, 0x33, 0x34},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct smpp_pdu pdu;
		start_as(SMPP_MC, cases[i].ours, cases[i].least, false);
		smpp_pdu_init(&pdu, SMPP_bind_transceiver, 1);
		smpp_pdu_set_number(&pdu, SMPP_F_interface_version, cases[i].claimed);
		feed_pdu(&pdu);
		expect(SMPP_EVENT_BIND);
		smpp_session_bind_accept(it, "centre", now);
		expect_sent(SMPP_bind_transceiver_resp, 1, 0);
		assert_int_equal(smpp_session_version(it), cases[i].agreed);
		assert_int_equal(sent.tlvs, cases[i].agreed >= 0x34);
		stop();
	}
}

static bool submit_with_tlv(uint16_t tag, struct smpp_fault *fault)
{
	struct smpp_pdu pdu;
	smpp_pdu_init(&pdu, SMPP_submit_sm, 0);
	smpp_pdu_set_text(&pdu, SMPP_F_destination_addr, VIEW("12125550123"));
	smpp_pdu_add_tlv(&pdu, tag, VIEW("\1\2"));
	return smpp_session_submit(it, 7, &pdu, now, fault);
}

static void no_tlv_goes_to_a_3_3_peer(void **state)
{
	(void)state;
	struct smpp_fault fault;
	start_as(SMPP_ESME, 0x33, 0, false);
	expect_sent(SMPP_bind_transceiver, 1, 0);
	assert_int_equal(sent.field[SMPP_F_interface_version].number, 0x33);
	feed_simple(SMPP_bind_transceiver_resp, 1, 0);
	expect(SMPP_EVENT_BOUND);
	assert_true(submit_with_tlv(SMPP_TAG_user_message_reference, &fault));
	expect_sent(SMPP_submit_sm, 2, 0);
	assert_int_equal(sent.tlvs, 0);
	assert_false(submit_with_tlv(SMPP_TAG_message_payload, &fault)); /* the text itself is not left out */
	assert_string_equal(fault.field, "message_payload");
	assert_int_equal(smpp_session_in_flight(it), 1);
	stop();
}

static void an_outbind_is_answered_with_a_bind(void **state)
{
	(void)state;
	start_as(SMPP_ESME, 0x34, 0, true);
	expect_nothing_sent();
	feed_simple(SMPP_outbind, 3, 0);
	feed_simple(SMPP_enquire_link, 4, 0);
	expect(SMPP_EVENT_OUTBIND);
	expect_quiet(); /* nothing is read until it is decided */
	now += BIND_MS - 1;
	smpp_session_outbind_accept(it, now);
	expect_sent(SMPP_bind_transceiver, 1, 0);
	expect_quiet();
	expect_sent(SMPP_enquire_link_resp, 4, 0);
	now += BIND_MS - 1; /* the time for the bind began anew */
	smpp_session_tick(it, now);
	feed_simple(SMPP_bind_transceiver_resp, 1, 0);
	expect(SMPP_EVENT_BOUND);
	stop();
}

static void a_wrong_outbind_ends_the_session(void **state)
{
	(void)state;
	start_as(SMPP_ESME, 0x34, 0, true);
	feed_simple(SMPP_outbind, 3, 0);
	expect(SMPP_EVENT_OUTBIND);
	smpp_session_outbind_refuse(it);
	expect_reason(SMPP_EVENT_CLOSE, "outbind_refused");
	expect_nothing_sent(); /* an outbind has no answer */
	smpp_session_outbind_accept(it, now);
	expect_nothing_sent();
	stop();
}

static void an_outbind_that_never_comes_ends_the_session(void **state)
{
	(void)state;
	start_as(SMPP_ESME, 0x34, 0, true);
	now += BIND_MS;
	smpp_session_tick(it, now);
	expect_reason(SMPP_EVENT_CLOSE, "bind_timeout");
	stop();
}

static void a_second_outbind_is_let_by(void **state)
{
	(void)state;
	start_as(SMPP_ESME, 0x34, 0, true);
	feed_simple(SMPP_outbind, 3, 0);
	expect(SMPP_EVENT_OUTBIND);
	smpp_session_outbind_accept(it, now);
	expect_sent(SMPP_bind_transceiver, 1, 0);
	feed_simple(SMPP_outbind, 4, 0);
	expect_quiet();
	expect_nothing_sent();
	stop();
}

static void a_centre_begins_with_an_outbind(void **state)
{
	(void)state;
	start_as(SMPP_MC, 0x34, 0, true);
	expect_sent(SMPP_outbind, 1, 0);
	assert_true(view_eq(sent.field[SMPP_F_system_id].text, VIEW("clinic01")));
	assert_true(view_eq(sent.field[SMPP_F_password].text, VIEW("s3cret")));
	feed_simple(SMPP_bind_receiver, 1, 0);
	expect(SMPP_EVENT_BIND);
	smpp_session_bind_accept(it, "centre", now);
	expect(SMPP_EVENT_BOUND);
	stop();
}

static void the_settings_are_those_of_who_binds(void **state)
{
	(void)state;
	struct smpp_session_config theirs = {.role = SMPP_ESME, /* not taken over */
	                                     .interface_version = 0x34,
	                                     .least_version = 0x34,
	                                     .window = WINDOW + 3,
	                                     .enquire_ms = ENQUIRE_MS};
	start_as(SMPP_MC, 0x50, 0, false);
	smpp_session_tune(it, &theirs); /* nobody is there yet */
	feed_simple(SMPP_bind_transceiver, 1, 0);
	expect(SMPP_EVENT_BIND);
	assert_int_equal(smpp_session_version(it), 0x33);
	smpp_session_tune(it, &theirs);
	assert_int_equal(smpp_session_version(it), 0x34);
	smpp_session_bind_accept(it, "centre", now);
	expect(SMPP_EVENT_BOUND);
	assert_int_equal(smpp_session_slots(it), WINDOW + 3);
	stop();
	theirs.system_id = "who-we-are";
	start_as(SMPP_ESME, 0x34, 0, true);
	feed_simple(SMPP_outbind, 1, 0);
	expect(SMPP_EVENT_OUTBIND);
	smpp_session_tune(it, &theirs);
	smpp_session_outbind_accept(it, now);
	expect_sent(SMPP_bind_transceiver, 1, 0);
	assert_true(view_eq(sent.field[SMPP_F_system_id].text, VIEW("who-we-are")));
	stop();
}

static void every_request_of_an_esme_is_handed_up(void **state)
{
	(void)state;
	static const enum smpp_command requests[] = {
	        SMPP_submit_sm,    SMPP_submit_multi,       SMPP_data_sm,
	        SMPP_query_sm,     SMPP_cancel_sm,          SMPP_replace_sm,
	        SMPP_broadcast_sm, SMPP_query_broadcast_sm, SMPP_cancel_broadcast_sm};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		bind_as_mc(SMPP_bind_transmitter);
		feed_simple(requests[i], 5, 0);
		expect(SMPP_EVENT_DELIVER);
		assert_int_equal(event.command, requests[i]);
		smpp_session_answer(it, requests[i], 5, ESME_ROK, (struct view){0});
		smpp_session_answer(it, requests[i], 5, ESME_ROK, (struct view){0}); /* nothing is open: not written */
		expect_sent(smpp_command_answer(requests[i]), 5, 0);
		expect_nothing_sent();
		stop();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trap_08_answered_version),
	        cmocka_unit_test(trap_07_claimed_version),
	        cmocka_unit_test(no_tlv_goes_to_a_3_3_peer),
	        cmocka_unit_test(an_outbind_is_answered_with_a_bind),
	        cmocka_unit_test(a_wrong_outbind_ends_the_session),
	        cmocka_unit_test(an_outbind_that_never_comes_ends_the_session),
	        cmocka_unit_test(a_second_outbind_is_let_by),
	        cmocka_unit_test(a_centre_begins_with_an_outbind),
	        cmocka_unit_test(the_settings_are_those_of_who_binds),
	        cmocka_unit_test(every_request_of_an_esme_is_handed_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
