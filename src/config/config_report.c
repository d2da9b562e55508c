#include "config_report.h"

#define SHOWN 40 /* octets of a value */

void config_report_path(struct buf *to, enum config_section section, unsigned item, const char *key)
{
	if (section == CONFIG_top) {
		buf_add_str(to, key ? key : "yaml");
		return;
	}
	buf_add_str(to, config_section_name(section));
	if (config_section_is_list(section))
		buf_printf(to, "[%u]", item);
	if (key)
		buf_printf(to, ".%s", key);
}

bool config_report_full(const struct config_errors *errors)
{
	return errors->count > LIMIT_CONFIG_ERRORS;
}

static void add_got(struct buf *to, struct view got)
{
	for (size_t i = 0; i < got.n && i < SHOWN; i++)
		buf_add_u8(to, got.p[i] >= 0x20 && got.p[i] <= 0x7e ? got.p[i] : '?');
	buf_add_str(to, got.n > SHOWN ? "..." : "");
}

static void add_details(struct buf *to, const struct config_wrong *w)
{
	const char *between = " (";
	if (w->got.p) {
		buf_printf(to, "%sgot ", between);
		add_got(to, w->got);
		between = "; ";
	}
	if (w->expected) {
		buf_printf(to, "%sexpected %s", between, w->expected);
		between = "; ";
	}
	if (w->meant) {
		buf_printf(to, "%sdid you mean %s", between, w->meant);
		between = "; ";
	}
	buf_add_str(to, between[0] == ';' ? ")\n" : "\n");
}

void config_report(const char *file, struct config_errors *errors, const struct config_wrong *w)
{
	struct buf *to = &errors->text;
	if (config_report_full(errors))
		return;
	errors->count++;
	if (config_report_full(errors)) {
		buf_printf(to, "%s: there are more errors than these %d\n", file, LIMIT_CONFIG_ERRORS);
		return;
	}
	buf_printf(to, "%s:", file);
	if (w->mark.line)
		buf_printf(to, "%u:%u:", w->mark.line, w->mark.column);
	buf_add_str(to, " ");
	if (w->list)
		buf_add_str(to, config_section_name(w->section));
	else
		config_report_path(to, w->section, w->item, w->key);
	buf_printf(to, ": %s", w->problem);
	add_details(to, w);
}
