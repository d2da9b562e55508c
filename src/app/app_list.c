/* Reading and cancelling messages. The JSON is built by SQL; a practice sees its own messages only, others are 404. */
#include "app_api_internal.h"

#include "app_explain.h"

#include "base_log.h"
#include "base_utf8.h"

#include <stdio.h>
#include <string.h>

struct reading {
	struct api *api;
	struct http_exchange *x;
	struct buf body;
	bool found;
	bool canceled;
	bool asked; /* the carrier, for it back or for another text */
	unsigned limit;
	unsigned rows;
	char query[256]; /* of the next page's link, without after */
	char last[UUID_TEXT_BYTES];
};

static struct reading *reading_new(struct api *a, struct http_exchange *x)
{
	struct reading *r = pool_alloc(link_http_pool(x), sizeof(*r));
	*r = (struct reading){.api = a, .x = x, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	return r;
}

static bool take_id(struct http_exchange *x, struct uuid *id_r)
{
	if (uuid_parse(link_http_param(x), id_r))
		return true;
	api_problem(x, 404, "message_unknown", "There is no such message.");
	return false;
}

static void run(struct reading *r, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(r->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(r->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done, r);
	store_params_free(ps);
}

/* --- one message ---------------------------------------------------------------------------------------------------
 */

static void show_cb(void *ctx, const struct store_rows *rows)
{
	struct reading *r = ctx;
	r->found = store_rows_count(rows) > 0;
	if (r->found)
		buf_add_view(&r->body, store_rows_text(rows, 0, 0));
}

static void show_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct reading *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK) {
		api_read_failed(r->x);
	} else if (!r->found) {
		api_problem(r->x, 404, "message_unknown", "There is no such message.");
	} else {
		struct buf body = r->body;
		link_http_reply(r->x, 200, "application/json", "", buf_view(&body)); /* r goes with the exchange */
		buf_free(&body);
	}
}

void message_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	if (!take_id(x, &id))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	run(reading_new(a, x), "message_get", &ps, show_cb, show_done_cb);
}

static void explain_cb(void *ctx, const struct store_rows *rows)
{
	struct reading *r = ctx;
	struct explain_facts f;
	char *text[EXPLAIN_COLUMNS];
	r->found = store_rows_count(rows) > 0;
	for (unsigned i = 0; r->found && i < EXPLAIN_COLUMNS; i++) {
		text[i] = pool_copy(link_http_pool(r->x), store_rows_text(rows, 0, i));
		f.cell[i] = store_rows_null(rows, 0, i) ? NULL : text[i];
	}
	if (!r->found)
		return;
	explain_json(&f, &r->body);
	buf_add_u8(&r->body, '}');
}

void message_explain(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	if (!take_id(x, &id))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	run(reading_new(a, x), "message_explain", &ps, explain_cb, show_done_cb);
}

/* --- cancel --------------------------------------------------------------------------------------------------------
 */

static void cancel_cb(void *ctx, const struct store_rows *rows)
{
	struct reading *r = ctx;
	r->found = store_rows_count(rows) > 0;
	if (!r->found)
		return;
	struct view status = store_rows_text(rows, 0, 0);
	r->canceled = store_rows_bool(rows, 0, 1) || view_eq(status, VIEW("canceled"));
	r->asked = store_rows_bool(rows, 0, 2);
	buf_printf(&r->body, "{\"id\":\"%s\",\"status\":\"%.*s\"}", r->last, (int)status.n, (const char *)status.p);
}

static void cancel_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct reading *r = ctx;
	struct buf body = r->body;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(r->x);
	else if (!r->found)
		api_problem(r->x, 404, "message_unknown", "There is no such message.");
	else if (!r->canceled && !r->asked)
		api_problem(r->x, 409, "not_cancelable", "The message is with the carrier already, or has ended.");
	else
		link_http_reply(r->x, r->canceled ? 200 : 202, "application/json", "", buf_view(&body));
	buf_free(&body);
}

