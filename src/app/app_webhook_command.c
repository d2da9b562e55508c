/* webhook: what an operator needs of practices' endpoints. The API's statements do the work. */
#include "app_commands.h"
#include "api_webhook.h"

#include "base_limits.h"
#include "base_time.h"
#include "base_uuid.h"
#include "store_client.h"
#include "store_sql.h"

#include <stdio.h>
#include <string.h>

#define STRING_OF(n) #n
#define NUMBER_OF(n) STRING_OF(n)

const char webhook_help[] =
        "Examples:\n"
        "  smsbridge webhook list\n"
        "  smsbridge webhook add --practice ID --url https://clinic.example/hooks --failover-url https://b.example/h\n"
        "  smsbridge webhook set --practice ID --webhook ID --url https://clinic.example/new\n"
        "  smsbridge webhook disable --practice ID --webhook ID --by 'Ada Stone'\n"
        "  smsbridge webhook enable --practice ID --webhook ID --by 'Ada Stone'\n"
        "  smsbridge webhook deliveries --practice ID --webhook ID --state dead\n"
        "  smsbridge webhook replay --practice ID --webhook ID --from 2026-03-02T00:00:00Z --to 2026-03-05T00:00:00Z\n"
        "\n"
        "list shows every endpoint with its health; add makes one and shows its secret, once; rotate makes new keys,\n"
        "with the former ones signing too for a day; enable goes on where the endpoint was, so that nothing is lost;\n"
        "replay posts again what had died or arrived, up to " NUMBER_OF(
                LIMIT_WEBHOOK_REPLAY) " events at a time.\n"
                                      "test posts an event that says so; delete forgets the endpoint and what waits at "
                                      "it. See docs/webhooks.md.\n"
                                      "  --practice ID, --webhook ID             whose, and which; the first one's id "
                                      "is the practice's\n"
                                      "  --url URL, --failover-url URL           where to; '' for no failover\n"
                                      "  --types LIST                            event types, commas between; '' for "
                                      "all\n"
                                      "  --text BOOL                             true: replies' text and the full "
                                      "phone go with them\n"
                                      "  --state WORD                            of deliveries: dead or waiting\n"
                                      "  --event ID                              replay this one (evt_735_1025)\n"
                                      "  --from TIME, --to TIME                  replay those of that time\n"
                                      "  --by NAME                               who; it is kept. The operator when "
                                      "absent\n"
                                      "  --at TIME                               the time of it, RFC 3339; now when "
                                      "absent\n"
                                      "  --config FILE, --database TEXT, --json\n";

struct webhook_options {
	const char *config, *database, *practice, *webhook, *url, *failover, *types, *text, *state, *event, *from, *to,
	        *by, *at;
	bool json;
};

/* A statement of store/sql by its name. NULL, with the failure told, when it failed. */
bool app_webhook_url(const char *url, const char *option)
{
	const char *fault = webhook_url_fault(url);
	if (fault)
		usage_error("--%s: %s", option, fault);
	return !fault;
}

static struct store_table *run(struct store_client *c, const char *name, const char *const *params, unsigned count)
{
	struct store_table *t = store_client_run(c, store_sql(name)->text, params, count);
	if (!t)
		failure("%s", store_client_error(c));
	return t;
}

static int show(struct store_client *c, const char *sql, const char *const *params, unsigned count, bool json)
{
	struct store_table *t = store_client_run(c, sql, params, count);
	if (!t)
		return failure("%s", store_client_error(c));
	app_print_table(t, json);
	store_table_free(t);
	return EXIT_OK;
}

/* The first column is a problem's code. */
static int change(struct store_client *c, const char *name, const char *const *params, unsigned count)
{
	struct store_table *t = run(c, name, params, count);
	int result = EXIT_FAILED;
	if (!t)
		return result;
	const char *problem = store_table_rows(t) ? store_table_cell(t, 0, 0) : "webhook_unknown";
	if (strcmp(problem, "webhook_unknown") == 0)
		failure("there is no such webhook endpoint");
	else if (strcmp(problem, "webhook_ceiling") == 0)
		failure("a practice has at most " NUMBER_OF(LIMIT_WEBHOOK_ENDPOINTS) " webhook endpoints");
	else if (strcmp(problem, "webhook_disabled") == 0)
		failure("the endpoint is disabled; enable it first");
	else
		result = EXIT_OK;
	store_table_free(t);
	return result;
}

static int show_one(struct store_client *c, const struct webhook_options *o, const char *id, const char *secret)
{
	const char *params[] = {o->practice, id, o->at, secret};
	return show(c,
	            "SELECT w.practice_id, w.id, w.url, w.failover_url, array_to_string(w.event_types, ',') AS types,"
	            " w.reply_text, w.state, w.state_reason, w.state_by, $4::text AS secret,"
	            " smsbridge.webhook_shown(w, $3::timestamptz)->'health' AS health FROM smsbridge.webhook_endpoint w"
	            " WHERE w.practice_id = $1::uuid AND w.id = $2::uuid",
	            params, 4, o->json);
}

