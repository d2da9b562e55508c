#include "http_line.h"

/* The line without what does not belong to it; false when nothing is left. */
static bool trim(struct view line, struct view *line_r)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	*line_r = view_trim(line);
	return line_r->n > 0;
}

/* More of a line that is too long. */
static enum http_line skip(struct http_lines *l, size_t n, bool ended)
{
	bool first = l->skipped == 0;
	l->skipped += l->held.n + n;
	buf_clear(&l->held);
	if (ended && l->skipped <= l->skip_max)
		l->skipped = 0;
	if (first)
		return HTTP_LINE_LONG;
	return l->skipped > l->skip_max ? HTTP_LINE_ENDLESS : HTTP_LINE_MORE;
}

enum http_line http_line_next(struct http_lines *l, struct view *octets, struct view *line_r)
{
	if (l->skipped > l->skip_max)
		return HTTP_LINE_ENDLESS;
	while (octets->n) {
		const uint8_t *lf = memchr(octets->p, '\n', octets->n);
		struct view part = view_of(octets->p, lf ? (size_t)(lf - octets->p) : octets->n);
		*octets = view_of(octets->p + part.n + (lf != NULL), octets->n - part.n - (lf != NULL));
		if (l->skipped || part.n > l->max - l->held.n) {
			enum http_line what = skip(l, part.n, lf != NULL);
			if (what != HTTP_LINE_MORE)
				return what;
			continue;
		}
		if (!lf || l->held.n)
			buf_add_view(&l->held, part);
		if (!lf)
			return HTTP_LINE_MORE;
		bool some = trim(l->held.n ? buf_view(&l->held) : part, line_r);
		l->held.n = 0; /* its octets stay until the next call */
		if (some)
			return HTTP_LINE;
	}
	return HTTP_LINE_MORE;
}

enum http_line http_line_last(struct http_lines *l, struct view *line_r)
{
	bool some = l->skipped == 0 && trim(buf_view(&l->held), line_r);
	l->held.n = 0;
	return some ? HTTP_LINE : HTTP_LINE_MORE;
}

void http_lines_free(struct http_lines *l)
{
	buf_free(&l->held);
}
