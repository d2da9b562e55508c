/* Assertions of clients (private_key_jwt, RFC 7523 3): what a token says of itself. Pure: the time is an argument.
 * Whose key signed it is looked at apart (api_jwks.h). */
#ifndef API_ASSERTION_H
#define API_ASSERTION_H

#include "net_crypto.h"
#include "net_jwt.h"

#define ASSERTION_AHEAD_S 300 /* how far ahead its end may lie */
#define ASSERTION_SKEW_S 30   /* by how much clocks may differ */
#define ASSERTION_JTI_BYTES 256

struct json_t;

struct assertion {
	struct jwt jwt;
	struct json_t *header, *claims;
	struct view alg, kid; /* kid with p NULL: none */
	struct view client;   /* sub: who it says it is of, to be believed once the signature is */
	int64_t exp_s;        /* Unix time */
	uint8_t jti_hash[SHA256_BYTES];
};

/* Takes it apart. NULL, or a sentence on why it is none; assertion_free either way. */
const char *assertion_read(struct view token, struct assertion *to);
/* NULL, or a sentence on why it is not taken: not for that audience, too old, too far ahead, without a jti. */
const char *assertion_check(struct assertion *a, const char *audience, int64_t now_s);
void assertion_free(struct assertion *a);

#endif
