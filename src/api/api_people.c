/* /v1/people: who of a practice has which role. */
#include "api_staff.h"

enum { F_NAME, F_ROLE, FIELDS };
#define ROLES " sender nurse billing compliance admin "
static const struct field_row rows[FIELDS] = {
        [F_NAME] = {"/name", FIELD_TEXT, true, API_PERSON_BYTES - 1, NULL},
        [F_ROLE] = {"/role", FIELD_CHOICE, true, 0, ROLES},
};
static const struct field_row role_rows[] = {{"/role", FIELD_CHOICE, true, 0, ROLES}};

static bool person_id_ok(struct view text)
{
	struct uuid id;
	return uuid_parse(text, &id);
}

void person_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	staff_list(a, x, who, "person_list", "/v1/people", person_id_ok);
}

static void changed_cb(void *ctx, const struct store_rows *result)
{
	struct request *r = ctx;
	r->found = store_rows_bool(result, 0, 0);
}

static void made_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		staff_failed(r);
	else if (r->found)
		staff_reply(r, 201);
	else
		request_problem(r, 409, "person_taken", "The practice has a person of that name.");
}

static void changed_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	(void)sqlstate;
	auth_changed(r->api->auth);
	if (result != STORE_OK)
		staff_failed(r);
	else if (r->found)
		staff_reply(r, 200);
	else
		request_problem(r, 404, "person_unknown", "There is no such person any more.");
}

void person_make(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char by[STAFF_BY_BYTES], id[UUID_TEXT_BYTES];
	struct store_params ps = {0};
	struct request *r = request_read(a, x, who, rows, FIELDS, false);
	if (!r || !request_fine(r))
		return;
	struct view name = r->value[F_NAME].text, role = r->value[F_ROLE].text;
	buf_printf(&r->body, "{\"id\":\"%s\",\"name\":\"", uuid_format(&r->id, id));
	buf_add_json_text(&r->body, name);
	buf_printf(&r->body, "\",\"role\":\"%.*s\"}", (int)role.n, (const char *)role.p);
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &r->id);
	request_add_text(r, &ps, F_NAME);
	request_add_text(r, &ps, F_ROLE);
	store_value_time(&ps, r->now_us);
	store_value_str(&ps, staff_by(who, by));
	staff_run(r, "person_make", &ps, changed_cb, made_done_cb);
}

/* The id of the path; false with 404 answered. */
static bool take_id(struct http_exchange *x, struct uuid *id_r)
{
	if (uuid_parse(link_http_param(x), id_r))
		return true;
	api_problem(x, 404, "person_unknown", "There is no such person.");
	return false;
}

void person_role(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char by[STAFF_BY_BYTES], text[UUID_TEXT_BYTES];
	struct uuid id;
	struct store_params ps = {0};
	if (!take_id(x, &id))
		return;
	struct request *r = request_read(a, x, who, role_rows, 1, false);
	if (!r || !request_fine(r))
		return;
	struct view role = r->value[0].text;
	buf_printf(&r->body, "{\"id\":\"%s\",\"role\":\"%.*s\"}", uuid_format(&id, text), (int)role.n,
	           (const char *)role.p);
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	store_value_text(&ps, role);
	store_value_time(&ps, r->now_us);
	store_value_str(&ps, staff_by(who, by));
	staff_run(r, "person_role", &ps, changed_cb, changed_done_cb);
}

void person_disable(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char by[STAFF_BY_BYTES], text[UUID_TEXT_BYTES];
	struct uuid id;
	struct store_params ps = {0};
	if (!take_id(x, &id))
		return;
	struct request *r = staff_request(a, x, who);
	buf_printf(&r->body, "{\"id\":\"%s\",\"disabled\":true}", uuid_format(&id, text));
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	store_value_time(&ps, r->now_us);
	store_value_str(&ps, staff_by(who, by));
	staff_run(r, "person_disable", &ps, changed_cb, changed_done_cb);
}
