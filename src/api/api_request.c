#include "api_request.h"

#include "api_etag.h"
#include "api_problem.h"

#include "base_utf8.h"
#include "policy_phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES_MAX CATEGORY_COUNT

void request_fault(struct request *r, const char *pointer, const char *code, const char *detail)
{
	if (r->errors < REQUEST_ERRORS_MAX)
		r->error[r->errors++] = (struct http_problem_error){pointer, code, detail};
}

/* --- fields --------------------------------------------------------------------------------------------------------
 */

static bool printable(struct view v, bool lines)
{
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < 0x20 && !(lines && v.p[i] == '\n')) || v.p[i] == 0x7f ||
		    (v.p[i] == 0xc2 && i + 1 < v.n && v.p[i + 1] < 0xa0)) /* the C1 controls in UTF-8 */
			return false;
	return v.n > 0;
}

static void take_text(struct request *r, const struct field_row *row, const struct field_value *v)
{
	if (v->text.n > row->max || !printable(v->text, true))
		request_fault(r, row->pointer, "bad_text", "Give a text without control characters, not too long.");
}

static void take_patient(struct request *r, const struct field_row *row, const struct field_value *v)
{
	if (v->text.n > LIMIT_PATIENT_BYTES || !printable(v->text, false))
		request_fault(r, row->pointer, "bad_patient", "Give 1 to 64 printable octets.");
}

static void take_phone(struct request *r, const struct field_row *row, const struct field_value *v)
{
	enum phone_check result = policy_phone_check(v->text);
	if (result == PHONE_FICTIONAL && r->fictional_ok)
		result = PHONE_OK;
	if (result != PHONE_OK)
		request_fault(r, row->pointer, policy_phone_code(result), policy_phone_sentence(result));
}

static void take_time(struct request *r, const struct field_row *row, struct field_value *v)
{
	if (time_parse(v->text, &v->at_us))
		return;
	v->given = false;
	request_fault(r, row->pointer, "bad_time",
	              "Give an RFC 3339 time with its offset, as 2026-03-02T14:30:00-06:00.");
}

static void take_date(struct request *r, const struct field_row *row, const struct field_value *v)
{
	char whole[32];
	int64_t at_us;
	snprintf(whole, sizeof(whole), "%.*sT00:00:00Z", v->text.n == 10 ? 10 : 0, (const char *)v->text.p);
	if (!time_parse(view_str(whole), &at_us))
		request_fault(r, row->pointer, "bad_date", "Give a day of the calendar, as 2026-03-02.");
}

static void take_choice(struct request *r, const struct field_row *row, const struct field_value *v)
{
	char word[LIMIT_CHOICE_BYTES + 3];
	snprintf(word, sizeof(word), " %.*s ", (int)v->text.n, (const char *)v->text.p);
	if (v->text.n > LIMIT_CHOICE_BYTES || memchr(v->text.p, ' ', v->text.n) || !strstr(row->choices, word))
		request_fault(r, row->pointer, "bad_choice", "Give one of the words in /openapi.json.");
}

static void take_id(struct request *r, const struct field_row *row, const struct field_value *v)
{
	struct uuid id;
	if (!uuid_parse(v->text, &id))
		request_fault(r, row->pointer, "bad_id", "Give an id.");
}

/* Its text becomes PostgreSQL's "{a,b}": categories are letters and underscores. */
static void take_classes(struct request *r, const struct field_row *row, struct field_value *v, const json_t *list)
{
	struct buf text = BUF(4096);
	size_t n = json_array_size(list);
	bool ok = n > 0 && n <= CLASSES_MAX;
	buf_add_u8(&text, '{');
	for (size_t i = 0; ok && i < n; i++) {
		const json_t *item = json_array_get(list, i);
		struct view code = view_of(json_string_value(item), json_string_length(item));
		enum category c = json_is_string(item) ? policy_category_parse(code) : CATEGORY_COUNT;
		ok = c != CATEGORY_COUNT && policy_category_flags(c) & CATEGORY_API;
		if (ok)
			buf_printf(&text, "%s%s", i ? "," : "", policy_category_code(c));
	}
	buf_add_u8(&text, '}');
	v->text = view_str(pool_copy(r->pool, buf_view(&text)));
	buf_free(&text);
	if (!ok)
		request_fault(r, row->pointer, "category_unknown", "Give a list of categories in /openapi.json.");
}

