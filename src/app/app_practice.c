/* practice and key: who may send, under which number, and who is told. Every change is an event. */
#include "app_commands.h"

#include "base_time.h"
#include "base_uuid.h"
#include "net_crypto.h"
#include "store_client.h"
#include "text_gsm7.h"

#include <stdio.h>
#include <string.h>

const char practice_help[] =
        "Examples:\n"
        "  smsbridge practice add --name 'Elm Street Clinic' --phone '(212) 555-0100' --sender +12125550199\n"
        "  smsbridge practice set ID --webhook-url https://clinic.example/hooks\n"
        "  smsbridge practice list --json\n"
        "\n"
        "  --name TEXT          as patients know it; at most 40 characters of the GSM alphabet\n"
        "  --phone TEXT         of the front desk, named in confirmations; at most 20 characters\n"
        "  --sender NUMBER      the number that its texts come from and replies go to\n"
        "  --webhook-url URL    where its events go; '' for nowhere. A new signing secret is made when there is none\n"
        "  --webhook-text BOOL  true: replies' text and the full phone go with them; false: they do not\n"
        "  --segments N         segments of a text with characters outside the GSM alphabet, 1 (the default) to 3\n"
        "  --config FILE, --database TEXT, --json\n";

const char key_help[] = "Examples:\n"
                        "  smsbridge key create PRACTICE --label 'scheduler, production'\n"
                        "  smsbridge key list PRACTICE\n"
                        "  smsbridge key revoke KEY-ID\n"
                        "\n"
                        "A key is shown once, when it is made; the database keeps its SHA-256. A revoked key stops "
                        "working within a second.\n"
                        "  --label TEXT, --config FILE, --database TEXT, --json\n";

struct practice_options {
	const char *config, *database, *name, *phone, *sender, *url, *text, *label, *segments;
	bool json;
};

static bool gsm_text(const char *text, size_t max)
{
	struct buf b = BUF(400);
	bool ok = text && *text && strlen(text) <= 2 * max && text_gsm7_encode(view_str(text), &b) && b.n <= max;
	buf_free(&b);
	return ok;
}

static const char *now_text(char to[TIME_TEXT_BYTES])
{
	struct clock system = {0};
	return time_format(clock_read(&system), to);
}

