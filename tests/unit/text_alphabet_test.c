#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_septet.h"
#include "base_utf8.h"
#include "seeded.h"
#include "text_alphabet.h"

#include <iconv.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OCTETS(literal) literal, sizeof(literal) - 1
#define LOST "\xef\xbf\xbd"

static void assert_octets(const struct buf *b, const void *p, size_t n)
{
	assert_int_equal(b->n, n);
	if (n)
		assert_memory_equal(b->p, p, n);
}

/* --- encoding ---------------------------------------------------------------------------------------------------- */

static const struct {
	enum text_alphabet alphabet;
	const char *text;
	const char *octets;
	size_t n;
	uint32_t stranger;
} encodings[] = {
        {ALPHABET_GSM7, "@£$€{}[]~\\|^_ñ",
         OCTETS("\0\1\2\x1b\x65\x1b\x28\x1b\x29\x1b\x3c\x1b\x3e\x1b\x3d\x1b\x2f\x1b\x40\x1b\x14\x11\x7d"), 0},
        {ALPHABET_GSM7, "ab’c", OCTETS(""), 0x2019},
        {ALPHABET_GSM7, "a\xff", OCTETS(""), 0xfffd},
        {ALPHABET_GSM7_PACKED, "hellohello", OCTETS("\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37"), 0},
        {ALPHABET_GSM7_PACKED, "€", OCTETS("\x9b\x32"), 0},
        {ALPHABET_GSM7_PACKED, "ж", OCTETS(""), 0x436},
        {ALPHABET_LATIN1, "@£$_ñ{}ÿ", OCTETS("@\xa3$_\xf1{}\xff"), 0},
        {ALPHABET_LATIN1, "5€", OCTETS(""), 0x20ac},
        {ALPHABET_ASCII, "@$_{}~", OCTETS("@$_{}~"), 0},
        {ALPHABET_ASCII, "£", OCTETS(""), 0xa3},
        {ALPHABET_ASCII, "a\xc2", OCTETS(""), 0xfffd},
};

/* trap 36: what data_coding 0 is depends on the carrier; each alphabet has its octets for the same characters. */
static void trap_36_encoding_is_strict_and_names_the_stranger(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(encodings); i++) {
		struct buf wire = BUF(64);
		uint32_t stranger = 1;
		buf_add_str(&wire, "x");
		bool ok = text_encode(encodings[i].alphabet, view_str(encodings[i].text), &wire, &stranger);
		assert_int_equal(stranger, encodings[i].stranger);
		assert_int_equal(ok, stranger == 0);
		assert_int_equal(wire.n, encodings[i].n + 1);
		assert_memory_equal(wire.p + 1, encodings[i].octets, encodings[i].n);
		buf_free(&wire);
	}
}

static void nul_is_in_no_alphabet(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ALPHABET_COUNT; a++) {
		struct buf wire = BUF(8);
		uint32_t stranger;
		assert_false(text_encode((enum text_alphabet)a, view_of("a\0b", 3), &wire, &stranger));
		assert_int_equal(stranger, 0xfffd);
		buf_free(&wire);
	}
}

static void a_full_buffer_is_no_success(void **state)
{
	(void)state;
	struct buf wire = BUF(3);
	uint32_t stranger = 1;
	for (unsigned a = 0; a < ALPHABET_COUNT; a++) {
		assert_false(text_encode((enum text_alphabet)a, VIEW("abcde"), &wire, &stranger));
		assert_int_equal(stranger, 0);
		assert_int_equal(wire.n, 0);
	}
	assert_false(text_ucs2_encode(VIEW("ab"), &wire));
	assert_octets(&wire, "\0a", 2);
	buf_free(&wire);
}

static void names_find_their_alphabet(void **state)
{
	(void)state;
	static const char *const wanted[] = {"gsm7", "gsm7_packed", "latin1", "ascii"};
	enum text_alphabet a;
	for (unsigned i = 0; i < ALPHABET_COUNT; i++) {
		assert_string_equal(text_alphabet_name((enum text_alphabet)i), wanted[i]);
		assert_true(text_alphabet_find(view_str(wanted[i]), &a));
		assert_int_equal(a, i);
	}
	assert_false(text_alphabet_find(VIEW("GSM7"), &a));
	assert_false(text_alphabet_find(VIEW("gsm"), &a));
	assert_false(text_alphabet_find(VIEW(""), &a));
}

/* --- decoding ---------------------------------------------------------------------------------------------------- */

struct decoding {
	uint8_t data_coding;
	const char *octets;
	size_t n;
	const char *text;
	bool clean;
};

