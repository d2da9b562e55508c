/* A person's key acts under that person's name only: every member `person` or `actor` of a request's body, at any
 * depth, must be the person's own. Names are compared as smsbridge.same_person does: ASCII letters and digits count,
 * case does not; other octets count as they are. */
#include "api_internal.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#define DEPTH_MAX 8

/* The next octet that counts, small; -1 at the end. */
static int next(struct view *v)
{
	while (v->n) {
		uint8_t c = *v->p;
		*v = view_of(v->p + 1, v->n - 1);
		if (c >= 0x80 || isalnum(c))
			return tolower(c);
	}
	return -1;
}

bool api_person_fits(const struct api_caller *who, struct view name)
{
	struct view own = view_str(who->person);
	int a, b;
	if (!own.n)
		return true;
	do {
		a = next(&own);
		b = next(&name);
	} while (a == b && a >= 0);
	return a == b;
}

static bool fits(const struct api_caller *who, const json_t *json, unsigned depth);

static bool member_fits(const struct api_caller *who, const char *name, const json_t *value, unsigned depth)
{
	bool names = strcmp(name, "person") == 0 || strcmp(name, "actor") == 0;
	if (strcmp(name, "variables") == 0)
		return true; /* the practice's own words for what stands in a text */
	if (names && json_is_string(value))
		return api_person_fits(who, view_of(json_string_value(value), json_string_length(value)));
	return fits(who, value, depth);
}

static bool fits(const struct api_caller *who, const json_t *json, unsigned depth)
{
	const char *name;
	json_t *value;
	size_t i;
	if (depth == DEPTH_MAX)
		return false;
	json_object_foreach((json_t *)json, name, value)
	{
		if (!member_fits(who, name, value, depth + 1))
			return false;
	}
	json_array_foreach(json, i, value)
	{
		if (!fits(who, value, depth + 1))
			return false;
	}
	return true;
}

bool person_fits_body(const struct api_caller *who, struct view body)
{
	if (!who->person[0] || !body.n)
		return true;
	json_t *json = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	bool ok = fits(who, json, 0); /* what is no JSON names nobody, and its route refuses it */
	json_decref(json);
	return ok;
}
