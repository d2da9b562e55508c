/* practice: who may send, under which number, by which rules of its own, and who is told. Every change is an event with
 * all settings but secrets, so that what held at any time can be read from the events alone. */
#include "app_commands.h"
#include "api_webhook.h"

#include "base_time.h"
#include "base_uuid.h"
#include "store_client.h"
#include "text_gsm7.h"

#include <stdio.h>
#include <string.h>

/* The version of docs/attestation.md that a practice attests. */
#define ATTESTATION "2026-11"

const char practice_help[] =
        "Examples:\n"
        "  smsbridge practice add --name 'Elm Street Clinic' --phone '(212) 555-0100' --sender +12125550199 \\\n"
        "      --attested-by 'Jo Rivera, compliance'\n"
        "  smsbridge practice set ID --webhook-url https://clinic.example/hooks\n"
        "  smsbridge practice set ID --open 09:00 --close 19:00 --two-person true\n"
        "  smsbridge practice list --json\n"
        "\n"
        "  --name TEXT          as patients know it; at most 40 characters of the GSM alphabet\n"
        "  --phone TEXT         of the front desk, named in confirmations; at most 20 characters\n"
        "  --sender NUMBER      the number that its texts come from and replies go to\n"
        "  --shared BOOL        true: other practices that say so too may have this sender; a STOP to it is for all\n"
        "  --webhook-url URL    where its events go; '' for nowhere. With the first URL a signing secret is made and\n"
        "                       shown. More, and all else about webhooks: `smsbridge webhook`\n"
        "  --webhook-text BOOL  true: replies' text and the full phone go with them; false: they do not\n"
        "  --segments N         segments of a text with characters outside the GSM alphabet, 1 (the default) to 3\n"
        "Consent:\n"
        "  --attested-by NAME   who attests, for the practice, that each number that it hands in was given to it by\n"
        "                       the patient for texts about health care (words " ATTESTATION
        ", docs/attestation.md). Without\n"
        "                       it nothing of health care goes without a consent on record. '' takes it back\n"
        "  --baa TEXT           the business associate agreement, 45 CFR 164.504(e)\n"
        "Names and content:\n"
        "  --legal-name TEXT, --display-name TEXT (neutral, for patients' eyes), --url URL, --state XX\n"
        "  --sensitive BOOL     to be its patient is itself protected (42 CFR part 2)\n"
        "  --lint-phi WORD      refuse (the default) or warn, when a text seems to say too much of a patient\n"
        "  --link-domain LIST   domains that its links may lead to, commas between\n"
        "  --require-identity BOOL   texts of health care must have name, contact and STOP (true for new practices);\n"
        "                       false where the sender's registered campaign or brand tells them\n"
        "  --reply-ack BOOL     true: a patient's answer to a reminder is acknowledged by a text (false)\n"
        "Limits:\n"
        "  --open HH:MM, --close HH:MM   narrower sending hours, within 08:00 and 21:00; '' for none\n"
        "  --two-person BOOL    an emergency text needs a second person's approval\n"
        "  --retention-days N   days until a text's words are taken out, 1 to 3650 (90)\n"
        "  --at TIME            since when, RFC 3339, of what is recorded afterwards; now when absent\n"
        "  --config FILE, --database TEXT, --json\n";

/* --- what a setting takes ------------------------------------------------------------------------------------------
 */

static bool gsm_text(const char *text, size_t max)
{
	struct buf b = BUF(400);
	bool ok = *text && strlen(text) <= 2 * max && text_gsm7_encode(view_str(text), &b) && b.n <= max;
	buf_free(&b);
	return ok;
}

static bool name_ok(const char *text)
{
	return gsm_text(text, 40);
}

static bool phone_ok(const char *text)
{
	return gsm_text(text, 20);
}

static bool sender_ok(const char *text)
{
	return *text && strlen(text) <= 20;
}

static bool display_ok(const char *text)
{
	return !*text || gsm_text(text, 40);
}

static bool any_ok(const char *text)
{
	return strlen(text) <= 400;
}

