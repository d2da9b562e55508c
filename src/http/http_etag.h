/* Entity tags made of a version number, and the conditions of a request on them (RFC 9110 sections 8.8.3, 13.1.1 and
 * 13.1.2). Version 7 is "7", a strong tag. A tag that was never ours is well-formed and fits nothing. */
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "http_request.h"

#define HTTP_ETAG_BYTES 24 /* "9223372036854775807" with its quotes and the NUL */

enum http_etag_list {
	HTTP_ETAG_ABSENT, /* no such header */
	HTTP_ETAG_ANY,    /* * */
	HTTP_ETAG_SOME,   /* tags, of which those that can be ours are in version[] */
	HTTP_ETAG_BAD,    /* not a list of tags, an empty one, * beside tags, or more than LIMIT_HTTP_ETAGS */
};

struct http_etags {
	enum http_etag_list list;
	unsigned count;
	int64_t version[LIMIT_HTTP_ETAGS]; /* 1 and up */
};

/* "\"7\"" for version 7 (1 and up), into to; returns to. */
const char *http_etag_format(int64_t version, char to[HTTP_ETAG_BYTES]);
/* All headers of that name together: If-Match takes strong tags only (weak_fits false), with If-None-Match W/"7" is
 * as good as "7". */
struct http_etags http_etag_read(const struct http_request *r, const char *name, bool weak_fits);
/* Whether version is in the list, or the list is * and there is a version; 0 is what does not exist. False when ABSENT
 * or BAD. */
bool http_etag_fits(const struct http_etags *e, int64_t version);

#endif
