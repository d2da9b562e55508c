#include "api_credential.h"

#include "base_uuid.h"

#include <stdio.h>
#include <string.h>

#define HEADER_MAX 400 /* of a Basic header with a whole key: 140 */

static bool digits(struct view v, size_t n)
{
	for (size_t i = 0; i < v.n; i++)
		if (!(v.p[i] >= '0' && v.p[i] <= '9') && !(v.p[i] >= 'a' && v.p[i] <= 'f'))
			return false;
	return v.n == n;
}

/* "smsb_<id>_<secret>", "smst_<id>_<secret>" */
static bool take_whole(struct view v, struct credential *to)
{
	const size_t id_at = 5, secret_at = id_at + CREDENTIAL_ID_BYTES;
	if (v.n != secret_at + CREDENTIAL_SECRET_DIGITS || v.p[secret_at - 1] != '_')
		return false;
	to->token = view_eq(view_of(v.p, id_at), VIEW("smst_"));
	if (!to->token && !view_eq(view_of(v.p, id_at), VIEW("smsb_")))
		return false;
	struct view id = view_of(v.p + id_at, CREDENTIAL_ID_BYTES - 1);
	copy_view(to->id, sizeof(to->id), id);
	net_sha256(v, to->hash);
	return digits(id, id.n) && digits(view_of(v.p + secret_at, CREDENTIAL_SECRET_DIGITS), CREDENTIAL_SECRET_DIGITS);
}

bool credential_of(struct view id, struct view secret, struct credential *to)
{
	char whole[CREDENTIAL_BYTES];
	if (!digits(id, CREDENTIAL_ID_BYTES - 1) || !digits(secret, CREDENTIAL_SECRET_DIGITS))
		return false;
	snprintf(whole, sizeof(whole), "smsb_%.*s_%.*s", (int)id.n, (const char *)id.p, (int)secret.n,
	         (const char *)secret.p);
	return take_whole(view_str(whole), to);
}

bool credential_basic(struct view header, struct buf *text, struct view *user_r, struct view *password_r)
{
	*text = BUF(HEADER_MAX);
	if (header.n < 6 || header.n > HEADER_MAX || !view_eq_nocase(view_of(header.p, 6), VIEW("basic ")) ||
	    !net_base64_decode(view_trim(view_of(header.p + 6, header.n - 6)), text))
		return false;
	const uint8_t *colon = text->n ? memchr(text->p, ':', text->n) : NULL;
	if (!colon)
		return false;
	*user_r = view_of(text->p, (size_t)(colon - text->p));
	*password_r = view_of(colon + 1, text->n - user_r->n - 1);
	return true;
}

bool credential_read(struct view header, struct credential *to)
{
	struct buf text;
	struct view user, password;
	*to = (struct credential){0};
	if (header.n > 7 && header.n <= HEADER_MAX && view_eq_nocase(view_of(header.p, 7), VIEW("bearer ")))
		return take_whole(view_trim(view_of(header.p + 7, header.n - 7)), to);
	bool ok = credential_basic(header, &text, &user, &password) &&
	          (password.n ? credential_of(user, password, to) : take_whole(user, to) && !to->token);
	buf_free(&text);
	return ok;
}

void credential_make(const char *prefix, struct credential *to, char *whole)
{
	uint8_t octets[40];
	char secret[CREDENTIAL_SECRET_DIGITS + 1];
	random_bytes(octets, sizeof(octets));
	hex_encode(octets, 8, to->id);
	hex_encode(octets + 8, 32, secret);
	snprintf(whole, CREDENTIAL_BYTES, "%s_%s_%s", prefix, to->id, secret);
	to->token = strcmp(prefix, "smst") == 0;
	net_sha256(view_str(whole), to->hash);
}
