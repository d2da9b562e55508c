/* /v1/webhooks: where a practice's events go, and what did not arrive. Nothing here is about a patient; secrets are
 * shown once, in the answer that made them. */
#include "api_webhook.h"

#include "api_internal.h"
#include "api_page.h"
#include "net_url.h"

#include <jansson.h>
#include <stdio.h>

#define ERRORS_MAX 16

struct hook {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	struct uuid id;
	json_t *json; /* the caller's to free */
	struct http_problem_error error[ERRORS_MAX];
	unsigned errors;
	int64_t now_us;
	int status;                        /* of the answer */
	char secret[WEBHOOK_SECRET_BYTES]; /* shown in it; "": none was made */
	char problem[40];
	struct buf body;
	bool shown; /* body is the endpoint */
};

/* --- problems ------------------------------------------------------------------------------------------------------
 */

static void hook_problem(struct http_exchange *x, const char *code)
{
	static const struct {
		const char *code;
		int status;
		const char *detail;
	} rows[] = {
	        {"webhook_unknown", 404, "There is no such webhook endpoint."},
	        {"webhook_ceiling", 409, "A practice has at most 8 webhook endpoints."},
	        {"webhook_disabled", 409, "The endpoint is disabled; enable it first."},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].code, code) == 0) {
			api_problem(x, rows[i].status, code, rows[i].detail);
			return;
		}
	api_read_failed(x);
}

static void hook_fault(struct hook *h, const char *pointer, const char *code, const char *detail)
{
	if (h->errors < ERRORS_MAX)
		h->error[h->errors++] = (struct http_problem_error){pointer, code, detail};
}

/* NULL when it was answered: no such id, not JSON, or an unknown member. members: with a blank before and behind each;
 * NULL: there is no body. */
