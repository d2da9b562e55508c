/* POST /v1/messages: JSON -> draft -> commit -> 202. Every fault of the request is found in one pass and told by
 * pointer and code, never by value. */
#include "app_api_internal.h"
#include "app_template_use.h"

#include "base_log.h"
#include "base_metric.h"
#include "net_crypto.h"
#include "policy_phone.h"
#include "policy_rules.h"
#include "policy_state.h"
#include "text_shape.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define ERRORS_MAX 24
#define EXPIRES_DEFAULT_US (8 * DAY_US) /* longer than any cap holds a message */
#define EXPIRES_AHEAD_US (400 * DAY_US)

#define EMERGENCY_TEXT_BYTES 200 /* of the person and of the reason */

#define UCS2_UNITS_OF_MANY 67 /* of one segment, when there are several */

struct creation {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	struct draft draft;
	json_t *json;
	struct http_problem_error error[ERRORS_MAX];
	unsigned errors;
	struct text_changes changes;
	const struct template_used *used; /* NULL: the body was given as it is */
	struct lint_findings findings;
	struct zone_names zones;
	unsigned category_flags;
	bool phone_ok;
	int64_t now_us;
	bool failed_validation; /* answered with the errors unless the key has a stored answer */
	bool in_flight;
	bool stored_found;
	bool replaced; /* message_replace: at once, or by its carrier if that can */
	bool asked;
	char status_now[16];
	char stored_hash[2 * SHA256_BYTES + 1];
	char *stored_answer;
};

static void add_error(struct creation *c, const char *pointer, const char *code, const char *detail)
{
	if (c->errors == ERRORS_MAX)
		return;
	c->error[c->errors++] = (struct http_problem_error){pointer, code, detail};
}

/* --- fields --------------------------------------------------------------------------------------------------------
 */

/* The rows of the request: JSON name, pointer, required. */
enum field {
	F_PATIENT,
	F_PHONE,
	F_TIME_ZONE,
	F_BODY,
	F_CATEGORY,
	F_PRIORITY,
	F_SEND_AT,
	F_EXPIRES_AT,
	F_REFERENCE,
	F_ZIP,
	F_STATE,
	F_PHI,
	F_ANSWERS,
	F_EMERGENCY,
	F_TEMPLATE,
	F_LANGUAGE,
	F_VARIABLES, /* read by template_use, as the two before */
	F_COUNT
};
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
        [F_EMERGENCY] = {"emergency", "/emergency", false},
        [F_TEMPLATE] = {"template", "/template", false},
        [F_LANGUAGE] = {"language", "/language", false},
        [F_VARIABLES] = {"variables", "/variables", false},
};

/* A field's text; p NULL when it is absent or wrong (then an error was added). null counts as absent. */
static struct view field_text(struct creation *c, enum field f)
{
	json_t *v = json_object_get(c->json, fields[f].name);
	if (!v || json_is_null(v)) {
		if (fields[f].required)
			add_error(c, fields[f].pointer, "required", "This field is required.");
		return (struct view){0};
	}
	if (!json_is_string(v)) {
		add_error(c, fields[f].pointer, "not_a_string", "This field takes a string.");
		return (struct view){0};
	}
	return view_of(json_string_value(v), json_string_length(v));
}

/* The name of an unknown field may be anything, a phone too: it is only named back when it looks like a field. */
static const char *safe_pointer(struct creation *c, const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	if (name[n] || n == 0 || n > 40)
		return "";
	char *pointer = pool_alloc(link_http_pool(c->x), n + 2);
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
			add_error(c, safe_pointer(c, name), "unknown_field", "There is no such field.");
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
	struct view v = field_text(c, F_PATIENT);
	if (v.p && (v.n > LIMIT_PATIENT_BYTES || !printable(v)))
		add_error(c, "/patient", "bad_patient", "Give 1 to 64 printable octets.");
	c->draft.patient = v;
}

