#include "api_patient.h"

#include "api_etag.h"
#include "api_request.h"

#include "base_utf8.h"
#include "policy_state.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool patient_ref_read(struct http_exchange *x, char to[PATIENT_REF_BYTES])
{
	bool ok = link_http_param_text(x, to, PATIENT_REF_BYTES) && *to && utf8_valid(view_str(to));
	for (const char *p = to; ok && *p; p++)
		ok = (uint8_t)*p >= 0x20 && *p != 0x7f && !((uint8_t)*p == 0xc2 && (uint8_t)p[1] < 0xa0);
	if (!ok)
		api_problem(x, 400, "bad_ref", "A patient's reference has 1 to 64 octets of printable UTF-8.");
	return ok;
}

/* --- PUT -----------------------------------------------------------------------------------------------------------
 */

enum { P_PHONE, P_TIME_ZONE, P_ZIP, P_STATE, P_LANGUAGE, P_ALTERNATIVE, P_HOUSEHOLD, P_ACTOR };
static const struct field_row put_rows[] = {
        [P_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [P_TIME_ZONE] = {"/time_zone", FIELD_TEXT, false, LIMIT_ZONE_NAME_BYTES, NULL},
        [P_ZIP] = {"/zip", FIELD_TEXT, false, 16, NULL},
        [P_STATE] = {"/state", FIELD_TEXT, false, 16, NULL},
        [P_LANGUAGE] = {"/language", FIELD_TEXT, false, 16, NULL},
        [P_ALTERNATIVE] = {"/preferences/alternative", FIELD_CHOICE, false, 0, " none no_sms other_phone "},
        [P_HOUSEHOLD] = {"/preferences/household", FIELD_BOOL, false, 0, NULL},
        [P_ACTOR] = {"/actor", FIELD_TEXT, false, LIMIT_NAME_BYTES, NULL},
};

static bool language_ok(struct view v)
{
	return v.n == 2 && v.p[0] >= 'a' && v.p[0] <= 'z' && v.p[1] >= 'a' && v.p[1] <= 'z';
}

static void check_place(struct request *r)
{
	const struct field_value *v = r->value;
	char zone[LIMIT_ZONE_NAME_BYTES];
	if (v[P_TIME_ZONE].given &&
	    !(copy_view(zone, sizeof(zone), v[P_TIME_ZONE].text) && policy_zone_name_ok(v[P_TIME_ZONE].text) &&
	      dispatch_zone(r->api->config.dispatch, zone)))
		request_fault(r, "/time_zone", "time_zone_unknown", "Give an IANA time zone name, as America/Chicago.");
	if (v[P_ZIP].given && !policy_states_of_zip(v[P_ZIP].text))
		request_fault(r, "/zip", "zip_unknown",
		              "Give a ZIP code of the United States, as 10001 or 10001-1234.");
	if (v[P_STATE].given && !policy_states_of_code(v[P_STATE].text))
		request_fault(r, "/state", "state_unknown", "Give the two letters of a state or territory, as NY.");
	if (v[P_LANGUAGE].given && !language_ok(v[P_LANGUAGE].text))
		request_fault(r, "/language", "bad_language", "Give a language as its two letters, as en or es.");
}

/* A caller that names nobody is told by its person, or its key. */
static void add_actor(const struct request *r, struct store_params *ps, unsigned field)
{
	char key[API_KEY_ID_BYTES + 8];
	snprintf(key, sizeof(key), "key %s", r->who.key);
	struct view own = view_str(*r->who.person ? r->who.person : key);
	store_value_text(ps, r->value[field].given ? r->value[field].text : own);
}

static void put_cb(void *ctx, const struct store_rows *rows)
{
	struct request *r = ctx;
	struct view problem = store_rows_text(rows, 0, 0);
	if (problem.n) {
		r->refused = pool_copy(r->pool, problem);
		return;
	}
	buf_add_view(&r->body, store_rows_text(rows, 0, 1));
	r->version = store_rows_int(rows, 0, 2);
	r->status = store_rows_bool(rows, 0, 3) ? 201 : 200;
}

void patient_put(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char ref[PATIENT_REF_BYTES];
	struct store_params ps = {0};
	struct etag_condition only;
	if (!patient_ref_read(x, ref) || !etag_read(x, false, &only))
		return;
	struct request *r = request_read(a, x, who, put_rows, COUNT(put_rows), false);
	if (!r)
		return;
	check_place(r);
	if (!request_fine(r))
		return;
	const struct field_value *v = r->value;
	bool none = !v[P_ALTERNATIVE].given || view_eq(v[P_ALTERNATIVE].text, VIEW("none"));
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, ref);
	request_add_text(r, &ps, P_PHONE);
	for (unsigned i = P_TIME_ZONE; i <= P_STATE; i++)
		request_add_null(r, &ps, i);
	store_value_text(&ps, v[P_LANGUAGE].given ? v[P_LANGUAGE].text : VIEW("en"));
	store_value_text(&ps, none ? VIEW("") : v[P_ALTERNATIVE].text);
	store_value_int(&ps, STORE_BOOL, v[P_HOUSEHOLD].yes);
	add_actor(r, &ps, P_ACTOR);
	etag_add(&only, &ps);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_time(&ps, r->now_us);
	request_change(r, "patient_put", &ps, v[P_PHONE].text, view_str(pool_copy(r->pool, view_str(ref))), put_cb);
}

