#include "config_load.h"

#include "config_row.h"

#include <string.h>

/* Rows with a value of their own. Those that are open stand uncommented, so that the example is a whole configuration
 * for one machine; a list without any is commented out as a whole. */
static const struct {
	enum config_row_number row;
	const char *text;
	bool open;
} given[] = {
        {CONFIG_ROW_database_conninfo, "host=/var/run/postgresql dbname=smsbridge user=smsbridge_app", true},
        {CONFIG_ROW_carrier_name, "example", true},
        {CONFIG_ROW_carrier_host, "127.0.0.1", true},
        {CONFIG_ROW_carrier_tls, "false", true},
        {CONFIG_ROW_carrier_system_id, "smsbridge", true},
        {CONFIG_ROW_listener_listen, "192.0.2.1:9443", false},
        {CONFIG_ROW_listener_certificate, "/etc/smsbridge/clinic.pem", false},
        {CONFIG_ROW_listener_key, "/etc/smsbridge/clinic.key", false},
        {CONFIG_ROW_route_carrier, "example", false},
        {CONFIG_ROW_sender_number, "+12125550100", false},
        {CONFIG_ROW_brand_name, "example", false},
};

static const char *given_text(const struct config_row *row)
{
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (&config_rows[given[i].row] == row)
			return given[i].text;
	return NULL;
}

/* What each word of a choice means, a line each. */
static void print_words(struct buf *to, const struct config_row *row, const char *indent)
{
	for (unsigned w = 0; w < CONFIG_WORDS; w++)
		if (config_row_has_word(row, w))
			buf_printf(to, "%s#   %s: %s\n", indent, config_words[w].word, config_words[w].sentence);
}

static void print_comment(struct buf *to, const struct config_row *row, const char *indent)
{
	const char *def = row->def ? row->def : "required";
	bool absent = row->def && row->def[0] == 0;
	buf_printf(to, "%s# %s\n", indent, row->sentence);
	print_words(to, row, indent);
	buf_printf(to, "%s# ", indent);
	config_row_expected(row, to);
	if (absent)
		buf_add_str(to, "; may be left out");
	else
		buf_printf(to, "; %s%s", row->def ? "default " : "", def);
	buf_printf(to, " (%s)\n", row->reload ? "reload" : "restart");
}

static bool is_open(enum config_section section)
{
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (given[i].open && config_rows[given[i].row].section == section)
			return true;
	return !config_section_is_list(section);
}

/* The comment of a list item's first row comes before the item's dash. */
static void print_row(struct buf *to, const struct config_row *row, bool first)
{
	bool list = config_section_is_list(row->section);
	bool dash = list && first;
	const char *indent = row->section == CONFIG_top ? "" : list && !first ? "    " : "  ";
	const char *text = given_text(row);
	const char *def = row->def && row->def[0] ? row->def : "\"\"";
	bool commented = !text || !is_open(row->section);
	print_comment(to, row, indent);
	buf_printf(to, "%s%s%s%s: %s\n", indent, commented ? "#" : "", dash ? "- " : "", row->key, text ? text : def);
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
			buf_printf(to, "%s%s:\n", is_open(section) ? "" : "#", config_section_name(section));
		print_row(to, row, first);
	}
}
