/* Review tasks: what a person has to look at (GET /v1/tasks), who looks (own), and what was decided, with what it does
 * (decide). */
#include "app_decision.h"
#include "app_form.h"

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
	bool ok = form_page_query(query, &after, &has_after, &limit) && has_kind == http_query_has(query, "kind") &&
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
	snprintf(more, sizeof(more), "%s%s%s%s", has_kind ? "&kind=" : "", has_kind ? kind : "",
	         has_open ? "&open=" : "", has_open ? open : "");
	form_page(a, x, "task_list", &ps, limit, "/v1/tasks", more);
}

enum { W_PERSON, W_COUNT };
static const struct form_row own_rows[W_COUNT] = {[W_PERSON] = {"person", FORM_TEXT, true, NULL}};

void task_own(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct form *f = form_read(a, x, who, own_rows, W_COUNT, true);
	if (!f)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &f->id);
	form_add(f, &ps, W_PERSON);
	store_value_time(&ps, clock_read(a->config.clock));
	form_run(f, "task_own", &ps);
}

enum { D_DECISION, D_PERSON, D_NOTE, D_COUNT };
static const struct form_row decide_rows[D_COUNT] = {
        [D_DECISION] = {"decision", FORM_TEXT, true, NULL},
        [D_PERSON] = {"person", FORM_TEXT, true, NULL},
        [D_NOTE] = {"note", FORM_TEXT, false, NULL},
};

void task_decide(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct form *f = form_read(a, x, who, decide_rows, D_COUNT, true);
	if (!f)
		return;
	const struct decision *d = decision_find((const char *)f->value[D_DECISION].p);
	if (!d) {
		form_problem(x, "decision_unknown");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &f->id);
	store_value_str(&ps, d->kind);
	store_value_str(&ps, d->decision);
	store_value_str(&ps, d->effect);
	form_add(f, &ps, D_PERSON);
	form_add(f, &ps, D_NOTE);
	store_value_time(&ps, clock_read(a->config.clock));
	form_run(f, "task_decide", &ps);
}
