/* consent and recipient: the doors of the consent ledger for a person at a terminal. What is given is looked at by the
 * rows of the HTTP requests and written by their statements, under the recipient's lock. */
#include "app_commands.h"
#include "api_request.h"

#include "base_uuid.h"
#include "store_client.h"
#include "store_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COMMON "  --config FILE, --database TEXT, --json\n"

const char consent_help[] =
        "Examples:\n"
        "  smsbridge consent list --practice ID --phone +12125550101\n"
        "  smsbridge consent list --practice ID --turning-18        minors' consents that end within 60 days\n"
        "  smsbridge consent add --practice ID --phone +12125550101 --classes appointment_reminder,lab_results \\\n"
        "      --basis implied --captured-at 2026-03-02T09:12:00-05:00 --method form --wording-version intake-7 \\\n"
        "      --language en --action 'wrote the number on the form' --by r.front\n"
        "  smsbridge consent end ID --practice ID --reason 'asked for by letter' --by r.front\n"
        "\n"
        "An express or written consent also needs --wording and --patient or --representative, a written one\n"
        "--campaign, one to advertising --authorization-id, one by web --ip, a minor's --adult-on and\n"
        "--representative. A consent ends once and is never changed; a wider one is another.\n"
        "  --by NAME         who says so\n" COMMON;

const char recipient_help[] =
        "Examples:\n"
        "  smsbridge recipient show --practice ID --phone +12125550101\n"
        "  smsbridge recipient set --practice ID --phone +12125550101 --alternative no_sms --by r.front\n"
        "  smsbridge recipient set --practice ID --phone +12125550101 --number-changed-to +12125550102 --by r.front\n"
        "\n"
        "  --risk-version TEXT, --risk-at TIME, --risk-method WORD   the warning that texts are not encrypted\n"
        "  --alternative WORD       none, no_sms or other_phone\n"
        "  --household BOOL         several patients share the phone\n"
        "  --number-changed-to NUMBER   consents given for the old number until now count no more\n"
        "  --by NAME                who says so\n" COMMON;

enum {
	PRACTICE,
	PHONE,
	BY,
	REASON,
	PATIENT,
	CLASSES,
	BASIS,
	CAPTURED_AT,
	METHOD,
	WORDING,
	WORDING_VERSION,
	LANGUAGE,
	ACTION,
	REPRESENTATIVE,
	ADULT_ON,
	CAMPAIGN,
	IP,
	AUTHORIZATION,
	RISK_VERSION,
	RISK_AT,
	RISK_METHOD,
	ALTERNATIVE,
	HOUSEHOLD,
	NUMBER,
	OPTIONS
};
/* The option and the member of the request that it is; "" for none. */
static const struct {
	const char *name;
	const char *pointer;
} options[OPTIONS] = {
        [PRACTICE] = {"practice", ""},
        [PHONE] = {"phone", "/phone"},
        [BY] = {"by", "/actor"},
        [REASON] = {"reason", ""},
        [PATIENT] = {"patient", "/patient"},
        [CLASSES] = {"classes", "/classes"},
        [BASIS] = {"basis", "/basis"},
        [CAPTURED_AT] = {"captured-at", "/captured_at"},
        [METHOD] = {"method", "/method"},
        [WORDING] = {"wording", "/wording"},
        [WORDING_VERSION] = {"wording-version", "/wording_version"},
        [LANGUAGE] = {"language", "/language"},
        [ACTION] = {"action", "/action"},
        [REPRESENTATIVE] = {"representative", "/representative"},
        [ADULT_ON] = {"adult-on", "/adult_on"},
        [CAMPAIGN] = {"campaign", "/campaign"},
        [IP] = {"ip", "/ip"},
        [AUTHORIZATION] = {"authorization-id", "/authorization_id"},
        [RISK_VERSION] = {"risk-version", "/risk_warning/version"},
        [RISK_AT] = {"risk-at", "/risk_warning/at"},
        [RISK_METHOD] = {"risk-method", "/risk_warning/method"},
        [ALTERNATIVE] = {"alternative", "/alternative"},
        [HOUSEHOLD] = {"household", "/household"},
        [NUMBER] = {"number-changed-to", "/number_changed_to"},
};

struct given {
	struct store_client *c;
	const char *value[OPTIONS];
	const char *word[2];
	bool json;
	bool turning;
	struct uuid practice;
	int64_t now_us;
	char now[TIME_TEXT_BYTES];
};

/* --- what was given, as a request --------------------------------------------------------------------------------- */

static json_t *list_of(const char *text)
{
	json_t *list = json_array();
	for (size_t n; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		json_array_append_new(list, json_stringn_nocheck(text, n));
	}
	return list;
}

static json_t *value_of(unsigned option, const char *text)
{
	if (option == CLASSES)
		return list_of(text);
	if (option == HOUSEHOLD && strcmp(text, "true") == 0)
		return json_true();
	if (option == HOUSEHOLD && strcmp(text, "false") == 0)
		return json_false();
	return json_string(text); /* NULL when it is no UTF-8: then it is missing */
}

