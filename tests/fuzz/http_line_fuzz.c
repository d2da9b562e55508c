/* The same lines however the octets are cut, none longer than it may be, and nothing held past the ceiling. The first
 * octet says where they are cut. */
#include "base_check.h"
#include "http_line.h"

#define MAX 16
#define SKIP_MAX 48

struct seen {
	uint64_t hash;
	unsigned count;
	bool endless;
};

static void note(struct seen *s, uint64_t what)
{
	s->hash = (s->hash ^ what) * 0x100000001b3u + 1;
	s->count++;
}

static void feed(struct seen *s, struct http_lines *l, struct view octets)
{
	struct view line;
	while (!s->endless) {
		enum http_line what = http_line_next(l, &octets, &line);
		check(l->held.n <= MAX);
		if (what == HTTP_LINE_MORE) {
			check(octets.n == 0);
			return;
		}
		check(what != HTTP_LINE || (line.n && line.n <= MAX));
		s->endless = what == HTTP_LINE_ENDLESS;
		note(s, what == HTTP_LINE ? view_hash(line) : what);
	}
}

static struct seen run(struct view octets, size_t step)
{
	struct http_lines l = HTTP_LINES(MAX, SKIP_MAX);
	struct seen s = {0};
	struct view line;
	for (size_t at = 0; at < octets.n; at += step)
		feed(&s, &l, view_of(octets.p + at, octets.n - at < step ? octets.n - at : step));
	if (!s.endless && http_line_last(&l, &line) == HTTP_LINE)
		note(&s, view_hash(line));
	http_lines_free(&l);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct view octets = view_of(data + 1, size - 1);
	struct seen whole = run(octets, octets.n);
	struct seen cut = run(octets, (size_t)data[0] % octets.n + 1);
	check(whole.hash == cut.hash && whole.count == cut.count && whole.endless == cut.endless);
	return 0;
}