static void take_string(struct request *r, const struct field_row *row, struct field_value *v)
{
	switch (row->type) {
	case FIELD_TEXT:
		take_text(r, row, v);
		return;
	case FIELD_PATIENT:
		take_patient(r, row, v);
		return;
	case FIELD_PHONE:
		take_phone(r, row, v);
		return;
	case FIELD_TIME:
		take_time(r, row, v);
		return;
	case FIELD_DATE:
		take_date(r, row, v);
		return;
	case FIELD_CHOICE:
		take_choice(r, row, v);
		return;
	case FIELD_ID:
		take_id(r, row, v);
		return;
	case FIELD_BOOL:
	case FIELD_NUMBER:
	case FIELD_CLASSES:
	case FIELD_ANY:
		return;
	}
}

/* Where the name of the member begins in "/group/name" and "/name". */
static const char *last_name(const char *pointer)
{
	return strrchr(pointer, '/') + 1;
}

/* The object that the member is in; NULL when the request has none. */
static const json_t *group_of(const struct request *r, const char *pointer)
{
	char name[40];
	const char *last = last_name(pointer);
	if (last == pointer + 1)
		return r->json;
	copy_view(name, sizeof(name), view_of(pointer + 1, (size_t)(last - pointer) - 2));
	return json_object_get(r->json, name);
}

static void take_field(struct request *r, unsigned i)
{
	const struct field_row *row = &r->row[i];
	struct field_value *v = &r->value[i];
	const json_t *group = group_of(r, row->pointer);
	const json_t *json = json_object_get(group, last_name(row->pointer));
	*v = (struct field_value){.text = VIEW("")};
	if (!json || json_is_null(json)) {
		if (row->required && json_is_object(group))
			request_fault(r, row->pointer, "required", "This field is required.");
		return;
	}
	v->given = true;
	if (row->type == FIELD_ANY)
		return;
	if (row->type == FIELD_BOOL) {
		v->yes = json_is_true(json);
		if (!json_is_boolean(json))
			request_fault(r, row->pointer, "not_a_boolean", "This field takes true or false.");
	} else if (row->type == FIELD_NUMBER) {
		v->number = json_integer_value(json);
		if (!json_is_integer(json) || v->number < 1 || v->number > row->max)
			request_fault(r, row->pointer, "bad_number", "Give a whole number of those in /openapi.json.");
	} else if (row->type == FIELD_CLASSES) {
		if (json_is_array(json))
			take_classes(r, row, v, json);
		else
			request_fault(r, row->pointer, "not_a_list", "This field takes a list.");
	} else if (!json_is_string(json)) {
		request_fault(r, row->pointer, "not_a_string", "This field takes a string.");
	} else {
		v->text = view_of(json_string_value(json), json_string_length(json));
		take_string(r, row, v);
	}
}

/* The name of an unknown field may be anything, a phone too: it is only named back when it looks like a field. */
static const char *safe_pointer(struct request *r, const char *prefix, const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	if (name[n] || n == 0 || n > 40)
		return "";
	char *pointer = pool_alloc(r->pool, strlen(prefix) + n + 2);
	snprintf(pointer, strlen(prefix) + n + 2, "%s/%s", prefix, name);
	return pointer;
}

/* Whether a row has this pointer, or one below it. */
static bool known(const struct request *r, const char *pointer, bool *group_r)
{
	size_t n = strlen(pointer);
	*group_r = false;
	for (unsigned i = 0; i < r->rows; i++) {
		if (strncmp(r->row[i].pointer, pointer, n) != 0)
			continue;
		if (!r->row[i].pointer[n])
			return true;
		*group_r = *group_r || r->row[i].pointer[n] == '/';
	}
	return *group_r;
}

static void check_names(struct request *r, json_t *object, const char *prefix)
{
	const char *name;
	json_t *value;
	bool group;
	json_object_foreach(object, name, value)
	{
		const char *pointer = safe_pointer(r, prefix, name);
		if (!*pointer || !known(r, pointer, &group))
			request_fault(r, pointer, "unknown_field", "There is no such field.");
		else if (group && json_is_object(value))
			check_names(r, value, pointer);
		else if (group && !json_is_null(value))
			request_fault(r, pointer, "not_an_object", "This field takes an object.");
	}
}

void request_check_past(struct request *r, unsigned field, int64_t back_us)
{
	const struct field_value *v = &r->value[field];
	if (!v->given)
		return;
	if (v->at_us > r->now_us)
		request_fault(r, r->row[field].pointer, "time_future", "This time has not come yet.");
	else if (back_us && v->at_us < r->now_us - back_us)
		request_fault(r, r->row[field].pointer, "time_past", "This time lies too far back to matter.");
}

/* --- the request ---------------------------------------------------------------------------------------------------
 */

void request_end(struct request *r)
{
	if (r->in_flight)
		in_flight_leave(r->api->in_flight, &r->who.practice_id, r->key);
	r->in_flight = false;
	json_decref(r->json);
	r->json = NULL;
	buf_free(&r->body);
}

