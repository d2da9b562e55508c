#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_utf8.h"
#include "seeded.h"
#include "text_alphabet.h"
#include "text_shape.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- measuring ------------------------------------------------------------------------------------------------- */

struct piece {
	const char *text;
	unsigned times;
};

struct measuring {
	struct piece piece[4];
	struct text_shape shape;
};

static const struct measuring measurings[] = {
        {{{0}}, {TEXT_GSM7, 0, 0, 1}},
        {{{"a", 1}}, {TEXT_GSM7, 1, 1, 1}},
        {{{"a", 160}}, {TEXT_GSM7, 160, 160, 1}},
        {{{"a", 161}}, {TEXT_GSM7, 161, 161, 2}},
        {{{"€", 1}}, {TEXT_GSM7, 1, 2, 1}},
        {{{"€", 80}}, {TEXT_GSM7, 80, 160, 1}},
        {{{"€", 80}, {"a", 1}}, {TEXT_GSM7, 81, 161, 2}},
        {{{"a", 158}, {"[", 1}}, {TEXT_GSM7, 159, 160, 1}},
        {{{"a", 159}, {"[", 1}}, {TEXT_GSM7, 160, 161, 2}},
        {{{"a", 306}}, {TEXT_GSM7, 306, 306, 2}},
        {{{"a", 307}}, {TEXT_GSM7, 307, 307, 3}},
        /* The pair at the end of the first part moves on whole, and takes the last septet of the second with it. */
        {{{"a", 151}, {"€", 1}, {"a", 153}}, {TEXT_GSM7, 305, 306, 2}},
        {{{"a", 152}, {"€", 1}, {"a", 151}}, {TEXT_GSM7, 304, 305, 2}},
        {{{"a", 152}, {"€", 1}, {"a", 152}}, {TEXT_GSM7, 305, 306, 3}},
        {{{"€", 76}, {"€", 76}}, {TEXT_GSM7, 152, 304, 2}},
        {{{"€", 153}}, {TEXT_GSM7, 153, 306, 3}},
        {{{"ñ", 160}}, {TEXT_GSM7, 160, 160, 1}},
        {{{"ç", 1}}, {TEXT_UCS2, 1, 1, 1}},
        {{{"ç", 70}}, {TEXT_UCS2, 70, 70, 1}},
        {{{"ç", 71}}, {TEXT_UCS2, 71, 71, 2}},
        {{{"ç", 134}}, {TEXT_UCS2, 134, 134, 2}},
        {{{"ç", 135}}, {TEXT_UCS2, 135, 135, 3}},
        {{{"👍", 1}}, {TEXT_UCS2, 1, 2, 1}},
        {{{"👍", 35}}, {TEXT_UCS2, 35, 70, 1}},
        {{{"👍", 35}, {"a", 1}}, {TEXT_UCS2, 36, 71, 2}},
        {{{"a", 65}, {"👍", 1}, {"a", 67}}, {TEXT_UCS2, 133, 134, 2}},
        {{{"a", 66}, {"👍", 1}, {"a", 65}}, {TEXT_UCS2, 132, 133, 2}},
        {{{"a", 66}, {"👍", 1}, {"a", 66}}, {TEXT_UCS2, 133, 134, 3}},
        {{{"👍", 66}}, {TEXT_UCS2, 66, 132, 2}},
        {{{"👍", 67}}, {TEXT_UCS2, 67, 134, 3}},
        {{{"a", 160}, {"’", 1}}, {TEXT_UCS2, 161, 161, 3}},
};

static void shapes_are_measured_at_their_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(measurings); i++) {
		struct buf text = BUF(4096);
		for (size_t k = 0; k < 4; k++)
			for (unsigned n = 0; n < measurings[i].piece[k].times; n++)
				buf_add_str(&text, measurings[i].piece[k].text);
		struct text_shape s = text_measure(buf_view(&text));
		struct text_shape want = measurings[i].shape;
		if (memcmp(&s, &want, sizeof(s)) != 0)
			fail_msg("case %zu: encoding %d, %u characters, %u units, %u segments", i, s.encoding,
			         s.characters, s.units, s.segments);
		buf_free(&text);
	}
	assert_string_equal(text_encoding_name(TEXT_GSM7), "gsm7");
	assert_string_equal(text_encoding_name(TEXT_UCS2), "ucs2");
}

