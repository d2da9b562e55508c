#include "app_form.h"
#include "app_problem.h"

#include "base_utf8.h"
#include "policy_phone.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 500 /* octets of a field */

void form_problem(struct http_exchange *x, const char *code)
{
	problem_answer(x, code);
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static bool text_ok(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < 0x20 && v.p[i] != '\n') || v.p[i] == 0x7f)
			return false;
	return v.n > 0 && v.n <= TEXT_MAX;
}

static bool word_ok(struct view v, const char *words)
{
	char word[48];
	if (v.n == 0 || v.n > 40 || memchr(v.p, ' ', v.n))
		return false;
	snprintf(word, sizeof(word), " %.*s ", (int)v.n, (const char *)v.p);
	return strstr(words, word) != NULL;
}

static bool value_ok(const struct form *f, const struct form_row *row, struct view v)
{
	struct uuid id;
	enum phone_check phone;
	switch (row->type) {
	case FORM_PHONE:
		phone = policy_phone_check(v);
		return phone == PHONE_OK || (phone == PHONE_FICTIONAL && f->api->config.fictional_ok);
	case FORM_ID:
		return uuid_parse(v, &id);
	case FORM_WORD:
		return word_ok(v, row->words);
	case FORM_TEXT:
		break;
	}
	return text_ok(v);
}

struct reader {
	struct form *f;
	json_t *json;
	struct http_problem_error error[FORM_FIELDS_MAX + 1];
	unsigned errors;
};

static void add_error(struct reader *r, const char *name, const char *code, const char *detail)
{
	struct buf pointer = BUF(64);
	if (r->errors > FORM_FIELDS_MAX)
		return;
	buf_printf(&pointer, "%s%s", *name ? "/" : "", name);
	const char *copy = pool_copy(link_http_pool(r->f->x), buf_view(&pointer));
	buf_free(&pointer);
	r->error[r->errors++] = (struct http_problem_error){copy, code, detail};
}

static void read_field(struct reader *r, const struct form_row *row, unsigned i)
{
	static const char *const takes[] = {[FORM_TEXT] = "Give 1 to 500 octets of text.",
	                                    [FORM_PHONE] = "Give a US number in E.164, as +12125550101.",
	                                    [FORM_ID] = "Give an id.",
	                                    [FORM_WORD] = "Give one of the words in /openapi.json."};
	json_t *v = json_object_get(r->json, row->name);
	if (!v || json_is_null(v)) {
		if (row->required)
			add_error(r, row->name, "required", "This field is required.");
		return;
	}
	struct view text = view_of(json_string_value(v), json_string_length(v));
	if (!json_is_string(v))
		add_error(r, row->name, "not_a_string", "This field takes a string.");
	else if (!value_ok(r->f, row, text))
		add_error(r, row->name, "bad_value", takes[row->type]);
	else
		r->f->value[i] = view_str(pool_copy(link_http_pool(r->f->x), text));
}

static void refuse_unknown(struct reader *r, const struct form_row *rows, unsigned count)
{
	const char *name;
	json_t *value;
	json_object_foreach(r->json, name, value)
	{
		bool known = false;
		for (unsigned i = 0; i < count; i++)
			known = known || strcmp(rows[i].name, name) == 0;
		if (!known)
			add_error(r, "", "unknown_field", "There is a field that this request does not have.");
	}
}

struct form *form_read(struct api *a, struct http_exchange *x, const struct api_caller *who,
                       const struct form_row *rows, unsigned count, bool with_id)
{
	struct form *f = pool_alloc(link_http_pool(x), sizeof(*f));
	*f = (struct form){.api = a, .x = x, .who = *who, .status = 200, .body = BUF(1 << 16)};
	if (with_id && !uuid_parse(link_http_param(x), &f->id)) {
		api_problem(x, 404, "not_found", "There is no such thing.");
		return NULL;
	}
	struct reader r = {.f = f, .json = api_json_read(x)};
	if (!r.json)
		return NULL;
	for (unsigned i = 0; i < count; i++)
		read_field(&r, &rows[i], i);
	refuse_unknown(&r, rows, count);
	json_decref(r.json);
	if (r.errors == 0)
		return f;
	link_http_problem(x, 422, "validation_failed", "The request cannot be taken; see errors.", r.error, r.errors,
	                  "");
	return NULL;
}

