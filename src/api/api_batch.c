/* Batches: POST /v1/batches, how far one is, its results, its end. */
#include "api_page.h"
#include "api_problem.h"
#include "api_request.h"
#include "api_upload.h"

#include <stdio.h>

void batch_create(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	upload_begin(a, x, who, NULL);
}

void batch_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct uuid id;
	if (!page_id(x, &id, "batch_unknown"))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	page_show(a, x, "batch_get", &ps, "batch_unknown");
}

/* after (an item's number) and limit; false when they cannot be. */
static bool take_page(struct view query, bool *has_after_r, uint64_t *after_r, uint64_t *limit_r)
{
	char after[16], limit[16];
	*limit_r = 50;
	*has_after_r = http_query_get(query, "after", after, sizeof(after));
	bool has_limit = http_query_get(query, "limit", limit, sizeof(limit));
	return *has_after_r == http_query_has(query, "after") && has_limit == http_query_has(query, "limit") &&
	       (!*has_after_r || parse_u64(view_str(after), INT32_MAX, after_r)) &&
	       (!has_limit || (parse_u64(view_str(limit), LIMIT_BATCH_ITEMS, limit_r) && *limit_r > 0));
}

void batch_results(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct uuid id;
	uint64_t after, limit;
	bool has_after;
	char path[80], text[UUID_TEXT_BYTES];
	if (!page_id(x, &id, "batch_unknown"))
		return;
	if (!take_page(link_http_request(x)->query, &has_after, &after, &limit)) {
		api_problem(x, 400, "bad_query", "after takes an item's number, limit 1 to 1000.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	if (has_after)
		store_value_int(&ps, STORE_INT4, (int64_t)after);
	else
		store_value_null(&ps);
	store_value_int(&ps, STORE_INT4, (int64_t)limit + 1);
	snprintf(path, sizeof(path), "/v1/batches/%s/results", uuid_format(&id, text));
	page_list_of(a, x, "batch_results", &ps, (unsigned)limit, path, "", "batch_unknown");
}

void batch_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct uuid id;
	if (!page_id(x, &id, "batch_unknown"))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	dispatch_broadcast_wake(a->config.dispatch);
	request_run(request_bare(a, x, who, 202), "batch_cancel", &ps);
}
