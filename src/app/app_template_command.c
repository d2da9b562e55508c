/* template and campaign: the same checks as over HTTP, for who has the database. Every change is an event. */
#include "app_commands.h"
#include "api_template.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_time.h"
#include "base_uuid.h"
#include "store_client.h"
#include "store_sql.h"
#include "text_starter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMON "  --config FILE, --database TEXT, --json\n"

const char template_help[] =
        "Examples:\n"
        "  smsbridge template starters\n"
        "  smsbridge template save --practice ID --starter appointment_reminder --language es --person 'Jo Rivera'\n"
        "  smsbridge template save reminder.json --practice ID --person 'Jo Rivera'\n"
        "  smsbridge template approve TEMPLATE-ID --practice ID --person 'Sam Okafor'\n"
        "  smsbridge template lint reminder.json --practice ID\n"
        "  smsbridge template list --practice ID\n"
        "\n"
        "A file is JSON as POST /v1/templates takes it: name, language, category, body, variables. A version that was\n"
        "saved never changes; saving the name again makes the next one. Messages are written with approved ones.\n"
        "Retire a version with `smsbridge template retire TEMPLATE-ID --practice ID --person NAME`. Exit code 1 when\n"
        "something refuses it.\n"
        "  --practice ID      whose it is\n"
        "  --person NAME      who saves, approves or retires it\n"
        "  --starter NAME     one of the texts that come with the program\n"
        "  --language CODE    of the starter: en (the default) or es\n" COMMON;

const char campaign_help[] =
        "Examples:\n"
        "  smsbridge campaign add --practice ID --campaign CABC123 --classes appointment_reminder,verification \\\n"
        "      --person 'Jo Rivera'\n"
        "  smsbridge campaign end --practice ID --campaign CABC123 --person 'Jo Rivera'\n"
        "  smsbridge campaign list --practice ID\n"
        "\n"
        "What the practice's sender is registered to carry (a 10DLC campaign, a toll-free verification). Templates "
        "can\n"
        "only be saved and used for these classes.\n"
        "  --practice ID      whose sender\n"
        "  --campaign TEXT    the registry's id\n"
        "  --classes LIST     categories of /openapi.json, commas between\n"
        "  --sender NUMBER    of `add`: another number than the practice's\n"
        "  --person NAME      who recorded it\n" COMMON;

struct options {
	const char *config, *database, *practice, *person, *starter, *language, *campaign, *classes, *sender;
	bool json;
};

static int parse(int argc, char **argv, struct options *o, const char **words)
{
	const struct option_row rows[] = {{"config", &o->config, NULL},
	                                  {"database", &o->database, NULL},
	                                  {"practice", &o->practice, NULL},
	                                  {"person", &o->person, NULL},
	                                  {"starter", &o->starter, NULL},
	                                  {"language", &o->language, NULL},
	                                  {"campaign", &o->campaign, NULL},
	                                  {"classes", &o->classes, NULL},
	                                  {"sender", &o->sender, NULL},
	                                  {"json", NULL, &o->json},
	                                  {0}};
	return options_parse(argc, argv, rows, words, 2);
}

static const char *now_text(char to[TIME_TEXT_BYTES])
{
	struct clock system = {0};
	return time_format(clock_read(&system), to);
}

/* Prints the rows; a failure when there are none and some were to be. */
static int finish(struct store_client *c, struct store_table *t, bool json, bool some, const char *nothing)
{
	int result = EXIT_OK;
	if (!t)
		result = failure("%s", store_client_error(c));
	else if (some && store_table_rows(t) == 0)
		result = failure("%s", nothing);
	else
		app_print_table(t, json);
	store_table_free(t);
	return result;
}

/* --- one template --------------------------------------------------------------------------------------------------
 */

