#include "dispatch_webhook_internal.h"

#include "net_crypto.h"

#define SECRET_PREFIX "whsec_"

static void add_v1(const struct webhook_keys *keys, struct view content, struct buf *header)
{
	uint8_t mac[SHA256_BYTES];
	struct buf key = BUF(256);
	struct view secret = view_str(keys->secret);
	size_t prefix = sizeof(SECRET_PREFIX) - 1;
	if (secret.n > prefix && memcmp(secret.p, SECRET_PREFIX, prefix) == 0)
		secret = view_of(secret.p + prefix, secret.n - prefix);
	net_base64_decode(secret, &key);
	net_hmac_sha256(buf_view(&key), content, mac);
	buf_add_str(header, " v1,");
	net_base64(view_of(mac, sizeof(mac)), header);
	buf_free(&key);
}

static void add_v1a(const struct webhook_keys *keys, struct view content, struct buf *header)
{
	uint8_t octets[SIGN_PRIVATE_BYTES];
	uint8_t signature[SIGN_BYTES];
	if (!hex_decode(view_str(keys->private_key), octets, sizeof(octets)))
		return;
	struct net_sign_key *key = net_sign_of(octets);
	net_sign(key, content, signature);
	net_sign_free(key);
	buf_add_str(header, " v1a,");
	net_base64(view_of(signature, sizeof(signature)), header);
}

void webhook_sign(const struct round *r, const char *id, int64_t timestamp_s, const char *payload, struct buf *header)
{
	struct buf content = BUF(1 << 17);
	buf_printf(&content, "%s.%lld.", id, (long long)timestamp_s);
	buf_add_str(&content, payload);
	buf_add_str(header, "webhook-signature:");
	add_v1(&r->now, buf_view(&content), header);
	if (*r->former.secret)
		add_v1(&r->former, buf_view(&content), header);
	add_v1a(&r->now, buf_view(&content), header);
	if (*r->former.secret)
		add_v1a(&r->former, buf_view(&content), header);
	buf_free(&content);
}
