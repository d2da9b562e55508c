/* Shared by the API's files only. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api.h"
#include "api_rate.h"
#include "api_role.h"
#include "base_check.h"
#include "base_limits.h"
#include "base_pool.h"

struct auth;
struct keys_in_flight;
struct contract;
struct uploads;

struct api {
	struct api_config config;
	struct uuid_maker ids;
	struct auth *auth;
	struct api_oauth oauth;
	struct keysets *keysets;
	struct keys_in_flight *in_flight;
	struct contract *contract;
	struct uploads *uploads;
};

typedef void (*api_handler)(struct api *a, struct http_exchange *x, const struct api_caller *who);

struct auth *auth_new(struct api *a);
void auth_free(struct auth *auth);
/* Checks the Authorization header, then calls the handler; or answers 401, 429 or 503 itself. */
void auth_run(struct api *a, struct http_exchange *x, api_handler handler);
/* Keys, people or settings were changed and committed: what this process believes of them is looked up again at once.
 */
void auth_changed(struct auth *auth);
/* Whether one that shows a key that is not known may be looked up, from where it comes; and that it was none. */
bool auth_stranger(struct auth *auth, struct http_exchange *x);
void auth_failed(struct auth *auth, struct http_exchange *x);
/* Notes the last use of a key. */
void auth_used(struct auth *auth, struct http_exchange *x, const char *key);
/* Whether the address is in a key's list of networks; "" is anywhere. */
bool auth_from_network(const char *networks, struct view address);
/* Takes one of a practice's requests a second, and tells what is left in the answer's headers; false when none is left:
 * then the answer is auth_overspent's. */
bool auth_spend(struct auth *auth, struct http_exchange *x, const struct uuid *practice);
void auth_overspent(struct http_exchange *x);
/* What is left of a practice's requests a second. */
struct auth_rate auth_rate(struct api *a, const struct uuid *practice);
/* Whether the caller may act under that name: a person's key under the person's own only, a program's under any. */
bool api_person_fits(const struct api_caller *who, struct view name);
/* The same of every name in a JSON body; a body that is no JSON names nobody. */
bool person_fits_body(const struct api_caller *who, struct view body);

/* What a route touches of patients' data: by its row in api_route.def. */
enum touches {
	TOUCHES_SOME,    /* without a subject that the request names */
	TOUCHES_MESSAGE, /* {} of the path is a message's id */
	TOUCHES_PHONE,   /* `phone` of the query, or of a JSON body */
	TOUCHES_PATIENT, /* {} of the path is a patient's reference */
	TOUCHES_NOTHING  /* no patient: only that its key was wrong is noted */
};
/* A row of api_route.def: http_route's own of every route that needs a key. */
struct api_route {
	api_handler handler;
	enum touches touches;
	enum scope scope;
};

#define API_PHONE_SHOWN_BYTES 24
/* The phone as the caller may see it, in to (API_PHONE_SHOWN_BYTES): whole, or "+1******0101". */
const char *api_phone_shown(const struct api_caller *who, struct view phone, char *to);
/* Begins the note of a request to a route of the API; before its key is looked at. */
void access_begin(struct http_exchange *x);
/* Whose it is. False, answered, when there is no room for the note: then nothing may be shown. */
bool access_admit(struct api *a, struct http_exchange *x, const struct api_caller *who);
/* The public part of the key that was shown, whatever it is worth. */
void access_claimed(struct http_exchange *x, const char *key);
/* Whose it is, of a request that is refused for what it asks or where it comes from: it is noted. */
void access_refused(struct http_exchange *x, const struct api_caller *who);
/* The address that it comes from, without its port. */
struct view access_from(struct http_exchange *x);
/* How many records the answer shows or changed; without it one of an answer that succeeds. */
void access_rows(struct http_exchange *x, unsigned rows);
/* Whose data it was, where only the database knows. */
void access_subject(struct http_exchange *x, const char *phone, const char *patient);

/* openapi: the contract as JSON, copied. */
struct contract *contract_new(const char *openapi);
void contract_free(struct contract *c);
/* Whether the request has only what the contract gives its route: query parameters by name, and a body where there is
 * one. False with 400 answered. */
bool contract_fits(struct api *a, struct http_exchange *x);

/* Idempotency-Keys whose first request is still running in this process. */
struct keys_in_flight *in_flight_new(void);
bool in_flight_enter(struct keys_in_flight *k, const struct uuid *practice, struct view key);
void in_flight_leave(struct keys_in_flight *k, const struct uuid *practice, struct view key);
void in_flight_free(struct keys_in_flight *k);

void api_problem(struct http_exchange *x, int status, const char *code, const char *detail);
/* RateLimit-Policy and RateLimit of the answer: requests a second, and how many are left now. */
void api_tell_rate(struct http_exchange *x, int64_t requests_per_second, double left);
void api_unavailable(struct http_exchange *x, const char *code, const char *detail);
/* Answers for a read that did not come back. */
void api_read_failed(struct http_exchange *x);

