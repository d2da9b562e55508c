/* HTTP requests going out, many at a time, by libcurl's multi interface on the loop. No redirects, http and https only,
 * connections reused. Private and loopback addresses are judged by the address that is connected to, not by the name.
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include "net_loop.h"

struct fetcher;

struct fetch_request {
	const char *method; /* "POST", "GET" */
	const char *url;
	const char *const *headers; /* "name: value", NULL-terminated; may be NULL */
	struct view body;           /* copied */
	int64_t timeout_ms;
	size_t max_answer;   /* octets of the answer's body that are kept; more are dropped */
	bool plain_ok;       /* http:// off loopback too */
	bool private_ok;     /* private and link-local addresses too */
	bool loopback_ok;    /* loopback addresses, of a URL that names one (net_url.h) */
	const char *ca_file; /* "" or NULL: the system's authorities */
};

struct fetch_result {
	int status;        /* HTTP status; 0 when there was no answer */
	const char *error; /* NULL, or libcurl's sentence, "address_refused", "plain_http_refused" */
	struct view body;
	int64_t retry_after_s; /* Retry-After in seconds, a week at most; -1 when absent */
};

typedef void (*fetch_cb)(void *ctx, const struct fetch_result *result);

struct fetcher *net_fetcher_new(struct loop *l);
/* Calls back exactly once, never before it returns. */
void net_fetch(struct fetcher *f, const struct fetch_request *request, fetch_cb cb, void *ctx);
unsigned net_fetcher_busy(const struct fetcher *f);
/* Ends what runs (calling back with error "shutting_down") and frees. */
void net_fetcher_free(struct fetcher *f);

#endif
