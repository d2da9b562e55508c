/* What waits for its time: a heap by time, and the one timer of the simulated carrier. */
#include "app_smsc.h"

#include "base_check.h"
#include "base_pool.h"

#include <stdlib.h>

static bool before(const struct smsc_later *a, const struct smsc_later *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->serial < b->serial;
}

static void swap(struct smsc_later *a, struct smsc_later *b)
{
	struct smsc_later kept = *a;
	*a = *b;
	*b = kept;
}

static bool make_room(struct smsc *s)
{
	if (s->later_count < s->later_room)
		return true;
	if (s->later_room == SMSC_LATER_MAX)
		return false;
	size_t room = s->later_room ? s->later_room * 2 : 1024;
	struct smsc_later *later = realloc(s->later, room * sizeof(*later));
	check(later);
	s->later = later;
	s->later_room = room;
	return true;
}

#define BEHIND (UINT64_C(1) << 63)

static struct smsc_later *add(struct smsc *s, int64_t after_ms, smsc_later_cb run, uint64_t rank)
{
	if (!make_room(s)) {
		s->dropped++;
		return NULL;
	}
	size_t at = s->later_count++;
	s->later[at] = (struct smsc_later){
	        .at_ms = net_loop_now_ms(s->loop) + after_ms, .serial = ++s->serial | rank, .run = run};
	for (; at > 0 && before(&s->later[at], &s->later[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&s->later[at], &s->later[(at - 1) / 2]);
	smsc_wake(s);
	return &s->later[at];
}

struct smsc_later *smsc_later_add(struct smsc *s, int64_t after_ms, smsc_later_cb run)
{
	return add(s, after_ms, run, 0);
}

struct smsc_later *smsc_later_behind(struct smsc *s, int64_t after_ms, smsc_later_cb run)
{
	return add(s, after_ms, run, BEHIND);
}

static struct smsc_later pop(struct smsc *s)
{
	struct smsc_later first = s->later[0];
	s->later[0] = s->later[--s->later_count];
	for (size_t at = 0;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->later_count; child++)
			if (before(&s->later[child], &s->later[least]))
				least = child;
		if (least == at)
			return first;
		swap(&s->later[at], &s->later[least]);
		at = least;
	}
}

void smsc_wake(struct smsc *s)
{
	net_timer_start(s->timer, 0);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void smsc_work(struct smsc *s)
{
	int64_t now_ms = net_loop_now_ms(s->loop);
	struct script_plan plan;
	while (s->later_count && s->later[0].at_ms <= now_ms) {
		struct smsc_later l = pop(s);
		l.run(s, &l);
	}
	while (script_due(s->engine, now_ms, &plan))
		smsc_timed(s, &plan);
	smsc_deliver_waiting(s);
	smsc_flush(s);
	if (s->log)
		fflush(s->log);
	int64_t next_ms = sooner(s->later_count ? s->later[0].at_ms : INT64_MAX, script_due_ms(s->engine));
	if (next_ms != INT64_MAX)
		net_timer_start(s->timer, next_ms > now_ms ? next_ms - now_ms : 0);
}