static void take_reference(struct creation *c)
{
	struct view v = field_text(c, F_REFERENCE);
	if (v.p && (v.n > LIMIT_REFERENCE_BYTES || !printable(v)))
		add_error(c, "/reference", "bad_reference", "Give 1 to 128 printable octets.");
	c->draft.reference = v;
}

static void take_phone(struct creation *c)
{
	struct view v = field_text(c, F_PHONE);
	if (!v.p)
		return;
	enum phone_check result = policy_phone_check(v);
	if (result == PHONE_FICTIONAL && c->api->config.fictional_ok)
		result = PHONE_OK;
	if (result != PHONE_OK)
		add_error(c, "/phone", policy_phone_code(result), policy_phone_sentence(result));
	else
		c->zones = policy_phone_zones((const char *)v.p);
	c->phone_ok = result == PHONE_OK;
	c->draft.phone = v;
}

/* Where the practice says that the patient is, by ZIP and state: candidate states, 0 when it does not say. */
static policy_states take_address(struct creation *c)
{
	struct view zip = field_text(c, F_ZIP);
	struct view code = field_text(c, F_STATE);
	policy_states of_zip = zip.p ? policy_states_of_zip(zip) : 0;
	policy_states of_code = code.p ? policy_states_of_code(code) : 0;
	if (zip.p && !of_zip)
		add_error(c, "/zip", "zip_unknown", "Give a ZIP code of the United States, as 10001 or 10001-1234.");
	if (code.p && !of_code)
		add_error(c, "/state", "state_unknown", "Give the two letters of a state or territory, as NY.");
	return of_zip | of_code;
}

static bool take_time_zone(struct creation *c)
{
	struct view v = field_text(c, F_TIME_ZONE);
	c->draft.time_zone = v;
	if (!v.p)
		return false;
	const char *name = (const char *)v.p; /* a C string of jansson's; an inner NUL is refused by it */
	if (policy_zone_name_ok(v) && dispatch_zone(c->api->config.dispatch, name))
		return true;
	add_error(c, "/time_zone", "time_zone_unknown", "Give an IANA time zone name, as America/Chicago.");
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
	c->draft.zones = view_str(pool_copy(link_http_pool(c->x), buf_view(&names)));
	c->draft.states = view_str(pool_copy(link_http_pool(c->x), view_str(policy_states_format(states, codes))));
	buf_free(&names);
}

/* Every zone and state in which the patient may be: of the address, and of the area code. A time zone that the practice
 * gives is the only one, but not for solicitations, for which the law of every place counts. */
static void take_place(struct creation *c)
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

static bool has_controls(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < 0x20 && v.p[i] != '\n') || v.p[i] == 0x7f ||
		    (v.p[i] == 0xc2 && i + 1 < v.n && v.p[i + 1] < 0xa0)) /* the C1 controls in UTF-8 */
			return true;
	return v.n == 0;
}

static void check_shape(struct creation *c, struct view body, const struct text_shape *shape)
{
	struct buf detail = BUF(1024);
	if (shape->characters > LIMIT_MESSAGE_CHARACTERS) {
		buf_printf(&detail, "The text has %u characters; at most %d may be sent.", shape->characters,
		           LIMIT_MESSAGE_CHARACTERS);
		add_error(c, "/body", "body_too_long", pool_copy(link_http_pool(c->x), buf_view(&detail)));
	} else if (shape->encoding == TEXT_UCS2 && shape->segments > c->who.max_segments) {
		buf_printf(&detail, "These characters need an alphabet of which %s %d: ",
		           c->who.max_segments > 1 ? "the texts allowed for one message hold" : "one text holds",
		           c->who.max_segments > 1 ? (int)c->who.max_segments * UCS2_UNITS_OF_MANY : LIMIT_UCS2_UNITS);
		text_not_gsm7(body, 16, &detail);
		add_error(c, "/body", "body_characters", pool_copy(link_http_pool(c->x), buf_view(&detail)));
	} else if (shape->encoding == TEXT_GSM7 && shape->segments > 1) {
		buf_printf(&detail, "The text takes %u of the %d places of one text (some characters take two).",
		           shape->units, LIMIT_GSM7_SEPTETS);
		add_error(c, "/body", "body_too_long", pool_copy(link_http_pool(c->x), buf_view(&detail)));
	}
	buf_free(&detail);
}

