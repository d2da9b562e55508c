#include "api_template_use.h"

#include <string.h>

struct use {
	struct template_used used;
	const struct lint_practice *practice;
	struct pool *pool;
	const json_t *json;
	template_used_cb cb;
	void *ctx;
	struct text_template t;
	bool found;
};

static struct view text_of(const json_t *json, const char *name)
{
	const json_t *v = json_object_get(json, name);
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

static void found_cb(void *ctx, const struct store_rows *rows)
{
	struct use *u = ctx;
	struct faults *f = &u->used.faults;
	u->found = store_rows_count(rows) > 0;
	if (!u->found)
		return;
	u->used.id = store_rows_uuid(rows, 0, 0);
	u->used.version = store_rows_int(rows, 0, 1);
	u->t.language = view_str(pool_copy(u->pool, store_rows_text(rows, 0, 3)));
	u->used.category = policy_category_parse(store_rows_text(rows, 0, 4));
	u->t.body = view_str(pool_copy(u->pool, store_rows_text(rows, 0, 5)));
	struct view variables = store_rows_text(rows, 0, 6);
	json_t *declared = json_loadb((const char *)variables.p, variables.n, 0, NULL);
	template_variables_read(declared, &u->t);
	json_decref(declared);
	if (!view_eq(store_rows_text(rows, 0, 2), VIEW("approved")))
		fault_add(f, "/template", "template_not_approved", "This template is not approved.");
	else if (!store_rows_bool(rows, 0, 7))
		fault_add(f, "/template", "campaign_ended",
		          "The practice's sender is registered for no campaign that covers this category.");
}

/* Values of the request; false when one is no string. */
static unsigned take_values(struct use *u, struct template_value values[TEMPLATE_VARIABLES_MAX])
{
	const json_t *given = json_object_get(u->json, "variables");
	const char *name;
	json_t *v;
	unsigned n = 0;
	if (given && !json_is_null(given) && !json_is_object(given))
		fault_add(&u->used.faults, "/variables", "not_an_object", "This field takes an object.");
	json_object_foreach((json_t *)given, name, v)
	{
		if (n == TEMPLATE_VARIABLES_MAX || !json_is_string(v)) {
			fault_add(&u->used.faults, "/variables", "bad_variables",
			          "Give each variable once, as a string.");
			break;
		}
		values[n++] =
		        (struct template_value){view_str(name), view_of(json_string_value(v), json_string_length(v))};
	}
	return n;
}

static void render(struct use *u)
{
	struct template_value values[TEMPLATE_VARIABLES_MAX];
	struct template_practice own = lint_template_practice(u->practice);
	struct template_report report;
	struct buf text = BUF(LIMIT_BODY_BYTES);
	unsigned n = take_values(u, values);
	if (u->used.faults.count == 0 && text_template_render(&u->t, &own, values, n, &text, &report))
		u->used.body = view_str(pool_copy(u->pool, buf_view(&text)));
	else if (u->used.faults.count == 0)
		template_fault_add(&u->used.faults, &report);
	buf_free(&text);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct use *u = ctx;
	(void)sqlstate;
	u->used.unread = result != STORE_OK;
	if (!u->used.unread && !u->found)
		fault_add(&u->used.faults, "/template", "template_unknown",
		          "There is no such template, or no approved version of it in this language.");
	else if (!u->used.unread && u->used.faults.count == 0)
		render(u);
	u->cb(u->ctx, &u->used);
}

bool template_use(struct api *a, struct pool *pool, const struct api_caller *who, const json_t *json,
                  template_used_cb cb, void *ctx)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct use *u = pool_alloc(pool, sizeof(*u));
	struct store_step step = {"template_get", &ps, found_cb};
	struct view template = text_of(json, "template");
	struct view language = text_of(json, "language");
	struct uuid id;
	bool by_id = uuid_parse(template, &id);
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		return false;
	*u = (struct use){.practice = &who->lint, .pool = pool, .json = json, .cb = cb, .ctx = ctx};
	u->used.faults.pool = u->pool;
	u->used.category = CATEGORY_appointment_reminder;
	store_value_uuid(&ps, &who->practice_id);
	if (by_id)
		store_value_uuid(&ps, &id);
	else
		store_value_null(&ps);
	if (by_id)
		store_value_null(&ps);
	else
		store_value_text(&ps, template);
	store_value_text(&ps, language.n ? language : VIEW("en"));
	store_lane_run(lane, &step, 1, done_cb, u);
	store_params_free(&ps);
	return true;
}
