/* When what waits for opening hours comes. */
#ifndef DISPATCH_RELEASE_H
#define DISPATCH_RELEASE_H

#include "policy_rules.h"

/* When a message that waits until until_us comes due: that instant, or when sending hours open then, one within
 * spread_us from it that is the message's own, before they close and before it expires. */
int64_t release_due_us(const struct policy_rules *rules, const struct policy_facts *f, const struct uuid *id,
                       int64_t until_us, int64_t spread_us);

#endif
