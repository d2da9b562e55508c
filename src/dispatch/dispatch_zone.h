/* Time zones of the tzdata folder, parsed once each. */
#ifndef DISPATCH_ZONE_H
#define DISPATCH_ZONE_H

#include "policy_zone.h"

struct zone_cache;
struct zone_cache *zone_cache_new(const char *folder);
/* NULL when there is no such zone, or LIMIT_ZONE_CACHE are kept already. Lives as long as the cache. */
const struct zone *zone_cache_get(struct zone_cache *z, const char *name);
void zone_cache_free(struct zone_cache *z);

#endif