static int webhook_list(struct store_client *c, const struct webhook_options *o)
{
	const char *params[] = {o->practice, o->at};
	return show(
	        c,
	        "SELECT w.practice_id, w.id, w.url, w.failover_url, array_to_string(w.event_types, ',') AS types,"
	        " w.reply_text, w.state, w.state_reason, w.state_by, h.failures, h.last_status, h.pending, h.waiting,"
	        " h.dead, h.succeeded_at FROM smsbridge.webhook_endpoint w, jsonb_to_record("
	        "smsbridge.webhook_shown(w, $2::timestamptz)->'health') AS h(failures int, last_status int,"
	        " pending int, waiting int, dead int, succeeded_at timestamptz)"
	        " WHERE $1::uuid IS NULL OR w.practice_id = $1 ORDER BY w.practice_id, w.id",
	        params, 2, o->json);
}

/* "a,b" as PostgreSQL writes the array; NULL for all. Types have no character that would need quotes. */
static const char *types_array(const char *types, struct buf *to)
{
	if (!types || !*types)
		return NULL;
	buf_printf(to, "{%s}", types);
	return buf_cstr(to);
}

static int webhook_add(struct store_client *c, const struct webhook_options *o)
{
	char id[UUID_TEXT_BYTES], secret[WEBHOOK_SECRET_BYTES];
	struct clock system = {0};
	struct uuid_maker maker = {0};
	struct uuid made = uuid_make(&maker, clock_read(&system));
	struct buf types = BUF(8192);
	webhook_secret(secret);
	uuid_format(&made, id);
	const char *params[] = {o->practice,
	                        id,
	                        o->url,
	                        o->failover && *o->failover ? o->failover : NULL,
	                        types_array(o->types, &types),
	                        o->text ? o->text : "false",
	                        secret,
	                        o->at,
	                        o->by};
	int result = change(c, "webhook_add", params, 9);
	buf_free(&types);
	return result == EXIT_OK ? show_one(c, o, id, secret) : result;
}

/* state NULL: as it is. */
static int webhook_set(struct store_client *c, const struct webhook_options *o, const char *state)
{
	struct buf types = BUF(8192);
	const char *params[] = {o->practice,
	                        o->webhook,
	                        o->url,
	                        o->failover,
	                        o->types ? "true" : "false",
	                        types_array(o->types, &types),
	                        o->text,
	                        state,
	                        o->at,
	                        o->by};
	int result = change(c, "webhook_set", params, 10);
	buf_free(&types);
	return result == EXIT_OK ? show_one(c, o, o->webhook, NULL) : result;
}

static int webhook_rotate(struct store_client *c, const struct webhook_options *o)
{
	char secret[WEBHOOK_SECRET_BYTES], until[TIME_TEXT_BYTES];
	int64_t at_us;
	webhook_secret(secret);
	time_parse(view_str(o->at), &at_us);
	const char *params[] = {o->practice, o->webhook, secret, o->at, time_format(at_us + DAY_US, until), o->by};
	int result = change(c, "webhook_rotate", params, 6);
	return result == EXIT_OK ? show_one(c, o, o->webhook, secret) : result;
}

static int webhook_delete(struct store_client *c, const struct webhook_options *o)
{
	const char *params[] = {o->practice, o->webhook, o->at, o->by};
	return change(c, "webhook_delete", params, 4);
}

static int webhook_test(struct store_client *c, const struct webhook_options *o)
{
	const char *params[] = {o->practice, o->webhook, o->at, o->by};
	return change(c, "webhook_test", params, 4);
}

static int webhook_deliveries(struct store_client *c, const struct webhook_options *o)
{
	const char *params[] = {o->practice, o->webhook, o->state};
	return show(c,
	            "SELECT 'evt_' || t.xact || '_' || t.event_id AS event, e.type, e.at, t.attempts, t.last_status,"
	            " t.next_at, t.dead_at FROM smsbridge.webhook_wait t JOIN smsbridge.event e"
	            " ON e.practice_id = t.practice_id AND e.xact = t.xact AND e.id = t.event_id"
	            " WHERE t.practice_id = $1::uuid AND t.endpoint_id = $2::uuid"
	            " AND ($3::text IS NULL OR (t.dead_at IS NOT NULL) = ($3 = 'dead')) ORDER BY t.xact, t.event_id",
	            params, 3, o->json);
}

