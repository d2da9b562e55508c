/* POST /v1/messages: JSON -> draft -> commit -> 202. */
#include "api_creation.h"
#include "api_patient.h"

#include "base_log.h"
#include "base_metric.h"

#include <stdio.h>
#include <string.h>

/* --- answers -------------------------------------------------------------------------------------------------------
 */

void creation_end(struct creation *c)
{
	if (c->in_flight)
		in_flight_leave(c->api->in_flight, &c->who.practice_id, c->draft.key);
	json_decref(c->json);
}

void creation_write_text(const struct creation *c, struct buf *to)
{
	buf_add_u8(to, '[');
	for (unsigned i = 0; i < c->changes.count; i++) {
		buf_printf(to, "%s{\"from\":\"U+%04X\",\"to\":\"", i ? "," : "", (unsigned)c->changes.change[i].from);
		buf_add_json_text(to, view_str(c->changes.change[i].to));
		buf_printf(to, "\",\"count\":%u}", c->changes.change[i].count);
	}
	buf_add_str(to, "],\"findings\":");
	lint_write(&c->findings, to);
}

static void write_answer(struct creation *c)
{
	char id[UUID_TEXT_BYTES];
	struct buf b = BUF(16384);
	buf_printf(&b,
	           "{\"id\":\"%s\",\"status\":\"%s\",\"encoding\":\"%s\",\"characters\":%u,\"segments\":%u,\"zones\":[",
	           uuid_format(&c->draft.id, id), c->draft.status, c->draft.encoding, c->draft.characters,
	           c->draft.segments);
	for (size_t at = 0, n; at < c->draft.zones.n; at += n + 1) {
		const char *name = (const char *)c->draft.zones.p + at;
		n = strcspn(name, " ");
		buf_printf(&b, "%s\"%.*s\"", at ? "," : "", (int)n, name);
	}
	buf_add_str(&b, "],\"replaced\":");
	creation_write_text(c, &b);
	buf_add_u8(&b, '}');
	c->draft.answer = view_str(pool_copy(creation_pool(c), buf_view(&b)));
	buf_free(&b);
}

void creation_answer_errors(struct creation *c)
{
	creation_end(c);
	link_http_problem(c->x, 422, "validation_failed", "The message cannot be accepted; see errors.", c->error,
	                  c->errors, "");
}

static void stored_cb(void *ctx, const struct store_rows *rows)
{
	struct creation *c = ctx;
	if (store_rows_count(rows) == 0)
		return;
	c->stored_found = true;
	copy_view(c->stored_hash, sizeof(c->stored_hash), store_rows_text(rows, 0, 0));
	c->stored_answer = pool_copy(creation_pool(c), store_rows_text(rows, 0, 1));
}

static void stored_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct creation *c = ctx;
	char hash[2 * SHA256_BYTES + 1];
	(void)sqlstate;
	hex_encode(c->draft.request_hash, SHA256_BYTES, hash);
	if (result == STORE_OK && !c->stored_found && c->failed_validation) {
		creation_answer_errors(c);
		return;
	}
	creation_end(c);
	if (result != STORE_OK || !c->stored_found)
		api_read_failed(c->x);
	else if (strcmp(hash, c->stored_hash) != 0)
		api_problem(c->x, 422, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
	else
		link_http_reply(c->x, 202, "application/json", "idempotency-replayed: true\r\n",
		                view_str(c->stored_answer));
}

static void read_stored(struct creation *c)
{
	struct store_params ps = {0};
	struct store_step step = {"idempotency_get", &ps, stored_cb};
	store_value_uuid(&ps, &c->who.practice_id);
	store_value_text(&ps, c->draft.key);
	store_lane_run(dispatch_read_lane(c->api->config.dispatch), &step, 1, stored_done_cb, c);
	store_params_free(&ps);
}