static bool bool_ok(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static bool number_ok(const char *text, uint64_t max)
{
	uint64_t n;
	return parse_u64(view_str(text), max, &n) && n >= 1;
}

static bool segments_ok(const char *text)
{
	return number_ok(text, 3);
}

static bool days_ok(const char *text)
{
	return number_ok(text, 3650);
}

static bool state_ok(const char *text)
{
	return !*text || (strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2);
}

static bool lint_ok(const char *text)
{
	return strcmp(text, "refuse") == 0 || strcmp(text, "warn") == 0;
}

/* '' or HH:MM from 08:00 to 21:00. */
static bool hour_ok(const char *text)
{
	uint64_t hour, minute;
	if (!*text)
		return true;
	return strlen(text) == 5 && text[2] == ':' && parse_u64(view_of(text, 2), 21, &hour) &&
	       parse_u64(view_of(text + 3, 2), 59, &minute) && hour >= 8 && hour * 60 + minute <= 21 * 60;
}

static bool domains_ok(const char *text)
{
	return strlen(text) <= 400 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-,") == strlen(text);
}

/* --- settings ------------------------------------------------------------------------------------------------------
 */

/* An option, the column that it sets, and how: %s stands for the parameter. A second row of an option sets another
 * column by it. */
struct setting {
	const char *option;
	const char *column;
	const char *expression;
	bool needed; /* by `add` */
	bool (*ok)(const char *text);
	const char *takes;
};

#define PLAIN "%s"
#define OR_NULL "nullif(%s, '')"
#define BOOLEAN "%s::boolean"
#define MINUTE "nullif(split_part(%s, ':', 1), '')::smallint * 60 + nullif(split_part(%s, ':', 2), '')::smallint"
#define IF_ATTESTED(then) "CASE WHEN %s <> '' THEN " then " END"

static const struct setting settings[] = {
        {"name", "name", PLAIN, true, name_ok, "1 to 40 characters of the GSM alphabet"},
        {"phone", "phone", PLAIN, true, phone_ok, "1 to 20 characters of the GSM alphabet"},
        {"sender", "sender", PLAIN, true, sender_ok, "the number that texts come from"},
        {"shared", "sender_shared", BOOLEAN, false, bool_ok, "true or false"},
        {"segments", "max_segments", "%s::smallint", false, segments_ok, "1 to 3"},
        {"attested-by", "consent_mode", "CASE WHEN %s = '' THEN 'recorded' ELSE 'attested' END", false, any_ok,
         "the name of a person"},
        {"attested-by", "attested_by", OR_NULL, false, any_ok, ""},
        {"attested-by", "attested_at", IF_ATTESTED("$2::timestamptz"), false, any_ok, ""},
        {"attested-by", "attestation", IF_ATTESTED("'" ATTESTATION "'"), false, any_ok, ""},
        {"baa", "baa", OR_NULL, false, any_ok, "a text"},
        {"legal-name", "legal_name", OR_NULL, false, any_ok, "a text"},
        {"display-name", "display_name", OR_NULL, false, display_ok, "1 to 40 characters of the GSM alphabet"},
        {"url", "url", OR_NULL, false, any_ok, "a URL"},
        {"state", "state", OR_NULL, false, state_ok, "two capital letters"},
        {"sensitive", "sensitive", BOOLEAN, false, bool_ok, "true or false"},
        {"lint-phi", "lint_phi", PLAIN, false, lint_ok, "refuse or warn"},
        {"link-domain", "link_domains", "string_to_array(%s, ',')", false, domains_ok,
         "domains in small letters, commas between"},
        {"require-identity", "require_identity", BOOLEAN, false, bool_ok, "true or false"},
        {"open", "open_minute", MINUTE, false, hour_ok, "HH:MM from 08:00 to 21:00"},
        {"close", "close_minute", MINUTE, false, hour_ok, "HH:MM from 08:00 to 21:00"},
        {"reply-ack", "reply_ack", BOOLEAN, false, bool_ok, "true or false"},
        {"two-person", "two_person", BOOLEAN, false, bool_ok, "true or false"},
        {"retention-days", "retention_days", "%s::integer", false, days_ok, "1 to 3650"},
};
#define SETTINGS (sizeof(settings) / sizeof(*settings))

enum {
	P_ID,
	P_AT,
	P_SECRET,
	P_HOOK_URL,
	P_HOOK_TEXT,
	P_FIRST
}; /* parameters of both statements, then those of the settings given */

struct practice_options {
	const char *config, *database, *at;
	const char *hook_url, *hook_text; /* NULL: not given */
	const char *value[SETTINGS];      /* NULL: not given */
	bool json;
};

/* The first row of an option checks it; later ones take its value. False with the usage error told. */
static bool check_settings(struct practice_options *o, bool add)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (i > 0 && strcmp(settings[i].option, settings[i - 1].option) == 0)
			o->value[i] = o->value[i - 1];
		bool missing = add && settings[i].needed && !o->value[i];
		if (missing || (o->value[i] && !settings[i].ok(o->value[i]))) {
			usage_error("--%s takes %s", settings[i].option, settings[i].takes);
			return false;
		}
	}
	if (o->hook_text && !bool_ok(o->hook_text)) {
		usage_error("--webhook-text takes true or false");
		return false;
	}
	return !o->hook_url || !*o->hook_url || app_webhook_url(o->hook_url, "webhook-url");
}

