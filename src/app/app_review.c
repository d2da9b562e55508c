/* opt-out and task: what staff were told, and what a person has to look at. The functions of the database that the API
 * calls do it, under the recipient's lock, so it works while the gateway is down. */
#include "app_commands.h"

#include "api_decision.h"
#include "base_time.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

#define COMMON "  --config FILE, --database TEXT, --json, --unmask\n"

const char opt_out_help[] = "Examples:\n"
                            "  smsbridge opt-out add --practice ID --phone +12125550101 --channel voicemail \\\n"
                            "      --words 'please stop the texts' --actor 'Jo Rivera, front desk'\n"
                            "  smsbridge opt-out list --practice ID --phone +12125550101\n"
                            "  smsbridge opt-out lift --practice ID --id ID --actor NAME --reason TEXT --consent ID\n"
                            "\n"
                            "Any way of saying it counts (47 CFR 64.1200(a)(10)); what waits for that phone is "
                            "cancelled at once. A STOP that\n"
                            "the patient texted ends only by the patient's START; what staff entered, or a wrong "
                            "number, only by a consent\n"
                            "that was given afterwards.\n"
                            "  --channel WORD    staff, voicemail, email, web, letter or in_person\n"
                            "  --words TEXT      what the patient said or wrote\n"
                            "  --category NAME   this class of message only, where the rules allow that\n" COMMON;

const char task_help[] =
        "Examples:\n"
        "  smsbridge task list --practice ID\n"
        "  smsbridge task own --practice ID --id ID --person 'Jo Rivera'\n"
        "  smsbridge task decide --practice ID --id ID --decision not_opt_out --person 'Jo Rivera' --note 'asked her'\n"
        "\n"
        "What patients wrote that a person has to look at. While a possible_opt_out is open nothing goes to that "
        "phone.\n"
        "Decisions: opt_out or not_opt_out; cancel_visit or keep; confirmed or not_wrong (of a wrong number).\n"
        "  --kind NAME       tasks of this kind only\n"
        "  --decided         those that were decided\n" COMMON;

enum {
	PRACTICE,
	PHONE,
	ID,
	CHANNEL,
	WORDS,
	ACTOR,
	CATEGORY,
	REASON,
	CONSENT,
	PERSON,
	DECISION,
	NOTE,
	KIND,
	OPTIONS,
	AT = OPTIONS,
	UNMASK,
	DECIDED,
	EFFECT,
	PARAMS
};

static const char *const names[OPTIONS] = {"practice", "phone",   "id",     "channel",  "words", "actor", "category",
                                           "reason",   "consent", "person", "decision", "note",  "kind"};

struct review_row {
	const char *command;
	const char *word;
	unsigned needs; /* a bit for each option that must be given */
	const char *sql;
};

#define NEEDS(i) (1u << (i))
/* Every statement names every parameter, so that all take the same ones. */
#define ALL                                                                                                            \
	"WITH p AS (SELECT $1::uuid AS practice, $2::text AS phone, $3::uuid AS id, coalesce($4, '') AS channel,"      \
	" coalesce($5, '') AS words, coalesce($6, '') AS actor, coalesce($7, '') AS category, $8::text AS reason,"     \
	" $9::uuid AS consent, $10::text AS person, $11::text AS decision, coalesce($12, '') AS note, $13::text AS "   \
	"kind,"                                                                                                        \
	" $14::timestamptz AS at, $15::text AS unmask, $16::text AS decided, $17::text AS effect) "
#define MASKED(phone) "CASE p.unmask WHEN 'unmask' THEN " phone " ELSE smsbridge.mask_phone(" phone ") END AS phone"