/* What the text must not have in it, or must (proto/lint_rule.def): the same is judged again when it is about to go. */
static void lint_body(struct creation *c, struct view body)
{
	enum category category =
	        c->draft.category ? policy_category_parse(view_str(c->draft.category)) : CATEGORY_appointment_reminder;
	struct policy_lint_facts facts = lint_facts(&c->who.lint, category);
	struct faults f = {.pool = link_http_pool(c->x)};
	policy_lint(&facts, body, &c->findings);
	fault_add_findings(&f, &c->findings);
	for (unsigned i = 0; i < f.count; i++)
		add_error(c, f.error[i].pointer, f.error[i].code, f.error[i].detail);
}

/* The text as it was given, or as its template made it. */
static struct view given_body(struct creation *c)
{
	struct view v = field_text(c, F_BODY);
	if (v.p && c->used)
		add_error(c, "/template", "template_and_body", "Give a body or a template, not both.");
	for (unsigned i = 0; c->used && i < c->used->faults.count; i++)
		add_error(c, c->used->faults.error[i].pointer, c->used->faults.error[i].code,
		          c->used->faults.error[i].detail);
	if (!v.p && !c->used && !json_is_string(json_object_get(c->json, "body")))
		add_error(c, "/body", "required", "This field is required.");
	return c->used ? c->used->body : v;
}

static void take_body(struct creation *c)
{
	struct view v = given_body(c);
	struct buf text = BUF(LIMIT_BODY_BYTES * 2);
	if (!v.p)
		return;
	if (v.n > LIMIT_BODY_BYTES) {
		add_error(c, "/body", "body_too_long", "The text is far longer than one text message.");
		return;
	}
	text_normalise(v, &text, &c->changes);
	struct view body = view_str(pool_copy(link_http_pool(c->x), buf_view(&text)));
	buf_free(&text);
	if (has_controls(body)) {
		add_error(c, "/body", "body_empty_or_controls", "Give a text without control characters.");
		return;
	}
	struct text_shape shape = text_measure(body);
	check_shape(c, body, &shape);
	lint_body(c, body);
	c->draft.body = body;
	c->draft.encoding = text_encoding_name(shape.encoding);
	c->draft.characters = shape.characters;
	c->draft.segments = shape.segments;
}

static void take_category(struct creation *c)
{
	struct view v = field_text(c, F_CATEGORY);
	enum category own = c->used ? c->used->category : CATEGORY_appointment_reminder;
	enum category category = v.p ? policy_category_parse(v) : own;
	if (c->used && category != own)
		add_error(c, "/category", "category_not_of_template", "The template is of another category.");
	if (category == CATEGORY_COUNT || !(policy_category_flags(category) & CATEGORY_API)) {
		add_error(c, "/category", "category_unknown", "Give one of the categories in /openapi.json.");
		return;
	}
	c->draft.category = policy_category_code(category);
	c->category_flags = policy_category_flags(category);
}

static void take_phi(struct creation *c)
{
	json_t *v = json_object_get(c->json, fields[F_PHI].name);
	if (v && !json_is_null(v) && !json_is_boolean(v))
		add_error(c, "/phi", "not_a_boolean", "This field takes true or false.");
	c->draft.phi = json_is_true(v);
}

/* The patient's text that a conversational reply answers; nothing else answers one. */
static void take_answers(struct creation *c)
{
	struct view v = field_text(c, F_ANSWERS);
	bool wanted = c->category_flags & CATEGORY_CONVERSATION;
	if (v.p && !uuid_parse(v, &c->draft.answers))
		add_error(c, "/answers", "bad_answers", "Give the inbound_id of the patient's text.");
	else if (v.p && !wanted)
		add_error(c, "/answers", "answers_not_here", "Only a conversational_reply answers a patient's text.");
	else if (!v.p && wanted)
		add_error(c, "/answers", "required", "Give the inbound_id of the patient's text.");
}

