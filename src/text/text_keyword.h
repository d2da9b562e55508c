/* Words by which a patient stops, resumes or asks for help: the FCC's per-se words (47 CFR 64.1200(a)(10)), CTIA's
 * (Messaging Principles 5.1.3) and the carriers' lists, compared with the whole message. Rows: proto/keyword.def. */
#ifndef TEXT_KEYWORD_H
#define TEXT_KEYWORD_H

#include "base_bytes.h"

enum text_keyword {
	KEYWORD_NONE,
	KEYWORD_STOP,
	KEYWORD_STOP_ALL,   /* every practice on the gateway */
	KEYWORD_STOP_CLASS, /* texts of some classes: which, say the CLASS_WORD rows of proto/optout_phrase.def */
	KEYWORD_START,
	KEYWORD_HELP,
	KEYWORD_YES, /* means something only as the answer to a verification that is open */
	KEYWORD_NO,
};

/* "none", "stop", "stop_all", "stop_class", "start", "help", "yes", "no" */
const char *text_keyword_name(enum text_keyword k);

/* Whole-message match after folding case, width and accents, dropping punctuation, quotes and emoji, and taking off
 * polite words at either end ("please", "thank you", "thanks", "now", "texting me", ...); blanks and a word said twice
 * do not matter. "we must STOP this bill" is none; "Stop. Thank you!" is stop. word_r, when not NULL, gets the matched
 * row's word (static) or NULL. Any octets are safe: invalid UTF-8 counts as punctuation. */
enum text_keyword text_keyword_match(struct view utf8, const char **word_r);
/* The same of words that are folded already (text_fold.h). */
enum text_keyword text_keyword_of(struct view words, const char **word_r);

/* Whether folded words are the row's, the blanks of both left out. */
bool text_keyword_is(struct view words, const char *row);
/* Takes the longest polite phrase off an end: of "the texts" not only "texts", or a "the" would remain. False when
 * there is none. */
bool text_keyword_polite(struct view *words);

#endif
