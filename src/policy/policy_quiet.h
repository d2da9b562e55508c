/* Sending hours on the wall clock of every zone in which the patient may be: the pack's, 47 CFR 64.1200(c)(1), the
 * practice's own narrower ones, and for solicitations those of every state in which the patient may be, its Sunday and
 * its holidays. They end close_guard_s early, so that nothing on its way comes after them. */
#ifndef POLICY_QUIET_H
#define POLICY_QUIET_H

#include "policy_rules.h"

#define POLICY_HORIZON_US (16 * DAY_US) /* how far ahead a legal instant is looked for: two weeks of caps and a bit */

/* What keeps every zone from being within its sending hours at now_us: REASON_quiet_hours before what is the states'
 * alone, REASON_quiet_day_state when that is the whole day, else REASON_quiet_hours_state; REASON_none when nothing
 * does, and without zones. */
enum reason policy_quiet_obstacle(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us);
/* Whether that is nothing. */
bool policy_quiet_open(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us);
/* The first instant at or after from_us at which nothing does; TIME_NEVER when there is none before the horizon. */
int64_t policy_quiet_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us);

#endif
