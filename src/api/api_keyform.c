#include "api_keyform.h"

#include "api_jwks.h"
#include "base_cidr.h"

#include <string.h>

uint32_t keyform_scopes(struct view list, bool *unknown_r)
{
	static const struct {
		const char *word;
		uint32_t scopes;
	} words[] = {{"send", SCOPES_USUAL},
	             {"all", SCOPES_ALL},
	             {"emergency", SCOPES_USUAL | SCOPE_BIT(SCOPE_EMERGENCY)}}; /* what it has always meant */
	*unknown_r = false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (view_eq(list, view_str(words[i].word)))
			return words[i].scopes;
	return scopes_parse(list, unknown_r);
}

bool keyform_networks(struct view list)
{
	struct cidr rows[LIMIT_KEY_NETWORKS];
	size_t at;
	return list.n <= KEYFORM_NETWORKS_BYTES && cidr_list_parse(list, rows, LIMIT_KEY_NETWORKS, &at) >= 0;
}

bool keyform_certificate(struct view text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	char copy[KEYFORM_CERTIFICATE_BYTES];
	if (!copy_view(copy, sizeof(copy), text) || strlen(copy) != text.n)
		return false;
	if (strncmp(copy, "sha256:", 7) == 0)
		return text.n == 7 + 64 && strspn(copy + 7, "0123456789abcdef") == 64;
	if (strncmp(copy, "dns:", 4) == 0)
		return text.n > 4 && strspn(copy + 4, letters) == text.n - 4;
	return text.n == 0;
}

bool keyform_jwks_url(struct view text)
{
	if (text.n < 9 || text.n > KEYFORM_URL_BYTES || !view_eq(view_of(text.p, 8), VIEW("https://")))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= 0x20 || text.p[i] >= 0x7f || text.p[i] == '"' || text.p[i] == '\\')
			return false;
	return true;
}

bool keyform_jwks(struct view text)
{
	return jwks_fine(text);
}
