/* GET /problems and GET /problems/{code}: what stands behind the `type` of every problem. */
#include "api_problem.h"

static const struct problem_row problems[] = {
#define RETRY true
#define NO_RETRY false
#define PROBLEM(code, status, retry, sentence) {#code, status, retry, sentence},
#include "problem.def"
#undef PROBLEM
#undef RETRY
#undef NO_RETRY
};

#define COUNT (sizeof(problems) / sizeof(*problems))

const struct problem_row *problem_find(struct view code)
{
	for (size_t i = 0; i < COUNT; i++)
		if (view_eq(code, view_str(problems[i].code)))
			return &problems[i];
	return NULL;
}

void problem_answer(struct http_exchange *x, const char *code)
{
	const struct problem_row *row = problem_find(view_str(code));
	if (row && row->status == 503)
		api_unavailable(x, code, row->sentence);
	else if (row)
		api_problem(x, row->status, code, row->sentence);
	else
		api_read_failed(x);
}

static void write_row(struct buf *to, const struct problem_row *row)
{
	buf_printf(to, "{\"code\":\"%s\",\"type\":\"/problems/%s\",\"status\":%d,\"title\":\"%s\",\"retry\":%s,",
	           row->code, row->code, row->status, http_reason_phrase(row->status), row->retry ? "true" : "false");
	buf_add_str(to, "\"sentence\":\"");
	buf_add_json_text(to, view_str(row->sentence));
	buf_add_str(to, "\"}");
}

void problem_list(void *ctx, struct http_exchange *x)
{
	struct buf b = BUF(LIMIT_STREAM_OUT_BYTES / 2);
	(void)ctx;
	buf_add_str(&b, "{\"data\":[");
	for (size_t i = 0; i < COUNT; i++) {
		buf_add_str(&b, i ? "," : "");
		write_row(&b, &problems[i]);
	}
	buf_add_str(&b, "],\"next\":null}");
	link_http_reply(x, 200, "application/json", "", buf_view(&b));
	buf_free(&b);
}

void problem_show(void *ctx, struct http_exchange *x)
{
	const struct problem_row *row = problem_find(link_http_param(x));
	struct buf b = BUF(2000);
	(void)ctx;
	if (!row) {
		api_problem(x, 404, "problem_unknown", "There is no problem with this code.");
		return;
	}
	write_row(&b, row);
	link_http_reply(x, 200, "application/json", "", buf_view(&b));
	buf_free(&b);
}
