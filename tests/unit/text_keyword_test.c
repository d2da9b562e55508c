#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text_keyword.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct reply {
	const char *text;
	enum text_keyword keyword;
	const char *word;
};

#define STOPS(text, word)                                                                                              \
	{                                                                                                              \
		text, KEYWORD_STOP, word                                                                               \
	}
#define STARTS(text, word)                                                                                             \
	{                                                                                                              \
		text, KEYWORD_START, word                                                                              \
	}
#define HELPS(text, word)                                                                                              \
	{                                                                                                              \
		text, KEYWORD_HELP, word                                                                               \
	}
#define NONE(text)                                                                                                     \
	{                                                                                                              \
		text, KEYWORD_NONE, NULL                                                                               \
	}

static const struct reply replies[] = {
        /* the words themselves, in any case */
        STOPS("stop", "stop"),
        STOPS("STOP", "stop"),
        STOPS("Stop", "stop"),
        STOPS("sToP", "stop"),
        STOPS("quit", "quit"),
        STOPS("End", "end"),
        STOPS("REVOKE", "revoke"),
        STOPS("opt out", "opt out"),
        STOPS("Cancel", "cancel"),
        STOPS("unsubscribe", "unsubscribe"),
        {"STOPALL", KEYWORD_STOP_ALL, "stop all"},
        {"stop all", KEYWORD_STOP_ALL, "stop all"},
        {"STOP-ALL", KEYWORD_STOP_ALL, "stop all"},
        STOPS("optout", "opt out"),
        STOPS("opt-out", "opt out"),
        STOPS("OPT_OUT", "opt out"),
        STOPS("remove", "remove"),
        STOPS("ARRET", "arret"),
        STOPS("arrêt", "arret"),
        STOPS("ALTO", "alto"),
        STOPS("Parar", "parar"),
        STOPS("NO MAS", "no mas"),
        STOPS("no más", "no mas"),
        STOPS("No ma\xcc\x81s", "no mas"),
        STOPS("¡No más!", "no mas"),
        STOPS("opt me out", "opt me out"),
        STOPS("please opt me out", "opt me out"),
        /* punctuation, quotes, blanks, emoji, width */
        STOPS("stop.", "stop"),
        STOPS("STOP!!!", "stop"),
        STOPS("  stop  ", "stop"),
        STOPS("\r\nstop\r\n", "stop"),
        STOPS("\"STOP\"", "stop"),
        STOPS("“STOP”", "stop"),
        STOPS("'stop'", "stop"),
        STOPS("‘Stop’", "stop"),
        STOPS("(stop)", "stop"),
        STOPS("*STOP*", "stop"),
        STOPS("@stop", "stop"),
        STOPS("stop 🙏", "stop"),
        STOPS("🛑stop🛑", "stop"),
        STOPS("🛑 STOP 🛑 ❗️", "stop"),
        STOPS("stop 👍🏽", "stop"),
        STOPS("Ｓｔｏｐ", "stop"),
        STOPS("𝐒𝐓𝐎𝐏", "stop"),
        STOPS("Ⓢⓣⓞⓟ", "stop"),
        STOPS("🅂🅃🄾🄿", "stop"),
        STOPS("S.T.O.P.", "stop"),
        STOPS("s t o p", "stop"),
        STOPS("s-t-o-p", "stop"),
        STOPS("ST\xc2\xadOP", "stop"),
        STOPS("st\xe2\x80\x8bop", "stop"),
        STOPS("\xef\xbb\xbfSTOP", "stop"),
        STOPS("STOP\xff", "stop"),
        STOPS("\xc3STOP\xf0\x9f", "stop"),
        STOPS("STOP\xef\xbf\xbd", "stop"),
        STOPS("un-subscribe", "unsubscribe"),
        STOPS("stop…", "stop"),
        STOPS("stop\ttexting", "stop"),
        /* politeness at either end */
        STOPS("Stop. Thank you!", "stop"),
        STOPS("Stop.Thank you!", "stop"),
        STOPS("STOP PLEASE", "stop"),
        STOPS("please stop", "stop"),
        STOPS("Pls stop", "stop"),
        STOPS("please stop texting me", "stop"),
        STOPS("Please stop texting me. Thanks", "stop"),
        STOPS("stop texting me now", "stop"),
        STOPS("stop immediately", "stop"),
        STOPS("stop sending me messages", "stop"),
        STOPS("stop sending me text messages please thank you", "stop"),
        STOPS("stop the texts", "stop"),
        STOPS("stop all texts", "stop"),
        STOPS("stop now!!", "stop"),
        STOPS("Hello, please stop. Thanks so much", "stop"),
        STOPS("ok stop", "stop"),
        STOPS("unsubscribe me please", "unsubscribe me"),
        STOPS("cancel texts", "cancel"),
        STOPS("Cancel, thanks", "cancel"),
        STOPS("please end messages", "end"),
        STOPS("alto por favor", "alto"),
        STOPS("no más mensajes por favor, gracias", "no mas"),
        STOPS("opt out of texts", "opt out"),
        STOPS("Stop\nSent from my iPhone", "stop"),
        /* said again and again */
        STOPS("stop stop", "stop"),
        STOPS("STOP! STOP! STOP!", "stop"),
        STOPS("no no más", "no mas"),
        /* other plain words, as the whole reply */
        STOPS("Stop it", "stop it"),
        STOPS("no more texts", "no more texts"),
        STOPS("No more texts please", "no more texts"),
        STOPS("don't text me", "dont text me"),
        STOPS("Don’t text me again!", "dont text me again"),
        STOPS("do not text me", "do not text me"),
        STOPS("remove me from your list", "remove me from your list"),
        STOPS("take me off your list please", "take me off your list"),
        STOPS("please leave me alone", "leave me alone"),
        STOPS("Can you stop texting me please", "can you stop"),
        STOPS("I want to opt out", "i want to opt out"),
        /* resuming and asking */
        STARTS("START", "start"),
        STARTS("start please", "start"),
        STARTS("Unstop", "unstop"),
        STARTS("UN-STOP", "unstop"),
        STARTS("Ｓｔａｒｔ", "start"),
        HELPS("HELP", "help"),
        HELPS("help!", "help"),
        HELPS("Help please", "help"),
        HELPS("help me", "help me"),
        HELPS("info", "info"),
        HELPS("¿Ayuda?", "ayuda"),
        HELPS("H E L P", "help"),
        /* none of these */
        NONE(""),
        NONE(" "),
        NONE("..."),
        NONE("🙏"),
        NONE("🛑"),
        NONE("C"),
        NONE("c."),
        NONE("R"),
        NONE("N"),
        {"Y", KEYWORD_YES, "y"},
        {"Yes", KEYWORD_YES, "yes"},
        {"YES!", KEYWORD_YES, "yes"},
        {"no", KEYWORD_NO, "no"},
        NONE("Confirm"),
        NONE("thanks"),
        NONE("Thank you!"),
        NONE("please"),
        NONE("please please"),
        NONE("now"),
        NONE("STOP 12345"),
        NONE("STOP2"),
        NONE("stop 1"),
        NONE("２ stop"),
        NONE("we must STOP this bill"),
        NONE("cancel my appointment"),
        NONE("Please cancel my appointment."),
        NONE("cancel appt"),
        NONE("cancel it"),
        NONE("I want to cancel"),
        NONE("I need to cancel and reschedule"),
        NONE("cancelled"),
        NONE("can't come"),
        NONE("I will stop by at 3"),
        NONE("stop by"),
        NONE("bus stop"),
        NONE("nonstop"),
        NONE("stopnow"),
        NONE("unstop stop"),
        NONE("stops"),
        NONE("stopped"),
        NONE("weekend"),
        NONE("end of the week"),
        NONE("the end"),
        NONE("don't stop"),
        NONE("do not stop"),
        NONE("when does it end?"),
        NONE("when do I start the medicine"),
        NONE("restart"),
        NONE("started"),
        NONE("I need help with parking"),
        NONE("more info"),
        NONE("informed"),
        NONE("no mas tarde"),
        NONE("remove stitches?"),
        NONE("quit smoking"),
        NONE("stop quit"),
        NONE("stop start"),
        NONE("стоп"),
        NONE("stop стоп"),
        NONE("停止"),
        NONE("stop停止"),
        NONE("sto"),
        NONE("st"),
        NONE("opt in"),
        NONE("out"),
        NONE("\xff\xfe\x80"),
};