static struct hook *hook_new(struct api *a, struct http_exchange *x, const struct api_caller *who, bool with_id,
                             const char *members)
{
	struct hook *h = pool_alloc(link_http_pool(x), sizeof(*h));
	*h = (struct hook){.api = a, .x = x, .who = *who, .status = 200, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	h->now_us = clock_read(a->config.clock);
	if (with_id && !uuid_parse(link_http_param(x), &h->id)) {
		hook_problem(x, "webhook_unknown");
		return NULL;
	}
	if (!members)
		return h;
	const char *name;
	json_t *value;
	json_t *json = api_json_read(x);
	if (!json)
		return NULL; /* h went with the exchange */
	h->json = json;
	json_object_foreach(json, name, value)
	{
		char word[48];
		bool fits = (size_t)snprintf(word, sizeof(word), " %s ", name) < sizeof(word);
		if (!fits || strchr(name, ' ') || !strstr(members, word))
			hook_fault(h, "", "unknown_field", "There is a field that this request does not have.");
	}
	return h;
}

/* True, answered, when there are faults. */
static bool faulty(struct hook *h)
{
	if (h->errors == 0)
		return false;
	json_decref(h->json);
	link_http_problem(h->x, 422, "validation_failed", "The request cannot be accepted; see errors.", h->error,
	                  h->errors, "");
	return true;
}

/* --- fields --------------------------------------------------------------------------------------------------------
 */

/* A string member; p NULL when it is absent or null. */
static struct view text_of(struct hook *h, const char *name, const char *pointer)
{
	json_t *v = json_object_get(h->json, name);
	if (!v || json_is_null(v))
		return (struct view){0};
	if (!json_is_string(v)) {
		hook_fault(h, pointer, "not_a_string", "This field takes a string.");
		return (struct view){0};
	}
	return view_of(json_string_value(v), json_string_length(v));
}

static struct view url_of(struct hook *h, const char *name, const char *pointer, bool required)
{
	struct view url = text_of(h, name, pointer);
	struct net_url_rules rules = dispatch_webhook_rules(h->api->config.dispatch);
	if (required && !url.p && h->errors == 0)
		hook_fault(h, pointer, "required", "This field is required.");
	if (!url.p)
		return url;
	enum net_url_fault wrong = net_url_check(url, &rules);
	if (wrong != NET_URL_OK)
		hook_fault(h, pointer, "bad_url", net_url_sentence(wrong));
	return url;
}

/* Adds event types as a parameter, NULL for all. */
static void add_types(struct hook *h, struct store_params *ps)
{
	json_t *list = json_object_get(h->json, "event_types");
	size_t n = json_array_size(list);
	if (!list || json_is_null(list)) {
		store_value_null(ps);
		return;
	}
	unsigned at = store_array(ps, STORE_TEXT);
	if (!json_is_array(list) || n == 0 || n > LIMIT_WEBHOOK_TYPES) {
		hook_fault(h, "/event_types", "bad_event_types",
		           "Give a list of 1 to 100 event types, or null for all.");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_array_get(list, i);
		struct view type = view_of(json_string_value(v), json_string_length(v));
		if (!json_is_string(v) || !webhook_type(type))
			hook_fault(h, "/event_types", "unknown_event_type",
			           "Name event types that /openapi.json lists.");
		else
			store_add_text(ps, at, type);
	}
}

/* Adds reply_text as a parameter: absent, or NULL for a change. */
static void add_reply_text(struct hook *h, struct store_params *ps, bool change)
{
	json_t *v = json_object_get(h->json, "reply_text");
	if (v && !json_is_boolean(v))
		hook_fault(h, "/reply_text", "not_a_boolean", "This field takes true or false.");
	if (json_is_true(v) && (!h->who.sees_text || !h->who.sees_phone))
		hook_fault(h, "/reply_text", "not_seen", "Who may not see texts and phones cannot have them posted.");
	if (!v && change)
		store_value_null(ps);
	else
		store_value_int(ps, STORE_BOOL, json_is_true(v));
}

static void add_who(const struct hook *h, struct store_params *ps)
{
	char by[API_KEY_ID_BYTES + 8];
	snprintf(by, sizeof(by), "key:%s", h->who.key);
	store_value_str(ps, by);
}

/* --- answering -----------------------------------------------------------------------------------------------------
 */

/* Appends an endpoint's JSON with its keys, and the secret that was made. */
static void add_shown(const struct store_rows *rows, unsigned row, const char *secret, struct buf *to)
{
	struct view json = store_rows_text(rows, row, 1);
	buf_add_view(to, view_of(json.p, json.n - 1)); /* without its brace */
	buf_add_str(to, ",\"public_key\":\"");
	webhook_public(store_rows_text(rows, row, 2), to);
	buf_add_str(to, "\",\"former_public_key\":");
	if (store_rows_text(rows, row, 3).n) {
		buf_add_u8(to, '"');
		webhook_public(store_rows_text(rows, row, 3), to);
		buf_add_u8(to, '"');
	} else {
		buf_add_str(to, "null");
	}
	if (*secret)
		buf_printf(to, ",\"secret\":\"%s\"", secret);
	buf_add_u8(to, '}');
}

static void problem_cb(void *ctx, const struct store_rows *rows)
{
	struct hook *h = ctx;
	if (store_rows_count(rows) > 0)
		copy_view(h->problem, sizeof(h->problem), store_rows_text(rows, 0, 0));
}

static void shown_cb(void *ctx, const struct store_rows *rows)
{
	struct hook *h = ctx;
	h->shown = store_rows_count(rows) > 0;
	if (h->shown)
		add_shown(rows, 0, h->secret, &h->body);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct hook *h = ctx;
	struct buf body = h->body;
	if (result == STORE_FAILED && strcmp(sqlstate, "23505") == 0)
		api_problem(h->x, 409, "webhook_busy", "Another endpoint was made at the same moment; try again.");
	else if (result != STORE_OK || body.full)
		api_read_failed(h->x);
	else if (*h->problem)
		hook_problem(h->x, h->problem);
	else if (h->status == 204)
		link_http_reply(h->x, 204, "", "", VIEW(""));
	else if (!h->shown)
		hook_problem(h->x, "webhook_unknown");
	else
		link_http_reply(h->x, h->status, "application/json", "", buf_view(&body));
	buf_free(&body); /* h went with the exchange */
}

static void list_params(struct hook *h, struct store_params *ps, const struct uuid *only, const struct uuid *after,
                        unsigned limit)
{
	store_value_uuid(ps, &h->who.practice_id);
	if (only)
		store_value_uuid(ps, only);
	else
		store_value_null(ps);
	if (after)
		store_value_uuid(ps, after);
	else
		store_value_null(ps);
	store_value_int(ps, STORE_INT4, limit);
	store_value_time(ps, h->now_us);
}

/* Runs the change, when there is one, and unless the answer is empty reads the endpoint; frees the parameters. */
static void run(struct hook *h, const char *sql, struct store_params *ps)
{
	struct store_lane *lane = dispatch_read_lane(h->api->config.dispatch);
	struct store_params list = {0};
	struct store_step step[2];
	unsigned steps = 0;
	json_decref(h->json); /* the parameters are copies */
	h->json = NULL;
	if (sql)
		step[steps++] = (struct store_step){sql, ps, problem_cb};
	if (h->status != 204 && !h->shown) {
		list_params(h, &list, &h->id, NULL, 1);
		step[steps++] = (struct store_step){"webhook_list", &list, shown_cb};
	}
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(h->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, step, steps, done_cb, h);
	store_params_free(&list);
	store_params_free(ps);
}

/* --- endpoints -----------------------------------------------------------------------------------------------------
 */

void webhook_add(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, false, " url failover_url event_types reply_text ");
	if (!h)
		return;
	h->id = uuid_make(&a->ids, h->now_us);
	h->status = 201;
	webhook_secret(h->secret);
	struct view url = url_of(h, "url", "/url", true), other = url_of(h, "failover_url", "/failover_url", false);
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_text(&ps, url);
	if (other.p)
		store_value_text(&ps, other);
	else
		store_value_null(&ps);
	add_types(h, &ps);
	add_reply_text(h, &ps, false);
	store_value_str(&ps, h->secret);
	store_value_time(&ps, h->now_us);
	add_who(h, &ps);
	if (faulty(h))
		store_params_free(&ps);
	else
		run(h, "webhook_add", &ps);
}

