/* export patient: all that is kept of one patient, for a right-of-access request (45 CFR 164.524). The note of who does
 * it is written first (app_noted.c), its event in the statement that reads; only then is anything shown. */
#include "app_commands.h"

#include "app_export.h"
#include "base_time.h"
#include "store_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPORT_BYTES (256 << 20)

const char export_help[] =
        "Examples:\n"
        "  smsbridge export patient --practice ID --patient p-1041 --by 'Ada Stone' --why 'request of 2 March' \\\n"
        "      --format html --out p-1041.html\n"
        "  smsbridge export patient --practice ID --phone +12125550101 --by 'Ada Stone' --why 'request'\n"
        "  smsbridge export reassigned-query --by 'Ada Stone' --why 'monthly query' > ask.csv\n"
        "\n"
        "patient: writes all that is kept of one patient of a practice: messages with their text (unless it was "
        "redacted) and\n"
        "what became of them, replies, consents, opt-outs, calls, tasks, and who has seen it. Replies from a phone "
        "that\n"
        "other patients of the practice share are counted, not shown; --phone shows everything of that phone.\n"
        "The export is noted and told as an event before anything is shown. A file is made anew, readable by its "
        "owner\n"
        "only.\n"
        "reassigned-query: number and date of consent, a line each, for a query to the Reassigned Numbers Database;\n"
        "numbers that were asked about within 30 days are left out. Bring its answers back with `smsbridge import\n"
        "reassigned`. A practice that attests its numbers is asked for by the day of the attestation, or of its first\n"
        "text to the number when that was earlier.\n"
        "  --practice ID                whose patient; whose numbers, else every practice's\n"
        "  --patient REF or --phone NUMBER\n"
        "  --by NAME, --why TEXT        who exports it, and why; both are needed and kept\n"
        "  --format json|html           json without it\n"
        "  --out FILE                   instead of standard output\n"
        "  --config FILE, --database TEXT\n";

struct export_options {
	const char *config, *database, *practice, *patient, *phone, *by, *why, *format, *out;
};

static struct store_table *read_all(struct store_client *c, const struct export_options *o)
{
	char at[TIME_TEXT_BYTES];
	struct clock system = {0};
	const char *params[] = {o->practice, o->patient, o->phone, time_format(clock_read(&system), at), o->by, o->why};
	return store_client_run(
	        c,
	        "WITH found AS MATERIALIZED (SELECT smsbridge.patient_export_all($1::uuid, $2::text, $3::text, "
	        "$4::timestamptz)"
	        " AS document), told AS (INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)"
	        " SELECT $1, 'patient.exported', $4, $3, $2, jsonb_build_object('by', $5::text, 'why', $6::text)"
	        " FROM found WHERE document IS NOT NULL) SELECT document FROM found WHERE document IS NOT NULL",
	        params, 6);
}

static bool write_all(int fd, struct view v)
{
	while (v.n) {
		ssize_t n = write(fd, v.p, v.n);
		if (n < 0)
			return false;
		v = view_of(v.p + n, v.n - (size_t)n);
	}
	return true;
}

static int write_out(const struct export_options *o, int fd, struct view document)
{
	struct buf text = BUF(EXPORT_BYTES);
	bool html = strcmp(o->format, "html") == 0;
	bool ok = html ? export_html(document, &text) : export_json(document, &text);
	int result = EXIT_OK;
	if (!ok)
		result = failure("what is kept of this patient is more than one document holds");
	else if (!write_all(fd, buf_view(&text)))
		result = failure("%s: %s", o->out ? o->out : "standard output", strerror(errno));
	buf_free(&text);
	return result;
}

static int export_to(const struct export_options *o, int fd)
{
	int result;
	struct store_client *c = app_database(o->config, o->database, false, &result);
	if (!c)
		return result;
	struct store_table *t = read_all(c, o);
	if (!t)
		result = failure("%s", store_client_error(c));
	else if (store_table_rows(t) == 0)
		result = failure("nothing is kept of such a patient");
	else
		result = write_out(o, fd, view_str(store_table_cell(t, 0, 0)));
	store_table_free(t);
	store_client_close(c);
	return result;
}

static int export_file(const struct export_options *o)
{
	int fd = open(o->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return failure("%s: %s", o->out, strerror(errno));
	int result = export_to(o, fd);
	if (close(fd) != 0 && result == EXIT_OK)
		result = failure("%s: %s", o->out, strerror(errno));
	if (result != EXIT_OK)
		unlink(o->out);
	return result;
}

int command_export(int argc, char **argv)
{
	struct export_options o = {.format = "json"};
	const char *word = "";
	const struct option_row rows[] = {{"config", &o.config, NULL},     {"database", &o.database, NULL},
	                                  {"practice", &o.practice, NULL}, {"patient", &o.patient, NULL},
	                                  {"phone", &o.phone, NULL},       {"by", &o.by, NULL},
	                                  {"why", &o.why, NULL},           {"format", &o.format, NULL},
	                                  {"out", &o.out, NULL},           {0}};
	if (options_parse(argc, argv, rows, &word, 1) < 0)
		return EXIT_USAGE;
	if (strcmp(word, "reassigned-query") == 0)
		return export_reassigned_query(o.config, o.database, o.practice);
	if (strcmp(word, "patient") != 0)
		return usage_error("export takes patient or reassigned-query");
	if (!o.practice || (o.patient && *o.patient) + (o.phone && *o.phone) != 1)
		return usage_error("export patient needs --practice, and one of --patient and --phone");
	o.patient = o.patient && *o.patient ? o.patient : NULL;
	o.phone = o.phone && *o.phone ? o.phone : NULL;
	if (!o.by || !*o.by || !o.why || !*o.why)
		return usage_error("export patient needs --by NAME and --why TEXT; both are kept");
	if (strcmp(o.format, "json") != 0 && strcmp(o.format, "html") != 0)
		return usage_error("--format takes json or html");
	return o.out ? export_file(&o) : export_to(&o, STDOUT_FILENO);
}
