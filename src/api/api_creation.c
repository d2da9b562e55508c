/* The fields of a message: every fault is found in one pass and told by pointer and code, never by value. */
#include "api_creation.h"

#include "text_template.h"

#include <stdio.h>
#include <string.h>

#define EXPIRES_DEFAULT_US (8 * DAY_US) /* longer than any cap holds a message */
#define EXPIRES_AHEAD_US (400 * DAY_US)

#define EMERGENCY_TEXT_BYTES 200 /* of the person and of the reason */

struct pool *creation_pool(const struct creation *c)
{
	return c->pool ? c->pool : link_http_pool(c->x);
}

void creation_error(struct creation *c, const char *pointer, const char *code, const char *detail)
{
	if (c->errors == CREATION_ERRORS_MAX)
		return;
	c->error[c->errors++] = (struct http_problem_error){pointer, code, detail};
}
static const struct {
	const char *name;
	const char *pointer;
	bool required;
} fields[F_COUNT] = {
        [F_PATIENT] = {"patient", "/patient", true},
        [F_PHONE] = {"phone", "/phone", true},
        [F_TIME_ZONE] = {"time_zone", "/time_zone", false},
        [F_BODY] = {"body", "/body", false},
        [F_CATEGORY] = {"category", "/category", false},
        [F_PRIORITY] = {"priority", "/priority", false},
        [F_SEND_AT] = {"send_at", "/send_at", false},
        [F_EXPIRES_AT] = {"expires_at", "/expires_at", false},
        [F_REFERENCE] = {"reference", "/reference", false},
        [F_PHI] = {"phi", "/phi", false},
        [F_ZIP] = {"zip", "/zip", false},
        [F_STATE] = {"state", "/state", false},
        [F_ANSWERS] = {"answers", "/answers", false},
        [F_PERSON] = {"person", "/person", false},
        [F_EMERGENCY] = {"emergency", "/emergency", false},
        [F_TEMPLATE] = {"template", "/template", false},
        [F_LANGUAGE] = {"language", "/language", false},
        [F_VARIABLES] = {"variables", "/variables", false},
        [F_RETENTION] = {"retention", "/retention", false},
};
struct view creation_text(struct creation *c, enum creation_field f)
{
	json_t *v = json_object_get(c->json, fields[f].name);
	if (!v || json_is_null(v)) {
		if (fields[f].required)
			creation_error(c, fields[f].pointer, "required", "This field is required.");
		return (struct view){0};
	}
	if (!json_is_string(v)) {
		creation_error(c, fields[f].pointer, "not_a_string", "This field takes a string.");
		return (struct view){0};
	}
	return view_of(json_string_value(v), json_string_length(v));
}

/* The name of an unknown field may be anything, a phone too: it is only named back when it looks like a field. */
const char *creation_pointer(struct creation *c, const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	if (name[n] || n == 0 || n > 40)
		return "";
	char *pointer = pool_alloc(creation_pool(c), n + 2);
	snprintf(pointer, n + 2, "/%s", name);
	return pointer;
}

static void check_unknown(struct creation *c)
{
	const char *name;
	json_t *value;
	json_object_foreach(c->json, name, value)
	{
		bool known = false;
		for (int f = 0; f < F_COUNT; f++)
			known = known || strcmp(name, fields[f].name) == 0;
		if (!known)
			creation_error(c, creation_pointer(c, name), "unknown_field", "There is no such field.");
	}
}

static bool printable(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	return v.n > 0;
}

static void take_patient(struct creation *c)
{
	struct view v = creation_text(c, F_PATIENT);
	if (v.p && (v.n > LIMIT_PATIENT_BYTES || !printable(v)))
		creation_error(c, "/patient", "bad_patient", "Give 1 to 64 printable octets.");
	c->draft.patient = v;
}

static void take_reference(struct creation *c)
{
	struct view v = creation_text(c, F_REFERENCE);
	if (v.p && (v.n > LIMIT_REFERENCE_BYTES || !printable(v)))
		creation_error(c, "/reference", "bad_reference", "Give 1 to 128 printable octets.");
	c->draft.reference = v;
}

