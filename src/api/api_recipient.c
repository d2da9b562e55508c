/* What a practice knows of a phone: POST /v1/recipients (risk warning, preference, household, another number), POST
 * /v1/contacts (its own calls, which count in the caps) and POST /v1/verifications (a text without anything of the
 * patient that asks whether the phone is the right one; the YES is read where patients' texts are). */
#include "api_request.h"

#include "text_starter.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- recipients ----------------------------------------------------------------------------------------------------
 */

enum { R_PHONE, R_ACTOR, R_VERSION, R_AT, R_METHOD, R_ALTERNATIVE, R_HOUSEHOLD, R_NUMBER };
const struct field_row recipient_rows[] = {
        [R_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [R_ACTOR] = {"/actor", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [R_VERSION] = {"/risk_warning/version", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
        [R_AT] = {"/risk_warning/at", FIELD_TIME, true, 0, NULL},
        [R_METHOD] = {"/risk_warning/method", FIELD_CHOICE, true, 0, " form web voice text in_person "},
        [R_ALTERNATIVE] = {"/alternative", FIELD_CHOICE, false, 0, " none no_sms other_phone "},
        [R_HOUSEHOLD] = {"/household", FIELD_BOOL, false, 0, NULL},
        [R_NUMBER] = {"/number_changed_to", FIELD_PHONE, false, 0, NULL},
};

const unsigned recipient_row_count = COUNT(recipient_rows);

void recipient_check(struct request *r)
{
	const struct field_value *v = r->value;
	bool any = v[R_VERSION].given || v[R_ALTERNATIVE].given || v[R_HOUSEHOLD].given || v[R_NUMBER].given;
	if (!any && r->errors == 0)
		request_fault(r, "", "nothing_to_change",
		              "Give risk_warning, alternative, household or number_changed_to.");
	if (v[R_NUMBER].given && view_eq(v[R_NUMBER].text, v[R_PHONE].text))
		request_fault(r, "/number_changed_to", "number_same", "This is the same number.");
	request_check_past(r, R_AT, 0);
}

static void json_cb(void *ctx, const struct store_rows *rows)
{
	buf_add_view(&((struct request *)ctx)->body, store_rows_text(rows, 0, 0));
}

void recipient_set(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct request *r = request_read(a, x, who, recipient_rows, recipient_row_count, false);
	if (!r)
		return;
	recipient_check(r);
	if (!request_fine(r))
		return;
	if (view_eq(r->value[R_ALTERNATIVE].text, VIEW("none")))
		r->value[R_ALTERNATIVE].text = VIEW("");
	store_value_uuid(&ps, &who->practice_id);
	request_add_text(r, &ps, R_PHONE);
	store_value_time(&ps, r->now_us);
	request_add_text(r, &ps, R_ACTOR);
	for (unsigned i = R_VERSION; i <= R_NUMBER; i++)
		request_add_null(r, &ps, i);
	request_change(r, "recipient_set", &ps, r->value[R_PHONE].text, (struct view){0}, json_cb);
}

/* --- contacts ------------------------------------------------------------------------------------------------------
 */

enum { N_PHONE, N_PATIENT, N_KIND, N_AT, N_ACTOR };
static const struct field_row contact_rows[] = {
        [N_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [N_PATIENT] = {"/patient", FIELD_PATIENT, true, 0, NULL},
        [N_KIND] = {"/kind", FIELD_CHOICE, true, 0, " voice voicemail text "},
        [N_AT] = {"/at", FIELD_TIME, true, 0, NULL},
        [N_ACTOR] = {"/actor", FIELD_TEXT, true, LIMIT_NAME_BYTES, NULL},
};

void contact_add(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	char id[UUID_TEXT_BYTES];
	struct store_params ps = {0};
	struct request *r = request_read(a, x, who, contact_rows, COUNT(contact_rows), true);
	if (!r)
		return;
	request_check_past(r, N_AT, LIMIT_CONTACT_BEHIND_S * SECOND_US);
	if (!request_fine(r))
		return;
	r->status = 201;
	buf_printf(&r->body, "{\"id\":\"%s\"}", uuid_format(&r->id, id));
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &r->id);
	request_add_text(r, &ps, N_PHONE);
	request_add_text(r, &ps, N_PATIENT);
	request_add_text(r, &ps, N_KIND);
	request_add_null(r, &ps, N_AT);
	request_add_text(r, &ps, N_ACTOR);
	store_value_time(&ps, r->now_us);
	request_add_key(r, &ps, buf_cstr(&r->body));
	request_change(r, "contact_add", &ps, r->value[N_PHONE].text, r->value[N_PATIENT].text, NULL);
}

/* --- verifications -------------------------------------------------------------------------------------------------
 */

enum { V_PHONE, V_PATIENT, V_LANGUAGE };
static const struct field_row verify_rows[] = {
        [V_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [V_PATIENT] = {"/patient", FIELD_PATIENT, true, 0, NULL},
        [V_LANGUAGE] = {"/language", FIELD_CHOICE, false, 0, " en es "},
};

struct question {
	struct request *r;
	char name[256];
	char phone[128];
};

static void practice_cb(void *ctx, const struct store_rows *rows)
{
	struct question *q = ctx;
	q->r->found = store_rows_count(rows) > 0;
	if (!q->r->found)
		return;
	copy_view(q->name, sizeof(q->name), store_rows_text(rows, 0, 0));
	copy_view(q->phone, sizeof(q->phone), store_rows_text(rows, 0, 1));
}

/* The starter's text: the practice's name and phone are at most as long as it was proven to fit with. */
static json_t *message_of(const struct question *q)
{
	const struct field_value *v = q->r->value;
	struct text_template t;
	struct template_report report;
	struct buf body = BUF(LIMIT_BODY_BYTES);
	const struct template_practice own = {view_str(q->name), view_str(q->phone), VIEW("")};
	text_starter_template(text_starter_find(VIEW("verification"), v[V_LANGUAGE].text), &t);
	check(text_template_render(&t, &own, NULL, 0, &body, &report));
	json_t *message = json_pack("{s:s%,s:s%,s:s,s:s}", "patient", (const char *)v[V_PATIENT].text.p,
	                            v[V_PATIENT].text.n, "phone", (const char *)v[V_PHONE].text.p, v[V_PHONE].text.n,
	                            "category", policy_category_code(CATEGORY_verification), "body", buf_cstr(&body));
	buf_free(&body);
	check(message);
	return message;
}

static void practice_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct question *q = ctx;
	struct request *r = q->r;
	(void)sqlstate;
	if (result != STORE_OK || !r->found || !link_http_alive(r->x)) {
		request_problem(r, 503, "database_unavailable", "The gateway cannot reach its database; try again.");
		return;
	}
	struct api *a = r->api;
	struct http_exchange *x = r->x;
	struct api_caller who = r->who;
	json_t *message = message_of(q);
	request_end(r);
	message_create_from(a, x, &who, message);
}

void verification_ask(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct store_lane *lane = dispatch_read_lane(a->config.dispatch);
	struct store_step step = {"practice_names", &ps, practice_cb};
	struct request *r = request_read(a, x, who, verify_rows, COUNT(verify_rows), false);
	if (!r || !request_fine(r))
		return;
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE) {
		request_problem(r, 503, "busy", "Too many requests wait; try again.");
		return;
	}
	struct question *q = pool_alloc(link_http_pool(x), sizeof(*q));
	*q = (struct question){.r = r};
	store_value_uuid(&ps, &who->practice_id);
	store_lane_run(lane, &step, 1, practice_done_cb, q);
	store_params_free(&ps);
}