static void add_url(struct store_params *ps, struct view url, bool removed)
{
	if (url.p)
		store_value_text(ps, url);
	else if (removed)
		store_value_str(ps, "");
	else
		store_value_null(ps);
}

static const char *state_of(struct hook *h)
{
	struct view state = text_of(h, "state", "/state");
	if (!state.p)
		return NULL;
	if (view_eq(state, VIEW("enabled")))
		return "enabled";
	if (!view_eq(state, VIEW("disabled")))
		hook_fault(h, "/state", "bad_state", "Give enabled or disabled.");
	return "disabled";
}

void webhook_set(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, " url failover_url event_types reply_text state ");
	if (!h)
		return;
	struct view url = url_of(h, "url", "/url", false), other = url_of(h, "failover_url", "/failover_url", false);
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	add_url(&ps, url, false);
	add_url(&ps, other, json_is_null(json_object_get(h->json, "failover_url")));
	store_value_int(&ps, STORE_BOOL, json_object_get(h->json, "event_types") != NULL);
	add_types(h, &ps);
	add_reply_text(h, &ps, true);
	store_value_str(&ps, state_of(h));
	store_value_time(&ps, h->now_us);
	add_who(h, &ps);
	if (faulty(h))
		store_params_free(&ps);
	else
		run(h, "webhook_set", &ps);
}

