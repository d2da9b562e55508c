/* Any octets are a reply: the reader goes no further than they do, the rule it names is one of its rows, capitals do
 * not matter, what a keyword says the intent says too, and only what stops, helps and starts nothing is an answer. */
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
	bool plain = m.intent == INTENT_OTHER || m.intent == INTENT_YES || m.intent == INTENT_NO;
	check(plain || (m.answer.answer == ANSWER_NONE && m.answer.choice == 0));
	check(m.answer.choice <= TEXT_CHOICE_MOST || m.answer.choice == TEXT_CHOICE_ALL);
	struct buf other = BUF(size + 16);
	for (size_t i = 0; i < size; i++)
		buf_add_u8(&other, data[i] >= 'a' && data[i] <= 'z' ? (uint8_t)(data[i] - 32) : data[i]);
	struct text_meaning same = text_intent_read(buf_view(&other));
	check(same.intent == m.intent && same.answer.answer == m.answer.answer &&
	      same.answer.choice == m.answer.choice);
	buf_free(&other);
	return 0;
}
