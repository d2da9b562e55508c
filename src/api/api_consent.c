/* Consents: POST /v1/consents records one with its evidence, GET shows all that were given for a phone and what each is
 * worth now, POST /v1/consents/{id}/end ends one. The evidence is CTIA Messaging Principles 5.1.2 (May 2023): when, by
 * which medium, in what language and by what action, for which campaign, from which IP address, for which number, by
 * whom; and for advertising 47 CFR 64.1200(f)(9) and 45 CFR 164.508(a)(3). */
#include "api_page.h"
#include "api_request.h"

#include "policy_phone.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	C_PHONE,
	C_PATIENT,
	C_CLASSES,
	C_BASIS,
	C_CAPTURED_AT,
	C_METHOD,
	C_WORDING,
	C_WORDING_VERSION,
	C_LANGUAGE,
	C_ACTION,
	C_ACTOR,
	C_REPRESENTATIVE,
	C_ADULT_ON,
	C_CAMPAIGN,
	C_IP,
	C_AUTHORIZATION
};
const struct field_row consent_rows[] = {
        [C_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [C_PATIENT] = {"/patient", FIELD_PATIENT, false, 0, NULL},
        [C_CLASSES] = {"/classes", FIELD_CLASSES, true, 0, NULL},
        [C_BASIS] = {"/basis", FIELD_CHOICE, true, 0, " implied express written "},
        [C_CAPTURED_AT] = {"/captured_at", FIELD_TIME, true, 0, NULL},
        [C_METHOD] = {"/method", FIELD_CHOICE, true, 0, " form web voice text in_person "},
        [C_WORDING] = {"/wording", FIELD_TEXT, false, LIMIT_EVIDENCE_BYTES, NULL},
        [C_WORDING_VERSION] = {"/wording_version", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [C_LANGUAGE] = {"/language", FIELD_TEXT, true, LIMIT_CHOICE_BYTES, NULL},
        [C_ACTION] = {"/action", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [C_ACTOR] = {"/actor", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [C_REPRESENTATIVE] = {"/representative", FIELD_TEXT, false, LIMIT_NAME_BYTES, NULL},
        [C_ADULT_ON] = {"/adult_on", FIELD_DATE, false, 0, NULL},
        [C_CAMPAIGN] = {"/campaign", FIELD_TEXT, false, LIMIT_NAME_BYTES, NULL},
        [C_IP] = {"/ip", FIELD_TEXT, false, LIMIT_CHOICE_BYTES, NULL},
        [C_AUTHORIZATION] = {"/authorization_id", FIELD_TEXT, false, LIMIT_NAME_BYTES, NULL},
};

const unsigned consent_row_count = COUNT(consent_rows);

/* --- evidence ------------------------------------------------------------------------------------------------------
 */

/* What one kind of consent needs beyond what every one does. */
static const struct evidence_row {
	unsigned field;
	unsigned given_by;  /* or this instead */
	enum basis basis;   /* from this strength on */
	const char *method; /* this only; NULL: any */
	const char *class_; /* when it covers this one; NULL: any */
	unsigned with;      /* when this field is given; C_PHONE: always */
	const char *sentence;
} evidence[] = {
        {C_WORDING, C_WORDING, BASIS_EXPRESS, NULL, NULL, C_PHONE,
         "An express or written consent needs the words that the patient was shown or told."},
        {C_PATIENT, C_REPRESENTATIVE, BASIS_EXPRESS, NULL, NULL, C_PHONE,
         "An express or written consent needs to say who gave it: the patient or a representative."},
        {C_CAMPAIGN, C_CAMPAIGN, BASIS_WRITTEN, NULL, NULL, C_PHONE,
         "A written consent needs the campaign that it was given for."},
        {C_IP, C_IP, BASIS_IMPLIED, "web", NULL, C_PHONE,
         "A consent that was given on the web needs the address that it came from."},
        {C_AUTHORIZATION, C_AUTHORIZATION, BASIS_IMPLIED, NULL, "promotional", C_PHONE,
         "A consent to advertising needs the patient's HIPAA authorization, 45 CFR 164.508(a)(3)."},
        {C_REPRESENTATIVE, C_REPRESENTATIVE, BASIS_IMPLIED, NULL, NULL, C_ADULT_ON,
         "A minor's consent needs to say who gave it, 45 CFR 164.502(g)."},
};

static bool covers(const struct request *r, const char *class_)
{
	char text[4096];
	copy_view(text, sizeof(text), r->value[C_CLASSES].text);
	const char *at = strstr(text, class_);
	return at && strchr("{,", at[-1]) && strchr(",}", at[strlen(class_)]);
}

static void check_evidence(struct request *r)
{
	enum basis basis = policy_basis_parse(r->value[C_BASIS].text);
	for (size_t i = 0; i < COUNT(evidence); i++) {
		const struct evidence_row *e = &evidence[i];
		bool asked = basis >= e->basis && r->value[e->with].given &&
		             (!e->method || view_eq(r->value[C_METHOD].text, view_str(e->method))) &&
		             (!e->class_ || covers(r, e->class_));
		if (asked && !r->value[e->field].given && !r->value[e->given_by].given)
			request_fault(r, r->row[e->field].pointer, "evidence_missing", e->sentence);
	}
}

/* A consent that is too weak for a class that it names would be no consent to it. */
static void check_strength(struct request *r)
{
	enum basis basis = policy_basis_parse(r->value[C_BASIS].text);
	for (enum category c = 0; c < CATEGORY_COUNT && r->value[C_CLASSES].given; c++)
		if (basis != BASIS_NONE && policy_category_basis(c) > basis && covers(r, policy_category_code(c))) {
			request_fault(r, "/basis", "basis_weak", "One of the classes needs a stronger consent.");
			return;
		}
}

void consent_check(struct request *r)
{
	request_check_past(r, C_CAPTURED_AT, 0);
	check_evidence(r);
	check_strength(r);
}

/* --- give ----------------------------------------------------------------------------------------------------------
 */

static const char *id_answer(struct request *r)
{
	char id[UUID_TEXT_BYTES];
	buf_clear(&r->body);
	buf_printf(&r->body, "{\"id\":\"%s\"}", uuid_format(&r->id, id));
	return pool_copy(link_http_pool(r->x), buf_view(&r->body));
}

void consent_give(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct request *r = request_read(a, x, who, consent_rows, consent_row_count, true);
	if (!r)
		return;
	consent_check(r);
	if (!request_fine(r))
		return;
	r->status = 201;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &r->id);
	for (unsigned i = C_PHONE; i <= C_REPRESENTATIVE; i++)
		if (i == C_CAPTURED_AT)
			request_add_null(r, &ps, i);
		else
			request_add_text(r, &ps, i);
	request_add_null(r, &ps, C_ADULT_ON);
	request_add_text(r, &ps, C_CAMPAIGN);
	request_add_text(r, &ps, C_IP);
	request_add_text(r, &ps, C_AUTHORIZATION);
	store_value_time(&ps, r->now_us);
	request_add_key(r, &ps, id_answer(r));
	request_change(r, "consent_give", &ps, r->value[C_PHONE].text, (struct view){0}, NULL);
}

/* --- end -----------------------------------------------------------------------------------------------------------
 */

enum { E_ACTOR, E_REASON };
static const struct field_row end_rows[] = {
        [E_ACTOR] = {"/actor", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [E_REASON] = {"/reason", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
};

static void ended_cb(void *ctx, const struct store_rows *rows)
{
	struct request *r = ctx;
	char id[UUID_TEXT_BYTES];
	buf_printf(&r->body, "{\"id\":\"%s\",\"ended_at\":\"%.*s\",\"ended_reason\":\"", uuid_format(&r->id, id),
	           (int)store_rows_text(rows, 0, 1).n, (const char *)store_rows_text(rows, 0, 1).p);
	buf_add_json_text(&r->body, store_rows_text(rows, 0, 2));
	buf_add_str(&r->body, "\"}");
}

static void phone_cb(void *ctx, const struct store_rows *rows)
{
	struct request *r = ctx;
	r->found = store_rows_count(rows) > 0;
	if (r->found)
		buf_add_view(&r->body, store_rows_text(rows, 0, 0));
}

static void phone_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct request *r = ctx;
	struct store_params ps = {0};
	(void)sqlstate;
	if (result != STORE_OK || !r->found) {
		request_problem(r, result == STORE_OK ? 404 : 503,
		                result == STORE_OK ? "consent_unknown" : "database_unavailable",
		                result == STORE_OK ? "There is no such consent."
		                                   : "The gateway cannot reach its database; try again.");
		return;
	}
	struct view phone = view_str(pool_copy(link_http_pool(r->x), buf_view(&r->body)));
	buf_clear(&r->body);
	store_value_uuid(&ps, &r->who.practice_id);
	store_value_uuid(&ps, &r->id);
	request_add_text(r, &ps, E_REASON);
	request_add_text(r, &ps, E_ACTOR);
	store_value_time(&ps, r->now_us);
	request_change(r, "consent_end", &ps, phone, (struct view){0}, ended_cb);
}

void consent_end(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	struct store_step step = {"consent_phone", &ps, phone_cb};
	if (!uuid_parse(link_http_param(x), &id)) {
		api_problem(x, 404, "consent_unknown", "There is no such consent.");
		return;
	}
	struct request *r = request_read(a, x, who, end_rows, COUNT(end_rows), false);
	if (!r || !request_fine(r))
		return;
	r->id = id;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	if (store_lane_busy(dispatch_read_lane(a->config.dispatch)) >= LIMIT_READ_QUEUE)
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(dispatch_read_lane(a->config.dispatch), &step, 1, phone_done_cb, r);
	store_params_free(&ps);
}

/* --- list ----------------------------------------------------------------------------------------------------------
 */

struct listing {
	struct http_exchange *x;
	struct buf body;
	unsigned limit;
	char phone[PHONE_BYTES];
};

static void list_cb(void *ctx, const struct store_rows *rows)
{
	struct listing *l = ctx;
	int last = page_rows(l->x, &l->body, rows, 0, 1, l->limit);
	if (last < 0)
		return;
	buf_printf(&l->body, "/v1/consents?phone=%%2B%s&after=", l->phone + 1);
	buf_add_view(&l->body, store_rows_text(rows, (unsigned)last, 0));
	page_end(&l->body, l->limit, "");
}

static void list_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct listing *l = ctx;
	(void)sqlstate;
	page_reply(l->x, result, &l->body);
}

/* The query's values; false when one is given that cannot be, which must not be passed over. */
static bool take_query(struct view query, struct listing *l, struct uuid *after_r, bool *has_after_r)
{
	char after[40], limit[16];
	uint64_t n = 50;
	*has_after_r = http_query_get(query, "after", after, sizeof(after));
	bool has_limit = http_query_get(query, "limit", limit, sizeof(limit));
	bool ok = http_query_get(query, "phone", l->phone, sizeof(l->phone)) &&
	          policy_phone_check(view_str(l->phone)) != PHONE_MALFORMED && strlen(l->phone) == PHONE_BYTES - 1 &&
	          *has_after_r == http_query_has(query, "after") && has_limit == http_query_has(query, "limit") &&
	          (!*has_after_r || uuid_parse(view_str(after), after_r)) &&
	          (!has_limit || (parse_u64(view_str(limit), LIMIT_LIST, &n) && n > 0));
	l->limit = (unsigned)n;
	return ok;
}

void consent_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid after;
	bool has_after;
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {"consent_list", &ps, list_cb};
	struct listing *l = pool_alloc(link_http_pool(x), sizeof(*l));
	*l = (struct listing){.x = x, .body = BUF(LIMIT_STREAM_OUT_BYTES / 2)};
	if (!take_query(link_http_request(x)->query, l, &after, &has_after)) {
		api_problem(x, 400, "bad_query", "phone takes an E.164 number, after a consent's id, limit 1 to 200.");
		return;
	}
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		api_unavailable(x, "busy", "Too many requests wait; try again.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, l->phone);
	if (has_after)
		store_value_uuid(&ps, &after);
	else
		store_value_null(&ps);
	store_value_int(&ps, STORE_INT4, l->limit + 1);
	store_value_time(&ps, clock_read(a->config.clock));
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_lane_run(lane, &step, 1, list_done_cb, l);
	store_params_free(&ps);
}