static void add_expression(struct buf *sql, const char *expression, unsigned parameter)
{
	char name[24];
	snprintf(name, sizeof(name), "$%u::text", parameter);
	for (const char *at = expression; *at;) {
		size_t n = strncmp(at, "%s", 2) == 0 ? 2 : 1;
		buf_add_view(sql, n == 2 ? view_str(name) : view_of(at, 1));
		at += n;
	}
}

/* The event, and what the command prints. */
static void add_end(struct buf *sql, const char *change)
{
	buf_printf(sql,
	           " RETURNING *), told AS (INSERT INTO smsbridge.event (practice_id, type, at, data)"
	           " SELECT id, 'practice.changed', $2::timestamptz, jsonb_build_object('change', '%s', 'settings',"
	           " to_jsonb(made)) FROM made)"
	           ", joined AS (SELECT smsbridge.sender_joined(id, sender, $2::timestamptz) FROM made"
	           " WHERE sender_shared)"
	           " SELECT id, name, phone, sender, w.webhook_url, w.webhook_secret, consent_mode FROM made"
	           " LEFT JOIN LATERAL smsbridge.practice_webhook(made.id, $4::text, $5::boolean, $3::text,"
	           " $2::timestamptz) w ON true WHERE (SELECT count(*) FROM joined) <= 1",
	           change);
}

static void write_add(const struct practice_options *o, const char **params, unsigned *count, struct buf *sql)
{
	struct buf values = BUF(8192);
	buf_add_str(sql, "WITH made AS (INSERT INTO smsbridge.practice (id, created_at");
	buf_add_str(&values, ") VALUES ($1::uuid, $2::timestamptz");
	for (size_t i = 0; i < SETTINGS; i++) {
		if (!o->value[i])
			continue;
		params[(*count)++] = o->value[i];
		buf_printf(sql, ", %s", settings[i].column);
		buf_add_str(&values, ", ");
		add_expression(&values, settings[i].expression, *count);
	}
	buf_printf(sql, "%s)", buf_cstr(&values));
	buf_free(&values);
	add_end(sql, "added");
}

static void write_set(const struct practice_options *o, const char **params, unsigned *count, struct buf *sql)
{
	buf_add_str(sql, "WITH made AS (UPDATE smsbridge.practice SET created_at = created_at");
	for (size_t i = 0; i < SETTINGS; i++) {
		if (!o->value[i])
			continue;
		params[(*count)++] = o->value[i];
		buf_printf(sql, ", %s = ", settings[i].column);
		add_expression(sql, settings[i].expression, *count);
	}
	buf_add_str(sql, " WHERE id = $1::uuid");
	add_end(sql, "settings");
}

