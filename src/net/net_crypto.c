#include "net_crypto.h"

#include "base_check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void net_sha256(struct view v, uint8_t to[SHA256_BYTES])
{
	/* Fetching by name costs more than hashing 200 octets: fetch once. */
	static EVP_MD *md;
	static EVP_MD_CTX *ctx;
	if (!md) {
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
		ctx = EVP_MD_CTX_new();
	}
	unsigned n = SHA256_BYTES;
	check(md && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, v.p, v.n) == 1 &&
	      EVP_DigestFinal_ex(ctx, to, &n) == 1);
}

/* The context of OpenSSL itself under a name of ours. */
struct net_hash *net_hash_begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	check(ctx && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1);
	return (struct net_hash *)ctx;
}

void net_hash_add(struct net_hash *h, struct view v)
{
	check(EVP_DigestUpdate((EVP_MD_CTX *)h, v.p, v.n) == 1);
}

void net_hash_end(struct net_hash *h, uint8_t to[SHA256_BYTES])
{
	unsigned n = SHA256_BYTES;
	check(EVP_DigestFinal_ex((EVP_MD_CTX *)h, to, &n) == 1);
	EVP_MD_CTX_free((EVP_MD_CTX *)h);
}

void net_hmac_sha256(struct view key, struct view v, uint8_t to[SHA256_BYTES])
{
	size_t n = 0;
	check(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.p, key.n, v.p, v.n, to, SHA256_BYTES, &n));
	check(n == SHA256_BYTES);
}

bool net_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void net_base64(struct view v, struct buf *to)
{
	uint8_t *room = buf_room(to, (v.n + 2) / 3 * 4 + 1);
	if (room)
		to->n += (size_t)EVP_EncodeBlock(room, v.p, (int)v.n);
}

bool net_base64_decode(struct view text, struct buf *to)
{
	uint8_t *room = buf_room(to, text.n / 4 * 3 + 3);
	if (!room || text.n % 4 != 0 || text.n > 1u << 20)
		return false;
	int n = EVP_DecodeBlock(room, text.p, (int)text.n);
	if (n < 0)
		return false;
	size_t padding = 0;
	while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=')
		padding++;
	to->n += (size_t)n - padding;
	return true;
}
