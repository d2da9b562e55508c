#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_septet.h"
#include "seeded.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Packed by hand or by a phone, not by this program. */
static const struct {
	const char *septets;
	size_t header_octets;
	const char *hex;
} known[] = {
        {"", 0, ""},
        {"A", 0, "41"},
        {"hellohello", 0, "e8329bfd4697d9ec37"},
        {"How are you?", 0, "c8f71d14969741f977fd07"},
        {"1234567", 0, "31d98c56b3dd1a"},     /* seven bits are left over: a carriage return */
        {"12345678", 0, "31d98c56b3dd70"},    /* none are */
        {"1234567\r", 0, "31d98c56b3dd1a0d"}, /* ends with a carriage return of its own: one more */
        {"A", 6, "82"},
};

static void known_octets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct buf packed = BUF(64);
		char hex[129];
		assert_true(septet_pack(view_str(known[i].septets), known[i].header_octets, &packed));
		hex_encode(packed.p, packed.n, hex);
		assert_string_equal(hex, known[i].hex);
		buf_free(&packed);
	}
}

/* A header of n octets and its filling end where a septet begins. */
static void fill_bits_align(void **state)
{
	(void)state;
	assert_int_equal(septet_fill_bits(0), 0);
	assert_int_equal(septet_fill_bits(6), 1);
	assert_int_equal(septet_fill_bits(7), 0);
	for (size_t n = 0; n < 256; n++) {
		assert_int_equal((n * 8 + septet_fill_bits(n)) % 7, 0);
		assert_true(septet_fill_bits(n) < 7);
	}
}

/* Packing behind n octets of header is the same as packing whole septets of zeros first and cutting the header's octets
 * off. */
static void fill_bits_shift_everything(void **state)
{
	(void)state;
	seeded_start("fill_bits_shift_everything");
	for (int round = 0; round < 2000; round++) {
		uint8_t septets[80] = {0};
		size_t header = (size_t)seeded_between(1, 12);
		size_t zeros = (header * 8 + septet_fill_bits(header)) / 7;
		size_t n = zeros + (size_t)seeded_between(1, 40);
		for (size_t i = zeros; i < n; i++)
			septets[i] = (uint8_t)seeded_between(1, 127);
		struct buf whole = BUF(256), behind = BUF(256);
		assert_true(septet_pack(view_of(septets, n), 0, &whole));
		assert_true(septet_pack(view_of(septets + zeros, n - zeros), header, &behind));
		assert_int_equal(whole.n, header + behind.n);
		assert_memory_equal(whole.p + header, behind.p, behind.n);
		buf_free(&whole);
		buf_free(&behind);
	}
}

static bool doubtful(uint8_t septet)
{
	return septet == 0 || septet == 0x0d;
}

/* What is packed comes out again; only a text that ends at an octet's end with what fills gets a carriage return, and
 * in a full SMS, where there is no room for one, the text's own carriage return at the very end is lost. */
static void check_packed(const uint8_t *septets, size_t n, size_t header)
{
	struct buf packed = BUF(256), back = BUF(256);
	assert_true(septet_pack(view_of(septets, n), header, &packed));
	assert_true(septet_unpack(buf_view(&packed), header, &back));
	bool ends = n && (septet_fill_bits(header) + 7 * n) % 8 == 0 && doubtful(septets[n - 1]);
	bool full = header + (septet_fill_bits(header) + 7 * n + 7) / 8 >= SEPTET_FULL;
	bool longer = ends && !full;
	bool shorter = ends && full && septets[n - 1] == 0x0d;
	assert_int_equal(back.n, n + longer - shorter);
	if (back.n)
		assert_memory_equal(back.p, septets, n - shorter);
	if (longer)
		assert_int_equal(back.p[n], 0x0d);
	assert_true(full || header + packed.n <= SEPTET_FULL);
	buf_free(&packed);
	buf_free(&back);
}

static void packed_septets_come_out(void **state)
{
	(void)state;
	seeded_start("packed_septets_come_out");
	for (int round = 0; round < 20000; round++) {
		uint8_t septets[160];
		size_t header = (size_t)seeded_between(0, 12);
		size_t most = (SEPTET_FULL - header) * 8 / 7;
		size_t n = seeded_next() % 4 ? (size_t)seeded_between(0, (int64_t)most) : most;
		for (size_t i = 0; i < n; i++)
			septets[i] =
			        (uint8_t)(seeded_next() % 3 ? seeded_between(0, 127) : seeded_between(0, 1) * 0x0d);
		check_packed(septets, n, header);
	}
}

/* trap 37: "@" is 0x00, and at the end of a full part it is a letter of the text. */
static void trap_37_an_at_sign_ends_a_full_part(void **state)
{
	(void)state;
	uint8_t septets[160];
	memset(septets, 'a', sizeof(septets));
	septets[159] = septets[152] = 0;
	check_packed(septets, 160, 0);
	check_packed(septets, 153, 6);
	septets[151] = 0;
	check_packed(septets, 152, 6);
	check_packed(septets, 152, 7);
}

/* A packer that knows nothing of carriage returns leaves zeros: no "@" comes of them. */
static void zeros_are_no_text(void **state)
{
	(void)state;
	struct buf back = BUF(64);
	assert_true(septet_unpack(VIEW("\x31\xd9\x8c\x56\xb3\xdd\x00"), 0, &back));
	assert_int_equal(back.n, 7);
	buf_clear(&back);
	assert_true(septet_unpack(VIEW("\x00"), 0, &back)); /* one septet and a spare bit: a real "@" */
	assert_int_equal(back.n, 1);
	buf_clear(&back);
	assert_true(septet_unpack(VIEW(""), 6, &back));
	assert_int_equal(back.n, 0);
	buf_free(&back);
}

static void a_full_buffer_is_no_success(void **state)
{
	(void)state;
	for (size_t most = 0; most < 7; most++) {
		struct buf b = BUF(most);
		assert_false(septet_pack(VIEW("12345678"), 0, &b));
		buf_free(&b);
		b = BUF(most);
		assert_false(septet_unpack(VIEW("\x31\xd9\x8c\x56\xb3\xdd\x70"), 0, &b));
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(known_octets),
	        cmocka_unit_test(fill_bits_align),
	        cmocka_unit_test(fill_bits_shift_everything),
	        cmocka_unit_test(packed_septets_come_out),
	        cmocka_unit_test(trap_37_an_at_sign_ends_a_full_part),
	        cmocka_unit_test(zeros_are_no_text),
	        cmocka_unit_test(a_full_buffer_is_no_success),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
