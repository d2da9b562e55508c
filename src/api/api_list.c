/* Reading and cancelling messages one by one. The JSON is built by SQL; a practice sees its own messages only, others
 * are 404. */
#include "api_internal.h"

#include "api_explain.h"

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
	char last[UUID_TEXT_BYTES];
	char status[24];
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
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
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
	copy_view(r->status, sizeof(r->status), status);
	buf_printf(&r->body, "{\"id\":\"%s\",\"status\":\"%s\",\"recalling\":%s}", r->last, r->status,
	           r->asked ? "true" : "false");
}

/* Why it cannot be cancelled any more, by its status. */
static const char *too_late(const char *status)
{
	static const struct {
		const char *status;
		const char *sentence;
	} rows[] = {
	        {"sending", "The message is being handed to the carrier at this moment; ask again in a few seconds."},
	        {"sent", "The carrier has the message and takes no recall of it."},
	        {"uncertain", "The carrier never said whether it has the message, so that it cannot be recalled."},
	        {"unconfirmed", "The carrier has the message and takes no recall of it."},
	        {"delivered", "The patient's phone has the message already."},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(status, rows[i].status) == 0)
			return rows[i].sentence;
	return "The message has ended already; read it to see how.";
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
		api_problem(r->x, 409, "not_cancelable", too_late(r->status));
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
