/* Signed tokens: compact JWS (RFC 7515 3.1) with the RSA and ECDSA signatures of RFC 7518 3.3 and 3.4. Only octets:
 * what the header and the claims say is JSON and read by who asks. Algorithms that are not rows do not exist here, so
 * neither `none` nor a MAC with a public key for its secret can be asked for. */
#ifndef NET_JWT_H
#define NET_JWT_H

#include "base_bytes.h"

#define JWT_BYTES 8192        /* of a token; SMART's have about 1,000 */
#define JWT_RSA_BITS_MIN 2048 /* RFC 7518 3.3 */
#define JWT_RSA_BITS_MAX 4096 /* checking a longer one costs the loop too much */

/* A token in its three pieces; the views of header, payload and signature are of `octets`, signed_part is the caller's.
 */
struct jwt {
	struct view signed_part; /* "header.payload" as it was sent */
	struct view header, payload, signature;
	struct buf octets; /* the caller's to free, also after false */
};

/* The members of a public JWK (RFC 7517), as their texts; absent ones are empty. */
struct jwt_key {
	struct view kty; /* "RSA", "EC" */
	struct view n, e;
	struct view crv, x, y;
};

/* Takes a token apart. False when it is longer than JWT_BYTES or not three pieces of base64url without padding, with
 * nothing that a decoder would have to overlook. */
bool net_jwt_split(struct view token, struct jwt *to);
/* Whether the name is of an algorithm that is taken: RS256, RS384, ES256, ES384. */
bool net_jwt_alg_known(struct view alg);
/* Whether it is a key that some algorithm takes: RSA of JWT_RSA_BITS_MIN to MAX bits, or a point of P-256 or P-384. */
bool net_jwt_key_fine(const struct jwt_key *key);
/* Whether the signature is that key's of the signed part by that algorithm. False for a key of another type or curve
 * than the algorithm's. */
bool net_jwt_verify(struct view alg, const struct jwt_key *key, const struct jwt *token);

/* RFC 4648 5 without padding; false on any other octet, on a length that cannot be, and on spare bits that are set. */
bool net_base64url_decode(struct view text, struct buf *to);

#endif
