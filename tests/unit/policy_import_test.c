#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_import.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What was read, a line each: line number, phone, day, answer, or line number and the fault. */
static void row_cb(void *ctx, const struct import_row *row)
{
	struct buf *to = ctx;
	if (row->fault)
		buf_printf(to, "%d!%d ", (int)row->line, (int)row->fault);
	else
		buf_printf(to, "%d:%s/%s/%s ", (int)row->line, row->phone, row->day, policy_import_answer(row->answer));
}

static void read_in(enum import_kind kind, struct view text, size_t piece, struct buf *to)
{
	struct import_reader r;
	buf_clear(to);
	policy_import_begin(&r, kind, row_cb, to);
	for (size_t at = 0; at < text.n; at += piece)
		policy_import_feed(&r, view_of(text.p + at, text.n - at < piece ? text.n - at : piece));
	policy_import_end(&r);
}

static const struct {
	enum import_kind kind;
	const char *text;
	const char *read;
} files[] = {
        {IMPORT_DEACTIVATED, "", ""},
        {IMPORT_DEACTIVATED, "\n\r\n  \n", ""},
        {IMPORT_DEACTIVATED, "+12125550101\n2125550102", "1:+12125550101// 2:+12125550102// "},
        {IMPORT_DEACTIVATED, "12125550101\r\n2125550102\r\n", "1:+12125550101// 2:+12125550102// "},
        {IMPORT_DEACTIVATED, "2125550101\r2125550102\r", "1:+12125550101// 2:+12125550102// "},
        {IMPORT_DEACTIVATED,
         "\xef\xbb\xbf"
         "2125550101\n",
         "1:+12125550101// "},
        {IMPORT_DEACTIVATED, "\xef\xbb\xbfPhone\n2125550101\n", "2:+12125550101// "},
        {IMPORT_DEACTIVATED, "(212) 555-0101\n1-212-555-0102\n212.555.0103\n",
         "1:+12125550101// 2:+12125550102// 3:+12125550103// "},
        {IMPORT_DEACTIVATED, "\"2125550101\"\n\n\"212\"\"5550101\"\n", "1:+12125550101// 3!1 "},
        {IMPORT_DEACTIVATED, "Phone Number\n2125550101\n", "2:+12125550101// "},
        {IMPORT_DEACTIVATED, "Carrier,Deactivation Date,TN\nx,2026-03-02,2125550101\nx,20260303,2125550102\n",
         "2:+12125550101/2026-03-02/ 3:+12125550102/2026-03-03/ "},
        {IMPORT_DEACTIVATED, "date;number\n03/02/2026;2125550101\n3/2/2026;2125550102\n;2125550103\n",
         "2:+12125550101/2026-03-02/ 3:+12125550102/2026-03-02/ 4:+12125550103// "},
        {IMPORT_DEACTIVATED, "date|number\n2026-02-29|2125550101\n2024-02-29|2125550101\n",
         "2!2 3:+12125550101/2024-02-29/ "},
        {IMPORT_DEACTIVATED, "2125550101,anything,else\n", "1:+12125550101// "},
        {IMPORT_DEACTIVATED, "212555010\n21255501011\n8005550101\n4165550101\n+442079460123\nhello\n0\n",
         "1!1 2!1 3!1 4!1 5!1 6!1 7!1 "},
        {IMPORT_DEACTIVATED, "2125550101\nphone\n2125550102\n", "1:+12125550101// 2!1 3:+12125550102// "},
        {IMPORT_DEACTIVATED, "\"2125550101\n2125550102\n", "1!4 2:+12125550102// "},
        {IMPORT_REASSIGNED, "2125550101,2026-03-02,yes\n2125550102,2026-03-02,NO\n2125550103,2026-03-02,no data\n",
         "1:+12125550101/2026-03-02/yes 2:+12125550102/2026-03-02/no 3:+12125550103/2026-03-02/no_data "},
        {IMPORT_REASSIGNED, "Status,Consent Date,Phone\nno_data,2026-03-02,2125550101\n",
         "2:+12125550101/2026-03-02/no_data "},
        {IMPORT_REASSIGNED, "2125550101,2026-03-02,\n2125550101,,yes\n2125550101,2026-03-02\n2125550101\n,,yes\n",
         "1!3 2!2 3!3 4!2 5!1 "},
        {IMPORT_REASSIGNED, "2125550101,2026-03-02,maybe\n", "1!3 "},
};

static void files_are_read_in_pieces_of_any_size(void **state)
{
	struct buf got = BUF(4096);
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		for (size_t piece = 1; piece <= 64; piece += piece < 8 ? 1 : 28) {
			read_in(files[i].kind, view_str(files[i].text), piece, &got);
			if (strcmp(buf_cstr(&got), files[i].read) != 0)
				fail_msg("file %zu in pieces of %zu: %s, not %s", i, piece, buf_cstr(&got),
				         files[i].read);
		}
	buf_free(&got);
}

static void a_line_that_is_too_long_is_bad_alone(void **state)
{
	struct buf text = BUF(1 << 16);
	struct buf got = BUF(4096);
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		buf_clear(&text);
		buf_add_str(&text, "2125550101,");
		while (text.n < (size_t)LIMIT_IMPORT_LINE_BYTES + extra)
			buf_add_u8(&text, 'x');
		buf_add_str(&text, "\n2125550102\n");
		read_in(IMPORT_DEACTIVATED, buf_view(&text), 100, &got);
		assert_string_equal(buf_cstr(&got),
		                    extra ? "1!4 2:+12125550102// " : "1:+12125550101// 2:+12125550102// ");
	}
	buf_free(&text);
	buf_free(&got);
}

static void nul_and_too_many_columns(void **state)
{
	struct buf got = BUF(4096);
	struct buf text = BUF(4096);
	(void)state;
	read_in(IMPORT_DEACTIVATED, view_of("21255\00050101\n2125550102\n", 23), 5, &got);
	assert_string_equal(buf_cstr(&got), "1!1 2:+12125550102// ");
	for (int i = 0; i < LIMIT_IMPORT_COLUMNS; i++)
		buf_add_str(&text, "a,");
	buf_add_str(&text, "phone\n2125550101\n"); /* a column behind the last that is looked at */
	read_in(IMPORT_DEACTIVATED, buf_view(&text), 7, &got);
	assert_string_equal(buf_cstr(&got), "2:+12125550101// ");
	buf_free(&text);
	buf_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_read_in_pieces_of_any_size),
	                                   cmocka_unit_test(a_line_that_is_too_long_is_bad_alone),
	                                   cmocka_unit_test(nul_and_too_many_columns)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
