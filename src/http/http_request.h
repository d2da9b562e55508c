/* A request as its reader sees it: views into the parser's buffers, and look-ups in them. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base_bytes.h"
#include "base_limits.h"

struct http_header {
	struct view name;  /* as sent */
	struct view value; /* trimmed */
};

struct http_request {
	struct view method;
	struct view target; /* as sent */
	struct view path;   /* target up to "?" */
	struct view query;  /* after "?", may be empty */
	struct http_header header[LIMIT_HTTP_HEADERS];
	unsigned headers;
	struct view body; /* de-chunked */
	bool keep_alive;
	int minor; /* HTTP/1.minor */
};

/* First header of that name (ASCII case-insensitive); empty view with p NULL when there is none. */
struct view http_request_header(const struct http_request *r, const char *name);
/* How many headers of that name. */
unsigned http_request_header_count(const struct http_request *r, const char *name);
/* Whether a comma list of tokens (all headers of that name together) holds token, ASCII case-insensitive. */
bool http_request_list_has(const struct http_request *r, const char *name, const char *token);
/* text, percent-decoded into to (cap octets with the NUL); false when it is too long or badly encoded (%00 too). */
bool http_percent_decode(struct view text, char *to, size_t cap);
/* The value of key in the query, percent-decoded into to (cap octets with the NUL); false when absent, too long or
 * badly encoded (%00 included). "+" stays "+", so that a phone number may be written as it is. The first of several
 * counts. */
bool http_query_get(struct view query, const char *key, char *to, size_t cap);
/* Whether key stands in the query at all: with http_query_get false, its value is not one to be passed over. */
bool http_query_has(struct view query, const char *key);

#endif
