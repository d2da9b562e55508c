#include "api_patient.h"

#include "api_creation.h"
#include "api_etag.h"
#include "api_preview.h"
#include "api_page.h"

#include "base_utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ASK_AHEAD_US (8 * DAY_US) /* as long as a message without expires_at is of use */

struct showing {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	const char *ref;
	struct buf body;
	json_t *message; /* what a message to the patient would say of phone and place */
	int64_t version;
	bool found;
	unsigned limit;
	char more[3 * 24 + 16]; /* of the next page's link */
};

static struct showing *showing_new(struct api *a, struct http_exchange *x, const struct api_caller *who,
                                   const char *ref)
{
	struct showing *s = pool_alloc(link_http_pool(x), sizeof(*s));
	*s = (struct showing){.api = a, .x = x, .who = *who, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	s->ref = pool_copy(link_http_pool(x), view_str(ref));
	return s;
}

static void run(struct showing *s, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(s->api->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(s->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done, s);
	store_params_free(ps);
}

static void patient_unknown(struct http_exchange *x)
{
	api_problem(x, 404, "patient_unknown", "There is no such patient.");
}

/* --- one patient ---------------------------------------------------------------------------------------------------
 */

static void put(json_t *to, const char *name, const struct store_rows *rows, unsigned column)
{
	struct view v = store_rows_text(rows, 0, column);
	if (!store_rows_null(rows, 0, column))
		json_object_set_new(to, name, json_stringn((const char *)v.p, v.n));
}

static void show_cb(void *ctx, const struct store_rows *rows)
{
	struct showing *s = ctx;
	s->found = store_rows_count(rows) > 0;
	if (!s->found)
		return;
	struct view json = store_rows_text(rows, 0, 0);
	buf_add_view(&s->body, view_of(json.p, json.n - 1)); /* what is judged goes before its brace */
	s->version = store_rows_int(rows, 0, 1);
	s->message = json_object();
	put(s->message, "phone", rows, 2);
	put(s->message, "time_zone", rows, 3);
	put(s->message, "zip", rows, 4);
	put(s->message, "state", rows, 5);
}

/* Of each class that a practice may send, how a text to the patient would be judged now, whatever its words. */
static void write_class(const struct dispatch_judged *j, struct buf *to)
{
	buf_printf(to, "{\"category\":\"%s\",", policy_category_code(j->facts.category));
	preview_write_consent(j, to);
	buf_add_u8(to, ',');
	preview_write_verdict(j, to);
	buf_add_u8(to, '}');
}

static void judged_cb(void *ctx, const struct dispatch_judged *j, unsigned count)
{
	struct showing *s = ctx;
	struct buf body = s->body;
	char etag[HTTP_ETAG_BYTES], header[HTTP_ETAG_BYTES + 16];
	if (j) {
		buf_add_str(&body, ",\"classes\":[");
		for (unsigned i = 0; i < count; i++) {
			buf_add_str(&body, i ? "," : "");
			write_class(&j[i], &body);
		}
		buf_add_str(&body, "],");
		preview_write_caps(&j[0], &body);
		buf_add_u8(&body, '}');
	}
	snprintf(header, sizeof(header), "etag: %s\r\n", http_etag_format(s->version, etag));
	if (!j || body.full)
		api_read_failed(s->x);
	else /* the tag is of what PUT writes: what is judged changes without it, so that there is no 304 */
		link_http_reply(s->x, 200, "application/json", header, buf_view(&body));
	buf_free(&body);
}

/* Zones and states of a class, as those of a message would be taken. */
static void take_place(struct showing *s, struct draft *draft)
{
	struct creation c = {.api = s->api, .x = s->x, .who = s->who, .json = s->message, .phone_ok = true};
	c.category_flags = policy_category_flags(policy_category_parse(view_str(draft->category)));
	c.draft = *draft;
	c.zones = policy_phone_zones(json_string_value(json_object_get(s->message, "phone")));
	creation_take_place(&c);
	draft->zones = c.draft.zones;
	draft->states = c.draft.states;
}

static bool judge_classes(struct showing *s)
{
	struct draft drafts[CATEGORY_COUNT];
	const char *phone =
	        pool_copy(link_http_pool(s->x), view_str(json_string_value(json_object_get(s->message, "phone"))));
	unsigned n = 0;
	for (enum category k = 0; k < CATEGORY_COUNT; k++) {
		if (!(policy_category_flags(k) & CATEGORY_API))
			continue;
		drafts[n] = (struct draft){.practice_id = s->who.practice_id,
		                           .patient = view_str(s->ref),
		                           .phone = view_str(phone),
		                           .sender = view_str(s->who.sender),
		                           .category = policy_category_code(k),
		                           .expires_at_us = clock_read(s->api->config.clock) + ASK_AHEAD_US};
		take_place(s, &drafts[n++]);
	}
	return dispatch_judge(s->api->config.dispatch, drafts, n, judged_cb, s);
}

static void show_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct showing *s = ctx;
	bool asked = result == STORE_OK && s->found && judge_classes(s);
	(void)sqlstate;
	json_decref(s->message);
	if (asked)
		return;
	buf_free(&s->body);
	if (result != STORE_OK)
		api_read_failed(s->x);
	else if (!s->found)
		patient_unknown(s->x);
	else
		api_unavailable(s->x, "busy", "Too many requests wait; try again.");
}

void patient_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char ref[PATIENT_REF_BYTES];
	struct store_params ps = {0};
	if (!patient_ref_read(x, ref))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, ref);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
	run(showing_new(a, x, who, ref), "patient_get", &ps, show_cb, show_done_cb);
}

