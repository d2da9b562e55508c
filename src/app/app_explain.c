#include "app_commands.h"

#include "api_explain.h"
#include "store_client.h"
#include "store_sql.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char explain_help[] = "Examples:\n"
                            "  smsbridge explain 0195f3c2-7c1e-7b7a-9d5e-0242ac120002\n"
                            "\n"
                            "Tells what became of a message, why, by which rule and consent, and when it goes next; "
                            "then everything\n"
                            "that happened to it, in order. GET /v1/messages/ID/explanation says the same.\n"
                            "  --config FILE, --database TEXT, --json\n";

static void print_step(const struct store_table *t, unsigned i)
{
	const char *reason = store_table_cell(t, i, 3);
	const char *citation = store_table_cell(t, i, 4);
	const char *facts = store_table_cell(t, i, 5);
	printf("%s  %s\n", store_table_cell(t, i, 0), store_table_cell(t, i, 2));
	if (reason)
		printf("    because: %s%s%s%s\n", reason, citation && *citation ? " [" : "", citation ? citation : "",
		       citation && *citation ? "]" : "");
	if (facts)
		printf("    facts: %s\n", facts);
}

static struct explain_facts read_facts(const struct store_table *t)
{
	struct explain_facts f;
	for (unsigned i = 0; i < EXPLAIN_COLUMNS; i++)
		f.cell[i] = store_table_cell(t, 0, i);
	return f;
}

static void print_explanation(const struct store_table *message, const struct store_table *events, bool json)
{
	const struct explain_facts f = read_facts(message);
	struct buf text = BUF(16384);
	if (json) {
		explain_json(&f, &text);
		printf("%s,\n\"timeline\":", buf_cstr(&text));
		app_print_table(events, true);
		puts("}");
	} else {
		explain_paragraph(&f, &text);
		printf("%s\n\n", buf_cstr(&text));
		for (unsigned i = 0; i < store_table_rows(events); i++)
			print_step(events, i);
	}
	buf_free(&text);
}

static int explain(struct store_client *c, const char *id, bool json)
{
	const char *const params[] = {NULL, id};
	int result = EXIT_OK;
	struct store_table *message = store_client_run(c, store_sql("message_explain")->text, params, 2);
	struct store_table *events =
	        store_client_run(c,
	                         "SELECT e.at, e.type, t.sentence, r.sentence AS reason, r.citation, e.data AS facts"
	                         " FROM smsbridge.event e JOIN smsbridge.event_type t ON t.code = e.type"
	                         " LEFT JOIN smsbridge.reason r ON r.code = e.reason WHERE e.message_id = $1::uuid "
	                         "ORDER BY e.xact, e.id",
	                         &id, 1);
	if (!message || !events)
		result = failure("%s", store_client_error(c));
	else if (store_table_rows(message) == 0)
		result = failure("there is no message with that id");
	else
		print_explanation(message, events, json);
	store_table_free(message);
	store_table_free(events);
	return result;
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
	(void)store_client_script(c, "SET TimeZone = 'UTC'");
	result = explain(c, id, json);
	store_client_close(c);
	return result;
}
