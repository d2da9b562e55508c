#include "config_row.h"

#include "base_check.h"

#include <string.h>

#define KEY_TEXT(name) #name
#define KEY_INT(name) #name
#define KEY_BOOL(name) #name
#define KEY_MS(name) #name
#define KEY_REAL(name) #name
#define KEY_TIME(name) #name
#define KEY_FILE(name) #name "_file"
#define RELOAD true
#define RESTART false

#define CONFIG(section, name, kind, def, min, max, reload, sentence)                                                   \
	{CONFIG_##section,                                                                                             \
	 CONFIG_##kind,                                                                                                \
	 #name,                                                                                                        \
	 KEY_##kind(name),                                                                                             \
	 def,                                                                                                          \
	 min,                                                                                                          \
	 max,                                                                                                          \
	 reload,                                                                                                       \
	 sentence,                                                                                                     \
	 offsetof(struct config_##section, name)},
const struct config_row config_rows[CONFIG_ROWS] = {
#include "config_rows.def"
};
#undef CONFIG

static const struct {
	const char *name;
	size_t offset;
} sections[CONFIG_SECTIONS] = {
        [CONFIG_top] = {"", offsetof(struct config, top)},
        [CONFIG_database] = {"database", offsetof(struct config, database)},
        [CONFIG_http] = {"http", offsetof(struct config, http)},
        [CONFIG_webhook] = {"webhook", offsetof(struct config, webhook)},
        [CONFIG_policy] = {"policy", offsetof(struct config, policy)},
        [CONFIG_clock] = {"clock", offsetof(struct config, clock)},
        [CONFIG_log] = {"log", offsetof(struct config, log)},
        [CONFIG_carrier] = {"carriers", offsetof(struct config, carrier)},
};

const char *config_section_name(enum config_section section)
{
	return sections[section].name;
}

const struct config_row *config_row_find(enum config_section section, struct view key)
{
	for (size_t i = 0; i < CONFIG_ROWS; i++)
		if (config_rows[i].section == section && view_eq(view_str(config_rows[i].key), key))
			return &config_rows[i];
	return NULL;
}

static size_t offset_of(const struct config_row *row, unsigned carrier)
{
	check(carrier < LIMIT_CARRIERS);
	size_t item = row->section == CONFIG_carrier ? carrier * sizeof(struct config_carrier) : 0;
	return sections[row->section].offset + item + row->offset;
}

void *config_row_member(struct config *c, const struct config_row *row, unsigned carrier)
{
	return (char *)c + offset_of(row, carrier);
}

const void *config_row_value(const struct config *c, const struct config_row *row, unsigned carrier)
{
	return (const char *)c + offset_of(row, carrier);
}

struct config_mark *config_row_mark(const struct config *c, const struct config_row *row, unsigned carrier)
{
	check(c->mark && carrier < LIMIT_CARRIERS);
	size_t item = row->section == CONFIG_carrier ? carrier * (size_t)CONFIG_ROWS : 0;
	return &c->mark[item + (size_t)(row - config_rows)];
}

bool config_row_secret(const struct config_row *row)
{
	static const char *const words[] = {"password", "secret", "conninfo"};
	if (row->kind == CONFIG_FILE)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(row->name, words[i]))
			return true;
	return false;
}

/* In the largest unit that needs no fraction. */
static void add_duration(struct buf *to, int64_t ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} unit[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	size_t i = 0;
	while (unit[i].ms > 1 && (ms == 0 || ms % unit[i].ms))
		i++;
	buf_printf(to, "%lld%s", (long long)(ms / unit[i].ms), unit[i].name);
}

void config_row_expected(const struct config_row *row, struct buf *to)
{
	switch (row->kind) {
	case CONFIG_INT:
		buf_printf(to, "a whole number from %lld to %lld", (long long)row->min, (long long)row->max);
		break;
	case CONFIG_MS:
		buf_add_str(to, "a duration from ");
		add_duration(to, (int64_t)row->min);
		buf_add_str(to, " to ");
		add_duration(to, (int64_t)row->max);
		break;
	case CONFIG_REAL:
		buf_printf(to, "a number from %.10g to %.10g", row->min, row->max);
		break;
	case CONFIG_BOOL:
		buf_add_str(to, "true or false");
		break;
	case CONFIG_TIME:
		buf_add_str(to, "a time like 2026-03-02T21:30:00Z");
		break;
	case CONFIG_FILE:
		buf_add_str(to, "the path of a file");
		break;
	case CONFIG_TEXT:
		buf_add_str(to, "text");
		break;
	}
}