/* covers: rule stop_words */
static void each_labelled_reply_is_read_right(void **state)
{
	(void)state;
	assert_true(COUNT(replies) >= 100);
	for (size_t i = 0; i < COUNT(replies); i++) {
		const char *word = "unset";
		enum text_keyword k = text_keyword_match(view_str(replies[i].text), &word);
		if (k != replies[i].keyword)
			fail_msg("\"%s\" is %s", replies[i].text, text_keyword_name(k));
		if (replies[i].word)
			assert_string_equal(word, replies[i].word);
		else
			assert_null(word);
	}
	print_message("%zu replies\n", COUNT(replies));
}

/* Each row stands for itself, alone and in capitals, and no other row hides it. */
static void each_row_matches_itself(void **state)
{
	(void)state;
	static const struct reply rows[] = {
#define KEYWORD(kind, word, source) {word, KEYWORD_##kind, word},
#include "keyword.def"
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char capitals[64] = {0};
		const char *word = NULL;
		for (size_t k = 0; rows[i].text[k]; k++)
			capitals[k] = (char)(rows[i].text[k] >= 'a' ? rows[i].text[k] - 32 : rows[i].text[k]);
		assert_int_equal(text_keyword_match(view_str(rows[i].text), &word), rows[i].keyword);
		assert_string_equal(word, rows[i].word);
		assert_int_equal(text_keyword_match(view_str(capitals), NULL), rows[i].keyword);
	}
}

