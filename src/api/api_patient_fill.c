#include "api_patient.h"

#include "base_utf8.h"

struct fill {
	json_t *message;
	patient_fill_cb cb;
	void *ctx;
};

static struct view text_of(const json_t *message, const char *name)
{
	const json_t *v = json_object_get(message, name);
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

static bool lacks(const json_t *message, const char *name)
{
	const json_t *v = json_object_get(message, name);
	return !v || json_is_null(v);
}

bool patient_fill_wanted(const json_t *message)
{
	struct view patient = text_of(message, "patient");
	return lacks(message, "phone") && patient.n > 0 && patient.n <= LIMIT_PATIENT_BYTES;
}

static void put(json_t *message, const char *name, const struct store_rows *rows, unsigned column)
{
	struct view v = store_rows_text(rows, 0, column);
	if (lacks(message, name) && !store_rows_null(rows, 0, column))
		json_object_set_new(message, name, json_stringn((const char *)v.p, v.n));
}

/* Where the message says itself where the patient is, nothing of the row's place is mixed in. */
static void filled_cb(void *ctx, const struct store_rows *rows)
{
	static const char *const places[] = {"time_zone", "zip", "state"};
	json_t *message = ((struct fill *)ctx)->message;
	bool placed = false;
	if (store_rows_count(rows) == 0)
		return;
	put(message, "phone", rows, 0);
	for (unsigned i = 0; i < 3; i++)
		placed = placed || !lacks(message, places[i]);
	for (unsigned i = 0; !placed && i < 3; i++)
		put(message, places[i], rows, 1 + i);
	if (text_of(message, "template").p)
		put(message, "language", rows, 4);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct fill *f = ctx;
	(void)sqlstate;
	f->cb(f->ctx, result == STORE_OK);
}

bool patient_fill(struct api *a, struct pool *pool, const struct api_caller *who, json_t *message, patient_fill_cb cb,
                  void *ctx)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {"patient_fill", &ps, filled_cb};
	struct fill *f = pool_alloc(pool, sizeof(*f));
	struct view template = text_of(message, "template");
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		return false;
	*f = (struct fill){message, cb, ctx};
	store_value_uuid(&ps, &who->practice_id);
	store_value_text(&ps, text_of(message, "patient"));
	if (template.p)
		store_value_text(&ps, template);
	else
		store_value_null(&ps);
	store_lane_run(lane, &step, 1, done_cb, f);
	store_params_free(&ps);
	return true;
}
