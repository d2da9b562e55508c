/* /v1/settings: what a practice may change of itself. Its sender, its attestation and its webhook are not among these.
 */
#include "api_etag.h"
#include "api_staff.h"
#include "text_gsm7.h"

enum { F_DISPLAY, F_PHONE, F_URL, F_OPEN, F_CLOSE, F_LINT, F_TWO, FIELDS };
static const struct field_row rows[FIELDS] = {
        [F_DISPLAY] = {"/display_name", FIELD_TEXT, false, 80, NULL},
        [F_PHONE] = {"/phone", FIELD_TEXT, true, 40, NULL},
        [F_URL] = {"/url", FIELD_TEXT, false, 400, NULL},
        [F_OPEN] = {"/open", FIELD_TEXT, false, 5, NULL},
        [F_CLOSE] = {"/close", FIELD_TEXT, false, 5, NULL},
        [F_LINT] = {"/lint_phi", FIELD_CHOICE, true, 0, " refuse warn "},
        [F_TWO] = {"/two_person", FIELD_BOOL, true, 0, NULL},
};

static void rows_cb(void *ctx, const struct store_rows *result)
{
	struct request *r = ctx;
	r->found = store_rows_count(result) > 0;
	if (!r->found)
		return;
	r->version = store_rows_int(result, 0, 0);
	buf_add_view(&r->body, store_rows_text(result, 0, 1));
}

static void reply(struct request *r)
{
	struct http_exchange *x = r->x;
	struct buf body = r->body;
	int64_t version = r->version;
	r->body = BUF(0);
	request_end(r);
	etag_reply(x, 200, version, buf_view(&body));
	buf_free(&body);
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	struct http_exchange *x = r->x;
	(void)sqlstate;
	if (result != STORE_OK) {
		staff_failed(r);
	} else if (r->found) {
		reply(r);
	} else {
		request_end(r);
		etag_failed(x);
	}
}

static void put_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	auth_changed(r->api->auth); /* texts are judged by these */
	done_cb(r, result, sqlstate);
}

void settings_show(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	store_value_uuid(&ps, &who->practice_id);
	staff_run(staff_request(a, x, who), "settings_get", &ps, rows_cb, done_cb);
}

/* Minutes of "HH:MM" from 08:00 to 21:00; 0 when not given; a fault else. */
static unsigned minute_of(struct request *r, unsigned field)
{
	struct view v = r->value[field].text;
	uint64_t hour, minute;
	if (!r->value[field].given)
		return 0;
	if (v.n == 5 && v.p[2] == ':' && parse_u64(view_of(v.p, 2), 21, &hour) &&
	    parse_u64(view_of(v.p + 3, 2), 59, &minute) && hour >= 8 && hour * 60 + minute <= 21 * 60)
		return (unsigned)(hour * 60 + minute);
	request_fault(r, rows[field].pointer, "bad_hour", "Give HH:MM from 08:00 to 21:00.");
	return 0;
}

static void check_gsm(struct request *r, unsigned field, size_t max)
{
	struct buf b = BUF(400);
	if (r->value[field].given && (!text_gsm7_encode(r->value[field].text, &b) || b.n > max))
		request_fault(r, rows[field].pointer, "bad_text", "Give characters of the GSM alphabet, not too many.");
	buf_free(&b);
}

static void add_minute(struct store_params *ps, unsigned minute)
{
	if (minute)
		store_value_int(ps, STORE_INT4, minute);
	else
		store_value_null(ps);
}

void settings_put(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char by[STAFF_BY_BYTES];
	struct etag_condition condition;
	struct store_params ps = {0};
	if (!etag_read(x, true, &condition))
		return;
	struct request *r = request_read(a, x, who, rows, FIELDS, false);
	if (!r)
		return;
	unsigned open = minute_of(r, F_OPEN), close = minute_of(r, F_CLOSE);
	check_gsm(r, F_DISPLAY, 40);
	check_gsm(r, F_PHONE, 20);
	if ((open && close && open >= close) || open == 21 * 60 || close == 8 * 60)
		request_fault(r, "/close", "bad_hour", "The sending hours must have a beginning before their end.");
	if (!request_fine(r))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_time(&ps, r->now_us);
	store_value_str(&ps, staff_by(who, by));
	etag_add(&condition, &ps);
	request_add_null(r, &ps, F_DISPLAY);
	request_add_text(r, &ps, F_PHONE);
	request_add_null(r, &ps, F_URL);
	add_minute(&ps, open);
	add_minute(&ps, close);
	request_add_text(r, &ps, F_LINT);
	request_add_null(r, &ps, F_TWO);
	staff_run(r, "settings_put", &ps, rows_cb, put_done_cb);
}
