#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_utf8.h"
#include "seeded.h"
#include "text_gsm7.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The alphabet written out as one string of 3GPP TS 23.038, septet by septet; the escape's place holds U+0001. It is
 * the second witness to the rows. */
static const char alphabet[] =
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\1ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
        "¿abcdefghijklmnopqrstuvwxyzäöñüà";

static const struct {
	uint8_t septet;
	const char *text;
} extension[] = {{0x0a, "\f"}, {0x14, "^"}, {0x28, "{"}, {0x29, "}"}, {0x2f, "\\"},
                 {0x3c, "["},  {0x3d, "~"}, {0x3e, "]"}, {0x40, "|"}, {0x65, "€"}};

static void assert_octets(const struct buf *b, const void *p, size_t n)
{
	assert_int_equal(b->n, n);
	if (n)
		assert_memory_equal(b->p, p, n);
}

static void every_default_character_goes_and_comes(void **state)
{
	(void)state;
	struct view all = view_str(alphabet);
	size_t at = 0;
	for (unsigned septet = 0; septet < 128; septet++) {
		uint32_t character;
		size_t n = utf8_get(all, at, &character);
		assert_true(n > 0);
		struct view one = view_of(all.p + at, n);
		at += n;
		if (septet == 0x1b)
			continue;
		struct buf wire = BUF(16);
		struct buf back = BUF(16);
		assert_int_equal(text_gsm7_septets(character), 1);
		assert_true(text_gsm7_encode(one, &wire));
		assert_octets(&wire, &(uint8_t){(uint8_t)septet}, 1);
		text_gsm7_decode(buf_view(&wire), &back);
		assert_octets(&back, one.p, one.n);
		buf_free(&wire);
		buf_free(&back);
	}
	assert_int_equal(at, all.n);
}

static void every_extension_character_takes_two(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(extension); i++) {
		struct buf wire = BUF(16);
		struct buf back = BUF(16);
		struct view one = view_str(extension[i].text);
		uint32_t character;
		utf8_get(one, 0, &character);
		assert_int_equal(text_gsm7_septets(character), 2);
		assert_true(text_gsm7_encode(one, &wire));
		assert_octets(&wire, (uint8_t[]){0x1b, extension[i].septet}, 2);
		text_gsm7_decode(buf_view(&wire), &back);
		assert_octets(&back, one.p, one.n);
		buf_free(&wire);
		buf_free(&back);
	}
}

static void nothing_else_is_in_the_alphabet(void **state)
{
	(void)state;
	unsigned ones = 0;
	unsigned twos = 0;
	for (uint32_t c = 0; c <= 0x10ffff + 16; c++) {
		unsigned n = text_gsm7_septets(c);
		ones += n == 1;
		twos += n == 2;
		assert_true(n <= 2);
	}
	assert_int_equal(ones, 127);
	assert_int_equal(twos, 10);
	assert_int_equal(text_gsm7_septets(0x1b), 0);
	assert_int_equal(text_gsm7_septets(0xe7), 0);
	assert_int_equal(text_gsm7_septets(0), 0);
	assert_int_equal(text_gsm7_septets(UINT32_MAX), 0);
}

static void encoding_stops_at_the_first_stranger(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *septets;
		bool whole;
	} cases[] = {
	        {"", "", true},        {"abc", "abc", true},         {"ab’c", "ab", false}, {"a\xff", "a", false},
	        {"a\xc3", "a", false}, {"é€", "\x05\x1b\x65", true}, {"👍", "", false},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf wire = BUF(64);
		assert_int_equal(text_gsm7_encode(view_str(cases[i].text), &wire), cases[i].whole);
		assert_octets(&wire, cases[i].septets, strlen(cases[i].septets));
		buf_free(&wire);
	}
}

static void a_full_buffer_is_no_success(void **state)
{
	(void)state;
	struct buf wire = BUF(2);
	assert_false(text_gsm7_encode(VIEW("a[b"), &wire));
	assert_octets(&wire, "a", 1);
	buf_free(&wire);
	wire = BUF(3);
	assert_false(text_ucs2_encode(VIEW("ab"), &wire));
	assert_octets(&wire, "\0a", 2);
	buf_free(&wire);
}

struct decoding {
	uint8_t data_coding;
	const char *octets;
	size_t n;
	const char *text;
};

#define OCTETS(literal) literal, sizeof(literal) - 1

