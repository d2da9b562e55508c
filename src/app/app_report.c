/* report: the views of schema report, as the compliance role sees them. explain: one message's story in sentences. */
#include "app_commands.h"

#include "base_check.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

const char report_help[] =
        "Examples:\n"
        "  smsbridge report violations --config /etc/smsbridge/config.yaml\n"
        "  smsbridge report daily --from 2026-03-01 --to 2026-03-31 --json\n"
        "  smsbridge report messages --practice ID\n"
        "\n"
        "Reports: messages, opt_outs, decisions, daily, violations, carriers (how each carrier's receipts found their\n"
        "messages and how it spells its message ids). The same views are there for psql as role smsbridge_compliance\n"
        "in schema report. Exit code 1 when `violations` is not empty.\n"
        "  --from DATE, --to DATE   days in UTC, both included\n"
        "  --practice ID            one practice only (`carriers` are nobody's)\n"
        "  --config FILE, --database TEXT, --json\n";

const char explain_help[] = "Examples:\n"
                            "  smsbridge explain 0195f3c2-7c1e-7b7a-9d5e-0242ac120002\n"
                            "\n"
                            "Tells in sentences what happened to a message, why, and by which rule.\n"
                            "  --config FILE, --database TEXT, --json\n";

/* Each report: its view, the column that --from and --to look at, how it is ordered, whose a row is. */
static const struct {
	const char *name;
	const char *day;
	const char *order;
	const char *owner;
} reports[] = {
        {"messages", "created_at", "created_at, id", "practice_id"},
        {"opt_outs", "created_at", "created_at", "practice_id"},
        {"decisions", "at", "at", "practice_id"},
        {"daily", "day", "day, practice", "practice_id"},
        {"violations", "at", "at", "practice_id"},
        {"carriers", "last_at", "carrier, count DESC", "NULL::uuid"},
};

static int run_report(struct store_client *c, size_t i, const char *from, const char *to, const char *practice,
                      bool json)
{
	struct buf sql = BUF(2048);
	const char *params[] = {from, to, practice};
	buf_printf(&sql,
	           "SELECT * FROM report.%s WHERE ($1::date IS NULL OR %s >= $1::date::timestamptz)"
	           " AND ($2::date IS NULL OR %s < ($2::date + 1)::timestamptz) AND ($3::uuid IS NULL OR %s = $3)"
	           " ORDER BY %s",
	           reports[i].name, reports[i].day, reports[i].day, reports[i].owner, reports[i].order);
	struct store_table *t = store_client_run(c, buf_cstr(&sql), params, 3);
	buf_free(&sql);
	if (!t)
		return failure("%s", store_client_error(c));
	app_print_table(t, json);
	int result = strcmp(reports[i].name, "violations") == 0 && store_table_rows(t) ? EXIT_FAILED : EXIT_OK;
	store_table_free(t);
	return result;
}

int command_report(int argc, char **argv)
{
	const char *config = NULL, *database = NULL, *from = NULL, *to = NULL, *practice = NULL;
	const char *name = "";
	bool json = false;
	int result;
	const struct option_row rows[] = {{"config", &config, NULL},
	                                  {"database", &database, NULL},
	                                  {"from", &from, NULL},
	                                  {"to", &to, NULL},
	                                  {"practice", &practice, NULL},
	                                  {"json", NULL, &json},
	                                  {0}};
	if (options_parse(argc, argv, rows, &name, 1) < 0)
		return EXIT_USAGE;
	size_t count = sizeof(reports) / sizeof(*reports);
	size_t i = 0;
	while (i < count && strcmp(reports[i].name, name) != 0)
		i++;
	if (i == count)
		return usage_error("report takes messages, opt_outs, decisions, daily, violations or carriers");
	struct store_client *c = app_database(config, database, false, &result);
	if (!c)
		return result;
	/* Reports are read through the auditors' own role where the connection may take it. */
	(void)store_client_script(c, "SET ROLE smsbridge_compliance");
	(void)store_client_script(c, "SET TimeZone = 'UTC'");
	result = run_report(c, i, from, to, practice, json);
	store_client_close(c);
	return result;
}

static void print_story(const struct store_table *t)
{
	for (unsigned i = 0; i < store_table_rows(t); i++) {
		const char *reason = store_table_cell(t, i, 3);
		const char *citation = store_table_cell(t, i, 4);
		const char *facts = store_table_cell(t, i, 5);
		printf("%s  %s\n", store_table_cell(t, i, 0), store_table_cell(t, i, 2));
		if (reason)
			printf("    because: %s%s%s%s\n", reason, citation && *citation ? " [" : "",
			       citation ? citation : "", citation && *citation ? "]" : "");
		if (facts)
			printf("    facts: %s\n", facts);
	}
}

int command_explain(int argc, char **argv)
{
	const char *config = NULL, *database = NULL;
	const char *id = "";
	bool json = false;
	int result;
	const struct option_row rows[] = {
	        {"config", &config, NULL}, {"database", &database, NULL}, {"json", NULL, &json}, {0}};
	if (options_parse(argc, argv, rows, &id, 1) < 0)
		return EXIT_USAGE;
	if (!*id)
		return usage_error("explain takes a message's id");
	struct store_client *c = app_database(config, database, false, &result);
	if (!c)
		return result;
	struct store_table *t =
	        store_client_run(c,
	                         "SELECT e.at, e.type, t.sentence, r.sentence AS reason, r.citation, e.data AS facts"
	                         " FROM smsbridge.event e JOIN smsbridge.event_type t ON t.code = e.type"
	                         " LEFT JOIN smsbridge.reason r ON r.code = e.reason WHERE e.message_id = $1::uuid "
	                         "ORDER BY e.xact, e.id",
	                         &id, 1);
	if (!t)
		result = failure("%s", store_client_error(c));
	else if (store_table_rows(t) == 0)
		result = failure("there is no message with that id");
	else {
		result = EXIT_OK;
		if (json)
			app_print_table(t, true);
		else
			print_story(t);
	}
	store_table_free(t);
	store_client_close(c);
	return result;
}
