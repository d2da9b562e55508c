/* person: the people of a practice, each with a role that says what a call with their keys may do and see. Every change
 * is an event. */
#include "app_commands.h"

#include "app_noted.h"
#include "api_role.h"
#include "base_time.h"
#include "base_uuid.h"
#include "store_client.h"

#include <string.h>

const char person_help[] =
        "Examples:\n"
        "  smsbridge person add --practice ID --name 'Jo Rivera' --role nurse\n"
        "  smsbridge person role PERSON-ID --practice ID --role compliance\n"
        "  smsbridge person disable PERSON-ID --practice ID\n"
        "  smsbridge person list --practice ID\n"
        "  smsbridge key create ID --person PERSON-ID --label laptop     a key of that person's own\n"
        "\n"
        "Roles: sender, nurse, billing, compliance, admin (docs/keys.md). Who is disabled loses all keys at once; "
        "what\n"
        "the person did stays.\n"
        "  --by NAME         who says so; your system user when absent\n"
        "  --config FILE, --database TEXT, --json\n";

struct options {
	const char *config, *database, *practice, *name, *role, *by;
	bool json;
};

/* One change by a function that tells whether it was made, then the person as it is now. */
static int change(struct store_client *c, const struct options *o, const char *call, const char *id,
                  const char *nothing)
{
	char at[TIME_TEXT_BYTES];
	struct clock system = {0};
	struct buf sql = BUF(1024);
	const char *params[] = {
	        o->practice, id,     time_format(clock_read(&system), at), o->by && *o->by ? o->by : noted_person(),
	        o->role,     o->name};
	/* In two statements: the second sees what the first did. */
	buf_printf(&sql, "SELECT smsbridge.%s AS ok, $5::text AS role, $6::text AS name", call);
	struct store_table *t = store_client_run(c, buf_cstr(&sql), params, 6);
	bool failed = !t;
	bool made = t && strcmp(store_table_cell(t, 0, 0), "t") == 0;
	store_table_free(t);
	buf_free(&sql);
	if (failed)
		return failure("%s", store_client_error(c));
	if (!made)
		return failure("%s", nothing);
	return app_show_table(c,
	                      store_client_run(c,
	                                       "SELECT id, practice_id, name, role, disabled_at FROM smsbridge.person"
	                                       " WHERE practice_id = $1::uuid AND id = $2::uuid",
	                                       params, 2),
	                      nothing, o->json);
}

static int list(struct store_client *c, const struct options *o)
{
	const char *params[] = {o->practice};
	return app_show_table(
	        c,
	        store_client_run(
	                c,
	                "SELECT id, practice_id, name, role, created_at, created_by, disabled_at, disabled_by"
	                " FROM smsbridge.person WHERE $1::uuid IS NULL OR practice_id = $1 ORDER BY created_at,"
	                " id",
	                params, 1),
	        NULL, o->json);
}

static int add(struct store_client *c, const struct options *o)
{
	char id[UUID_TEXT_BYTES];
	struct uuid_maker maker = {0};
	struct clock system = {0};
	struct uuid made = uuid_make(&maker, clock_read(&system));
	return change(c, o, "person_make($1::uuid, $2::uuid, $6, $5, $3::timestamptz, $4)", uuid_format(&made, id),
	              "the practice has a person of that name");
}

static int run(struct store_client *c, const struct options *o, const char *const *word)
{
	if (strcmp(word[0], "list") == 0)
		return list(c, o);
	if (strcmp(word[0], "add") == 0)
		return add(c, o);
	if (strcmp(word[0], "role") == 0)
		return change(c, o, "person_role($1::uuid, $2::uuid, $5, $3::timestamptz, $4)", word[1],
		              "there is no such person any more");
	return change(c, o, "person_disable($1::uuid, $2::uuid, $3::timestamptz, $4)", word[1],
	              "there is no such person");
}

/* NULL, or what is missing. */
static const char *fault(const struct options *o, const char *const *word)
{
	bool lists = strcmp(word[0], "list") == 0, adds = strcmp(word[0], "add") == 0,
	     roles = strcmp(word[0], "role") == 0;
	if (!lists && !adds && !roles && strcmp(word[0], "disable") != 0)
		return "person takes add, role ID, disable ID or list";
	if (!lists && !o->practice)
		return "say whose, with --practice ID";
	if (adds && (!o->name || !*o->name || strlen(o->name) > 128))
		return "--name takes 1 to 128 octets";
	if ((adds || roles) && (!o->role || role_parse(view_str(o->role)) == ROLE_COUNT))
		return "--role takes sender, nurse, billing, compliance or admin";
	if (!lists && !adds && !*word[1])
		return "give the person's id";
	return NULL;
}

int command_person(int argc, char **argv)
{
	struct options o = {0};
	const char *word[2] = {"", ""};
	int result = EXIT_USAGE;
	const struct option_row rows[] = {{"config", &o.config, NULL},     {"database", &o.database, NULL},
	                                  {"practice", &o.practice, NULL}, {"name", &o.name, NULL},
	                                  {"role", &o.role, NULL},         {"by", &o.by, NULL},
	                                  {"json", NULL, &o.json},         {0}};
	if (options_parse(argc, argv, rows, word, 2) < 0)
		return EXIT_USAGE;
	const char *wrong = fault(&o, word);
	if (wrong)
		return usage_error("%s", wrong);
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	result = run(c, &o, word);
	store_client_close(c);
	return result;
}
