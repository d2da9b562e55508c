/* /v1/templates and /v1/lint. A template holds nothing of a patient; what is linted is not stored. */
#include "api_etag.h"
#include "api_page.h"
#include "api_template.h"

#include "text_shape.h"

#include <stdio.h>
#include <string.h>

struct templating {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	json_t *json;
	struct template_draft draft;
	struct uuid id;
	bool found;
	bool done;
	bool fits; /* If-Match */
	int64_t version;
	char status[16];
	struct buf body;
};

static struct templating *templating_new(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct templating *t = pool_alloc(link_http_pool(x), sizeof(*t));
	t->api = a;
	t->x = x;
	t->who = *who;
	t->body = BUF(LIMIT_STREAM_OUT_BYTES / 2);
	return t;
}

/* False with the problem answered. */
static bool take_json(struct templating *t)
{
	json_t *json = api_json_read(t->x);
	if (json)
		t->json = json; /* without it t went with the exchange */
	return json != NULL;
}

static void answer_faults(struct templating *t)
{
	struct faults *f = &t->draft.faults;
	json_t *json = t->json; /* t goes with the exchange */
	link_http_problem(t->x, 422, "validation_failed", "The request cannot be accepted; see errors.", f->error,
	                  f->count, "");
	json_decref(json);
}

static void run(struct templating *t, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(t->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	json_decref(t->json); /* the parameters are copies */
	t->json = NULL;
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(t->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done, t);
	store_params_free(ps);
}

/* --- saving --------------------------------------------------------------------------------------------------------
 */

static void saved_cb(void *ctx, const struct store_rows *rows)
{
	struct templating *t = ctx;
	t->version = store_rows_int(rows, 0, 1);
	t->done = !store_rows_null(rows, 0, 2);
}

static void saved_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct templating *t = ctx;
	char id[UUID_TEXT_BYTES];
	struct buf body = t->body;
	buf_printf(&body, "{\"id\":\"%s\",\"version\":%lld,\"status\":\"draft\",\"septets\":%u,\"findings\":",
	           uuid_format(&t->id, id), (long long)t->version, t->draft.report.septets);
	lint_write(&t->draft.findings, &body);
	buf_add_u8(&body, '}');
	if (result == STORE_FAILED && strcmp(sqlstate, "23505") == 0)
		api_problem(t->x, 409, "template_version_taken",
		            "Another version was saved at the same moment; try again.");
	else if (result != STORE_OK)
		api_read_failed(t->x);
	else if (!t->done)
		api_problem(t->x, 422, "campaign_missing",
		            "The practice's sender is registered for no campaign that covers this category.");
	else
		link_http_reply(t->x, 201, "application/json", "", buf_view(&body));
	buf_free(&body);
}

void template_create(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct templating *t = templating_new(a, x, who);
	struct store_params ps = {0};
	if (!take_json(t))
		return;
	struct template_draft *d = &t->draft;
	if (!template_draft_read(d, link_http_pool(x), t->json, &t->who.lint)) {
		answer_faults(t);
		return;
	}
	int64_t now_us = clock_read(a->config.clock);
	t->id = uuid_make(&a->ids, now_us);
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &t->id);
	store_value_time(&ps, now_us);
	store_value_text(&ps, d->name);
	store_value_text(&ps, d->t.language);
	store_value_str(&ps, policy_category_code(d->category));
	store_value_text(&ps, d->t.body);
	store_value_str(&ps, d->variables);
	store_value_int(&ps, STORE_INT4, d->report.septets);
	store_value_text(&ps, d->person);
	run(t, "template_save", &ps, saved_cb, saved_done_cb);
}

/* --- moving on -----------------------------------------------------------------------------------------------------
 */

static void moved_cb(void *ctx, const struct store_rows *rows)
{
	struct templating *t = ctx;
	t->found = store_rows_count(rows) > 0;
	if (!t->found)
		return;
	copy_view(t->status, sizeof(t->status), store_rows_text(rows, 0, 0));
	t->done = store_rows_bool(rows, 0, 1);
	t->fits = store_rows_bool(rows, 0, 2);
}

/* version: of the state, see template_show.sql */
static void answer_status(struct templating *t, const char *status, int64_t version)
{
	char id[UUID_TEXT_BYTES];
	struct buf body = BUF(200);
	buf_printf(&body, "{\"id\":\"%s\",\"status\":\"%s\"}", uuid_format(&t->id, id), status);
	etag_reply(t->x, 200, version, buf_view(&body));
	buf_free(&body);
}

static void approved_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct templating *t = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(t->x);
	else if (!t->found)
		api_problem(t->x, 404, "template_unknown", "There is no such template.");
	else if (!t->fits)
		etag_failed(t->x);
	else if (!t->done && strcmp(t->status, "draft") == 0)
		api_problem(t->x, 409, "same_person", "Another person than the one who saved it must approve.");
	else if (!t->done)
		api_problem(t->x, 409, "template_not_draft", "Only a draft can be approved.");
	else
		answer_status(t, "approved", 2);
}

static void retired_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct templating *t = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(t->x);
	else if (!t->found)
		api_problem(t->x, 404, "template_unknown", "There is no such template.");
	else if (!t->fits)
		etag_failed(t->x);
	else
		answer_status(t, "retired", 3);
}

