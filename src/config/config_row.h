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
	CONFIG_CHOICE,
	CONFIG_FILE,
};

/* In the order of the file. */
enum config_section {
	CONFIG_top,
	CONFIG_database,
	CONFIG_http,
	CONFIG_smpp,
	CONFIG_webhook,
	CONFIG_policy,
	CONFIG_clock,
	CONFIG_log,
	CONFIG_ledger,
	CONFIG_listener, /* from here on: each item of a list */
	CONFIG_carrier,
	CONFIG_route,
	CONFIG_sender,
	CONFIG_brand,
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

/* "http", ...; "carriers", ... for a list; "" for top. */
const char *config_section_name(enum config_section section);
/* Whether it is a list; then most says how many items it may have (1 for the others). */
bool config_section_is_list(enum config_section section);
unsigned config_section_most(enum config_section section);
/* Whether a reload replaces the list as a whole. */
bool config_section_is_replaced(enum config_section section);
/* Items that it has: 1 when it is no list. Setting is for lists. */
unsigned config_section_count(const struct config *c, enum config_section section);
void config_section_set_count(struct config *c, enum config_section section, unsigned count);

/* The row of that key in that section, or NULL. */
const struct config_row *config_row_find(enum config_section section, struct view key);
/* The member. item: which one of a list, 0 elsewhere. */
void *config_row_member(struct config *c, const struct config_row *row, unsigned item);
const void *config_row_value(const struct config *c, const struct config_row *row, unsigned item);
/* How many marks there are, and the mark of a value; c->mark must be there. */
size_t config_row_marks(void);
struct config_mark *config_row_mark(const struct config *c, const struct config_row *row, unsigned item);
/* Whether its value must not be shown. */
bool config_row_secret(const struct config_row *row);
/* The words of a CHOICE. */
struct config_word_row {
	const char *row; /* its name */
	const char *word;
	const char *sentence;
};
extern const struct config_word_row config_words[CONFIG_WORDS];
/* Whether that word is one of the row's. */
bool config_row_has_word(const struct config_row *row, enum config_word w);

/* Appends what may stand there: "a whole number from 1 to 2048", "dial, accept or outbind". */
void config_row_expected(const struct config_row *row, struct buf *to);

#endif