void webhook_enable(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, NULL);
	if (!h)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_null(&ps);
	store_value_null(&ps);
	store_value_int(&ps, STORE_BOOL, false);
	store_value_null(&ps);
	store_value_null(&ps);
	store_value_str(&ps, "enabled");
	store_value_time(&ps, h->now_us);
	add_who(h, &ps);
	run(h, "webhook_set", &ps);
}

void webhook_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, NULL);
	if (h)
		run(h, NULL, &ps);
}

void webhook_delete(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, NULL);
	if (!h)
		return;
	h->status = 204;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_time(&ps, h->now_us);
	add_who(h, &ps);
	run(h, "webhook_delete", &ps);
}

void webhook_rotate(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, NULL);
	if (!h)
		return;
	webhook_secret(h->secret);
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_str(&ps, h->secret);
	store_value_time(&ps, h->now_us);
	store_value_time(&ps, h->now_us + DAY_US);
	add_who(h, &ps);
	run(h, "webhook_rotate", &ps);
}

static void page_cb(void *ctx, const struct store_rows *rows)
{
	struct hook *h = ctx;
	buf_add_str(&h->body, "{\"data\":[");
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		buf_add_str(&h->body, i ? "," : "");
		add_shown(rows, i, "", &h->body);
	}
	buf_add_str(&h->body, "],\"next\":null}");
	h->shown = true;
}

/* All on one page: LIMIT_WEBHOOK_ENDPOINTS is less than any page. */
void webhook_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, false, NULL);
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	list_params(h, &ps, NULL, NULL, LIMIT_WEBHOOK_ENDPOINTS);
	struct store_step step = {"webhook_list", &ps, page_cb};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done_cb, h);
	store_params_free(&ps);
}

/* --- events --------------------------------------------------------------------------------------------------------
 */

static void tested_cb(void *ctx, const struct store_rows *rows)
{
	struct hook *h = ctx;
	struct view event = store_rows_text(rows, 0, 1);
	problem_cb(ctx, rows);
	buf_printf(&h->body, "{\"event_id\":\"%.*s\"}", (int)event.n, (const char *)event.p);
	h->shown = true;
}

static void run_event(struct hook *h, const char *sql, struct store_params *ps, store_rows_cb rows)
{
	struct store_lane *lane = dispatch_read_lane(h->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	json_decref(h->json);
	h->json = NULL;
	h->status = 202;
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(h->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done_cb, h);
	store_params_free(ps);
}

void webhook_test(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, NULL);
	if (!h)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_time(&ps, h->now_us);
	add_who(h, &ps);
	run_event(h, "webhook_test", &ps, tested_cb);
}

static void replayed_cb(void *ctx, const struct store_rows *rows)
{
	struct hook *h = ctx;
	struct view next = store_rows_text(rows, 0, 2);
	problem_cb(ctx, rows);
	buf_printf(&h->body, "{\"replayed\":%lld,\"next_from\":%.*s}", (long long)store_rows_int(rows, 0, 1),
	           (int)next.n, (const char *)next.p);
	h->shown = true;
}

/* The time of a member, 0 when it is absent. */
static int64_t time_of(struct hook *h, const char *name, const char *pointer)
{
	int64_t at_us = 0;
	struct view text = text_of(h, name, pointer);
	if (text.p && !time_parse(text, &at_us))
		hook_fault(h, pointer, "bad_time",
		           "Give an RFC 3339 time with its offset, as 2026-03-02T14:30:00-06:00.");
	return at_us;
}