void message_create(struct api *a, struct http_exchange *x, const struct api_caller *who);
struct json_t;
/* Whether the body is declared as JSON. */
bool api_says_json(const struct http_exchange *x);
/* The request's body: one JSON object, the caller's to free; NULL with 415 or 400 answered. */
struct json_t *api_json_read(struct http_exchange *x);
/* Idempotency-Key, a structured-field string in quotes or bare, in the request's pool; p NULL when there is none. False
 * with 400 answered. */
bool api_key_read(struct http_exchange *x, struct view *key_r);
/* A message that the gateway words itself, for a request of the practice's: json is what POST /v1/messages would have
 * got, and is taken over. The exchange is answered as that is. */
void message_create_from(struct api *a, struct http_exchange *x, const struct api_caller *who, struct json_t *json);
void message_preview(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_explain(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_replace(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_approve(struct api *a, struct http_exchange *x, const struct api_caller *who);

void consent_give(struct api *a, struct http_exchange *x, const struct api_caller *who);
void consent_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void consent_end(struct api *a, struct http_exchange *x, const struct api_caller *who);
void recipient_set(struct api *a, struct http_exchange *x, const struct api_caller *who);
void contact_add(struct api *a, struct http_exchange *x, const struct api_caller *who);
void verification_ask(struct api *a, struct http_exchange *x, const struct api_caller *who);

void patient_put(struct api *a, struct http_exchange *x, const struct api_caller *who);
void patient_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void patient_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void patient_phone(struct api *a, struct http_exchange *x, const struct api_caller *who);
void patient_timeline(struct api *a, struct http_exchange *x, const struct api_caller *who);

void template_create(struct api *a, struct http_exchange *x, const struct api_caller *who);
void template_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void template_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void template_approve(struct api *a, struct http_exchange *x, const struct api_caller *who);
void template_retire(struct api *a, struct http_exchange *x, const struct api_caller *who);
void template_lint(struct api *a, struct http_exchange *x, const struct api_caller *who);

void opt_out_enter(struct api *a, struct http_exchange *x, const struct api_caller *who);
void opt_out_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void opt_out_lift(struct api *a, struct http_exchange *x, const struct api_caller *who);
void task_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void task_own(struct api *a, struct http_exchange *x, const struct api_caller *who);
void task_decide(struct api *a, struct http_exchange *x, const struct api_caller *who);

void conversation_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void conversation_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void conversation_answer(struct api *a, struct http_exchange *x, const struct api_caller *who);
void conversation_own(struct api *a, struct http_exchange *x, const struct api_caller *who);
void conversation_close(struct api *a, struct http_exchange *x, const struct api_caller *who);

/* A practice's own reference: 1 to 64 octets of UTF-8 without control characters. */
bool api_ref_ok(struct view v);
/* That of the path's {}, percent-decoded; false when it is none. */
bool api_ref_param(const struct http_exchange *x, char *to, size_t cap);
void appointment_put(struct api *a, struct http_exchange *x, const struct api_caller *who);
void appointment_status(struct api *a, struct http_exchange *x, const struct api_caller *who);
void appointment_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void appointment_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void plan_put(struct api *a, struct http_exchange *x, const struct api_caller *who);
void plan_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void plan_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void plan_delete(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_add(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_set(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_delete(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_rotate(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_test(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_enable(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_deliveries(struct api *a, struct http_exchange *x, const struct api_caller *who);
void webhook_replay(struct api *a, struct http_exchange *x, const struct api_caller *who);
void key_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void key_make(struct api *a, struct http_exchange *x, const struct api_caller *who);
void key_revoke(struct api *a, struct http_exchange *x, const struct api_caller *who);
void person_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void person_make(struct api *a, struct http_exchange *x, const struct api_caller *who);
void person_role(struct api *a, struct http_exchange *x, const struct api_caller *who);
void person_disable(struct api *a, struct http_exchange *x, const struct api_caller *who);
void settings_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void settings_put(struct api *a, struct http_exchange *x, const struct api_caller *who);

void token_issue(void *ctx, struct http_exchange *x);

void batch_create(struct api *a, struct http_exchange *x, const struct api_caller *who);
void batch_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void batch_results(struct api *a, struct http_exchange *x, const struct api_caller *who);
void batch_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_create(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_recipients(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_start(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_pause(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_resume(struct api *a, struct http_exchange *x, const struct api_caller *who);
void broadcast_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who);

void meta_live(void *ctx, struct http_exchange *x);
void meta_ready(void *ctx, struct http_exchange *x);
void meta_metrics(void *ctx, struct http_exchange *x);
void meta_openapi(void *ctx, struct http_exchange *x);
void problem_list(void *ctx, struct http_exchange *x);
void problem_show(void *ctx, struct http_exchange *x);

#endif
