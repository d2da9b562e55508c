#include "http_response.h"

#include "base_check.h"

#include <string.h>

const char *http_reason_phrase(int status)
{
	switch (status) {
#define HTTP_STATUS_ROW(number, phrase)                                                                                \
	case number:                                                                                                   \
		return phrase;
#include "http_status.def"
#undef HTTP_STATUS_ROW
	default:
		return "Unknown";
	}
}

static bool ends_in_crlf(const char *lines)
{
	size_t n = strlen(lines);
	return n == 0 || (n >= 2 && lines[n - 2] == '\r' && lines[n - 1] == '\n');
}

/* RFC 9110 sections 8.6 and 15: no content and no length with these. */
static bool bodyless(int status)
{
	return status < 200 || status == 204 || status == 304;
}

void http_response_write(struct buf *to, int status, const char *content_type, const char *extra, struct view body,
                         bool keep_alive, bool head_only)
{
	size_t before = to->n;
	check(status >= 100 && status <= 599 && ends_in_crlf(extra));
	buf_printf(to, "HTTP/1.1 %d %s\r\n", status, http_reason_phrase(status));
	if (!bodyless(status)) {
		if (body.n && content_type)
			buf_printf(to, "content-type: %s\r\n", content_type);
		buf_printf(to, "content-length: %zu\r\n", body.n);
	}
	if (status >= 200)
		buf_printf(to, "cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: %s\r\n",
		           keep_alive ? "keep-alive" : "close");
	buf_add_str(to, extra);
	buf_add_str(to, "\r\n");
	if (!head_only && !bodyless(status))
		buf_add_view(to, body);
	if (to->full)
		to->n = before;
}

static void add_member(struct buf *to, const char *name, const char *text)
{
	buf_printf(to, "\"%s\":\"", name);
	buf_add_json_text(to, view_str(text));
	buf_add_str(to, "\"");
}

static void add_error(struct buf *to, const struct http_problem_error *e)
{
	buf_add_str(to, "{");
	add_member(to, "pointer", e->pointer);
	buf_add_str(to, ",");
	add_member(to, "code", e->code);
	buf_add_str(to, ",");
	add_member(to, "detail", e->detail);
	buf_add_str(to, "}");
}

void http_problem_write(struct buf *to, int status, const char *code, const char *detail,
                        const struct http_problem_error *errors, unsigned count)
{
	size_t before = to->n;
	buf_add_str(to, "{\"type\":\"/problems/");
	buf_add_json_text(to, view_str(code));
	buf_add_str(to, "\",");
	add_member(to, "title", http_reason_phrase(status));
	buf_printf(to, ",\"status\":%d,", status);
	add_member(to, "code", code);
	buf_add_str(to, ",");
	add_member(to, "detail", detail);
	for (unsigned i = 0; i < count; i++) {
		buf_add_str(to, i ? "," : ",\"errors\":[");
		add_error(to, &errors[i]);
	}
	buf_add_str(to, count ? "]}" : "}");
	if (to->full)
		to->n = before;
}
