/* Lines of a body in pieces: pages of octets against what they say, cut everywhere. */
#include "http_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define MAX 8
#define SKIP_MAX 20
#define CASE(octets, lines)                                                                                            \
	{                                                                                                              \
		(octets), sizeof(octets) - 1, (lines)                                                                  \
	}

/* Octets, and the lines in them: each in brackets, "!" for one that is too long, "#" for one without end. */
static const struct line_case {
	const char *octets;
	size_t n;
	const char *lines;
} cases[] = {
        CASE("", ""),
        CASE("\n", ""),
        CASE("\r\n \t\n\n", ""),
        CASE("a\n", "[a]"),
        CASE("a", "[a]"),
        CASE("a\r\nb\r\n", "[a][b]"),
        CASE("a\r", "[a]"),
        CASE("a\rb\n", "[a\rb]"),
        CASE("a\r\r\n", "[a\r]"),
        CASE(" a \n\tb", "[a][b]"),
        CASE("a\n\n\nb\n", "[a][b]"),
        CASE("\xff\xfe\n\x01\n", "[\xff\xfe][\x01]"),
        CASE("12345678\nb\n", "[12345678][b]"),
        CASE("12345678", "[12345678]"),
        CASE("1234567\r\nb", "[1234567][b]"),
        CASE("12345678\r\nb\n", "![b]"),
        CASE("123456789\nb\n", "![b]"),
        CASE("123456789", "!"),
        CASE("123456789\n123456789\nb", "!![b]"),
        CASE("12345678901234567890\nb", "![b]"),
        CASE("a\n123456789012345678901\nb\n", "[a]!#"),
        CASE("a\n1234567890123456789012345678901234567890", "[a]!#"),
};

static void write_line(struct buf *to, struct view line)
{
	buf_add_u8(to, '[');
	buf_add_view(to, line);
	buf_add_u8(to, ']');
}

/* False when nothing more is to be read. */
static bool feed(struct http_lines *l, struct view octets, struct buf *to)
{
	struct view line;
	for (;;) {
		switch (http_line_next(l, &octets, &line)) {
		case HTTP_LINE:
			write_line(to, line);
			break;
		case HTTP_LINE_LONG:
			buf_add_u8(to, '!');
			break;
		case HTTP_LINE_ENDLESS:
			return false;
		case HTTP_LINE_MORE:
			assert_int_equal(octets.n, 0);
			return true;
		}
	}
}

static void run_cut(const struct line_case *c, size_t cut, size_t step)
{
	struct http_lines l = HTTP_LINES(MAX, SKIP_MAX);
	struct buf got = BUF(256);
	struct view line;
	bool more = true;
	for (size_t at = 0, n; more && at < c->n; at += n) {
		n = at == 0 && cut ? cut : step;
		n = n < c->n - at ? n : c->n - at;
		char *piece = malloc(n); /* so that a sanitizer sees a look behind it */
		memcpy(piece, c->octets + at, n);
		more = feed(&l, view_of(piece, n), &got);
		free(piece);
		assert_true(l.held.n <= MAX);
	}
	if (more && http_line_last(&l, &line) == HTTP_LINE)
		write_line(&got, line);
	if (!more)
		buf_add_u8(&got, '#');
	assert_string_equal(buf_cstr(&got), c->lines);
	buf_free(&got);
	http_lines_free(&l);
}

static void lines_do_not_depend_on_the_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run_cut(&cases[i], 0, cases[i].n + 1);
		for (size_t cut = 1; cut < cases[i].n; cut++)
			run_cut(&cases[i], cut, cases[i].n);
		for (size_t step = 1; step < 4; step++)
			run_cut(&cases[i], 0, step);
	}
}

static void an_endless_line_stays_so(void **state)
{
	(void)state;
	struct http_lines l = HTTP_LINES(MAX, SKIP_MAX);
	struct view octets = VIEW("123456789012345678901234567890\nb\n");
	struct view line;
	assert_int_equal(http_line_next(&l, &octets, &line), HTTP_LINE_LONG);
	assert_int_equal(http_line_next(&l, &octets, &line), HTTP_LINE_ENDLESS);
	assert_int_equal(http_line_next(&l, &octets, &line), HTTP_LINE_ENDLESS);
	assert_int_equal(http_line_last(&l, &line), HTTP_LINE_MORE);
	http_lines_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines_do_not_depend_on_the_cuts),
	        cmocka_unit_test(an_endless_line_stays_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
