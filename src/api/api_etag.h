/* What has a version: ETag, If-Match and If-None-Match in one place (RFC 9110 section 13, RFC 6585 section 3).
 *
 * A write reads the condition first, gives it to its statement, and answers by what that says:
 *
 *   struct etag_condition c;
 *   if (!etag_read(x, true, &c))             400 or 428 was answered
 *           return;
 *   etag_add(&c, &ps);                       a bigint[] for the statement, which under its row's lock asks
 *                                            ($n IS NULL OR v = ANY ($n) OR (v > 0 AND -1 = ANY ($n)))
 *                                            where v is the version that there is, 0 when there is none
 *   ... etag_failed(x);                      when that was false: 412
 *   ... etag_reply(x, 200, version, body);   the new version
 *
 * A read ends with etag_reply too: it answers 304 to an If-None-Match that holds the version. */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "api_internal.h"
#include "http_etag.h"

struct etag_condition {
	bool create_only;       /* If-None-Match: *: there must be none yet */
	struct http_etags only; /* If-Match; ABSENT when every version may be written over */
};

/* The condition of a write. False with the problem answered: 400 etag_malformed, or 428 precondition_required when
 * required and the request has neither If-Match nor If-None-Match: *. */
bool etag_read(struct http_exchange *x, bool required, struct etag_condition *condition_r);
/* The same against a version that is known here; 0: there is none. */
bool etag_fits(const struct etag_condition *c, int64_t version);
/* Appends it as the statement's next parameter: NULL without a condition, {0} for create only, {-1} for *, else the
 * versions (an empty array when none of the tags can be ours: fits nothing). */
void etag_add(const struct etag_condition *c, struct store_params *ps);
/* 412 precondition_failed. */
void etag_failed(struct http_exchange *x);
/* Answers with JSON and the version's ETag; a GET or HEAD whose If-None-Match holds the version gets 304. version: 1
 * and up. */
void etag_reply(struct http_exchange *x, int status, int64_t version, struct view body);

#endif
