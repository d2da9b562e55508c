/* Any octets are a reply: the reader goes no further than they do, the rule it names is one of its rows, capitals do
 * not matter, and what a keyword says the intent says too. */
#include "base_check.h"
#include "text_intent.h"
#include "text_keyword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text_meaning m = text_intent_read(view_of(data, size));
	enum text_keyword k = text_keyword_match(view_of(data, size), NULL);
	check((m.intent == INTENT_OTHER) == (m.rule == NULL));
	check((k == KEYWORD_STOP) == (m.intent == INTENT_STOP));
	check((k == KEYWORD_STOP_ALL) == (m.intent == INTENT_STOP_ALL));
	check((k == KEYWORD_YES) == (m.intent == INTENT_YES));
	check(m.intent != INTENT_STOP_CLASS || text_intent_category(m.rule, 0));
	struct buf other = BUF(size + 16);
	for (size_t i = 0; i < size; i++)
		buf_add_u8(&other, data[i] >= 'a' && data[i] <= 'z' ? (uint8_t)(data[i] - 32) : data[i]);
	check(text_intent_read(buf_view(&other)).intent == m.intent);
	buf_free(&other);
	return 0;
}
