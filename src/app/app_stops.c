/* phone, content and sender: what carriers' words have stopped (carrier_word.sql), to look at and to clear. Clearing is
 * an event, and has what waited for it judged again. */
#include "app_commands.h"

#include "base_time.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

#define COMMON "  --config FILE, --database TEXT, --json\n"

const char phone_help[] =
        "Examples:\n"
        "  smsbridge phone list --practice ID\n"
        "  smsbridge phone list --practice ID --unmask --by 'Ada Stone' --why 'calls from the recall list'\n"
        "  smsbridge phone clear --practice ID --phone +12125550101\n"
        "\n"
        "Phones to which nothing is sent because a carrier reported them: dead (the number is not in use; it may be\n"
        "somebody else's next) or blocked (it takes nothing from one of the practice's numbers). A text from the "
        "phone\n"
        "and a receipt that says delivered clear it too. Clear by hand only what somebody has found out to be wrong.\n"
        "  --practice ID     its phones; `clear` needs it\n"
        "  --phone NUMBER    E.164\n"
        "  --unmask          list the numbers in full; takes --by NAME and --why TEXT, which are kept\n" COMMON;

const char content_help[] =
        "Examples:\n"
        "  smsbridge content list --practice ID\n"
        "  smsbridge content clear --practice ID --content 8f7c01d2e54e3644\n"
        "\n"
        "Words that a carrier refused as unwanted. Texts of the practice that differ from them in digits, blanks and\n"
        "case only are blocked (reason carrier_spam). Clear them when the carrier has been talked to; those that were\n"
        "blocked meanwhile stay so, later ones go.\n"
        "  --practice ID     its words; `clear` needs it\n"
        "  --content HEX     as `list` and the event content.stopped show it\n" COMMON;

const char sender_help[] =
        "Examples:\n"
        "  smsbridge sender list\n"
        "  smsbridge sender clear --sender +12125550199\n"
        "\n"
        "Numbers from which a carrier takes nothing for now: for the rest of its day (carrier_daily_cap), for a "
        "minute\n"
        "(carrier_rate), or until its registration or account is put right and somebody clears it (sender_stopped).\n"
        "Messages wait meanwhile; clearing has them judged again at once.\n"
        "  --sender NUMBER   `clear` needs it\n"
        "  --carrier NAME    this carrier's only\n" COMMON;

enum { PRACTICE, PHONE, CONTENT, SENDER, CARRIER, AT, UNMASK, PARAMS };

struct stop_row {
	const char *command;
	const char *word;
	unsigned needs; /* a bit for each parameter that must be given */
	bool some;      /* no row is a failure */
	const char *sql;
};

#define NEEDS(i) (1u << (i))
/* Every statement names every parameter, so that all take the same ones. */
#define NAMED " WHERE $1::uuid IS NULL AND $2::text || $3::text || $4::text || $5::text || $6::text || $7::text = ''"

