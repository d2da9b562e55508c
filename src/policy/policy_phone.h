/* Phone numbers of the North American Numbering Plan, and what their area code says. Rows: proto/npa.def. */
#ifndef POLICY_PHONE_H
#define POLICY_PHONE_H

#include "base_bytes.h"
#include "base_limits.h"

#define PHONE_BYTES 13 /* "+12025550123" and NUL */

enum phone_check {
	PHONE_OK,
	PHONE_MALFORMED, /* not +1 and ten digits, or an impossible area or exchange code (0/1 lead, N11) */
	PHONE_NOT_US,    /* another country, Canada, Caribbean */
	PHONE_TOLL_FREE, /* 800 833 844 855 866 877 888 and 822, 880-887, 889 reserved for it */
	PHONE_PREMIUM,   /* 900, and 976 exchanges */
	PHONE_SPECIAL,   /* 5XX personal and machine codes, 600, 700, 710 */
	PHONE_FICTIONAL, /* NPA-555-0100 to 0199: for tests only */
};

/* What a number is. E.164 with its plus sign and nothing else is accepted. A fictional number with an otherwise good
 * area code is PHONE_FICTIONAL. An area code that the table lacks but that is well formed is PHONE_OK. */
enum phone_check policy_phone_check(struct view text);
/* Stable code for a problem answer: "phone_malformed", "phone_not_us", ... ; "ok" */
const char *policy_phone_code(enum phone_check c);
/* One sentence for a person. */
const char *policy_phone_sentence(enum phone_check c);

struct zone_names {
	const char *name[LIMIT_ZONES]; /* IANA names, static */
	unsigned count;
	bool assumed; /* the area code is unknown: the four continental zones stand in */
};

/* Every zone in which a number of this area code may be, all of which must be open. phone passed policy_phone_check. */
struct zone_names policy_phone_zones(const char *phone);
/* Adds the name, static, unless it is there. False when there is no room. */
bool policy_zone_names_add(struct zone_names *z, const char *name);
/* Adds every zone of the area codes of a region ("NY"). False when there is no room for one. */
bool policy_phone_region_zones(const char *region, struct zone_names *z);
/* Region of the area code: "NY"; "" when unknown. */
const char *policy_phone_region(const char *phone);

#endif
