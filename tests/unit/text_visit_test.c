/* How patients answer reminders: a table with hard neighbours, and the property that matters most: no row of the
 * answers takes anything from the words that stop, help, start or report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text_fold.h"
#include "text_intent.h"
#include "text_keyword.h"

#include <stdio.h>
#include <string.h>

#define CORPUS TEST_SOURCE_DIR "/tests/unit/corpus/"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	enum text_answer answer;
	unsigned choice;
} table[] = {
        {"C", ANSWER_CONFIRM, 0},
        {" c. ", ANSWER_CONFIRM, 0},
        {"C, thank you!", ANSWER_CONFIRM, 0},
        {"Confirm", ANSWER_CONFIRM, 0},
        {"\"C\"", ANSWER_CONFIRM, 0},
        {"Confirmed. Thanks so much", ANSWER_CONFIRM, 0},
        {"confrim", ANSWER_CONFIRM, 0},
        {"comfirmed", ANSWER_CONFIRM, 0},
        {"Yes", ANSWER_CONFIRM, 0},
        {"YES YES", ANSWER_CONFIRM, 0},
        {"S\xc3\xad", ANSWER_CONFIRM, 0},
        {"s\xc3\xad, gracias", ANSWER_CONFIRM, 0},
        {"Confirmo mi cita por favor", ANSWER_CONFIRM, 0},
        {"ok", ANSWER_CONFIRM, 0},
        {"Okay thanks", ANSWER_CONFIRM, 0},
        {"Ok c", ANSWER_CONFIRM, 0},
        {"I'll be there", ANSWER_CONFIRM, 0},
        {"\xf0\x9f\x91\x8d", ANSWER_CONFIRM, 0},
        {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", ANSWER_CONFIRM, 0},
        {"r", ANSWER_RESCHEDULE, 0},
        {"Reschedule please", ANSWER_RESCHEDULE, 0},
        {"re-schedule", ANSWER_RESCHEDULE, 0},
        {"reschedual", ANSWER_RESCHEDULE, 0},
        {"I need to reschedule", ANSWER_RESCHEDULE, 0},
        {"Necesito cambiar mi cita", ANSWER_RESCHEDULE, 0},
        {"reagendar", ANSWER_RESCHEDULE, 0},
        {"X", ANSWER_DECLINE, 0},
        {"n", ANSWER_DECLINE, 0},
        {"No", ANSWER_DECLINE, 0},
        {"no gracias", ANSWER_DECLINE, 0},
        {"No, thanks", ANSWER_DECLINE, 0},
        {"no puedo", ANSWER_NONE, 0}, /* cancel_visit: a person looks at it */
        {"1", ANSWER_NONE, 1},
        {"2.", ANSWER_NONE, 2},
        {"the first", ANSWER_NONE, 1},
        {"The second one please", ANSWER_NONE, 2},
        {"la primera", ANSWER_NONE, 1},
        {"both", ANSWER_NONE, TEXT_CHOICE_ALL},
        {"las dos", ANSWER_NONE, TEXT_CHOICE_ALL},
        {"C 1", ANSWER_CONFIRM, 1},
        {"c2", ANSWER_CONFIRM, 2},
        {"2 c", ANSWER_CONFIRM, 2},
        {"X both", ANSWER_DECLINE, TEXT_CHOICE_ALL},
        {"R 3", ANSWER_RESCHEDULE, 3},
        {"yes the first one", ANSWER_CONFIRM, 1},
        /* what only looks like one */
        {"", ANSWER_NONE, 0},
        {"4", ANSWER_NONE, 0},
        {"12", ANSWER_NONE, 0},
        {"No. 1", ANSWER_NONE, 0},
        {"no one", ANSWER_NONE, 0},
        {"none", ANSWER_NONE, 0},
        {"cone", ANSWER_NONE, 0},
        {"not confirmed", ANSWER_NONE, 0},
        {"did I confirm?", ANSWER_NONE, 0},
        {"yes but can I come at 3", ANSWER_NONE, 0},
        {"ok what is the address", ANSWER_NONE, 0},
        {"thanks", ANSWER_NONE, 0},
        {"c u", ANSWER_NONE, 0},
        {"conforming", ANSWER_NONE, 0},
        {"yes\xff", ANSWER_CONFIRM, 0},
        {"\xf0\x9f\x91\x8d\xf0\x9f\x8e\x82", ANSWER_NONE, 0},
        {"R u open today", ANSWER_NONE, 0},
        {"cancel", ANSWER_NONE, 0},
        {"Cancel 1", ANSWER_NONE, 0},
        {"stop", ANSWER_NONE, 0},
        {"stop c", ANSWER_NONE, 0},
        {"c stop", ANSWER_NONE, 0},
        {"help", ANSWER_NONE, 0},
        {"start", ANSWER_NONE, 0},
        {"please, no", ANSWER_NONE, 0}, /* to the visit or to the texts? */
        {"no mas", ANSWER_NONE, 0},
        {"no more", ANSWER_NONE, 0},
        {"wrong number", ANSWER_NONE, 0},
};