static const struct decoding decodings[] = {
        {0, OCTETS("STOP"), "STOP", true},
        {0, OCTETS("\0\x02"), "@$", true},
        {0, OCTETS("a\x1b\x65"), "a€", true},
        {0, OCTETS("a\x1b"), "a" LOST, false},
        {0, OCTETS("NO M\x1b\x41S"), "NO MAS", true}, /* not in the extension table: the default table's letter */
        {0,
         OCTETS("a\x1b\x1b"
                "b"),
         "a b", true},
        {0, OCTETS("\x1b\x80"), LOST LOST, false},
        {0, OCTETS("\x80\xff"), LOST LOST, false},
        {0, OCTETS(""), "", true},
        {1, OCTETS("Yes"), "Yes", true},
        {1, OCTETS("Yes\xe9"), "Yes" LOST, false},
        {1, OCTETS("a\0"), "a" LOST, false},
        {2, OCTETS("STOP"), "STOP", false},
        {3, OCTETS("caf\xe9\x80"), "café\xc2\x80", true},
        {3, OCTETS("a\0"), "a" LOST, false},
        {4, OCTETS("\xe9"), "é", false},
        {5, OCTETS("a\x82\xa0z"), "a" LOST "z", false},
        {6, OCTETS("\xe1\xe2\xde\xdf \xa1\xf0\xfd\xff"), "стоп Ё№§џ", true},
        {7, OCTETS("\xf9\xec\xe5\xed \xaa\xba"), "שלום ×÷", true},
        {7, OCTETS("\xa1\xfb"), LOST LOST, false},
        {8, OCTETS("\0S\0T\0O\0P"), "STOP", true},
        {8, OCTETS("\x20\xac"), "€", true},
        {8, OCTETS("\xd8\x3d\xdc\x4d"), "👍", true},
        {8, OCTETS("\xd8\x3d"), LOST, false},
        {8, OCTETS("\xd8\x3d\0a"), LOST "a", false},
        {8, OCTETS("\xdc\x4d\0a"), LOST "a", false},
        {8, OCTETS("\xd8\x3d\xd8\x3d\xdc\x4d"), LOST "👍", false},
        {8, OCTETS("\0a\0"), "a" LOST, false},
        {8, OCTETS("\0"), LOST, false},
        {8, OCTETS("\xd8\x3d\xdc"), LOST LOST, false},
        {8, OCTETS("\0\0\0a"), LOST "a", false},
        {8, OCTETS("\xfe\xff\0a"), "a", true},
        {8,
         OCTETS("\xff\xfe"
                "a\0\x3d\xd8\x4d\xdc"),
         "a👍", true},
        {9, OCTETS("ok\xf9\x8b!"), "ok" LOST "!", false},
        {0x0a, OCTETS("a\x1b$B$\"$$\x1b(Bz"), "a" LOST LOST "z", false},
        {0x0a, OCTETS("plain"), "plain", true},
        {0x0d, OCTETS("\x1b$(D\x30\x21\x1b(Jz"), LOST "z", false},
        {0x0e, OCTETS("A\xb0\xa1"), "A" LOST, false},
        {0x0e, OCTETS("\xb0"), LOST, false},
        {0x10, OCTETS("\x05"), "é", true},
        {0x11, OCTETS("\x05"), "é", true},
        {0x14, OCTETS("\xe9"), "é", false},
        {0x18, OCTETS("\0a"), "a", true},
        {0x40, OCTETS("\x05"), "é", true},
        {0x51, OCTETS("\x05"), "é", true},
        {0x48, OCTETS("\0a"), "a", true},
        {0xc0, OCTETS("\x05"), "é", true},
        {0xc8, OCTETS("\x05"), "é", true},
        {0xdf, OCTETS("\x05"), "é", true},
        {0xe0, OCTETS("\0a"), "a", true},
        {0xef, OCTETS("\0a"), "a", true},
        {0xf0, OCTETS("\x05"), "é", true},
        {0xf1, OCTETS("\x05"), "é", true},
        {0xf3, OCTETS("\x05"), "é", true},
        {0xf4, OCTETS("\xe9"), "é", false},
        {0xf5, OCTETS("\xe9"), "é", false},
        {0x0b, OCTETS("\xe9"), "é", false},
        {0x20, OCTETS("\xe9"), "é", false},
        {0x9f, OCTETS("\xe9"), "é", false},
};

