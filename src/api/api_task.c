/* Review tasks: what a person has to look at (GET /v1/tasks), who looks (own), and what was decided, with what it does
 * (decide). */
#include "api_decision.h"
#include "api_page.h"
#include "api_problem.h"
#include "api_request.h"

#include <stdio.h>
#include <string.h>

void task_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char kind[40], open[8], more[80];
	struct uuid after;
	struct store_params ps = {0};
	bool has_after;
	unsigned limit;
	bool has_kind = http_query_get(query, "kind", kind, sizeof(kind));
	bool has_open = http_query_get(query, "open", open, sizeof(open));
	bool ok = page_query(query, &after, &has_after, &limit) && has_kind == http_query_has(query, "kind") &&
	          has_open == http_query_has(query, "open") &&
	          (!has_open || strcmp(open, "true") == 0 || strcmp(open, "false") == 0) &&
	          (!has_kind || kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz_")] == 0);
	if (!ok) {
		api_problem(x, 400, "bad_query",
		            "open takes true or false, kind a kind of task, after an id, limit 1 to 200.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_int(&ps, STORE_BOOL, !has_open || strcmp(open, "true") == 0);
	store_value_str(&ps, has_kind ? kind : NULL);
	if (has_after)
		store_value_uuid(&ps, &after);
	else
		store_value_null(&ps);
	store_value_int(&ps, STORE_INT4, limit + 1);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
	snprintf(more, sizeof(more), "%s%s%s%s", has_kind ? "&kind=" : "", has_kind ? kind : "",
	         has_open ? "&open=" : "", has_open ? open : "");
	page_list(a, x, "task_list", &ps, limit, "/v1/tasks", more);
}

#define TASK_TEXT 500 /* octets */

/* Reads a request about a task; NULL when it was answered. */
static struct request *read_task(struct api *a, struct http_exchange *x, const struct api_caller *who,
                                 const struct field_row *rows, unsigned count, struct uuid *id_r)
{
	if (!uuid_parse(link_http_param(x), id_r)) {
		problem_answer(x, "task_unknown");
		return NULL;
	}
	struct request *r = request_read(a, x, who, rows, count, false);
	return r && request_fine(r) ? r : NULL;
}

enum { W_PERSON, W_COUNT };
static const struct field_row own_rows[W_COUNT] = {[W_PERSON] = {"/person", FIELD_TEXT, true, TASK_TEXT, NULL}};

void task_own(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	struct request *r = read_task(a, x, who, own_rows, W_COUNT, &id);
	if (!r)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	request_add_text(r, &ps, W_PERSON);
	store_value_time(&ps, r->now_us);
	request_run(r, "task_own", &ps);
}

enum { D_DECISION, D_PERSON, D_NOTE, D_COUNT };
static const struct field_row decide_rows[D_COUNT] = {
        [D_DECISION] = {"/decision", FIELD_TEXT, true, TASK_TEXT, NULL},
        [D_PERSON] = {"/person", FIELD_TEXT, true, TASK_TEXT, NULL},
        [D_NOTE] = {"/note", FIELD_TEXT, false, TASK_TEXT, NULL},
};

void task_decide(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	struct request *r = read_task(a, x, who, decide_rows, D_COUNT, &id);
	if (!r)
		return;
	const struct decision *d = decision_find((const char *)r->value[D_DECISION].text.p);
	if (!d) {
		request_end(r);
		problem_answer(x, "decision_unknown");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	store_value_str(&ps, d->kind);
	store_value_str(&ps, d->decision);
	store_value_str(&ps, d->effect);
	request_add_text(r, &ps, D_PERSON);
	request_add_text(r, &ps, D_NOTE);
	store_value_time(&ps, r->now_us);
	request_run(r, "task_decide", &ps);
}
