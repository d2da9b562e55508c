#include "app_call.h"

#include "base_check.h"

#include <stdio.h>

struct waiting {
	bool done;
	int status;
	struct buf *answer;
};

void caller_open(struct caller *c)
{
	c->loop = net_loop_new();
	c->fetcher = net_fetcher_new(c->loop);
}

void caller_close(struct caller *c)
{
	net_fetcher_free(c->fetcher);
	net_loop_free(c->loop);
}

static void answered_cb(void *ctx, const struct fetch_result *result)
{
	struct waiting *w = ctx;
	w->done = true;
	w->status = result->status;
	buf_add_view(w->answer, result->body);
}

int caller_call(struct caller *c, const char *path, const char *body, struct buf *answer)
{
	struct waiting w = {.answer = answer};
	char url[256];
	char auth[160];
	const char *headers[] = {auth, "content-type: application/json", NULL};
	snprintf(url, sizeof(url), "%s%s", c->base, path);
	snprintf(auth, sizeof(auth), "authorization: Bearer %s", c->key);
	buf_clear(answer);
	struct fetch_request request = {.method = body ? "POST" : "GET",
	                                .url = url,
	                                .headers = headers,
	                                .body = view_str(body),
	                                .timeout_ms = 10000,
	                                .max_answer = 1 << 20,
	                                .loopback_ok = true,
	                                .ca_file = c->ca};
	net_fetch(c->fetcher, &request, answered_cb, &w);
	check(net_loop_run_until(c->loop, &w.done, 20000));
	return w.status;
}
