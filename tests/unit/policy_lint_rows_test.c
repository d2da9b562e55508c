/* Every row of lint_word.def, lint_link.def and keyword.def, from both sides: what it must find, and its near misses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_lint.h"
#include "policy_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT 400

static const struct policy_lint_facts plain = {
        .category = CATEGORY_appointment_reminder,
        .name = {(const uint8_t *)"Elm Street Clinic", 17},
        .phone = {(const uint8_t *)"(212) 555-0100", 14},
        .link_domains = {(const uint8_t *)"elm.example", 11},
        .sensitive = true,
        .display_name = {(const uint8_t *)"Elm", 3},
};

static bool finds(enum lint_rule rule, enum category category, const char *text)
{
	struct lint_findings r;
	struct policy_lint_facts f = plain;
	f.category = category;
	policy_lint(&f, view_str(text), &r);
	for (unsigned i = 0; i < r.count; i++)
		if (r.finding[i].rule == rule)
			return true;
	return false;
}

/* The phrase as somebody may write it: '*' as an ending, '#' as a number, "dollar" and "percent" as words. */
static void written(const char *phrase, const char *ending, char blank, bool capitals, char to[TEXT])
{
	size_t n = 0;
	for (; *phrase && n + 12 < TEXT; phrase++) {
		if (*phrase == '*' || *phrase == '#')
			n += (size_t)snprintf(to + n, TEXT - n, "%s", *phrase == '#' ? "12" : ending);
		else if (*phrase == ' ')
			to[n++] = blank;
		else
			to[n++] = (char)(capitals ? toupper(*phrase) : *phrase);
	}
	to[n] = 0;
}

static const struct {
	enum lint_rule rule;
	const char *phrase;
	const char *classes;
} words[] = {
#define LINT_WORD(rule, phrase, classes) {LINT_##rule, phrase, classes},
#include "lint_word.def"
};

static void every_word_is_found_however_it_is_written(void **state)
{
	(void)state;
	static const struct {
		const char *before, *ending, *after;
		char blank;
		bool capitals;
	} ways[] = {{"", "", "", ' ', false},
	            {"Now: ", "", ".", ' ', true},
	            {"(", "es", ")", '-', false},
	            {"so ", "ing", "! Thanks", '\n', false},
	            {"\xc2\xa1", "", "\xe2\x80\xa6", ' ', false}};
	for (size_t i = 0; i < COUNT(words); i++) {
		for (size_t k = 0; k < COUNT(ways); k++) {
			char phrase[TEXT], text[2 * TEXT];
			bool several = strchr(words[i].phrase, ' ') != NULL;
			if (ways[k].blank == '\n' && several)
				continue; /* a new line ends a sentence */
			written(words[i].phrase, ways[k].ending, ways[k].blank, ways[k].capitals, phrase);
			snprintf(text, sizeof(text), "%s%s%s", ways[k].before, phrase, ways[k].after);
			if (!finds(words[i].rule, CATEGORY_appointment_reminder, text))
				fail_msg("%s not found in: %s", policy_lint_code(words[i].rule), text);
		}
	}
}

/* Phrases are looked for as the lint does, by themselves: another row may stand in the near miss. */
static bool stands_in(const char *phrase, const char *text)
{
	struct policy_words w;
	policy_words_fold(view_str(text), &w);
	return policy_words_find(&w, phrase) < w.count;
}

static void no_word_is_found_in_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		char phrase[TEXT], text[2 * TEXT];
		const char *row = words[i].phrase;
		size_t n = strlen(row);
		written(row, "", ' ', false, phrase);
		assert_true(stands_in(row, phrase));
		snprintf(text, sizeof(text), "%c%s", *row == '#' ? '.' : 'q', phrase);
		if (*row != '#')
			assert_false(stands_in(row, text));
		snprintf(text, sizeof(text), "%sq", phrase);
		assert_int_equal(stands_in(row, text), row[n - 1] == '*');
		assert_false(stands_in(row, phrase + 1) && phrase[1] != phrase[0] && *row != '#');
		char *blank = strchr(phrase, ' ');
		if (blank) {
			snprintf(text, sizeof(text), "%.*s. %s", (int)(blank - phrase), phrase, blank + 1);
			assert_false(stands_in(row, text));
			snprintf(text, sizeof(text), "%.*s, %s", (int)(blank - phrase), phrase, blank + 1);
			assert_false(stands_in(row, text));
			snprintf(text, sizeof(text), "%.*s and %s", (int)(blank - phrase), phrase, blank + 1);
			assert_false(stands_in(row, text));
		}
	}
}

