#include "net_jwt.h"

#include "base_check.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/* RFC 7518 3.1. half: octets of each of the two numbers of an ECDSA signature, and of a coordinate. */
static const struct algorithm {
	const char *name, *type, *curve, *hash;
	unsigned half;
} algorithms[] = {
        {"RS256", "RSA", "", "SHA256", 0},
        {"RS384", "RSA", "", "SHA384", 0},
        {"ES256", "EC", "P-256", "SHA256", 32},
        {"ES384", "EC", "P-384", "SHA384", 48},
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(*algorithms))

static int digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool net_base64url_decode(struct view text, struct buf *to)
{
	uint8_t *room = buf_room(to, text.n / 4 * 3 + 3);
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;
	if (!room || text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int digit = digit_of(text.p[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		held += 6;
		if (held >= 8) {
			held -= 8;
			room[n++] = (uint8_t)(bits >> held);
		}
	}
	to->n += n;
	return (bits & ((1u << held) - 1)) == 0;
}

/* The text up to the next point, which is passed over; all that is left when there is none. */
static struct view piece(struct view *rest)
{
	const uint8_t *point = rest->n ? memchr(rest->p, '.', rest->n) : NULL;
	struct view v = view_of(rest->p, point ? (size_t)(point - rest->p) : rest->n);
	*rest = point ? view_of(point + 1, rest->n - v.n - 1) : (struct view){0};
	return v;
}

bool net_jwt_split(struct view token, struct jwt *to)
{
	struct view rest = token;
	struct view text[3];
	size_t at[4] = {0};
	*to = (struct jwt){.octets = BUF(JWT_BYTES)};
	for (unsigned i = 0; i < 3; i++)
		text[i] = piece(&rest);
	if (token.n > JWT_BYTES || rest.p || !text[0].n || !text[1].n || !text[2].n)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!net_base64url_decode(text[i], &to->octets))
			return false;
		at[i + 1] = to->octets.n;
	}
	to->signed_part = view_of(token.p, text[0].n + 1 + text[1].n);
	to->header = view_of(to->octets.p, at[1]);
	to->payload = view_of(to->octets.p + at[1], at[2] - at[1]);
	to->signature = view_of(to->octets.p + at[2], at[3] - at[2]);
	return true;
}

static const struct algorithm *algorithm_of(struct view alg)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (view_eq(alg, view_str(algorithms[i].name)))
			return &algorithms[i];
	return NULL;
}

bool net_jwt_alg_known(struct view alg)
{
	return algorithm_of(alg);
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

/* NULL when the parameters are no such key. */
static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *parts)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	check(params && ctx);
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* A positive number in octets of base64url; NULL when it is none or longer than max octets. */
static BIGNUM *number_of(struct view text, size_t max)
{
	struct buf b = BUF(max + 3);
	BIGNUM *n = NULL;
	if (text.n && text.n <= max * 2 && net_base64url_decode(text, &b) && b.n <= max)
		n = BN_bin2bn(b.p, (int)b.n, NULL);
	buf_free(&b);
	return n;
}

static EVP_PKEY *rsa_key(const struct jwt_key *key)
{
	EVP_PKEY *made = NULL;
	BIGNUM *n = number_of(key->n, JWT_RSA_BITS_MAX / 8);
	BIGNUM *e = number_of(key->e, 4);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	check(parts);
	if (n && e && BN_num_bits(n) >= JWT_RSA_BITS_MIN && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
	    OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		made = key_from("RSA", parts);
	OSSL_PARAM_BLD_free(parts);
	BN_free(n);
	BN_free(e);
	return made;
}

/* RFC 7518 6.2.1.2: coordinates have all their octets, leading zeros too. */
static EVP_PKEY *ec_key(const struct jwt_key *key, const struct algorithm *a)
{
	struct buf point = BUF(2 * 48 + 8);
	EVP_PKEY *made = NULL;
	buf_add_u8(&point, POINT_CONVERSION_UNCOMPRESSED);
	bool ok = key->x.n <= 64 && key->y.n <= 64 && net_base64url_decode(key->x, &point) && point.n == 1 + a->half &&
	          net_base64url_decode(key->y, &point) && point.n == 1 + 2 * a->half;
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	check(parts);
	if (ok && OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, a->curve, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1)
		made = key_from("EC", parts);
	OSSL_PARAM_BLD_free(parts);
	buf_free(&point);
	return made;
}

/* NULL when it is not one that the algorithm takes. */
static EVP_PKEY *key_of(const struct jwt_key *key, const struct algorithm *a)
{
	EVP_PKEY *made = NULL;
	if (!view_eq(key->kty, view_str(a->type)))
		return NULL;
	if (!a->half)
		made = rsa_key(key);
	else if (view_eq(key->crv, view_str(a->curve)))
		made = ec_key(key, a);
	ERR_clear_error();
	return made;
}

bool net_jwt_key_fine(const struct jwt_key *key)
{
	for (size_t i = 0; i < ALGORITHMS; i++) {
		EVP_PKEY *made = key_of(key, &algorithms[i]);
		EVP_PKEY_free(made);
		if (made)
			return true;
	}
	return false;
}

/* --- signatures --------------------------------------------------------------------------------------------------- */

/* RFC 7518 3.4: r and s side by side; OpenSSL wants them in DER. False when they are not of the right length. */
static bool signature_der(struct view raw, unsigned half, struct buf *to)
{
	if (raw.n != 2 * (size_t)half)
		return false;
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r_part = BN_bin2bn(raw.p, (int)half, NULL);
	BIGNUM *s_part = BN_bin2bn(raw.p + half, (int)half, NULL);
	check(s && r_part && s_part && ECDSA_SIG_set0(s, r_part, s_part) == 1);
	int n = i2d_ECDSA_SIG(s, NULL);
	uint8_t *room = n > 0 ? buf_room(to, (size_t)n) : NULL;
	if (room)
		to->n += (size_t)i2d_ECDSA_SIG(s, &room);
	ECDSA_SIG_free(s);
	return to->n > 0;
}

bool net_jwt_verify(struct view alg, const struct jwt_key *key, const struct jwt *token)
{
	const struct algorithm *a = algorithm_of(alg);
	EVP_PKEY *made = a ? key_of(key, a) : NULL;
	struct buf der = BUF(256);
	struct view signature = token->signature;
	if (!made)
		return false;
	bool ok = !a->half || signature_der(signature, a->half, &der);
	if (a->half)
		signature = buf_view(&der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	check(ctx);
	ok = ok && EVP_DigestVerifyInit_ex(ctx, NULL, a->hash, NULL, NULL, made, NULL) == 1 &&
	     EVP_DigestVerify(ctx, signature.p, signature.n, token->signed_part.p, token->signed_part.n) == 1;
	ERR_clear_error();
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(made);
	buf_free(&der);
	return ok;
}
