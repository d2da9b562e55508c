/* What is said of a route that goes: Deprecation (RFC 9745), Sunset (RFC 8594) and a link to what to do instead. */
#ifndef HTTP_SUNSET_H
#define HTTP_SUNSET_H

#include "base_bytes.h"

struct http_sunset {
	const char *method; /* NULL ends the rows */
	const char *path;   /* the route's, with its {} */
	int64_t deprecated; /* seconds since the epoch; since then, or from then on, nobody should begin to use it */
	int64_t sunset;     /* from then on it may be gone; 0: not decided */
	const char *link;   /* where it is written what to do instead, or NULL */
};

/* The row of a route; NULL when it stays. */
const struct http_sunset *http_sunset_find(const struct http_sunset *rows, const char *method, const char *path);
/* Appends the header lines. */
void http_sunset_write(const struct http_sunset *row, struct buf *to);

#endif
