#include "app_form.h"

#include "app_page.h"
#include "app_problem.h"
#include "app_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 500 /* octets of a field */

void form_problem(struct http_exchange *x, const char *code)
{
	problem_answer(x, code);
}

/* --- the older name of app_request ------------------------------------------------------------------------------
 */

struct form *form_read(struct api *a, struct http_exchange *x, const struct api_caller *who,
                       const struct form_row *rows, unsigned count, bool with_id)
{
	static const enum field_type types[] = {
	        [FORM_TEXT] = FIELD_TEXT, [FORM_PHONE] = FIELD_PHONE, [FORM_ID] = FIELD_ID, [FORM_WORD] = FIELD_CHOICE};
	struct form *f = pool_alloc(link_http_pool(x), sizeof(*f));
	struct field_row *fields = pool_alloc(link_http_pool(x), count * sizeof(*fields));
	*f = (struct form){.api = a, .x = x, .who = *who, .status = 200};
	if (with_id && !uuid_parse(link_http_param(x), &f->id)) {
		api_problem(x, 404, "not_found", "There is no such thing.");
		return NULL;
	}
	for (unsigned i = 0; i < count; i++) {
		char *pointer = pool_alloc(link_http_pool(x), strlen(rows[i].name) + 2);
		snprintf(pointer, strlen(rows[i].name) + 2, "/%s", rows[i].name);
		fields[i] = (struct field_row){pointer, types[rows[i].type], rows[i].required, TEXT_MAX, rows[i].words};
	}
	f->request = request_read(a, x, who, fields, count, false);
	if (!f->request || !request_fine(f->request))
		return NULL;
	for (unsigned i = 0; i < count; i++)
		if (f->request->value[i].given)
			f->value[i] = f->request->value[i].text;
	return f;
}

void form_add(const struct form *f, struct store_params *ps, unsigned field)
{
	request_add_text(f->request, ps, field);
}

void form_add_or_null(const struct form *f, struct store_params *ps, unsigned field)
{
	request_add_null(f->request, ps, field);
}

void form_run(struct form *f, const char *sql, struct store_params *ps)
{
	f->request->status = f->status;
	request_run(f->request, sql, ps);
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
	form_problem(p->x, p->unknown);
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

void form_page(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
               const char *path, const char *query)
{
	struct page *p = page_new(x, limit, path);
	copy_str(p->query, sizeof(p->query), query);
	page_run(a, p, &(struct store_step){sql, ps, page_cb});
}

void form_page_of(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
                  const char *path, const char *unknown)
{
	struct page *p = page_new(x, limit, path);
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

void form_show(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, const char *unknown)
{
	struct page *p = page_new(x, 1, "");
	p->unknown = unknown;
	page_run(a, p, &(struct store_step){sql, ps, show_cb});
}

bool form_page_query(struct view query, struct uuid *after_r, bool *has_after_r, unsigned *limit_r)
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
