/* POST /v1/opt-outs: what staff were told, by any channel (47 CFR 64.1200(a)(10), (11)); GET: all of a phone; lift:
 * only on the ground of a newer consent, and never what the patient's own STOP set. They do not pass through the claim
 * cycle and work while that is stopped. */
#include "app_form.h"

#include "policy_phone.h"

#include <stdio.h>
#include <string.h>

enum { O_PHONE, O_CHANNEL, O_WORDS, O_ACTOR, O_CATEGORY, O_COUNT };
static const struct form_row enter_rows[O_COUNT] = {
        [O_PHONE] = {"phone", FORM_PHONE, true, NULL},
        [O_CHANNEL] = {"channel", FORM_WORD, true, " staff voicemail email web letter in_person "},
        [O_WORDS] = {"words", FORM_TEXT, true, NULL},
        [O_ACTOR] = {"actor", FORM_TEXT, true, NULL},
        [O_CATEGORY] = {"category", FORM_WORD, false, " "
#define CATEGORY(code, flags, basis, citation, sentence) #code " "
#include "category.def"
#undef CATEGORY
        },
};

void opt_out_enter(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct form *f = form_read(a, x, who, enter_rows, O_COUNT, false);
	if (!f)
		return;
	f->status = 201;
	store_value_uuid(&ps, &who->practice_id);
	form_add(f, &ps, O_PHONE);
	form_add(f, &ps, O_CHANNEL);
	form_add(f, &ps, O_WORDS);
	form_add(f, &ps, O_ACTOR);
	form_add(f, &ps, O_CATEGORY);
	store_value_time(&ps, clock_read(a->config.clock));
	form_run(f, "opt_out_enter", &ps);
}

enum { L_ACTOR, L_REASON, L_CONSENT, L_COUNT };
static const struct form_row lift_rows[L_COUNT] = {
        [L_ACTOR] = {"actor", FORM_TEXT, true, NULL},
        [L_REASON] = {"reason", FORM_TEXT, true, NULL},
        [L_CONSENT] = {"consent_id", FORM_ID, false, NULL},
};

void opt_out_lift(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct store_params ps = {0};
	struct form *f = form_read(a, x, who, lift_rows, L_COUNT, true);
	if (!f)
		return;
	store_value_uuid(&ps, &who->practice_id);
	store_value_uuid(&ps, &f->id);
	form_add(f, &ps, L_ACTOR);
	form_add(f, &ps, L_REASON);
	form_add_or_null(f, &ps, L_CONSENT);
	store_value_time(&ps, clock_read(a->config.clock));
	form_run(f, "opt_out_end", &ps);
}

void opt_out_list(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct view query = link_http_request(x)->query;
	char phone[24], more[48];
	struct uuid after;
	struct store_params ps = {0};
	bool has_after;
	unsigned limit;
	bool ok = form_page_query(query, &after, &has_after, &limit) &&
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
	snprintf(more, sizeof(more), "&phone=%%2B%s", phone + 1);
	form_page(a, x, "opt_out_list", &ps, limit, "/v1/opt-outs", more);
}
