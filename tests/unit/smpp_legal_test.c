/* Every row of proto/smpp_state.def is a test of its own, by its name: a session of that role gets, or writes, that
 * command, and does with it what the row says.
 * covers: every row */
#include "smpp_hand.h"
#include "smpp_state.h"

#define OURS 77 /* the sequence number of what we feed */

struct row {
	const char *name;
	enum smpp_role role;
	enum smpp_direction direction;
	enum smpp_command command;
	enum smpp_act act;
};

#define ROW(role, direction, command, act)                                                                             \
	{#role " " #direction " " #command, SMPP_##role, SMPP_##direction, SMPP_##command, SMPP_ACT_##act},
#define ROWS_ESME(direction, command, act) ROW(ESME, direction, command, act)
#define ROWS_MC(direction, command, act) ROW(MC, direction, command, act)
#define ROWS_BOTH(direction, command, act) ROW(ESME, direction, command, act) ROW(MC, direction, command, act)

static struct row rows[] = {
#define SMPP_LEGAL(role, direction, command, states, binds, act) ROWS_##role(direction, command, act)
#include "smpp_state.def"
#undef SMPP_LEGAL
};

static enum smpp_command request_of(enum smpp_command answer)
{
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++)
		if (smpp_command_answer((enum smpp_command)c) == answer)
			return (enum smpp_command)c;
	fail_msg("%s answers nothing", smpp_command_name(answer));
	return SMPP_UNKNOWN;
}

static bool is_bind(enum smpp_command c)
{
	return c == SMPP_bind_transceiver || c == SMPP_bind_transmitter || c == SMPP_bind_receiver;
}

static enum smpp_bind_kind kind_of(enum smpp_command bind)
{
	return bind == SMPP_bind_transmitter ? SMPP_BIND_TX : bind == SMPP_bind_receiver ? SMPP_BIND_RX : SMPP_BIND_TRX;
}

static void start_with_outbind(enum smpp_role role)
{
	struct smpp_session_config config = {.role = role,
	                                     .system_id = "clinic01",
	                                     .password = "s3cret",
	                                     .interface_version = 0x34,
	                                     .outbind = true,
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

static void bind_as(enum smpp_role role)
{
	if (role == SMPP_ESME)
		bind_as_esme(SMPP_BIND_TRX);
	else
		bind_as_mc(SMPP_bind_transceiver);
	take_output();
	written_n = 0;
}

/* Writes a request of ours; returns its sequence number. */
static uint32_t ask(enum smpp_command request)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, request, 0);
	assert_true(smpp_session_submit(it, 5, &pdu, now, &fault));
	assert_true(next_sent());
	assert_int_equal(sent.command, request);
	return sent.sequence_number;
}

static uint32_t probe(void)
{
	now += ENQUIRE_MS;
	smpp_session_tick(it, now);
	assert_true(next_sent());
	assert_int_equal(sent.command, SMPP_enquire_link);
	return sent.sequence_number;
}

static uint32_t unbind(void)
{
	smpp_session_unbind(it, now);
	assert_true(next_sent());
	assert_int_equal(sent.command, SMPP_unbind);
	return sent.sequence_number;
}

/* --- in: the act of the row happens --------------------------------------------------------------------------- */

static void takes_bind_answer(enum smpp_command answer)
{
	start(SMPP_ESME, kind_of(request_of(answer)));
	assert_true(next_sent());
	feed_simple(answer, sent.sequence_number, 0);
	expect(SMPP_EVENT_BOUND);
}

static void takes_answer(enum smpp_role role, enum smpp_command answer)
{
	bind_as(role);
	feed_simple(answer, ask(request_of(answer)), 0);
	expect_outcome(SMPP_EVENT_ANSWER, 5, 0);
	assert_int_equal(event.command, answer);
}

static void takes_nack(enum smpp_role role)
{
	bind_as(role);
	feed_simple(SMPP_generic_nack, ask(role == SMPP_ESME ? SMPP_submit_sm : SMPP_deliver_sm), ESME_RINVCMDID);
	expect_outcome(SMPP_EVENT_ANSWER, 5, ESME_RINVCMDID);
}

static void takes_event(enum smpp_role role, enum smpp_command command, enum smpp_event_kind kind)
{
	bind_as(role);
	feed_simple(command, OURS, 0);
	expect(kind);
	assert_int_equal(event.command, command);
	assert_int_equal(event.sequence, OURS);
}

static void takes_outbind(void)
{
	start_with_outbind(SMPP_ESME);
	feed_simple(SMPP_outbind, OURS, 0);
	expect(SMPP_EVENT_OUTBIND);
}

