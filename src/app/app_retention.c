/* retention: how long what is kept is kept, and moving out the months whose years are over. The sweeps of the running
 * gateways take texts out (dispatch_retain.c); this moves evidence, as the owner of the tables. */
#include "app_commands.h"

#include "base_time.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

#define LEAST_DAYS 2192 /* six years, 45 CFR 164.316(b)(2)(i) */

const char retention_help[] =
        "Examples:\n"
        "  smsbridge retention status\n"
        "  smsbridge retention run --by 'Ada Stone' --config /etc/smsbridge/config.yaml\n"
        "\n"
        "status: texts that are kept, redacted, past their practice's days (must be 0) and held, by practice; and the\n"
        "months that were moved out. run: moves each month of events and accesses that ended more than\n"
        "policy.evidence_days ago into schema archive, append-only there too, and notes its hash. Months that a legal\n"
        "hold covers stay. What proves opt-outs and living consents stays in the live table. Run it as the owner of "
        "the\n"
        "database; then dump the archive's tables where they shall lie.\n"
        "  --days N         instead of policy.evidence_days; not below 2192\n"
        "  --by NAME        who moves them\n"
        "  --config FILE, --database TEXT, --json\n";

struct retention_options {
	const char *config, *database, *days, *by, *why;
	bool json;
};

static int print(struct store_client *c, const char *sql, const char *const *params, unsigned count, bool json)
{
	struct store_table *t = store_client_run(c, sql, params, count);
	return app_show_table(c, t, NULL, json);
}

static int status(struct store_client *c, bool json)
{
	int result = print(c, "SELECT * FROM report.retention ORDER BY practice_id, what", NULL, 0, json);
	if (result == EXIT_OK && !json)
		result = print(c, "SELECT * FROM report.archives ORDER BY from_at, partition", NULL, 0, json);
	return result;
}

static int move(struct store_client *c, const struct retention_options *o, unsigned long days)
{
	char at[TIME_TEXT_BYTES], text[24];
	struct clock system = {0};
	const char *params[] = {text, time_format(clock_read(&system), at), o->by};
	snprintf(text, sizeof(text), "%lu", days);
	return print(c, "SELECT * FROM smsbridge.retention_move($1::integer, $2::timestamptz, $3)", params, 3, o->json);
}

/* 0 with a sentence told when it is no allowed number. */
static unsigned long days_of(const struct retention_options *o)
{
	uint64_t days = LEAST_DAYS;
	struct config *config =
	        o->days || o->database ? NULL : app_config_load(o->config ? o->config : "/etc/smsbridge/config.yaml");
	if (config)
		days = (uint64_t)config->policy.evidence_days;
	config_free(config);
	if (!o->days || (parse_u64(view_str(o->days), 36500, &days) && days >= LEAST_DAYS))
		return days;
	usage_error("--days takes 2192 (six years) to 36500");
	return 0;
}

int command_retention(int argc, char **argv)
{
	struct retention_options o = {0};
	const char *word = "";
	int result;
	const struct option_row rows[] = {{"config", &o.config, NULL},
	                                  {"database", &o.database, NULL},
	                                  {"days", &o.days, NULL},
	                                  {"by", &o.by, NULL},
	                                  {"why", &o.why, NULL},
	                                  {"json", NULL, &o.json},
	                                  {0}};
	if (options_parse(argc, argv, rows, &word, 1) < 0)
		return EXIT_USAGE;
	bool run = strcmp(word, "run") == 0;
	if (!run && strcmp(word, "status") != 0)
		return usage_error("retention takes run or status");
	if (run && (!o.by || !*o.by))
		return usage_error("retention run needs --by NAME");
	unsigned long days = run ? days_of(&o) : LEAST_DAYS;
	if (!days)
		return EXIT_USAGE;
	struct store_client *c = app_database(o.config, o.database, run, &result);
	if (!c)
		return result;
	result = run ? move(c, &o, days) : status(c, o.json);
	store_client_close(c);
	return result;
}
