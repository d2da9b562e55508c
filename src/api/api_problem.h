/* Problems by their rows (proto/problem.def): what the API answers, and the list that it publishes of them. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api_internal.h"

struct problem_row {
	const char *code;
	int status;
	bool retry;
	const char *sentence;
};

/* NULL when there is no row of that code. */
const struct problem_row *problem_find(struct view code);
/* Answers with the row of a code that a statement gave: its status, and its sentence as detail. */
void problem_answer(struct http_exchange *x, const char *code);

#endif
