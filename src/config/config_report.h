/* Error lines of the configuration, and the guess at what was meant. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "config_row.h"

/* Everything but problem may be left out. Got is shown shortened, in printable ASCII; it must not be a secret. */
struct config_wrong {
	struct config_mark mark;
	enum config_section section; /* with key NULL: the section itself; top itself is "yaml" */
	bool list;                   /* the list itself, not an item */
	unsigned item;
	const char *key;
	const char *problem;
	struct view got;
	const char *expected;
	const char *meant;
};

/* Appends a line. */
void config_report(const char *file, struct config_errors *errors, const struct config_wrong *w);
/* Appends "http.listen" or "carriers[0].host". */
void config_report_path(struct buf *to, enum config_section section, unsigned item, const char *key);
/* No more lines are taken: stop looking. */
bool config_report_full(const struct config_errors *errors);

#endif
