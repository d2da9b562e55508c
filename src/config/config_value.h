/* A scalar of the file (or a row's default) into its member. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config_row.h"

/* Parses text by the row's kind and range into the member at to. quoted: it stood in quotes or as a block, so that it
 * is text whatever it looks like. A FILE gives its path. Returns NULL or what is wrong, as a piece of a sentence. */
const char *config_value_parse(const struct config_row *row, struct view text, bool quoted, struct pool *pool,
                               void *to);
/* The same for a default, which is right by construction. FILEs become "". */
void config_value_default(const struct config_row *row, struct pool *pool, void *to);
/* Whether a plain scalar is YAML's null. */
bool config_value_null(struct view text, bool quoted);

#endif
