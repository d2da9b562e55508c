/* hold: what a court or a complaint needs stays as it is, whatever the days say. Each change is an event. */
#include "app_commands.h"

#include "base_time.h"
#include "base_uuid.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

const char hold_help[] =
        "Examples:\n"
        "  smsbridge hold place --practice ID --patient p-1041 --by 'Ada Stone' --reason 'complaint 17'\n"
        "  smsbridge hold place --practice ID --phone +12125550101 --by 'Ada Stone' --reason 'subpoena'\n"
        "  smsbridge hold place --practice ID --everything --by 'Ada Stone' --reason 'audit'\n"
        "  smsbridge hold list\n"
        "  smsbridge hold lift --practice ID --hold ID --by 'Ada Stone' --reason 'settled'\n"
        "\n"
        "While a legal hold stands no text that it covers is redacted, and no month that holds an event of it is\n"
        "moved out. A hold on a patient covers what came from the phones that the patient was texted at.\n"
        "  --practice ID                           whose\n"
        "  --phone NUMBER, --patient REF, --everything   what it covers: one of them\n"
        "  --by NAME, --reason TEXT                who, and why; both are kept\n"
        "  --config FILE, --database TEXT, --json\n";

struct hold_options {
	const char *config, *database, *practice, *phone, *patient, *by, *reason, *hold;
	bool everything, json;
};

static int hold_place(struct store_client *c, const struct hold_options *o)
{
	char at[TIME_TEXT_BYTES], id[UUID_TEXT_BYTES];
	struct clock system = {0};
	struct uuid_maker maker = {0};
	struct uuid made = uuid_make(&maker, clock_read(&system));
	const char *params[] = {o->practice,
	                        uuid_format(&made, id),
	                        o->phone,
	                        o->patient,
	                        o->reason,
	                        o->by,
	                        time_format(clock_read(&system), at)};
	return app_show_table(
	        c,
	        store_client_run(c,
	                         "WITH made AS (INSERT INTO smsbridge.legal_hold (practice_id, id, phone, patient, "
	                         "reason, placed_by, placed_at)"
	                         " SELECT p.id, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::timestamptz"
	                         " FROM smsbridge.practice p WHERE p.id = $1::uuid RETURNING *),"
	                         " told AS (INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)"
	                         " SELECT practice_id, 'hold.placed', placed_at, phone, patient, jsonb_build_object("
	                         "'id', id, 'by', placed_by, 'reason', reason) FROM made)"
	                         " SELECT practice_id, id, patient, reason, placed_by, placed_at FROM made",
	                         params, 7),
	        "there is no such thing", o->json);
}

static int hold_lift(struct store_client *c, const struct hold_options *o)
{
	char at[TIME_TEXT_BYTES];
	struct clock system = {0};
	const char *params[] = {o->practice, o->hold, o->by, o->reason, time_format(clock_read(&system), at)};
	return app_show_table(
	        c,
	        store_client_run(c,
	                         "WITH gone AS (UPDATE smsbridge.legal_hold SET lifted_by = $3, lifted_reason = $4,"
	                         " lifted_at = $5::timestamptz WHERE practice_id = $1::uuid AND id = $2::uuid"
	                         " AND lifted_at IS NULL RETURNING *),"
	                         " told AS (INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)"
	                         " SELECT practice_id, 'hold.lifted', lifted_at, phone, patient, jsonb_build_object("
	                         "'id', id, 'by', lifted_by, 'reason', lifted_reason) FROM gone)"
	                         " SELECT practice_id, id, lifted_by, lifted_at FROM gone",
	                         params, 5),
	        "there is no such thing", o->json);
}

static int hold_list(struct store_client *c, const struct hold_options *o)
{
	return app_show_table(c,
	                      store_client_run(c,
	                                       "SELECT * FROM report.holds WHERE $1::uuid IS NULL OR practice_id = $1"
	                                       " ORDER BY placed_at",
	                                       &o->practice, 1),
	                      NULL, o->json);
}

/* A sentence about what is missing or too much; NULL when all is there. */
static const char *wrong(const char *word, const struct hold_options *o)
{
	bool place = strcmp(word, "place") == 0;
	if (strcmp(word, "list") == 0)
		return NULL;
	if (!place && strcmp(word, "lift") != 0)
		return "hold takes place, lift or list";
	if (!o->practice || !o->by || !*o->by || !o->reason || !*o->reason)
		return "a hold needs --practice, --by and --reason";
	if (place && (o->phone != NULL) + (o->patient != NULL) + o->everything != 1)
		return "hold place needs one of --phone, --patient and --everything";
	return place || o->hold ? NULL : "hold lift needs --hold";
}

int command_hold(int argc, char **argv)
{
	struct hold_options o = {0};
	const char *word = "";
	int result;
	const struct option_row rows[] = {{"config", &o.config, NULL},
	                                  {"database", &o.database, NULL},
	                                  {"practice", &o.practice, NULL},
	                                  {"phone", &o.phone, NULL},
	                                  {"patient", &o.patient, NULL},
	                                  {"by", &o.by, NULL},
	                                  {"reason", &o.reason, NULL},
	                                  {"hold", &o.hold, NULL},
	                                  {"everything", NULL, &o.everything},
	                                  {"json", NULL, &o.json},
	                                  {0}};
	if (options_parse(argc, argv, rows, &word, 1) < 0)
		return EXIT_USAGE;
	if (wrong(word, &o))
		return usage_error("%s", wrong(word, &o));
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	if (strcmp(word, "place") == 0)
		result = hold_place(c, &o);
	else if (strcmp(word, "lift") == 0)
		result = hold_lift(c, &o);
	else
		result = hold_list(c, &o);
	store_client_close(c);
	return result;
}