void request_problem(struct request *r, int status, const char *code, const char *detail)
{
	struct http_exchange *x = r->x;
	request_end(r);
	link_http_problem(x, status, code, detail, NULL, 0, status == 503 ? "retry-after: 1\r\n" : "");
}

/* False with the problem answered. */
static bool take_key(struct request *r)
{
	if (!api_key_read(r->x, &r->key))
		return false;
	if (!r->key.p)
		return true;
	net_sha256(link_http_request(r->x)->body, r->hash);
	r->in_flight = in_flight_enter(r->api->in_flight, &r->who.practice_id, r->key);
	if (r->in_flight)
		return true;
	link_http_problem(r->x, 409, "idempotency_key_running",
	                  "The first request with this Idempotency-Key is still running.", NULL, 0,
	                  "retry-after: 1\r\n"); /* r is gone with it */
	return false;
}

static void take_all(struct request *r, const struct field_row *row, unsigned rows)
{
	check(rows <= REQUEST_FIELDS_MAX);
	r->row = row;
	r->rows = rows;
	check_names(r, r->json, "");
	for (unsigned i = 0; i < rows; i++)
		take_field(r, i);
}

void request_take(struct request *r, json_t *json, const struct field_row *row, unsigned rows, struct pool *pool,
                  int64_t now_us)
{
	*r = (struct request){.pool = pool, .json = json, .now_us = now_us, .fictional_ok = true};
	r->body = BUF(LIMIT_HTTP_BODY_BYTES);
	take_all(r, row, rows);
}

struct request *request_read(struct api *a, struct http_exchange *x, const struct api_caller *who,
                             const struct field_row *row, unsigned rows, bool with_key)
{
	json_t *json = api_json_read(x);
	if (!json)
		return NULL;
	struct request *r = pool_alloc(link_http_pool(x), sizeof(*r));
	*r = (struct request){.api = a, .x = x, .pool = link_http_pool(x), .who = *who, .json = json, .status = 200};
	r->body = BUF(LIMIT_HTTP_BODY_BYTES);
	r->fictional_ok = a->config.fictional_ok;
	r->now_us = clock_read(a->config.clock);
	r->id = uuid_make(&a->ids, r->now_us);
	if (with_key && !take_key(r)) {
		json_decref(json);
		return NULL;
	}
	take_all(r, row, rows);
	return r;
}

struct request *request_bare(struct api *a, struct http_exchange *x, const struct api_caller *who, int status)
{
	struct request *r = pool_alloc(link_http_pool(x), sizeof(*r));
	*r = (struct request){.api = a, .x = x, .pool = link_http_pool(x), .who = *who, .status = status};
	r->body = BUF(LIMIT_HTTP_BODY_BYTES);
	r->now_us = clock_read(a->config.clock);
	return r;
}

bool request_fine(struct request *r)
{
	struct http_exchange *x = r->x;
	if (r->errors == 0)
		return true;
	request_end(r);
	link_http_problem(x, 422, "validation_failed", "The request cannot be taken; see errors.", r->error, r->errors,
	                  "");
	return false;
}

/* --- the change ----------------------------------------------------------------------------------------------------
 */

void request_add_text(const struct request *r, struct store_params *ps, unsigned field)
{
	store_value_text(ps, r->value[field].text);
}

void request_add_null(const struct request *r, struct store_params *ps, unsigned field)
{
	if (!r->value[field].given)
		store_value_null(ps);
	else if (r->row[field].type == FIELD_TIME)
		store_value_time(ps, r->value[field].at_us);
	else if (r->row[field].type == FIELD_BOOL)
		store_value_int(ps, STORE_BOOL, r->value[field].yes);
	else if (r->row[field].type == FIELD_NUMBER)
		store_value_int(ps, STORE_INT4, r->value[field].number);
	else
		store_value_text(ps, r->value[field].text);
}

void request_add_key(const struct request *r, struct store_params *ps, const char *answer)
{
	char hash[2 * SHA256_BYTES + 1];
	hex_encode(r->hash, sizeof(r->hash), hash);
	if (r->key.p)
		store_value_text(ps, r->key);
	else
		store_value_null(ps);
	store_value_str(ps, hash);
	store_value_str(ps, answer);
}

/* The answer as its caller may see it: a phone masked, what people wrote left out. */
static void mask(struct request *r)
{
	static const char *const texts[] = {"text", "words"};
	char shown[API_PHONE_SHOWN_BYTES];
	json_t *json = json_loadb((const char *)r->body.p, r->body.n, 0, NULL);
	const char *phone = json_string_value(json_object_get(json, "phone"));
	if (phone)
		json_object_set_new(json, "phone", json_string(api_phone_shown(&r->who, view_str(phone), shown)));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && !r->who.sees_text; i++)
		json_object_del(json, texts[i]);
	char *text = json_dumps(json, JSON_COMPACT);
	buf_clear(&r->body);
	buf_add_str(&r->body, text ? text : "{}");
	free(text);
	json_decref(json);
}

