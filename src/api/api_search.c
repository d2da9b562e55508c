/* GET /v1/messages: pages of a practice's messages, by any of the filters together. What is wrong with a filter is
 * told, and one that there is not is refused: it must not be passed over, or all would be shown. */
#include "api_internal.h"
#include "api_page.h"

#include "base_utf8.h"
#include "policy_rules.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define VALUE_BYTES (LIMIT_REFERENCE_BYTES + 1)

enum filter_type { FILTER_STATUS, FILTER_CATEGORY, FILTER_TEXT, FILTER_PHONE, FILTER_TIME, FILTER_ID };

/* Each is a member of message_search's filter. */
static const struct filter_row {
	const char *name;
	enum filter_type type;
	size_t max; /* octets */
} filters[] = {
        {"status", FILTER_STATUS, 24},
        {"category", FILTER_CATEGORY, LIMIT_CHOICE_BYTES},
        {"patient", FILTER_TEXT, LIMIT_PATIENT_BYTES},
        {"phone", FILTER_PHONE, 20},
        {"reference", FILTER_TEXT, LIMIT_REFERENCE_BYTES},
        {"template", FILTER_ID, UUID_TEXT_BYTES},
        {"batch", FILTER_ID, UUID_TEXT_BYTES},
        {"appointment", FILTER_TEXT, LIMIT_PATIENT_BYTES},
        {"from", FILTER_TIME, TIME_TEXT_BYTES},
        {"to", FILTER_TIME, TIME_TEXT_BYTES},
};
#define FILTERS (sizeof(filters) / sizeof(*filters))

struct search {
	struct http_exchange *x;
	json_t *filter;
	struct buf query; /* of the next page's link, behind after and limit */
	struct buf body;
	unsigned limit;
};

static bool known_status(const char *name)
{
	static const char *const names[] = {
#define STATUS(name, rank, final, sentence) #name,
#include "status.def"
#undef STATUS
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool value_ok(enum filter_type type, const char *value)
{
	int64_t at_us;
	struct uuid id;
	switch (type) {
	case FILTER_STATUS:
		return known_status(value);
	case FILTER_CATEGORY:
		return policy_category_parse(view_str(value)) != CATEGORY_COUNT;
	case FILTER_PHONE:
		return value[0] == '+' && value[1] && value[1 + strspn(value + 1, "0123456789")] == 0;
	case FILTER_TIME:
		return time_parse(view_str(value), &at_us);
	case FILTER_ID:
		return uuid_parse(view_str(value), &id);
	case FILTER_TEXT:
		break;
	}
	return *value && utf8_valid(view_str(value));
}

/* False when key is given with a value that cannot be read. */
static bool take_value(struct view query, const char *key, char *to, size_t cap, bool *has_r)
{
	*has_r = http_query_get(query, key, to, cap);
	return *has_r || !http_query_has(query, key);
}

static void add_query(struct search *s, const char *key, const char *value)
{
	buf_printf(&s->query, "&%s=", key);
	for (; *value; value++)
		buf_printf(&s->query, "%%%02X", (unsigned char)*value);
}

static bool take_filter(struct search *s, struct view query, const struct filter_row *row)
{
	char value[VALUE_BYTES];
	bool has;
	if (!take_value(query, row->name, value, row->max + 1, &has) || (has && !value_ok(row->type, value)))
		return false;
	if (!has)
		return true;
	json_object_set_new(s->filter, row->name, json_string(value));
	add_query(s, row->name, value);
	return true;
}

static bool take_limit(struct view query, unsigned *limit_r)
{
	char text[16];
	bool has;
	uint64_t limit = 50;
	bool ok = take_value(query, "limit", text, sizeof(text), &has) &&
	          (!has || (parse_u64(view_str(text), LIMIT_LIST, &limit) && limit > 0));
	*limit_r = (unsigned)limit;
	return ok;
}

static bool take_after(struct view query, struct uuid *after_r, bool *has_r)
{
	char text[40];
	return take_value(query, "after", text, sizeof(text), has_r) &&
	       (!*has_r || uuid_parse(view_str(text), after_r));
}

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct search *s = ctx;
	int last = page_rows(s->x, &s->body, rows, 0, 1, s->limit);
	if (last < 0)
		return;
	buf_add_str(&s->body, "/v1/messages?after=");
	buf_add_view(&s->body, store_rows_text(rows, (unsigned)last, 0));
	page_end(&s->body, s->limit, buf_cstr(&s->query));
}

static void search_end(struct search *s)
{
	json_decref(s->filter);
	buf_free(&s->query);
	buf_free(&s->body);
}

static void list_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct search *s = ctx;
	struct http_exchange *x = s->x; /* s goes with it */
	struct buf body = s->body;
	bool ok = result == STORE_OK && !body.full && !s->query.full;
	(void)sqlstate;
	s->body = BUF(0);
	search_end(s);
	if (ok)
		link_http_reply(x, 200, "application/json", "", buf_view(&body));
	else
		api_read_failed(x);
	buf_free(&body);
}

static void search_run(struct api *a, struct search *s, const struct api_caller *who, const struct uuid *after)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {"message_list", &ps, list_cb};
	char *filter = json_dumps(s->filter, JSON_COMPACT);
	store_value_uuid(&ps, &who->practice_id);
	if (after)
		store_value_uuid(&ps, after);
	else
		store_value_null(&ps);
	store_value_str(&ps, filter);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_INT4, s->limit + 1);
	free(filter);
	if (store_lane_busy(lane) < LIMIT_READ_QUEUE) {
		store_lane_run(lane, &step, 1, list_done_cb, s);
	} else {
		struct http_exchange *x = s->x;
		search_end(s);
		api_unavailable(x, "busy", "Too many requests wait; try again.");
	}
	store_params_free(&ps);
}

void message_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	struct search *s = pool_alloc(link_http_pool(x), sizeof(*s));
	struct uuid after;
	bool has_after;
	*s = (struct search){
	        .x = x, .filter = json_object(), .query = BUF(8192), .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	bool ok = take_after(query, &after, &has_after) && take_limit(query, &s->limit);
	for (size_t i = 0; ok && i < FILTERS; i++)
		ok = take_filter(s, query, &filters[i]);
	if (ok) {
		search_run(a, s, who, has_after ? &after : NULL);
		return;
	}
	search_end(s);
	api_problem(
	        x, 400, "bad_query",
	        "There is no such filter, or it does not take this value: after, template and batch take an id, from "
	        "and to an RFC 3339 time, limit 1 to 200, phone a number in E.164.");
}