static struct view emergency_text(struct creation *c, const char *name, const char *pointer)
{
	json_t *v = json_object_get(json_object_get(c->json, fields[F_EMERGENCY].name), name);
	struct view text = json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
	if (text.n > EMERGENCY_TEXT_BYTES || !printable(text))
		add_error(c, pointer, "bad_emergency", "Give 1 to 200 printable octets.");
	return text;
}

/* Who orders an emergency text, and why. */
static void take_emergency(struct creation *c)
{
	json_t *v = json_object_get(c->json, fields[F_EMERGENCY].name);
	bool given = v && !json_is_null(v);
	bool wanted = c->category_flags & CATEGORY_EMERGENCY;
	if (given && !wanted)
		add_error(c, "/emergency", "emergency_not_here", "Only a message of class emergency has this field.");
	if (!wanted)
		return;
	if (!json_is_object(v) || json_object_size(v) != 2) {
		add_error(c, "/emergency", given ? "bad_emergency" : "required",
		          "Give an object with person and reason, and nothing else.");
		return;
	}
	c->draft.emergency_person = emergency_text(c, "person", "/emergency/person");
	c->draft.emergency_reason = emergency_text(c, "reason", "/emergency/reason");
}

static void take_priority(struct creation *c)
{
	static const char *const names[] = {"urgent", "normal", "low"};
	struct view v = field_text(c, F_PRIORITY);
	c->draft.priority = v.p ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (v.p && view_eq(v, view_str(names[i])))
			c->draft.priority = i;
	if (c->draft.priority < 0)
		add_error(c, "/priority", "priority_unknown", "Give low, normal or urgent.");
}

static bool take_time(struct creation *c, enum field f, int64_t *at_us_r)
{
	struct view v = field_text(c, f);
	*at_us_r = 0;
	if (!v.p)
		return false;
	if (time_parse(v, at_us_r))
		return true;
	add_error(c, fields[f].pointer, "bad_time",
	          "Give an RFC 3339 time with its offset, as 2026-03-02T14:30:00-06:00.");
	*at_us_r = 0;
	return false;
}

static void take_times(struct creation *c)
{
	struct draft *m = &c->draft;
	if (take_time(c, F_SEND_AT, &m->send_at_us)) {
		if (m->send_at_us < c->now_us - LIMIT_SEND_AT_BEHIND_S * SECOND_US)
			add_error(c, "/send_at", "time_past", "This time is more than a day ago.");
		else if (m->send_at_us > c->now_us + LIMIT_SEND_AT_AHEAD_S * SECOND_US)
			add_error(c, "/send_at", "time_too_far", "This time is more than a year ahead.");
	}
	int64_t from_us = m->send_at_us > c->now_us ? m->send_at_us : c->now_us;
	if (take_time(c, F_EXPIRES_AT, &m->expires_at_us)) {
		if (m->expires_at_us <= from_us)
			add_error(c, "/expires_at", "time_past", "This time is not after the sending time.");
		else if (m->expires_at_us > c->now_us + EXPIRES_AHEAD_US)
			add_error(c, "/expires_at", "time_too_far", "This time is too far ahead.");
	} else {
		m->expires_at_us = from_us + EXPIRES_DEFAULT_US;
	}
	m->due_at_us = from_us;
	m->status = m->send_at_us > c->now_us ? "scheduled" : "queued";
}

/* --- answers -------------------------------------------------------------------------------------------------------
 */

static void creation_end(struct creation *c)
{
	if (c->in_flight)
		in_flight_leave(c->api->in_flight, &c->who.practice_id, c->draft.key);
	json_decref(c->json);
}

