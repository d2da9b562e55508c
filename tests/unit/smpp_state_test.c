/* The rows agree with each other: who may send a command by smpp_pdu.def may send it by smpp_state.def, and what one
 * role may send, the other may get. */
#include "smpp_state.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

enum sender { NOBODY = 0, ESME = 1, MC = 2, BOTH = 3 };

static const enum sender senders[SMPP_COMMAND_COUNT] = {
#define SMPP_PDU(name, id, direction, answer) [SMPP_##name] = direction,
#define SMPP_PDU_FIELD(name, type, max)
#define SMPP_PDU_END(name)
#include "smpp_pdu.def"
#undef SMPP_PDU
#undef SMPP_PDU_FIELD
#undef SMPP_PDU_END
};

static bool ever(enum smpp_role role, enum smpp_direction direction, enum smpp_command command)
{
	for (unsigned s = SMPP_SESSION_OPEN; s < SMPP_SESSION_STATE_COUNT; s++)
		for (unsigned b = SMPP_BIND_TRX; b <= SMPP_BIND_RX; b++)
			if (smpp_state_allows(role, (enum smpp_session_state)s, (enum smpp_bind_kind)b, direction,
			                      command))
				return true;
	return false;
}

static void senders_agree(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SMPP_COMMAND_COUNT; i++) {
		enum smpp_command c = (enum smpp_command)i;
		bool esme = senders[i] & ESME, mc = senders[i] & MC;
		if (ever(SMPP_ESME, SMPP_OUT, c) != esme || ever(SMPP_MC, SMPP_IN, c) != esme ||
		    ever(SMPP_MC, SMPP_OUT, c) != mc || ever(SMPP_ESME, SMPP_IN, c) != mc)
			fail_msg("%s", smpp_command_name(c));
		assert_int_equal(smpp_state_spoken(c), senders[i] != NOBODY);
	}
	assert_false(smpp_state_spoken(SMPP_UNKNOWN));
}

static void what_comes_in_has_an_act(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SMPP_COMMAND_COUNT; i++)
		for (unsigned role = SMPP_ESME; role <= SMPP_MC; role++)
			assert_int_equal(ever((enum smpp_role)role, SMPP_IN, (enum smpp_command)i),
			                 smpp_state_act((enum smpp_role)role, (enum smpp_command)i) != SMPP_ACT_NONE);
	assert_int_equal(smpp_state_act(SMPP_MC, SMPP_UNKNOWN), SMPP_ACT_NONE);
	assert_false(smpp_state_allows(SMPP_MC, SMPP_SESSION_BOUND, SMPP_BIND_TRX, SMPP_IN, SMPP_UNKNOWN));
}

struct legal_case {
	enum smpp_role role;
	enum smpp_session_state state;
	enum smpp_bind_kind bind;
	enum smpp_direction direction;
	enum smpp_command command;
	bool legal;
};

static void some_known_cases(void **state)
{
	(void)state;
	static const struct legal_case cases[] = {
	        {SMPP_ESME, SMPP_SESSION_BOUND, SMPP_BIND_TX, SMPP_OUT, SMPP_submit_sm, true},
	        {SMPP_ESME, SMPP_SESSION_BOUND, SMPP_BIND_TRX, SMPP_OUT, SMPP_submit_sm, true},
	        {SMPP_ESME, SMPP_SESSION_BOUND, SMPP_BIND_RX, SMPP_OUT, SMPP_submit_sm, false},
	        {SMPP_ESME, SMPP_SESSION_OPEN, SMPP_BIND_TRX, SMPP_OUT, SMPP_submit_sm, false},
	        {SMPP_ESME, SMPP_SESSION_UNBINDING, SMPP_BIND_TRX, SMPP_OUT, SMPP_submit_sm, false},
	        {SMPP_ESME, SMPP_SESSION_UNBINDING, SMPP_BIND_TRX, SMPP_IN, SMPP_deliver_sm, true},
	        {SMPP_ESME, SMPP_SESSION_BOUND, SMPP_BIND_TX, SMPP_IN, SMPP_deliver_sm, false},
	        {SMPP_ESME, SMPP_SESSION_CLOSED, SMPP_BIND_TRX, SMPP_IN, SMPP_enquire_link, false},
	        {SMPP_ESME, SMPP_SESSION_OPEN, SMPP_BIND_RX, SMPP_IN, SMPP_enquire_link, true},
	        {SMPP_ESME, SMPP_SESSION_OPEN, SMPP_BIND_RX, SMPP_OUT, SMPP_enquire_link, false},
	        {SMPP_MC, SMPP_SESSION_OPEN, SMPP_BIND_RX, SMPP_IN, SMPP_bind_transmitter, true},
	        {SMPP_MC, SMPP_SESSION_BOUND, SMPP_BIND_RX, SMPP_IN, SMPP_bind_transmitter, false},
	        {SMPP_MC, SMPP_SESSION_BOUND, SMPP_BIND_TX, SMPP_IN, SMPP_replace_sm, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct legal_case *c = &cases[i];
		if (smpp_state_allows(c->role, c->state, c->bind, c->direction, c->command) != c->legal)
			fail_msg("case %zu: %s", i, smpp_command_name(c->command));
	}
	assert_string_equal(smpp_session_state_name(SMPP_SESSION_UNBINDING), "unbinding");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(senders_agree),
	        cmocka_unit_test(what_comes_in_has_an_act),
	        cmocka_unit_test(some_known_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
