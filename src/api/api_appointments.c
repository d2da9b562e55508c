/* Reading appointments: one with its reminders, and pages of them by the time of the visit. */
#include "api_booking.h"
#include "api_page.h"

#include "base_utf8.h"

#include <stdio.h>
#include <string.h>

#define AFTER_BYTES (TIME_TEXT_BYTES + BOOKING_REF_BYTES)

struct listing {
	struct http_exchange *x;
	struct buf body;
	bool found;
	int64_t version;
	unsigned limit;
	char query[1400]; /* of the next page's link, without after; each octet may take three */
};

bool api_ref_ok(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f || (v.p[i] == 0xc2 && i + 1 < v.n && v.p[i + 1] < 0xa0))
			return false;
	return v.n > 0 && v.n <= LIMIT_PATIENT_BYTES && utf8_valid(v);
}

bool api_ref_param(const struct http_exchange *x, char *to, size_t cap)
{
	return link_http_param_text(x, to, cap) && api_ref_ok(view_str(to));
}

static struct listing *listing_new(struct http_exchange *x)
{
	struct listing *l = pool_alloc(link_http_pool(x), sizeof(*l));
	*l = (struct listing){.x = x, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	return l;
}

static void run(struct api *a, struct listing *l, const char *sql, struct store_params *ps, store_rows_cb rows,
                store_done_cb done)
{
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {sql, ps, rows};
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		api_unavailable(l->x, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, done, l);
	store_params_free(ps);
}

/* --- one -----------------------------------------------------------------------------------------------------------
 */

static void show_cb(void *ctx, const struct store_rows *rows)
{
	struct listing *l = ctx;
	l->found = store_rows_count(rows) > 0;
	if (!l->found)
		return;
	l->version = store_rows_int(rows, 0, 0);
	buf_add_view(&l->body, store_rows_text(rows, 0, 1));
}

/* Its reminders' messages move on without a new version of it, so that If-None-Match is not looked at. */
static void show_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct listing *l = ctx;
	struct buf body = l->body;
	char etag[HTTP_ETAG_BYTES], header[HTTP_ETAG_BYTES + 16];
	(void)sqlstate;
	if (result != STORE_OK) {
		api_read_failed(l->x);
	} else if (!l->found) {
		api_problem(l->x, 404, "appointment_unknown", "There is no such appointment.");
	} else {
		snprintf(header, sizeof(header), "etag: %s\r\n", http_etag_format(l->version, etag));
		link_http_reply(l->x, 200, "application/json", header, buf_view(&body));
	}
	buf_free(&body);
}

void appointment_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char ref[BOOKING_REF_BYTES];
	struct store_params ps = {0};
	if (!api_ref_param(x, ref, sizeof(ref))) {
		api_problem(x, 404, "appointment_unknown", "There is no such appointment.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, ref);
	store_value_str(&ps, who->sees_phone ? "t" : "f");
	store_value_str(&ps, who->sees_text ? "t" : "f");
	run(a, listing_new(x), "appointment_get", &ps, show_cb, show_done_cb);
}

/* --- pages ---------------------------------------------------------------------------------------------------------
 */

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct listing *l = ctx;
	int last = page_rows(l->x, &l->body, rows, 0, 0, l->limit);
	if (last < 0)
		return;
	buf_add_str(&l->body, "/v1/appointments?after=");
	buf_add_url_text(&l->body, store_rows_text(rows, (unsigned)last, 1));
	buf_add_u8(&l->body, ',');
	buf_add_url_text(&l->body, store_rows_text(rows, (unsigned)last, 2));
	page_end(&l->body, l->limit, l->query);
}

static void list_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct listing *l = ctx;
	(void)sqlstate;
	page_reply(l->x, result, &l->body);
}

enum { L_PATIENT, L_PHONE, L_STATUS, L_KIND, L_FROM, L_TO, L_FILTERS };
static const char *const filters[L_FILTERS] = {"patient", "phone", "status", "kind", "from", "to"};

static bool fits(unsigned filter, struct view v)
{
	int64_t at_us;
	if (filter == L_FROM || filter == L_TO)
		return time_parse(v, &at_us);
	return filter == L_STATUS ? booking_status_known(v) : api_ref_ok(v);
}

static void add_query(struct listing *l, const char *key, const char *value)
{
	size_t used = strlen(l->query);
	used += (size_t)snprintf(l->query + used, sizeof(l->query) - used, "&%s=", key);
	for (; *value && used + 4 < sizeof(l->query); value++)
		used += (size_t)snprintf(l->query + used, sizeof(l->query) - used, "%%%02X", (unsigned char)*value);
}

/* The filters as parameters, NULL for those that are not given. False when one is given that nothing can have: it must
 * not be passed over, or all would be shown. */
static bool take_filters(struct listing *l, struct view query, struct store_params *ps)
{
	for (unsigned i = 0; i < L_FILTERS; i++) {
		char value[BOOKING_REF_BYTES];
		bool given = http_query_get(query, filters[i], value, sizeof(value));
		if (given != http_query_has(query, filters[i]) || (given && !fits(i, view_str(value))))
			return false;
		store_value_str(ps, given ? value : NULL);
		if (given)
			add_query(l, filters[i], value);
	}
	return true;
}

static bool take_after(struct view query, struct store_params *ps)
{
	char after[AFTER_BYTES];
	int64_t at_us;
	bool given = http_query_get(query, "after", after, sizeof(after));
	char *comma = given ? strchr(after, ',') : NULL;
	if (given != http_query_has(query, "after") || (given && !comma))
		return false;
	if (!given) {
		store_value_null(ps);
		store_value_null(ps);
		return true;
	}
	struct view start = view_of(after, (size_t)(comma - after));
	store_value_text(ps, start);
	store_value_str(ps, comma + 1);
	return time_parse(start, &at_us) && api_ref_ok(view_str(comma + 1));
}

static bool take_limit(struct view query, unsigned *limit_r)
{
	char text[16];
	uint64_t limit = 50;
	bool given = http_query_get(query, "limit", text, sizeof(text));
	*limit_r = 0;
	if (given != http_query_has(query, "limit") ||
	    (given && (!parse_u64(view_str(text), LIMIT_LIST, &limit) || limit == 0)))
		return false;
	*limit_r = (unsigned)limit;
	return true;
}

void appointment_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	struct store_params ps = {0};
	struct listing *l = listing_new(x);
	store_value_uuid(&ps, &who->practice_id);
	if (!take_filters(l, query, &ps) || !take_after(query, &ps) || !take_limit(query, &l->limit)) {
		store_params_free(&ps);
		api_problem(
		        x, 400, "bad_query",
		        "after takes a page's next, limit 1 to 200, from and to times, status one of the statuses.");
		return;
	}
	store_value_int(&ps, STORE_INT4, l->limit + 1);
	store_value_str(&ps, who->sees_phone ? "t" : "f");
	store_value_str(&ps, who->sees_text ? "t" : "f");
	run(a, l, "appointment_list", &ps, list_cb, list_done_cb);
}
