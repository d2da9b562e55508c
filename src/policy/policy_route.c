#include "policy_route.h"

static bool matches(const struct policy_route *r, struct view sender, struct view phone, enum category category)
{
	struct view prefix = view_str(r->prefix);
	return (!*r->sender || view_eq(view_str(r->sender), sender)) &&
	       (phone.n >= prefix.n && view_eq(view_of(phone.p, prefix.n), prefix)) &&
	       (r->category == CATEGORY_COUNT || r->category == category);
}

struct wish {
	const struct policy_route *routes;
	unsigned count;
	struct view sender;
	struct view phone;
	enum category category;
	const enum policy_room *room;
};

/* The lowest tier with a matching carrier that is up; 0 when all are down, with *any_r whether a row matches at all. */
static unsigned tier_of(const struct wish *w, bool *any_r)
{
	unsigned tier = 0;
	*any_r = false;
	for (unsigned i = 0; i < w->count; i++) {
		const struct policy_route *r = &w->routes[i];
		if (!matches(r, w->sender, w->phone, w->category))
			continue;
		*any_r = true;
		if (w->room[r->carrier] != ROUTE_DOWN && (!tier || r->tier < tier))
			tier = r->tier;
	}
	return tier;
}

struct choice {
	unsigned tier;
	enum policy_room room;
	unsigned avoid;
};

static bool candidate(const struct wish *w, const struct policy_route *r, const struct choice *c)
{
	return r->tier == c->tier && r->carrier != c->avoid && w->room[r->carrier] == c->room &&
	       matches(r, w->sender, w->phone, w->category);
}

static bool pick_by_weight(const struct wish *w, const struct choice *c, uint32_t chance, unsigned *carrier_r)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < w->count; i++)
		if (candidate(w, &w->routes[i], c))
			sum += w->routes[i].weight;
	uint64_t at = sum * chance >> 32;
	for (unsigned i = 0; i < w->count; i++) {
		if (!candidate(w, &w->routes[i], c))
			continue;
		*carrier_r = w->routes[i].carrier;
		if (at < w->routes[i].weight)
			return true;
		at -= w->routes[i].weight;
	}
	return sum > 0;
}

enum policy_way policy_route_pick(const struct policy_route *routes, unsigned count, struct view sender,
                                  struct view phone, enum category category, const enum policy_room *room,
                                  unsigned avoid, uint32_t chance, unsigned *carrier_r)
{
	struct wish w = {routes, count, sender, phone, category, room};
	bool any;
	unsigned tier = tier_of(&w, &any);
	if (!tier)
		return any ? ROUTE_LOST : ROUTE_NOWHERE;
	const struct choice others = {tier, ROUTE_FREE, avoid}, any_free = {tier, ROUTE_FREE, ROUTE_NO_CARRIER};
	const struct choice full = {tier, ROUTE_FULL, ROUTE_NO_CARRIER};
	if (pick_by_weight(&w, &others, chance, carrier_r) || pick_by_weight(&w, &any_free, chance, carrier_r))
		return ROUTE_TAKEN;
	pick_by_weight(&w, &full, chance, carrier_r);
	return ROUTE_WAIT;
}
