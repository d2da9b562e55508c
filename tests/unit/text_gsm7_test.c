#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_utf8.h"
#include "text_gsm7.h"
#include "text_national.h"

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
		assert_true(text_gsm7_decode(buf_view(&wire), (struct text_shift){0}, &back));
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
		assert_true(text_gsm7_decode(buf_view(&wire), (struct text_shift){0}, &back));
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
}

/* --- national tables --------------------------------------------------------------------------------------------- */

static void decodes_to(const void *octets, size_t n, struct text_shift shift, struct view wanted, bool clean)
{
	struct buf text = BUF(64);
	assert_int_equal(text_gsm7_decode(view_of(octets, n), shift, &text), clean);
	assert_octets(&text, wanted.p, wanted.n);
	buf_free(&text);
}

static struct view next_character(struct view all, size_t *at)
{
	uint32_t character;
	size_t n = utf8_get(all, *at, &character);
	assert_true(n > 0);
	*at += n;
	return view_of(all.p + *at - n, n);
}

static bool is_none(struct view character)
{
	return character.p[0] == 1;
}

static void locking_table_is(const struct national *l)
{
	struct view all = view_str(l->locking ? l->locking : alphabet);
	size_t at = 0;
	for (unsigned septet = 0; septet < 128; septet++) {
		struct view c = next_character(all, &at);
		uint8_t octet = (uint8_t)septet;
		decodes_to(&octet, 1, (struct text_shift){.locking = l->identifier},
		           is_none(c) ? VIEW("\xef\xbf\xbd") : c, !is_none(c));
	}
	assert_int_equal(at, all.n);
}

/* Without a character of its own the locking table's shows: here the default's. */
static void single_table_is(const struct national *l)
{
	struct view all = view_str(l->single);
	struct view defaults = view_str(alphabet);
	size_t at = 0;
	size_t at_default = 0;
	for (unsigned septet = 0; septet < 128; septet++) {
		struct view c = next_character(all, &at);
		struct view d = next_character(defaults, &at_default);
		struct view wanted = septet == 0x1b ? VIEW(" ") : is_none(c) ? d : c;
		decodes_to((uint8_t[]){0x1b, (uint8_t)septet}, 2, (struct text_shift){.single = l->identifier}, wanted,
		           true);
	}
	assert_int_equal(at, all.n);
}

static void every_national_table_is_the_specifications(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(nationals); i++) {
		assert_string_equal(text_gsm7_language(nationals[i].identifier), nationals[i].name);
		locking_table_is(&nationals[i]);
		single_table_is(&nationals[i]);
	}
	assert_int_equal(COUNT(nationals), 13);
}

static void languages_that_no_row_has_are_the_default(void **state)
{
	(void)state;
	for (unsigned id = 14; id < 256; id++) {
		struct text_shift shift = {.locking = (uint8_t)id, .single = (uint8_t)id};
		assert_null(text_gsm7_language((uint8_t)id));
		decodes_to("\x05\x1b\x65", 3, shift, VIEW("é€"), true);
	}
	assert_null(text_gsm7_language(0));
}

/* Locking and single shift at once, as a phone in Turkey writes. */
static void both_shifts_at_once(void **state)
{
	(void)state;
	decodes_to("\x40\x1b\x53\x1b\x41\x07", 6, (struct text_shift){1, 1}, VIEW("İŞAı"), true);
	decodes_to("\x03\x04\x2c", 3, (struct text_shift){13, 13}, VIEW("\xd9\xbb\xda\x80,"), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_default_character_goes_and_comes),
	        cmocka_unit_test(every_extension_character_takes_two),
	        cmocka_unit_test(nothing_else_is_in_the_alphabet),
	        cmocka_unit_test(encoding_stops_at_the_first_stranger),
	        cmocka_unit_test(a_full_buffer_is_no_success),
	        cmocka_unit_test(every_national_table_is_the_specifications),
	        cmocka_unit_test(languages_that_no_row_has_are_the_default),
	        cmocka_unit_test(both_shifts_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