static int webhook_replay(struct store_client *c, const struct webhook_options *o)
{
	char xact[24], xacts[32] = "{}", ids[32] = "{}";
	int64_t event_id;
	bool listed = o->event != NULL;
	if (listed ? o->from || o->to : !o->from || !o->to)
		return usage_error("webhook replay needs --event, or --from and --to");
	if (listed && !webhook_event(view_str(o->event), xact, &event_id))
		return usage_error("--event takes a webhook id as evt_735_1025");
	if (listed) {
		snprintf(xacts, sizeof(xacts), "{%s}", xact);
		snprintf(ids, sizeof(ids), "{%lld}", (long long)event_id);
	}
	const char *params[] = {
	        o->practice, o->webhook, o->at, o->by, xacts, ids, o->from, o->to, NUMBER_OF(LIMIT_WEBHOOK_REPLAY)};
	struct store_table *t = run(c, "webhook_replay", params, 9);
	if (!t)
		return EXIT_FAILED;
	bool ok = store_table_rows(t) && !*store_table_cell(t, 0, 0);
	const char *next = ok ? store_table_cell(t, 0, 2) : "";
	if (ok)
		printf("{\"replayed\":%s,\"next_from\":%s}\n", store_table_cell(t, 0, 1), next);
	store_table_free(t);
	return ok ? EXIT_OK : failure("there is no such webhook endpoint, or it is disabled");
}

/* --- the command ---------------------------------------------------------------------------------------------------
 */

static int set_only(struct store_client *c, const struct webhook_options *o)
{
	return webhook_set(c, o, NULL);
}

static int enable(struct store_client *c, const struct webhook_options *o)
{
	return webhook_set(c, o, "enabled");
}

static int disable(struct store_client *c, const struct webhook_options *o)
{
	return webhook_set(c, o, "disabled");
}

static const struct act {
	const char *word;
	bool practice, webhook, url; /* that it needs */
	int (*run)(struct store_client *c, const struct webhook_options *o);
} acts[] = {
        {"list", false, false, false, webhook_list},
        {"add", true, false, true, webhook_add},
        {"set", true, true, false, set_only},
        {"enable", true, true, false, enable},
        {"disable", true, true, false, disable},
        {"rotate", true, true, false, webhook_rotate},
        {"test", true, true, false, webhook_test},
        {"delete", true, true, false, webhook_delete},
        {"deliveries", true, true, false, webhook_deliveries},
        {"replay", true, true, false, webhook_replay},
};

static bool types_ok(const char *types)
{
	for (const char *at = types; at && *at;) {
		size_t n = strcspn(at, ",");
		if (!webhook_type(view_of(at, n)))
			return false;
		at += n + (at[n] == ',');
	}
	return true;
}

static bool options_ok(const struct act *act, const struct webhook_options *o)
{
	int64_t at_us;
	if (act->practice && !o->practice)
		usage_error("webhook %s needs --practice", act->word);
	else if (act->webhook && !o->webhook)
		usage_error("webhook %s needs --webhook", act->word);
	else if (act->url && (!o->url || !*o->url))
		usage_error("webhook %s needs --url", act->word);
	else if (!time_parse(view_str(o->at), &at_us))
		usage_error("--at takes an RFC 3339 time with its offset");
	else if (o->text && strcmp(o->text, "true") != 0 && strcmp(o->text, "false") != 0)
		usage_error("--text takes true or false");
	else if (o->state && strcmp(o->state, "dead") != 0 && strcmp(o->state, "waiting") != 0)
		usage_error("--state takes dead or waiting");
	else if (!types_ok(o->types))
		usage_error("--types takes event types that are told, commas between");
	else
		return (!o->url || app_webhook_url(o->url, "url")) &&
		       (!o->failover || !*o->failover || app_webhook_url(o->failover, "failover-url"));
	return false;
}

int command_webhook(int argc, char **argv)
{
	char now[TIME_TEXT_BYTES];
	struct clock system = {0};
	struct webhook_options o = {.by = "operator", .at = time_format(clock_read(&system), now)};
	const char *word = "";
	int result;
	const struct option_row rows[] = {{"config", &o.config, NULL},
	                                  {"database", &o.database, NULL},
	                                  {"practice", &o.practice, NULL},
	                                  {"webhook", &o.webhook, NULL},
	                                  {"url", &o.url, NULL},
	                                  {"failover-url", &o.failover, NULL},
	                                  {"types", &o.types, NULL},
	                                  {"text", &o.text, NULL},
	                                  {"state", &o.state, NULL},
	                                  {"event", &o.event, NULL},
	                                  {"from", &o.from, NULL},
	                                  {"to", &o.to, NULL},
	                                  {"by", &o.by, NULL},
	                                  {"at", &o.at, NULL},
	                                  {"json", NULL, &o.json},
	                                  {0}};
	if (options_parse(argc, argv, rows, &word, 1) < 0)
		return EXIT_USAGE;
	const struct act *act = NULL;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		if (strcmp(acts[i].word, word) == 0)
			act = &acts[i];
	if (!act)
		return usage_error(
		        "webhook takes list, add, set, enable, disable, rotate, test, delete, deliveries or replay");
	if (!options_ok(act, &o))
		return EXIT_USAGE;
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	result = act->run(c, &o);
	store_client_close(c);
	return result;
}
