/* The way of a body: normalised, measured, encoded. What was normalised stays so, and the measure is the encoding's. */
#include "base_check.h"
#include "base_utf8.h"
#include "text_alphabet.h"
#include "text_shape.h"

static void decode_anything(const uint8_t *data, size_t size)
{
	struct buf text = BUF(size * 3 + 8);
	text_decode(size ? data[0] : 0, view_of(data, size), &text);
	check(!text.full && utf8_valid(buf_view(&text)));
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view body = view_of(data, size);
	decode_anything(data, size);
	if (!utf8_valid(body))
		return 0;
	struct buf once = BUF(size * 4 + 8), twice = BUF(size * 4 + 8), wire = BUF(size * 4 + 8);
	struct text_changes changes;
	text_normalise(body, &once, &changes);
	check(!once.full && utf8_valid(buf_view(&once)) && changes.count <= TEXT_CHANGES_MAX);
	text_normalise(buf_view(&once), &twice, &changes);
	check(view_eq(buf_view(&once), buf_view(&twice)) && changes.count == 0);
	struct text_shape s = text_measure(buf_view(&once));
	bool gsm7 = text_gsm7_encode(buf_view(&once), &wire);
	check(gsm7 == (s.encoding == TEXT_GSM7) && (!gsm7 || s.units == wire.n));
	buf_clear(&twice);
	text_not_gsm7(buf_view(&once), 5, &twice);
	check(gsm7 == (twice.n == 0));
	buf_free(&once);
	buf_free(&twice);
	buf_free(&wire);
	return 0;
}