static void takes_bind(enum smpp_command bind)
{
	start(SMPP_MC, SMPP_BIND_TRX);
	feed_simple(bind, OURS, 0);
	expect(SMPP_EVENT_BIND);
	assert_int_equal(event.command, bind);
}

static void takes(const struct row *row)
{
	switch (row->act) {
	case SMPP_ACT_BIND:
		takes_bind(row->command);
		return;
	case SMPP_ACT_BIND_ANSWER:
		takes_bind_answer(row->command);
		return;
	case SMPP_ACT_OUTBIND:
		takes_outbind();
		return;
	case SMPP_ACT_ANSWER:
		takes_answer(row->role, row->command);
		return;
	case SMPP_ACT_NACK:
		takes_nack(row->role);
		return;
	case SMPP_ACT_DELIVER:
		takes_event(row->role, row->command, SMPP_EVENT_DELIVER);
		return;
	case SMPP_ACT_ALERT:
		takes_event(row->role, row->command, SMPP_EVENT_ALERT);
		return;
	default:
		break;
	}
	bind_as(row->role);
	if (row->act == SMPP_ACT_UNBIND_ANSWER)
		feed_simple(SMPP_unbind_resp, unbind(), 0);
	else if (row->act == SMPP_ACT_PROBE_ANSWER)
		feed_simple(SMPP_enquire_link_resp, probe(), 0);
	else
		feed_simple(row->command, OURS, 0);
	if (row->act == SMPP_ACT_PROBE || row->act == SMPP_ACT_PROBE_ANSWER)
		expect_quiet();
	else
		expect_reason(SMPP_EVENT_CLOSE, row->act == SMPP_ACT_UNBIND ? "peer_unbind" : "unbound");
}

/* --- out: the session writes it ------------------------------------------------------------------------------- */

static void writes_answer(enum smpp_role role, enum smpp_command answer)
{
	takes_event(role, request_of(answer), SMPP_EVENT_DELIVER);
	smpp_session_answer(it, request_of(answer), OURS, ESME_ROK, (struct view){0});
	expect_sent(answer, OURS, 0);
}

static void writes_control(enum smpp_role role, enum smpp_command command)
{
	bind_as(role);
	if (command == SMPP_generic_nack) {
		feed_hex("00000010000000990000000000000011");
		expect_reason(SMPP_EVENT_FAULT, "unknown_command");
		expect_sent(SMPP_generic_nack, 17, ESME_RINVCMDID);
	} else if (command == SMPP_enquire_link) {
		probe();
	} else if (command == SMPP_unbind) {
		unbind();
	} else {
		feed_simple(request_of(command), OURS, 0);
		smpp_session_next(it, &event);
		expect_sent(command, OURS, 0);
	}
}

static bool is_control(enum smpp_command c)
{
	return c == SMPP_generic_nack || c == SMPP_enquire_link || c == SMPP_enquire_link_resp || c == SMPP_unbind ||
	       c == SMPP_unbind_resp;
}

static void writes_request(enum smpp_role role, enum smpp_command command)
{
	bind_as(role);
	/* It has no answer, so that nothing would settle it: no call of the session writes it. */
	if (command == SMPP_alert_notification)
		assert_true(smpp_state_allows(role, SMPP_SESSION_BOUND, SMPP_BIND_TRX, SMPP_OUT, command));
	else
		ask(command);
}

static void writes(const struct row *row)
{
	if (is_bind(row->command)) {
		start(row->role, kind_of(row->command));
		expect_sent(row->command, 1, 0);
	} else if (smpp_command_is_answer(row->command) && !is_control(row->command) &&
	           is_bind(request_of(row->command))) {
		bind_as_mc(request_of(row->command)); /* expects it */
	} else if (row->command == SMPP_outbind) {
		start_with_outbind(row->role);
		expect_sent(SMPP_outbind, 1, 0);
	} else if (is_control(row->command)) {
		writes_control(row->role, row->command);
	} else if (smpp_command_is_answer(row->command)) {
		writes_answer(row->role, row->command);
	} else {
		writes_request(row->role, row->command);
	}
}

static void row_holds(void **state)
{
	const struct row *row = *state;
	if (row->direction == SMPP_IN)
		takes(row);
	else
		writes(row);
	stop();
}

int main(void)
{
	enum { COUNT = sizeof rows / sizeof rows[0] };
	static struct CMUnitTest tests[COUNT];
	for (unsigned i = 0; i < COUNT; i++)
		tests[i] = (struct CMUnitTest){.name = rows[i].name, .test_func = row_holds, .initial_state = &rows[i]};
	return _cmocka_run_group_tests("smpp_legal", tests, COUNT, NULL, NULL);
}