static void write_answer(struct creation *c)
{
	char id[UUID_TEXT_BYTES];
	struct buf b = BUF(16384);
	buf_printf(&b,
	           "{\"id\":\"%s\",\"status\":\"%s\",\"encoding\":\"%s\",\"characters\":%u,\"segments\":%u,\"zones\":[",
	           uuid_format(&c->draft.id, id), c->draft.status, c->draft.encoding, c->draft.characters,
	           c->draft.segments);
	for (size_t at = 0, n; at < c->draft.zones.n; at += n + 1) {
		const char *name = (const char *)c->draft.zones.p + at;
		n = strcspn(name, " ");
		buf_printf(&b, "%s\"%.*s\"", at ? "," : "", (int)n, name);
	}
	buf_add_str(&b, "],\"replaced\":[");
	for (unsigned i = 0; i < c->changes.count; i++) {
		buf_printf(&b, "%s{\"from\":\"U+%04X\",\"to\":\"", i ? "," : "", (unsigned)c->changes.change[i].from);
		buf_add_json_text(&b, view_str(c->changes.change[i].to));
		buf_printf(&b, "\",\"count\":%u}", c->changes.change[i].count);
	}
	buf_add_str(&b, "],\"findings\":");
	lint_write(&c->findings, &b);
	buf_add_u8(&b, '}');
	c->draft.answer = view_str(pool_copy(link_http_pool(c->x), buf_view(&b)));
	buf_free(&b);
}

static void answer_errors(struct creation *c)
{
	creation_end(c);
	link_http_problem(c->x, 422, "validation_failed", "The message cannot be accepted; see errors.", c->error,
	                  c->errors, "");
}

static void stored_cb(void *ctx, const struct store_rows *rows)
{
	struct creation *c = ctx;
	if (store_rows_count(rows) == 0)
		return;
	c->stored_found = true;
	copy_view(c->stored_hash, sizeof(c->stored_hash), store_rows_text(rows, 0, 0));
	c->stored_answer = pool_copy(link_http_pool(c->x), store_rows_text(rows, 0, 1));
}

static void stored_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct creation *c = ctx;
	char hash[2 * SHA256_BYTES + 1];
	(void)sqlstate;
	hex_encode(c->draft.request_hash, SHA256_BYTES, hash);
	if (result == STORE_OK && !c->stored_found && c->failed_validation) {
		answer_errors(c);
		return;
	}
	creation_end(c);
	if (result != STORE_OK || !c->stored_found)
		api_read_failed(c->x);
	else if (strcmp(hash, c->stored_hash) != 0)
		api_problem(c->x, 422, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
	else
		link_http_reply(c->x, 202, "application/json", "idempotency-replayed: true\r\n",
		                view_str(c->stored_answer));
}

static void read_stored(struct creation *c)
{
	struct store_params ps = {0};
	struct store_step step = {"idempotency_get", &ps, stored_cb};
	store_value_uuid(&ps, &c->who.practice_id);
	store_value_text(&ps, c->draft.key);
	store_lane_run(dispatch_read_lane(c->api->config.dispatch), &step, 1, stored_done_cb, c);
	store_params_free(&ps);
}

static void tell_emergency(const struct creation *c)
{
	char practice[UUID_TEXT_BYTES];
	metric_add(METRIC_emergencies_total, 1, LABELS("requested"));
	log_event(LOG_WARNING, "emergency_requested", LOG_TEXT(practice, uuid_format(&c->who.practice_id, practice)),
	          LOG_TEXT(warning, "a person ordered an emergency text"));
}

static void accepted_cb(void *ctx, struct draft *draft, enum accept_result result)
{
	struct creation *c = ctx;
	if (result == ACCEPT_REPEATED) {
		read_stored(c);
		return;
	}
	creation_end(c);
	if (result == ACCEPT_STORED && draft->emergency_person.p)
		tell_emergency(c);
	if (result == ACCEPT_STORED)
		link_http_reply(c->x, 202, "application/json", "", draft->answer);
	else
		api_read_failed(c->x);
}

/* --- request -------------------------------------------------------------------------------------------------------
 */

