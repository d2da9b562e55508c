/* POST /v1/messages/{id}/replace: another text, judged as the message's own class is. */
#include "api_creation.h"

#include <stdio.h>
#include <string.h>

struct replacement {
	struct creation c;
	bool found;
	bool fixed;    /* its words are the gateway's own, or were approved as they are */
	bool replaced; /* at once */
	bool asked;    /* its carrier, if that can */
	char status[16];
};

static void replaced_cb(void *ctx, const struct store_rows *rows)
{
	struct replacement *p = ctx;
	p->found = store_rows_count(rows) > 0;
	if (!p->found)
		return;
	p->replaced = store_rows_bool(rows, 0, 1);
	p->asked = store_rows_bool(rows, 0, 2);
	copy_view(p->status, sizeof(p->status), store_rows_text(rows, 0, 0));
}

static void unknown(const struct creation *c)
{
	api_problem(c->x, 404, "message_unknown", "There is no such message.");
}

static void replaced_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct replacement *p = ctx;
	struct creation *c = &p->c;
	char id[UUID_TEXT_BYTES];
	struct buf body = BUF(200);
	(void)sqlstate;
	buf_printf(&body, "{\"id\":\"%s\",\"status\":\"%s\"}", uuid_format(&c->draft.id, id), p->status);
	creation_end(c);
	if (result != STORE_OK)
		api_read_failed(c->x);
	else if (!p->found)
		unknown(c);
	else if (!p->replaced && !p->asked)
		api_problem(c->x, 409, "not_replaceable", "The message is with the carrier already, or has ended.");
	else
		link_http_reply(c->x, p->replaced ? 200 : 202, "application/json", "", buf_view(&body));
	buf_free(&body);
}

/* One statement about the message; ps has its practice and id by then, and takes what else there is. */
static void run(struct replacement *p, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(p->c.api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) < LIMIT_READ_QUEUE) {
		store_lane_run(lane, &step, 1, done, p);
	} else {
		creation_end(&p->c);
		api_unavailable(p->c.x, "busy", "Too many requests wait; try again.");
	}
	store_params_free(ps);
}

static struct store_params params_of(const struct replacement *p)
{
	struct store_params ps = {0};
	store_value_uuid(&ps, &p->c.who.practice_id);
	store_value_uuid(&ps, &p->c.draft.id);
	return ps;
}

static void replace(struct replacement *p)
{
	struct store_params ps = params_of(p);
	store_value_text(&ps, p->c.draft.body);
	store_value_str(&ps, p->c.draft.encoding);
	store_value_int(&ps, STORE_INT4, p->c.draft.characters);
	store_value_time(&ps, p->c.now_us);
	run(p, "message_replace", &ps, replaced_cb, replaced_done_cb);
}

static void class_cb(void *ctx, const struct store_rows *rows)
{
	struct replacement *p = ctx;
	p->found = store_rows_count(rows) > 0;
	if (!p->found)
		return;
	enum category category = policy_category_parse(store_rows_text(rows, 0, 0));
	unsigned flags = category < CATEGORY_COUNT ? policy_category_flags(category) : 0;
	p->fixed = !(flags & CATEGORY_API) || flags & CATEGORY_EMERGENCY;
	p->c.draft.category = category < CATEGORY_COUNT ? policy_category_code(category) : NULL;
}

static void class_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct replacement *p = ctx;
	(void)sqlstate;
	if (result == STORE_OK && p->found && !p->fixed) {
		creation_take_body(&p->c);
		if (p->c.errors)
			creation_answer_errors(&p->c);
		else
			replace(p);
		return;
	}
	creation_end(&p->c);
	if (result != STORE_OK)
		api_read_failed(p->c.x);
	else if (p->found)
		api_problem(
		        p->c.x, 409, "not_replaceable",
		        "The gateway's own answers and emergency texts keep their words; cancel it and send another.");
	else
		unknown(&p->c);
}

static void check_only_body(struct creation *c)
{
	const char *name;
	json_t *value;
	json_object_foreach(c->json, name, value) if (strcmp(name, "body") != 0)
	        creation_error(c, creation_pointer(c, name), "unknown_field", "Only a body can be given here.");
}

void message_replace(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct replacement *p = pool_alloc(link_http_pool(x), sizeof(*p));
	*p = (struct replacement){.c = {.api = a, .x = x, .who = *who, .now_us = clock_read(a->config.clock)}};
	p->c.who.max_segments = 1; /* what a carrier has is replaced by one PDU */
	if (!uuid_parse(link_http_param(x), &p->c.draft.id)) {
		unknown(&p->c);
		return;
	}
	json_t *json = api_json_read(x);
	if (!json)
		return; /* answered: p went with the exchange */
	p->c.json = json;
	check_only_body(&p->c);
	struct store_params ps = params_of(p);
	run(p, "message_class", &ps, class_cb, class_done_cb);
}
