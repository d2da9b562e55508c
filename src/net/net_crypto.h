/* Hashes, MACs and encodings by OpenSSL's EVP. */
#ifndef NET_CRYPTO_H
#define NET_CRYPTO_H

#include "base_bytes.h"

#define SHA256_BYTES 32

void net_sha256(struct view v, uint8_t to[SHA256_BYTES]);
/* Of what comes in pieces: new, add and add, end (which frees). */
struct net_sum;
struct net_sum *net_sum_new(void);
void net_sum_add(struct net_sum *s, struct view v);
void net_sum_end(struct net_sum *s, uint8_t to[SHA256_BYTES]);
void net_hmac_sha256(struct view key, struct view v, uint8_t to[SHA256_BYTES]);
/* Equality in time that does not depend on the octets. */
bool net_equal(const void *a, const void *b, size_t n);
/* Standard base64 with padding. */
void net_base64(struct view v, struct buf *to);
/* Strict base64; false on any other octet. */
bool net_base64_decode(struct view text, struct buf *to);

#endif
