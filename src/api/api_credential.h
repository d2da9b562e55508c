/* What a request shows of who sends it: an API key (smsb_<id>_<secret>) or an access token (smst_<id>_<secret>), by
 * Bearer (RFC 6750) or by Basic (RFC 7617). */
#ifndef API_CREDENTIAL_H
#define API_CREDENTIAL_H

#include "net_crypto.h"

#define CREDENTIAL_ID_BYTES 17 /* 16 hexadecimal digits */
#define CREDENTIAL_BYTES 96    /* the whole, with its NUL */
#define CREDENTIAL_SECRET_DIGITS 64

struct credential {
	bool token; /* else a key */
	char id[CREDENTIAL_ID_BYTES];
	uint8_t hash[SHA256_BYTES]; /* of the whole */
};

/* The value of an Authorization header. Basic takes a key's id for user and its secret for password, or the whole key
 * for user and no password. False when it is nothing of that. */
bool credential_read(struct view header, struct credential *to);
/* User and password of a Basic header, percent-decoding not applied; text holds both and is the caller's to free, also
 * after false. */
bool credential_basic(struct view header, struct buf *text, struct view *user_r, struct view *password_r);
/* A key by its two parts. */
bool credential_of(struct view id, struct view secret, struct credential *to);
/* A new one: prefix "smsb" or "smst". whole takes CREDENTIAL_BYTES. */
void credential_make(const char *prefix, struct credential *to, char *whole);

#endif
