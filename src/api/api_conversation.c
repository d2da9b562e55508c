/* Conversations: what patients wrote to people, a thread for each phone (GET /v1/conversations), read (GET .../{id}),
 * answered by a named person (POST .../{id}/messages: a conversational_reply, made as every message is), taken and
 * closed. */
#include "api_problem.h"
#include "api_request.h"

#include "base_utf8.h"

#include <stdio.h>
#include <string.h>

#define PLACE_BYTES 64
#define PERSON_TEXT (API_PERSON_BYTES - 1)

struct talk {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	json_t *json; /* of an answer */
	struct uuid id;
	bool found;
	unsigned limit;
	struct buf body;
	char phone[24], patient[LIMIT_PATIENT_BYTES + 1], last[UUID_TEXT_BYTES];
	char path[80], more[3 * LIMIT_PATIENT_BYTES + 80]; /* of the next page's link */
};

static struct talk *talk_new(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct talk *t = pool_alloc(link_http_pool(x), sizeof(*t));
	*t = (struct talk){.api = a, .x = x, .who = *who, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	return t;
}

/* False, answered, when too many wait. */
static bool run(struct talk *t, const struct store_step *steps, unsigned count, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(t->api->config.dispatch);
	bool room = store_lane_busy(lane) < LIMIT_READ_QUEUE;
	if (room)
		store_lane_run(lane, steps, count, done, t);
	else
		api_unavailable(t->x, "busy", "Too many requests wait; try again.");
	return room;
}

/* --- pages ---------------------------------------------------------------------------------------------------------
 */

/* A page's last place, "microseconds_id". */
struct place {
	bool given;
	uint64_t at_us;
	struct uuid id;
};

static bool take(struct view query, const char *key, char *to, size_t cap, bool *has_r)
{
	*has_r = http_query_get(query, key, to, cap);
	return *has_r ? *to && utf8_valid(view_str(to)) : !http_query_has(query, key);
}

static bool take_page(struct view query, struct place *after, unsigned *limit_r)
{
	char text[PLACE_BYTES], limit[16];
	uint64_t n = 50;
	bool has_limit;
	*after = (struct place){.given = false};
	bool ok = take(query, "after", text, sizeof(text), &after->given) &&
	          take(query, "limit", limit, sizeof(limit), &has_limit) &&
	          (!has_limit || (parse_u64(view_str(limit), LIMIT_LIST, &n) && n > 0));
	*limit_r = (unsigned)n;
	if (!ok || !after->given)
		return ok;
	const char *bar = strchr(text, '_');
	return bar && parse_u64(view_of(text, (size_t)(bar - text)), INT64_MAX / 4, &after->at_us) &&
	       uuid_parse(view_str(bar + 1), &after->id);
}

static void add_place(struct store_params *ps, const struct place *after)
{
	if (after->given) {
		store_value_int(ps, STORE_INT8, (int64_t)after->at_us);
		store_value_uuid(ps, &after->id);
	} else {
		store_value_null(ps);
		store_value_null(ps);
	}
}

static void page_cb(void *ctx, const struct store_rows *rows)
{
	struct talk *t = ctx;
	unsigned n = store_rows_count(rows);
	unsigned shown = n < t->limit ? n : t->limit;
	access_rows(t->x, shown);
	buf_add_str(&t->body, "\"data\":[");
	for (unsigned i = 0; i < shown; i++) {
		buf_add_str(&t->body, i ? "," : "");
		buf_add_view(&t->body, store_rows_text(rows, i, 1));
	}
	if (n <= t->limit) {
		buf_add_str(&t->body, "],\"next\":null}");
		return;
	}
	struct view last = store_rows_text(rows, t->limit - 1, 0);
	buf_printf(&t->body, "],\"next\":\"%s?after=%.*s&limit=%u%s\"}", t->path, (int)last.n, (const char *)last.p,
	           t->limit, t->more);
}

static void page_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct talk *t = ctx;
	struct buf body = t->body; /* t goes with the exchange */
	(void)sqlstate;
	if (result != STORE_OK || body.full)
		api_read_failed(t->x);
	else if (!t->found)
		problem_answer(t->x, "conversation_unknown");
	else
		link_http_reply(t->x, 200, "application/json", "", buf_view(&body));
	buf_free(&body);
}

