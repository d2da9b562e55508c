#include "api_webhook.h"

#include "base_uuid.h"
#include "net_crypto.h"
#include "net_sign.h"
#include "net_url.h"

#include <stdio.h>

void webhook_secret(char to[WEBHOOK_SECRET_BYTES])
{
	uint8_t octets[32];
	struct buf b = BUF(WEBHOOK_SECRET_BYTES);
	random_bytes(octets, sizeof(octets));
	buf_add_str(&b, "whsec_");
	net_base64(view_of(octets, sizeof(octets)), &b);
	copy_str(to, WEBHOOK_SECRET_BYTES, buf_cstr(&b));
	buf_free(&b);
}

const char *webhook_url_fault(const char *url)
{
	const struct net_url_rules rules = {.plain_ok = true, .private_ok = true, .loopback_ok = true};
	enum net_url_fault fault = net_url_check(view_str(url), &rules);
	return fault == NET_URL_OK ? NULL : net_url_sentence(fault);
}

bool webhook_type(struct view type)
{
	enum { NEVER, PRACTICE };
	static const struct {
		const char *code;
		int webhook;
	} rows[] = {
#define EVENT(name, code, webhook, sentence) {code, webhook},
#include "event.def"
#undef EVENT
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].webhook == PRACTICE && view_eq(view_str(rows[i].code), type))
			return true;
	return false;
}

bool webhook_event(struct view id, char xact[24], int64_t *event_id_r)
{
	uint64_t n;
	if (id.n < 7 || memcmp(id.p, "evt_", 4) != 0)
		return false;
	struct view rest = view_of(id.p + 4, id.n - 4);
	const uint8_t *line = memchr(rest.p, '_', rest.n);
	if (!line || !parse_u64(view_of(rest.p, (size_t)(line - rest.p)), INT64_MAX, &n))
		return false;
	snprintf(xact, 24, "%llu", (unsigned long long)n);
	struct view event = view_of(line + 1, rest.n - (size_t)(line + 1 - rest.p));
	bool ok = parse_u64(event, INT64_MAX, &n);
	*event_id_r = (int64_t)n;
	return ok;
}

void webhook_public(struct view private_hex, struct buf *to)
{
	uint8_t octets[SIGN_PRIVATE_BYTES], public[SIGN_PUBLIC_BYTES];
	if (private_hex.n != 2 * sizeof(octets) || !hex_decode(private_hex, octets, sizeof(octets)))
		return;
	struct net_sign_key *key = net_sign_of(octets);
	net_sign_public(key, public);
	net_sign_free(key);
	buf_add_str(to, "whpk_");
	net_base64(view_of(public, sizeof(public)), to);
}
