#include "config_load.h"

#include "config_report.h"

#include <string.h>

static bool differs(const struct config_row *row, const void *a, const void *b)
{
	switch (row->kind) {
	case CONFIG_TEXT:
	case CONFIG_FILE:
		return strcmp(*(const char *const *)a, *(const char *const *)b) != 0;
	case CONFIG_BOOL:
		return *(const bool *)a != *(const bool *)b;
	case CONFIG_REAL:
		return *(const double *)a < *(const double *)b || *(const double *)a > *(const double *)b;
	default:
		return *(const int64_t *)a != *(const int64_t *)b;
	}
}

void config_restart_needed(const struct config *old, const struct config *fresh, struct buf *to)
{
	unsigned both = old->carriers < fresh->carriers ? old->carriers : fresh->carriers;
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		unsigned n = row->section == CONFIG_carrier ? both : 1;
		for (unsigned k = 0; k < n && !row->reload; k++) {
			if (!differs(row, config_row_value(old, row, k), config_row_value(fresh, row, k)))
				continue;
			config_report_path(to, row->section, k, row->key);
			buf_add_str(to, "\n");
		}
	}
	if (old->carriers != fresh->carriers)
		buf_printf(to, "%s\n", config_section_name(CONFIG_carrier));
}