/* Idempotency-Key: a structured-field string in quotes, or bare. False with the problem answered. */
static bool take_key(struct creation *c, const struct http_request *r)
{
	struct view v = http_request_header(r, "idempotency-key");
	if (!v.p)
		return true;
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		v = view_of(v.p + 1, v.n - 2);
	bool ok = v.n > 0 && v.n <= LIMIT_IDEMPOTENCY_KEY_BYTES && http_request_header_count(r, "idempotency-key") == 1;
	for (size_t i = 0; ok && i < v.n; i++)
		ok = v.p[i] > 0x20 && v.p[i] < 0x7f && v.p[i] != '"' && v.p[i] != '\\';
	if (!ok) {
		api_problem(c->x, 400, "idempotency_key_bad",
		            "Idempotency-Key takes 1 to 128 visible ASCII characters, once.");
		return false;
	}
	c->draft.key = view_str(pool_copy(link_http_pool(c->x), v));
	net_sha256(r->body, c->draft.request_hash);
	if (in_flight_enter(c->api->in_flight, &c->who.practice_id, c->draft.key)) {
		c->in_flight = true;
		return true;
	}
	link_http_problem(c->x, 409, "idempotency_key_running",
	                  "The first request with this Idempotency-Key is still running.", NULL, 0,
	                  "retry-after: 1\r\n");
	return false;
}

static bool is_json(const struct http_request *r)
{
	struct view type = http_request_header(r, "content-type");
	const uint8_t *semicolon = type.n ? memchr(type.p, ';', type.n) : NULL;
	if (semicolon)
		type = view_trim(view_of(type.p, (size_t)(semicolon - type.p)));
	return view_eq_nocase(type, VIEW("application/json"));
}

static bool parse_json(struct creation *c, struct view body)
{
	json_error_t error;
	c->json = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &error);
	if (c->json && json_is_object(c->json))
		return true;
	/* jansson's sentence may quote the text: only the place is told. */
	struct buf detail = BUF(200);
	if (c->json)
		buf_add_str(&detail, "The request's body must be a JSON object.");
	else
		buf_printf(&detail, "The JSON is malformed at line %d, column %d.", error.line, error.column);
	const char *code =
	        json_error_code(&error) == json_error_duplicate_key ? "json_duplicate_key" : "json_malformed";
	creation_end(c);
	api_problem(c->x, 400, c->json ? "json_not_object" : code, buf_cstr(&detail));
	buf_free(&detail);
	return false;
}

static void check_only_body(struct creation *c)
{
	const char *name;
	json_t *value;
	json_object_foreach(c->json, name, value) if (strcmp(name, "body") != 0)
	        add_error(c, safe_pointer(c, name), "unknown_field", "Only a body can be given here.");
}

static void validate(struct creation *c)
{
	check_unknown(c);
	take_patient(c);
	take_phone(c);
	take_category(c);
	take_place(c);
	take_body(c);
	take_phi(c);
	take_answers(c);
	take_emergency(c);
	take_priority(c);
	take_times(c);
	take_reference(c);
}

static void submit(struct creation *c)
{
	struct draft *m = &c->draft;
	m->practice_id = c->who.practice_id;
	m->sender = view_str(c->who.sender);
	m->api_key = c->who.key;
	m->id = uuid_make(&c->api->ids, c->now_us);
	m->cb = accepted_cb;
	m->ctx = c;
	write_answer(c);
	if (dispatch_accept(c->api->config.dispatch, m))
		return;
	creation_end(c);
	api_unavailable(c->x, "busy", "The gateway cannot take more just now; try again.");
}

static void refuse_scope(struct creation *c)
{
	creation_end(c);
	api_problem(c->x, 403, "scope_missing", "This API key may not order emergency texts.");
}

static void judge(struct creation *c)
{
	validate(c);
	if (c->category_flags & CATEGORY_EMERGENCY && !c->who.emergency)
		refuse_scope(c);
	else if (c->errors == 0)
		submit(c);
	else if ((c->failed_validation = c->draft.key.p != NULL))
		read_stored(c);
	else
		answer_errors(c);
}

static void used_cb(void *ctx, const struct template_used *used)
{
	struct creation *c = ctx;
	c->used = used;
	c->draft.template_id = used->id;
	c->draft.template_version = used->version;
	if (!used->unread) {
		judge(c);
		return;
	}
	creation_end(c);
	api_read_failed(c->x);
}

