#include "base_log.h"

#include "base_limits.h"
#include "base_time.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const key_names[LOG_KEY_COUNT] = {
#define LOG_FIELD(key, kind, text) [LOG_KEY_##key] = #key,
#include "base_log.def"
#undef LOG_FIELD
};

static const char *const level_names[] = {"debug", "info", "warning", "error", "off"};
static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	threshold = level;
}

bool log_level_parse(const char *name, enum log_level *level_r)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++)
		if (strcmp(name, level_names[i]) == 0) {
			*level_r = (enum log_level)i;
			return true;
		}
	return false;
}

static void add_field(struct buf *line, const struct log_field *f)
{
	buf_printf(line, ",\"%s\":", key_names[f->key]);
	if (!f->text) {
		buf_printf(line, "%lld", (long long)f->number);
		return;
	}
	buf_add_u8(line, '"');
	buf_add_json_text(line, view_str(f->text));
	buf_add_u8(line, '"');
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	if (level < threshold)
		return;
	struct buf line = BUF(LIMIT_LOG_LINE_BYTES);
	struct clock system = {0};
	char at[TIME_TEXT_BYTES];
	buf_printf(&line, "{\"at\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", time_format(clock_read(&system), at),
	           level_names[level], event);
	for (; fields->key != LOG_KEY_END; fields++)
		add_field(&line, fields);
	buf_add_str(&line, "}\n");
	/* One write a line, so that lines of several processes on one pipe do not mix; a lost log line is no reason to
	 * fail. */
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		(void)0;
	buf_free(&line);
}