static void take_phone(struct creation *c)
{
	struct view v = creation_text(c, F_PHONE);
	if (!v.p)
		return;
	enum phone_check result = policy_phone_check(v);
	if (result == PHONE_FICTIONAL && c->api->config.fictional_ok)
		result = PHONE_OK;
	if (result != PHONE_OK)
		creation_error(c, "/phone", policy_phone_code(result), policy_phone_sentence(result));
	else
		c->zones = policy_phone_zones((const char *)v.p);
	c->phone_ok = result == PHONE_OK;
	c->draft.phone = v;
}

static void take_category(struct creation *c)
{
	struct view v = creation_text(c, F_CATEGORY);
	enum category own = c->used ? c->used->category : CATEGORY_appointment_reminder;
	enum category category = v.p ? policy_category_parse(v) : own;
	if (c->used && category != own)
		creation_error(c, "/category", "category_not_of_template", "The template is of another category.");
	if (category == CATEGORY_COUNT || !(policy_category_flags(category) & CATEGORY_API)) {
		creation_error(c, "/category", "category_unknown", "Give one of the categories in /openapi.json.");
		return;
	}
	c->draft.category = policy_category_code(category);
	c->category_flags = policy_category_flags(category);
}

/* template_use reads those of a template. */
static void take_variables(struct creation *c)
{
	const json_t *v = json_object_get(c->json, fields[F_VARIABLES].name);
	if (v && !json_is_null(v) && !c->used)
		creation_error(c, "/variables", "bad_variables", "Only a template has variables.");
}

static void take_phi(struct creation *c)
{
	json_t *v = json_object_get(c->json, fields[F_PHI].name);
	if (v && !json_is_null(v) && !json_is_boolean(v))
		creation_error(c, "/phi", "not_a_boolean", "This field takes true or false.");
	c->draft.phi = json_is_true(v);
}

/* The patient's text that a conversational reply answers; nothing else answers one. */
static void take_answers(struct creation *c)
{
	struct view v = creation_text(c, F_ANSWERS);
	bool wanted = c->category_flags & CATEGORY_CONVERSATION;
	if (v.p && !uuid_parse(v, &c->draft.answers))
		creation_error(c, "/answers", "bad_answers", "Give the inbound_id of the patient's text.");
	else if (v.p && !wanted)
		creation_error(c, "/answers", "answers_not_here",
		               "Only a conversational_reply answers a patient's text.");
	else if (!v.p && wanted)
		creation_error(c, "/answers", "required", "Give the inbound_id of the patient's text.");
}

/* Who answers the patient; a program, when nobody is named: it may answer a text once. */
static void take_answerer(struct creation *c)
{
	struct view v = creation_text(c, F_PERSON);
	bool wanted = c->category_flags & CATEGORY_CONVERSATION;
	if (v.p && !wanted)
		creation_error(c, "/person", "person_not_here", "Only a conversational_reply names who answers.");
	else if (v.p && (v.n >= API_PERSON_BYTES || !printable(v)))
		creation_error(c, "/person", "bad_person", "Give 1 to 128 printable octets.");
	else if (v.p && !api_person_fits(&c->who, v))
		creation_error(c, "/person", "person_mismatch",
		               "A person's key acts under that person's own name only.");
	if (wanted)
		c->draft.answerer = v.p || !c->who.person[0] ? v : view_str(c->who.person);
}

static struct view emergency_text(struct creation *c, const char *name, const char *pointer)
{
	json_t *v = json_object_get(json_object_get(c->json, fields[F_EMERGENCY].name), name);
	struct view text = json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
	if (text.n > EMERGENCY_TEXT_BYTES || !printable(text))
		creation_error(c, pointer, "bad_emergency", "Give 1 to 200 printable octets.");
	return text;
}

/* Who orders an emergency text, and why. */
static void take_emergency(struct creation *c)
{
	json_t *v = json_object_get(c->json, fields[F_EMERGENCY].name);
	bool given = v && !json_is_null(v);
	bool wanted = c->category_flags & CATEGORY_EMERGENCY;
	if (given && !wanted)
		creation_error(c, "/emergency", "emergency_not_here",
		               "Only a message of class emergency has this field.");
	if (!wanted)
		return;
	if (!json_is_object(v) || json_object_size(v) != 2) {
		creation_error(c, "/emergency", given ? "bad_emergency" : "required",
		               "Give an object with person and reason, and nothing else.");
		return;
	}
	c->draft.emergency_person = emergency_text(c, "person", "/emergency/person");
	c->draft.emergency_reason = emergency_text(c, "reason", "/emergency/reason");
	if (c->draft.emergency_person.p && !api_person_fits(&c->who, c->draft.emergency_person))
		creation_error(c, "/emergency/person", "person_mismatch",
		               "A person's key acts under that person's own name only.");
}