static void create(struct creation *c)
{
	if (!json_is_string(json_object_get(c->json, "template"))) {
		judge(c);
	} else if (!template_use(c->api, c->x, &c->who, c->json, used_cb, c)) {
		creation_end(c);
		api_unavailable(c->x, "busy", "Too many requests wait; try again.");
	}
}

void message_create(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	const struct http_request *r = link_http_request(x);
	if (!is_json(r)) {
		api_problem(x, 415, "not_json", "Send Content-Type: application/json.");
		return;
	}
	struct creation *c = pool_alloc(link_http_pool(x), sizeof(*c));
	*c = (struct creation){.api = a, .x = x, .who = *who, .now_us = clock_read(a->config.clock)};
	if (take_key(c, r) && parse_json(c, r->body))
		create(c);
}

void message_create_from(struct api *a, struct http_exchange *x, const struct api_caller *who, json_t *json)
{
	struct creation *c = pool_alloc(link_http_pool(x), sizeof(*c));
	*c = (struct creation){.api = a, .x = x, .who = *who, .json = json, .now_us = clock_read(a->config.clock)};
	if (take_key(c, link_http_request(x)))
		create(c);
	else
		json_decref(json);
}

/* --- another text --------------------------------------------------------------------------------------------------
 */

static void replaced_cb(void *ctx, const struct store_rows *rows)
{
	struct creation *c = ctx;
	c->stored_found = store_rows_count(rows) > 0;
	if (!c->stored_found)
		return;
	c->replaced = store_rows_bool(rows, 0, 1);
	c->asked = store_rows_bool(rows, 0, 2);
	copy_view(c->status_now, sizeof(c->status_now), store_rows_text(rows, 0, 0));
}

static void replaced_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct creation *c = ctx;
	char id[UUID_TEXT_BYTES];
	struct buf body = BUF(200);
	(void)sqlstate;
	buf_printf(&body, "{\"id\":\"%s\",\"status\":\"%s\"}", uuid_format(&c->draft.id, id), c->status_now);
	creation_end(c);
	if (result != STORE_OK)
		api_read_failed(c->x);
	else if (!c->stored_found)
		api_problem(c->x, 404, "message_unknown", "There is no such message.");
	else if (!c->replaced && !c->asked)
		api_problem(c->x, 409, "not_replaceable", "The message is with the carrier already, or has ended.");
	else
		link_http_reply(c->x, c->replaced ? 200 : 202, "application/json", "", buf_view(&body));
	buf_free(&body);
}

static void replace(struct creation *c)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(c->api->config.dispatch);
	struct store_step step = {"message_replace", &ps, replaced_cb};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		creation_end(c);
		api_unavailable(c->x, "busy", "Too many requests wait; try again.");
		return;
	}
	store_value_uuid(&ps, &c->who.practice_id);
	store_value_uuid(&ps, &c->draft.id);
	store_value_text(&ps, c->draft.body);
	store_value_str(&ps, c->draft.encoding);
	store_value_int(&ps, STORE_INT4, c->draft.characters);
	store_value_time(&ps, c->now_us);
	store_lane_run(lane, &step, 1, replaced_done_cb, c);
	store_params_free(&ps);
}

void message_replace(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	const struct http_request *r = link_http_request(x);
	struct uuid id;
	if (!uuid_parse(link_http_param(x), &id)) {
		api_problem(x, 404, "message_unknown", "There is no such message.");
		return;
	}
	if (!is_json(r)) {
		api_problem(x, 415, "not_json", "Send Content-Type: application/json.");
		return;
	}
	struct creation *c = pool_alloc(link_http_pool(x), sizeof(*c));
	*c = (struct creation){.api = a, .x = x, .who = *who, .now_us = clock_read(a->config.clock)};
	c->who.max_segments = 1; /* what a carrier has is replaced by one PDU */
	c->draft.id = id;
	if (!parse_json(c, r->body))
		return;
	check_only_body(c);
	take_body(c);
	if (c->errors == 0)
		replace(c);
	else
		answer_errors(c);
}
