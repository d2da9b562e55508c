/* One JSON object a line on stderr: {"at","level","event", fields}. Fields come from the allow-list base_log.def only,
 * so a body or a phone has no place to go. Only link, dispatch and app log. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base_bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_OFF };

enum log_key {
	LOG_KEY_END,
#define LOG_FIELD(key, kind, text) LOG_KEY_##key,
#include "base_log.def"
#undef LOG_FIELD
	LOG_KEY_COUNT
};

struct log_field {
	enum log_key key;
	const char *text; /* NULL for a number */
	int64_t number;
};

#define LOG_TEXT(name, value) ((struct log_field){.key = LOG_KEY_##name, .text = (value) ? (value) : ""})
#define LOG_NUM(name, value) ((struct log_field){.key = LOG_KEY_##name, .number = (value)})

/* log_event(LOG_INFO, "link_bound", LOG_TEXT(carrier, name), LOG_NUM(link, 1)) */
#define log_event(level, event, ...)                                                                                   \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__, {LOG_KEY_END, 0, 0}})

void log_write(enum log_level level, const char *event, const struct log_field *fields);
void log_set_level(enum log_level level);
/* Name to level; false when there is no such. */
bool log_level_parse(const char *name, enum log_level *level_r);

#endif