/* A class that a row names may say it, unless another row of the rule stands in the same words. */
static void every_class_may_say_what_its_rows_allow(void **state)
{
	(void)state;
	unsigned allowed = 0;
	for (size_t i = 0; i < COUNT(words); i++) {
		char phrase[TEXT], code[64];
		written(words[i].phrase, "", ' ', false, phrase);
		for (const char *p = words[i].classes; *p; p += strlen(code) + (p[strlen(code)] == ' ')) {
			copy_view(code, sizeof(code), view_of(p, strcspn(p, " ")));
			enum category category = policy_category_parse(view_str(code));
			assert_true(category != CATEGORY_COUNT);
			if (finds(words[i].rule, category, phrase))
				fail_msg("%s in class %s: %s", policy_lint_code(words[i].rule), code, phrase);
			allowed++;
		}
	}
	assert_true(allowed > 100);
}

/* --- links ----------------------------------------------------------------------------------------------------- */

static const char *const shorteners[] = {
#define SHORTENER(domain) domain,
#include "lint_link.def"
};

static void every_shortener_and_no_domain_like_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shorteners); i++) {
		char text[TEXT], capitals[TEXT];
		written(shorteners[i], "", ' ', true, capitals);
		for (size_t k = 0; k < 5; k++) {
			snprintf(text, sizeof(text),
			         k == 0   ? "https://%s/a"
			         : k == 1 ? "Go: %s/a."
			         : k == 2 ? "http://www.%s"
			         : k == 3 ? "(%s/a)"
			                  : "%s",
			         k % 2 ? capitals : shorteners[i]);
			if (!finds(LINT_link_shortener, CATEGORY_appointment_reminder, text))
				fail_msg("no shortener in: %s", text);
		}
		snprintf(text, sizeof(text), "https://q%s/a", shorteners[i]);
		assert_false(finds(LINT_link_shortener, CATEGORY_appointment_reminder, text));
		assert_true(finds(LINT_link_foreign, CATEGORY_appointment_reminder, text));
		snprintf(text, sizeof(text), "https://%s.elm.example/a", shorteners[i]);
		assert_false(finds(LINT_link_shortener, CATEGORY_appointment_reminder, text));
		assert_false(finds(LINT_link_foreign, CATEGORY_appointment_reminder, text));
	}
}

static const char *const tlds[] = {
#define TLD(label) label,
#define TLD_WORD(label) label,
#include "lint_link.def"
};

static void every_ending_makes_a_bare_name_a_link(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tlds); i++) {
		char text[TEXT];
		snprintf(text, sizeof(text), "Go to evilsite.%s now", tlds[i]);
		if (!finds(LINT_link_foreign, CATEGORY_appointment_reminder, text))
			fail_msg("no link in: %s", text);
		snprintf(text, sizeof(text), "Go to evilsite. %s now", tlds[i]);
		assert_false(finds(LINT_link_foreign, CATEGORY_appointment_reminder, text));
	}
}

