/* POST /v1/messages/{id}/approve: the second person of an emergency text. */
#include "api_request.h"

#include "base_log.h"
#include "base_metric.h"

#include <jansson.h>
#include <stdio.h>

#define PERSON_BYTES 200

struct approval {
	struct http_exchange *x;
	struct uuid practice_id;
	struct uuid id;
	bool found, approved, before, same;
	char status[16];
};

static void rows_cb(void *ctx, const struct store_rows *rows)
{
	struct approval *p = ctx;
	p->found = store_rows_count(rows) > 0;
	if (!p->found)
		return;
	copy_view(p->status, sizeof(p->status), store_rows_text(rows, 0, 0));
	p->approved = store_rows_bool(rows, 0, 1);
	p->before = store_rows_bool(rows, 0, 2);
	p->same = store_rows_bool(rows, 0, 3);
}

static void tell(const struct approval *p)
{
	char practice[UUID_TEXT_BYTES];
	metric_add(METRIC_emergencies_total, 1, LABELS("approved"));
	log_event(LOG_WARNING, "emergency_approved", LOG_TEXT(practice, uuid_format(&p->practice_id, practice)),
	          LOG_TEXT(trace, link_http_trace(p->x)),
	          LOG_TEXT(warning, "a second person approved an emergency text"));
}

static void answer(const struct approval *p)
{
	char id[UUID_TEXT_BYTES];
	struct buf body = BUF(200);
	buf_printf(&body, "{\"id\":\"%s\",\"status\":\"%s\"}", uuid_format(&p->id, id), p->status);
	link_http_reply(p->x, 200, "application/json", "", buf_view(&body));
	buf_free(&body);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	const struct approval *p = ctx;
	(void)sqlstate;
	if (result == STORE_OK && p->approved)
		tell(p);
	if (result != STORE_OK)
		api_read_failed(p->x);
	else if (!p->found)
		api_problem(p->x, 404, "message_unknown", "There is no such emergency text.");
	else if (p->approved)
		answer(p);
	else if (p->same)
		api_problem(p->x, 409, "same_person", "Another person than the one who ordered it must approve.");
	else if (p->before)
		api_problem(p->x, 409, "approved_already", "A second person has approved it already.");
	else
		api_problem(p->x, 409, "not_waiting", "The message does not wait any more.");
}

static const struct field_row approve_rows[] = {{"/person", FIELD_TEXT, true, PERSON_BYTES, NULL}};

/* The name, in the request's pool; NULL with the problem answered. */
static const char *person_of(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct request *r = request_read(a, x, who, approve_rows, 1, false);
	if (!r || !request_fine(r))
		return NULL;
	const char *person = pool_copy(link_http_pool(x), r->value[0].text);
	request_end(r);
	return person;
}

void message_approve(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct approval *p = pool_alloc(link_http_pool(x), sizeof(*p));
	struct store_step step = {"emergency_approve", &ps, rows_cb};
	*p = (struct approval){.x = x, .practice_id = who->practice_id};
	if (!who->emergency) {
		api_problem(x, 403, "scope_missing", "This API key may not approve emergency texts.");
		return;
	}
	if (!uuid_parse(link_http_param(x), &p->id)) {
		api_problem(x, 404, "message_unknown", "There is no such emergency text.");
		return;
	}
	const char *person = person_of(a, x, who);
	if (!person)
		return;
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		api_unavailable(x, "busy", "Too many requests wait; try again.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &p->id);
	store_value_str(&ps, person);
	store_value_time(&ps, clock_read(a->config.clock));
	store_value_str(&ps, who->key);
	store_lane_run(lane, &step, 1, done_cb, p);
	store_params_free(&ps);
}
