/* Reminders of a visit: when each step of a plan goes, or why it does not. What is decided when a visit is booked is
 * the best guess of what policy_decide will allow at the moment of sending, made early so that the practice is told
 * what its patient will not get.
 *
 * Each step has a nominal instant. In the night it moves to the morning after, or when that is too near to the visit to
 * the evening before. Then the steps are taken in the order of their use, and each that keeps the caps beside all
 * taken before it, and beside what the patient got and will get for other reasons, is planned; some minutes later than
 * its own instant when that is all that is in the way.
 *
 * The order of their use: by rank, the smallest first, steps without one last; among equals, those that leave the
 * patient half a day or more to act (so that somebody else can have the slot) before those that do not; of the former
 * the nearest to the visit first, because it is the one that is remembered, of the latter the farthest.
 *
 * When caps or hours let no step be planned, the most useful of those that are not late goes at the legal instant
 * nearest to its own, three days off at the most: one reminder is worth more than its hour. */
#ifndef POLICY_PLAN_H
#define POLICY_PLAN_H

#include "policy_rules.h"

#define PLAN_TIMES_MAX 64              /* messages to a patient or a phone that are looked at */
#define PLAN_DAYS_MAX 60               /* how long before the visit a step may be */
#define PLAN_LEAD_US HOUR_US           /* a step that moves leaves that long to the visit */
#define PLAN_ACT_US (12 * HOUR_US)     /* from here on a patient can act on a reminder */
#define PLAN_SLACK_US (15 * MINUTE_US) /* how much later a step goes to keep the caps */
#define PLAN_SLACK_STEP_US MINUTE_US
#define PLAN_SHIFT_US (3 * DAY_US) /* how far a lone reminder moves to keep the caps */

struct plan_step {
	int days;            /* calendar days before the visit, 0 to PLAN_DAYS_MAX */
	int64_t before_s;    /* and so many seconds before that */
	int minute;          /* of the day, in the location's zone; only without before_s; -1: the visit's own */
	int rank;            /* 1 first; 0: none */
	bool skip_confirmed; /* needless once the visit is confirmed */
	enum category category;
};

/* Instants of messages that count: sent within 9 days, or planned. Any order. */
struct plan_times {
	int64_t at_us[PLAN_TIMES_MAX];
	unsigned count;
};

struct plan_visit {
	int64_t now_us;
	int64_t visit_us;
	const struct zone *location;
	bool confirmed;
	const struct policy_rules *rules; /* NULL: none are in force, nothing is planned */
	struct policy_facts facts; /* zones, states, the practice's hours, household; the rest is not looked at */
	struct plan_times patient, phone; /* without this visit's own reminders that are not sent yet */
};

struct plan_choice {
	int64_t due_us;     /* when it goes; when it is dropped, when it would have gone; 0 when it never could */
	enum reason reason; /* REASON_none: planned; else REASON_dropped_... */
};

/* "P3D", "P1DT2H", "PT45M", "P2W": ISO 8601, whole numbers, at most PLAN_DAYS_MAX days in all and not nothing. The
 * days are calendar days. False when it is none. */
bool policy_plan_before(struct view text, struct plan_step *to);
/* When the step would go if nothing stood in the way. A day's wall time stays over a change of the clock; one that the
 * clock skips is the first after it. */
int64_t policy_plan_nominal(const struct plan_step *step, int64_t visit_us, const struct zone *location);
/* One choice for each step (at most LIMIT_PLAN_STEPS). Planned ones lie at or after now_us, before the visit, in
 * sending hours, and keep the caps together. */
void policy_plan(const struct plan_visit *v, const struct plan_step *steps, unsigned count, struct plan_choice *to);

#endif
