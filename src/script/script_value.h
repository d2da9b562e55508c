/* One value of a script, by its type. */
#ifndef SCRIPT_VALUE_H
#define SCRIPT_VALUE_H

#include "script_parse.h"

#define SCRIPT_SPAN_MAX_MS (24 * INT64_C(3600000)) /* a day: longer than any session is watched */
#define SCRIPT_COUNT_MAX 1000000

/* Reads text as a value of a type; c_r->text points into text. False with a sentence in why. */
bool script_value_read(enum script_type type, struct view text, struct script_choice *c_r, struct buf *why);
/* The command_status of a name with or without ESME_, or of a number; false when it is neither. */
bool script_status_read(struct view text, uint32_t *status_r);

#endif
