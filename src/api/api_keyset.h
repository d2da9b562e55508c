/* Clients' public keys that lie at an https URL: fetched, kept for LIMIT_KEYSET_MS, and fetched again for a key that is
 * not among them, at most every LIMIT_KEYSET_AGAIN_MS. Redirects are not followed; private addresses are refused by
 * the address that is connected to. */
#ifndef API_KEYSET_H
#define API_KEYSET_H

#include "net_loop.h"

struct keysets;

struct keyset_config {
	const char *ca_file; /* "": the system's authorities */
	bool private_ok;     /* private and loopback addresses too */
};

/* text: the JWK Set; p NULL when it cannot be had. Lives as long as the call. */
typedef void (*keyset_cb)(void *ctx, struct view text);

struct keysets *keysets_new(struct loop *l);
void keysets_set(struct keysets *k, const struct keyset_config *config);
/* Calls back exactly once, possibly before it returns. renew: what is there lacks a key. */
void keysets_get(struct keysets *k, const char *url, bool renew, keyset_cb cb, void *ctx);
/* Ends what runs, calling back, and frees. */
void keysets_free(struct keysets *k);

#endif
