/* Health, metrics, the contract: no key needed, nothing about patients in them. */
#include "api_internal.h"

#include "base_metric.h"

#include <string.h>

void meta_live(void *ctx, struct http_exchange *x)
{
	(void)ctx; /* that this runs is the answer: the loop turns. It must not depend on the database. */
	link_http_reply(x, 200, "application/json", "", VIEW("{\"status\":\"ok\"}"));
}

void meta_ready(void *ctx, struct http_exchange *x)
{
	struct api *a = ctx;
	bool ready = dispatch_ready(a->config.dispatch);
	struct buf b = BUF(256);
	buf_printf(&b, "{\"status\":\"%s\",\"database\":%s,\"links_bound\":%u}", ready ? "ok" : "unavailable",
	           ready ? "true" : "false", dispatch_links_bound(a->config.dispatch));
	link_http_reply(x, ready ? 200 : 503, "application/json", ready ? "" : "retry-after: 1\r\n", buf_view(&b));
	buf_free(&b);
}

void meta_metrics(void *ctx, struct http_exchange *x)
{
	struct buf b = BUF(LIMIT_STREAM_OUT_BYTES / 2);
	(void)ctx;
	metric_render(&b);
	link_http_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", "", buf_view(&b));
	buf_free(&b);
}

void meta_openapi(void *ctx, struct http_exchange *x)
{
	struct api *a = ctx;
	link_http_reply(x, 200, "application/json", "", view_str(a->config.openapi));
}
