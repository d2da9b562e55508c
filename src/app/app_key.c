/* key: what a practice's programs and people may do, from where, and until when. Every change is an event. */
#include "app_commands.h"

#include "api_keyform.h"
#include "app_noted.h"
#include "base_time.h"
#include "store_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char key_help[] =
        "Examples:\n"
        "  smsbridge key create PRACTICE --label 'scheduler, production'\n"
        "  smsbridge key create PRACTICE --label 'charge nurse' --scope emergency\n"
        "  smsbridge key create PRACTICE --label dashboard --scope messages:read,appointments:read \\\n"
        "      --network '192.0.2.0/24 2001:db8::/32' --expires-at 2027-06-30T00:00:00Z\n"
        "  smsbridge key create PRACTICE --label 'Jo Rivera, laptop' --person PERSON-ID\n"
        "  smsbridge key create PRACTICE --label 'EHR' --kind client --jwks-url https://ehr.example/jwks.json\n"
        "  smsbridge key list PRACTICE\n"
        "  smsbridge key revoke KEY-ID\n"
        "\n"
        "A key is shown once, when it is made; the database keeps its SHA-256. To rotate, make a second key with the\n"
        "same label, move over, revoke the first. A key revoked here stops working within a second.\n"
        "  --scope LIST         scopes of docs/keys.md, commas between. send (the default) is all but emergency and\n"
        "                       keys:write; emergency alone is send and that; all is all\n"
        "  --kind WORD          key (the default), or client: it gets tokens at /oauth2/token\n"
        "  --person ID          it is this person's own; it may what the person's role may (--scope narrows)\n"
        "  --expires-at TIME    RFC 3339\n"
        "  --network LIST       addresses and prefixes that it may be used from, blanks between\n"
        "  --certificate TEXT   sha256:HEX or dns:NAME of the client certificate that it must be shown with\n"
        "  --jwks FILE, --jwks-url URL   of a client: its public keys, for private_key_jwt\n"
        "  --label TEXT, --by NAME, --config FILE, --database TEXT, --json\n";

enum { LABEL, SCOPE, KIND, PERSON, EXPIRES, NETWORK, CERTIFICATE, JWKS, JWKS_URL, BY, CONFIG, DATABASE, OPTIONS };
static const char *const names[OPTIONS] = {"label",       "scope", "kind",     "person", "expires-at", "network",
                                           "certificate", "jwks",  "jwks-url", "by",     "config",     "database"};

struct key_options {
	const char *value[OPTIONS];
	bool json;
};

static const char *now_text(char to[TIME_TEXT_BYTES])
{
	struct clock system = {0};
	return time_format(clock_read(&system), to);
}

static const char *by_of(const struct key_options *o)
{
	return o->value[BY] && *o->value[BY] ? o->value[BY] : noted_person();
}

/* The scopes as PostgreSQL writes a list; false with the usage error told. */
static bool take_scopes(const struct key_options *o, struct buf *to)
{
	struct buf blanks = BUF(1024);
	const char *text = o->value[SCOPE] ? o->value[SCOPE] : o->value[PERSON] ? "all" : "send";
	bool unknown = false;
	for (; *text; text++)
		buf_add_u8(&blanks, (uint8_t)(*text == ',' ? ' ' : *text));
	uint32_t scopes = keyform_scopes(buf_view(&blanks), &unknown);
	buf_free(&blanks);
	buf_add_u8(to, '{');
	scopes_write(scopes, ",", to);
	buf_add_u8(to, '}');
	if (!unknown && scopes)
		return true;
	usage_error("--scope takes send, emergency, all, or scopes of docs/keys.md with commas between");
	return false;
}

/* False with the usage error told. */
static bool options_fine(const struct key_options *o)
{
	int64_t at_us;
	bool client = o->value[KIND] && strcmp(o->value[KIND], "client") == 0;
	const char *wrong = NULL;
	if (o->value[KIND] && !client && strcmp(o->value[KIND], "key") != 0)
		wrong = "--kind takes key or client";
	else if (o->value[EXPIRES] && !time_parse(view_str(o->value[EXPIRES]), &at_us))
		wrong = "--expires-at takes an RFC 3339 time with its offset";
	else if (o->value[NETWORK] && !keyform_networks(view_str(o->value[NETWORK])))
		wrong = "--network takes addresses and prefixes, 192.0.2.0/24, blanks between";
	else if (o->value[CERTIFICATE] && !keyform_certificate(view_str(o->value[CERTIFICATE])))
		wrong = "--certificate takes sha256: and 64 hexadecimal digits, or dns: and a name";
	else if (!client && (o->value[JWKS] || o->value[JWKS_URL]))
		wrong = "--jwks and --jwks-url are for --kind client";
	else if (client && o->value[PERSON])
		wrong = "a client is no person";
	else if (o->value[JWKS_URL] && !keyform_jwks_url(view_str(o->value[JWKS_URL])))
		wrong = "--jwks-url takes an https:// URL";
	if (wrong)
		usage_error("%s", wrong);
	return !wrong;
}

/* The content of --jwks, the caller's to free; false with the failure told. */
static bool take_jwks(const struct key_options *o, char **to)
{
	size_t n;
	*to = NULL;
	if (!o->value[JWKS])
		return true;
	*to = app_read_file(o->value[JWKS], LIMIT_JWKS_BYTES, &n);
	if (*to && keyform_jwks(view_of(*to, n)))
		return true;
	failure("%s holds no JSON Web Key Set with a public RSA or EC key", o->value[JWKS]);
	return false;
}

