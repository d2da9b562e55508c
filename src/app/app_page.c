#include "app_page.h"

#include "app_problem.h"

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
