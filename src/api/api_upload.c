/* An upload: octets -> lines -> items -> verdicts -> commits -> one answer. At most LIMIT_BATCH_OPEN items are between
 * being read and being committed; while so many are, nothing more is read, and TCP holds the sender back. What is
 * stored stays stored when the upload ends early: whoever brings it again under the same Idempotency-Key goes on with
 * the same batch, and items that are there are known by their place and their hash. */
#include "api_upload.h"

#include "api_creation.h"
#include "base_metric.h"
#include "http_line.h"

#include <stdlib.h>
#include <string.h>

struct upload {
	struct upload *next;
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	struct upload_broadcast broadcast;
	struct view key;
	bool in_flight; /* the key is ours in this process */
	struct uuid id;
	struct uuid upload;
	bool opened;
	bool here;     /* the batch of that key is of this broadcast */
	bool received; /* all of it was here before */
	json_t *json;  /* the request, when it is no NDJSON */
	struct http_lines lines;
	struct buf rest; /* octets from rest_at on wait until fewer items do */
	size_t rest_at;
	unsigned items; /* taken so far */
	unsigned open;  /* of these, not committed yet */
	bool ended;     /* no more octets come */
	bool last_taken;
	bool gone;
	bool pumping;
	bool finishing;
	bool closed;
	int64_t counts[3]; /* items, accepted, refused */
	int status;        /* of the problem that ends it; 0: none */
	const char *code;
	const char *detail;
};

/* One item on its way. */
struct item {
	struct upload *u;
	struct pool pool;
	struct creation c;
	struct batch_row row;
};

struct uploads {
	struct upload *first;
	unsigned count;
};

static void pump(struct upload *u);

struct uploads *uploads_new(void)
{
	return mem_alloc(sizeof(struct uploads));
}

void uploads_free(struct uploads *all)
{
	free(all);
}

/* --- how it ends ---------------------------------------------------------------------------------------------------
 */

/* The first problem is told. */
static void fail(struct upload *u, int status, const char *code, const char *detail)
{
	if (u->status)
		return;
	u->status = status;
	u->code = code;
	u->detail = detail;
}

static void upload_remove(struct upload *u)
{
	struct uploads *all = u->api->uploads;
	for (struct upload **at = &all->first; *at; at = &(*at)->next)
		if (*at == u) {
			*at = u->next;
			all->count--;
			break;
		}
	metric_set(METRIC_batch_uploads, all->count, NO_LABELS);
	if (u->in_flight)
		in_flight_leave(u->api->in_flight, &u->who.practice_id, u->key);
	json_decref(u->json);
	http_lines_free(&u->lines);
	buf_free(&u->rest);
}

static void answer_problem(struct upload *u)
{
	struct http_exchange *x = u->x;
	int status = u->status;
	const char *code = u->code;
	const char *detail = u->detail;
	access_rows(x, u->items); /* what came before it broke */
	upload_remove(u);
	bool again = status == 503 || status == 409;
	link_http_problem(x, status, code, detail, NULL, 0, again ? "retry-after: 1\r\n" : "");
}

static void answer(struct upload *u)
{
	char id[UUID_TEXT_BYTES];
	struct buf b = BUF(400);
	struct http_exchange *x = u->x;
	bool received = u->received;
	buf_printf(&b,
	           "{\"id\":\"%s\",\"items\":%lld,\"accepted\":%lld,\"refused\":%lld,\"results\":\"/v1/batches/%s/"
	           "results\"}",
	           uuid_format(&u->id, id), (long long)u->counts[0], (long long)u->counts[1], (long long)u->counts[2],
	           id);
	access_rows(x, u->items);
	upload_remove(u); /* before the answer: the next request may have the same key */
	link_http_reply(x, 202, "application/json", received ? "idempotency-replayed: true\r\n" : "", buf_view(&b));
	buf_free(&b);
}

static void closed_cb(void *ctx, const struct store_rows *rows)
{
	struct upload *u = ctx;
	u->closed = store_rows_count(rows) > 0;
	for (unsigned i = 0; u->closed && i < 3; i++)
		u->counts[i] = store_rows_int(rows, 0, i);
}

static void ended_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct upload *u = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		fail(u, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else if (!u->closed)
		fail(u, 422, "idempotency_key_reused", "This Idempotency-Key was used for a batch of other items.");
	if (u->status)
		answer_problem(u);
	else
		answer(u);
}

