#include "api_staff.h"

#include "api_page.h"

#include <stdio.h>

const char *staff_by(const struct api_caller *who, char to[STAFF_BY_BYTES])
{
	snprintf(to, STAFF_BY_BYTES, "%s%s", who->person[0] ? "" : "key ", who->person[0] ? who->person : who->key);
	return to;
}

void staff_reply(struct request *r, int status)
{
	struct http_exchange *x = r->x;
	struct buf body = r->body;
	r->body = BUF(0);
	request_end(r);
	link_http_reply(x, status, "application/json", "", buf_view(&body));
	buf_free(&body);
}

void staff_failed(struct request *r)
{
	struct http_exchange *x = r->x;
	request_end(r);
	api_read_failed(x);
}

void staff_run(struct request *r, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(r->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) < LIMIT_READ_QUEUE)
		store_lane_run(lane, &step, 1, done, r);
	else
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
	store_params_free(ps);
}

struct request *staff_request(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct request *r = pool_alloc(link_http_pool(x), sizeof(*r));
	*r = (struct request){.api = a, .x = x, .pool = link_http_pool(x), .who = *who, .status = 200};
	r->body = BUF(LIMIT_HTTP_BODY_BYTES);
	r->now_us = clock_read(a->config.clock);
	r->id = uuid_make(&a->ids, r->now_us);
	return r;
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

struct listing {
	struct http_exchange *x;
	const char *path;
	unsigned limit;
	struct buf body;
};

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct listing *l = ctx;
	int last = page_rows(l->x, &l->body, rows, 0, 1, l->limit);
	if (last < 0)
		return;
	buf_printf(&l->body, "%s?after=", l->path);
	buf_add_view(&l->body, store_rows_text(rows, (unsigned)last, 0));
	page_end(&l->body, l->limit, "");
}

static void list_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct listing *l = ctx;
	(void)sqlstate;
	page_reply(l->x, result, &l->body);
}

/* False when a parameter is there that is none. */
static bool take_page(struct view query, bool (*id_ok)(struct view id), char *after, size_t cap, unsigned *limit_r)
{
	char text[8];
	uint64_t limit = 50;
	bool has_after = http_query_get(query, "after", after, cap);
	bool has_limit = http_query_get(query, "limit", text, sizeof(text));
	if (!has_after)
		after[0] = 0;
	bool ok = has_after == http_query_has(query, "after") && has_limit == http_query_has(query, "limit") &&
	          (!has_after || id_ok(view_str(after))) &&
	          (!has_limit || (parse_u64(view_str(text), LIMIT_LIST, &limit) && limit > 0));
	*limit_r = (unsigned)limit;
	return ok;
}

void staff_list(struct api *a, struct http_exchange *x, const struct api_caller *who, const char *sql, const char *path,
                bool (*id_ok)(struct view id))
{
	char after[UUID_TEXT_BYTES];
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {sql, &ps, list_cb};
	struct listing *l = pool_alloc(link_http_pool(x), sizeof(*l));
	*l = (struct listing){.x = x, .path = path, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	if (!take_page(link_http_request(x)->query, id_ok, after, sizeof(after), &l->limit)) {
		api_problem(x, 400, "bad_query", "after takes an id of the list, limit 1 to 200.");
		return;
	}
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		api_unavailable(x, "busy", "Too many requests wait; try again.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, after[0] ? after : NULL);
	store_value_int(&ps, STORE_INT4, l->limit + 1);
	store_lane_run(lane, &step, 1, list_done_cb, l);
	store_params_free(&ps);
}
