#include "dispatch_line.h"

#include "base_check.h"

static bool starving(const struct line *l, const struct line_wish *w)
{
	int64_t gaps_us = LINE_STARVING_GAPS * w->gap_us;
	return w->now_us - l->since_us[w->priority] >= (gaps_us > LINE_STARVING_US ? gaps_us : LINE_STARVING_US);
}

/* Where in the line it stands: with its own, or at the front. */
static unsigned level_of(struct line *l, const struct line_wish *w)
{
	int64_t *since_us = &l->since_us[w->priority];
	if (*since_us == 0 || *since_us > w->now_us) /* nobody waited, or the clock was moved back */
		*since_us = w->now_us;
	if (w->priority == 0 || !starving(l, w))
		return w->priority;
	*since_us = w->now_us;
	return 0;
}

/* Behind its own and behind those that go before them. */
static int64_t end_us(const struct line *l, const struct line_wish *w, unsigned level)
{
	int64_t at_us = w->first_us;
	for (unsigned i = 0; i <= level; i++) {
		bool moved_back = l->last_us[i] > w->now_us + LINE_MAX_US;
		if (!moved_back && l->last_us[i] + w->gap_us > at_us)
			at_us = l->last_us[i] + w->gap_us;
	}
	return at_us;
}

/* However long the backlog is, each of it is judged only so often until its turn comes. */
static int64_t come_again_us(struct line *l, const struct line_wish *w)
{
	int64_t first_us = w->now_us + LINE_MAX_US / 2;
	int64_t at_us = l->far_us + w->gap_us / LINE_FAR_DENSER;
	if (at_us < first_us)
		at_us = first_us;
	if (at_us > w->now_us + LINE_FAR_US)
		return w->now_us + LINE_FAR_US / 2 + (int64_t)((LINE_FAR_US / 2 * (uint64_t)w->chance) >> 32);
	l->far_us = at_us;
	return at_us;
}

int64_t line_place(struct line *l, const struct line_wish *w)
{
	check(w->priority < LINE_PRIORITIES);
	unsigned level = level_of(l, w);
	if (w->again && w->first_us - w->now_us <= w->gap_us / 2)
		return w->first_us; /* it came a moment too early: its turn is not lost */
	int64_t at_us = end_us(l, w, level);
	if (at_us > w->now_us + LINE_MAX_US)
		return come_again_us(l, w);
	l->last_us[level] = at_us;
	if (level < w->priority)
		l->front_us[w->priority] = at_us;
	return at_us;
}

static bool at_front(const struct line *l, unsigned priority, int64_t now_us)
{
	int64_t front_us = l->front_us[priority];
	return front_us && now_us >= front_us && now_us <= front_us + LINE_GRACE_US;
}

bool line_yields(const struct line *l, unsigned priority, int64_t now_us)
{
	check(priority < LINE_PRIORITIES);
	if (at_front(l, priority, now_us))
		return false;
	for (unsigned i = 0; i < LINE_PRIORITIES; i++) {
		bool to_come = l->last_us[i] > now_us && l->last_us[i] <= now_us + LINE_MAX_US;
		if ((i < priority && to_come) || at_front(l, i, now_us))
			return true;
	}
	return false;
}

void line_went(struct line *l, unsigned priority)
{
	check(priority < LINE_PRIORITIES);
	l->since_us[priority] = 0;
	l->front_us[priority] = 0;
}
