/* Whatever octets go through our JSON writer, jansson (which we did not write) reads back one string of valid UTF-8;
 * and the same octets as a request body are read with the gateway's own flags without harm. */
#include "base_bytes.h"
#include "base_check.h"
#include "base_utf8.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct buf out = BUF(1 << 20);
	buf_add_u8(&out, '"');
	buf_add_json_text(&out, in);
	buf_add_u8(&out, '"');
	json_t *back = json_loadb((const char *)out.p, out.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	check(json_is_string(back));
	struct view text = view_of(json_string_value(back), json_string_length(back));
	check(utf8_valid(text));
	check(!utf8_valid(in) || view_eq(text, in));
	json_decref(back);
	json_decref(json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL));
	buf_free(&out);
	return 0;
}