/* --- replies --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *kind, *word;
} keywords[] = {
#define KEYWORD(kind, word, source) {#kind, word},
#include "keyword.def"
};
static const char *const verbs[] = {
#define LINT_VERB(phrase) phrase,
#include "lint_word.def"
};
static const char *const fillers[] = {
#define LINT_FILLER(phrase) phrase,
#include "lint_word.def"
};
static const char *const opts_out[] = {
#define LINT_OPTS_OUT(phrase) phrase,
#include "lint_word.def"
};
static const char *const ends[] = {
#define LINT_ENDS(word) word,
#include "lint_word.def"
};
static const char *const texts[] = {
#define LINT_TEXTS(phrase) phrase,
#include "lint_word.def"
};

#define REMINDER CATEGORY_appointment_reminder

static void no_stop_word_may_be_asked_for(void **state)
{
	(void)state;
	char text[TEXT];
	for (size_t i = 0; i < COUNT(keywords); i++) {
		bool stops = strcmp(keywords[i].kind, "STOP") == 0 || strcmp(keywords[i].kind, "STOP_ALL") == 0;
		if (!stops || strcmp(keywords[i].word, "stop") == 0)
			continue;
		snprintf(text, sizeof(text), "Reply %s", keywords[i].word);
		if (!finds(LINT_stop_word_reply, REMINDER, text) && !finds(LINT_stop_as_answer, REMINDER, text))
			fail_msg("passes: %s", text);
		snprintf(text, sizeof(text), "Reply C to confirm or call us to %s", keywords[i].word);
		assert_false(finds(LINT_stop_word_reply, REMINDER, text));
	}
}

static void every_verb_asks_with_every_filler(void **state)
{
	(void)state;
	char text[TEXT];
	for (size_t i = 0; i < COUNT(verbs); i++) {
		snprintf(text, sizeof(text), "%s CANCEL", verbs[i]);
		assert_true(finds(LINT_stop_word_reply, REMINDER, text));
		snprintf(text, sizeof(text), "Do not %s. Cancel by phone", verbs[i]);
		assert_false(finds(LINT_stop_word_reply, REMINDER, text));
		for (size_t k = 0; k < COUNT(fillers); k++) {
			snprintf(text, sizeof(text), "%s %s cancel", verbs[i], fillers[k]);
			if (!finds(LINT_stop_word_reply, REMINDER, text))
				fail_msg("passes: %s", text);
		}
	}
}

static void stop_may_be_offered_for_opting_out_only(void **state)
{
	(void)state;
	char text[TEXT];
	for (size_t i = 0; i < COUNT(opts_out); i++) {
		snprintf(text, sizeof(text), "Reply STOP to %s.", opts_out[i]);
		if (finds(LINT_stop_as_answer, REMINDER, text))
			fail_msg("refused: %s", text);
		snprintf(text, sizeof(text), "Reply STOP to confirm. %s", opts_out[i]);
		assert_true(finds(LINT_stop_as_answer, REMINDER, text));
	}
	for (size_t i = 0; i < COUNT(ends); i++) {
		for (size_t k = 0; k < COUNT(texts); k++) {
			snprintf(text, sizeof(text), "Reply STOP to %s %s", ends[i], texts[k]);
			if (finds(LINT_stop_as_answer, REMINDER, text))
				fail_msg("refused: %s", text);
		}
		snprintf(text, sizeof(text), "Reply STOP to %s your visit", ends[i]);
		assert_true(finds(LINT_stop_as_answer, REMINDER, text));
	}
}

/* --- whole texts ----------------------------------------------------------------------------------------------- */

/* covers: rule content
 * Texts as clinics write them, labelled by hand: "fine" or "found", a tab, the text. */
static void texts_as_clinics_write_them(void **state)
{
	(void)state;
	char line[1000];
	unsigned counts[2][2] = {{0}};
	struct policy_lint_facts f = plain;
	FILE *file = fopen(TEST_SOURCE_DIR "/tests/unit/corpus/lint.tsv", "r");
	assert_non_null(file);
	f.sensitive = false;
	while (fgets(line, sizeof(line), file)) {
		struct lint_findings r;
		line[strcspn(line, "\n")] = 0;
		char *text = strchr(line, '\t');
		assert_non_null(text);
		bool wrong = strncmp(line, "found", 5) == 0;
		policy_lint(&f, view_str(text + 1), &r);
		counts[wrong][r.count > 0]++;
		if (wrong != (r.count > 0))
			print_error("%s: %s\n", wrong ? "nothing found" : policy_lint_code(r.finding[0].rule),
			            text + 1);
	}
	fclose(file);
	print_message("lint: %u of %u that are wrong found, %u of %u that are fine passed\n", counts[1][1],
	              counts[1][0] + counts[1][1], counts[0][0], counts[0][0] + counts[0][1]);
	assert_int_equal(counts[0][1] + counts[1][0], 0);
	assert_true(counts[0][0] > 30 && counts[1][1] > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_word_is_found_however_it_is_written),
	        cmocka_unit_test(no_word_is_found_in_another),
	        cmocka_unit_test(every_class_may_say_what_its_rows_allow),
	        cmocka_unit_test(every_shortener_and_no_domain_like_it),
	        cmocka_unit_test(every_ending_makes_a_bare_name_a_link),
	        cmocka_unit_test(no_stop_word_may_be_asked_for),
	        cmocka_unit_test(every_verb_asks_with_every_filler),
	        cmocka_unit_test(stop_may_be_offered_for_opting_out_only),
	        cmocka_unit_test(texts_as_clinics_write_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