static int finish(struct store_client *c, struct store_table *t, bool json)
{
	int result = EXIT_OK;
	if (!t)
		result = failure("%s", store_client_error(c));
	else if (store_table_rows(t) == 0)
		result = failure("there is no such practice");
	else
		app_print_table(t, json);
	store_table_free(t);
	return result;
}

/* id NULL: a new one. */
static int practice_change(struct store_client *c, const char *id, struct practice_options *o)
{
	char made[UUID_TEXT_BYTES], at[TIME_TEXT_BYTES], secret[WEBHOOK_SECRET_BYTES];
	const char *params[P_FIRST + SETTINGS] = {id, o->at, secret, o->hook_url, o->hook_text};
	unsigned count = P_FIRST;
	struct clock system = {0};
	struct uuid_maker maker = {0};
	struct uuid fresh = uuid_make(&maker, clock_read(&system));
	struct buf sql = BUF(16384);
	if (!check_settings(o, !id))
		return EXIT_USAGE;
	webhook_secret(secret);
	if (!o->at)
		params[P_AT] = time_format(clock_read(&system), at);
	if (!id)
		params[P_ID] = uuid_format(&fresh, made);
	if (id)
		write_set(o, params, &count, &sql);
	else
		write_add(o, params, &count, &sql);
	struct store_table *t = store_client_run(c, buf_cstr(&sql), params, count);
	buf_free(&sql);
	return finish(c, t, o->json);
}

static int practice_list(struct store_client *c, const struct practice_options *o)
{
	struct store_table *t = store_client_run(
	        c,
	        "SELECT p.id, name, phone, sender, w.url AS webhook_url, coalesce(w.reply_text, false) AS"
	        " webhook_reply_text, max_segments, p.created_at, consent_mode,"
	        " attested_by, attested_at, attestation, baa, legal_name, display_name, p.url, p.state, sensitive, "
	        "lint_phi,"
	        " array_to_string(link_domains, ',') AS link_domains, open_minute, close_minute, two_person,"
	        " retention_days, require_identity FROM smsbridge.practice p LEFT JOIN smsbridge.webhook_endpoint w"
	        " ON w.practice_id = p.id AND w.id = p.id AND w.state = 'enabled' ORDER BY p.id",
	        NULL, 0);
	if (!t)
		return failure("%s", store_client_error(c));
	app_print_table(t, o->json);
	store_table_free(t);
	return EXIT_OK;
}

static int parse(int argc, char **argv, struct practice_options *o, const char **words)
{
	struct option_row rows[SETTINGS + 7] = {
	        {"config", &o->config, NULL},        {"database", &o->database, NULL},      {"at", &o->at, NULL},
	        {"webhook-url", &o->hook_url, NULL}, {"webhook-text", &o->hook_text, NULL}, {"json", NULL, &o->json}};
	for (size_t i = 0; i < SETTINGS; i++) /* of the rows of one option the first is found */
		rows[6 + i] = (struct option_row){settings[i].option, &o->value[i], NULL};
	return options_parse(argc, argv, rows, words, 2);
}

int command_practice(int argc, char **argv)
{
	struct practice_options o = {0};
	const char *word[2] = {"", ""};
	int64_t at_us;
	int result = EXIT_USAGE;
	if (parse(argc, argv, &o, word) < 0)
		return EXIT_USAGE;
	if (o.at && !time_parse(view_str(o.at), &at_us))
		return usage_error("--at takes an RFC 3339 time with its offset");
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	if (strcmp(word[0], "add") == 0)
		result = practice_change(c, NULL, &o);
	else if (strcmp(word[0], "set") == 0 && *word[1])
		result = practice_change(c, word[1], &o);
	else if (strcmp(word[0], "list") == 0)
		result = practice_list(c, &o);
	else
		result = usage_error("practice takes add, set ID or list");
	store_client_close(c);
	return result;
}
