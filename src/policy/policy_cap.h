/* How many messages a patient may get, 47 CFR 64.1200(a)(9)(iv)(F): by the rolling clock and, as the pack has it, by
 * the calendar of every zone in which the patient may be, for the patient and for the phone, because the rule does not
 * say which "day" it means, nor what a shared phone counts for. A phone known to be a household's is not counted, its
 * patients are. Solicitations: by the rolling clock as the states have it, too. */
#ifndef POLICY_CAP_H
#define POLICY_CAP_H

#include "policy_rules.h"

/* The first instant at or after from_us at which one more message keeps every cap, if nothing else is sent meanwhile.
 * reason_r: what stands in the way at from_us, the day before the week, the week before the
 * states' day; REASON_none when nothing does and from_us is
 * the answer. TIME_NEVER when a cap allows nothing at all. */
int64_t policy_cap_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us,
                           enum reason *reason_r);

#endif
