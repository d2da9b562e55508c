#include "smpp_state.h"

enum states {
	OPEN = 1u << SMPP_SESSION_OPEN,
	BOUND = 1u << SMPP_SESSION_BOUND,
	UNBINDING = 1u << SMPP_SESSION_UNBINDING,
	STANDING = BOUND | UNBINDING,
	ANY_STATE = OPEN | STANDING,
};

enum binds {
	TX_TRX_BIND = 1u << SMPP_BIND_TX | 1u << SMPP_BIND_TRX,
	RX_TRX_BIND = 1u << SMPP_BIND_RX | 1u << SMPP_BIND_TRX,
	ANY_BIND = TX_TRX_BIND | RX_TRX_BIND,
};

struct rule {
	uint8_t states;
	uint8_t binds;
	uint8_t act;
};

#define STATES_OPEN OPEN
#define STATES_BOUND BOUND
#define STATES_UNBINDING UNBINDING
#define STATES_STANDING STANDING
#define STATES_ANY ANY_STATE
#define ROW(role, direction, command, states, binds, act)                                                              \
	[role][SMPP_##direction][SMPP_##command] = {STATES_##states, binds##_BIND, SMPP_ACT_##act},
#define ROWS_ESME(...) ROW(SMPP_ESME, __VA_ARGS__)
#define ROWS_MC(...) ROW(SMPP_MC, __VA_ARGS__)
#define ROWS_BOTH(...) ROW(SMPP_ESME, __VA_ARGS__) ROW(SMPP_MC, __VA_ARGS__)

static const struct rule rules[2][2][SMPP_COMMAND_COUNT] = {
#define SMPP_LEGAL(role, ...) ROWS_##role(__VA_ARGS__)
#include "smpp_state.def"
#undef SMPP_LEGAL
};

bool smpp_state_allows(enum smpp_role role, enum smpp_session_state state, enum smpp_bind_kind bind,
                       enum smpp_direction direction, enum smpp_command command)
{
	if (command >= SMPP_COMMAND_COUNT)
		return false;
	const struct rule *rule = &rules[role][direction][command];
	bool bound = state == SMPP_SESSION_BOUND || state == SMPP_SESSION_UNBINDING;
	return rule->states & 1u << state && (!bound || rule->binds & 1u << bind);
}

bool smpp_state_spoken(enum smpp_command command)
{
	if (command >= SMPP_COMMAND_COUNT)
		return false;
	uint8_t states = 0;
	for (unsigned role = SMPP_ESME; role <= SMPP_MC; role++)
		states |= rules[role][SMPP_IN][command].states;
	return states != 0;
}

enum smpp_act smpp_state_act(enum smpp_role role, enum smpp_command command)
{
	return command < SMPP_COMMAND_COUNT ? (enum smpp_act)rules[role][SMPP_IN][command].act : SMPP_ACT_NONE;
}