static void set_member(json_t *request, const char *pointer, json_t *value)
{
	char group[40];
	const char *name = strrchr(pointer, '/') + 1;
	json_t *in = request;
	if (name > pointer + 1) {
		copy_view(group, sizeof(group), view_of(pointer + 1, (size_t)(name - pointer) - 2));
		in = json_object_get(request, group);
		if (!in) {
			in = json_object();
			json_object_set_new(request, group, in);
		}
	}
	json_object_set_new(in, name, value);
}

static json_t *request_of(const struct given *g)
{
	json_t *request = json_object();
	for (unsigned i = 0; i < OPTIONS; i++)
		if (g->value[i] && options[i].pointer[0])
			set_member(request, options[i].pointer, value_of(i, g->value[i]));
	return request;
}

/* The option that a fault is about, for a person. */
static const char *option_of(const char *pointer)
{
	for (unsigned i = 0; i < OPTIONS; i++)
		if (options[i].pointer[0] && strcmp(options[i].pointer, pointer) == 0)
			return options[i].name;
	return "";
}

static int tell_faults(const struct request *r)
{
	for (unsigned i = 0; i < r->errors; i++) {
		const char *option = option_of(r->error[i].pointer);
		fprintf(stderr, "smsbridge: %s%s%s%s\n", *option ? "--" : "", option, *option ? ": " : "",
		        r->error[i].detail);
	}
	return EXIT_USAGE;
}

/* The field's text as a parameter; NULL, or "" where empty says none, when it was not given. */
static const char *param(const struct request *r, unsigned field, bool empty)
{
	const struct field_value *v = &r->value[field];
	if (!v->given)
		return empty ? "" : NULL;
	if (r->row[field].type == FIELD_BOOL)
		return v->yes ? "true" : "false";
	return (const char *)v->text.p; /* jansson's and the pool's end with NUL */
}

/* --- under the recipient's lock ------------------------------------------------------------------------------------
 */

static bool begin_locked(const struct given *g, const char *phone)
{
	char keys[32];
	const char *params[] = {keys};
	snprintf(keys, sizeof(keys), "{%" PRId64 "}",
	         dispatch_recipient_key(&g->practice, RECIPIENT_PHONE, view_str(phone)));
	if (!store_client_script(g->c, "BEGIN"))
		return false;
	struct store_table *t = store_client_run(g->c, store_sql("claim_lock")->text, params, 1);
	store_table_free(t);
	return t;
}

static int change(const struct given *g, const char *phone, const char *sql, const char *const *params, unsigned count)
{
	struct store_table *t = NULL;
	int result = EXIT_FAILED;
	if (begin_locked(g, phone))
		t = store_client_run(g->c, store_sql(sql)->text, params, count);
	if (!t || !store_client_script(g->c, "COMMIT")) {
		result = failure("%s", store_client_error(g->c));
	} else {
		app_print_table(t, g->json);
		result = EXIT_OK;
	}
	store_table_free(t);
	return result;
}

static int show(const struct given *g, const char *sql, bool some)
{
	const char *params[] = {g->value[PRACTICE], g->value[PHONE], g->now};
	struct store_table *t = store_client_run(g->c, sql, params, 3);
	int result = EXIT_OK;
	if (!t)
		result = failure("%s", store_client_error(g->c));
	else if (some && store_table_rows(t) == 0)
		result = failure("nothing is known of that phone");
	else
		app_print_table(t, g->json);
	store_table_free(t);
	return result;
}

/* --- commands ------------------------------------------------------------------------------------------------------
 */

#define CONSENT_COLUMNS                                                                                                \
	"SELECT c.id, c.phone, c.patient, array_to_string(c.classes, ' ') AS classes, c.basis, c.captured_at, "        \
	"c.method,"                                                                                                    \
	" c.wording_version, c.actor, c.representative, c.adult_on, c.ended_at, c.ended_reason,"                       \
	" smsbridge.consent_state(c, r.stale_at, $3::timestamptz) AS state FROM smsbridge.consent c"                   \
	" LEFT JOIN smsbridge.recipient r ON r.practice_id = c.practice_id AND r.phone = c.phone"                      \
	" WHERE c.practice_id = $1::uuid AND ($2::text IS NULL OR c.phone = $2)"

static int consent_show(const struct given *g)
{
	if (g->turning)
		return show(g,
		            CONSENT_COLUMNS " AND c.ended_at IS NULL AND c.adult_on <= ($3::timestamptz AT TIME ZONE"
		                            " 'UTC')::date + 60 ORDER BY c.adult_on, c.id LIMIT 10000",
		            false);
	if (!g->value[PHONE])
		return usage_error("consent list needs --phone or --turning-18");
	return show(g, CONSENT_COLUMNS " ORDER BY c.id", false);
}

