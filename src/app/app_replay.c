/* replay: every verdict of a span of days is decided again from the facts in its event, by the rules that it names or
 * by others. What the program says now and what it said then must be the same; every difference is told. */
#include "app_replay.h"

#include "app_commands.h"
#include "base_time.h"
#include "policy_pack.h"
#include "store_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCH "FETCH 1000 FROM replay" /* verdicts held in memory at a time */
#define TOLD_MAX 1000                  /* differences told one by one; more are counted */

const char replay_help[] = "Examples:\n"
                           "  smsbridge replay --from 2026-03-01 --to 2026-03-31\n"
                           "  smsbridge replay --from 2026-03-01 --to 2026-03-31 --pack fcc_26_67 --json\n"
                           "\n"
                           "Decides every message of these days again, from the facts that its events hold, and tells "
                           "each difference from\n"
                           "what was decided then. With --pack: what would have been decided by other rules. Events of "
                           "versions that wrote\n"
                           "no such facts are counted as not replayable. Exit code 1 when there is a difference.\n"
                           "  --from DATE, --to DATE   days in UTC, both included\n"
                           "  --practice ID            one practice only\n"
                           "  --pack CODE              by this rule pack, see smsbridge rules list\n"
                           "  --tzdata FOLDER          of TZif files (/usr/share/zoneinfo, or the configuration's)\n"
                           "  --config FILE, --database TEXT, --json\n";

struct replay {
	const char *config, *database, *from, *to, *practice, *pack, *tzdata;
	bool json;
	struct store_client *client;
	struct zone_cache *zones;
	uint64_t decided, different, unreadable;
};

/* The columns of a verdict. */
enum { C_EVENT, C_PRACTICE, C_MESSAGE, C_AT, C_REASON, C_DATA };

static const char cursor_sql[] =
        "DECLARE replay NO SCROLL CURSOR FOR SELECT e.id, e.practice_id, e.message_id,"
        " to_char(e.at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), coalesce(e.reason, ''),"
        " e.data FROM smsbridge.event e WHERE e.type IN ('message.sending', 'message.held', 'message.blocked',"
        " 'message.expired', 'message.failed') AND e.data ? 'verdict' AND e.at >= %s::date::timestamptz"
        " AND e.at < (%s::date + 1)::timestamptz AND (%s::uuid IS NULL OR e.practice_id = %s::uuid)"
        " ORDER BY e.at, e.xact, e.id";

struct decision {
	const char *verdict;
	const char *reason;
	const char *until; /* "" unless it waits */
};

static void print_json(const struct store_table *t, unsigned row, const struct decision d[2], bool first)
{
	printf("%s\n{\"event\":%s,\"practice\":\"%s\",\"message\":\"%s\",\"at\":\"%s\"", first ? "" : ",",
	       store_table_cell(t, row, C_EVENT), store_table_cell(t, row, C_PRACTICE),
	       store_table_cell(t, row, C_MESSAGE), store_table_cell(t, row, C_AT));
	for (int i = 0; i < 2; i++)
		printf(",\"%s\":{\"verdict\":\"%s\",\"reason\":\"%s\",\"until\":\"%s\"}", i ? "now" : "then",
		       d[i].verdict, d[i].reason, d[i].until);
	printf("}");
}

static void print_text(const struct store_table *t, unsigned row, const struct decision d[2])
{
	printf("%s event %s message %s\n", store_table_cell(t, row, C_AT), store_table_cell(t, row, C_EVENT),
	       store_table_cell(t, row, C_MESSAGE));
	for (int i = 0; i < 2; i++)
		printf("    %s: %s %s%s%s\n", i ? "now " : "then", d[i].verdict, d[i].reason,
		       *d[i].until ? " until " : "", d[i].until);
}

static void tell(struct replay *r, const struct store_table *t, unsigned row, const struct decision d[2])
{
	if (r->different++ >= TOLD_MAX)
		return;
	if (r->json)
		print_json(t, row, d, r->different == 1);
	else
		print_text(t, row, d);
}

static const char *member(json_t *data, const char *name)
{
	const char *text = json_string_value(json_object_get(data, name));
	return text ? text : "";
}

/* What the rules said then; what a carrier's state made of it stands beside it in the event. */
static struct decision decision_then(json_t *data, const char *reason)
{
	const char *judged = member(data, "judged");
	if (*judged)
		return (struct decision){judged, "", ""};
	return (struct decision){member(data, "verdict"), reason, member(data, "until")};
}

static bool same(const struct decision *a, const struct decision *b)
{
	return strcmp(a->verdict, b->verdict) == 0 && strcmp(a->reason, b->reason) == 0 &&
	       strcmp(a->until, b->until) == 0;
}

