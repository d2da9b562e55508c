#include "app_noted.h"

#include "app.h"
#include "base_time.h"
#include "base_uuid.h"
#include "store_client.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What each command does with patients' data: nothing (""), always the same, or by its first word (NULL). A command
 * without a row is taken for one that does by its word. */
static const struct {
	const char *command;
	const char *action;
} rows[] = {
        {"demo", ""},       {"run", ""},         {"check", ""},      {"migrate", ""},      {"practice", ""},
        {"key", ""},        {"sender", ""},      {"password", ""},   {"smsc", ""},         {"pdu", ""},
        {"rules", ""},      {"template", ""},    {"ledger", ""},     {"receiver", ""},     {"person", ""},
        {"report", "read"}, {"explain", "read"}, {"replay", "read"}, {"export", "export"},
};

/* First words that do not change anything. */
static const char *const reading[][2] = {{"list", "list"}, {"show", "read"}, {"status", "read"}};

/* The one command of this process. */
static struct {
	const char *command, *word;
	const char *by, *why, *practice, *phone, *patient, *id;
	bool unmask, written;
} noted;

static const struct {
	const char *name;
	const char **value;
} options[] = {{"by", &noted.by},
               {"why", &noted.why},
               {"practice", &noted.practice},
               {"phone", &noted.phone},
               {"patient", &noted.patient}};

void noted_command(const char *name)
{
	noted.command = name;
	noted.word = "";
}

void noted_option(const char *name, const char *value)
{
	struct uuid id;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (strcmp(options[i].name, name) == 0)
			*options[i].value = value;
	if (strcmp(name, "unmask") == 0)
		noted.unmask = true;
	if (*name || !noted.command)
		return;
	if (uuid_parse(view_str(value), &id))
		noted.id = value;
	else if (!*noted.word)
		noted.word = value;
}

static const char *action(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].command, noted.command) == 0)
			return rows[i].action;
	if (noted.unmask)
		return "unmask";
	for (size_t i = 0; i < sizeof(reading) / sizeof(*reading); i++)
		if (strcmp(reading[i][0], noted.word) == 0)
			return reading[i][1];
	return "change";
}

bool noted_takes(const char *name)
{
	return noted.command && *action() && (strcmp(name, "by") == 0 || strcmp(name, "why") == 0);
}

static const char *system_user(void)
{
	const struct passwd *p = getpwuid(geteuid());
	return p ? p->pw_name : "";
}

const char *noted_person(void)
{
	return noted.by && *noted.by ? noted.by : system_user();
}

/* This machine, and where its user came from when that is known. */
static void where(struct buf *to)
{
	char host[65] = "";
	const char *ssh = getenv("SSH_CONNECTION");
	gethostname(host, sizeof(host) - 1);
	if (ssh)
		buf_printf(to, "%.*s via ", (int)strcspn(ssh, " "), ssh);
	buf_add_str(to, host);
}

static int write_row(struct store_client *c, const char *what)
{
	char at[TIME_TEXT_BYTES];
	struct clock system = {0};
	struct buf from = BUF(256), door = BUF(256);
	bool person = noted.by && *noted.by;
	where(&from);
	buf_printf(&door, "%s%s%s", noted.command, *noted.word ? " " : "", noted.word);
	const char *params[] = {noted.practice,
	                        time_format(clock_read(&system), at),
	                        person ? "person" : "command",
	                        noted_person(),
	                        what,
	                        buf_cstr(&door),
	                        noted.id,
	                        noted.patient,
	                        noted.phone,
	                        buf_cstr(&from),
	                        noted.why ? noted.why : ""};
	struct store_table *t = store_client_run(
	        c, "SELECT report.access_note($1::uuid, $2::timestamptz, $3, $4, $5, $6, $7::uuid, $8, $9, $10, $11)",
	        params, sizeof(params) / sizeof(*params));
	int result =
	        t ? EXIT_OK : failure("it cannot be noted who does this, so it is not done: %s", store_client_error(c));
	store_table_free(t);
	buf_free(&from);
	buf_free(&door);
	return result;
}

int noted_write(struct store_client *c)
{
	const char *what = noted.command ? action() : "";
	bool named = noted.by && *noted.by && noted.why && *noted.why;
	if (!*what || noted.written)
		return EXIT_OK;
	if (strcmp(what, "unmask") == 0 && !named)
		return usage_error("this shows what is usually masked: say who and why, --by NAME --why TEXT");
	noted.written = true;
	return write_row(c, what);
}
