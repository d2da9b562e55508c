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

static void copy_value(struct config *c, const struct config_row *row, unsigned k, const void *from)
{
	void *to = config_row_member(c, row, k);
	switch (row->kind) {
	case CONFIG_TEXT:
	case CONFIG_FILE:
		*(const char **)to = pool_copy_str(&c->pool, *(const char *const *)from);
		return;
	case CONFIG_BOOL:
		*(bool *)to = *(const bool *)from;
		return;
	case CONFIG_REAL:
		*(double *)to = *(const double *)from;
		return;
	default:
		*(int64_t *)to = *(const int64_t *)from;
		return;
	}
}

/* The fresh carrier of the same name, or -1. */
static int same_carrier(const struct config *fresh, const char *name)
{
	for (unsigned i = 0; i < fresh->carriers; i++)
		if (strcmp(fresh->carrier[i].name, name) == 0)
			return (int)i;
	return -1;
}

void config_adopt(struct config *c, struct config *fresh)
{
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		bool carrier = row->section == CONFIG_carrier;
		for (unsigned k = 0; k < (carrier ? c->carriers : 1) && row->reload; k++) {
			int j = carrier ? same_carrier(fresh, c->carrier[k].name) : 0;
			if (j >= 0)
				copy_value(c, row, k, config_row_value(fresh, row, (unsigned)j));
		}
	}
	config_free(fresh);
}