/* False when the event's facts are not enough. */
static bool decide(struct replay *r, const struct store_table *t, unsigned row, json_t *data)
{
	struct policy_facts facts;
	char until[TIME_TEXT_BYTES] = "";
	int64_t now_us;
	const char *code = r->pack ? r->pack : member(data, "pack");
	enum pack pack = policy_pack_parse(view_str(code));
	const struct policy_rules *rules = pack < PACK_COUNT ? policy_pack_rules(pack) : NULL;
	if (!json_object_get(data, "pack") || (*code && !rules) || !replay_read(data, rules, r->zones, &facts) ||
	    !time_parse(view_str(store_table_cell(t, row, C_AT)), &now_us))
		return false;
	struct policy_verdict v = policy_decide(rules, &facts, now_us);
	if (v.verdict == VERDICT_WAIT)
		time_format(v.until_us, until);
	const struct decision d[2] = {
	        decision_then(data, store_table_cell(t, row, C_REASON)),
	        {policy_verdict_name(v.verdict), v.reason ? policy_reason_code(v.reason) : "", until}};
	r->decided++;
	if (!same(&d[0], &d[1]))
		tell(r, t, row, d);
	return true;
}

static void replay_row(struct replay *r, const struct store_table *t, unsigned row)
{
	json_t *data = json_loads(store_table_cell(t, row, C_DATA), 0, NULL);
	if (!data || !decide(r, t, row, data))
		r->unreadable++;
	json_decref(data);
}

static bool begin(struct replay *r)
{
	struct buf sql = BUF(4096);
	struct buf value[3] = {BUF(200), BUF(200), BUF(200)};
	const char *given[3] = {r->from, r->to, r->practice};
	for (int i = 0; i < 3; i++) {
		if (given[i])
			store_client_literal(r->client, given[i], &value[i]);
		else
			buf_add_str(&value[i], "NULL");
	}
	buf_printf(&sql, cursor_sql, buf_cstr(&value[0]), buf_cstr(&value[1]), buf_cstr(&value[2]),
	           buf_cstr(&value[2]));
	bool ok = store_client_script(r->client, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'") &&
	          store_client_script(r->client, "BEGIN READ ONLY") && store_client_script(r->client, buf_cstr(&sql));
	buf_free(&sql);
	for (int i = 0; i < 3; i++)
		buf_free(&value[i]);
	return ok;
}

static bool run(struct replay *r)
{
	unsigned rows = 1;
	if (!begin(r))
		return false;
	while (rows) {
		struct store_table *t = store_client_run(r->client, FETCH, NULL, 0);
		if (!t)
			return false;
		rows = store_table_rows(t);
		for (unsigned i = 0; i < rows; i++)
			replay_row(r, t, i);
		store_table_free(t);
	}
	return true;
}

static int finish(const struct replay *r)
{
	if (r->json)
		printf("\n],\"decided\":%" PRIu64 ",\"different\":%" PRIu64 ",\"not_replayable\":%" PRIu64 "}\n",
		       r->decided, r->different, r->unreadable);
	else
		printf("%" PRIu64 " decided again, %" PRIu64 " different, %" PRIu64 " not replayable\n", r->decided,
		       r->different, r->unreadable);
	return r->different ? EXIT_FAILED : EXIT_OK;
}

static int replay(struct replay *r)
{
	int result = EXIT_FAILED;
	struct config *config = r->config && !r->tzdata ? app_config_load(r->config) : NULL;
	const char *folder = r->tzdata ? r->tzdata : config ? config->policy.tzdata : "/usr/share/zoneinfo";
	r->zones = zone_cache_new(folder);
	r->client = app_database(r->config, r->database, false, &result);
	if (r->client) {
		if (r->json)
			printf("{\"differences\":[");
		result = run(r) ? finish(r) : failure("%s", store_client_error(r->client));
		store_client_close(r->client);
	}
	zone_cache_free(r->zones);
	if (config)
		config_free(config);
	return result;
}

int command_replay(int argc, char **argv)
{
	struct replay r = {0};
	const struct option_row rows[] = {
	        {"config", &r.config, NULL}, {"database", &r.database, NULL}, {"from", &r.from, NULL},
	        {"to", &r.to, NULL},         {"practice", &r.practice, NULL}, {"pack", &r.pack, NULL},
	        {"tzdata", &r.tzdata, NULL}, {"json", NULL, &r.json},         {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	if (!r.from || !r.to)
		return usage_error("replay needs --from and --to");
	if (r.pack && policy_pack_parse(view_str(r.pack)) == PACK_COUNT)
		return usage_error("there is no rule pack \"%s\"; see smsbridge rules list", r.pack);
	return replay(&r);
}
