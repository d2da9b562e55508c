/* Sending hours: from open_minute until close_minute less the guard, on the wall clock of every zone in which the
 * patient may be. 47 CFR 64.1200(c)(1). */
#ifndef POLICY_QUIET_H
#define POLICY_QUIET_H

#include "policy_rules.h"

#define POLICY_HORIZON_US (16 * DAY_US) /* how far ahead a legal instant is looked for: two weeks of caps and a bit */

/* Whether every zone is within its sending hours. True without zones. */
bool policy_quiet_open(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us);
/* The first instant at or after from_us at which every zone is; TIME_NEVER when there is none before the horizon. */
int64_t policy_quiet_next_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t from_us);

#endif
