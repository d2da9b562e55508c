/* What a person may decide about a review task, and what that does. Rows: proto/task_decision.def. */
#ifndef API_DECISION_H
#define API_DECISION_H

struct decision {
	const char *kind; /* of the task */
	const char *decision;
	const char *effect; /* as smsbridge.task_decide takes it */
	const char *sentence;
};

/* NULL when there is no such decision. */
const struct decision *decision_find(const char *name);
/* The i-th, NULL past the last. */
const struct decision *decision_row(unsigned i);

#endif