static int tell_made(struct store_client *c, struct store_table *t, const char *id, const char *key, bool json)
{
	const char *word = t ? store_table_cell(t, 0, 0) : NULL;
	const char *params[] = {id, key};
	if (!word)
		return failure("%s", store_client_error(c));
	if (strcmp(word, "person_unknown") == 0)
		return failure("there is no such person");
	if (strcmp(word, "key_limit") == 0)
		return failure("two live keys have this label, or the practice has 100: revoke one first");
	return app_show_table(
	        c,
	        store_client_run(c,
	                         "SELECT id, practice_id, label, array_to_string(scopes, ' ') AS scopes, kind,"
	                         " $2::text AS key FROM smsbridge.api_key WHERE id = $1",
	                         params, 2),
	        "there is no such thing", json);
}

static int key_create(struct store_client *c, const char *practice, const struct key_options *o)
{
	char whole[CREDENTIAL_BYTES], hash[2 * SHA256_BYTES + 1], at[TIME_TEXT_BYTES];
	struct credential made;
	struct buf scopes = BUF(1024);
	char *jwks = NULL;
	int result = EXIT_USAGE;
	credential_make("smsb", &made, whole);
	hex_encode(made.hash, sizeof(made.hash), hash);
	if (options_fine(o) && take_scopes(o, &scopes) && take_jwks(o, &jwks)) {
		const char *const *v = o->value;
		const char *params[] = {practice,
		                        made.id,
		                        hash,
		                        v[KIND] ? v[KIND] : "key",
		                        v[LABEL] ? v[LABEL] : "",
		                        buf_cstr(&scopes),
		                        v[EXPIRES],
		                        v[NETWORK] ? v[NETWORK] : "",
		                        v[CERTIFICATE] ? v[CERTIFICATE] : "",
		                        v[PERSON],
		                        jwks,
		                        v[JWKS_URL],
		                        now_text(at),
		                        by_of(o)};
		struct store_table *t = store_client_run(c,
		                                         "SELECT smsbridge.key_make($1::uuid, $2, decode($3, 'hex'), "
		                                         "$4, $5, $6::text[], $7::timestamptz,"
		                                         " $8, $9, $10::uuid, $11::jsonb, $12, $13::timestamptz, $14)",
		                                         params, 14);
		result = tell_made(c, t, made.id, whole, o->json);
		store_table_free(t);
	}
	free(jwks);
	buf_free(&scopes);
	return result;
}

static int key_revoke(struct store_client *c, const char *id, const struct key_options *o)
{
	char at[TIME_TEXT_BYTES];
	const char *params[] = {id, now_text(at), by_of(o)};
	return app_show_table(
	        c,
	        store_client_run(c,
	                         "WITH done AS MATERIALIZED (SELECT smsbridge.key_revoke(NULL, $1, $2::timestamptz,"
	                         " $3) AS ok) SELECT k.id, k.practice_id, k.label, $2 AS revoked_at"
	                         " FROM done JOIN smsbridge.api_key k ON done.ok AND k.id = $1",
	                         params, 3),
	        "there is no such thing", o->json);
}

static int key_list(struct store_client *c, const char *practice, const struct key_options *o)
{
	const char *params[] = {*practice ? practice : NULL};
	struct store_table *t = store_client_run(
	        c,
	        "SELECT k.id, k.practice_id, k.label, k.kind, array_to_string(k.scopes, ' ') AS scopes, p.name AS "
	        "person,"
	        " k.expires_at, k.networks, k.certificate, k.created_at, k.created_by, k.used_at, k.used_from,"
	        " k.revoked_at, k.revoked_by FROM smsbridge.api_key k LEFT JOIN smsbridge.person p"
	        " ON p.practice_id = k.practice_id AND p.id = k.person_id"
	        " WHERE $1::uuid IS NULL OR k.practice_id = $1 ORDER BY k.created_at, k.id",
	        params, 1);
	if (!t)
		return failure("%s", store_client_error(c));
	app_print_table(t, o->json);
	store_table_free(t);
	return EXIT_OK;
}

int command_key(int argc, char **argv)
{
	struct key_options o = {0};
	struct option_row rows[OPTIONS + 2] = {{"json", NULL, &o.json}};
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	for (unsigned i = 0; i < OPTIONS; i++)
		rows[1 + i] = (struct option_row){names[i], &o.value[i], NULL};
	if (options_parse(argc, argv, rows, word, 2) < 0)
		return EXIT_USAGE;
	struct store_client *c = app_database(o.value[CONFIG], o.value[DATABASE], false, &result);
	if (!c)
		return result;
	if (strcmp(word[0], "create") == 0 && *word[1])
		result = key_create(c, word[1], &o);
	else if (strcmp(word[0], "revoke") == 0 && *word[1])
		result = key_revoke(c, word[1], &o);
	else if (strcmp(word[0], "list") == 0)
		result = key_list(c, word[1], &o);
	else
		result = usage_error("key takes create PRACTICE, list [PRACTICE] or revoke KEY-ID");
	store_client_close(c);
	return result;
}
