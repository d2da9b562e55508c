/* States and territories in which a patient may be, and their own limits on solicitations. Rows: proto/state.def,
 * state_hours.def, zip3.def. A policy_states (policy_rules.h) has a bit for each row of state.def; 0: unknown. */
#ifndef POLICY_STATE_H
#define POLICY_STATE_H

#include "policy_phone.h"
#include "policy_rules.h"

enum state {
#define STATE(code, kind, name) STATE_##code,
#include "state.def"
	STATE_COUNT
};

#define POLICY_STATES_TEXT_BYTES (STATE_COUNT * 3)

const char *policy_state_code(enum state s); /* "NY" */
const char *policy_state_name(enum state s); /* "New York" */

/* The state of the area code; 0 when that is unknown. phone passed policy_phone_check. */
policy_states policy_states_of_phone(const char *phone);
/* The places that codes of this prefix may be in: "10001", "10001-1234". 0 when it is none, or of a prefix without a
 * place. */
policy_states policy_states_of_zip(struct view zip);
/* Two letters, of either case; 0 when there is no such state, territory or military "state". */
policy_states policy_states_of_code(struct view code);

/* Codes with blanks between, in the order of the rows: "NY CT". "" for 0. */
const char *policy_states_format(policy_states states, char to[POLICY_STATES_TEXT_BYTES]);
/* Reads that, in any order and with any blanks; "" is 0. False, and 0, when a code is none: whoever stored it knew more
 * than this program does, and unknown is the strictest. */
bool policy_states_parse(struct view text, policy_states *states_r);

/* Every zone of every such place: those of its area codes, or its own rows. assumed: of a military address, where they
 * only stand in. count 0: nothing is known, or they are more than LIMIT_ZONES, and then nothing may go. */
struct zone_names policy_zones_of_states(policy_states states);

/* Minutes of the day in which something is allowed, the end exclusive; open >= close: none. */
struct policy_window {
	int open_minute;
	int close_minute;
};

/* What all the states allow of solicitations on a weekday (0 Sunday - 6 Saturday) that is no holiday. Of a place whose
 * law is not known, or when none is known (0), every row of every state. */
struct policy_window policy_states_window(policy_states states, int weekday);
/* Whether one of them forbids solicitations on holidays. */
bool policy_states_rest_on_holidays(policy_states states);
/* The most solicitations in 24 hours; 0 when none has a number. */
int policy_states_day_max(policy_states states);

#endif
