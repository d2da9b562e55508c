#include "config_row.h"

#include "base_check.h"

#include <string.h>

#define KEY_TEXT(name) #name
#define KEY_INT(name) #name
#define KEY_BOOL(name) #name
#define KEY_MS(name) #name
#define KEY_REAL(name) #name
#define KEY_TIME(name) #name
#define KEY_CHOICE(name) #name
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

#define CHOICE(row, id, word, sentence) {#row, word, sentence},
const struct config_word_row config_words[CONFIG_WORDS] = {
#include "config_choice.def"
};
#undef CHOICE

#define ONE(section) #section, offsetof(struct config, section), 0, 1, 0
#define LIST(section, most)                                                                                            \
#section "s", offsetof(struct config, section), sizeof(struct config_##section), most,                         \
	        offsetof(struct config, section##s)
static const struct {
	const char *name;
	size_t offset;
	size_t item_bytes; /* 0: no list */
	unsigned most;
	size_t count_offset;
} sections[CONFIG_SECTIONS] = {
        [CONFIG_top] = {"", offsetof(struct config, top), 0, 1, 0},
        [CONFIG_database] = {ONE(database)},
        [CONFIG_http] = {ONE(http)},
        [CONFIG_smpp] = {ONE(smpp)},
        [CONFIG_webhook] = {ONE(webhook)},
        [CONFIG_policy] = {ONE(policy)},
        [CONFIG_clock] = {ONE(clock)},
        [CONFIG_log] = {ONE(log)},
        [CONFIG_ledger] = {ONE(ledger)},
        [CONFIG_listener] = {LIST(listener, LIMIT_LISTENERS)},
        [CONFIG_carrier] = {LIST(carrier, LIMIT_CARRIERS)},
        [CONFIG_route] = {LIST(route, LIMIT_ROUTES)},
        [CONFIG_sender] = {LIST(sender, LIMIT_SENDERS)},
        [CONFIG_brand] = {LIST(brand, LIMIT_BRANDS)},
};

const char *config_section_name(enum config_section section)
{
	return sections[section].name;
}

bool config_section_is_list(enum config_section section)
{
	return sections[section].item_bytes > 0;
}

unsigned config_section_most(enum config_section section)
{
	return sections[section].most;
}

bool config_section_is_replaced(enum config_section section)
{
	for (size_t i = 0; i < CONFIG_ROWS; i++)
		if (config_rows[i].section == section && !config_rows[i].reload)
			return false;
	return config_section_is_list(section);
}

unsigned config_section_count(const struct config *c, enum config_section section)
{
	if (!config_section_is_list(section))
		return 1;
	return *(const unsigned *)(const void *)((const char *)c + sections[section].count_offset);
}

void config_section_set_count(struct config *c, enum config_section section, unsigned count)
{
	check(config_section_is_list(section) && count <= sections[section].most);
	*(unsigned *)(void *)((char *)c + sections[section].count_offset) = count;
}

const char *config_word_text(enum config_word w)
{
	check(w < CONFIG_WORDS);
	return config_words[w].word;
}

bool config_row_has_word(const struct config_row *row, enum config_word w)
{
	return row->kind == CONFIG_CHOICE && strcmp(config_words[w].row, row->name) == 0;
}

const struct config_row *config_row_find(enum config_section section, struct view key)
{
	for (size_t i = 0; i < CONFIG_ROWS; i++)
		if (config_rows[i].section == section && view_eq(view_str(config_rows[i].key), key))
			return &config_rows[i];
	return NULL;
}

static size_t offset_of(const struct config_row *row, unsigned item)
{
	check(item < sections[row->section].most);
	return sections[row->section].offset + item * sections[row->section].item_bytes + row->offset;
}

void *config_row_member(struct config *c, const struct config_row *row, unsigned item)
{
	return (char *)c + offset_of(row, item);
}

const void *config_row_value(const struct config *c, const struct config_row *row, unsigned item)
{
	return (const char *)c + offset_of(row, item);
}

/* Marks lie row by row, one an item. */
static size_t marks_before(const struct config_row *end)
{
	size_t n = 0;
	for (const struct config_row *row = config_rows; row < end; row++)
		n += sections[row->section].most;
	return n;
}

size_t config_row_marks(void)
{
	return marks_before(config_rows + CONFIG_ROWS);
}

struct config_mark *config_row_mark(const struct config *c, const struct config_row *row, unsigned item)
{
	check(c->mark && item < sections[row->section].most);
	return &c->mark[marks_before(row) + item];
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

/* "dial, accept or outbind" */
static void add_words(struct buf *to, const struct config_row *row)
{
	unsigned left = 0;
	for (unsigned w = 0; w < CONFIG_WORDS; w++)
		left += config_row_has_word(row, w);
	for (unsigned w = 0; w < CONFIG_WORDS; w++) {
		if (!config_row_has_word(row, w))
			continue;
		left--;
		buf_printf(to, "%s%s", config_words[w].word, left > 1 ? ", " : left ? " or " : "");
	}
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
	case CONFIG_CHOICE:
		add_words(to, row);
		break;
	case CONFIG_FILE:
		buf_add_str(to, "the path of a file");
		break;
	case CONFIG_TEXT:
		buf_add_str(to, "text");
		break;
	}
}
