/* Submits: answers in any order, time, lateness, nacks. */
#include "smpp_hand.h"
#include "smpp_machine.h"

static void answers_in_any_order(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(4);
	now += 70;
	feed_answer(4, 0, "c");
	feed_answer(2, ESME_RTHROTTLED, "");
	feed_answer(5, 0, "d");
	feed_answer(3, 0, "b");
	expect_outcome(SMPP_EVENT_ANSWER, 102, 0);
	assert_true(view_eq(event.message_id, VIEW("c")));
	assert_int_equal(event.took_ms, 70);
	expect_outcome(SMPP_EVENT_ANSWER, 100, ESME_RTHROTTLED);
	expect_outcome(SMPP_EVENT_ANSWER, 103, 0);
	expect_outcome(SMPP_EVENT_ANSWER, 101, 0);
	expect_quiet();
	assert_int_equal(smpp_session_in_flight(it), 0);
	stop();
}

static void window_is_a_ceiling(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	for (unsigned i = 0; i < WINDOW; i++) {
		assert_int_equal(smpp_session_slots(it), WINDOW - i);
		assert_true(submit(i));
	}
	assert_int_equal(smpp_session_slots(it), 0);
	assert_false(submit(9));
	take_output();
	feed_answer(3, 0, "x");
	expect_outcome(SMPP_EVENT_ANSWER, 1, 0);
	assert_int_equal(smpp_session_slots(it), 1);
	assert_true(submit(10));
	stop();
}

static void what_does_not_encode_takes_no_slot(void **state)
{
	(void)state;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	bind_as_esme(SMPP_BIND_TRX);
	smpp_pdu_init(&pdu, SMPP_submit_sm, 0);
	smpp_pdu_set_text(&pdu, SMPP_F_source_addr, VIEW("123456789012345678901"));
	assert_false(smpp_session_submit(it, 1, &pdu, now, &fault));
	assert_string_equal(fault.field, "source_addr");
	assert_int_equal(smpp_session_slots(it), WINDOW);
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 0); /* not an ESME's */
	assert_false(smpp_session_submit(it, 1, &pdu, now, &fault));
	assert_null(fault.field);
	smpp_pdu_init(&pdu, SMPP_enquire_link_resp, 0);
	assert_false(smpp_session_submit(it, 1, &pdu, now, &fault));
	assert_true(submit(2));
	expect_sent(SMPP_submit_sm, 2, 0); /* no number was lost */
	stop();
}

static void trap_13_time_runs_from_the_write(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	assert_true(submit(1));
	now += ANSWER_MS - 1;
	smpp_session_tick(it, now);
	expect_quiet();
	take_output();
	assert_true(submit(2));
	now += ANSWER_MS - 1;
	smpp_session_tick(it, now);
	expect_quiet();
	assert_int_equal(smpp_session_deadline_ms(it), now + 1);
	now++;
	smpp_session_tick(it, now);
	expect_outcome(SMPP_EVENT_TIMEOUT, 1, 0);
	assert_int_equal(event.took_ms, ANSWER_MS);
	expect_quiet(); /* the other is not written */
	assert_int_equal(smpp_session_in_flight(it), 1);
	stop();
}

static void trap_14_an_answer_that_is_here_beats_its_deadline(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(2);
	now += ANSWER_MS;
	feed_answer(2, 0, "a");
	smpp_session_tick(it, now);
	expect_outcome(SMPP_EVENT_ANSWER, 100, 0);
	expect_outcome(SMPP_EVENT_TIMEOUT, 101, 0);
	expect_quiet();
	stop();
}

static void trap_14_late_answers_come_after_all(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(3);
	now += ANSWER_MS;
	smpp_session_tick(it, now);
	for (unsigned i = 0; i < 3; i++)
		expect_outcome(SMPP_EVENT_TIMEOUT, 100 + i, 0);
	assert_int_equal(smpp_session_slots(it), WINDOW);
	now += 5;
	feed_answer(3, 0, "b");
	expect_outcome(SMPP_EVENT_LATE, 101, 0);
	assert_true(view_eq(event.message_id, VIEW("b")));
	assert_int_equal(event.took_ms, ANSWER_MS + 5);
	feed_answer(3, 0, "b");
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_generic_nack, 4, ESME_RSYSERR);
	expect_outcome(SMPP_EVENT_LATE, 102, ESME_RSYSERR);
	stop();
}

/* The oldest is forgotten, the second oldest is not; thrice around, so that what is forgotten also leaves the table. */
static void late_memory_is_a_ring(void **state)
{
	(void)state;
	static const unsigned last = 3 * LIMIT_LATE;
	bind_as_esme(SMPP_BIND_TRX);
	for (unsigned i = 0; i <= last; i++) {
		assert_true(submit(i));
		written_n = 0;
		take_output();
		now += ANSWER_MS;
		smpp_session_feed(it, VIEW(""), now);
		expect_outcome(SMPP_EVENT_TIMEOUT, i, 0);
	}
	feed_answer(2 + last - LIMIT_LATE, 0, "a");
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_answer(3 + last - LIMIT_LATE, 0, "b");
	expect_outcome(SMPP_EVENT_LATE, 1 + last - LIMIT_LATE, 0);
	feed_answer(2 + last, 0, "z");
	expect_outcome(SMPP_EVENT_LATE, last, 0);
	stop();
}

