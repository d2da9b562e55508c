/* Octets of any alphabet: three octets say how, the rest is read, alone and cut into parts. Text comes out that a
 * database takes, and cutting changes nothing where no septets are packed. */
#include "base_check.h"
#include "base_utf8.h"
#include "text_alphabet.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct buf *text)
{
	check(!text->full && utf8_valid(buf_view(text)) && (text->n == 0 || !memchr(text->p, 0, text->n)));
}

static void check_parts(const struct text_coding *coding, struct view octets, size_t cut, struct buf *text)
{
	struct text_part parts[3] = {{.coding = *coding, .octets = view_of(octets.p, cut)},
	                             {.coding = *coding, .octets = view_of(octets.p + cut, octets.n - cut)},
	                             {.missing = true}};
	struct buf joined = BUF(octets.n * 8 + 64);
	bool packed = coding->alphabet == ALPHABET_GSM7_PACKED;
	text_join(parts, 2, &joined);
	check_text(&joined);
	check(packed || view_eq(buf_view(&joined), buf_view(text)));
	buf_clear(&joined);
	text_join(parts, 3, &joined);
	check_text(&joined);
	buf_free(&joined);
}

/* What an alphabet writes it reads again; packed septets may get a carriage return at the end, or lose one. */
static void check_encoding(enum text_alphabet alphabet, struct view utf8)
{
	struct buf wire = BUF(utf8.n * 2 + 8), back = BUF(utf8.n * 4 + 16);
	uint32_t stranger;
	if (text_encode(alphabet, utf8, &wire, &stranger)) {
		text_decode_as(&(struct text_coding){.alphabet = alphabet}, buf_view(&wire), &back);
		check(alphabet == ALPHABET_GSM7_PACKED || view_eq(buf_view(&back), utf8));
	} else {
		check(stranger && wire.n == 0);
	}
	buf_free(&wire);
	buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	struct text_coding coding = {.data_coding = data[0],
	                             .alphabet = (enum text_alphabet)(data[1] % ALPHABET_COUNT),
	                             .shift = {data[1] >> 4, data[2] & 15},
	                             .header_octets = data[2] >> 4};
	struct view octets = view_of(data + 4, size - 4);
	struct buf text = BUF(octets.n * 8 + 64);
	text_decode_as(&coding, octets, &text);
	check_text(&text);
	check_parts(&coding, octets, data[3] < octets.n ? data[3] : octets.n, &text);
	check_encoding(coding.alphabet, octets);
	check_encoding(coding.alphabet, buf_view(&text));
	buf_free(&text);
	return 0;
}