static void add_more(struct talk *t, const char *key, const char *value)
{
	size_t used = strlen(t->more);
	used += (size_t)snprintf(t->more + used, sizeof(t->more) - used, "&%s=", key);
	for (; *value && used + 4 < sizeof(t->more); value++)
		used += (size_t)snprintf(t->more + used, sizeof(t->more) - used, "%%%02X", (unsigned char)*value);
}

static void add_filter(struct talk *t, struct store_params *ps, const char *key, const char *value, bool given)
{
	store_value_str(ps, given ? value : NULL);
	if (given)
		add_more(t, key, value);
}

void conversation_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char phone[24], patient[LIMIT_PATIENT_BYTES + 1], open[8];
	bool has_phone, has_patient, has_open;
	struct place after;
	struct store_params ps = {0};
	struct talk *t = talk_new(a, x, who);
	bool ok = take_page(query, &after, &t->limit) && take(query, "phone", phone, sizeof(phone), &has_phone) &&
	          take(query, "patient", patient, sizeof(patient), &has_patient) &&
	          take(query, "open", open, sizeof(open), &has_open) &&
	          (!has_open || strcmp(open, "true") == 0 || strcmp(open, "false") == 0);
	if (!ok) {
		api_problem(x, 400, "bad_query",
		            "after takes the place that next has, limit 1 to 200, phone a number, patient a reference, "
		            "open true or false.");
		return;
	}
	t->found = true;
	copy_str(t->path, sizeof(t->path), "/v1/conversations");
	buf_add_u8(&t->body, '{');
	store_value_uuid(&ps, &who->practice_id);
	add_filter(t, &ps, "phone", phone, has_phone);
	add_filter(t, &ps, "patient", patient, has_patient);
	if (has_open) {
		store_value_int(&ps, STORE_BOOL, strcmp(open, "true") == 0);
		add_more(t, "open", open);
	} else {
		store_value_null(&ps);
	}
	add_place(&ps, &after);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
	store_value_int(&ps, STORE_INT4, t->limit + 1);
	struct store_step step = {"conversation_list", &ps, page_cb};
	run(t, &step, 1, page_done_cb);
	store_params_free(&ps);
}

/* --- one -----------------------------------------------------------------------------------------------------------
 */

static void get_cb(void *ctx, const struct store_rows *rows)
{
	struct talk *t = ctx;
	t->found = store_rows_count(rows) > 0;
	if (!t->found)
		return;
	buf_add_str(&t->body, "{\"conversation\":");
	buf_add_view(&t->body, store_rows_text(rows, 0, 0));
	buf_add_u8(&t->body, ',');
	copy_view(t->phone, sizeof(t->phone), store_rows_text(rows, 0, 1));
	copy_view(t->patient, sizeof(t->patient), store_rows_text(rows, 0, 2));
	copy_view(t->last, sizeof(t->last), store_rows_text(rows, 0, 3));
	access_subject(t->x, t->phone, t->patient);
}

static void get_params(const struct talk *t, struct store_params *ps)
{
	store_value_uuid(ps, &t->who.practice_id);
	store_value_uuid(ps, &t->id);
	store_value_int(ps, STORE_BOOL, t->who.sees_phone);
	store_value_int(ps, STORE_BOOL, t->who.sees_text);
}

void conversation_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct talk *t = talk_new(a, x, who);
	struct place after;
	struct store_params get = {0}, thread = {0};
	char id[UUID_TEXT_BYTES];
	if (!uuid_parse(link_http_param(x), &t->id)) {
		problem_answer(x, "conversation_unknown");
		return;
	}
	if (!take_page(link_http_request(x)->query, &after, &t->limit)) {
		api_problem(x, 400, "bad_query", "after takes the place that next has, limit 1 to 200.");
		return;
	}
	snprintf(t->path, sizeof(t->path), "/v1/conversations/%s", uuid_format(&t->id, id));
	get_params(t, &get);
	store_value_uuid(&thread, &who->practice_id);
	store_value_uuid(&thread, &t->id);
	add_place(&thread, &after);
	store_value_int(&thread, STORE_BOOL, who->sees_text);
	store_value_int(&thread, STORE_INT4, t->limit + 1);
	struct store_step steps[] = {{"conversation_get", &get, get_cb}, {"conversation_thread", &thread, page_cb}};
	run(t, steps, 2, page_done_cb);
	store_params_free(&get);
	store_params_free(&thread);
}