static const struct stop_row rows[] = {
        {"phone", "list", 0, false,
         "WITH unused AS (SELECT" NAMED
         ") SELECT practice_id, CASE $7 WHEN 'unmask' THEN phone ELSE smsbridge.mask_phone(phone) END AS phone,"
         " kind, nullif(sender, '') AS sender, carrier, code,"
         " message_id, since FROM smsbridge.phone_flag WHERE ($1::uuid IS NULL OR practice_id = $1)"
         " AND ($2::text IS NULL OR phone = $2) ORDER BY practice_id, phone, kind, sender"},
        {"phone", "clear", NEEDS(PRACTICE) | NEEDS(PHONE), true,
         "WITH unused AS (SELECT" NAMED "), gone AS (DELETE FROM smsbridge.phone_flag WHERE practice_id = $1::uuid"
         " AND phone = $2 RETURNING *), told AS (INSERT INTO smsbridge.event (practice_id, type, at, phone, reason, "
         "data)"
         " SELECT practice_id, 'phone.cleared', $6::timestamptz, phone, 'number_' || kind, jsonb_build_object('by',"
         " 'operator', 'sender', sender) FROM gone) SELECT practice_id, phone, kind, since FROM gone"},
        {"content", "list", 0, false,
         "WITH unused AS (SELECT" NAMED ") SELECT practice_id, lpad(to_hex(content_key), 16, '0') AS content, carrier,"
         " code, message_id, since FROM smsbridge.content_stop WHERE $1::uuid IS NULL OR practice_id = $1"
         " ORDER BY practice_id, since"},
        {"content", "clear", NEEDS(PRACTICE) | NEEDS(CONTENT), true,
         "WITH unused AS (SELECT" NAMED "), gone AS (DELETE FROM smsbridge.content_stop WHERE practice_id = $1::uuid"
         " AND lpad(to_hex(content_key), 16, '0') = lower($3) RETURNING *), told AS (INSERT INTO smsbridge.event"
         " (practice_id, type, at, reason, data) SELECT practice_id, 'content.cleared', $6::timestamptz, "
         "'carrier_spam',"
         " jsonb_build_object('content', lower($3)) FROM gone)"
         " SELECT practice_id, lower($3) AS content, since FROM gone"},
        {"sender", "list", 0, false,
         "WITH unused AS (SELECT" NAMED ") SELECT sender, carrier, reason, until_at, code, practice_id, since"
         " FROM smsbridge.sender_hold WHERE ($4::text IS NULL OR sender = $4) AND ($5::text IS NULL OR carrier = $5)"
         " ORDER BY sender, carrier, reason"},
        {"sender", "clear", NEEDS(SENDER), true,
         "WITH unused AS (SELECT" NAMED "), gone AS (DELETE FROM smsbridge.sender_hold WHERE sender = $4"
         " AND ($5::text IS NULL OR carrier = $5) RETURNING *), again AS (UPDATE smsbridge.message SET due_at = "
         "created_at"
         " WHERE due_at IS NOT NULL AND sender = $4 AND status = 'held' AND reason IN (SELECT reason FROM gone)),"
         " told AS (INSERT INTO smsbridge.event (practice_id, type, at, reason, data) SELECT practice_id,"
         " 'sender.cleared', $6::timestamptz, reason, jsonb_build_object('sender', sender, 'carrier', carrier) FROM "
         "gone)"
         " SELECT sender, carrier, reason, since FROM gone"},
};

static int run_row(const struct stop_row *row, const char *const *params, const char *config, const char *database,
                   bool json)
{
	static const char *const names[] = {"practice", "phone", "content", "sender", "carrier"};
	int result;
	for (unsigned i = 0; i < AT; i++)
		if (row->needs & NEEDS(i) && !params[i])
			return usage_error("%s %s needs --%s", row->command, row->word, names[i]);
	struct store_client *c = app_database(config, database, false, &result);
	if (!c)
		return result;
	struct store_table *t = store_client_run(c, row->sql, params, PARAMS);
	result = app_show_table(c, t, row->some ? "there is no such thing" : NULL, json);
	store_client_close(c);
	return result;
}

static int command_stops(const char *command, int argc, char **argv)
{
	const char *config = NULL, *database = NULL, *word = "";
	const char *params[PARAMS] = {NULL};
	char at[TIME_TEXT_BYTES];
	struct clock system = {0};
	bool json = false, unmask = false;
	const struct option_row options[] = {{"config", &config, NULL},
	                                     {"database", &database, NULL},
	                                     {"practice", &params[PRACTICE], NULL},
	                                     {"phone", &params[PHONE], NULL},
	                                     {"content", &params[CONTENT], NULL},
	                                     {"sender", &params[SENDER], NULL},
	                                     {"carrier", &params[CARRIER], NULL},
	                                     {"json", NULL, &json},
	                                     {"unmask", NULL, &unmask},
	                                     {0}};
	if (options_parse(argc, argv, options, &word, 1) < 0)
		return EXIT_USAGE;
	params[UNMASK] = unmask ? "unmask" : "";
	params[AT] = time_format(clock_read(&system), at);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].command, command) == 0 && strcmp(rows[i].word, word) == 0)
			return run_row(&rows[i], params, config, database, json);
	return usage_error("%s takes list or clear", command);
}

int command_phone(int argc, char **argv)
{
	return command_stops("phone", argc, argv);
}

int command_content(int argc, char **argv)
{
	return command_stops("content", argc, argv);
}

int command_sender(int argc, char **argv)
{
	return command_stops("sender", argc, argv);
}