void message_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	if (!take_id(x, &id))
		return;
	struct reading *r = reading_new(a, x);
	uuid_format(&id, r->last); /* the request may be gone when the answer comes */
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	store_value_time(&ps, clock_read(a->config.clock));
	run(r, "message_cancel", &ps, cancel_cb, cancel_done_cb);
}

/* --- pages ---------------------------------------------------------------------------------------------------------
 */

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct reading *r = ctx;
	r->rows = store_rows_count(rows);
	access_rows(r->x, r->rows < r->limit ? r->rows : r->limit);
	buf_add_str(&r->body, "{\"data\":[");
	for (unsigned i = 0; i < r->rows && i < r->limit; i++) {
		if (i)
			buf_add_u8(&r->body, ',');
		buf_add_view(&r->body, store_rows_text(rows, i, 1));
		copy_view(r->last, sizeof(r->last), store_rows_text(rows, i, 0));
	}
	if (r->rows > r->limit)
		buf_printf(&r->body, "],\"next\":\"/v1/messages?after=%s&limit=%u%s\"}", r->last, r->limit, r->query);
	else
		buf_add_str(&r->body, "],\"next\":null}");
}

static void list_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct reading *r = ctx;
	struct buf body = r->body;
	(void)sqlstate;
	if (result != STORE_OK || body.full)
		api_read_failed(r->x);
	else
		link_http_reply(r->x, 200, "application/json", "", buf_view(&body));
	buf_free(&body);
}

static bool known_status(const char *name)
{
	static const char *const names[] = {
#define STATUS(name, rank, final, sentence) #name,
#include "status.def"
#undef STATUS
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void add_query(struct reading *r, const char *key, const char *value)
{
	size_t used = strlen(r->query);
	used += (size_t)snprintf(r->query + used, sizeof(r->query) - used, "&%s=", key);
	for (; *value && used + 4 < sizeof(r->query); value++)
		used += (size_t)snprintf(r->query + used, sizeof(r->query) - used, "%%%02X", (unsigned char)*value);
}

/* False when key is given with a value that no message can have: it must not be passed over, or all would be shown. */
static bool take_value(struct view query, const char *key, char *to, size_t cap, bool *has_r)
{
	*has_r = http_query_get(query, key, to, cap);
	return *has_r ? utf8_valid(view_str(to)) : !http_query_has(query, key);
}

static bool take_limit(struct view query, unsigned *limit_r)
{
	char text[16];
	bool has;
	uint64_t limit = 50;
	if (!take_value(query, "limit", text, sizeof(text), &has) ||
	    (has && (!parse_u64(view_str(text), LIMIT_LIST, &limit) || limit == 0)))
		return false;
	*limit_r = (unsigned)limit;
	return true;
}

void message_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char after[40], status[24], patient[LIMIT_PATIENT_BYTES + 1];
	struct uuid id;
	struct store_params ps = {0};
	struct reading *r = reading_new(a, x);
	bool has_after, has_status, has_patient;
	bool ok = take_value(query, "after", after, sizeof(after), &has_after) &&
	          take_value(query, "status", status, sizeof(status), &has_status) &&
	          take_value(query, "patient", patient, sizeof(patient), &has_patient) && take_limit(query, &r->limit);
	if (!ok || (has_after && !uuid_parse(view_str(after), &id)) || (has_status && !known_status(status))) {
		api_problem(x, 400, "bad_query",
		            "after takes a message id, limit 1 to 200, status one of the statuses, patient up to 64 "
		            "octets of UTF-8.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	if (has_after)
		store_value_uuid(&ps, &id);
	else
		store_value_null(&ps);
	store_value_str(&ps, has_status ? status : NULL);
	store_value_str(&ps, has_patient ? patient : NULL);
	store_value_int(&ps, STORE_INT4, r->limit + 1);
	if (has_status)
		add_query(r, "status", status);
	if (has_patient)
		add_query(r, "patient", patient);
	run(r, "message_list", &ps, list_cb, list_done_cb);
}
