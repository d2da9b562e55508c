/* /v1/plans: the reminders that a practice wants for each kind of visit. A plan holds nothing of a patient. */
#include "api_etag.h"
#include "api_plan.h"
#include "api_page.h"

#include <string.h>

#define KIND_BYTES 65 /* with its NUL */

struct planning {
	struct api *api;
	struct http_exchange *x;
	struct faults faults;
	bool found;
	bool done;
	bool refused; /* by the condition */
	int64_t version;
	char kind[KIND_BYTES];
	json_t *steps;
	struct buf body;
};

/* NULL with the problem answered. */
static struct planning *planning_new(struct api *a, struct http_exchange *x)
{
	struct planning *p = pool_alloc(link_http_pool(x), sizeof(*p));
	*p = (struct planning){.api = a, .x = x, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	p->faults.pool = link_http_pool(x);
	if (link_http_route(x)->path[strlen("/v1/plans")] && !api_ref_param(x, p->kind, sizeof(p->kind))) {
		api_problem(x, 404, "plan_unknown", "There is no such plan.");
		return NULL;
	}
	return p;
}

static void run(struct planning *p, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(p->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		json_decref(p->steps);
		api_unavailable(p->x, "busy", "Too many requests wait; try again.");
	} else {
		store_lane_run(lane, &step, 1, done, p);
	}
	store_params_free(ps);
}

/* --- saving --------------------------------------------------------------------------------------------------------
 */

static const struct {
	const char *code;
	const char *sentence;
} template_faults[] = {
        {"template_unknown", "There is no such template."},
        {"template_not_approved", "No version of this template is approved."},
        {"category_not_of_template", "The template is of another category."},
        {"campaign_ended", "The practice's sender is registered for no campaign that covers this category."},
};

static void add_template_fault(struct planning *p, int64_t step, struct view problem)
{
	struct buf pointer = BUF(64);
	buf_printf(&pointer, "/steps/%d/template", (int)step);
	for (size_t i = 0; i < sizeof(template_faults) / sizeof(*template_faults); i++)
		if (view_eq(problem, view_str(template_faults[i].code)))
			fault_add(&p->faults, pool_copy(p->faults.pool, buf_view(&pointer)), template_faults[i].code,
			          template_faults[i].sentence);
	buf_free(&pointer);
}

static void saved_cb(void *ctx, const struct store_rows *rows)
{
	struct planning *p = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		if (!store_rows_null(rows, i, 0))
			add_template_fault(p, store_rows_int(rows, i, 0), store_rows_text(rows, i, 1));
		else if (!store_rows_null(rows, i, 1))
			p->refused = true;
		else
			p->version = store_rows_int(rows, i, 2);
}

static void answer_faults(struct planning *p)
{
	link_http_problem(p->x, 422, "validation_failed", "The plan cannot be accepted; see errors.", p->faults.error,
	                  p->faults.count, "");
}

static void saved_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct planning *p = ctx;
	json_t *steps = p->steps;
	(void)sqlstate;
	if (result != STORE_OK) {
		api_read_failed(p->x);
	} else if (p->faults.count) {
		answer_faults(p);
	} else if (p->refused) {
		etag_failed(p->x);
	} else {
		json_t *answer = json_pack("{s:s, s:I, s:O}", "kind", p->kind, "version", (json_int_t)p->version,
		                           "steps", p->steps);
		char *text = json_dumps(answer, JSON_COMPACT);
		etag_reply(p->x, 200, p->version, view_str(text));
		free(text);
		json_decref(answer);
	}
	json_decref(steps);
}

static void save(struct planning *p, const struct api_caller *who, const struct etag_condition *condition)
{
	struct store_params ps = {0};
	char *text = json_dumps(p->steps, JSON_COMPACT);
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, p->kind);
	store_value_str(&ps, text);
	store_value_str(&ps, who->key);
	etag_add(condition, &ps);
	store_value_time(&ps, clock_read(p->api->config.clock));
	free(text);
	run(p, "plan_put", &ps, saved_cb, saved_done_cb);
}

void plan_put(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct plan_entry entries[LIMIT_PLAN_STEPS];
	struct etag_condition condition;
	struct planning *p = planning_new(a, x);
	if (!p || !etag_read(x, false, &condition))
		return;
	json_t *json = api_json_read(x);
	if (!json)
		return;
	if (json_object_size(json) != (json_object_get(json, "steps") ? 1 : 0))
		fault_add(&p->faults, "", "unknown_field", "A plan has steps and nothing else.");
	unsigned count = plan_read(json_object_get(json, "steps"), &p->faults, entries);
	p->steps = p->faults.count ? NULL : plan_json(entries, count);
	json_decref(json);
	if (p->faults.count)
		answer_faults(p);
	else
		save(p, who, &condition);
}

/* --- reading and taking away ---------------------------------------------------------------------------------------
 */

static void show_cb(void *ctx, const struct store_rows *rows)
{
	struct planning *p = ctx;
	p->found = store_rows_count(rows) > 0;
	if (!p->found)
		return;
	p->version = store_rows_int(rows, 0, 0);
	buf_add_view(&p->body, store_rows_text(rows, 0, 1));
}

static void show_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct planning *p = ctx;
	struct buf body = p->body;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(p->x);
	else if (!p->found)
		api_problem(p->x, 404, "plan_unknown", "There is no such plan.");
	else
		etag_reply(p->x, 200, p->version, buf_view(&body));
	buf_free(&body);
}

void plan_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct planning *p = planning_new(a, x);
	if (!p)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, p->kind);
	run(p, "plan_get", &ps, show_cb, show_done_cb);
}

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct planning *p = ctx;
	(void)page_rows(p->x, &p->body, rows, 0, 1, store_rows_count(rows)); /* all on one page */
}

static void list_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct planning *p = ctx;
	(void)sqlstate;
	page_reply(p->x, result, &p->body);
}

void plan_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct planning *p = planning_new(a, x);
	if (!p)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_int(&ps, STORE_INT4, LIMIT_LIST);
	run(p, "plan_list", &ps, list_cb, list_done_cb);
}

static void deleted_cb(void *ctx, const struct store_rows *rows)
{
	struct planning *p = ctx;
	p->found = store_rows_count(rows) > 0;
	p->done = p->found && store_rows_bool(rows, 0, 1);
}

static void deleted_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct planning *p = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(p->x);
	else if (!p->found)
		api_problem(p->x, 404, "plan_unknown", "There is no such plan.");
	else if (!p->done)
		etag_failed(p->x);
	else
		link_http_reply(p->x, 204, NULL, "", (struct view){0});
}

void plan_delete(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct etag_condition condition;
	struct planning *p = planning_new(a, x);
	if (!p || !etag_read(x, false, &condition))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, p->kind);
	etag_add(&condition, &ps);
	store_value_time(&ps, clock_read(a->config.clock));
	store_value_str(&ps, who->key);
	run(p, "plan_delete", &ps, deleted_cb, deleted_done_cb);
}
