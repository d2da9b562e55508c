/* Inside `smsbridge replay` only. */
#ifndef APP_REPLAY_H
#define APP_REPLAY_H

#include "dispatch_zone.h"
#include "policy_rules.h"

#include <jansson.h>

/* The facts of a verdict event's data, as they look under these rules (NULL: none are in force). False when a zone is
 * missing. */
bool replay_read(json_t *data, const struct policy_rules *rules, struct zone_cache *zones, struct policy_facts *facts);

#endif
