/* key: what a practice's programs may do, and until when. Every change is an event. */
#include "app_commands.h"

#include "base_time.h"
#include "base_uuid.h"
#include "net_crypto.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

const char key_help[] = "Examples:\n"
                        "  smsbridge key create PRACTICE --label 'scheduler, production'\n"
                        "  smsbridge key create PRACTICE --label 'charge nurse' --scope emergency\n"
                        "  smsbridge key list PRACTICE\n"
                        "  smsbridge key revoke KEY-ID\n"
                        "\n"
                        "A key is shown once, when it is made; the database keeps its SHA-256. A revoked key stops "
                        "working within a second.\n"
                        "  --scope NAME         send (the default), or emergency: it sends, and orders and approves\n"
                        "                       emergency texts too\n"
                        "  --label TEXT, --config FILE, --database TEXT, --json\n";

struct key_options {
	const char *config, *database, *label, *scope;
	bool json;
};

static const char *now_text(char to[TIME_TEXT_BYTES])
{
	struct clock system = {0};
	return time_format(clock_read(&system), to);
}

static int finish(struct store_client *c, struct store_table *t, bool json)
{
	int result = EXIT_OK;
	if (!t)
		result = failure("%s", store_client_error(c));
	else if (store_table_rows(t) == 0)
		result = failure("there is no such thing");
	else
		app_print_table(t, json);
	store_table_free(t);
	return result;
}

/* smsb_<16 hex digits>_<64 hex digits>: letters and digits only, so that a double click takes it whole. */
static void make_key(char id[17], char key[128], char hash[2 * SHA256_BYTES + 1])
{
	uint8_t octets[40];
	uint8_t sum[SHA256_BYTES];
	char secret[65];
	random_bytes(octets, sizeof(octets));
	hex_encode(octets, 8, id);
	hex_encode(octets + 8, 32, secret);
	snprintf(key, 128, "smsb_%s_%s", id, secret);
	net_sha256(view_str(key), sum);
	hex_encode(sum, sizeof(sum), hash);
}

static int key_create(struct store_client *c, const char *practice, const struct key_options *o)
{
	char id[17], key[128], hash[2 * SHA256_BYTES + 1], at[TIME_TEXT_BYTES];
	make_key(id, key, hash);
	if (o->scope && strcmp(o->scope, "send") != 0 && strcmp(o->scope, "emergency") != 0)
		return usage_error("--scope takes send or emergency");
	const char *scopes = o->scope && strcmp(o->scope, "emergency") == 0 ? "{send,emergency}" : "{send}";
	const char *params[] = {practice, id, hash, o->label ? o->label : "", now_text(at), key, scopes};
	struct store_table *t = store_client_run(
	        c,
	        "WITH made AS (INSERT INTO smsbridge.api_key (practice_id, id, secret_hash, label, created_at, scopes)"
	        " VALUES ($1::uuid, $2, decode($3, 'hex'), $4, $5::timestamptz, $7::text[]) RETURNING *),"
	        " told AS (INSERT INTO smsbridge.event (practice_id, type, at, data) SELECT practice_id, "
	        "'key.created', created_at,"
	        " jsonb_build_object('key', id, 'scopes', scopes) FROM made)"
	        " SELECT id, practice_id, label, scopes, $6::text AS key FROM made",
	        params, 7);
	return finish(c, t, o->json);
}

static int key_revoke(struct store_client *c, const char *id, const struct key_options *o)
{
	char at[TIME_TEXT_BYTES];
	const char *params[] = {id, now_text(at)};
	struct store_table *t = store_client_run(c,
	                                         "WITH made AS (UPDATE smsbridge.api_key SET revoked_at = "
	                                         "$2::timestamptz WHERE id = $1 AND revoked_at IS NULL"
	                                         " RETURNING *), told AS (INSERT INTO smsbridge.event (practice_id, "
	                                         "type, at, data) SELECT practice_id, 'key.revoked',"
	                                         " revoked_at, jsonb_build_object('key', id) FROM made)"
	                                         " SELECT id, practice_id, label, revoked_at FROM made",
	                                         params, 2);
	return finish(c, t, o->json);
}

static int key_list(struct store_client *c, const char *practice, const struct key_options *o)
{
	const char *params[] = {*practice ? practice : NULL};
	struct store_table *t =
	        store_client_run(c,
	                         "SELECT id, practice_id, label, scopes, created_at, revoked_at FROM smsbridge.api_key"
	                         " WHERE $1::uuid IS NULL OR practice_id = $1 ORDER BY created_at",
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
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	const struct option_row rows[] = {{"config", &o.config, NULL}, {"database", &o.database, NULL},
	                                  {"label", &o.label, NULL},   {"scope", &o.scope, NULL},
	                                  {"json", NULL, &o.json},     {0}};
	if (options_parse(argc, argv, rows, word, 2) < 0)
		return EXIT_USAGE;
	struct store_client *c = app_database(o.config, o.database, false, &result);
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
