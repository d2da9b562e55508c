/* Time zones from TZif files (RFC 9636, versions 1-4), read from octets that the caller loaded, so that the system's
 * tzdata rules and nothing is process-global. */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include "base_bytes.h"
#include "base_limits.h"
#include "base_time.h"

struct zone; /* immutable once parsed */

/* Parses a TZif file. NULL when it is not one that is understood (then *error_r says why, static); files that count
 * leap seconds are not, because Unix time does not. name is copied. Free with policy_zone_free. */
struct zone *policy_zone_parse(const char *name, struct view file, const char **error_r);
void policy_zone_free(struct zone *z);
const char *policy_zone_name(const struct zone *z);

/* Seconds east of UTC at an instant (Unix seconds). Past the last transition the file's POSIX TZ string rules. */
int32_t policy_zone_offset(const struct zone *z, int64_t unix_s);
/* Local civil time at an instant of the years 1 to 9999. */
struct civil policy_zone_local(const struct zone *z, int64_t unix_s);

/* A stretch of time with one offset. Neighbouring stretches may have the same offset. */
struct zone_span {
	int32_t offset;  /* seconds east of UTC */
	int64_t until_s; /* Unix seconds, exclusive; INT64_MAX when nothing is known to follow */
};
/* The stretch that holds at an instant: for walking forward without guessing at transitions. */
struct zone_span policy_zone_span(const struct zone *z, int64_t unix_s);

/* The first instant (Unix seconds) at which the wall clock shows hour:00 of the local date days (time_days), or later.
 * When that wall time does not exist (a gap), the first instant after the gap; when it exists twice, the first. */
int64_t policy_zone_instant(const struct zone *z, int64_t days, int hour);

/* IANA name shape: letters, digits, "_+-", parts joined by "/", no dots, at most LIMIT_ZONE_NAME_BYTES - 1 octets. The
 * caller then loads <tzdata>/name; a path cannot climb out. */
bool policy_zone_name_ok(struct view name);

#endif