/* Segments counted another way: the encoded octets are cut from the front, one part at a time. */
static unsigned cut_gsm7(struct view wire)
{
	unsigned parts = 0;
	for (size_t at = 0; at < wire.n; parts++) {
		size_t end = at + 153 < wire.n ? at + 153 : wire.n;
		at = end < wire.n && wire.p[end - 1] == 0x1b ? end - 1 : end;
	}
	return wire.n <= 160 ? 1 : parts;
}

static unsigned cut_ucs2(struct view wire)
{
	unsigned parts = 0;
	for (size_t at = 0; at < wire.n; parts++) {
		size_t end = at + 134 < wire.n ? at + 134 : wire.n;
		bool high = end < wire.n && (wire.p[end - 2] & 0xfc) == 0xd8;
		at = high ? end - 2 : end;
	}
	return wire.n <= 140 ? 1 : parts;
}

static void random_text_measures_as_it_encodes(void **state)
{
	(void)state;
	static const char *const gsm[] = {"a", "€", "[", "é", "~", "Z", " ", "\n"};
	static const char *const any[] = {"a", "€", "ç", "👍", "ह", " "};
	seeded_start("random_text_measures_as_it_encodes");
	for (int round = 0; round < 5000; round++) {
		struct buf text = BUF(4096);
		struct buf wire = BUF(4096);
		bool wide = seeded_next() % 2;
		for (int64_t n = seeded_between(0, wide ? 200 : 400); n > 0; n--)
			buf_add_str(&text, wide ? any[seeded_next() % COUNT(any)] : gsm[seeded_next() % COUNT(gsm)]);
		struct text_shape s = text_measure(buf_view(&text));
		bool gsm7 = text_gsm7_encode(buf_view(&text), &wire);
		assert_int_equal(s.encoding, gsm7 ? TEXT_GSM7 : TEXT_UCS2);
		if (!gsm7) {
			buf_clear(&wire);
			assert_true(text_ucs2_encode(buf_view(&text), &wire));
		}
		assert_int_equal(s.units, gsm7 ? wire.n : wire.n / 2);
		assert_int_equal(s.characters, utf8_length(buf_view(&text)));
		assert_int_equal(s.segments, gsm7 ? cut_gsm7(buf_view(&wire)) : cut_ucs2(buf_view(&wire)));
		buf_free(&text);
		buf_free(&wire);
	}
}

/* --- typography ------------------------------------------------------------------------------------------------ */

struct normalising {
	const char *from;
	const char *to;
	unsigned changes; /* different ones */
};

static const struct normalising normalisings[] = {
        {"", "", 0},
        {"Plain text, 100% {ok} €5", "Plain text, 100% {ok} €5", 0},
        {"It’s", "It's", 1},
        {"‘a’ “b” „c‟ ‚d‛", "'a' \"b\" \"c\" 'd'", 8},
        {"5′ 6″ ‵ ‶", "5' 6\" ' \"", 4},
        {"«si» ‹no›", "\"si\" 'no'", 4},
        {"a–b—c‑d‐e―f−g‒h", "a-b-c-d-e-f-g-h", 7},
        {"wait… ‥ ․", "wait... .. .", 3},
        {"a\xc2\xa0"
         "b\xe2\x80\x89"
         "c\xe2\x80\xaf"
         "d\xe3\x80\x80"
         "e\tf",
         "a b c d e f", 5},
        {"• one\n‣ two\n· three", "* one\n* two\n- three", 3},
        {"ap\xc2\xadpoint\xe2\x80\x8bment\xef\xbb\xbf", "appointment", 3},
        {"cafe\xcc\x81", "café", 1},
        {"man\xcc\x83"
         "ana",
         "mañana", 1},
        {"U\xcc\x88"
         "ber A\xcc\x8a C\xcc\xa7 e\xcc\x80",
         "Über Å Ç è", 4},
        {"e\xc2\xad\xcc\x81", "é", 2},
        {"a\xcc\x81", "a\xcc\x81", 0}, /* the alphabet has no letter for it */
        {"c\xcc\xa7", "c\xcc\xa7", 0},
        {"\xcc\x81", "\xcc\x81", 0},
        {"a\r\nb\r\n", "a\nb\n", 1},
        {"a\rb", "a\rb", 0},
        {"a\r\r\nb", "a\nb", 1},
        {"\r\n", "\n", 1},
        {"a\r\xe2\x80\x8b\nb", "a\nb", 2},
        {"a\xe2\x80\xa8"
         "b",
         "a\nb", 1},
        {"\xef\xac\x81ne \xef\xac\x83", "fine ffi", 2},
        {"\xe2\x84\xa6 \xe2\x84\xab", "Ω Å", 2},
        {"fran\xc3\xa7"
         "ais García 👍 ह",
         "français García 👍 ह", 0},
};

