#include "app_api_internal.h"

#include <stdlib.h>

void api_problem(struct http_exchange *x, int status, const char *code, const char *detail)
{
	link_http_problem(x, status, code, detail, NULL, 0, status == 401 ? "www-authenticate: Bearer\r\n" : "");
}

void api_unavailable(struct http_exchange *x, const char *code, const char *detail)
{
	link_http_problem(x, 503, code, detail, NULL, 0, "retry-after: 1\r\n");
}

void api_read_failed(struct http_exchange *x)
{
	api_unavailable(x, "database_unavailable", "The gateway cannot reach its database; try again.");
}

static void create_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_create);
}

static void list_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_list);
}

static void show_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_show);
}

static void explain_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_explain);
}

static void cancel_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_cancel);
}

static void replace_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_replace);
}

static void approve_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, message_approve);
}

static void consent_give_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, consent_give);
}

static void consent_list_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, consent_list);
}

static void consent_end_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, consent_end);
}

static void recipient_set_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, recipient_set);
}

static void contact_add_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, contact_add);
}

static void verification_ask_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, verification_ask);
}

static void template_create_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, template_create);
}

static void template_list_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, template_list);
}

static void template_approve_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, template_approve);
}

static void template_retire_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, template_retire);
}

static void lint_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, template_lint);
}

static void opt_out_enter_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, opt_out_enter);
}

static void opt_out_list_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, opt_out_list);
}

static void opt_out_lift_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, opt_out_lift);
}

static void task_list_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, task_list);
}

static void task_own_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, task_own);
}

static void task_decide_route(void *ctx, struct http_exchange *x)
{
	auth_run(ctx, x, task_decide);
}

static const struct http_route routes[] = {
        {"POST", "/v1/messages", create_route, TOUCHES_SOME},
        {"GET", "/v1/messages", list_route, TOUCHES_SOME},
        {"GET", "/v1/messages/{id}", show_route, TOUCHES_MESSAGE},
        {"GET", "/v1/messages/{id}/explanation", explain_route, TOUCHES_MESSAGE},
        {"POST", "/v1/messages/{id}/cancel", cancel_route, TOUCHES_MESSAGE},
        {"POST", "/v1/messages/{id}/replace", replace_route, TOUCHES_MESSAGE},
        {"POST", "/v1/messages/{id}/approve", approve_route, TOUCHES_MESSAGE},
        {"POST", "/v1/consents", consent_give_route, TOUCHES_PHONE},
        {"GET", "/v1/consents", consent_list_route, TOUCHES_PHONE},
        {"POST", "/v1/consents/{id}/end", consent_end_route, TOUCHES_SOME},
        {"POST", "/v1/recipients", recipient_set_route, TOUCHES_PHONE},
        {"POST", "/v1/contacts", contact_add_route, TOUCHES_PHONE},
        {"POST", "/v1/verifications", verification_ask_route, TOUCHES_PHONE},
        {"POST", "/v1/templates", template_create_route, TOUCHES_NOTHING},
        {"GET", "/v1/templates", template_list_route, TOUCHES_NOTHING},
        {"POST", "/v1/templates/{id}/approve", template_approve_route, TOUCHES_NOTHING},
        {"POST", "/v1/templates/{id}/retire", template_retire_route, TOUCHES_NOTHING},
        {"POST", "/v1/lint", lint_route, TOUCHES_NOTHING},
        {"POST", "/v1/opt-outs", opt_out_enter_route, TOUCHES_PHONE},
        {"GET", "/v1/opt-outs", opt_out_list_route, TOUCHES_PHONE},
        {"POST", "/v1/opt-outs/{id}/lift", opt_out_lift_route, TOUCHES_SOME},
        {"GET", "/v1/tasks", task_list_route, TOUCHES_SOME},
        {"POST", "/v1/tasks/{id}/own", task_own_route, TOUCHES_SOME},
        {"POST", "/v1/tasks/{id}/decide", task_decide_route, TOUCHES_SOME},
        {"GET", "/livez", meta_live, TOUCHES_NOTHING},
        {"GET", "/readyz", meta_ready, TOUCHES_NOTHING},
        {"GET", "/metrics", meta_metrics, TOUCHES_NOTHING},
        {"GET", "/openapi.json", meta_openapi, TOUCHES_NOTHING},
};

const struct http_route *api_routes(unsigned *count_r)
{
	*count_r = sizeof(routes) / sizeof(*routes);
	return routes;
}

struct api *api_new(const struct api_config *config)
{
	struct api *a = mem_alloc(sizeof(*a));
	a->config = *config;
	a->auth = auth_new(a);
	a->in_flight = in_flight_new();
	return a;
}

void api_set_rate(struct api *a, int64_t requests_per_second)
{
	a->config.requests_per_second = requests_per_second;
}

void api_free(struct api *a)
{
	auth_free(a->auth);
	in_flight_free(a->in_flight);
	free(a);
}
