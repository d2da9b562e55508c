/* JSON Web Key Sets (RFC 7517 5): a client's public keys, and which of them a token is signed by. */
#ifndef API_JWKS_H
#define API_JWKS_H

#include "net_jwt.h"

/* Whether the text is a set of at most LIMIT_JWKS_BYTES with a key that some algorithm takes, and nothing private. */
bool jwks_fine(struct view text);

enum jwks_answer {
	JWKS_HOLDS,   /* a key of the set signed it */
	JWKS_UNKNOWN, /* no key has that kid and fits the algorithm: the set may have changed */
	JWKS_FALSE    /* such a key did not sign it */
};
/* kid with p NULL: any key that fits the algorithm. */
enum jwks_answer jwks_verify(struct view text, struct view kid, struct view alg, const struct jwt *token);

#endif
