/* Buffers with ceilings, cursors with sticky errors, JSON text, numbers, UTF-8, ids. */
#include "base_bytes.h"
#include "base_utf8.h"
#include "base_uuid.h"
#include "seeded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_ceiling(void **state)
{
	struct buf b = BUF(10);
	(void)state;
	assert_true(buf_add_str(&b, "12345"));
	assert_false(buf_add_str(&b, "678901"));
	assert_true(b.full);
	assert_int_equal(b.n, 5);
	assert_true(buf_add_str(&b, "67890"));
	assert_string_equal(buf_cstr(&b), "1234567890");
	assert_false(buf_printf(&b, "%d", 1));
	buf_drop(&b, 8);
	assert_string_equal(buf_cstr(&b), "90");
	buf_clear(&b);
	assert_false(b.full);
	assert_null(buf_room(&b, SIZE_MAX));
	buf_free(&b);
}

static bool add_width(struct buf *b, unsigned width)
{
	return width == 1   ? buf_add_u8(b, 0xab)
	       : width == 2 ? buf_add_u16(b, 0xabcd)
	       : width == 4 ? buf_add_u32(b, 0xabcdef01)
	                    : buf_add_u64(b, 0xabcdef0123456789);
}

/* Each append at each distance from the ceiling, with memory to spare (cap passes max) and without. */
static void test_appends_stop_at_the_ceiling(void **state)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	(void)state;
	for (size_t max = 0; max < 140; max++)
		for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
			struct buf b = BUF(max);
			while (add_width(&b, widths[i]))
				assert_true(b.n <= max);
			assert_int_equal(b.n, max / widths[i] * widths[i]);
			assert_true(b.full);
			b.full = false;
			assert_int_equal(buf_add(&b, "12345678", max - b.n), true);
			assert_int_equal(b.n, max);
			assert_false(buf_add_u8(&b, 1));
			buf_free(&b);
		}
}

/* To and from memory of their exact sizes: nothing is read or written past either, the NUL has its place. */
static void test_copies_are_bounded(void **state)
{
	(void)state;
	for (size_t cap = 1; cap < 9; cap++)
		for (size_t n = 0; n < 12; n++) {
			char *to = malloc(cap);
			char *from = malloc(n + 1);
			assert_true(to && from);
			memset(from, 'x', n);
			from[n] = 0;
			assert_int_equal(copy_str(to, cap, from), n < cap);
			assert_int_equal(strlen(to), n < cap ? n : cap - 1);
			char *open = realloc(from, n ? n : 1); /* no NUL to lean on */
			assert_non_null(open);
			memset(to, 'y', cap);
			assert_int_equal(copy_view(to, cap, view_of(open, n)), n < cap);
			assert_int_equal(strlen(to), n < cap ? n : cap - 1);
			free(open);
			free(to);
		}
}

static void test_cursor_sticks(void **state)
{
	struct cursor c = cursor_over(VIEW("\x01\x02\x03\x04\x05\x06\x07"));
	(void)state;
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_u16(&c), 0x0203);
	assert_int_equal(cursor_u32(&c), 0x04050607);
	assert_false(c.bad);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.bad);
	assert_int_equal(cursor_left(&c), 0);
	c = cursor_over(VIEW("ab"));
	assert_int_equal(cursor_u32(&c), 0);
	assert_int_equal(cursor_u8(&c), 0); /* stays bad though two octets are there */
	assert_true(c.bad);
	c = cursor_over(VIEW("1234567"));
	assert_true(cursor_u64(&c) == 0 && c.bad);
	c = cursor_over(VIEW("\x01\x02\x03\x04\x05\x06\x07\x08"));
	assert_true(cursor_u64(&c) == 0x0102030405060708 && !c.bad);
	assert_int_equal(cursor_take(&c, SIZE_MAX).n, 0);
	assert_true(c.bad);
}