void form_add(const struct form *f, struct store_params *ps, unsigned field)
{
	store_value_text(ps, f->value[field].p ? f->value[field] : VIEW(""));
}

void form_add_or_null(const struct form *f, struct store_params *ps, unsigned field)
{
	if (f->value[field].p)
		store_value_text(ps, f->value[field]);
	else
		store_value_null(ps);
}

/* --- doing ---------------------------------------------------------------------------------------------------------
 */

static void done_cb(void *ctx, const struct store_rows *rows)
{
	struct form *f = ctx;
	if (store_rows_count(rows) == 0)
		return;
	copy_view(f->problem, sizeof(f->problem), store_rows_text(rows, 0, 0));
	buf_add_view(&f->body, store_rows_text(rows, 0, 1));
	copy_view(f->phone, sizeof(f->phone), store_rows_text(rows, 0, 2));
}

static void committed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct form *f = ctx;
	struct buf body = f->body;
	(void)sqlstate;
	if (result != STORE_OK || body.full) {
		api_read_failed(f->x);
	} else if (f->problem[0]) {
		form_problem(f->x, f->problem);
	} else {
		dispatch_phone_changed(f->api->config.dispatch, &f->who.practice_id, view_str(f->phone));
		link_http_reply(f->x, f->status, "application/json", "",
		                buf_view(&body)); /* f goes with the exchange */
	}
	buf_free(&body);
}

void form_run(struct form *f, const char *sql, struct store_params *ps)
{
	struct store_lane *lane = dispatch_read_lane(f->api->config.dispatch);
	struct store_step step = {sql, ps, done_cb};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(f->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, committed_cb, f);
	store_params_free(ps);
}

/* --- pages ---------------------------------------------------------------------------------------------------------
 */

struct page {
	struct http_exchange *x;
	struct buf body;
	unsigned limit;
	const char *path;
	char query[200];
};

static void page_cb(void *ctx, const struct store_rows *rows)
{
	struct page *p = ctx;
	unsigned n = store_rows_count(rows);
	buf_add_str(&p->body, "{\"data\":[");
	for (unsigned i = 0; i < n && i < p->limit; i++) {
		buf_add_str(&p->body, i ? "," : "");
		buf_add_view(&p->body, store_rows_text(rows, i, 1));
	}
	access_rows(p->x, n < p->limit ? n : p->limit);
	if (n <= p->limit) {
		buf_add_str(&p->body, "],\"next\":null}");
		return;
	}
	struct view last = store_rows_text(rows, p->limit - 1, 0);
	buf_printf(&p->body, "],\"next\":\"%s?after=%.*s&limit=%u%s\"}", p->path, (int)last.n, (const char *)last.p,
	           p->limit, p->query);
}

static void page_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct page *p = ctx;
	struct buf body = p->body;
	(void)sqlstate;
	if (result != STORE_OK || body.full)
		api_read_failed(p->x);
	else
		link_http_reply(p->x, 200, "application/json", "", buf_view(&body));
	buf_free(&body);
}

void form_page(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
               const char *path, const char *query)
{
	struct page *p = pool_alloc(link_http_pool(x), sizeof(*p));
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {sql, ps, page_cb};
	*p = (struct page){.x = x, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2), .limit = limit, .path = path};
	copy_str(p->query, sizeof(p->query), query);
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, page_done_cb, p);
	store_params_free(ps);
}

bool form_page_query(struct view query, struct uuid *after_r, bool *has_after_r, unsigned *limit_r)
{
	char after[40], limit[16];
	uint64_t n = 50;
	*has_after_r = http_query_get(query, "after", after, sizeof(after));
	bool has_limit = http_query_get(query, "limit", limit, sizeof(limit));
	bool ok = *has_after_r == http_query_has(query, "after") && has_limit == http_query_has(query, "limit") &&
	          (!*has_after_r || uuid_parse(view_str(after), after_r)) &&
	          (!has_limit || (parse_u64(view_str(limit), LIMIT_LIST, &n) && n > 0));
	*limit_r = (unsigned)n;
	return ok;
}