static void each_reply_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct text_meaning m = text_intent_read(view_str(table[i].text));
		if (m.answer.answer != table[i].answer || m.answer.choice != table[i].choice)
			fail_msg("\"%s\": %s %u", table[i].text, text_answer_name(m.answer.answer), m.answer.choice);
	}
}

static const struct {
	enum text_answer answer;
	const char *word;
} words[] = {
#define VISIT_WORD(answer, word, how) {ANSWER_##answer, word},
#include "visit_reply.def"
};

static bool may_answer(enum text_intent i)
{
	return i == INTENT_OTHER || i == INTENT_YES || i == INTENT_NO;
}

/* A row that another reading always takes first would be a promise nobody keeps. */
static void every_row_is_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct text_meaning m = text_intent_read(view_str(words[i].word));
		if (m.answer.answer != words[i].answer || m.answer.choice)
			fail_msg("\"%s\": intent %s, answer %s", words[i].word, text_intent_name(m.intent),
			         text_answer_name(m.answer.answer));
	}
}

static const char *const firm[] = {
#define KEYWORD(kind, word, source) #kind "\t" word,
#include "keyword.def"
};

static const char *firm_word(size_t i)
{
	const char *tab = strchr(firm[i], '\t');
	bool asks = strncmp(firm[i], "YES\t", 4) == 0 || strncmp(firm[i], "NO\t", 3) == 0;
	return asks ? NULL : tab + 1;
}

/* Every word that stops, helps or starts, alone and with every word of an answer before and behind it. */
static void no_firm_word_becomes_an_answer(void **state)
{
	(void)state;
	char text[200];
	for (size_t i = 0; i < COUNT(firm); i++) {
		const char *word = firm_word(i);
		if (!word)
			continue;
		assert_int_equal(text_intent_read(view_str(word)).answer.answer, ANSWER_NONE);
		for (size_t k = 0; k < 2 * COUNT(words); k++) {
			const char *other = words[k / 2].word;
			snprintf(text, sizeof(text), "%s %s", k % 2 ? word : other, k % 2 ? other : word);
			struct text_meaning m = text_intent_read(view_str(text));
			if (m.answer.answer != ANSWER_NONE || m.answer.choice)
				fail_msg("\"%s\" is taken for %s", text, text_answer_name(m.answer.answer));
		}
	}
}

/* What a reply asks for besides its answer, by what the rows of keyword.def and optout_phrase.def say: FNV-1a of all
 * intents of a corpus in order. They are what they were on the day before there were answers (commit 8471e4b); who
 * changes those rows changes these, and nobody else. */
static void the_corpus_is_read_as_before(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t intents;
	} corpora[] = {{"optout.tsv", 0x6b2db896bce088c9}, {"optout_heldout.tsv", 0x50eaabdb792c24ff}};
	char path[400], line[4096];
	for (size_t i = 0; i < COUNT(corpora); i++) {
		uint64_t h = 14695981039346656037u;
		unsigned answers = 0;
		snprintf(path, sizeof(path), CORPUS "%s", corpora[i].name);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			line[strcspn(line, "\n")] = 0;
			char *tab = strchr(line, '\t');
			if (line[0] == '#' || !tab)
				continue;
			struct text_meaning m = text_intent_read(view_str(tab + 1));
			bool answers_it = m.answer.answer || m.answer.choice;
			h = (h ^ (uint64_t)m.intent) * 1099511628211u;
			answers += answers_it;
			if (answers_it && (!may_answer(m.intent) || text_intent_stops(m.intent)))
				fail_msg("\"%s\" is an answer", tab + 1);
			*tab = 0;
			bool cannot = strcmp(line, "cancel_visit") == 0 && m.answer.answer >= ANSWER_RESCHEDULE;
			if (answers_it && !cannot && strcmp(line, "other") != 0 && strcmp(line, "yes") != 0)
				fail_msg("\"%s\", labelled %s, is an answer", tab + 1, line);
		}
		fclose(f);
		print_message("%s: %u replies are answers to a reminder; intents 0x%016llx\n", corpora[i].name, answers,
		              (unsigned long long)h);
		assert_int_equal(h, corpora[i].intents);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_reply_is_read),
	        cmocka_unit_test(every_row_is_reached),
	        cmocka_unit_test(no_firm_word_becomes_an_answer),
	        cmocka_unit_test(the_corpus_is_read_as_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
