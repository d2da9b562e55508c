/* When a webhook is posted again, where to, and when it is given up. Pure. */
#ifndef DISPATCH_WEBHOOK_PLAN_H
#define DISPATCH_WEBHOOK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* The schedule of proto/webhook_retry.def, in proportion to its first wait. */
struct webhook_plan {
	int64_t base_ms; /* the first wait; 5000: as the rows say */
	int64_t max_ms;  /* no wait is longer, but for chance */
};

/* The wait before attempt `failed` + 1 (failed: 1 and up; past the last row as that). after_ms: Retry-After, 0 or less
 * when there was none. chance 0 to 1000 adds up to a tenth. */
int64_t webhook_plan_wait_ms(const struct webhook_plan *plan, int failed, int64_t after_ms, unsigned chance);
/* How long after its first failure an event is given up: all waits of the schedule together. */
int64_t webhook_plan_end_ms(const struct webhook_plan *plan);

/* Which of an endpoint's two URLs is posted to. */
struct webhook_health {
	int failures;       /* rounds in a row that nothing was taken in */
	int fresh_failures; /* events in a row whose first attempt failed */
	int down_rounds;    /* rounds in a row in which the cursor stayed */
	int url_failures;   /* rounds in a row that the first URL took nothing in */
	bool failover;      /* posts go to the failover URL for now */
};

/* What a round saw. */
struct webhook_round_seen {
	unsigned taken;
	unsigned failed;
	unsigned fresh_failed; /* of failed, those at their first attempt */
};

enum webhook_round_end {
	WEBHOOK_NOTHING, /* nothing was posted */
	WEBHOOK_FINE,    /* something was taken: what failed has a schedule of its own */
	WEBHOOK_SOME,    /* nothing was, of too few to tell that the endpoint is down */
	WEBHOOK_DOWN     /* it is down: the cursor stays */
};

/* Brings the health up to date. has_failover: there is a second URL. switch_r: it is to be used from now on. */
enum webhook_round_end webhook_health_round(struct webhook_health *h, const struct webhook_round_seen *seen,
                                            bool has_failover, bool *switch_r);

#endif
