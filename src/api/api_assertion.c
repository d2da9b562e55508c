#include "api_assertion.h"

#include <jansson.h>
#include <string.h>

static json_t *object_of(struct view text)
{
	json_t *json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

static struct view text_of(const json_t *json, const char *name)
{
	const json_t *v = json_object_get(json, name);
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

const char *assertion_read(struct view token, struct assertion *to)
{
	*to = (struct assertion){0};
	if (!net_jwt_split(token, &to->jwt))
		return "The assertion is no signed JWT.";
	to->header = object_of(to->jwt.header);
	to->claims = object_of(to->jwt.payload);
	if (!to->header || !to->claims)
		return "The assertion's header and claims must be JSON objects, without a name twice.";
	to->alg = text_of(to->header, "alg");
	to->kid = text_of(to->header, "kid");
	to->client = text_of(to->claims, "sub");
	if (!net_jwt_alg_known(to->alg))
		return "The assertion must be signed by RS384, ES384, RS256 or ES256.";
	if (json_object_get(to->header, "crit"))
		return "The assertion's header asks for an extension that is not known here.";
	if (json_object_get(to->header, "kid") && !to->kid.p)
		return "The assertion's kid must be a string.";
	return NULL;
}

static bool meant_for(const json_t *aud, const char *audience)
{
	const json_t *one;
	size_t i;
	if (json_is_string(aud))
		return strlen(audience) == json_string_length(aud) && strcmp(json_string_value(aud), audience) == 0;
	json_array_foreach(aud, i, one)
	{
		if (json_is_string(one) && meant_for(one, audience))
			return true;
	}
	return false;
}

/* A NumericDate (RFC 7519 2) in whole seconds; -1 when it is none that a clock could show. */
static int64_t second_of(const json_t *v)
{
	double at = json_is_number(v) ? json_number_value(v) : -1;
	return at >= 0 && at < 253402300800.0 ? (int64_t)at : -1;
}

/* nbf and iat: need not be there, and must not lie ahead. */
static bool begun(const json_t *claims, const char *name, int64_t now_s)
{
	const json_t *v = json_object_get(claims, name);
	int64_t at_s = second_of(v);
	return !v || (at_s >= 0 && at_s <= now_s + ASSERTION_SKEW_S);
}

const char *assertion_check(struct assertion *a, const char *audience, int64_t now_s)
{
	struct view jti = text_of(a->claims, "jti");
	a->exp_s = second_of(json_object_get(a->claims, "exp"));
	if (!a->client.n || !view_eq(a->client, text_of(a->claims, "iss")))
		return "The assertion's iss and sub must both be the client_id.";
	if (!meant_for(json_object_get(a->claims, "aud"), audience))
		return "The assertion is not meant for this token endpoint: see aud.";
	if (a->exp_s < 0 || a->exp_s <= now_s - ASSERTION_SKEW_S)
		return "The assertion is over: see exp.";
	if (a->exp_s > now_s + ASSERTION_AHEAD_S + ASSERTION_SKEW_S)
		return "The assertion's exp may lie five minutes ahead at most.";
	if (!begun(a->claims, "nbf", now_s) || !begun(a->claims, "iat", now_s))
		return "The assertion is not valid yet: see nbf and iat.";
	if (!jti.n || jti.n > ASSERTION_JTI_BYTES)
		return "The assertion needs a jti of 1 to 256 octets.";
	net_sha256(jti, a->jti_hash);
	return NULL;
}

void assertion_free(struct assertion *a)
{
	buf_free(&a->jwt.octets);
	json_decref(a->header);
	json_decref(a->claims);
	*a = (struct assertion){0};
}