static void make_secret(char to[64])
{
	uint8_t octets[32];
	struct buf b = BUF(64);
	random_bytes(octets, sizeof(octets));
	buf_add_str(&b, "whsec_");
	net_base64(view_of(octets, sizeof(octets)), &b);
	copy_str(to, 64, buf_cstr(&b));
	buf_free(&b);
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

static bool segments_ok(const char *text)
{
	uint64_t n;
	return !text || (parse_u64(view_str(text), 3, &n) && n >= 1);
}

static int practice_add(struct store_client *c, const struct practice_options *o)
{
	char id[UUID_TEXT_BYTES], at[TIME_TEXT_BYTES], secret[64];
	struct uuid_maker maker = {0};
	struct clock system = {0};
	if (!gsm_text(o->name, 40))
		return usage_error("--name takes 1 to 40 characters of the GSM alphabet");
	if (!gsm_text(o->phone, 20))
		return usage_error("--phone takes 1 to 20 characters");
	if (!o->sender || !*o->sender || strlen(o->sender) > 20)
		return usage_error("--sender takes the number that texts come from");
	struct uuid made = uuid_make(&maker, clock_read(&system));
	uuid_format(&made, id);
	make_secret(secret);
	const char *params[] = {id,
	                        o->name,
	                        o->phone,
	                        o->sender,
	                        o->url && *o->url ? o->url : NULL,
	                        secret,
	                        o->text ? o->text : "false",
	                        now_text(at),
	                        o->segments ? o->segments : "1"};
	if (!segments_ok(o->segments))
		return usage_error("--segments takes 1 to 3");
	struct store_table *t = store_client_run(
	        c,
	        "WITH made AS (INSERT INTO smsbridge.practice (id, name, phone, sender, webhook_url, webhook_secret,"
	        " webhook_reply_text, created_at, max_segments) VALUES ($1::uuid, $2, $3, $4, $5, $6, $7::boolean,"
	        " $8::timestamptz, $9::smallint) "
	        "RETURNING *),"
	        " told AS (INSERT INTO smsbridge.event (practice_id, type, at, data) SELECT id, 'practice.changed', "
	        "created_at,"
	        " jsonb_build_object('change', 'added') FROM made)"
	        " SELECT id, name, phone, sender, webhook_url, webhook_secret FROM made",
	        params, 9);
	return finish(c, t, o->json);
}

static int practice_set(struct store_client *c, const char *id, const struct practice_options *o)
{
	char at[TIME_TEXT_BYTES], secret[64];
	make_secret(secret);
	const char *params[] = {id, o->name, o->phone, o->sender, o->url, secret, o->text, now_text(at), o->segments};
	if (!segments_ok(o->segments))
		return usage_error("--segments takes 1 to 3");
	if ((o->name && !gsm_text(o->name, 40)) || (o->phone && !gsm_text(o->phone, 20)))
		return usage_error("--name takes 1 to 40, --phone 1 to 20 characters of the GSM alphabet");
	struct store_table *t = store_client_run(
	        c,
	        "WITH made AS (UPDATE smsbridge.practice SET name = coalesce($2, name), phone = coalesce($3, phone),"
	        " sender = coalesce($4, sender), webhook_url = CASE WHEN $5::text IS NULL THEN webhook_url ELSE "
	        "nullif($5, '') END,"
	        " webhook_secret = coalesce(webhook_secret, $6), webhook_reply_text = coalesce($7::boolean, "
	        "webhook_reply_text), max_segments = coalesce($9::smallint, max_segments)"
	        " WHERE id = $1::uuid RETURNING *),"
	        " told AS (INSERT INTO smsbridge.event (practice_id, type, at, data) SELECT id, 'practice.changed', "
	        "$8::timestamptz,"
	        " jsonb_build_object('change', 'settings') FROM made)"
	        " SELECT id, name, phone, sender, webhook_url, webhook_secret FROM made",
	        params, 9);
	return finish(c, t, o->json);
}

static int practice_list(struct store_client *c, const struct practice_options *o)
{
	struct store_table *t = store_client_run(c,
	                                         "SELECT id, name, phone, sender, webhook_url, webhook_reply_text, "
	                                         "max_segments, created_at FROM smsbridge.practice ORDER BY id",
	                                         NULL, 0);
	if (!t)
		return failure("%s", store_client_error(c));
	app_print_table(t, o->json);
	store_table_free(t);
	return EXIT_OK;
}

static int parse(int argc, char **argv, struct practice_options *o, const char **words)
{
	const struct option_row rows[] = {{"config", &o->config, NULL},
	                                  {"database", &o->database, NULL},
	                                  {"name", &o->name, NULL},
	                                  {"phone", &o->phone, NULL},
	                                  {"sender", &o->sender, NULL},
	                                  {"webhook-url", &o->url, NULL},
	                                  {"webhook-text", &o->text, NULL},
	                                  {"label", &o->label, NULL},
	                                  {"segments", &o->segments, NULL},
	                                  {"json", NULL, &o->json},
	                                  {0}};
	return options_parse(argc, argv, rows, words, 2);
}

int command_practice(int argc, char **argv)
{
	struct practice_options o = {0};
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	if (parse(argc, argv, &o, word) < 0)
		return EXIT_USAGE;
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	if (strcmp(word[0], "add") == 0)
		result = practice_add(c, &o);
	else if (strcmp(word[0], "set") == 0 && *word[1])
		result = practice_set(c, word[1], &o);
	else if (strcmp(word[0], "list") == 0)
		result = practice_list(c, &o);
	else
		result = usage_error("practice takes add, set ID or list");
	store_client_close(c);
	return result;
}

/* --- keys ----------------------------------------------------------------------------------------------------------
 */

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

static int key_create(struct store_client *c, const char *practice, const struct practice_options *o)
{
	char id[17], key[128], hash[2 * SHA256_BYTES + 1], at[TIME_TEXT_BYTES];
	make_key(id, key, hash);
	const char *params[] = {practice, id, hash, o->label ? o->label : "", now_text(at), key};
	struct store_table *t = store_client_run(
	        c,
	        "WITH made AS (INSERT INTO smsbridge.api_key (practice_id, id, secret_hash, label, created_at)"
	        " VALUES ($1::uuid, $2, decode($3, 'hex'), $4, $5::timestamptz) RETURNING *),"
	        " told AS (INSERT INTO smsbridge.event (practice_id, type, at, data) SELECT practice_id, "
	        "'key.created', created_at,"
	        " jsonb_build_object('key', id) FROM made)"
	        " SELECT id, practice_id, label, $6::text AS key FROM made",
	        params, 6);
	return finish(c, t, o->json);
}

static int key_revoke(struct store_client *c, const char *id, const struct practice_options *o)
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

static int key_list(struct store_client *c, const char *practice, const struct practice_options *o)
{
	const char *params[] = {*practice ? practice : NULL};
	struct store_table *t =
	        store_client_run(c,
	                         "SELECT id, practice_id, label, created_at, revoked_at FROM smsbridge.api_key"
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
	struct practice_options o = {0};
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	if (parse(argc, argv, &o, word) < 0)
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