static void check_decoding(const struct text_coding *c, const struct decoding *d)
{
	struct buf text = BUF(256);
	bool clean = text_decode_as(c, view_of(d->octets, d->n), &text);
	if (strcmp(buf_cstr(&text), d->text) || clean != d->clean)
		fail_msg("data_coding %02x: got \"%s\" %d, wanted \"%s\" %d", c->data_coding, buf_cstr(&text), clean,
		         d->text, d->clean);
	buf_free(&text);
}

static void trap_38_data_coding_chooses_and_what_does_not_decode_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(decodings); i++)
		check_decoding(&(struct text_coding){.data_coding = decodings[i].data_coding}, &decodings[i]);
}

/* trap 36: the same octets on links of another alphabet. */
static void trap_36_the_link_says_what_0_is(void **state)
{
	(void)state;
	static const struct {
		enum text_alphabet alphabet;
		struct decoding d;
	} cases[] = {
	        {ALPHABET_GSM7, {0, OCTETS("\0\1\x1b\x65\x1b\x28_"), "@£€{§", true}},
	        {ALPHABET_LATIN1, {0, OCTETS("@\xa3{}_\xf1"), "@£{}_ñ", true}},
	        {ALPHABET_ASCII, {0, OCTETS("@{}_"), "@{}_", true}},
	        {ALPHABET_GSM7_PACKED, {0, OCTETS("\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37"), "hellohello", true}},
	        {ALPHABET_GSM7_PACKED, {0xf0, OCTETS("\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37"), "hellohello", true}},
	        {ALPHABET_GSM7_PACKED, {3, OCTETS("hello"), "hello", true}},
	        {ALPHABET_LATIN1, {0xf0, OCTETS("\0"), "@", true}},
	        {ALPHABET_LATIN1, {8, OCTETS("\0a"), "a", true}},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		check_decoding(
		        &(struct text_coding){.data_coding = cases[i].d.data_coding, .alphabet = cases[i].alphabet},
		        &cases[i].d);
}

/* trap 38: data_coding 1 with UTF-8; valid UTF-8 where the alphabet has no such octets is UTF-8, and told as odd. */
static void trap_38_utf8_is_seen_for_what_it_is(void **state)
{
	(void)state;
	static const struct decoding cases[] = {
	        {1, OCTETS("h\xc3\xa9llo"), "héllo", false},
	        {0, OCTETS("caf\xc3\xa9 \xe2\x82\xac"), "café €", false},
	        {0, OCTETS("\0\xc3\xa9"), "@" LOST LOST, false},
	        {1, OCTETS("h\xc3\xa9llo\xc3"), "h" LOST LOST "llo" LOST, false},
	        {3, OCTETS("\xc3\xa9"), "Ã©", true},
	        {8, OCTETS("STOP please"), "STOP please", false},
	        {0xe7, OCTETS("Yes"), "Yes", false},
	        {8, OCTETS("No"), "乯", true},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		check_decoding(&(struct text_coding){.data_coding = cases[i].data_coding}, &cases[i]);
}

static void packed_septets_behind_a_header(void **state)
{
	(void)state;
	for (size_t header = 0; header < 14; header++) {
		struct buf packed = BUF(64);
		struct buf text = BUF(64);
		assert_true(septet_pack(VIEW("Arzt \x1b\x65 um 9"), header, &packed));
		struct text_coding c = {.alphabet = ALPHABET_GSM7_PACKED, .header_octets = (uint8_t)header};
		assert_true(text_decode_as(&c, buf_view(&packed), &text));
		assert_string_equal(buf_cstr(&text), "Arzt € um 9");
		buf_free(&packed);
		buf_free(&text);
	}
}

/* --- another implementation -------------------------------------------------------------------------------------- */

/* What iconv makes of one unit of octets; empty when it is none to it. */
static struct view by_iconv(const char *charset, const uint8_t *octets, size_t n, char to[8])
{
	iconv_t cd = iconv_open("UTF-8", charset);
	char *in = (char *)(uintptr_t)octets;
	char *out = to;
	size_t left = 8;
	assert_true(cd != (iconv_t)-1);
	size_t result = iconv(cd, &in, &n, &out, &left);
	iconv_close(cd);
	return view_of(to, result == (size_t)-1 ? 0 : 8 - left);
}

static void charset_is(uint8_t data_coding, const char *name)
{
	for (unsigned octet = 1; octet < 256; octet++) {
		char to[8];
		uint8_t o = (uint8_t)octet;
		struct view wanted = by_iconv(name, &o, 1, to);
		struct buf got = BUF(8);
		assert_int_equal(text_decode(data_coding, view_of(&o, 1), &got), wanted.n > 0);
		if (!view_eq(buf_view(&got), wanted.n ? wanted : VIEW(LOST)))
			fail_msg("%s %02x", name, octet);
		buf_free(&got);
	}
}

static void charsets_are_as_iconv_knows_them(void **state)
{
	(void)state;
	charset_is(1, "ASCII");
	charset_is(3, "ISO-8859-1");
	charset_is(6, "ISO-8859-5");
	charset_is(7, "ISO-8859-8");
}

static void every_ucs2_unit_is_as_iconv_knows_it(void **state)
{
	(void)state;
	for (uint32_t unit = 1; unit <= 0xffff; unit++) {
		char to[8];
		uint8_t octets[2] = {(uint8_t)(unit >> 8), (uint8_t)unit};
		struct view wanted = by_iconv("UTF-16BE", octets, 2, to);
		struct buf got = BUF(8);
		bool clean = text_decode(8, view_of(octets, 2), &got);
		if (unit == 0xfeff || unit == 0xfffe) {
			assert_int_equal(got.n, 0); /* a byte order mark */
		} else {
			assert_int_equal(clean, wanted.n > 0);
			assert_true(view_eq(buf_view(&got), wanted.n ? wanted : VIEW(LOST)));
		}
		buf_free(&got);
	}
}

/* --- properties -------------------------------------------------------------------------------------------------- */

static uint32_t random_character(void)
{
	static const uint32_t tops[] = {0x7f, 0x7ff, 0xffff, 0x10ffff};
	uint32_t c = (uint32_t)seeded_between(1, tops[seeded_next() % 4]);
	return (c >= 0xd800 && c <= 0xdfff) || c == 0xfeff || c == 0xfffe ? 'x' : c;
}

static void random_text_survives_ucs2(void **state)
{
	(void)state;
	seeded_start("random_text_survives_ucs2");
	for (int round = 0; round < 5000; round++) {
		struct buf text = BUF(1024), wire = BUF(1024), back = BUF(1024);
		for (int64_t n = seeded_between(0, 90); n > 0; n--)
			utf8_add(&text, random_character());
		assert_true(text_ucs2_encode(buf_view(&text), &wire));
		assert_true(text_decode(8, buf_view(&wire), &back));
		assert_octets(&back, text.p, text.n);
		buf_free(&text);
		buf_free(&wire);
		buf_free(&back);
	}
}

/* What fits an alphabet comes back from it; with septets packed a carriage return may be added. */
static void random_text_survives_its_alphabet(void **state)
{
	(void)state;
	seeded_start("random_text_survives_its_alphabet");
	unsigned fitted[ALPHABET_COUNT] = {0};
	for (int round = 0; round < 20000; round++) {
		struct buf text = BUF(1024), wire = BUF(1024), back = BUF(1024);
		enum text_alphabet a = (enum text_alphabet)(seeded_next() % ALPHABET_COUNT);
		uint32_t stranger;
		for (int64_t n = seeded_between(0, 40); n > 0; n--)
			utf8_add(&text,
			         (uint32_t)(seeded_next() % 50 ? seeded_between(0x20, 0x5f) : seeded_between(1, 0xff)));
		if (text_encode(a, buf_view(&text), &wire, &stranger)) {
			assert_true(text_decode_as(&(struct text_coding){.alphabet = a}, buf_view(&wire), &back));
			bool added = a == ALPHABET_GSM7_PACKED && back.n == text.n + 1 && back.p[text.n] == '\r';
			assert_int_equal(back.n, text.n + added);
			assert_true(text.n == 0 || memcmp(back.p, text.p, text.n) == 0);
			fitted[a]++;
		}
		buf_free(&text);
		buf_free(&wire);
		buf_free(&back);
	}
	for (unsigned a = 0; a < ALPHABET_COUNT; a++)
		assert_true(fitted[a] > 500);
}

static struct text_coding random_coding(void)
{
	return (struct text_coding){.data_coding = (uint8_t)seeded_next(),
	                            .alphabet = (enum text_alphabet)(seeded_next() % ALPHABET_COUNT),
	                            .shift = {(uint8_t)seeded_between(0, 20), (uint8_t)seeded_between(0, 20)},
	                            .header_octets = (uint8_t)seeded_between(0, 20)};
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
		struct text_coding c = random_coding();
		text_decode_as(&c, view_of(octets, n), &text);
		assert_true(utf8_valid(buf_view(&text)));
		assert_true(text.n == 0 || memchr(text.p, 0, text.n) == NULL);
		assert_false(text.full);
		buf_free(&text);
	}
}

/* --- joining ----------------------------------------------------------------------------------------------------- */

static void joins_to(const struct text_part *parts, unsigned count, const char *wanted, bool clean)
{
	struct buf text = BUF(256);
	assert_int_equal(text_join(parts, count, &text), clean);
	assert_string_equal(buf_cstr(&text), wanted);
	buf_free(&text);
}

#define PART(coding, literal)                                                                                          \
	{                                                                                                              \
		{.data_coding = (coding)}, VIEW(literal), false                                                        \
	}

/* trap 38: a surrogate pair split over parts, trap 37: an escape split over parts. */
static void trap_38_what_was_cut_through_is_whole_again(void **state)
{
	(void)state;
	const struct text_part pair[] = {PART(8, "\0a\xd8\x3d"), PART(8, "\xdc\x4d\0b")};
	const struct text_part odd[] = {PART(8, "\0a\0"), PART(8, "b\0c")};
	const struct text_part escape[] = {PART(0, "5\x1b"), PART(0, "\x65")};
	const struct text_part group[] = {PART(0, "5\x1b"), PART(0xf1, "\x65")};
	joins_to(pair, 2, "a👍b", true);
	joins_to(odd, 2, "abc", true);
	joins_to(escape, 2, "5€", true);
	joins_to(group, 2, "5€", true);
}

static void parts_of_different_codings(void **state)
{
	(void)state;
	const struct text_part mixed[] = {PART(0, "caf\x05 "), PART(8, "\x04\x16\x04\x16"), PART(3, " caf\xe9")};
	const struct text_part broken[] = {PART(8, "\xd8\x3d"), PART(0, "x")};
	struct text_part shifted[] = {PART(0, "\x40"), PART(0, "\x40"), PART(0, "\x40")};
	shifted[1].coding.shift.locking = 1;
	joins_to(mixed, 3, "café ЖЖ café", true);
	joins_to(broken, 2, LOST "x", false);
	joins_to(shifted, 3, "¡İ¡", true);
	joins_to(NULL, 0, "", true);
}

static void missing_parts_leave_a_mark(void **state)
{
	(void)state;
	struct text_part parts[] = {PART(0, "one"), PART(0, "two"), PART(0, "three"), PART(0, "four")};
	parts[1].missing = parts[2].missing = true;
	joins_to(parts, 4, "one [...] four", true);
	parts[0].missing = true;
	joins_to(parts, 4, " [...] four", true);
	parts[3].missing = true;
	joins_to(parts, 4, " [...] ", true);
	const struct text_part cut[] = {PART(8, "\xd8\x3d"), {.missing = true}, PART(8, "\xdc\x4d")};
	joins_to(cut, 3, LOST " [...] " LOST, false);
}

static void packed_parts_join_as_septets(void **state)
{
	(void)state;
	struct buf one = BUF(64), two = BUF(64);
	assert_true(septet_pack(VIEW("costs 5\x1b"), 6, &one));
	assert_true(septet_pack(VIEW("\x65 or so"), 6, &two));
	struct text_part parts[2] = {{.octets = buf_view(&one)}, {.octets = buf_view(&two)}};
	for (int i = 0; i < 2; i++)
		parts[i].coding = (struct text_coding){.alphabet = ALPHABET_GSM7_PACKED, .header_octets = 6};
	joins_to(parts, 2, "costs 5€ or so", true);
	buf_free(&one);
	buf_free(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trap_36_encoding_is_strict_and_names_the_stranger),
	        cmocka_unit_test(nul_is_in_no_alphabet),
	        cmocka_unit_test(a_full_buffer_is_no_success),
	        cmocka_unit_test(names_find_their_alphabet),
	        cmocka_unit_test(trap_38_data_coding_chooses_and_what_does_not_decode_is_told),
	        cmocka_unit_test(trap_36_the_link_says_what_0_is),
	        cmocka_unit_test(trap_38_utf8_is_seen_for_what_it_is),
	        cmocka_unit_test(packed_septets_behind_a_header),
	        cmocka_unit_test(charsets_are_as_iconv_knows_them),
	        cmocka_unit_test(every_ucs2_unit_is_as_iconv_knows_it),
	        cmocka_unit_test(random_text_survives_ucs2),
	        cmocka_unit_test(random_text_survives_its_alphabet),
	        cmocka_unit_test(random_octets_decode_to_valid_text),
	        cmocka_unit_test(trap_38_what_was_cut_through_is_whole_again),
	        cmocka_unit_test(parts_of_different_codings),
	        cmocka_unit_test(missing_parts_leave_a_mark),
	        cmocka_unit_test(packed_parts_join_as_septets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
