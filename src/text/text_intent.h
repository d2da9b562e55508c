/* What a patient's text asks for. Whole-message words first (text_keyword.h); then each sentence is looked through for
 * phrases that a reasonable person would take for a wish to stop (47 CFR 64.1200(a)(10)), for a wrong number, or for a
 * visit to be cancelled. Rows: proto/keyword.def, proto/optout_phrase.def. Pure; a text of any length and any octets.
 */
#ifndef TEXT_INTENT_H
#define TEXT_INTENT_H

#include "text_visit.h"

enum text_intent {
	INTENT_OTHER,
	INTENT_STOP,       /* this practice */
	INTENT_STOP_ALL,   /* every practice on the gateway */
	INTENT_STOP_CLASS, /* some classes of message: text_intent_category */
	INTENT_SUSPECT,    /* may be a stop: nothing goes until a person has read it */
	INTENT_WRONG_NUMBER,
	INTENT_START,
	INTENT_HELP,
	INTENT_YES, /* means something only as the answer to a verification that is open */
	INTENT_NO,
	INTENT_CANCEL_VISIT,
};

struct text_meaning {
	enum text_intent intent;
	const char *rule;         /* the row that said so (static): a word or a pattern; NULL for OTHER */
	bool visit;               /* besides, it may be about cancelling a visit: a bare CANCEL */
	struct text_visit answer; /* of OTHER, YES and NO only: how it answers a reminder, should one be open */
};

/* "other", "stop", "stop_all", "stop_class", "suspect", "wrong_number", "start", "help", "yes", "no", "cancel_visit" */
const char *text_intent_name(enum text_intent i);

/* Never fails; a text that is too long to be read is a SUSPECT. */
struct text_meaning text_intent_read(struct view utf8);

/* The i-th category that a STOP_CLASS rule stops, NULL past the last. */
const char *text_intent_category(const char *rule, unsigned i);

/* Whether it asks for texts to end, surely or perhaps: STOP, STOP_ALL, STOP_CLASS, SUSPECT, WRONG_NUMBER. */
bool text_intent_stops(enum text_intent i);

#endif