/* Closes the batch when all of it came, and leaves it in any case. */
static void finish(struct upload *u)
{
	struct store_params close = {0}, leave = {0};
	struct store_step steps[] = {{"batch_close", &close, closed_cb}, {"batch_leave", &leave, NULL}};
	if (u->gone)
		fail(u, 503, "client_gone", "");
	u->finishing = true;
	store_value_time(&close, clock_read(u->api->config.clock));
	struct store_params *both[] = {&close, &leave};
	for (unsigned i = 0; i < 2; i++) {
		store_value_uuid(both[i], &u->who.practice_id);
		store_value_uuid(both[i], &u->id);
		store_value_uuid(both[i], &u->upload);
	}
	store_value_int(&close, STORE_INT4, u->items);
	unsigned skipped = u->status ? 1 : 0;
	store_lane_run(dispatch_batch_lane(u->api->config.dispatch), steps + skipped, 2 - skipped, ended_cb, u);
	store_params_free(&close);
	store_params_free(&leave);
}

/* --- items ---------------------------------------------------------------------------------------------------------
 */

static void item_end(struct item *i)
{
	struct upload *u = i->u;
	json_decref(i->c.json);
	pool_free(&i->pool);
	free(i);
	u->open--;
	pump(u);
}

static void stored_cb(void *ctx, struct batch_row *row, enum batch_result result)
{
	struct item *i = ctx;
	struct upload *u = i->u;
	if (result == BATCH_STORED && row->draft && row->draft->emergency_person.p)
		creation_tell_emergency(&i->c, link_http_trace(i->u->x));
	if (result == BATCH_FAILED)
		fail(u, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else if (result == BATCH_CHANGED)
		fail(u, 422, "idempotency_key_reused", "This Idempotency-Key was used for a batch of other items.");
	else if (result == BATCH_CLOSED)
		fail(u, 409, "batch_closed", "The batch is cancelled, or its broadcast is over.");
	else if (result == BATCH_LOST)
		fail(u, 409, "idempotency_key_running",
		     "Another request with this Idempotency-Key took the batch over.");
	item_end(i);
}

static void store(struct item *i)
{
	struct upload *u = i->u;
	struct batch_row *r = &i->row;
	r->practice_id = u->who.practice_id;
	r->batch = u->id;
	r->upload = u->upload;
	r->cb = stored_cb;
	r->ctx = i;
	dispatch_batch_store(u->api->config.dispatch, r);
}

static void refuse(struct item *i, const char *code)
{
	i->row.code = code;
	store(i);
}

static void store_draft(struct item *i)
{
	const struct upload *u = i->u;
	struct draft *m = creation_draft(&i->c);
	m->batch = u->id;
	m->batch_item = i->row.item;
	m->trace = link_http_given_trace(u->x);
	m->answer = VIEW("");
	m->broadcast = u->broadcast.id;
	if (!uuid_is_zero(&m->broadcast)) {
		m->due_at_us = STORE_TIME_NEVER; /* until it is released */
		m->status = "scheduled";
	}
	i->row.draft = m;
	store(i);
}

static void judged_cb(void *ctx, enum creation_verdict verdict)
{
	struct item *i = ctx;
	switch (verdict) {
	case CREATION_FINE:
		store_draft(i);
		return;
	case CREATION_FAULTY:
		i->row.errors = upload_errors(&i->pool, i->c.error, i->c.errors);
		refuse(i, "validation_failed");
		return;
	case CREATION_SCOPE:
		refuse(i, "scope_missing");
		return;
	case CREATION_UNREAD:
		fail(i->u, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
		item_end(i);
		return;
	case CREATION_BUSY:
		fail(i->u, 503, "busy", "Too many requests wait; try again.");
		item_end(i);
		return;
	}
}

static struct item *item_new(struct upload *u, struct view text)
{
	struct item *i = mem_alloc(sizeof(*i));
	i->u = u;
	i->row.item = u->items++;
	net_sha256(text, i->row.sha256);
	u->open++;
	return i;
}

/* json is taken over. */
static void item_judge(struct item *i, json_t *json)
{
	struct upload *u = i->u;
	const char *name;
	i->c = (struct creation){.api = u->api,
	                         .pool = &i->pool,
	                         .who = u->who,
	                         .json = json,
	                         .now_us = clock_read(u->api->config.clock)};
	i->row.reference = upload_reference(json);
	if (uuid_is_zero(&u->broadcast.id) || upload_complete_item(&u->broadcast, json, &name)) {
		creation_judge(&i->c, judged_cb, i);
		return;
	}
	creation_error(&i->c, creation_pointer(&i->c, name), "unknown_field", "A recipient has no such field.");
	judged_cb(i, CREATION_FAULTY);
}

static void line_take(struct upload *u, struct view line)
{
	struct item *i = item_new(u, line);
	json_error_t error;
	json_t *json = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(json)) {
		item_judge(i, json);
		return;
	}
	bool twice = !json && json_error_code(&error) == json_error_duplicate_key;
	refuse(i, json ? "json_not_object" : twice ? "json_duplicate_key" : "json_malformed");
	json_decref(json);
}

static void json_take(struct upload *u, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	struct item *i = item_new(u, view_str(text));
	free(text);
	if (json_is_object(json))
		item_judge(i, json_incref(json));
	else
		refuse(i, "json_not_object");
}

/* --- taking --------------------------------------------------------------------------------------------------------
 */

/* False when there is nothing to take (yet). */
static bool take_json(struct upload *u)
{
	json_t *list = json_object_get(u->json, "items");
	json_t *json = json_array_get(list, u->items);
	if (json)
		json_take(u, json);
	u->last_taken = u->items == json_array_size(list);
	return json != NULL;
}

static bool take_last_line(struct upload *u)
{
	struct view line;
	if (!u->ended || u->last_taken)
		return false;
	u->last_taken = true;
	if (http_line_last(&u->lines, &line) != HTTP_LINE)
		return false;
	line_take(u, line);
	return true;
}

static bool take_line(struct upload *u)
{
	struct view line;
	struct view octets = view_of(u->rest.p + u->rest_at, u->rest.n - u->rest_at);
	enum http_line what = http_line_next(&u->lines, &octets, &line);
	u->rest_at = u->rest.n - octets.n;
	switch (what) {
	case HTTP_LINE:
		line_take(u, line);
		return true;
	case HTTP_LINE_LONG:
		refuse(item_new(u, VIEW("")), "line_too_long");
		return true;
	case HTTP_LINE_ENDLESS:
		fail(u, 413, "line_endless", "A line is so long that the rest of the body was not looked at.");
		return false;
	case HTTP_LINE_MORE:
		break;
	}
	return take_last_line(u);
}

static bool over(const struct upload *u)
{
	return u->status || u->gone || u->last_taken;
}

static void pump(struct upload *u)
{
	if (u->pumping || u->finishing || !u->opened)
		return;
	u->pumping = true;
	while (!over(u) && u->open < LIMIT_BATCH_OPEN && (u->json ? take_json(u) : take_line(u)))
		;
	u->pumping = false;
	if (u->rest_at == u->rest.n) {
		buf_clear(&u->rest);
		u->rest_at = 0;
	}
	if (over(u) && u->open == 0)
		finish(u);
	if (!u->json && !u->ended && !u->gone)
		link_http_pause(u->x, over(u) || u->rest.n || u->open >= LIMIT_BATCH_OPEN / 2);
}

static void piece_cb(void *ctx, struct view octets)
{
	struct upload *u = ctx;
	check(u->rest.n == 0);
	buf_add_view(&u->rest, octets);
	pump(u);
}

static void end_cb(void *ctx)
{
	struct upload *u = ctx;
	u->ended = true;
	pump(u);
}

static void gone_cb(void *ctx)
{
	struct upload *u = ctx;
	u->gone = true;
	pump(u);
}

static const struct http_body_ops body_ops = {.piece = piece_cb, .end = end_cb, .gone = gone_cb};

/* --- beginning -----------------------------------------------------------------------------------------------------
 */

static void opened_cb(void *ctx, const struct store_rows *rows)
{
	struct upload *u = ctx;
	u->opened = store_rows_count(rows) > 0;
	if (!u->opened)
		return;
	u->id = store_rows_uuid(rows, 0, 0);
	u->received = store_rows_bool(rows, 0, 1);
	u->here = store_rows_bool(rows, 0, 2);
}

static void opened_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct upload *u = ctx;
	(void)sqlstate;
	if (result != STORE_OK)
		fail(u, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
	else if (!u->opened)
		fail(u, 409, "idempotency_key_running",
		     "The first request with this Idempotency-Key is still running.");
	else if (!u->here)
		fail(u, 422, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
	if (u->status && !u->opened)
		answer_problem(u);
	else if (u->status || u->json)
		pump(u);
	else
		link_http_take(u->x, &body_ops, u);
}

static void open_batch(struct upload *u)
{
	struct api *a = u->api;
	int64_t now_us = clock_read(a->config.clock);
	struct store_params ps = {0};
	struct store_step step = {"batch_open", &ps, opened_cb};
	u->id = uuid_make(&a->ids, now_us);
	u->upload = uuid_make(&a->ids, now_us);
	store_value_time(&ps, now_us);
	store_value_uuid(&ps, &u->who.practice_id);
	store_value_uuid(&ps, &u->id);
	if (u->key.p)
		store_value_text(&ps, u->key);
	else
		store_value_null(&ps);
	if (uuid_is_zero(&u->broadcast.id))
		store_value_null(&ps);
	else
		store_value_uuid(&ps, &u->broadcast.id);
	store_value_str(&ps, u->who.key);
	store_value_uuid(&ps, &u->upload);
	store_lane_run(dispatch_batch_lane(a->config.dispatch), &step, 1, opened_done_cb, u);
	store_params_free(&ps);
}

static void check_items(struct faults *f, const json_t *json)
{
	const json_t *items = json_object_get(json, "items");
	size_t n = json_array_size(items);
	if (!json_is_array(items))
		fault_add(f, "/items", "required", "Give a list of items.");
	else if (n == 0 || n > LIMIT_BATCH_ITEMS)
		fault_add(f, "/items", "too_many_items", "Give 1 to 1000 items, or send them as application/x-ndjson.");
	if (json_object_size(json) > (items ? 1 : 0))
		fault_add(f, "", "unknown_field", "Only items can be given.");
}

/* False, answered, when the JSON is none, or not {"items": [...]} with 1 to LIMIT_BATCH_ITEMS of them. */
static bool read_json(struct http_exchange *x, json_t **json_r)
{
	struct faults f = {.pool = link_http_pool(x)};
	*json_r = api_json_read(x);
	if (!*json_r)
		return false;
	check_items(&f, *json_r);
	if (f.count == 0)
		return true;
	json_decref(*json_r);
	link_http_problem(x, 422, "validation_failed", "The request cannot be taken; see errors.", f.error, f.count,
	                  "");
	return false;
}

/* False, answered, when it cannot begin. */
static bool admit(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view coding = http_request_header(link_http_request(x), "content-encoding");
	unsigned own = 0;
	for (const struct upload *u = a->uploads->first; u; u = u->next)
		own += memcmp(&u->who.practice_id, &who->practice_id, sizeof(who->practice_id)) == 0;
	if (coding.p && !view_eq_nocase(coding, VIEW("identity")))
		api_problem(x, 415, "content_coded", "Send the body as it is, without a Content-Encoding.");
	else if (a->uploads->count >= LIMIT_BATCH_UPLOADS || own >= LIMIT_BATCH_PRACTICE_UPLOADS)
		api_unavailable(x, "busy", "Too many uploads are running; try again.");
	else
		return true;
	return false;
}

static bool take_key(struct api *a, struct http_exchange *x, const struct api_caller *who, struct view *key_r)
{
	if (!api_key_read(x, key_r))
		return false;
	if (!key_r->p || in_flight_enter(a->in_flight, &who->practice_id, *key_r))
		return true;
	link_http_problem(x, 409, "idempotency_key_running",
	                  "The first request with this Idempotency-Key is still running.", NULL, 0,
	                  "retry-after: 1\r\n");
	return false;
}

void upload_begin(struct api *a, struct http_exchange *x, const struct api_caller *who,
                  const struct upload_broadcast *broadcast)
{
	json_t *json = NULL;
	struct view key;
	if (!admit(a, x, who) || (!link_http_streams(x) && !read_json(x, &json)))
		return;
	if (!take_key(a, x, who, &key)) {
		json_decref(json);
		return;
	}
	struct upload *u = pool_alloc(link_http_pool(x), sizeof(*u));
	*u = (struct upload){.api = a, .x = x, .who = *who, .key = key, .in_flight = key.p != NULL, .json = json};
	u->lines = HTTP_LINES(LIMIT_BATCH_LINE_BYTES, LIMIT_BATCH_LINE_SKIP_BYTES);
	u->rest = BUF(LIMIT_HTTP_PIECE_BYTES);
	if (broadcast)
		u->broadcast = *broadcast;
	u->next = a->uploads->first;
	a->uploads->first = u;
	metric_set(METRIC_batch_uploads, ++a->uploads->count, NO_LABELS);
	open_batch(u);
}