static void test_json_text(void **state)
{
	static const struct {
		struct view in;
		const char *out;
	} rows[] = {
	        {{(const uint8_t *)"a\"b\\c\n\r\t\x01\x7f", 10}, "a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f"},
	        {{(const uint8_t *)"\xe2\x82\xac\xf0\x9f\x98\x80", 7}, "\xe2\x82\xac\xf0\x9f\x98\x80"},
	        {{(const uint8_t *)"\xff"
	                           "a\xc3",
	          3},
	         "\xef\xbf\xbd"
	         "a\xef\xbf\xbd"},
	        {{(const uint8_t *)"\0", 1}, "\\u0000"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(200);
		buf_add_json_text(&b, rows[i].in);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		buf_free(&b);
	}
}

static void test_html_and_url_text(void **state)
{
	struct buf b = BUF(64), small = BUF(8);
	(void)state;
	assert_true(buf_add_html_text(&b, VIEW("<a href=\"x\">\n&\x01\x1b\t\xc3\xa9")));
	assert_string_equal(buf_cstr(&b), "&lt;a href=&quot;x&quot;&gt;\n&amp;\t\xc3\xa9");
	assert_false(buf_add_html_text(&small, VIEW("<<<")));
	buf_clear(&b);
	assert_true(buf_add_url_text(&b, VIEW("a-Z_0.9~ /?%+\xc3\xa9\x00")));
	assert_string_equal(buf_cstr(&b), "a-Z_0.9~%20%2F%3F%25%2B%C3%A9%00");
	buf_free(&b);
	buf_free(&small);
}

static void test_parse_u64(void **state)
{
	uint64_t v;
	(void)state;
	assert_true(parse_u64(VIEW("0"), 0, &v));
	assert_true(parse_u64(VIEW("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
	assert_false(parse_u64(VIEW("18446744073709551616"), UINT64_MAX, &v));
	assert_true(parse_u64(VIEW("65535"), 65535, &v));
	assert_false(parse_u64(VIEW("65536"), 65535, &v));
	assert_false(parse_u64(VIEW("9"), 8, &v));
	assert_false(parse_u64(VIEW(""), 10, &v));
	assert_false(parse_u64(VIEW("-1"), 10, &v));
	assert_false(parse_u64(VIEW("1 "), 10, &v));
}

static void test_utf8(void **state)
{
	static const char *const bad[] = {"\x80",
	                                  "\xc0\x80",
	                                  "\xc1\xbf",
	                                  "\xe0\x80\x80",
	                                  "\xed\xa0\x80",
	                                  "\xf0\x80\x80\x80",
	                                  "\xf4\x90\x80\x80",
	                                  "\xf5\x80\x80\x80",
	                                  "\xe2\x82",
	                                  "a\xff"};
	seeded_start(__func__);
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(utf8_valid(view_str(bad[i])));
	for (int i = 0; i < 20000; i++) {
		uint32_t c = (uint32_t)(seeded_next() % 0x110000), back = 0;
		uint8_t text[4];
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		size_t n = utf8_put(text, c);
		assert_int_equal(utf8_get(view_of(text, n), 0, &back), n);
		assert_int_equal(back, c);
		assert_int_equal(utf8_length(view_of(text, n)), 1);
	}
}

static void test_uuid_order(void **state)
{
	struct uuid_maker m = {0};
	struct uuid last = {0};
	char text[UUID_TEXT_BYTES];
	(void)state;
	for (int i = 0; i < 100000; i++) {
		/* the clock stands, goes back, goes on */
		int64_t us = INT64_C(1772487000000000) + (i < 50000 ? 0 : i < 60000 ? -5000000 : i * 10);
		struct uuid id = uuid_make(&m, us), back;
		assert_true(memcmp(&id, &last, sizeof(id)) > 0);
		assert_int_equal(id.b[6] >> 4, 7);
		assert_int_equal(id.b[8] >> 6, 2);
		assert_true(uuid_parse(view_str(uuid_format(&id, text)), &back) && memcmp(&id, &back, sizeof(id)) == 0);
		last = id;
	}
	assert_false(uuid_parse(VIEW("0195f3c2-7c1e-7b7a-9d5e-0242ac12000"), &last));
	assert_false(uuid_parse(VIEW("0195f3c2x7c1e-7b7a-9d5e-0242ac120002"), &last));
	assert_false(uuid_parse(VIEW("0195f3c2-7c1e-7b7a-9d5e-0242ac12000g"), &last));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ceiling),
	                                   cmocka_unit_test(test_appends_stop_at_the_ceiling),
	                                   cmocka_unit_test(test_copies_are_bounded),
	                                   cmocka_unit_test(test_cursor_sticks),
	                                   cmocka_unit_test(test_json_text),
	                                   cmocka_unit_test(test_html_and_url_text),
	                                   cmocka_unit_test(test_parse_u64),
	                                   cmocka_unit_test(test_utf8),
	                                   cmocka_unit_test(test_uuid_order)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