/* A row that is not lower case ASCII with single blanks could never match. */
static void each_row_is_written_folded(void **state)
{
	(void)state;
	static const char *const rows[] = {
#define KEYWORD(kind, word, source) word,
#define POLITE(phrase) phrase,
#include "keyword.def"
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = strlen(rows[i]);
		assert_int_equal(strspn(rows[i], "abcdefghijklmnopqrstuvwxyz "), n);
		assert_true(n > 0 && rows[i][0] != ' ' && rows[i][n - 1] != ' ' && !strstr(rows[i], "  "));
	}
}

/* No politeness may say anything by itself. */
static void politeness_alone_is_none(void **state)
{
	(void)state;
	static const char *const rows[] = {
#define POLITE(phrase) phrase,
#include "keyword.def"
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(text_keyword_match(view_str(rows[i]), NULL), KEYWORD_NONE);
		struct buf both = BUF(256);
		buf_printf(&both, "%s, stop! %s", rows[i], rows[i]);
		assert_int_equal(text_keyword_match(buf_view(&both), NULL), KEYWORD_STOP);
		buf_free(&both);
	}
}

static void length_has_an_edge(void **state)
{
	(void)state;
	static char text[8192];
	memset(text, '.', sizeof(text));
	memcpy(text + 4096, "stop", 4);
	assert_int_equal(text_keyword_match(view_of(text, sizeof(text)), NULL), KEYWORD_STOP);
	memset(text, 'a', sizeof(text));
	for (size_t n = 190; n < 210; n++)
		assert_int_equal(text_keyword_match(view_of(text, n), NULL), KEYWORD_NONE);
	/* 199 octets and the last word's end fit, 200 do not: "revoke" behind 55 polite words, "stop" behind 56. */
	for (unsigned times = 20; times < 120; times++) {
		struct buf b = BUF(1024);
		for (unsigned i = 0; i < times / 2; i++)
			buf_add_str(&b, i % 2 ? "ok " : "pls ");
		buf_add_str(&b, times % 2 ? "revoke" : "stop");
		bool fits = b.n + 1 <= 200;
		assert_int_equal(text_keyword_match(buf_view(&b), NULL), fits ? KEYWORD_STOP : KEYWORD_NONE);
		buf_free(&b);
	}
	assert_int_equal(text_keyword_match((struct view){0}, NULL), KEYWORD_NONE);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(text_keyword_name(KEYWORD_NONE), "none");
	assert_string_equal(text_keyword_name(KEYWORD_STOP), "stop");
	assert_string_equal(text_keyword_name(KEYWORD_STOP_ALL), "stop_all");
	assert_string_equal(text_keyword_name(KEYWORD_STOP_CLASS), "stop_class");
	assert_string_equal(text_keyword_name(KEYWORD_START), "start");
	assert_string_equal(text_keyword_name(KEYWORD_YES), "yes");
	assert_string_equal(text_keyword_name(KEYWORD_NO), "no");
	assert_string_equal(text_keyword_name(KEYWORD_HELP), "help");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_labelled_reply_is_read_right),
	        cmocka_unit_test(each_row_matches_itself),
	        cmocka_unit_test(each_row_is_written_folded),
	        cmocka_unit_test(politeness_alone_is_none),
	        cmocka_unit_test(length_has_an_edge),
	        cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
