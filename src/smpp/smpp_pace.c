#include "smpp_pace.h"

#define PAUSE_MIN_MS 500
#define PAUSE_FULL_MIN_MS 2000 /* a queue empties slower than a rate window passes (trap 22) */
#define PAUSE_MAX_MS 15000     /* by then one message at a time asks whether it is better */
#define CONGESTION_PAUSE_MS 1000
#define CONGESTION_SLOWER 0.8
#define BURST_S 0.1    /* seconds of rate that may be caught up at once, beside the one segment that is its turn */
#define GROWTH 0.05    /* of the rate, a second */
#define FORGET_S 60000 /* without a configured rate: how long a narrowing is remembered */

void smpp_pace_init(struct smpp_pace *p, double rate, int64_t now_ms)
{
	*p = (struct smpp_pace){.tokens_at_ms = now_ms, .second_at_ms = now_ms};
	smpp_pace_set_rate(p, rate, now_ms);
}

static double burst(const struct smpp_pace *p)
{
	return 1 + p->allowed * BURST_S;
}

void smpp_pace_set_rate(struct smpp_pace *p, double rate, int64_t now_ms)
{
	p->rate = p->allowed = rate;
	p->grown_at_ms = now_ms;
	if (p->tokens > burst(p))
		p->tokens = burst(p);
}

/* Whole seconds only, so that often asked is as seldom asked. */
static void grow(struct smpp_pace *p, int64_t now_ms)
{
	int64_t seconds = (now_ms - p->grown_at_ms) / 1000;
	if (p->allowed == p->rate || seconds <= 0)
		return;
	p->grown_at_ms += seconds * 1000;
	if (p->rate == 0) {
		if (now_ms - p->narrowed_at_ms >= FORGET_S)
			p->allowed = 0;
		else
			p->allowed += (double)seconds;
		return;
	}
	double step = p->rate * GROWTH < 1 ? 1 : p->rate * GROWTH;
	p->allowed += step * (double)seconds;
	if (p->allowed > p->rate)
		p->allowed = p->rate;
}

static void refill(struct smpp_pace *p, int64_t now_ms)
{
	grow(p, now_ms);
	p->tokens += (double)(now_ms - p->tokens_at_ms) / 1000.0 * p->allowed;
	p->tokens_at_ms = now_ms;
	if (p->tokens > burst(p))
		p->tokens = burst(p);
}

unsigned smpp_pace_allows(struct smpp_pace *p, int64_t now_ms)
{
	refill(p, now_ms);
	if (now_ms < p->paused_until_ms)
		return 0;
	if (p->allowed == 0)
		return UINT32_MAX;
	return p->tokens >= 1 ? (unsigned)p->tokens : 0;
}

static void count_second(struct smpp_pace *p, int64_t now_ms)
{
	int64_t passed_ms = now_ms - p->second_at_ms;
	if (passed_ms < 1000)
		return;
	p->second_last = passed_ms < 2000 ? p->second : 0;
	p->second = 0;
	p->second_at_ms = now_ms;
}

void smpp_pace_spend(struct smpp_pace *p, unsigned segments, int64_t now_ms)
{
	count_second(p, now_ms);
	p->second += segments;
	if (p->allowed > 0)
		p->tokens -= segments;
}

static void narrow(struct smpp_pace *p, double factor, int64_t now_ms)
{
	unsigned sent = p->second > p->second_last ? p->second : p->second_last;
	double from = p->allowed > 0 && p->allowed < sent ? p->allowed : sent;
	if (p->allowed > 0 && from == 0)
		from = p->allowed;
	p->allowed = from * factor < 1 ? 1 : from * factor;
	if (p->rate > 0 && p->allowed > p->rate)
		p->allowed = p->rate;
	p->tokens = p->tokens > 0 ? 0 : p->tokens;
	p->narrowed_at_ms = p->grown_at_ms = now_ms;
}

bool smpp_pace_refused(struct smpp_pace *p, bool queue_full, uint32_t chance, int64_t now_ms)
{
	if (now_ms < p->paused_until_ms)
		return false;
	int64_t least_ms = queue_full ? PAUSE_FULL_MIN_MS : PAUSE_MIN_MS;
	p->pause_ms = p->pause_ms * 2 < least_ms ? least_ms : p->pause_ms * 2;
	if (p->pause_ms > PAUSE_MAX_MS)
		p->pause_ms = PAUSE_MAX_MS;
	p->paused_until_ms = now_ms + p->pause_ms / 2 + (int64_t)(chance % (uint32_t)p->pause_ms);
	count_second(p, now_ms);
	narrow(p, 0.5, now_ms);
	return true;
}

void smpp_pace_taken(struct smpp_pace *p)
{
	p->pause_ms = 0;
}

void smpp_pace_congestion(struct smpp_pace *p, uint32_t state, int64_t now_ms)
{
	if (state < SMPP_CONGESTED)
		return;
	if (now_ms - p->narrowed_at_ms >= 1000 || p->narrowed_at_ms == 0) {
		count_second(p, now_ms);
		narrow(p, CONGESTION_SLOWER, now_ms);
	}
	if (state > SMPP_CONGESTION_FULL && now_ms >= p->paused_until_ms)
		p->paused_until_ms = now_ms + CONGESTION_PAUSE_MS;
}

int64_t smpp_pace_ready_ms(const struct smpp_pace *p, int64_t now_ms)
{
	int64_t at_ms = now_ms;
	if (p->allowed > 0 && p->tokens < 1)
		at_ms = p->tokens_at_ms + (int64_t)((1 - p->tokens) * 1000 / p->allowed) + 1;
	return at_ms > p->paused_until_ms ? at_ms : p->paused_until_ms;
}
