/* Reads the pages of tests/golden/http: each "http" block is a request as on the wire (line ends of the page do not
 * count; \r \n \t \0 \\ \xNN do), the "events" block behind it is what the parser makes of it, however the octets are
 * cut. */
#include "http_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define MAX_BODY 1024
#define PAGES 6 /* at least so many, or the folder was not found */
#define CASES 40

static void read_whole(const char *path, struct buf *to)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be opened", path);
	for (int c = fgetc(f); c != EOF; c = fgetc(f))
		buf_add_u8(to, (uint8_t)c);
	fclose(f);
}

static size_t unescape_one(struct buf *to, const char *text, size_t n)
{
	static const char letters[] = "rnt\\";
	static const char octets[] = "\r\n\t\\";
	const char *known = n > 1 && text[1] ? strchr(letters, text[1]) : NULL;
	uint8_t octet = 0;
	if (known) {
		buf_add_u8(to, (uint8_t)octets[known - letters]);
		return 2;
	}
	if (n > 1 && text[1] == '0') {
		buf_add_u8(to, 0);
		return 2;
	}
	if (n < 4 || text[1] != 'x' || !hex_decode(view_of(text + 2, 2), &octet, 1))
		fail_msg("bad escape at %.10s", text);
	buf_add_u8(to, octet);
	return 4;
}

static void unescape(struct buf *to, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		if (text[at] == '\\') {
			at += unescape_one(to, text + at, n - at);
			continue;
		}
		if (text[at] != '\n')
			buf_add_u8(to, (uint8_t)text[at]);
		at++;
	}
}

static void expect_all_cuts(const char *path, unsigned number, struct view octets, struct view expected)
{
	for (size_t cut = 0; cut <= octets.n; cut++) {
		struct buf seen = BUF(1 << 16);
		events_of(&seen, octets, MAX_BODY, cut, cut == octets.n ? 1 : 0);
		if (!view_eq(buf_view(&seen), expected))
			fail_msg("%s, case %u, cut at %zu:\n%s\nnot\n%.*s", path, number, cut, buf_cstr(&seen),
			         (int)expected.n, (const char *)expected.p);
		buf_free(&seen);
	}
}

/* The block that begins with the fence after *at, which moves behind it; empty p when there is none. */
static struct view next_block(const char **at, const char *fence)
{
	const char *begin = strstr(*at, fence);
	if (!begin)
		return (struct view){0};
	begin += strlen(fence);
	const char *end = strstr(begin, "```\n");
	assert_non_null(end);
	*at = end + 4;
	return view_of(begin, (size_t)(end - begin));
}

static unsigned check_page(const char *path)
{
	struct buf page = BUF(1 << 20);
	unsigned n = 0;
	read_whole(path, &page);
	const char *at = buf_cstr(&page);
	for (struct view http = next_block(&at, "```http\n"); http.p; http = next_block(&at, "```http\n")) {
		struct buf octets = BUF(1 << 16);
		struct view events = next_block(&at, "```events\n");
		assert_non_null(events.p);
		unescape(&octets, (const char *)http.p, http.n);
		expect_all_cuts(path, ++n, buf_view(&octets), events);
		buf_free(&octets);
	}
	assert_true(n > 0);
	buf_free(&page);
	return n;
}

static void test_pages(void **state)
{
	glob_t pages;
	unsigned n = 0;
	(void)state;
	assert_int_equal(glob(TEST_SOURCE_DIR "/tests/golden/http/*.md", 0, NULL, &pages), 0);
	assert_true(pages.gl_pathc >= PAGES);
	for (size_t i = 0; i < pages.gl_pathc; i++)
		n += check_page(pages.gl_pathv[i]);
	assert_true(n >= CASES);
	globfree(&pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
