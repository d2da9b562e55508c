#include "api_booking.h"

#include <string.h>

#define LANGUAGE_BYTES_MAX 8
#define VARIABLE_BYTES_MAX 160

static const char *const members[] = {"patient", "phone", "starts_at", "location_zone", "time_zone", "zip",
                                      "state",   "kind",  "status",    "language",      "variables", "reference"};

static const char *const statuses[] = {"booked", "confirmed", "arrived", "completed", "canceled", "no_show"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool booking_status_known(struct view word)
{
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (view_eq(word, view_str(statuses[i])))
			return true;
	return false;
}

static void check_members(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)json, name, v)
	{
		bool known = false;
		for (size_t i = 0; i < COUNT(members); i++)
			known = known || strcmp(name, members[i]) == 0;
		if (!known)
			creation_error(c, creation_pointer(c, name), "unknown_field", "There is no such field.");
	}
}

/* A member's text; p NULL when it is absent, or wrong (told). */
static struct view text_of(struct booking *b, const json_t *json, const char *name, const char *pointer, bool required)
{
	struct creation *c = &b->fields;
	const json_t *v = json_object_get(json, name);
	if (json_is_string(v))
		return view_of(json_string_value(v), json_string_length(v));
	if (v && !json_is_null(v))
		creation_error(c, pointer, "not_a_string", "This field takes a string.");
	else if (required)
		creation_error(c, pointer, "required", "This field is required.");
	return (struct view){0};
}

static void set_text(struct booking *b, const char *name, struct view v)
{
	json_object_set_new(b->row, name, v.p ? json_stringn((const char *)v.p, v.n) : json_null());
}

static void take_start(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	struct view v = text_of(b, json, "starts_at", "/starts_at", true);
	char text[TIME_TEXT_BYTES];
	int64_t at_us = 0;
	if (!v.p)
		return;
	if (!time_parse(v, &at_us))
		creation_error(c, "/starts_at", "bad_time",
		               "Give an RFC 3339 time with its offset, as 2026-03-02T14:30:00-06:00.");
	else if (at_us > b->fields.now_us + 2 * (int64_t)LIMIT_SEND_AT_AHEAD_S * SECOND_US)
		creation_error(c, "/starts_at", "time_too_far", "This time is more than two years ahead.");
	set_text(b, "starts_at", view_str(time_format(at_us, text)));
}

static void take_location(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	struct view v = text_of(b, json, "location_zone", "/location_zone", true);
	if (v.p && !(policy_zone_name_ok(v) && dispatch_zone(b->api->config.dispatch, (const char *)v.p)))
		creation_error(c, "/location_zone", "time_zone_unknown",
		               "Give an IANA time zone name, as America/Chicago.");
	set_text(b, "location_zone", v);
}

static void take_kind(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	struct view v = text_of(b, json, "kind", "/kind", false);
	if (v.p && !api_ref_ok(v))
		creation_error(c, "/kind", "bad_kind", "Give 1 to 64 printable octets.");
	set_text(b, "kind", v.p ? v : VIEW("default"));
}

static void take_status(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	struct view v = text_of(b, json, "status", "/status", false);
	if (v.p && !booking_status_known(v))
		creation_error(c, "/status", "bad_status",
		               "Give booked, confirmed, arrived, completed, canceled or no_show.");
	b->status_given = v.p;
	set_text(b, "status", v.p ? v : VIEW("booked"));
}

static void take_language(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	struct view v = text_of(b, json, "language", "/language", false);
	bool ok = v.n >= 2 && v.n <= LANGUAGE_BYTES_MAX;
	for (size_t i = 0; ok && i < v.n; i++)
		ok = (v.p[i] >= 'a' && v.p[i] <= 'z') || (v.p[i] >= 'A' && v.p[i] <= 'Z') || v.p[i] == '-';
	if (v.p && !ok)
		creation_error(c, "/language", "bad_language", "Give a language, as en or es.");
	set_text(b, "language", v.p ? v : VIEW("en"));
}

static void take_variables(struct booking *b, const json_t *json)
{
	struct creation *c = &b->fields;
	json_t *v = json_object_get(json, "variables");
	const char *name;
	json_t *value;
	bool ok = !v || json_is_null(v) || (json_is_object(v) && json_object_size(v) <= TEMPLATE_VARIABLES_MAX);
	json_object_foreach(v, name, value) ok = ok && json_is_string(value) &&
	                                         json_string_length(value) <= VARIABLE_BYTES_MAX &&
	                                         strlen(name) < TEMPLATE_NAME_BYTES;
	if (!ok)
		creation_error(c, "/variables", "bad_variables", "Give at most 12 variables, each once, as a string.");
	json_object_set_new(b->row, "variables", json_is_object(v) ? json_deep_copy(v) : json_object());
}

void booking_read(struct booking *b)
{
	struct creation *c = &b->fields;
	const json_t *json = b->request;
	b->row = json_object();
	check_members(b, json);
	creation_take_recipient(c);
	json_object_set_new(b->row, "ref", json_string(b->ref));
	set_text(b, "patient", c->draft.patient);
	set_text(b, "phone", c->draft.phone);
	set_text(b, "reference", c->draft.reference);
	set_text(b, "time_zone", c->draft.time_zone);
	set_text(b, "zip", creation_text(c, F_ZIP));
	set_text(b, "state", creation_text(c, F_STATE));
	set_text(b, "zones", c->draft.zones);
	set_text(b, "states", c->draft.states);
	take_start(b, json);
	take_location(b, json);
	take_kind(b, json);
	take_status(b, json);
	take_language(b, json);
	take_variables(b, json);
}
