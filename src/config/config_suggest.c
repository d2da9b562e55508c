#include "config_suggest.h"

#include "base_suggest.h"

/* A guess that is still the best so far. FILE rows are also known by the name without "_file". */
static void guess(struct view key, const char *word, const char *answer, unsigned *best, const char **meant)
{
	unsigned distance = suggest_distance(key, view_str(word));
	if (distance < *best && suggest_near(distance, key.n)) {
		*best = distance;
		*meant = answer;
	}
}

static void list_key(struct buf *known, const char *key)
{
	buf_printf(known, "%s%s", known->n ? ", " : "one of ", key);
}

const char *config_suggest_key(enum config_section section, struct view key, struct buf *known)
{
	const char *meant = NULL;
	unsigned best = 99;
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		if (row->section != section)
			continue;
		list_key(known, row->key);
		guess(key, row->key, row->key, &best, &meant);
		guess(key, row->name, row->key, &best, &meant);
		if (row->kind == CONFIG_FILE && view_eq(key, view_str(row->name)))
			meant = row->key;
	}
	for (int s = CONFIG_top + 1; section == CONFIG_top && s < CONFIG_SECTIONS; s++) {
		list_key(known, config_section_name(s));
		guess(key, config_section_name(s), config_section_name(s), &best, &meant);
	}
	return meant;
}

const char *config_suggest_word(const struct config_row *row, struct view word)
{
	const char *meant = NULL;
	unsigned best = 99;
	for (unsigned w = 0; w < CONFIG_WORDS; w++)
		if (config_row_has_word(row, w))
			guess(word, config_words[w].word, config_words[w].word, &best, &meant);
	return meant;
}

bool config_suggest_plain(struct view key)
{
	for (size_t i = 0; i < key.n; i++) {
		uint8_t c = key.p[i] | 0x20;
		bool digit = key.p[i] >= '0' && key.p[i] <= '9';
		if (!(c >= 'a' && c <= 'z') && !digit && key.p[i] != '_' && key.p[i] != '-')
			return false;
	}
	return key.n > 0 && key.n <= 32;
}
