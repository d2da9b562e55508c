/* rules: the rule packs, and switching one on or off. A switch is a row and an event in one statement; the next claim
 * of every gateway judges by it. */
#include "app_commands.h"

#include "base_time.h"
#include "policy_pack.h"
#include "store_client.h"

#include <string.h>

const char rules_help[] =
        "Examples:\n"
        "  smsbridge rules list\n"
        "  smsbridge rules on fcc_26_67 --by 'Jo Rivera, compliance'\n"
        "  smsbridge rules off fcc_26_67 --by 'Jo Rivera, compliance'\n"
        "\n"
        "Rule packs, with their dates, and whether each is on. Of those that hold at the time of sending the last one\n"
        "counts, and every decision names it. A switch holds from the next decision on.\n"
        "  --by NAME     the person who switches; on and off need it\n"
        "  --at TIME     since when, RFC 3339; now when absent\n"
        "  --config FILE, --database TEXT, --json\n";

struct rules_options {
	const char *config, *database, *by, *at;
	bool json;
};

static int show(struct store_client *c, const char *sql, const char *const *params, unsigned count, bool json)
{
	struct store_table *t = store_client_run(c, sql, params, count);
	return app_show_table(c, t, NULL, json);
}

static int list(struct store_client *c, const struct rules_options *o)
{
	return show(c,
	            "SELECT p.code AS pack, smsbridge.pack_on(p.code, $1::timestamptz) AS holds, p.effective_from,"
	            " p.effective_to, p.shipped_on, s.on_now AS switched_on, s.at AS switched_at, s.by AS switched_by,"
	            " p.citation, p.sentence FROM smsbridge.rule_pack p LEFT JOIN LATERAL (SELECT * FROM"
	            " smsbridge.rule_pack_switch s WHERE s.pack = p.code AND s.at <= $1 ORDER BY s.at DESC LIMIT 1) s"
	            " ON true ORDER BY p.effective_from::timestamptz, p.code",
	            &o->at, 1, o->json);
}

static int turn(struct store_client *c, const struct rules_options *o, const char *pack, bool on)
{
	if (policy_pack_parse(view_str(pack)) == PACK_COUNT)
		return usage_error("there is no rule pack \"%s\"; see smsbridge rules list", pack);
	if (!o->by || !*o->by)
		return usage_error("rules %s needs --by, the name of the person", on ? "on" : "off");
	const char *params[] = {pack, o->at, on ? "true" : "false", o->by};
	return show(c,
	            "WITH made AS (INSERT INTO smsbridge.rule_pack_switch (pack, at, on_now, by)"
	            " VALUES ($1, $2::timestamptz, $3::boolean, $4) RETURNING *),"
	            " told AS (INSERT INTO smsbridge.event (practice_id, type, at, data)"
	            " SELECT '00000000-0000-0000-0000-000000000000', 'rules.switched', at,"
	            " jsonb_build_object('pack', pack, 'on', on_now, 'by', by) FROM made)"
	            " SELECT pack, on_now AS switched_on, at AS switched_at, by AS switched_by FROM made",
	            params, 4, o->json);
}

static int run(struct store_client *c, const struct rules_options *o, const char *const *word)
{
	if (strcmp(word[0], "list") == 0 && !*word[1])
		return list(c, o);
	if ((strcmp(word[0], "on") == 0 || strcmp(word[0], "off") == 0) && *word[1])
		return turn(c, o, word[1], word[0][1] == 'n');
	return usage_error("rules takes list, on PACK or off PACK");
}

int command_rules(int argc, char **argv)
{
	struct rules_options o = {0};
	const char *word[2] = {"", ""};
	char now[TIME_TEXT_BYTES];
	struct clock system = {0};
	int64_t at_us;
	int result;
	const struct option_row rows[] = {{"config", &o.config, NULL}, {"database", &o.database, NULL},
	                                  {"by", &o.by, NULL},         {"at", &o.at, NULL},
	                                  {"json", NULL, &o.json},     {0}};
	if (options_parse(argc, argv, rows, word, 2) < 0)
		return EXIT_USAGE;
	if (o.at && !time_parse(view_str(o.at), &at_us))
		return usage_error("--at takes an RFC 3339 time with its offset");
	if (!o.at)
		o.at = time_format(clock_read(&system), now);
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	result = run(c, &o, word);
	store_client_close(c);
	return result;
}