static json_t *starter_json(const struct text_starter *s)
{
	struct text_template t;
	json_t *variables = json_object();
	text_starter_template(s, &t);
	for (unsigned i = 0; i < t.variables; i++)
		json_object_set_new(variables, t.variable[i].name,
		                    json_pack("{s:s,s:i}", "type", text_template_type_name(t.variable[i].type), "max",
		                              (int)t.variable[i].max));
	return json_pack("{s:s,s:s,s:s,s:s,s:o}", "name", s->name, "language", s->language, "category", s->category,
	                 "body", s->body, "variables", variables);
}

/* The template of the file, or of --starter; NULL with the failure told. */
static json_t *read_json(const char *path, const struct options *o)
{
	json_error_t error;
	json_t *json = NULL;
	size_t n;
	if (o->starter) {
		struct view language = view_str(o->language ? o->language : "en");
		const struct text_starter *s = text_starter_find(view_str(o->starter), language);
		if (!s)
			usage_error("there is no starter \"%s\"; see smsbridge template starters", o->starter);
		return s ? starter_json(s) : NULL;
	}
	char *text = *path ? app_read_file(path, LIMIT_HTTP_BODY_BYTES, &n) : NULL;
	if (text)
		json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!text)
		usage_error("give a file that can be read, or --starter");
	else if (!json_is_object(json))
		failure("%s is no JSON object", path);
	free(text);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

/* False with the failure told. */
static bool read_practice(struct store_client *c, const struct options *o, struct lint_practice *to)
{
	const char *params[] = {o->practice};
	struct view fields[LINT_PRACTICE_FIELDS];
	struct store_table *t = store_client_run(
	        c, "SELECT " LINT_PRACTICE_COLUMNS " FROM smsbridge.practice p WHERE p.id = $1::uuid", params, 1);
	bool found = t && store_table_rows(t) == 1;
	for (unsigned i = 0; found && i < LINT_PRACTICE_FIELDS; i++)
		fields[i] = view_str(store_table_cell(t, 0, i));
	if (found)
		lint_practice_take(to, fields);
	else
		failure("%s", t ? "there is no such practice" : store_client_error(c));
	store_table_free(t);
	return found;
}

static void print_faults(const struct faults *f)
{
	for (unsigned i = 0; i < f->count; i++)
		failure("%s: %s: %s", f->error[i].pointer, f->error[i].code, f->error[i].detail);
}

static void print_findings(const struct lint_findings *r)
{
	for (unsigned i = 0; i < r->count; i++)
		printf("%s %s: %s %s (%s)\n", r->finding[i].refuses ? "refuse" : "warn",
		       policy_lint_code(r->finding[i].rule), policy_lint_sentence(r->finding[i].rule),
		       policy_lint_suggestion(r->finding[i].rule), policy_lint_citation(r->finding[i].rule));
}

static int store(struct store_client *c, const struct options *o, const struct template_draft *d)
{
	char id[UUID_TEXT_BYTES], at[TIME_TEXT_BYTES], septets[16];
	struct clock system = {0};
	struct uuid_maker maker = {0};
	struct uuid made = uuid_make(&maker, clock_read(&system));
	struct buf name = BUF(100), language = BUF(20), body = BUF(LIMIT_BODY_BYTES), person = BUF(200);
	buf_add_view(&name, d->name);
	buf_add_view(&language, d->t.language);
	buf_add_view(&body, d->t.body);
	buf_add_view(&person, d->person);
	snprintf(septets, sizeof(septets), "%u", d->report.septets);
	const char *params[] = {o->practice,      uuid_format(&made, id), now_text(at),
	                        buf_cstr(&name),  buf_cstr(&language),    policy_category_code(d->category),
	                        buf_cstr(&body),  d->variables,           septets,
	                        buf_cstr(&person)};
	struct store_table *t = store_client_run(c, store_sql("template_save")->text, params, 10);
	int result = EXIT_FAILED;
	if (t && store_table_rows(t) == 1 && !store_table_cell(t, 0, 2))
		failure("the practice's sender is registered for no campaign that covers this category; see smsbridge "
		        "campaign --help");
	else
		result = finish(c, t, o->json, true, "it was not saved");
	buf_free(&name);
	buf_free(&language);
	buf_free(&body);
	buf_free(&person);
	return result;
}

