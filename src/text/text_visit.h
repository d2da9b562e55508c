/* How a patient answers a reminder of a visit: C, R, X, their words in English and Spanish, and a number where the
 * patient was asked which visit is meant. Rows: proto/visit_reply.def. Only what text_intent.h leaves over is read so:
 * a stop, HELP or START never comes here. Pure; a text of any length and any octets. */
#ifndef TEXT_VISIT_H
#define TEXT_VISIT_H

#include "base_bytes.h"

enum text_answer {
	ANSWER_NONE,
	ANSWER_CONFIRM,
	ANSWER_RESCHEDULE,
	ANSWER_DECLINE,
};

#define TEXT_CHOICE_MOST 3 /* visits that a question lists */
#define TEXT_CHOICE_ALL 9

struct text_visit {
	enum text_answer answer;
	unsigned choice; /* 1 to TEXT_CHOICE_MOST, TEXT_CHOICE_ALL; 0: none was named */
};

/* "", "confirmed", "reschedule_requested", "declined": the words of smsbridge.appointment_answer. */
const char *text_answer_name(enum text_answer a);

/* The whole reply or nothing: words are folded (text_fold.h), utf8 is the reply as it came, for texts of signs only. */
struct text_visit text_visit_read(struct view words, struct view utf8);

#endif
