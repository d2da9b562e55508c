/* PUT /v1/appointments/{ref} and POST /v1/appointments/{ref}/status: read what the reminders are planned by, plan them,
 * and store appointment and reminders in one statement under the recipients' locks, which does nothing when what was
 * read changed meanwhile; then it is read again, a few times. */
#include "api_booking.h"

#include <string.h>

#define ATTEMPTS_MAX 5 /* of planning; each needs somebody else who changed the same patient's messages meanwhile */

static void read_facts(struct booking *b);
static void read_row(struct booking *b);

static void booking_end(struct booking *b)
{
	json_decref(b->request);
	json_decref(b->row);
	json_decref(b->facts);
	json_decref(b->reminders);
	b->request = b->row = b->facts = b->reminders = NULL;
}

static void refuse(struct booking *b, int status, const char *code, const char *detail)
{
	booking_end(b);
	if (status == 503)
		api_unavailable(b->x, code, detail);
	else
		api_problem(b->x, status, code, detail);
}

static void answer_errors(struct booking *b)
{
	booking_end(b);
	link_http_problem(b->x, 422, "validation_failed", "The appointment cannot be accepted; see errors.",
	                  b->fields.error, b->fields.errors, "");
}

static void run(struct booking *b, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(b->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		refuse(b, 503, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done, b);
	store_params_free(ps);
}

static struct view row_text(const json_t *row, const char *name)
{
	const json_t *v = json_object_get(row, name);
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

/* --- the answer ----------------------------------------------------------------------------------------------------
 */

static void shown_cb(void *ctx, const struct store_rows *rows)
{
	struct booking *b = ctx;
	b->found = store_rows_count(rows) > 0;
	if (!b->found)
		return;
	b->version = store_rows_int(rows, 0, 0);
	buf_add_view(&b->body, store_rows_text(rows, 0, 1));
}

static void shown_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct booking *b = ctx;
	struct buf body = b->body;
	(void)sqlstate;
	booking_end(b);
	if (result != STORE_OK || !b->found)
		api_read_failed(b->x);
	else
		etag_reply(b->x, strcmp(b->did, "created") == 0 ? 201 : 200, b->version, buf_view(&body));
	buf_free(&body);
}

static void show(struct booking *b)
{
	struct store_params ps = {0};
	store_value_uuid(&ps, &b->who.practice_id);
	store_value_str(&ps, b->ref);
	store_value_str(&ps, b->who.sees_phone ? "t" : "f");
	store_value_str(&ps, b->who.sees_text ? "t" : "f");
	run(b, "appointment_get", &ps, shown_cb, shown_done_cb);
}

/* --- storing -------------------------------------------------------------------------------------------------------
 */

/* Somebody changed the same patient's messages at the same moment. */
static void again(struct booking *b)
{
	if (++b->attempts == ATTEMPTS_MAX)
		refuse(b, 503, "busy", "The patient's messages change too fast; try again.");
	else if (b->status)
		read_row(b);
	else
		read_facts(b);
}

static void stored_cb(void *ctx, const struct store_rows *rows)
{
	struct booking *b = ctx;
	copy_view(b->did, sizeof(b->did), store_rows_text(rows, 0, 0));
}

static void stored_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct booking *b = ctx;
	bool collided = result == STORE_FAILED && strcmp(sqlstate, "40P01") == 0; /* deadlock: nothing was done */
	if (collided || (result == STORE_OK && strcmp(b->did, "stale") == 0))
		again(b);
	else if (result != STORE_OK)
		refuse(b, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else
		show(b);
}

/* Why what is withdrawn is. */
static enum reason why(const struct booking *b)
{
	struct view status = row_text(b->row, "status");
	const json_t *was = json_object_get(b->facts, "starts_us");
	if (view_eq(status, VIEW("canceled")))
		return REASON_withdrawn_canceled;
	if (!view_eq(status, VIEW("booked")) && !view_eq(status, VIEW("confirmed")))
		return REASON_withdrawn_over;
	if (json_is_integer(was) && json_integer_value(was) != booking_starts_us(b))
		return REASON_withdrawn_moved;
	return REASON_withdrawn_replanned;
}

static void store(struct booking *b)
{
	struct store_params ps = {0};
	char *row = json_dumps(b->row, JSON_COMPACT);
	char *reminders = json_dumps(b->reminders, JSON_COMPACT);
	struct dispatch_change change = {.practice_id = b->who.practice_id,
	                                 .phone = row_text(b->row, "phone"),
	                                 .patient = row_text(b->row, "patient"),
	                                 .other_phone = view_str(b->other_phone),
	                                 .other_patient = view_str(b->other_patient),
	                                 .sql = "appointment_put",
	                                 .params = &ps,
	                                 .rows = stored_cb,
	                                 .done = stored_done_cb,
	                                 .ctx = b};
	store_value_uuid(&ps, &b->who.practice_id);
	store_value_str(&ps, b->seen);
	store_value_str(&ps, row);
	store_value_str(&ps, reminders);
	store_value_str(&ps, policy_reason_code(why(b)));
	store_value_str(&ps, b->who.key);
	store_value_time(&ps, b->now_us);
	store_value_int(&ps, STORE_BOOL, b->phone_known);
	if (!dispatch_change(b->api->config.dispatch, &change))
		refuse(b, 503, "busy", "Too many changes wait; try again.");
	store_params_free(&ps);
	free(row);
	free(reminders);
}

/* --- planning ------------------------------------------------------------------------------------------------------
 */

/* A PUT without a status keeps what there is. To a practice's calendar a confirmed visit is a booked one, so that
 * "booked" does not undo a confirmation; but who confirmed another time has not confirmed this one. */
static void keep_status(struct booking *b, const json_t *old)
{
	bool moved = json_integer_value(json_object_get(b->facts, "starts_us")) != booking_starts_us(b);
	bool confirmed = view_eq(row_text(old, "status"), VIEW("confirmed"));
	if (!b->status_given && json_is_object(old) && !confirmed)
		json_object_set(b->row, "status", json_object_get(old, "status"));
	else if (confirmed && (!b->status_given || view_eq(row_text(b->row, "status"), VIEW("booked"))))
		json_object_set_new(b->row, "status", json_string(moved ? "booked" : "confirmed"));
}

/* Whether the row that shall have another status is not the one that the facts are of: somebody changed the visit. */
static bool is_other(const struct booking *b, const json_t *old)
{
	return b->status && !json_equal(json_object_get(b->row, "version"), json_object_get(old, "version"));
}

static void plan(struct booking *b)
{
	const json_t *old = json_object_get(b->facts, "appointment");
	if (is_other(b, old)) {
		again(b);
		return;
	}
	if (!etag_fits(&b->condition, json_integer_value(json_object_get(old, "version")))) {
		booking_end(b);
		etag_failed(b->x);
		return;
	}
	if (!b->status)
		keep_status(b, old);
	copy_view(b->other_phone, sizeof(b->other_phone), row_text(old, "phone"));
	copy_view(b->other_patient, sizeof(b->other_patient), row_text(old, "patient"));
	booking_plan(b);
	store(b);
}

static void facts_cb(void *ctx, const struct store_rows *rows)
{
	struct booking *b = ctx;
	struct view text = store_rows_text(rows, 0, 0);
	json_decref(b->facts);
	b->facts = json_loadb((const char *)text.p, text.n, 0, NULL);
	copy_view(b->seen, sizeof(b->seen), store_rows_text(rows, 0, 1));
}

static void facts_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct booking *b = ctx;
	(void)sqlstate;
	if (result != STORE_OK || !b->facts)
		refuse(b, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else
		plan(b);
}

static void read_facts(struct booking *b)
{
	static const char *const names[] = {"ref", "phone", "patient", "kind", "language"};
	struct store_params ps = {0};
	b->now_us = clock_read(b->api->config.clock);
	store_value_uuid(&ps, &b->who.practice_id);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		store_value_text(&ps, row_text(b->row, names[i]));
	store_value_time(&ps, b->now_us);
	run(b, "appointment_facts", &ps, facts_cb, facts_done_cb);
}

/* --- requests ------------------------------------------------------------------------------------------------------
 */

/* NULL with the problem answered. */
static struct booking *booking_new(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct booking *b = pool_alloc(link_http_pool(x), sizeof(*b));
	*b = (struct booking){.api = a, .x = x, .who = *who, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	b->fields = (struct creation){.api = a, .x = x, .who = *who, .now_us = clock_read(a->config.clock)};
	b->fields.category_flags = policy_category_flags(CATEGORY_appointment_reminder);
	if (!api_ref_param(x, b->ref, sizeof(b->ref)))
		api_problem(x, 400, "bad_ref", "A reference has 1 to 64 octets of printable UTF-8.");
	else if (etag_read(x, false, &b->condition))
		return b;
	return NULL;
}

static void take(struct booking *b)
{
	b->fields.json = b->request;
	booking_read(b);
	b->fields.json = NULL;
	if (b->fields.errors)
		answer_errors(b);
	else
		read_facts(b);
}

static bool lacks(const json_t *json, const char *name)
{
	const json_t *v = json_object_get(json, name);
	return !v || json_is_null(v);
}

/* What the request leaves out of a patient who is known; a place is taken as a whole. */
static void patient_cb(void *ctx, const struct store_rows *rows)
{
	static const char *const places[] = {"time_zone", "zip", "state"};
	struct booking *b = ctx;
	bool placed = false;
	if (store_rows_count(rows) == 0)
		return;
	struct view text = store_rows_text(rows, 0, 0);
	json_t *known = json_loadb((const char *)text.p, text.n, 0, NULL);
	for (unsigned i = 0; i < 3; i++)
		placed = placed || !lacks(b->request, places[i]);
	for (unsigned i = 0; i < 3 && !placed; i++)
		json_object_set(b->request, places[i], json_object_get(known, places[i]));
	if (lacks(b->request, "phone")) {
		json_object_set(b->request, "phone", json_object_get(known, "phone"));
		b->phone_known = true;
	}
	if (lacks(b->request, "language"))
		json_object_set(b->request, "language", json_object_get(known, "language"));
	json_decref(known);
}

static void patient_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct booking *b = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		refuse(b, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else
		take(b);
}

void appointment_put(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct booking *b = booking_new(a, x, who);
	json_t *json = b ? api_json_read(x) : NULL;
	if (!json)
		return;
	b->request = json;
	struct view patient = row_text(json, "patient");
	if (!api_ref_ok(patient)) {
		take(b);
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_text(&ps, patient);
	run(b, "appointment_patient", &ps, patient_cb, patient_done_cb);
}

/* The appointment as it is; it shall be the same with another status. */
static void row_cb(void *ctx, const struct store_rows *rows)
{
	struct booking *b = ctx;
	json_decref(b->row);
	b->row = NULL;
	if (store_rows_count(rows) == 0)
		return;
	struct view text = store_rows_text(rows, 0, 0);
	b->row = json_loadb((const char *)text.p, text.n, 0, NULL);
	json_object_set_new(b->row, "status", json_string(b->status));
	if (strcmp(b->status, "booked") == 0) /* staff spoke with the patient: the last answer is not the last word */
		json_object_set_new(b->row, "answer", json_string(""));
}

static void row_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct booking *b = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		refuse(b, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else if (!b->row)
		refuse(b, 404, "appointment_unknown", "There is no such appointment.");
	else
		read_facts(b);
}

static void read_row(struct booking *b)
{
	struct store_params ps = {0};
	store_value_uuid(&ps, &b->who.practice_id);
	store_value_str(&ps, b->ref);
	run(b, "appointment_row", &ps, row_cb, row_done_cb);
}

void appointment_status(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct booking *b = booking_new(a, x, who);
	json_t *json = b ? api_json_read(x) : NULL;
	if (!json)
		return;
	const json_t *v = json_object_get(json, "status");
	struct view word = json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
	if (json_object_size(json) != (v ? 1 : 0))
		creation_error(&b->fields, "", "unknown_field", "This request has a status and nothing else.");
	if (!booking_status_known(word))
		creation_error(&b->fields, "/status", v ? "bad_status" : "required",
		               "Give booked, confirmed, arrived, completed, canceled or no_show.");
	b->status = pool_copy(link_http_pool(x), word);
	json_decref(json);
	if (b->fields.errors)
		answer_errors(b);
	else
		read_row(b);
}
