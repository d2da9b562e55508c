/* Who waits for a limited sender or a busy carrier gets a place in its line: a time of its own, so that a backlog is
 * judged about once a message and not again and again. Urgent ones stand before normal ones before low ones; a priority
 * of which nobody went for a while sends one of its own to the front. Pure: rule times and chance come in. */
#ifndef DISPATCH_LINE_H
#define DISPATCH_LINE_H

#include "base_time.h"

#define LINE_PRIORITIES 3                 /* 0 urgent, 1 normal, 2 low */
#define LINE_MAX_US (60 * SECOND_US)      /* how far ahead a place is given */
#define LINE_FAR_US (15 * 60 * SECOND_US) /* how far ahead the line's end is told to come again */
#define LINE_FAR_DENSER 2                 /* so much sooner than its turn would be */
#define LINE_STARVING_US (5 * SECOND_US)  /* after so long, or LINE_STARVING_GAPS, one goes to the front */
#define LINE_STARVING_GAPS 8
#define LINE_GRACE_US (SECOND_US / 5) /* how late who was sent to the front may come and still finds its turn */

struct line {
	int64_t last_us[LINE_PRIORITIES];  /* the last place that was given */
	int64_t since_us[LINE_PRIORITIES]; /* nobody of it went since, though somebody waits; 0: nobody waits */
	int64_t far_us;                    /* the last time at which one was told to come again */
	int64_t front_us[LINE_PRIORITIES]; /* the place at the front of one that was sent there; 0: there is none */
};

struct line_wish {
	unsigned priority;
	bool again;       /* it had a place in this line before, and nobody before whom it yields */
	int64_t first_us; /* nothing can go before this */
	int64_t gap_us;   /* that its going takes */
	int64_t now_us;
	uint32_t chance; /* any 32 bits of randomness */
};

/* Its place. Who would stand further back than LINE_MAX_US gets none, because much may change until then: it comes
 * again after a part of that time, one after the other. */
int64_t line_place(struct line *l, const struct line_wish *wish);
/* Whether what there is just now is somebody else's: of one who goes before this priority and has a place to come, or
 * of one who was sent to the front and whose place has come. */
bool line_yields(const struct line *l, unsigned priority, int64_t now_us);
/* One of this priority went. */
void line_went(struct line *l, unsigned priority);

#endif
