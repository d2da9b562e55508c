/* Broadcasts: ordered, given recipients, started, paused, resumed, cancelled. */
#include "api_page.h"
#include "api_problem.h"
#include "api_request.h"
#include "api_template_use.h"
#include "api_upload.h"

#include <stdio.h>
#include <string.h>

enum { B_NAME, B_TEMPLATE, B_LANGUAGE, B_CATEGORY, B_PACE, B_FROM, B_EXPIRES, B_PERSON, B_COUNT };
static const struct field_row rows[B_COUNT] = {
        [B_NAME] = {"/name", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [B_TEMPLATE] = {"/template", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [B_LANGUAGE] = {"/language", FIELD_TEXT, false, LIMIT_CHOICE_BYTES, NULL},
        [B_CATEGORY] = {"/category", FIELD_TEXT, false, LIMIT_CHOICE_BYTES, NULL},
        [B_PACE] = {"/pace_per_minute", FIELD_NUMBER, true, LIMIT_BROADCAST_PACE, NULL},
        [B_FROM] = {"/send_from", FIELD_TIME, false, 0, NULL},
        [B_EXPIRES] = {"/expires_at", FIELD_TIME, true, 0, NULL},
        [B_PERSON] = {"/person", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
};

static void check_times(struct request *r)
{
	struct field_value *from = &r->value[B_FROM];
	const struct field_value *end = &r->value[B_EXPIRES];
	if (!from->given || from->at_us < r->now_us)
		from->at_us = r->now_us;
	from->given = true;
	int64_t ahead_us = r->now_us + (int64_t)LIMIT_SEND_AT_AHEAD_S * SECOND_US;
	if (from->at_us > ahead_us)
		request_fault(r, "/send_from", "time_too_far", "This time is more than a year ahead.");
	if (end->given && end->at_us <= from->at_us)
		request_fault(r, "/expires_at", "time_past", "This time is not after the sending time.");
	else if (end->given && end->at_us > ahead_us)
		request_fault(r, "/expires_at", "time_too_far", "This time is more than a year ahead.");
}

/* What is wrong with the template itself; what it lacks of variables each recipient brings. */
static void check_template(struct request *r, const struct template_used *used)
{
	const struct field_value *category = &r->value[B_CATEGORY];
	for (unsigned i = 0; i < used->faults.count; i++)
		if (strcmp(used->faults.error[i].pointer, "/template") == 0)
			request_fault(r, "/template", used->faults.error[i].code, used->faults.error[i].detail);
	if (r->errors)
		return;
	if (category->given && policy_category_parse(category->text) != used->category)
		request_fault(r, "/category", "category_not_of_template", "The template is of another category.");
	if (policy_category_flags(used->category) & (CATEGORY_EMERGENCY | CATEGORY_CONVERSATION))
		request_fault(r, "/template", "category_not_broadcast",
		              "Texts of this category go to one person each.");
}

static void order(struct request *r, const struct template_used *used)
{
	struct store_params ps = {0};
	char text[UUID_TEXT_BYTES], answer[120];
	const struct field_value *v = r->value;
	snprintf(answer, sizeof(answer), "{\"id\":\"%s\",\"state\":\"created\"}", uuid_format(&r->id, text));
	store_value_uuid(&ps, &r->who.practice_id);
	store_value_uuid(&ps, &r->id);
	request_add_text(r, &ps, B_NAME);
	store_value_uuid(&ps, &used->id);
	request_add_text(r, &ps, B_TEMPLATE);
	store_value_text(&ps, v[B_LANGUAGE].given ? v[B_LANGUAGE].text : VIEW("en"));
	store_value_str(&ps, policy_category_code(used->category));
	store_value_int(&ps, STORE_INT4, v[B_PACE].number);
	store_value_time(&ps, v[B_FROM].at_us);
	store_value_time(&ps, v[B_EXPIRES].at_us);
	request_add_text(r, &ps, B_PERSON);
	store_value_str(&ps, r->who.key);
	store_value_time(&ps, r->now_us);
	request_add_key(r, &ps, answer);
	buf_clear(&r->body);
	buf_add_str(&r->body, answer);
	r->status = 201;
	request_change(r, "broadcast_create", &ps, VIEW(""), (struct view){0}, NULL);
}

static void used_cb(void *ctx, const struct template_used *used)
{
	struct request *r = ctx;
	if (used->unread) {
		request_problem(r, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
		return;
	}
	check_template(r, used);
	if (request_fine(r))
		order(r, used);
}

void broadcast_create(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct request *r = request_read(a, x, who, rows, B_COUNT, true);
	if (!r)
		return;
	check_times(r);
	if (request_fine(r) && !template_use(a, r->pool, &r->who, r->json, used_cb, r))
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
}

void broadcast_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct uuid after;
	bool has_after;
	unsigned limit;
	if (!page_query(link_http_request(x)->query, &after, &has_after, &limit)) {
		api_problem(x, 400, "bad_query", "after takes a broadcast's id, limit 1 to 200.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	if (has_after)
		store_value_uuid(&ps, &after);
	else
		store_value_null(&ps);
	store_value_int(&ps, STORE_INT4, limit + 1);
	page_list(a, x, "broadcast_list", &ps, limit, "/v1/broadcasts", "");
}

void broadcast_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct uuid id;
	if (!page_id(x, &id, "broadcast_unknown"))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	page_show(a, x, "broadcast_get", &ps, "broadcast_unknown");
}

static void act(struct api *a, struct http_exchange *x, const struct api_caller *who, const char *what)
{
	struct store_params ps = {0};
	struct uuid id;
	if (!page_id(x, &id, "broadcast_unknown"))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	store_value_str(&ps, what);
	store_value_time(&ps, clock_read(a->config.clock));
	store_value_str(&ps, who->key);
	dispatch_broadcast_wake(a->config.dispatch);
	request_run(request_bare(a, x, who, 200), "broadcast_act", &ps);
}

void broadcast_start(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	act(a, x, who, "start");
}

void broadcast_pause(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	act(a, x, who, "pause");
}

void broadcast_resume(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	act(a, x, who, "resume");
}

void broadcast_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	act(a, x, who, "cancel");
}

/* --- recipients ----------------------------------------------------------------------------------------------------
 */

struct recipients {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	struct upload_broadcast broadcast;
	bool found, over;
};

static void found_cb(void *ctx, const struct store_rows *found)
{
	struct recipients *r = ctx;
	struct upload_broadcast *b = &r->broadcast;
	r->found = store_rows_count(found) > 0;
	if (!r->found)
		return;
	struct view state = store_rows_text(found, 0, 0);
	r->over =
	        !view_eq(state, VIEW("created")) && !view_eq(state, VIEW("running")) && !view_eq(state, VIEW("paused"));
	copy_view(b->template_id, sizeof(b->template_id), store_rows_text(found, 0, 1));
	copy_view(b->language, sizeof(b->language), store_rows_text(found, 0, 2));
	copy_view(b->category, sizeof(b->category), store_rows_text(found, 0, 3));
	copy_view(b->expires_at, sizeof(b->expires_at), store_rows_text(found, 0, 4));
}

static void found_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct recipients *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		api_read_failed(r->x);
	else if (!r->found)
		problem_answer(r->x, "broadcast_unknown");
	else if (r->over)
		problem_answer(r->x, "broadcast_over");
	else if (!link_http_alive(r->x))
		api_problem(r->x, 400, "client_gone", "");
	else
		upload_begin(r->api, r->x, &r->who, &r->broadcast);
}

void broadcast_recipients(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct recipients *r = pool_alloc(link_http_pool(x), sizeof(*r));
	struct store_step step = {"broadcast_item", &ps, found_cb};
	*r = (struct recipients){.api = a, .x = x, .who = *who};
	if (!link_http_streams(x) && !api_says_json(x)) {
		problem_answer(x, "not_json");
		return;
	}
	if (!page_id(x, &r->broadcast.id, "broadcast_unknown"))
		return;
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		api_unavailable(x, "busy", "Too many requests wait; try again.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &r->broadcast.id);
	store_lane_run(lane, &step, 1, found_done_cb, r);
	store_params_free(&ps);
}