static void accepted_cb(void *ctx, struct draft *draft, enum accept_result result)
{
	struct creation *c = ctx;
	if (result == ACCEPT_REPEATED) {
		read_stored(c);
		return;
	}
	creation_end(c);
	if (result == ACCEPT_STORED && draft->emergency_person.p)
		creation_tell_emergency(c, link_http_trace(c->x));
	if (result == ACCEPT_STORED)
		link_http_reply(c->x, 202, "application/json", "", draft->answer);
	else
		api_read_failed(c->x);
}

/* --- request -------------------------------------------------------------------------------------------------------
 */

/* The same words to another conversation are another request. */
static void hash_request(struct creation *c)
{
	struct view of = link_http_param(c->x);
	struct view body = link_http_request(c->x)->body;
	struct buf all = BUF(of.n + body.n);
	buf_add_view(&all, of);
	buf_add_view(&all, body);
	net_sha256(buf_view(&all), c->draft.request_hash);
	buf_free(&all);
}

/* False with the problem answered. */
static bool take_key(struct creation *c)
{
	if (!api_key_read(c->x, &c->draft.key))
		return false;
	if (!c->draft.key.p)
		return true;
	hash_request(c);
	c->in_flight = in_flight_enter(c->api->in_flight, &c->who.practice_id, c->draft.key);
	if (c->in_flight)
		return true;
	link_http_problem(c->x, 409, "idempotency_key_running",
	                  "The first request with this Idempotency-Key is still running.", NULL, 0,
	                  "retry-after: 1\r\n");
	return false;
}

static void submit(struct creation *c)
{
	struct draft *m = creation_draft(c);
	m->trace = link_http_given_trace(c->x);
	m->cb = accepted_cb;
	m->ctx = c;
	write_answer(c);
	if (dispatch_accept(c->api->config.dispatch, m))
		return;
	creation_end(c);
	api_unavailable(c->x, "busy", "The gateway cannot take more just now; try again.");
}

static void refuse_scope(struct creation *c)
{
	creation_end(c);
	api_problem(c->x, 403, "scope_missing", "This API key may not order emergency texts.");
}

static void judged_cb(void *ctx, enum creation_verdict verdict)
{
	struct creation *c = ctx;
	switch (verdict) {
	case CREATION_FINE:
		submit(c);
		return;
	case CREATION_SCOPE:
		refuse_scope(c);
		return;
	case CREATION_FAULTY:
		if ((c->failed_validation = c->draft.key.p != NULL))
			read_stored(c);
		else
			creation_answer_errors(c);
		return;
	case CREATION_UNREAD:
		creation_end(c);
		api_read_failed(c->x);
		return;
	case CREATION_BUSY:
		creation_end(c);
		api_unavailable(c->x, "busy", "Too many requests wait; try again.");
		return;
	}
}

static void previewed_cb(void *ctx, enum creation_verdict verdict)
{
	struct creation *c = ctx;
	if (verdict == CREATION_FINE || verdict == CREATION_FAULTY)
		preview_answer(c);
	else
		judged_cb(c, verdict);
}

void message_create_from(struct api *a, struct http_exchange *x, const struct api_caller *who, json_t *json)
{
	struct creation *c = pool_alloc(link_http_pool(x), sizeof(*c));
	*c = (struct creation){.api = a, .x = x, .who = *who, .json = json, .now_us = clock_read(a->config.clock)};
	if (take_key(c))
		creation_judge(c, judged_cb, c);
	else
		json_decref(json);
}

void message_preview(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	json_t *json = api_json_read(x);
	if (!json)
		return;
	struct creation *c = pool_alloc(link_http_pool(x), sizeof(*c));
	*c = (struct creation){.api = a, .x = x, .who = *who, .json = json, .now_us = clock_read(a->config.clock)};
	creation_judge(c, previewed_cb, c);
}

void message_create(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	json_t *json = api_json_read(x);
	if (json)
		message_create_from(a, x, who, json);
}