static int consent_add(const struct given *g)
{
	char id[UUID_TEXT_BYTES];
	struct uuid_maker maker = {0};
	struct uuid made = uuid_make(&maker, g->now_us);
	struct pool pool = {0};
	struct request r;
	int result;
	request_take(&r, request_of(g), consent_rows, consent_row_count, &pool, g->now_us);
	consent_check(&r);
	if (r.errors) {
		result = tell_faults(&r);
	} else { /* the rows are in the order of consent_give.sql's parameters; adult_on, the 13th, may be null */
		const char *params[22] = {g->value[PRACTICE], uuid_format(&made, id)};
		for (unsigned i = 0; i < consent_row_count; i++)
			params[2 + i] = param(&r, i, r.row[i].type != FIELD_DATE);
		params[18] = g->now;
		result = change(g, g->value[PHONE], "consent_give", params, 22);
	}
	request_end(&r);
	pool_free(&pool);
	return result;
}

static int consent_stop(const struct given *g)
{
	const char *find[] = {g->value[PRACTICE], g->word[1]};
	const char *params[] = {g->value[PRACTICE], g->word[1], g->value[REASON], g->value[BY], g->now};
	if (!*g->word[1] || !g->value[REASON] || !g->value[BY])
		return usage_error("consent end needs the consent's id, --reason and --by");
	struct store_table *t = store_client_run(g->c, store_sql("consent_phone")->text, find, 2);
	int result = EXIT_FAILED;
	if (!t)
		result = failure("%s", store_client_error(g->c));
	else if (store_table_rows(t) == 0)
		result = failure("there is no such consent");
	else
		result = change(g, store_table_cell(t, 0, 0), "consent_end", params, 5);
	store_table_free(t);
	return result;
}

static int recipient_show(const struct given *g)
{
	if (!g->value[PHONE])
		return usage_error("recipient show needs --phone");
	return show(g,
	            "SELECT * FROM smsbridge.recipient WHERE practice_id = $1::uuid AND phone = $2::text"
	            " AND $3::timestamptz IS NOT NULL",
	            true);
}

static int recipient_change(const struct given *g)
{
	struct pool pool = {0};
	struct request r;
	int result;
	request_take(&r, request_of(g), recipient_rows, recipient_row_count, &pool, g->now_us);
	recipient_check(&r);
	if (r.errors) {
		result = tell_faults(&r);
	} else { /* the rows behind phone and actor are in the order of recipient_set.sql's parameters */
		const char *params[10] = {g->value[PRACTICE], g->value[PHONE], g->now, g->value[BY]};
		for (unsigned i = 2; i < recipient_row_count; i++)
			params[2 + i] = param(&r, i, false);
		if (params[7] && strcmp(params[7], "none") == 0)
			params[7] = "";
		result = change(g, g->value[PHONE], "recipient_set", params, 10);
	}
	request_end(&r);
	pool_free(&pool);
	return result;
}

static const struct {
	const char *command;
	const char *word;
	int (*run)(const struct given *g);
} doors[] = {
        {"consent", "list", consent_show},     {"consent", "add", consent_add},        {"consent", "end", consent_stop},
        {"recipient", "show", recipient_show}, {"recipient", "set", recipient_change},
};

static int run_door(const char *command, struct given *g, const char *config, const char *database)
{
	struct clock system = {0};
	int result;
	if (!g->value[PRACTICE] || !uuid_parse(view_str(g->value[PRACTICE]), &g->practice))
		return usage_error("%s needs --practice ID", command);
	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++) {
		if (strcmp(doors[i].command, command) != 0 || strcmp(doors[i].word, g->word[0]) != 0)
			continue;
		g->c = app_database(config, database, false, &result);
		if (!g->c)
			return result;
		g->now_us = clock_read(&system);
		time_format(g->now_us, g->now);
		result = doors[i].run(g);
		store_client_close(g->c);
		return result;
	}
	return usage_error("%s", strcmp(command, "consent") == 0 ? "consent takes list, add or end ID"
	                                                         : "recipient takes show or set");
}

static int command_doors(const char *command, int argc, char **argv)
{
	const char *config = NULL, *database = NULL;
	struct given g = {.word = {"", ""}};
	struct option_row rows[OPTIONS + 5] = {{"config", &config, NULL}, {"database", &database, NULL}};
	rows[2] = (struct option_row){"json", NULL, &g.json};
	rows[3] = (struct option_row){"turning-18", NULL, &g.turning};
	for (unsigned i = 0; i < OPTIONS; i++)
		rows[4 + i] = (struct option_row){options[i].name, &g.value[i], NULL};
	if (options_parse(argc, argv, rows, g.word, 2) < 0)
		return EXIT_USAGE;
	return run_door(command, &g, config, database);
}

int command_consent(int argc, char **argv)
{
	return command_doors("consent", argc, argv);
}

int command_recipient(int argc, char **argv)
{
	return command_doors("recipient", argc, argv);
}
