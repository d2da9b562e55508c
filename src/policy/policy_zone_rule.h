/* The POSIX TZ string at the end of a TZif file (RFC 9636 3.3.1): which offset holds in years past the table. */
#ifndef POLICY_ZONE_RULE_H
#define POLICY_ZONE_RULE_H

#include "policy_zone.h"

#define ZONE_OFFSET_MAX_S (26 * 3600) /* RFC 9636 3.2: no real offset is past a day; arithmetic relies on it */

enum zone_day_kind {
	ZONE_DAY_JULIAN, /* Jn: 1-365, 29 February never counted */
	ZONE_DAY_ZERO,   /* n: 0-365, 29 February counted */
	ZONE_DAY_MONTH,  /* Mm.w.d: weekday d in week w of month m, 5 the last */
};

/* When on which day of each year daylight saving time begins or ends. */
struct zone_change {
	enum zone_day_kind kind;
	int month;
	int week;
	int day;
	int32_t time_s; /* of the wall clock that is about to change; -167 to 167 hours */
};

struct zone_rule {
	int32_t standard_s; /* seconds east of UTC */
	int32_t daylight_s;
	bool changes; /* false: standard time all year */
	struct zone_change start;
	struct zone_change end;
};

/* False when the text is not such a string. A daylight saving name without its two changes is refused: it would leave
 * them to whoever reads it. */
bool policy_zone_rule_parse(struct view text, struct zone_rule *rule_r);
struct zone_span policy_zone_rule_span(const struct zone_rule *rule, int64_t unix_s);

#endif
