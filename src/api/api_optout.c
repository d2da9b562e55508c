/* POST /v1/opt-outs: what staff were told, by any channel (47 CFR 64.1200(a)(10), (11)); GET: all of a phone; lift:
 * only on the ground of a newer consent, and never what the patient's own STOP set. They do not pass through the claim
 * cycle and work while that is stopped. */
#include "api_page.h"
#include "api_problem.h"
#include "api_request.h"

#include "policy_phone.h"

#include <stdio.h>
#include <string.h>

#define OPT_OUT_TEXT 500 /* octets */

enum { O_PHONE, O_CHANNEL, O_WORDS, O_ACTOR, O_CATEGORY, O_COUNT };
static const struct field_row enter_rows[O_COUNT] = {
        [O_PHONE] = {"/phone", FIELD_PHONE, true, 0, NULL},
        [O_CHANNEL] = {"/channel", FIELD_CHOICE, true, 0, " staff voicemail email web letter in_person "},
        [O_WORDS] = {"/words", FIELD_TEXT, true, OPT_OUT_TEXT, NULL},
        [O_ACTOR] = {"/actor", FIELD_TEXT, true, OPT_OUT_TEXT, NULL},
        [O_CATEGORY] = {"/category", FIELD_CHOICE, false, 0, " "
#define CATEGORY(code, flags, basis, citation, sentence) #code " "
#include "category.def"
#undef CATEGORY
        },
};

void opt_out_enter(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct request *r = request_read(a, x, who, enter_rows, O_COUNT, false);
	if (!r || !request_fine(r))
		return;
	r->status = 201;
	store_value_uuid(&ps, &who->practice_id);
	for (unsigned i = 0; i < O_COUNT; i++)
		request_add_text(r, &ps, i);
	store_value_time(&ps, r->now_us);
	request_run(r, "opt_out_enter", &ps);
}

enum { L_ACTOR, L_REASON, L_CONSENT, L_COUNT };
static const struct field_row lift_rows[L_COUNT] = {
        [L_ACTOR] = {"/actor", FIELD_TEXT, true, OPT_OUT_TEXT, NULL},
        [L_REASON] = {"/reason", FIELD_TEXT, true, OPT_OUT_TEXT, NULL},
        [L_CONSENT] = {"/consent_id", FIELD_ID, false, 0, NULL},
};

void opt_out_lift(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct uuid id;
	struct store_params ps = {0};
	if (!uuid_parse(link_http_param(x), &id)) {
		problem_answer(x, "opt_out_unknown");
		return;
	}
	struct request *r = request_read(a, x, who, lift_rows, L_COUNT, false);
	if (!r || !request_fine(r))
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &id);
	request_add_text(r, &ps, L_ACTOR);
	request_add_text(r, &ps, L_REASON);
	request_add_null(r, &ps, L_CONSENT);
	store_value_time(&ps, r->now_us);
	request_run(r, "opt_out_end", &ps);
}

void opt_out_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char phone[24], more[48];
	struct uuid after;
	struct store_params ps = {0};
	bool has_after;
	unsigned limit;
	bool ok = page_query(query, &after, &has_after, &limit) &&
	          http_query_get(query, "phone", phone, sizeof(phone)) &&
	          policy_phone_check(view_str(phone)) != PHONE_MALFORMED;
	if (!ok) {
		api_problem(x, 400, "bad_query",
		            "phone takes a number as +12125550101 (%2B12125550101), after an id, "
		            "limit 1 to 200.");
		return;
	}
	store_value_uuid(&ps, &who->practice_id);
	store_value_str(&ps, phone);
	if (has_after)
		store_value_uuid(&ps, &after);
	else
		store_value_null(&ps);
	store_value_int(&ps, STORE_INT4, limit + 1);
	store_value_int(&ps, STORE_BOOL, who->sees_phone);
	store_value_int(&ps, STORE_BOOL, who->sees_text);
	snprintf(more, sizeof(more), "&phone=%%2B%s", phone + 1);
	page_list(a, x, "opt_out_list", &ps, limit, "/v1/opt-outs", more);
}
