/* Who may send what, when. Rows: proto/smpp_state.def. */
#ifndef SMPP_STATE_H
#define SMPP_STATE_H

#include "smpp_session.h"

enum smpp_direction { SMPP_IN, SMPP_OUT };

/* What a session does with a command that came in. */
enum smpp_act {
	SMPP_ACT_NONE,
	SMPP_ACT_NACK,
	SMPP_ACT_PROBE,
	SMPP_ACT_PROBE_ANSWER,
	SMPP_ACT_BIND,
	SMPP_ACT_BIND_ANSWER,
	SMPP_ACT_OUTBIND,
	SMPP_ACT_UNBIND,
	SMPP_ACT_UNBIND_ANSWER,
	SMPP_ACT_DELIVER,
	SMPP_ACT_ANSWER,
	SMPP_ACT_ALERT,
	SMPP_ACT_COUNT
};

/* Whether the command may go that way now; the bind kind only matters once bound. */
bool smpp_state_allows(enum smpp_role role, enum smpp_session_state state, enum smpp_bind_kind bind,
                       enum smpp_direction direction, enum smpp_command command);
/* Whether either side may ever send it: false for what only SMPP 3.3 has, and for SMPP_UNKNOWN. */
bool smpp_state_spoken(enum smpp_command command);
/* The act of a command that comes in; SMPP_ACT_NONE when it never may in that role. */
enum smpp_act smpp_state_act(enum smpp_role role, enum smpp_command command);

#endif
