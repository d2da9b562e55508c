#include "config_load.h"

#include "config_row.h"

#include <string.h>

/* Rows that stand uncommented in the example, so that it is a whole configuration for one machine. */
static const struct {
	enum config_row_number row;
	const char *text;
} given[] = {
        {CONFIG_ROW_database_conninfo, "host=/var/run/postgresql dbname=smsbridge user=smsbridge_app"},
        {CONFIG_ROW_carrier_name, "example"},
        {CONFIG_ROW_carrier_host, "127.0.0.1"},
        {CONFIG_ROW_carrier_tls, "false"},
        {CONFIG_ROW_carrier_system_id, "smsbridge"},
};

static const char *given_text(const struct config_row *row)
{
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (&config_rows[given[i].row] == row)
			return given[i].text;
	return NULL;
}

static void print_comment(struct buf *to, const struct config_row *row, const char *indent)
{
	const char *def = row->def ? row->def : "required";
	bool absent = row->def && row->def[0] == 0;
	buf_printf(to, "%s# %s\n%s# ", indent, row->sentence, indent);
	config_row_expected(row, to);
	if (absent)
		buf_add_str(to, "; may be left out");
	else
		buf_printf(to, "; %s%s", row->def ? "default " : "", def);
	buf_printf(to, " (%s)\n", row->reload ? "reload" : "restart");
}

/* The comment of a list item's first row comes before the item's dash. */
static void print_row(struct buf *to, const struct config_row *row, bool first)
{
	bool carrier = row->section == CONFIG_carrier;
	const char *indent = row->section == CONFIG_top ? "" : carrier ? "    " : "  ";
	const char *dash = carrier && first ? "  - " : indent;
	const char *text = given_text(row);
	print_comment(to, row, carrier && first ? "  " : indent);
	if (text)
		buf_printf(to, "%s%s: %s\n", dash, row->key, text);
	else
		buf_printf(to, "%s#%s: %s\n", indent, row->key, row->def && row->def[0] ? row->def : "\"\"");
}

void config_print_example(struct buf *to)
{
	enum config_section section = CONFIG_top;
	buf_add_str(to, "# Configuration of smsbridge. What is commented out shows its default.\n"
	                "# (reload): SIGHUP takes the change; (restart): only a restart does.\n"
	                "# Durations are written 500ms, 10s, 5m, 1h, 2d. Secrets stand in files of their own.\n");
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		bool first = row->section != section;
		section = row->section;
		buf_add_str(to, "\n");
		if (first)
			buf_printf(to, "%s:\n", config_section_name(section));
		print_row(to, row, first);
	}
}