static void add_events(struct hook *h, struct store_params *ps)
{
	json_t *list = json_object_get(h->json, "event_ids");
	size_t n = json_array_size(list);
	unsigned xacts = store_array(ps, STORE_TEXT), ids = store_array(ps, STORE_INT8);
	if (list && (!json_is_array(list) || n == 0 || n > LIMIT_WEBHOOK_REPLAY))
		hook_fault(h, "/event_ids", "bad_event_ids", "Give a list of 1 to 1000 webhook ids.");
	for (size_t i = 0; i < n && h->errors == 0; i++) {
		json_t *v = json_array_get(list, i);
		char xact[24];
		int64_t id;
		if (!json_is_string(v) ||
		    !webhook_event(view_of(json_string_value(v), json_string_length(v)), xact, &id)) {
			hook_fault(h, "/event_ids", "bad_event_ids", "A webhook id is like evt_735_1025.");
			return;
		}
		store_add_str(ps, xacts, xact);
		store_add_int(ps, ids, id);
	}
}

void webhook_replay(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, " event_ids from to ");
	if (!h)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_time(&ps, h->now_us);
	add_who(h, &ps);
	add_events(h, &ps);
	int64_t from_us = time_of(h, "from", "/from"), to_us = time_of(h, "to", "/to");
	bool listed = json_object_get(h->json, "event_ids") != NULL;
	if (h->errors == 0 && (listed ? from_us || to_us : !from_us || to_us <= from_us))
		hook_fault(h, "", "bad_choice", "Give event_ids, or from and a later to.");
	if (listed) {
		store_value_null(&ps);
		store_value_null(&ps);
	} else {
		store_value_time(&ps, from_us);
		store_value_time(&ps, to_us);
	}
	store_value_int(&ps, STORE_INT4, LIMIT_WEBHOOK_REPLAY);
	if (faulty(h))
		store_params_free(&ps);
	else
		run_event(h, "webhook_replay", &ps, replayed_cb);
}

/* after of a page of deliveries: "735.1025". */
static bool place_read(struct view query, char xact[24], int64_t *event_id_r)
{
	char after[48];
	uint64_t n;
	bool has = http_query_get(query, "after", after, sizeof(after));
	if (has != http_query_has(query, "after"))
		return false;
	if (!has)
		copy_str(after, sizeof(after), "0.0");
	const char *dot = strchr(after, '.');
	if (!dot || !parse_u64(view_of(after, (size_t)(dot - after)), INT64_MAX, &n))
		return false;
	snprintf(xact, 24, "%llu", (unsigned long long)n);
	bool ok = parse_u64(view_str(dot + 1), INT64_MAX, &n);
	*event_id_r = (int64_t)n;
	return ok;
}

void webhook_deliveries(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char state[16], limit[16], xact[24], id[UUID_TEXT_BYTES], path[80], more[32] = "";
	int64_t event_id = 0;
	uint64_t n = 50;
	struct store_params ps = {0};
	struct hook *h = hook_new(a, x, who, true, NULL);
	if (!h)
		return;
	bool has_state = http_query_get(query, "state", state, sizeof(state));
	bool has_limit = http_query_get(query, "limit", limit, sizeof(limit));
	bool ok = has_state == http_query_has(query, "state") && has_limit == http_query_has(query, "limit") &&
	          (!has_state || strcmp(state, "dead") == 0 || strcmp(state, "waiting") == 0) &&
	          (!has_limit || (parse_u64(view_str(limit), LIMIT_LIST, &n) && n > 0)) &&
	          place_read(query, xact, &event_id);
	if (!ok) {
		api_problem(x, 400, "bad_query", "state takes dead or waiting, after a place, limit 1 to 200.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &h->id);
	store_value_str(&ps, has_state ? state : NULL);
	store_value_str(&ps, xact);
	store_value_int(&ps, STORE_INT8, event_id);
	store_value_int(&ps, STORE_INT4, (int64_t)n + 1);
	if (has_state)
		snprintf(more, sizeof(more), "&state=%s", state);
	snprintf(path, sizeof(path), "/v1/webhooks/%s/deliveries", uuid_format(&h->id, id));
	page_list_of(a, x, "webhook_deliveries", &ps, (unsigned)n, path, more, "webhook_unknown");
}
