/* What an unknown key or word may have meant. */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include "config_row.h"

/* The key of the section that is near enough, or NULL. known gets "one of a, b, c": the keys there are. */
const char *config_suggest_key(enum config_section section, struct view key, struct buf *known);
/* The word of the row that is near enough, or NULL. */
const char *config_suggest_word(const struct config_row *row, struct view word);
/* Whether it looks like a key at all. Others are not shown: a lost blank may have glued a secret to them. */
bool config_suggest_plain(struct view key);

#endif
