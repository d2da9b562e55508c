/* The rows of config_rows.def as a table, and where their values lie in struct config. */
#ifndef CONFIG_ROW_H
#define CONFIG_ROW_H

#include "config_load.h"

enum config_kind {
	CONFIG_TEXT,
	CONFIG_INT,
	CONFIG_BOOL,
	CONFIG_MS,
	CONFIG_REAL,
	CONFIG_TIME,
	CONFIG_FILE,
};

/* In the order of the file. */
enum config_section {
	CONFIG_top,
	CONFIG_database,
	CONFIG_http,
	CONFIG_webhook,
	CONFIG_policy,
	CONFIG_clock,
	CONFIG_log,
	CONFIG_carrier, /* each item of the list */
	CONFIG_SECTIONS,
};

struct config_row {
	enum config_section section;
	enum config_kind kind;
	const char *name; /* the member */
	const char *key;  /* in the file: name, or name_file */
	const char *def;
	double min;
	double max;
	bool reload;
	const char *sentence;
	size_t offset; /* of the member in struct config_SECTION */
};

#define CONFIG(section, name, kind, def, min, max, reload, sentence) CONFIG_ROW_##section##_##name,
enum config_row_number {
#include "config_rows.def"
	CONFIG_ROWS,
};
#undef CONFIG

extern const struct config_row config_rows[CONFIG_ROWS];

/* "http", ...; "carriers" for the list, "" for top. */
const char *config_section_name(enum config_section section);
/* The row of that key in that section, or NULL. */
const struct config_row *config_row_find(enum config_section section, struct view key);
/* The member. carrier: which item, for rows of that section. */
void *config_row_member(struct config *c, const struct config_row *row, unsigned carrier);
const void *config_row_value(const struct config *c, const struct config_row *row, unsigned carrier);
/* Its mark; c->mark must be there. */
struct config_mark *config_row_mark(const struct config *c, const struct config_row *row, unsigned carrier);
/* Whether its value must not be shown. */
bool config_row_secret(const struct config_row *row);
/* Appends what may stand there: "a whole number from 1 to 2048". */
void config_row_expected(const struct config_row *row, struct buf *to);

#endif