/* --- another phone -------------------------------------------------------------------------------------------------
 */

enum { N_PHONE, N_ACTOR, N_REASON, N_CONSENTS, N_METHOD, N_ACTION, N_CAPTURED };
static const struct field_row phone_rows[] = {
        [N_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [N_ACTOR] = {"/actor", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [N_REASON] = {"/reason", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [N_CONSENTS] = {"/consents", FIELD_CHOICE, false, 0, " stay follow "},
        [N_METHOD] = {"/evidence/method", FIELD_CHOICE, true, 0, " form web voice text in_person "},
        [N_ACTION] = {"/evidence/action", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [N_CAPTURED] = {"/evidence/captured_at", FIELD_TIME, false, 0, NULL},
};

struct moving {
	struct request *r;
	char phone[24]; /* the one before */
};

static void moved_cb(void *ctx, const struct store_rows *rows)
{
	struct moving *m = ctx;
	m->r->found = store_rows_count(rows) > 0;
	if (!m->r->found)
		return;
	struct view problem = store_rows_text(rows, 0, 0);
	if (problem.n) {
		m->r->refused = pool_copy(m->r->pool, problem);
		return;
	}
	buf_add_view(&m->r->body, store_rows_text(rows, 0, 1));
	copy_view(m->phone, sizeof(m->phone), store_rows_text(rows, 0, 2));
	m->r->version = store_rows_int(rows, 0, 3);
}

static void moved_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct moving *m = ctx;
	struct request *r = m->r;
	struct dispatch *d = r->api->config.dispatch;
	(void)sqlstate;
	if (result != STORE_OK || !r->found) {
		request_problem(r, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
		return;
	}
	if (!r->refused) {
		dispatch_phone_changed(d, &r->who.practice_id, view_str(m->phone));
		dispatch_phone_changed(d, &r->who.practice_id, r->value[N_PHONE].text);
	}
	request_answer(r);
}

static void check_evidence(struct request *r)
{
	const struct field_value *v = r->value;
	bool follow = view_eq(v[N_CONSENTS].text, VIEW("follow"));
	if (follow && !json_is_object(json_object_get(r->json, "evidence")))
		request_fault(r, "/evidence", "required",
		              "Consents follow only with how and when the patient said so.");
	if (!follow && json_is_object(json_object_get(r->json, "evidence")))
		request_fault(r, "/evidence", "evidence_not_here", "Consents that stay need no evidence.");
	request_check_past(r, N_CAPTURED, 0);
}

static void move(struct request *r, const char *ref, const struct etag_condition *only)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(r->api->config.dispatch);
	struct store_step step = {"patient_phone", &ps, moved_cb};
	struct moving *m = pool_alloc(r->pool, sizeof(*m));
	*m = (struct moving){.r = r};
	store_value_uuid(&ps, &r->who.practice_id);
	store_value_str(&ps, ref);
	request_add_text(r, &ps, N_PHONE);
	request_add_text(r, &ps, N_ACTOR);
	request_add_text(r, &ps, N_REASON);
	store_value_int(&ps, STORE_BOOL, view_eq(r->value[N_CONSENTS].text, VIEW("follow")));
	request_add_text(r, &ps, N_METHOD);
	request_add_text(r, &ps, N_ACTION);
	store_value_time(&ps, r->value[N_CAPTURED].given ? r->value[N_CAPTURED].at_us : r->now_us);
	etag_add(only, &ps);
	store_value_int(&ps, STORE_BOOL, r->who.sees_phone);
	store_value_time(&ps, r->now_us);
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
	else
		store_lane_run(lane, &step, 1, moved_done_cb, m);
	store_params_free(&ps);
}

void patient_phone(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char ref[PATIENT_REF_BYTES];
	struct etag_condition only;
	if (!patient_ref_read(x, ref) || !etag_read(x, false, &only))
		return;
	struct request *r = request_read(a, x, who, phone_rows, COUNT(phone_rows), false);
	if (!r)
		return;
	check_evidence(r);
	if (request_fine(r))
		move(r, ref, &only);
}
