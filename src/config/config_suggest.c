#include "config_suggest.h"

#define WORD 40 /* octets of the longest word compared */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned config_suggest_distance(struct view a, struct view b)
{
	unsigned row[3][WORD + 1] = {{0}}; /* of this octet of a, the one before, and before that */
	if (a.n > WORD || b.n > WORD)
		return 99;
	for (unsigned j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = row[i % 3];
		const unsigned *before = row[(i + 2) % 3];
		const unsigned *earlier = row[(i + 1) % 3];
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[a.n % 3][b.n];
}

static bool near(unsigned distance, size_t n)
{
	return distance <= 1 + n / 5 && distance < n;
}

/* A guess that is still the best so far. FILE rows are also known by the name without "_file". */
static void guess(struct view key, const char *word, const char *answer, unsigned *best, const char **meant)
{
	unsigned distance = config_suggest_distance(key, view_str(word));
	if (distance < *best && near(distance, key.n)) {
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
