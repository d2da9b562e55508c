#include "api_internal.h"
#include "api_keyset.h"
#include "api_upload.h"

#include "http_sunset.h"

#include <inttypes.h>
#include <stdio.h>
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

static const struct http_sunset sunsets[] = {
#define SUNSET(method, path, deprecated, sunset, link) {method, path, deprecated, sunset, link},
#include "api_sunset.def"
#undef SUNSET
        {NULL, NULL, 0, 0, NULL},
};

static void tell_sunset(const struct http_route *route, struct http_exchange *x)
{
	const struct http_sunset *row = http_sunset_find(sunsets, route->method, route->path);
	struct buf lines = BUF(1000);
	if (row)
		http_sunset_write(row, &lines);
	link_http_add_head(x, buf_cstr(&lines));
	buf_free(&lines);
}

void api_tell_rate(struct http_exchange *x, int64_t requests_per_second, double left)
{
	char lines[160];
	snprintf(lines, sizeof(lines),
	         "ratelimit-policy: \"default\";q=%" PRId64 ";w=1\r\nratelimit: \"default\";r=%" PRId64 ";t=1\r\n",
	         requests_per_second, (int64_t)(left > 0 ? left : 0));
	link_http_add_head(x, lines);
}

static void strict_handler(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	const struct api_route *row = link_http_route(x)->own;
	if (contract_fits(a, x))
		row->handler(a, x, who);
}

static void keyed_route(void *ctx, struct http_exchange *x)
{
	tell_sunset(link_http_route(x), x);
	auth_run(ctx, x, strict_handler);
}

static const struct http_route routes[] = {
#define ROUTE(method, path, handler, touches, scope)                                                                   \
	{method, path, keyed_route, &(const struct api_route){handler, touches, SCOPE_##scope}, 0, NULL},
#define ROUTE_BULK(method, path, handler, touches, scope)                                                              \
	{method,                                                                                                       \
	 path,                                                                                                         \
	 keyed_route,                                                                                                  \
	 &(const struct api_route){handler, touches, SCOPE_##scope},                                                   \
	 LIMIT_BATCH_BODY_BYTES,                                                                                       \
	 "application/x-ndjson"},
#define ROUTE_OPEN(method, path, handler) {method, path, handler, NULL, 0, NULL},
#include "api_route.def"
#undef ROUTE
#undef ROUTE_BULK
#undef ROUTE_OPEN
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
	a->keysets = keysets_new(config->loop);
	a->in_flight = in_flight_new();
	a->contract = contract_new(config->openapi);
	a->uploads = uploads_new();
	return a;
}

void api_set_oauth(struct api *a, const struct api_oauth *oauth)
{
	struct keyset_config config = {oauth->jwks_ca, oauth->jwks_private_ok};
	a->oauth = *oauth;
	keysets_set(a->keysets, &config);
}

void api_close(struct api *a)
{
	keysets_free(a->keysets);
	a->keysets = NULL;
}

void api_set_rate(struct api *a, int64_t requests_per_second)
{
	a->config.requests_per_second = requests_per_second;
}

void api_free(struct api *a)
{
	auth_free(a->auth);
	in_flight_free(a->in_flight);
	contract_free(a->contract);
	uploads_free(a->uploads);
	free(a);
}

const char *api_phone_shown(const struct api_caller *who, struct view phone, char *to)
{
	if (who->sees_phone || phone.n < 7)
		snprintf(to, API_PHONE_SHOWN_BYTES, "%.*s", (int)phone.n, (const char *)phone.p);
	else
		snprintf(to, API_PHONE_SHOWN_BYTES, "%.2s******%.4s", (const char *)phone.p,
		         (const char *)phone.p + phone.n - 4);
	return to;
}
