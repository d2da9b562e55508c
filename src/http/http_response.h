/* Responses: the head with its framing, and RFC 9457 problems. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base_bytes.h"

/* "Accepted" for 202; "Unknown" for a number that has no row in http_status.def. */
const char *http_reason_phrase(int status);

/* Appends status line, Date-less standard headers (content-type, content-length, cache-control: no-store,
 * x-content-type-options: nosniff, connection) and the body. extra: further header lines, each ending in CRLF, or "".
 * content_type may be NULL when body is empty. 1xx are the status line alone; 204 and 304 have no body and no length.
 * head_only (HEAD): the head as for GET, without the body. Whole or, past to's ceiling, nothing (to->full). */
void http_response_write(struct buf *to, int status, const char *content_type, const char *extra, struct view body,
                         bool keep_alive, bool head_only);

/* One entry of a problem's errors: a JSON pointer into the request and what is wrong there. Never the value itself. */
struct http_problem_error {
	const char *pointer;
	const char *code;
	const char *detail;
};

/* Appends {"type","title","status","code","detail"[,"errors":[...]]} (RFC 9457). type is "/problems/" + code. Whole or,
 * when to's ceiling is passed, nothing (to->full). */
void http_problem_write(struct buf *to, int status, const char *code, const char *detail,
                        const struct http_problem_error *errors, unsigned count);

#endif