static const struct review_row rows[] = {
        {"opt-out", "add", NEEDS(PRACTICE) | NEEDS(PHONE) | NEEDS(CHANNEL) | NEEDS(WORDS) | NEEDS(ACTOR),
         ALL
         "SELECT o.problem, o.body->>'id' AS id, o.body->>'created_at' AS created_at FROM p, smsbridge.opt_out_enter("
         "p.practice, p.phone, p.channel, p.words, p.actor, p.category, p.at) AS o"},
        {"opt-out", "list", NEEDS(PRACTICE) | NEEDS(PHONE),
         ALL "SELECT o.id, " MASKED(
                 "o.phone") ", o.scope, o.category, o.method, o.channel, o.actor, o.created_at,"
                            " o.lifted_at FROM p, smsbridge.opt_out o WHERE o.practice_id IN (p.practice,"
                            " '00000000-0000-0000-0000-000000000000') AND o.phone = p.phone ORDER BY o.id"},
        {"opt-out", "lift", NEEDS(PRACTICE) | NEEDS(ID) | NEEDS(ACTOR) | NEEDS(REASON) | NEEDS(CONSENT),
         ALL "SELECT o.problem, o.body->>'id' AS id, o.body->>'lifted_at' AS lifted_at FROM p, smsbridge.opt_out_end("
             "p.practice, p.id, p.actor, p.reason, p.consent, p.at) AS o"},
        {"task", "list", NEEDS(PRACTICE),
         ALL "SELECT t.id, t.kind, " MASKED(
                 "t.phone") ", t.holds, t.opened_at, t.owner, t.decision, t.decided_by,"
                            " t.decided_at FROM p, smsbridge.review_task t WHERE t.practice_id = p.practice"
                            " AND (t.decided_at IS NOT NULL) = (p.decided <> '') AND (p.kind IS NULL OR t.kind = "
                            "p.kind) ORDER BY t.id"},
        {"task", "own", NEEDS(PRACTICE) | NEEDS(ID) | NEEDS(PERSON),
         ALL "SELECT t.problem, t.body->>'id' AS id, t.body->>'owner' AS owner FROM p,"
             " smsbridge.task_own(p.practice, p.id, p.person, p.at) AS t"},
        {"task", "decide", NEEDS(PRACTICE) | NEEDS(ID) | NEEDS(PERSON) | NEEDS(DECISION),
         ALL "SELECT t.problem, t.body->>'id' AS id, t.body->>'decision' AS decision FROM p, smsbridge.task_decide("
             "p.practice, p.id, p.kind, p.decision, p.effect, p.person, p.note, p.at) AS t"},
};

static int print(const struct store_table *t, bool json)
{
	const char *problem =
	        store_table_columns(t) && strcmp(store_table_name(t, 0), "problem") == 0 && store_table_rows(t)
	                ? store_table_cell(t, 0, 0)
	                : NULL;
	if (problem && *problem)
		return failure("refused: %s", problem);
	app_print_table(t, json);
	return EXIT_OK;
}

static int run_row(const struct review_row *row, const char *const *params, const char *config, const char *database,
                   bool json)
{
	int result;
	for (unsigned i = 0; i < OPTIONS; i++)
		if (row->needs & NEEDS(i) && !params[i])
			return usage_error("%s %s needs --%s", row->command, row->word, names[i]);
	struct store_client *c = app_database(config, database, false, &result);
	if (!c)
		return result;
	struct store_table *t = store_client_run(c, row->sql, params, PARAMS);
	result = t ? print(t, json) : failure("%s", store_client_error(c));
	store_table_free(t);
	store_client_close(c);
	return result;
}

/* What the decision is for and does goes with it. */
static bool take_decision(const char **params)
{
	if (!params[DECISION])
		return true;
	const struct decision *d = decision_find(params[DECISION]);
	if (!d)
		return false;
	params[KIND] = d->kind;
	params[EFFECT] = d->effect;
	return true;
}

static int command_review(const char *command, const char *words, int argc, char **argv)
{
	const char *config = NULL, *database = NULL, *word = "";
	const char *params[PARAMS] = {NULL};
	char at[TIME_TEXT_BYTES];
	struct clock system = {0};
	bool json = false, unmask = false, decided = false;
	struct option_row options[OPTIONS + 6] = {{"config", &config, NULL},   {"database", &database, NULL},
	                                          {"json", NULL, &json},       {"unmask", NULL, &unmask},
	                                          {"decided", NULL, &decided}, {0}};
	for (unsigned i = 0; i < OPTIONS; i++)
		options[5 + i] = (struct option_row){names[i], &params[i], NULL};
	if (options_parse(argc, argv, options, &word, 1) < 0)
		return EXIT_USAGE;
	if (!take_decision(params))
		return usage_error("there is no decision \"%s\"", params[DECISION]);
	params[AT] = time_format(clock_read(&system), at);
	params[UNMASK] = unmask ? "unmask" : "";
	params[DECIDED] = decided ? "decided" : "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].command, command) == 0 && strcmp(rows[i].word, word) == 0)
			return run_row(&rows[i], params, config, database, json);
	return usage_error("%s takes %s", command, words);
}

int command_opt_out(int argc, char **argv)
{
	return command_review("opt-out", "add, list or lift", argc, argv);
}

int command_task(int argc, char **argv)
{
	return command_review("task", "list, own or decide", argc, argv);
}
