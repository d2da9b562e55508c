/* Shared by the API's files only. */
#ifndef APP_API_INTERNAL_H
#define APP_API_INTERNAL_H

#include "app_api.h"
#include "base_check.h"
#include "base_limits.h"
#include "base_pool.h"

struct auth;
struct keys_in_flight;

struct api {
	struct api_config config;
	struct uuid_maker ids;
	struct auth *auth;
	struct keys_in_flight *in_flight;
};

typedef void (*api_handler)(struct api *a, struct http_exchange *x, const struct api_caller *who);

struct auth *auth_new(struct api *a);
void auth_free(struct auth *auth);
/* Checks the Authorization header, then calls the handler; or answers 401, 429 or 503 itself. */
void auth_run(struct api *a, struct http_exchange *x, api_handler handler);

/* Idempotency-Keys whose first request is still running in this process. */
struct keys_in_flight *in_flight_new(void);
bool in_flight_enter(struct keys_in_flight *k, const struct uuid *practice, struct view key);
void in_flight_leave(struct keys_in_flight *k, const struct uuid *practice, struct view key);
void in_flight_free(struct keys_in_flight *k);

void api_problem(struct http_exchange *x, int status, const char *code, const char *detail);
void api_unavailable(struct http_exchange *x, const char *code, const char *detail);
/* Answers for a read that did not come back. */
void api_read_failed(struct http_exchange *x);

void message_create(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_show(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_list(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_replace(struct api *a, struct http_exchange *x, const struct api_caller *who);
void message_cancel(struct api *a, struct http_exchange *x, const struct api_caller *who);

void meta_live(void *ctx, struct http_exchange *x);
void meta_ready(void *ctx, struct http_exchange *x);
void meta_metrics(void *ctx, struct http_exchange *x);
void meta_openapi(void *ctx, struct http_exchange *x);

#endif