static int judge(struct store_client *c, const struct options *o, json_t *json, bool save)
{
	struct template_draft d = {0};
	struct pool pool = {0};
	struct lint_practice practice;
	struct buf longest = BUF(LIMIT_BODY_BYTES * 4);
	int result = EXIT_FAILED;
	if (!read_practice(c, o, &practice))
		return result;
	bool ok = save ? template_draft_read(&d, &pool, json, &practice)
	               : template_draft_fields(&d, &pool, json) && template_draft_check(&d, &practice, &longest);
	print_faults(&d.faults);
	if (!save || d.findings.warnings)
		print_findings(&d.findings);
	if (ok && save)
		result = store(c, o, &d);
	else if (ok && d.findings.refusals == 0 && printf("at most %u septets of 160\n", d.report.septets) > 0)
		result = EXIT_OK;
	buf_free(&longest);
	pool_free(&pool);
	return result;
}

static int template_file(struct store_client *c, const struct options *o, const char *path, bool save)
{
	json_t *json = read_json(path, o);
	if (!json)
		return EXIT_USAGE;
	if (save && o->person)
		json_object_set_new(json, "person", json_string(o->person));
	int result = judge(c, o, json, save);
	json_decref(json);
	return result;
}

static int template_move(struct store_client *c, const struct options *o, const char *id, bool approve)
{
	char at[TIME_TEXT_BYTES];
	const char *params[] = {o->practice, id, now_text(at), o->person, NULL};
	if (!o->person || !*o->person)
		return usage_error("--person says who does it");
	struct store_table *t =
	        store_client_run(c, store_sql(approve ? "template_approve" : "template_retire")->text, params, 5);
	int result = EXIT_FAILED;
	if (!t)
		failure("%s", store_client_error(c));
	else if (store_table_rows(t) == 0)
		failure("there is no such template");
	else if (strcmp(store_table_cell(t, 0, 1), "t") == 0 && printf("%s\n", approve ? "approved" : "retired") > 0)
		result = EXIT_OK;
	else if (approve && strcmp(store_table_cell(t, 0, 0), "draft") == 0)
		failure("another person than the one who saved it must approve");
	else
		failure("it is %s", store_table_cell(t, 0, 0));
	store_table_free(t);
	return result;
}

static int template_show(struct store_client *c, const struct options *o)
{
	const char *params[] = {o->practice};
	struct store_table *t = store_client_run(
	        c,
	        "SELECT id, name, language, version, category, status, septets, saved_by, approved_by, body"
	        " FROM smsbridge.template WHERE practice_id = $1::uuid ORDER BY name, language, version DESC",
	        params, 1);
	return finish(c, t, o->json, false, "");
}

static int starters_show(void)
{
	for (unsigned i = 0; text_starter_at(i); i++) {
		const struct text_starter *s = text_starter_at(i);
		printf("%s %s (%s)\n  %s\n", s->name, s->language, s->category, s->body);
	}
	return EXIT_OK;
}

static int template_word(struct store_client *c, const struct options *o, const char **word)
{
	if (strcmp(word[0], "list") == 0)
		return template_show(c, o);
	if (strcmp(word[0], "save") == 0 || strcmp(word[0], "lint") == 0)
		return template_file(c, o, word[1], *word[0] == 's');
	if ((strcmp(word[0], "approve") == 0 || strcmp(word[0], "retire") == 0) && *word[1])
		return template_move(c, o, word[1], *word[0] == 'a');
	return usage_error("template takes starters, list, save FILE, lint FILE, approve ID or retire ID");
}

int command_template(int argc, char **argv)
{
	struct options o = {0};
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	if (parse(argc, argv, &o, word) < 0)
		return EXIT_USAGE;
	if (strcmp(word[0], "starters") == 0)
		return starters_show();
	if (!o.practice)
		return usage_error("--practice says whose template it is");
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	result = template_word(c, &o, word);
	store_client_close(c);
	return result;
}

/* --- campaigns -----------------------------------------------------------------------------------------------------
 */

