#include "api_jwks.h"

#include "base_limits.h"

#include <jansson.h>
#include <string.h>

static struct view text_of(const json_t *key, const char *name)
{
	const json_t *v = json_object_get(key, name);
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

static struct jwt_key key_of(const json_t *json)
{
	return (struct jwt_key){.kty = text_of(json, "kty"),
	                        .n = text_of(json, "n"),
	                        .e = text_of(json, "e"),
	                        .crv = text_of(json, "crv"),
	                        .x = text_of(json, "x"),
	                        .y = text_of(json, "y")};
}

static json_t *set_of(struct view text)
{
	return text.n <= LIMIT_JWKS_BYTES ? json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL)
	                                  : NULL;
}

bool jwks_fine(struct view text)
{
	json_t *set = set_of(text);
	const json_t *keys = json_object_get(set, "keys");
	bool some = false, private = false;
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *json = json_array_get(keys, i);
		struct jwt_key key = key_of(json);
		private = private || json_object_get(json, "d") || json_object_get(json, "k");
		some = some || (i < LIMIT_JWKS_KEYS && net_jwt_key_fine(&key));
	}
	json_decref(set);
	return some && !private;
}

/* RFC 7517 4.2, 4.4: what a key says of its own use. */
static bool meant_for(const json_t *json, struct view kid, struct view alg)
{
	struct view use = text_of(json, "use"), its_alg = text_of(json, "alg");
	return (!use.p || view_eq(use, VIEW("sig"))) && (!its_alg.p || view_eq(its_alg, alg)) &&
	       (!kid.p || view_eq(text_of(json, "kid"), kid));
}

enum jwks_answer jwks_verify(struct view text, struct view kid, struct view alg, const struct jwt *token)
{
	json_t *set = set_of(text);
	const json_t *keys = json_object_get(set, "keys");
	enum jwks_answer answer = JWKS_UNKNOWN;
	for (size_t i = 0; answer != JWKS_HOLDS && i < json_array_size(keys) && i < LIMIT_JWKS_KEYS; i++) {
		const json_t *json = json_array_get(keys, i);
		struct jwt_key key = key_of(json);
		if (!meant_for(json, kid, alg))
			continue;
		answer = net_jwt_verify(alg, &key, token) ? JWKS_HOLDS : JWKS_FALSE;
	}
	json_decref(set);
	return answer;
}
