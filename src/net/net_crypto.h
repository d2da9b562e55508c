/* Hashes, MACs and encodings by OpenSSL's EVP. */
#ifndef NET_CRYPTO_H
#define NET_CRYPTO_H

#include "base_bytes.h"

#define SHA256_BYTES 32

void net_sha256(struct view v, uint8_t to[SHA256_BYTES]);
/* The same, piece by piece: net_hash_end gives the hash and frees it. */
struct net_hash;
struct net_hash *net_hash_begin(void);
void net_hash_add(struct net_hash *h, struct view v);
void net_hash_end(struct net_hash *h, uint8_t to[SHA256_BYTES]);
void net_hmac_sha256(struct view key, struct view v, uint8_t to[SHA256_BYTES]);
/* Equality in time that does not depend on the octets. */
bool net_equal(const void *a, const void *b, size_t n);
/* Standard base64 with padding. */
void net_base64(struct view v, struct buf *to);
/* Strict base64; false on any other octet. */
bool net_base64_decode(struct view text, struct buf *to);

#endif
