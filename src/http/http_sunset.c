#include "http_sunset.h"

#include "base_time.h"

#include <inttypes.h>
#include <string.h>

const struct http_sunset *http_sunset_find(const struct http_sunset *rows, const char *method, const char *path)
{
	for (; rows->method; rows++)
		if (strcmp(rows->method, method) == 0 && strcmp(rows->path, path) == 0)
			return rows;
	return NULL;
}

/* IMF-fixdate (RFC 9110 section 5.6.7). */
static void write_date(int64_t seconds, struct buf *to)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c = time_civil(seconds);
	buf_printf(to, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[time_weekday(time_days(c.year, c.month, c.day))],
	           c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

void http_sunset_write(const struct http_sunset *row, struct buf *to)
{
	buf_printf(to, "deprecation: @%" PRId64 "\r\n", row->deprecated);
	if (row->sunset) {
		buf_add_str(to, "sunset: ");
		write_date(row->sunset, to);
		buf_add_str(to, "\r\n");
	}
	if (row->link)
		buf_printf(to, "link: <%s>; rel=\"deprecation\"\r\n", row->link);
}