/* --- pages ---------------------------------------------------------------------------------------------------------
 */

/* Every octet that is no letter or digit percent-encoded. */
static void write_page(struct showing *s, const struct store_rows *rows)
{
	int last = page_rows(s->x, &s->body, rows, 0, 1, s->limit);
	if (last < 0)
		return;
	buf_add_str(&s->body, "/v1/patients");
	if (*s->ref) {
		buf_add_u8(&s->body, '/');
		buf_add_url_text(&s->body, view_str(s->ref));
		buf_add_str(&s->body, "/timeline");
	}
	buf_add_str(&s->body, "?after=");
	buf_add_url_text(&s->body, store_rows_text(rows, (unsigned)last, 0));
	page_end(&s->body, s->limit, s->more);
}

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct showing *s = ctx;
	s->found = true;
	write_page(s, rows);
}

/* A row without a place says only whether there is such a patient. */
static void timeline_cb(void *ctx, const struct store_rows *rows)
{
	struct showing *s = ctx;
	s->found = store_rows_bool(rows, 0, 2);
	if (!store_rows_null(rows, 0, 0)) {
		write_page(s, rows);
		return;
	}
	access_rows(s->x, 0);
	buf_add_str(&s->body, "{\"data\":[],\"next\":null}");
}

static void page_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct showing *s = ctx;
	struct buf body = s->body;
	(void)sqlstate;
	if (result != STORE_OK || body.full)
		api_read_failed(s->x);
	else if (!s->found)
		patient_unknown(s->x);
	else
		link_http_reply(s->x, 200, "application/json", "", buf_view(&body));
	buf_free(&body);
}

/* False when key is given with a value that cannot be. */
static bool take(struct view query, const char *key, char *to, size_t cap, bool *has_r)
{
	*has_r = http_query_get(query, key, to, cap);
	return *has_r ? *to && utf8_valid(view_str(to)) : !http_query_has(query, key);
}

static bool take_limit(struct view query, unsigned *limit_r)
{
	char text[16];
	bool has;
	uint64_t limit = 50;
	bool ok = take(query, "limit", text, sizeof(text), &has) &&
	          (!has || (parse_u64(view_str(text), LIMIT_LIST, &limit) && limit > 0));
	*limit_r = (unsigned)limit;
	return ok;
}

static bool phone_like(const char *text)
{
	return text[0] == '+' && text[1 + strspn(text + 1, "0123456789")] == 0;
}

void patient_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char after[PATIENT_REF_BYTES], phone[24];
	bool has_after, has_phone;
	struct store_params ps = {0};
	struct showing *s = showing_new(a, x, who, "");
	if (!take(query, "after", after, sizeof(after), &has_after) ||
	    !take(query, "phone", phone, sizeof(phone), &has_phone) || (has_phone && !phone_like(phone)) ||
	    !take_limit(query, &s->limit)) {
		api_problem(x, 400, "bad_query", "after takes a reference, phone a number, limit 1 to 200.");
		return;
	}
	if (has_phone)
		snprintf(s->more, sizeof(s->more), "&phone=%s", phone);
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, has_after ? after : NULL);
	store_value_str(&ps, has_phone ? phone : NULL);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_INT4, s->limit + 1);
	run(s, "patient_list", &ps, list_cb, page_done_cb);
}

/* "transaction-event", as a page's last place; "0" and 0 without one. */
static bool take_place_after(struct view query, char xact[24], uint64_t *id_r)
{
	char after[48];
	bool has;
	*id_r = 0;
	copy_str(xact, 24, "0");
	if (!take(query, "after", after, sizeof(after), &has) || !has)
		return !http_query_has(query, "after");
	uint64_t unused;
	char *dash = strchr(after, '-');
	if (!dash || !parse_u64(view_of(after, (size_t)(dash - after)), INT64_MAX, &unused) ||
	    !parse_u64(view_str(dash + 1), INT64_MAX, id_r))
		return false;
	snprintf(xact, 24, "%" PRIu64, unused);
	return true;
}

void patient_timeline(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char ref[PATIENT_REF_BYTES], xact[24];
	uint64_t id;
	struct store_params ps = {0};
	if (!patient_ref_read(x, ref))
		return;
	struct showing *s = showing_new(a, x, who, ref);
	if (!take_place_after(query, xact, &id) || !take_limit(query, &s->limit)) {
		api_problem(x, 400, "bad_query", "after takes the place that next has, limit 1 to 200.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, ref);
	store_value_str(&ps, xact);
	store_value_int(&ps, STORE_INT8, (int64_t)id);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
	store_value_int(&ps, STORE_INT4, s->limit + 1);
	run(s, "patient_timeline", &ps, timeline_cb, page_done_cb);
}