static void typography_becomes_gsm(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(normalisings); i++) {
		struct buf to = BUF(4096);
		struct text_changes changes;
		text_normalise(view_str(normalisings[i].from), &to, &changes);
		assert_string_equal(buf_cstr(&to), normalisings[i].to);
		if (changes.count != normalisings[i].changes)
			fail_msg("%s: %u changes", normalisings[i].from, changes.count);
		buf_free(&to);
	}
}

static void changes_are_told_and_counted(void **state)
{
	(void)state;
	struct buf to = BUF(4096);
	struct text_changes changes;
	text_normalise(view_str("It’s “Anna’s” cafe\xcc\x81…"), &to, &changes);
	assert_string_equal(buf_cstr(&to), "It's \"Anna's\" café...");
	assert_int_equal(changes.count, 5);
	static const struct text_change want[] = {
	        {0x2019, "'", 2}, {0x201c, "\"", 1}, {0x201d, "\"", 1}, {0x301, "é", 1}, {0x2026, "...", 1}};
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(changes.change[i].from, want[i].from);
		assert_string_equal(changes.change[i].to, want[i].to);
		assert_int_equal(changes.change[i].count, want[i].count);
	}
	buf_free(&to);
}

static void more_changes_than_are_told_are_still_made(void **state)
{
	(void)state;
	struct buf from = BUF(4096);
	struct buf to = BUF(4096);
	struct text_changes changes;
	for (uint32_t c = 0x2010; c <= 0x2027; c++) {
		uint8_t octets[4];
		if (c != 0x2016 && c != 0x2017 && c != 0x2020 && c != 0x2021)
			buf_add(&from, octets, utf8_put(octets, c));
	}
	text_normalise(buf_view(&from), &to, &changes);
	assert_string_equal(buf_cstr(&to), "------''''\"\"\"\"**......-");
	assert_int_equal(changes.count, TEXT_CHANGES_MAX);
	buf_free(&from);
	buf_free(&to);
}

/* Each row's text is of the alphabet, and each row's character is not: else the row would change a text for nothing. */
static void every_row_leads_into_the_alphabet(void **state)
{
	(void)state;
	static const struct {
		uint32_t first;
		uint32_t last;
		const char *to;
	} rows[] = {
#define TRANSLIT(first, last, to, what) {first, last, to},
#include "translit.def"
	};
	static const uint32_t letters[] = {
#define COMPOSE(base, mark, letter) letter,
#include "translit.def"
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf wire = BUF(64);
		assert_true(rows[i].first <= rows[i].last);
		assert_true(i == 0 || rows[i - 1].last < rows[i].first);
		assert_true(text_gsm7_encode(view_str(rows[i].to), &wire));
		for (uint32_t c = rows[i].first; c <= rows[i].last; c++)
			assert_int_equal(text_gsm7_septets(c), 0);
		buf_free(&wire);
	}
	for (size_t i = 0; i < COUNT(letters); i++)
		assert_int_equal(text_gsm7_septets(letters[i]), 1);
}

static void strangers_are_listed_once(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned max;
		const char *list;
	} cases[] = {
	        {"abc é €", 9, ""},    {"", 9, ""},         {"ççç", 9, "ç"},
	        {"ç👍ç👍í", 9, "ç 👍 í"}, {"ç👍ç👍í", 2, "ç 👍"}, {"ç", 0, ""},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf list = BUF(256);
		buf_add_str(&list, "ç:");
		text_not_gsm7(view_str(cases[i].text), cases[i].max, &list);
		assert_string_equal(buf_cstr(&list) + strlen("ç:"), cases[i].list);
		buf_free(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(shapes_are_measured_at_their_edges),
	        cmocka_unit_test(random_text_measures_as_it_encodes),
	        cmocka_unit_test(typography_becomes_gsm),
	        cmocka_unit_test(changes_are_told_and_counted),
	        cmocka_unit_test(more_changes_than_are_told_are_still_made),
	        cmocka_unit_test(every_row_leads_into_the_alphabet),
	        cmocka_unit_test(strangers_are_listed_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
