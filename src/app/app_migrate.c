/* migrate: the files of migrations/, then the reference tables from the rows of proto/. */
#include "app_commands.h"

#include "policy_phone.h"
#include "policy_rules.h"
#include "store_migrate.h"

#include <stdio.h>
#include <string.h>

const char migrate_help[] = "Examples:\n"
                            "  smsbridge migrate --config /etc/smsbridge/config.yaml\n"
                            "  smsbridge migrate --database 'host=db dbname=smsbridge user=smsbridge_owner'\n"
                            "\n"
                            "Applies what is missing of the numbered migrations, each in one transaction, under a "
                            "lock, and writes the reference\n"
                            "tables. Run it as the role that owns the database, before the new version's `run`. "
                            "Changed migrations are refused.\n"
                            "  --config FILE      take owner_conninfo from it\n"
                            "  --database TEXT    connection string instead\n"
                            "  --status           only tell which migration the database is at (--json for programs)\n";

#define NEVER "NEVER"
#define PRACTICE "PRACTICE"
static const char *const event_cells[] = {
#define EVENT(name, code, webhook, sentence) code, webhook, sentence,
#include "event.def"
#undef EVENT
};
#undef NEVER
#undef PRACTICE

static const char *const event_member_cells[] = {
#define EVENT_MEMBER(type, member, key) type, member, key,
#include "event_member.def"
#undef EVENT_MEMBER
};

static const char *const scope_cells[] = {
#define SCOPE(name, code, sentence) code, sentence,
#include "scope.def"
#undef SCOPE
};

/* "messages:write" by its row's name. */
#define SCOPE(name, code, sentence) static const char scope_##name[] = code;
#include "scope.def"
#undef SCOPE

static const char *const role_cells[] = {
#define ROLE(name, sees_phone, sees_text, sentence) #name, #sees_phone, #sees_text, sentence,
#define ROLE_MAY(role, scope)
#include "role.def"
#undef ROLE
#undef ROLE_MAY
};

static const char *const role_may_cells[] = {
#define ROLE(name, sees_phone, sees_text, sentence)
#define ROLE_MAY(role, scope) #role, scope_##scope,
#include "role.def"
#undef ROLE
#undef ROLE_MAY
};

static const char *const reason_cells[] = {
#define REASON(code, rule, citation, sentence, finality) #code, rule, citation, sentence, finality,
#include "reason.def"
#undef REASON
};

static const char *const status_cells[] = {
#define STATUS(name, rank, final, sentence) #name, #final, sentence,
#include "status.def"
#undef STATUS
};

static const char *const category_cells[] = {
#define CATEGORY(code, flags, basis, citation, sentence) #code, #flags, #basis, citation, sentence,
#include "category.def"
#undef CATEGORY
};

static const char *const pack_cells[] = {
#define RULE_PACK(code, from, to, on, open, close, guard, day, week, calendar, conversation, category, citation,       \
                  sentence)                                                                                            \
#code, from, to, #on, citation, sentence, #category,
#include "rule_pack.def"
#undef RULE_PACK
};

static const char *const state_cells[] = {
#define STATE_HOURS(code, weekdays, saturday, sunday, holidays, day_max, citation, note)                               \
#code, #weekdays, #saturday, #sunday, #holidays, #day_max, citation, note,
#include "state_hours.def"
#undef STATE_HOURS
};

#define NPA_ROWS_MAX 1200

/* (area code, zone) pairs, by asking the table for every possible area code. */
static unsigned npa_cells(const char **cells, struct pool *pool)
{
	unsigned n = 0;
	for (int npa = 200; npa < 1000; npa++) {
		char phone[PHONE_BYTES + 8];
		snprintf(phone, sizeof(phone), "+1%03d2000000", npa % 1000);
		if (policy_phone_check(view_str(phone)) != PHONE_OK)
			continue;
		struct zone_names zones = policy_phone_zones(phone);
		for (unsigned i = 0; i < zones.count && n < NPA_ROWS_MAX * 2 && !zones.assumed; i++) {
			cells[n++] = pool_copy(pool, view_of(phone + 2, 3));
			cells[n++] = zones.name[i];
		}
	}
	return n / 2;
}