static void reply(struct request *r, int status, const char *extra)
{
	struct http_exchange *x = r->x;
	if (r->body.n && !(r->who.sees_phone && r->who.sees_text))
		mask(r);
	struct buf body = r->body;
	int64_t version = r->version;
	r->body = BUF(0);
	request_end(r); /* before the answer: the next request may have the same key */
	if (version)
		etag_reply(x, status, version, buf_view(&body));
	else
		link_http_reply(x, status, "application/json", extra, buf_view(&body));
	buf_free(&body);
}

void request_answer(struct request *r)
{
	struct http_exchange *x = r->x;
	const char *refused = r->refused;
	if (!refused) {
		reply(r, r->status, "");
		return;
	}
	request_end(r);
	problem_answer(x, refused);
}

static void stored_cb(void *ctx, const struct store_rows *rows)
{
	struct request *r = ctx;
	r->found = store_rows_count(rows) > 0;
	if (!r->found)
		return;
	copy_view(r->stored_hash, sizeof(r->stored_hash), store_rows_text(rows, 0, 0));
	buf_clear(&r->body);
	buf_add_view(&r->body, store_rows_text(rows, 0, 1));
}

static void request_unavailable(struct request *r)
{
	struct http_exchange *x = r->x;
	request_end(r);
	api_read_failed(x);
}

static void stored_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	char hash[2 * SHA256_BYTES + 1];
	(void)sqlstate;
	hex_encode(r->hash, sizeof(r->hash), hash);
	if (result != STORE_OK || !r->found)
		request_unavailable(r);
	else if (strcmp(hash, r->stored_hash) != 0)
		request_problem(r, 422, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
	else
		reply(r, r->status, "idempotency-replayed: true\r\n");
}

static void read_stored(struct request *r)
{
	struct store_params ps = {0};
	struct store_step step = {"idempotency_get", &ps, stored_cb};
	store_value_uuid(&ps, &r->who.practice_id);
	store_value_text(&ps, r->key);
	store_lane_run(dispatch_read_lane(r->api->config.dispatch), &step, 1, stored_done_cb, r);
	store_params_free(&ps);
}

static void changed_rows_cb(void *ctx, const struct store_rows *rows)
{
	struct request *r = ctx;
	r->found = store_rows_count(rows) > 0;
	if (r->found && r->rows_cb)
		r->rows_cb(r, rows);
}

static void changed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		request_unavailable(r);
	else if (r->found)
		request_answer(r);
	else
		read_stored(r); /* only a key that is taken lets a change make nothing */
}

void request_change(struct request *r, const char *sql, struct store_params *ps, struct view phone, struct view patient,
                    store_rows_cb rows)
{
	struct dispatch_change change = {.practice_id = r->who.practice_id,
	                                 .phone = phone,
	                                 .patient = patient,
	                                 .sql = sql,
	                                 .params = ps,
	                                 .rows = changed_rows_cb,
	                                 .done = changed_cb,
	                                 .ctx = r};
	r->rows_cb = rows;
	bool taken = dispatch_change(r->api->config.dispatch, &change);
	store_params_free(ps);
	if (!taken)
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
}

/* --- one statement -------------------------------------------------------------------------------------------------
 */

static void ran_rows_cb(void *ctx, const struct store_rows *rows)
{
	struct request *r = ctx;
	if (store_rows_count(rows) == 0)
		return;
	copy_view(r->problem, sizeof(r->problem), store_rows_text(rows, 0, 0));
	buf_add_view(&r->body, store_rows_text(rows, 0, 1));
	copy_view(r->phone, sizeof(r->phone), store_rows_text(rows, 0, 2));
}

static void ran_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	struct http_exchange *x = r->x;
	(void)sqlstate;
	if (result != STORE_OK || r->body.full) {
		request_unavailable(r);
	} else if (r->problem[0]) {
		request_end(r);
		problem_answer(x, r->problem);
	} else {
		dispatch_phone_changed(r->api->config.dispatch, &r->who.practice_id, view_str(r->phone));
		reply(r, r->status, "");
	}
}

void request_run(struct request *r, const char *sql, struct store_params *ps)
{
	struct store_lane *lane = dispatch_read_lane(r->api->config.dispatch);
	struct store_step step = {sql, ps, ran_rows_cb};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, ran_cb, r);
	store_params_free(ps);
}
