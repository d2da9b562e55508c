#include "api_page.h"

#include "api_problem.h"

int page_rows(struct http_exchange *x, struct buf *to, const struct store_rows *rows, unsigned first, unsigned column,
              unsigned limit)
{
	unsigned n = store_rows_count(rows) - first;
	unsigned shown = n < limit ? n : limit;
	access_rows(x, shown);
	buf_add_str(to, "{\"data\":[");
	for (unsigned i = 0; i < shown; i++) {
		buf_add_str(to, i ? "," : "");
		buf_add_view(to, store_rows_text(rows, first + i, column));
	}
	buf_add_str(to, n > limit ? "],\"next\":\"" : "],\"next\":null}");
	return n > limit ? (int)(first + limit - 1) : -1;
}

void page_end(struct buf *to, unsigned limit, const char *query)
{
	buf_printf(to, "&limit=%u%s\"}", limit, query);
}

void page_reply(struct http_exchange *x, enum store_result result, struct buf *body)
{
	struct buf b = *body; /* the answer frees the request's pool, where body may be */
	if (result != STORE_OK || b.full)
		api_read_failed(x);
	else
		link_http_reply(x, 200, "application/json", "", buf_view(&b));
	buf_free(&b);
}

bool page_id(struct http_exchange *x, struct uuid *id_r, const char *unknown)
{
	if (uuid_parse(link_http_param(x), id_r))
		return true;
	problem_answer(x, unknown);
	return false;
}

/* --- pages ---------------------------------------------------------------------------------------------------------
 */

struct page {
	struct http_exchange *x;
	struct buf body;
	unsigned limit;
	const char *path;
	const char *unknown; /* NULL: there is always a page */
	bool found;
	char query[200];
};

static void page_cb(void *ctx, const struct store_rows *rows)
{
	struct page *p = ctx;
	unsigned first = p->unknown ? 1 : 0;
	p->found = store_rows_count(rows) >= first;
	if (!p->found)
		return;
	int last = page_rows(p->x, &p->body, rows, first, 1, p->limit);
	if (last < 0)
		return;
	buf_printf(&p->body, "%s?after=", p->path);
	buf_add_view(&p->body, store_rows_text(rows, (unsigned)last, 0));
	page_end(&p->body, p->limit, p->query);
}

static void page_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct page *p = ctx;
	(void)sqlstate;
	if (result != STORE_OK || p->found) {
		page_reply(p->x, result, &p->body);
		return;
	}
	buf_free(&p->body);
	problem_answer(p->x, p->unknown);
}

static struct page *page_new(struct http_exchange *x, unsigned limit, const char *path)
{
	struct page *p = pool_alloc(link_http_pool(x), sizeof(*p));
	*p = (struct page){.x = x, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2), .limit = limit};
	p->path = pool_copy_str(link_http_pool(x), path);
	return p;
}

static void page_run(struct api *a, struct page *p, const struct store_step *step)
{
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_params *ps = step->params;
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(p->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, step, 1, page_done_cb, p);
	store_params_free(ps);
}

void page_list(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
               const char *path, const char *query)
{
	page_list_of(a, x, sql, ps, limit, path, query, NULL);
}

void page_list_of(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
                  const char *path, const char *query, const char *unknown)
{
	struct page *p = page_new(x, limit, path);
	copy_str(p->query, sizeof(p->query), query);
	p->unknown = unknown;
	page_run(a, p, &(struct store_step){sql, ps, page_cb});
}

static void show_cb(void *ctx, const struct store_rows *rows)
{
	struct page *p = ctx;
	p->found = store_rows_count(rows) > 0;
	if (p->found)
		buf_add_view(&p->body, store_rows_text(rows, 0, 0));
}

void page_show(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, const char *unknown)
{
	struct page *p = page_new(x, 1, "");
	p->unknown = unknown;
	page_run(a, p, &(struct store_step){sql, ps, show_cb});
}

bool page_query(struct view query, struct uuid *after_r, bool *has_after_r, unsigned *limit_r)
{
	char after[40], limit[16];
	uint64_t n = 50;
	*has_after_r = http_query_get(query, "after", after, sizeof(after));
	bool has_limit = http_query_get(query, "limit", limit, sizeof(limit));
	bool ok = *has_after_r == http_query_has(query, "after") && has_limit == http_query_has(query, "limit") &&
	          (!*has_after_r || uuid_parse(view_str(after), after_r)) &&
	          (!has_limit || (parse_u64(view_str(limit), LIMIT_LIST, &n) && n > 0));
	*limit_r = (unsigned)n;
	return ok;
}