static void trap_17_nack_fails_its_request(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(2);
	feed_simple(SMPP_generic_nack, 3, ESME_RINVCMDLEN);
	expect_outcome(SMPP_EVENT_ANSWER, 101, ESME_RINVCMDLEN);
	feed_simple(SMPP_generic_nack, 2, ESME_ROK); /* "no error" in a nack is no success */
	expect_outcome(SMPP_EVENT_ANSWER, 100, ESME_RUNKNOWNERR);
	feed_simple(SMPP_generic_nack, 99, ESME_RSYSERR);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	expect_quiet();
	expect_nothing_sent();
	stop();
}

static void trap_17_three_blind_nacks_close(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	for (unsigned i = 0; i < 3; i++) {
		expect_quiet();
		feed_simple(SMPP_generic_nack, 0, ESME_RINVCMDLEN);
		expect_reason(SMPP_EVENT_FAULT, "nack_without_sequence");
	}
	expect_reason(SMPP_EVENT_CLOSE, "nacked_unknown");
	stop();
}

static void answers_to_nothing_are_harmless(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(1);
	assert_true(submit(200)); /* queued as 3, not written */
	feed_answer(3, 0, "guess");
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_answer(0, 0, "zero");
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_data_sm_resp, 2, 0); /* the number fits, the command does not */
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_enquire_link_resp, 2, 0);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_unbind_resp, 2, 0);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_bind_transceiver_resp, 1, 0);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_simple(SMPP_deliver_sm_resp, 2, 0);
	expect_reason(SMPP_EVENT_FAULT, "answer_to_nothing");
	feed_answer(2, 0, "real");
	expect_outcome(SMPP_EVENT_ANSWER, 100, 0);
	stop();
}

static void trap_18_undecodable_answers_still_answer(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(2);
	feed_hex("00000013"
	         "80000004"
	         "00000045"
	         "00000002"
	         "616263"); /* an error, and an id without NUL */
	expect_outcome(SMPP_EVENT_ANSWER, 100, ESME_RSUBMITFAIL);
	feed_hex("00000013"
	         "80000004"
	         "00000000"
	         "00000003"
	         "616263");
	expect_reason(SMPP_EVENT_FAULT, "undecodable");
	expect_outcome(SMPP_EVENT_ANSWER, 101, 0);
	assert_int_equal(event.message_id.n, 0);
	expect_quiet();
	stop();
}

static void trap_16_sequence_numbers_wrap(void **state)
{
	(void)state;
	now = 0;
	written_n = 0;
	it = new_session(SMPP_ESME, SMPP_BIND_TRX, 0x7ffffffe);
	smpp_session_open(it, now);
	expect_sent(SMPP_bind_transceiver, 0x7ffffffe, 0);
	feed_simple(SMPP_bind_transceiver_resp, 0x7ffffffe, 0);
	expect(SMPP_EVENT_BOUND);
	assert_true(submit(1));
	assert_true(submit(2));
	expect_sent(SMPP_submit_sm, 0x7fffffff, 0);
	expect_sent(SMPP_submit_sm, 1, 0);
	feed_answer(0x7fffffff, 0, "a");
	expect_outcome(SMPP_EVENT_ANSWER, 1, 0);
	stop();
}

/* What no test can wait for, two thousand million submits later: the counter meets numbers that are still in use. */
static void trap_16_numbers_in_use_are_skipped(void **state)
{
	(void)state;
	bind_as_esme(SMPP_BIND_TRX);
	submit_and_write(2);
	now += ANSWER_MS;
	smpp_session_tick(it, now);
	expect(SMPP_EVENT_TIMEOUT);
	expect(SMPP_EVENT_TIMEOUT);
	assert_true(submit(300)); /* 4; 2 and 3 are late */
	smpp_session_unbind(it, now);
	take_output();
	written_n = 0;
	assert_int_equal(it->unbind_sequence, 5);
	it->next_sequence = 2;
	assert_int_equal(smpp_machine_sequence(it), 6);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(answers_in_any_order),
	        cmocka_unit_test(window_is_a_ceiling),
	        cmocka_unit_test(what_does_not_encode_takes_no_slot),
	        cmocka_unit_test(trap_13_time_runs_from_the_write),
	        cmocka_unit_test(trap_14_an_answer_that_is_here_beats_its_deadline),
	        cmocka_unit_test(trap_14_late_answers_come_after_all),
	        cmocka_unit_test(late_memory_is_a_ring),
	        cmocka_unit_test(trap_17_nack_fails_its_request),
	        cmocka_unit_test(trap_17_three_blind_nacks_close),
	        cmocka_unit_test(answers_to_nothing_are_harmless),
	        cmocka_unit_test(trap_18_undecodable_answers_still_answer),
	        cmocka_unit_test(trap_16_sequence_numbers_wrap),
	        cmocka_unit_test(trap_16_numbers_in_use_are_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