#define ROWS(cells, width) (sizeof(cells) / sizeof(*(cells)) / (width))

static void migrated_cb(void *ctx, const char *name)
{
	const bool *quiet = ctx;
	if (!*quiet)
		fprintf(stderr, "applied %s\n", name);
}

bool app_migrate(struct store_client *c, bool quiet, struct buf *error)
{
	static const char *npa[NPA_ROWS_MAX * 2];
	struct pool pool = {0};
	unsigned npa_rows = npa_cells(npa, &pool);
	const struct store_reference references[] = {
	        {"smsbridge.event_type", "code, webhook, sentence", event_cells, 3, ROWS(event_cells, 3),
	         "smsbridge.event", "type"},
	        {"smsbridge.event_member", "type, member, key", event_member_cells, 3, ROWS(event_member_cells, 3),
	         NULL, NULL},
	        {"smsbridge.scope", "code, sentence", scope_cells, 2, ROWS(scope_cells, 2), NULL, NULL},
	        {"smsbridge.role", "code, sees_phone, sees_text, sentence", role_cells, 4, ROWS(role_cells, 4),
	         "smsbridge.person", "role"},
	        {"smsbridge.role_may", "role, scope", role_may_cells, 2, ROWS(role_may_cells, 2), NULL, NULL},
	        {"smsbridge.reason", "code, rule, citation, sentence, finality", reason_cells, 5, ROWS(reason_cells, 5),
	         "smsbridge.message", "reason"},
	        {"smsbridge.status", "code, final, sentence", status_cells, 3, ROWS(status_cells, 3),
	         "smsbridge.message", "status"},
	        {"smsbridge.category", "code, flags, basis, citation, sentence", category_cells, 5,
	         ROWS(category_cells, 5), NULL, NULL},
	        {"smsbridge.rule_pack",
	         "code, effective_from, effective_to, shipped_on, citation, sentence, category_opt_out", pack_cells, 7,
	         ROWS(pack_cells, 7), NULL, NULL},
	        {"smsbridge.state_hours", "state, weekday, saturday, sunday, holiday, day_max, citation, note",
	         state_cells, 8, ROWS(state_cells, 8), NULL, NULL},
	        {"smsbridge.npa_zone", "npa, zone", npa, 2, npa_rows, NULL, NULL},
	};
	bool ok = store_migrate(c, references, sizeof(references) / sizeof(*references), migrated_cb, &quiet, error);
	pool_free(&pool);
	return ok;
}

static int show_status(struct store_client *c, bool json)
{
	struct buf error = BUF(2048);
	int applied = store_migrate_applied(c, &error);
	int result = EXIT_OK;
	if (applied < 0)
		result = failure("%s", buf_cstr(&error));
	else
		printf(json ? "{\"database\":%d,\"program\":%u}\n" : "database at migration %d, program at %u\n",
		       applied, store_migrate_newest());
	buf_free(&error);
	return result;
}

int command_migrate(int argc, char **argv)
{
	const char *config = NULL;
	const char *database = NULL;
	bool status = false, json = false;
	int result;
	const struct option_row rows[] = {{"config", &config, NULL},
	                                  {"database", &database, NULL},
	                                  {"status", NULL, &status},
	                                  {"json", NULL, &json},
	                                  {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	struct store_client *c = app_database(config, database, true, &result);
	if (!c)
		return result;
	struct buf error = BUF(4096);
	if (status)
		result = show_status(c, json);
	else if (app_migrate(c, false, &error))
		result = EXIT_OK;
	else
		result = failure("%s", buf_cstr(&error));
	buf_free(&error);
	store_client_close(c);
	return result;
}