/* {"content": "keep" or "discard"}: whether the text stays for the practice's days or goes once the message ended. */
static void take_retention(struct creation *c)
{
	json_t *v = json_object_get(c->json, fields[F_RETENTION].name);
	const char *content = json_string_value(json_object_get(v, "content"));
	if (!v || json_is_null(v))
		return;
	if (!json_is_object(v) || json_object_size(v) != 1 || !json_object_get(v, "content"))
		creation_error(c, "/retention", "bad_retention", "Give an object with content, and nothing else.");
	else if (!content || (strcmp(content, "discard") != 0 && strcmp(content, "keep") != 0))
		creation_error(c, "/retention/content", "bad_retention", "Give keep or discard.");
	else
		c->draft.discard = strcmp(content, "discard") == 0;
}

static void take_language(struct creation *c)
{
	struct view v = creation_text(c, F_LANGUAGE);
	if (v.p && !text_template_language(v))
		creation_error(c, "/language", "language", "Give en or es.");
}

static void take_priority(struct creation *c)
{
	static const char *const names[] = {"urgent", "normal", "low"};
	struct view v = creation_text(c, F_PRIORITY);
	c->draft.priority = v.p ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (v.p && view_eq(v, view_str(names[i])))
			c->draft.priority = i;
	if (c->draft.priority < 0)
		creation_error(c, "/priority", "priority_unknown", "Give low, normal or urgent.");
}

static bool take_time(struct creation *c, enum creation_field f, int64_t *at_us_r)
{
	struct view v = creation_text(c, f);
	*at_us_r = 0;
	if (!v.p)
		return false;
	if (time_parse(v, at_us_r))
		return true;
	creation_error(c, fields[f].pointer, "bad_time",
	               "Give an RFC 3339 time with its offset, as 2026-03-02T14:30:00-06:00.");
	*at_us_r = 0;
	return false;
}

static void take_times(struct creation *c)
{
	struct draft *m = &c->draft;
	if (take_time(c, F_SEND_AT, &m->send_at_us)) {
		if (m->send_at_us < c->now_us - LIMIT_SEND_AT_BEHIND_S * SECOND_US)
			creation_error(c, "/send_at", "time_past", "This time is more than a day ago.");
		else if (m->send_at_us > c->now_us + LIMIT_SEND_AT_AHEAD_S * SECOND_US)
			creation_error(c, "/send_at", "time_too_far", "This time is more than a year ahead.");
	}
	int64_t from_us = m->send_at_us > c->now_us ? m->send_at_us : c->now_us;
	if (take_time(c, F_EXPIRES_AT, &m->expires_at_us)) {
		if (m->expires_at_us <= from_us)
			creation_error(c, "/expires_at", "time_past", "This time is not after the sending time.");
		else if (m->expires_at_us > c->now_us + EXPIRES_AHEAD_US)
			creation_error(c, "/expires_at", "time_too_far", "This time is too far ahead.");
	} else {
		m->expires_at_us = from_us + EXPIRES_DEFAULT_US;
	}
	m->due_at_us = from_us;
	m->status = m->send_at_us > c->now_us ? "scheduled" : "queued";
}

void creation_take_recipient(struct creation *c)
{
	take_patient(c);
	take_phone(c);
	creation_take_place(c);
	take_reference(c);
}

void creation_take(struct creation *c)
{
	check_unknown(c);
	take_patient(c);
	take_phone(c);
	take_category(c);
	creation_take_place(c);
	creation_take_body(c);
	take_variables(c);
	take_phi(c);
	take_answers(c);
	take_answerer(c);
	take_emergency(c);
	take_language(c);
	take_priority(c);
	take_times(c);
	take_reference(c);
	take_retention(c);
}
