#include "config_load.h"

#include "config_report.h"

#include <string.h>

static bool differs(const struct config_row *row, const void *a, const void *b)
{
	switch (row->kind) {
	case CONFIG_TEXT:
	case CONFIG_FILE:
		return strcmp(*(const char *const *)a, *(const char *const *)b) != 0;
	case CONFIG_CHOICE:
		return *(const enum config_word *)a != *(const enum config_word *)b;
	case CONFIG_BOOL:
		return *(const bool *)a != *(const bool *)b;
	case CONFIG_REAL:
		return *(const double *)a < *(const double *)b || *(const double *)a > *(const double *)b;
	default:
		return *(const int64_t *)a != *(const int64_t *)b;
	}
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

void config_restart_needed(const struct config *old, const struct config *fresh, struct buf *to)
{
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		unsigned n = least(config_section_count(old, row->section), config_section_count(fresh, row->section));
		for (unsigned k = 0; k < n && !row->reload; k++) {
			if (!differs(row, config_row_value(old, row, k), config_row_value(fresh, row, k)))
				continue;
			config_report_path(to, row->section, k, row->key);
			buf_add_str(to, "\n");
		}
	}
	for (unsigned s = 0; s < CONFIG_SECTIONS; s++)
		if (!config_section_is_replaced(s) && config_section_count(old, s) != config_section_count(fresh, s))
			buf_printf(to, "%s\n", config_section_name(s));
}

/* A text that is the same already stays, so that reloads cost no memory for what they do not change. */
static void copy_text(struct pool *pool, const char **to, const char *from)
{
	if (!*to || strcmp(*to, from) != 0)
		*to = pool_copy_str(pool, from);
}

static void copy_value(struct config *c, const struct config_row *row, unsigned k, const void *from)
{
	void *to = config_row_member(c, row, k);
	switch (row->kind) {
	case CONFIG_TEXT:
	case CONFIG_FILE:
		copy_text(&c->pool, to, *(const char *const *)from);
		return;
	case CONFIG_CHOICE:
		*(enum config_word *)to = *(const enum config_word *)from;
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

/* Which item of fresh has the new value of item k of c: of carriers the one of the same name, of other lists the
 * one in its place. -1: none. */
static int counterpart(const struct config *c, const struct config *fresh, enum config_section section, unsigned k)
{
	if (section != CONFIG_carrier)
		return k < config_section_count(fresh, section) ? (int)k : -1;
	for (unsigned i = 0; i < fresh->carriers; i++)
		if (strcmp(fresh->carrier[i].name, c->carrier[k].name) == 0)
			return (int)i;
	return -1;
}

void config_adopt(struct config *c, struct config *fresh)
{
	for (unsigned s = 0; s < CONFIG_SECTIONS; s++)
		if (config_section_is_replaced(s))
			config_section_set_count(c, s, config_section_count(fresh, s));
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		unsigned n = config_section_count(c, row->section);
		for (unsigned k = 0; k < n && row->reload; k++) {
			int j = counterpart(c, fresh, row->section, k);
			if (j >= 0)
				copy_value(c, row, k, config_row_value(fresh, row, (unsigned)j));
		}
	}
	config_free(fresh);
}
