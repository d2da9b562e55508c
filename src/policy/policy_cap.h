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

/* How much of the day's and the week's cap is used at at_us: of the patient and the phone, of the rolling clock and the
 * calendar, the fullest. used >= max is what makes policy_cap_next_us wait. rules may be NULL: all zeros. */
struct policy_cap_use {
	int day_used, day_max;
	int week_used, week_max;
};
struct policy_cap_use policy_cap_use(const struct policy_rules *rules, const struct policy_facts *facts, int64_t at_us);

#endif
