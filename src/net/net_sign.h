/* Ed25519 signatures (RFC 8032) by OpenSSL's EVP, and the files that hold a key: PEM, PKCS #8, as
 * `openssl genpkey -algorithm ed25519` makes them. */
#ifndef NET_SIGN_H
#define NET_SIGN_H

#include "base_bytes.h"

#define SIGN_PUBLIC_BYTES 32
#define SIGN_PRIVATE_BYTES 32
#define SIGN_BYTES 64

struct net_sign_key; /* a private key; free with net_sign_free, which wipes it */

struct net_sign_key *net_sign_new(void);
/* From the 32 octets that RFC 8032 calls the private key. */
struct net_sign_key *net_sign_of(const uint8_t octets[SIGN_PRIVATE_BYTES]);
/* From a PEM file. NULL, with a sentence in error, when it cannot be read, holds no Ed25519 key or others may read it.
 */
struct net_sign_key *net_sign_load(const char *path, struct buf *error);
/* Writes a new file, mode 0600, and has it on disk before it returns. False, with a sentence in error, when that fails
 * or there is a file already. */
bool net_sign_save(const struct net_sign_key *key, const char *path, struct buf *error);
void net_sign_public(const struct net_sign_key *key, uint8_t to[SIGN_PUBLIC_BYTES]);
void net_sign(const struct net_sign_key *key, struct view text, uint8_t to[SIGN_BYTES]);
/* NULL is allowed. */
void net_sign_free(struct net_sign_key *key);

/* Whether the signature is that public key's of the text. False for a public key that is no point of the curve, too. */
bool net_sign_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct view text,
                     const uint8_t signature[SIGN_BYTES]);

#endif
