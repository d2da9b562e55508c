/* Which carrier a message goes to: rows match by sender, destination prefix and category; the lowest tier that has a
 * carrier that is up decides; within it weights. Pure. A message is only ever routed before it is submitted: a submit
 * that may have left is never given to another carrier. */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "policy_rules.h"

struct policy_route {
	unsigned carrier;       /* index of the caller's */
	const char *sender;     /* "": any; else exactly this */
	const char *prefix;     /* "": any; else what the destination begins with, "+1212" */
	enum category category; /* CATEGORY_COUNT: any */
	unsigned tier;          /* 1 first; the next only when no carrier of those before is up */
	unsigned weight;        /* share within the tier, 1..1000 */
};

enum policy_room {
	ROUTE_DOWN, /* no session is bound to send */
	ROUTE_FULL, /* bound, but takes nothing just now */
	ROUTE_FREE,
};

enum policy_way {
	ROUTE_TAKEN,
	ROUTE_WAIT,    /* the carriers that may take it are busy */
	ROUTE_LOST,    /* they are all down */
	ROUTE_NOWHERE, /* no row matches */
};

#define ROUTE_NO_CARRIER UINT32_MAX

/* room: by carrier index. avoid: the carrier that refused it last, taken only when no other of its tier is free;
 * ROUTE_NO_CARRIER for none. chance: any 32 bits of randomness. carrier_r is set for ROUTE_TAKEN and ROUTE_WAIT, to
 * one that takes it or one that is to be waited for. */
enum policy_way policy_route_pick(const struct policy_route *routes, unsigned count, struct view sender,
                                  struct view phone, enum category category, const enum policy_room *room,
                                  unsigned avoid, uint32_t chance, unsigned *carrier_r);

#endif
