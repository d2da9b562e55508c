/* Where the patient may be: every zone and state of the address and of the area code. */
#include "api_creation.h"

#include "policy_state.h"

/* Where the practice says that the patient is, by ZIP and state: candidate states, 0 when it does not say. */
static policy_states take_address(struct creation *c)
{
	struct view zip = creation_text(c, F_ZIP);
	struct view code = creation_text(c, F_STATE);
	policy_states of_zip = zip.p ? policy_states_of_zip(zip) : 0;
	policy_states of_code = code.p ? policy_states_of_code(code) : 0;
	if (zip.p && !of_zip)
		creation_error(c, "/zip", "zip_unknown",
		               "Give a ZIP code of the United States, as 10001 or 10001-1234.");
	if (code.p && !of_code)
		creation_error(c, "/state", "state_unknown", "Give the two letters of a state or territory, as NY.");
	return of_zip | of_code;
}

static bool take_time_zone(struct creation *c)
{
	struct view v = creation_text(c, F_TIME_ZONE);
	c->draft.time_zone = v;
	if (!v.p)
		return false;
	const char *name = (const char *)v.p; /* a C string of jansson's; an inner NUL is refused by it */
	if (policy_zone_name_ok(v) && dispatch_zone(c->api->config.dispatch, name))
		return true;
	creation_error(c, "/time_zone", "time_zone_unknown", "Give an IANA time zone name, as America/Chicago.");
	return false;
}

/* What one more source allows; more zones than a patient may have is to know none. */
static void add_zones(struct zone_names *to, const struct zone_names *more, bool *full)
{
	for (unsigned i = 0; i < more->count; i++)
		*full = !policy_zone_names_add(to, more->name[i]) || *full;
}

static void write_place(struct creation *c, const struct zone_names *zones, policy_states states)
{
	char codes[POLICY_STATES_TEXT_BYTES];
	struct buf names = BUF(LIMIT_ZONES * LIMIT_ZONE_NAME_BYTES);
	for (unsigned i = 0; i < zones->count; i++)
		buf_printf(&names, "%s%s", i ? " " : "", zones->name[i]);
	c->draft.zones = view_str(pool_copy(creation_pool(c), buf_view(&names)));
	c->draft.states = view_str(pool_copy(creation_pool(c), view_str(policy_states_format(states, codes))));
	buf_free(&names);
}

/* Every zone and state in which the patient may be: of the address, and of the area code. A time zone that the practice
 * gives is the only one, but not for solicitations, for which the law of every place counts. */
void creation_take_place(struct creation *c)
{
	bool solicits = c->category_flags & CATEGORY_SOLICITATION;
	policy_states address = take_address(c);
	bool known = take_time_zone(c);
	struct zone_names zones = {0};
	struct zone_names of_address = policy_zones_of_states(address);
	bool full = address && of_address.count == 0;
	policy_states states = address;
	if (c->phone_ok && (solicits || !address))
		states |= policy_states_of_phone((const char *)c->draft.phone.p);
	if (known)
		policy_zone_names_add(&zones, (const char *)c->draft.time_zone.p);
	if (!known || solicits) {
		add_zones(&zones, &of_address, &full);
		add_zones(&zones, &c->zones, &full);
		zones.count = full ? 0 : zones.count;
	}
	write_place(c, &zones, states);
}