static void move(struct api *a, struct http_exchange *x, const struct api_caller *who, const char *sql,
                 store_done_cb done)
{
	struct templating *t = templating_new(a, x, who);
	struct etag_condition condition;
	struct store_params ps = {0};
	if (!uuid_parse(link_http_param(x), &t->id)) {
		api_problem(x, 404, "template_unknown", "There is no such template.");
		return;
	}
	if (!etag_read(x, false, &condition) || !take_json(t))
		return;
	t->draft.faults.pool = link_http_pool(x);
	struct view person = template_person_read(&t->draft.faults, t->json);
	if (json_object_size(t->json) > (json_object_get(t->json, "person") != NULL))
		fault_add(&t->draft.faults, "", "unknown_field", "There is no such field.");
	if (t->draft.faults.count) {
		answer_faults(t);
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &t->id);
	store_value_time(&ps, clock_read(a->config.clock));
	store_value_text(&ps, person);
	etag_add(&condition, &ps);
	run(t, sql, &ps, moved_cb, done);
}

void template_approve(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	move(a, x, who, "template_approve", approved_done_cb);
}

void template_retire(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	move(a, x, who, "template_retire", retired_done_cb);
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static void shown_cb(void *ctx, const struct store_rows *rows)
{
	struct templating *t = ctx;
	t->found = store_rows_count(rows) > 0;
	if (!t->found)
		return;
	t->version = store_rows_int(rows, 0, 0);
	buf_add_view(&t->body, store_rows_text(rows, 0, 1));
}

static void shown_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct templating *t = ctx;
	struct buf body = t->body;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(t->x);
	else if (!t->found)
		api_problem(t->x, 404, "template_unknown", "There is no such template.");
	else
		etag_reply(t->x, 200, t->version, buf_view(&body));
	buf_free(&body);
}

void template_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct templating *t = templating_new(a, x, who);
	struct store_params ps = {0};
	if (!uuid_parse(link_http_param(x), &t->id)) {
		api_problem(x, 404, "template_unknown", "There is no such template.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &t->id);
	run(t, "template_show", &ps, shown_cb, shown_done_cb);
}

static bool status_known(const char *status)
{
	return strcmp(status, "draft") == 0 || strcmp(status, "approved") == 0 || strcmp(status, "retired") == 0;
}

void template_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char name[TEMPLATE_NAME_MAX + 1], status[16], more[TEMPLATE_NAME_MAX + 40];
	struct store_params ps = {0};
	struct uuid after;
	bool has_after;
	unsigned limit;
	bool has_name = http_query_get(query, "name", name, sizeof(name));
	bool has_status = http_query_get(query, "status", status, sizeof(status));
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	if (!page_query(query, &after, &has_after, &limit) || (!has_name && http_query_has(query, "name")) ||
	    (!has_status && http_query_has(query, "status")) || (has_name && name[strspn(name, letters)]) ||
	    (has_status && !status_known(status))) {
		api_problem(x, 400, "bad_template_query",
		            "name takes a template's name, status draft, approved or retired, after an id, limit 1 to "
		            "200.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, has_name ? name : NULL);
	store_value_str(&ps, has_status ? status : NULL);
	store_value_int(&ps, STORE_INT4, limit + 1);
	if (has_after)
		store_value_uuid(&ps, &after);
	else
		store_value_null(&ps);
	snprintf(more, sizeof(more), "%s%s%s%s", has_name ? "&name=" : "", has_name ? name : "",
	         has_status ? "&status=" : "", has_status ? status : "");
	page_list(a, x, "template_list", &ps, limit, "/v1/templates", more);
}

/* --- judging only --------------------------------------------------------------------------------------------------
 */

static void answer_judged(struct templating *t, struct view text)
{
	struct template_draft *d = &t->draft;
	struct text_shape shape = text_measure(text);
	buf_printf(&t->body,
	           "{\"ok\":%s,\"encoding\":\"%s\",\"characters\":%u,\"units\":%u,\"segments\":%u,\"findings\":",
	           d->findings.refusals == 0 ? "true" : "false", text_encoding_name(shape.encoding), shape.characters,
	           shape.units, shape.segments);
	lint_write(&d->findings, &t->body);
	buf_add_u8(&t->body, '}');
	struct buf body = t->body; /* t goes with the exchange */
	json_t *json = t->json;
	link_http_reply(t->x, 200, "application/json", "", buf_view(&body));
	buf_free(&body);
	json_decref(json);
}

/* With variables the longest text of the template is judged; without them the text as it stands. */
void template_lint(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct templating *t = templating_new(a, x, who);
	struct template_draft *d = &t->draft;
	struct buf text = BUF(LIMIT_BODY_BYTES * 4);
	if (!take_json(t))
		return;
	if (json_object_get(t->json, "name") || json_object_get(t->json, "person"))
		fault_add(&d->faults, "", "unknown_field", "There is no such field.");
	bool ok = template_draft_fields(d, link_http_pool(x), t->json);
	struct policy_lint_facts facts = lint_facts(&t->who.lint, d->category);
	if (ok && json_object_get(t->json, "variables"))
		ok = template_draft_check(d, &t->who.lint, &text);
	else if (ok && buf_add_view(&text, d->t.body))
		policy_lint(&facts, buf_view(&text), &d->findings);
	if (ok)
		answer_judged(t, buf_view(&text));
	else
		answer_faults(t);
	buf_free(&text);
}