static const struct decoding decodings[] = {
        {0, OCTETS("STOP"), "STOP"},
        {0, OCTETS("\0\x02"), "@$"},
        {0, OCTETS("a\x1b\x65"), "a€"},
        {0, OCTETS("a\x1b"), "a\xef\xbf\xbd"},
        {0, OCTETS("NO M\x1b\x41S"), "NO MAS"}, /* unknown in the extension table: the default table's letter */
        {0,
         OCTETS("a\x1b\x1b"
                "b"),
         "a b"},
        {0, OCTETS("\x1b\x80"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {0, OCTETS("\x80\xff"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {0, OCTETS(""), ""},
        {1, OCTETS("Yes\xe9"), "Yes\xef\xbf\xbd"},
        {1, OCTETS("a\0"), "a\xef\xbf\xbd"},
        {3, OCTETS("caf\xe9\x80"), "café\xc2\x80"},
        {3, OCTETS("a\0"), "a\xef\xbf\xbd"},
        {8, OCTETS("\0S\0T\0O\0P"), "STOP"},
        {8, OCTETS("\x20\xac"), "€"},
        {8, OCTETS("\xd8\x3d\xdc\x4d"), "👍"},
        {8, OCTETS("\xd8\x3d"), "\xef\xbf\xbd"},
        {8, OCTETS("\xd8\x3d\0a"),
         "\xef\xbf\xbd"
         "a"},
        {8, OCTETS("\xdc\x4d\0a"),
         "\xef\xbf\xbd"
         "a"},
        {8, OCTETS("\xd8\x3d\xd8\x3d\xdc\x4d"), "\xef\xbf\xbd👍"},
        {8, OCTETS("\0a\0"), "a\xef\xbf\xbd"},
        {8, OCTETS("\xd8\x3d\xdc"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {8, OCTETS("\0\0\0a"),
         "\xef\xbf\xbd"
         "a"},
        {8, OCTETS("\xff\xfe"), "\xef\xbf\xbe"},
        {0x10, OCTETS("\x05"), "é"},
        {0x11, OCTETS("\x05"), "é"},
        {0x14, OCTETS("\xe9"), "é"},
        {0x18, OCTETS("\0a"), "a"},
        {0x1c, OCTETS("\xe9"), "é"},
        {0xf0, OCTETS("\x05"), "é"},
        {0xf1, OCTETS("\x05"), "é"},
        {0xf4, OCTETS("\xe9"), "é"},
        {0xf5, OCTETS("\xe9"), "é"},
        {4, OCTETS("\xe9"), "é"},
        {6, OCTETS("\xe9"), "é"},
        {0xc0, OCTETS("\xe9"), "é"},
};

static void data_coding_chooses_the_alphabet(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(decodings); i++) {
		struct buf text = BUF(256);
		text_decode(decodings[i].data_coding, view_of(decodings[i].octets, decodings[i].n), &text);
		assert_string_equal(buf_cstr(&text), decodings[i].text);
		buf_free(&text);
	}
}

static uint32_t random_character(void)
{
	static const uint32_t tops[] = {0x7f, 0x7ff, 0xffff, 0x10ffff};
	uint32_t c = (uint32_t)seeded_between(1, tops[seeded_next() % 4]);
	return c >= 0xd800 && c <= 0xdfff ? 'x' : c;
}

static void random_text_survives_ucs2(void **state)
{
	(void)state;
	seeded_start("random_text_survives_ucs2");
	for (int round = 0; round < 5000; round++) {
		struct buf text = BUF(1024);
		struct buf wire = BUF(1024);
		struct buf back = BUF(1024);
		for (int64_t n = seeded_between(0, 90); n > 0; n--) {
			uint8_t octets[4];
			buf_add(&text, octets, utf8_put(octets, random_character()));
		}
		assert_true(text_ucs2_encode(buf_view(&text), &wire));
		text_ucs2_decode(buf_view(&wire), &back);
		assert_octets(&back, text.p, text.n);
		buf_free(&text);
		buf_free(&wire);
		buf_free(&back);
	}
}

/* Whatever a carrier sends comes out as text that a database takes. */
static void random_octets_decode_to_valid_text(void **state)
{
	(void)state;
	seeded_start("random_octets_decode_to_valid_text");
	for (int round = 0; round < 20000; round++) {
		uint8_t octets[64];
		size_t n = (size_t)seeded_between(0, sizeof(octets));
		for (size_t i = 0; i < n; i++)
			octets[i] = (uint8_t)seeded_next();
		struct buf text = BUF(1024);
		text_decode((uint8_t)seeded_next(), view_of(octets, n), &text);
		assert_true(utf8_valid(buf_view(&text)));
		assert_true(text.n == 0 || memchr(text.p, 0, text.n) == NULL);
		assert_false(text.full);
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_default_character_goes_and_comes),
	        cmocka_unit_test(every_extension_character_takes_two),
	        cmocka_unit_test(nothing_else_is_in_the_alphabet),
	        cmocka_unit_test(encoding_stops_at_the_first_stranger),
	        cmocka_unit_test(a_full_buffer_is_no_success),
	        cmocka_unit_test(data_coding_chooses_the_alphabet),
	        cmocka_unit_test(random_text_survives_ucs2),
	        cmocka_unit_test(random_octets_decode_to_valid_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