static bool classes_ok(const char *list)
{
	for (const char *p = list; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
		enum category category = policy_category_parse(view_of(p, strcspn(p, ",")));
		if (category == CATEGORY_COUNT || !(policy_category_flags(category) & CATEGORY_API))
			return false;
	}
	return *list;
}

static int campaign_add(struct store_client *c, const struct options *o)
{
	char at[TIME_TEXT_BYTES];
	const char *params[] = {o->practice, o->campaign, o->classes, now_text(at), o->person, o->sender};
	if (!o->campaign || !*o->campaign || !o->person || !*o->person)
		return usage_error("--campaign and --person are needed");
	if (!o->classes || !classes_ok(o->classes))
		return usage_error("--classes takes categories that a practice may send, commas between");
	struct store_table *t = store_client_run(
	        c,
	        "WITH made AS (INSERT INTO smsbridge.sender_campaign (practice_id, sender, campaign, classes,"
	        " registered_at, registered_by) SELECT id, coalesce($6::text, sender), $2::text,"
	        " string_to_array($3::text, ','), $4::timestamptz, $5::text FROM smsbridge.practice WHERE id = $1::uuid"
	        " RETURNING *), told AS (INSERT INTO smsbridge.event (practice_id, type, at, data)"
	        " SELECT practice_id, 'practice.changed', registered_at, jsonb_build_object('change', 'campaign_added',"
	        " 'sender', sender, 'campaign', campaign, 'classes', classes, 'by', registered_by) FROM made)"
	        " SELECT sender, campaign, array_to_string(classes, ',') AS classes, registered_at FROM made",
	        params, 6);
	if (!t && strcmp(store_client_sqlstate(c), "23505") == 0)
		return failure("this campaign is registered already; end it first");
	return finish(c, t, o->json, true, "there is no such practice");
}

static int campaign_end(struct store_client *c, const struct options *o)
{
	char at[TIME_TEXT_BYTES];
	const char *params[] = {o->practice, o->campaign, now_text(at), o->person};
	if (!o->campaign || !*o->campaign || !o->person || !*o->person)
		return usage_error("--campaign and --person are needed");
	struct store_table *t = store_client_run(
	        c,
	        "WITH made AS (UPDATE smsbridge.sender_campaign SET ended_at = $3::timestamptz, ended_by = $4::text"
	        " WHERE practice_id = $1::uuid AND campaign = $2::text AND ended_at IS NULL RETURNING *),"
	        " told AS (INSERT INTO smsbridge.event (practice_id, type, at, data)"
	        " SELECT practice_id, 'practice.changed', ended_at, jsonb_build_object('change', 'campaign_ended',"
	        " 'sender', sender, 'campaign', campaign, 'by', ended_by) FROM made)"
	        " SELECT sender, campaign, ended_at FROM made",
	        params, 4);
	return finish(c, t, o->json, true, "there is no such campaign that has not ended");
}

static int campaign_list(struct store_client *c, const struct options *o)
{
	const char *params[] = {o->practice};
	struct store_table *t = store_client_run(
	        c,
	        "SELECT sender, campaign, array_to_string(classes, ',') AS classes, registered_at, registered_by, "
	        "ended_at,"
	        " ended_by FROM smsbridge.sender_campaign WHERE practice_id = $1::uuid ORDER BY registered_at",
	        params, 1);
	return finish(c, t, o->json, false, "");
}

int command_campaign(int argc, char **argv)
{
	struct options o = {0};
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	if (parse(argc, argv, &o, word) < 0)
		return EXIT_USAGE;
	if (!o.practice)
		return usage_error("--practice says whose sender it is");
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	if (strcmp(word[0], "add") == 0)
		result = campaign_add(c, &o);
	else if (strcmp(word[0], "end") == 0)
		result = campaign_end(c, &o);
	else if (strcmp(word[0], "list") == 0)
		result = campaign_list(c, &o);
	else
		result = usage_error("campaign takes add, end or list");
	store_client_close(c);
	return result;
}