/* --- answering -----------------------------------------------------------------------------------------------------
 */

/* What the conversation says of itself, and what no answer may choose. */
static const char *const fixed[] = {"phone", "category", "send_at", "emergency", "time_zone", "zip", "state"};

/* A member that is null is one that is not there. */
static void put(json_t *json, const char *name, const char *value)
{
	const json_t *given = json_object_get(json, name);
	if (*value && (!given || json_is_null(given)))
		json_object_set_new(json, name, json_string(value));
}

static void answer_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct talk *t = ctx;
	(void)sqlstate;
	buf_free(&t->body);
	bool alive = link_http_alive(t->x); /* the key and the hash are read from the request */
	if (result == STORE_OK && t->found && alive) {
		put(t->json, "phone", t->phone);
		put(t->json, "patient", t->patient);
		put(t->json, "answers", t->last);
		put(t->json, "category", "conversational_reply");
		message_create_from(t->api, t->x, &t->who, t->json);
		return;
	}
	json_decref(t->json);
	if (result == STORE_OK && alive)
		problem_answer(t->x, "conversation_unknown");
	else
		api_read_failed(t->x);
}

static bool refuse_fixed(struct http_exchange *x, const json_t *json, bool has_person)
{
	struct http_problem_error error[sizeof(fixed) / sizeof(*fixed) + 1];
	unsigned n = 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (json_object_get(json, fixed[i]))
			error[n++] = (struct http_problem_error){"", "unknown_field",
			                                         "There is a field that this request does not have."};
	if (!has_person)
		error[n++] = (struct http_problem_error){"/person", "required", "Name the person who answers."};
	if (n)
		link_http_problem(x, 422, "validation_failed", "The message cannot be accepted; see errors.", error, n,
		                  "");
	return n > 0;
}

void conversation_answer(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct talk *t = talk_new(a, x, who);
	struct store_params ps = {0};
	if (!uuid_parse(link_http_param(x), &t->id)) {
		problem_answer(x, "conversation_unknown");
		return;
	}
	json_t *json = api_json_read(x); /* t goes with the exchange, it does not */
	if (!json)
		return;
	json_t *person = json_object_get(json, "person");
	if (refuse_fixed(x, json, who->person[0] || (person && !json_is_null(person)))) {
		json_decref(json);
		return;
	}
	t->json = json;
	get_params(t, &ps);
	struct store_step step = {"conversation_get", &ps, get_cb};
	if (!run(t, &step, 1, answer_done_cb))
		json_decref(json);
	store_params_free(&ps);
}

/* --- taking and closing --------------------------------------------------------------------------------------------
 */

enum { W_PERSON, W_COUNT };
static const struct field_row do_rows[W_COUNT] = {[W_PERSON] = {"/person", FIELD_TEXT, true, PERSON_TEXT, NULL}};

static void act(struct api *a, struct http_exchange *x, const struct api_caller *who, const char *what)
{
	struct store_params ps = {0};
	struct uuid id;
	if (!uuid_parse(link_http_param(x), &id)) {
		problem_answer(x, "conversation_unknown");
		return;
	}
	struct request *r = request_read(a, x, who, do_rows, W_COUNT, false);
	if (!r || !request_fine(r))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	store_value_str(&ps, what);
	request_add_text(r, &ps, W_PERSON);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
	store_value_time(&ps, r->now_us);
	request_run(r, "conversation_do", &ps);
}

void conversation_own(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	act(a, x, who, "own");
}

void conversation_close(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	act(a, x, who, "close");
}
