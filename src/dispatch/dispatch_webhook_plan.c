#include "dispatch_webhook_plan.h"

#include "base_limits.h"

static const int64_t waits_s[] = {
#define WEBHOOK_RETRY(seconds) seconds,
#include "webhook_retry.def"
#undef WEBHOOK_RETRY
};
#define WAITS ((int)(sizeof(waits_s) / sizeof(*waits_s)))
_Static_assert(sizeof(waits_s) > 0, "webhook_retry.def has no rows");

/* A row in proportion to the plan's first wait. */
static int64_t row_ms(const struct webhook_plan *plan, int i)
{
	return waits_s[i] * plan->base_ms / waits_s[0];
}

int64_t webhook_plan_wait_ms(const struct webhook_plan *plan, int failed, int64_t after_ms, unsigned chance)
{
	int i = failed < 1 ? 0 : failed > WAITS ? WAITS - 1 : failed - 1;
	int64_t wait_ms = row_ms(plan, i);
	if (wait_ms < after_ms)
		wait_ms = after_ms;
	if (wait_ms > plan->max_ms)
		wait_ms = plan->max_ms;
	return wait_ms + wait_ms * chance / 10000;
}

int64_t webhook_plan_end_ms(const struct webhook_plan *plan)
{
	int64_t all_ms = 0;
	for (int i = 0; i < WAITS; i++)
		all_ms += row_ms(plan, i);
	return all_ms;
}

static enum webhook_round_end end_of(const struct webhook_health *h, const struct webhook_round_seen *seen)
{
	if (seen->taken)
		return WEBHOOK_FINE;
	if (h->down_rounds || (seen->fresh_failed && h->fresh_failures > LIMIT_WEBHOOK_DOWN_AFTER))
		return WEBHOOK_DOWN;
	return WEBHOOK_SOME;
}

enum webhook_round_end webhook_health_round(struct webhook_health *h, const struct webhook_round_seen *seen,
                                            bool has_failover, bool *switch_r)
{
	*switch_r = false;
	if (seen->taken + seen->failed == 0)
		return WEBHOOK_NOTHING;
	h->fresh_failures = seen->taken ? 0 : h->fresh_failures + (int)seen->fresh_failed;
	h->failures = seen->taken ? 0 : h->failures + 1;
	if (!h->failover) {
		h->url_failures = seen->taken ? 0 : h->url_failures + 1;
		*switch_r = has_failover && h->url_failures >= LIMIT_WEBHOOK_FAILOVER_AFTER;
	}
	enum webhook_round_end end = end_of(h, seen);
	h->down_rounds = end == WEBHOOK_DOWN ? h->down_rounds + 1 : 0;
	return end;
}
