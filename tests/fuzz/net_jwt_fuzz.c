/* Any octets as a token and as a key: pieces that lie in their own octets and encode back to what they came from, no
 * key that is none, and no signature that holds, since nobody here has a private key. */
#include "base_check.h"
#include "net_crypto.h"
#include "net_jwt.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Another encoder is the judge: standard base64, its two last letters and its padding changed. */
static void check_back(struct view text, struct view octets)
{
	struct buf b = BUF(2 * JWT_BYTES);
	net_base64(octets, &b);
	while (b.n && b.p[b.n - 1] == '=')
		b.n--;
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' : b.p[i];
	check(view_eq(buf_view(&b), text));
	buf_free(&b);
}

static void check_token(struct view token)
{
	static const struct jwt_key rsa = {.kty = {(const uint8_t *)"RSA", 3}};
	struct jwt t;
	if (net_jwt_split(token, &t)) {
		const uint8_t *point = memchr(token.p, '.', token.n);
		check(t.header.n + t.payload.n + t.signature.n == t.octets.n && t.signed_part.n < token.n);
		check_back(view_of(token.p, (size_t)(point - token.p)), t.header);
		check_back(view_of(token.p + t.signed_part.n + 1, token.n - t.signed_part.n - 1), t.signature);
		check(!net_jwt_verify(VIEW("RS384"), &rsa, &t));
	}
	buf_free(&t.octets);
}

/* The first octet says the type, the next two the lengths of the parts. */
static void check_key(struct view v)
{
	static const char *const curves[] = {"", "P-256", "P-384"};
	struct cursor c = cursor_over(v);
	unsigned kind = cursor_u8(&c) % 3;
	size_t first = cursor_u8(&c);
	struct view a = cursor_take(&c, first);
	struct view b = cursor_take(&c, cursor_left(&c));
	struct jwt_key key = {
	        .kty = kind ? VIEW("EC") : VIEW("RSA"), .n = a, .e = b, .crv = view_str(curves[kind]), .x = a, .y = b};
	struct jwt t = {.signed_part = a, .signature = b};
	(void)net_jwt_key_fine(&key);
	check(!net_jwt_verify(VIEW("none"), &key, &t) && !net_jwt_verify(VIEW("HS256"), &key, &t));
	check(!net_jwt_verify(kind == 1 ? VIEW("ES256") : kind ? VIEW("ES384") : VIEW("RS256"), &key, &t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_token(view_of(data, size));
	check_key(view_of(data, size));
	return 0;
}
