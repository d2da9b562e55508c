/* Any octets are a reply: the matcher reads no further than they go, and neither case nor punctuation around them
 * changes what they say. */
#include "base_check.h"
#include "text_keyword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *word;
	enum text_keyword k = text_keyword_match(view_of(data, size), &word);
	check((k == KEYWORD_NONE) == (word == NULL));
	check(k == KEYWORD_NONE || text_keyword_match(view_str(word), NULL) == k);
	struct buf other = BUF(size + 16);
	buf_add_str(&other, " \"");
	for (size_t i = 0; i < size; i++)
		buf_add_u8(&other, data[i] >= 'a' && data[i] <= 'z' ? (uint8_t)(data[i] - 32) : data[i]);
	buf_add_str(&other, "\"!! ");
	check(text_keyword_match(buf_view(&other), NULL) == k);
	buf_free(&other);
	return 0;
}
