#include "api_plan.h"

#include <stdio.h>
#include <string.h>

static const char *const members[] = {"name", "before", "at", "template", "category", "skip_if_confirmed", "rank"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RANK_MAX 100
#define TEMPLATE_BYTES_MAX 64

/* "/steps/0/before"; member "": the step. */
static const char *at(struct faults *f, unsigned i, const char *member)
{
	char pointer[64];
	snprintf(pointer, sizeof(pointer), "/steps/%u%s%s", i, *member ? "/" : "", member);
	return pool_copy(f->pool, view_str(pointer));
}

static struct view text_of(const json_t *v)
{
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

static bool is_name(struct view v, size_t most)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	for (size_t i = 0; i < v.n; i++)
		if (!v.p[i] || !strchr(letters, v.p[i]))
			return false;
	return v.n > 0 && v.n <= most;
}

/* "10:00" as the minute of the day; -1 when it is none. */
static int minute_of(struct view v)
{
	static const char digits[] = "0123456789";
	if (v.n != 5 || v.p[2] != ':')
		return -1;
	for (size_t i = 0; i < 5; i++)
		if (i != 2 && (!v.p[i] || !strchr(digits, v.p[i])))
			return -1;
	int hour = (v.p[0] - '0') * 10 + v.p[1] - '0', minute = (v.p[3] - '0') * 10 + v.p[4] - '0';
	return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

static void take_when(const json_t *json, unsigned i, struct faults *f, struct plan_step *to)
{
	const json_t *time = json_object_get(json, "at");
	to->minute = -1;
	if (!policy_plan_before(text_of(json_object_get(json, "before")), to))
		fault_add(f, at(f, i, "before"), "bad_before",
		          "Give how long before the visit, as P3D or PT2H; 60 days at most.");
	if (!time || json_is_null(time))
		return;
	to->minute = minute_of(text_of(time));
	if (to->minute < 0)
		fault_add(f, at(f, i, "at"), "bad_at", "Give a time of day, as 10:00.");
	else if (to->before_s || !to->days)
		fault_add(f, at(f, i, "at"), "bad_at",
		          "Only a step that is whole days before the visit has a time of day.");
}

static void take_category(const json_t *json, unsigned i, struct faults *f, struct plan_step *to)
{
	const json_t *v = json_object_get(json, "category");
	to->category = CATEGORY_appointment_reminder;
	if (!v || json_is_null(v))
		return;
	to->category = policy_category_parse(text_of(v));
	if (to->category == CATEGORY_COUNT || to->category == CATEGORY_verification ||
	    !(policy_category_flags(to->category) & CATEGORY_HEALTH)) {
		fault_add(f, at(f, i, "category"), "category_unknown",
		          "Give a category of health care, as appointment_reminder.");
		to->category = CATEGORY_appointment_reminder;
	}
}

static void take_use(const json_t *json, unsigned i, struct faults *f, struct plan_step *to)
{
	const json_t *skip = json_object_get(json, "skip_if_confirmed");
	const json_t *rank = json_object_get(json, "rank");
	if (skip && !json_is_null(skip) && !json_is_boolean(skip))
		fault_add(f, at(f, i, "skip_if_confirmed"), "not_a_boolean", "This field takes true or false.");
	to->skip_confirmed = json_is_true(skip);
	to->rank = 0;
	if (!rank || json_is_null(rank))
		return;
	json_int_t n = json_integer_value(rank);
	if (!json_is_integer(rank) || n < 1 || n > RANK_MAX)
		fault_add(f, at(f, i, "rank"), "bad_rank", "Give a number from 1 (most useful) to 100.");
	else
		to->rank = (int)n;
}

static void check_members(json_t *json, unsigned i, struct faults *f)
{
	const char *name;
	json_t *v;
	json_object_foreach(json, name, v)
	{
		bool known = false;
		for (size_t k = 0; k < COUNT(members); k++)
			known = known || strcmp(name, members[k]) == 0;
		if (!known)
			fault_add(f, at(f, i, ""), "unknown_field", "A step has a member that there is not.");
	}
}

static void take_step(json_t *json, unsigned i, struct faults *f, struct plan_entry *to)
{
	struct view name = text_of(json_object_get(json, "name"));
	struct view template_ = text_of(json_object_get(json, "template"));
	*to = (struct plan_entry){.template_ = ""};
	check_members(json, i, f);
	if (!is_name(name, PLAN_NAME_BYTES - 1))
		fault_add(f, at(f, i, "name"), "bad_name", "Give 1 to 32 small letters, digits, _ and -.");
	else
		copy_view(to->name, sizeof(to->name), name);
	if (!is_name(template_, TEMPLATE_BYTES_MAX))
		fault_add(f, at(f, i, "template"), "bad_name", "Give the name of a template.");
	else
		to->template_ = (const char *)template_.p;
	take_when(json, i, f, &to->step);
	take_category(json, i, f, &to->step);
	take_use(json, i, f, &to->step);
}

unsigned plan_read(const json_t *steps, struct faults *f, struct plan_entry to[LIMIT_PLAN_STEPS])
{
	unsigned n = 0;
	if (!json_is_array(steps)) {
		fault_add(f, "/steps", steps ? "not_a_list" : "required", "Give a list of steps; empty for none.");
		return 0;
	}
	if (json_array_size(steps) > LIMIT_PLAN_STEPS)
		fault_add(f, "/steps", "steps_many", "A plan has at most 8 steps.");
	for (; n < json_array_size(steps) && n < LIMIT_PLAN_STEPS; n++) {
		json_t *json = json_array_get(steps, n);
		if (!json_is_object(json))
			fault_add(f, at(f, n, ""), "not_an_object", "A step is an object.");
		take_step(json, n, f, &to[n]);
		for (unsigned k = 0; k < n && to[n].name[0]; k++)
			if (strcmp(to[k].name, to[n].name) == 0)
				fault_add(f, at(f, n, "name"), "name_twice", "Another step has this name.");
	}
	return n;
}

static json_t *before_json(const struct plan_step *s)
{
	char text[40];
	int n = s->days ? snprintf(text, sizeof(text), "P%dD", s->days) : snprintf(text, sizeof(text), "P");
	const int minutes = (int)(s->before_s / 60);
	if (s->before_s)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "T");
	if (minutes >= 60)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%dH", minutes / 60);
	if (minutes % 60)
		snprintf(text + n, sizeof(text) - (size_t)n, "%dM", minutes % 60);
	return json_string(text);
}

static json_t *at_json(const struct plan_step *s)
{
	char text[24];
	if (s->minute < 0)
		return json_null();
	snprintf(text, sizeof(text), "%02d:%02d", s->minute / 60, s->minute % 60);
	return json_string(text);
}

json_t *plan_json(const struct plan_entry *entry, unsigned count)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < count; i++) {
		const struct plan_step *s = &entry[i].step;
		json_t *o = json_object();
		json_object_set_new(o, "name", json_string(entry[i].name));
		json_object_set_new(o, "before", before_json(s));
		json_object_set_new(o, "at", at_json(s));
		json_object_set_new(o, "template", json_string(entry[i].template_));
		json_object_set_new(o, "category", json_string(policy_category_code(s->category)));
		json_object_set_new(o, "skip_if_confirmed", json_boolean(s->skip_confirmed));
		json_object_set_new(o, "rank", s->rank ? json_integer(s->rank) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}
