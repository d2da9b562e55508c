/* What a key is made with, looked at the same way for the API and for the command. */
#ifndef API_KEYFORM_H
#define API_KEYFORM_H

#include "api_credential.h"
#include "api_role.h"
#include "base_limits.h"

#define KEYFORM_LABEL_BYTES 128
#define KEYFORM_NETWORKS_BYTES 1000
#define KEYFORM_CERTIFICATE_BYTES 260
#define KEYFORM_URL_BYTES 400

/* Scopes with blanks between, and the words "send" (SCOPES_USUAL), "all", and "emergency" alone (send and that). */
uint32_t keyform_scopes(struct view list, bool *unknown_r);
/* Addresses and prefixes, blanks between; "" is anywhere. */
bool keyform_networks(struct view list);
/* "sha256:" with 64 small hexadecimal digits, "dns:" with a name, or "". */
bool keyform_certificate(struct view text);
/* An https:// URL of visible ASCII. */
bool keyform_jwks_url(struct view text);
/* A JWK Set with at least one public key that some algorithm takes, and nothing private in it. */
bool keyform_jwks(struct view text);

#endif
