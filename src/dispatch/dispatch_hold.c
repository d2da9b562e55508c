/* What carriers do not take from a sender for now, as claim_facts tells it: a line each, "reason until carrier". */
#include "dispatch_internal.h"

#include <string.h>

_Static_assert(LIMIT_CARRIERS <= 32, "a bit for every carrier");

/* Cuts the next word (up to the given octet) off the front. */
static struct view cut(struct view *line, char at)
{
	const uint8_t *end = line->n ? memchr(line->p, at, line->n) : NULL;
	size_t n = end ? (size_t)(end - line->p) : line->n;
	struct view word = view_of(line->p, n);
	size_t passed = n + (end != NULL);
	*line = view_of(line->p + passed, line->n - passed);
	return word;
}

static void take_hold(const struct dispatch *d, struct view line, int64_t until_us[LIMIT_CARRIERS],
                      enum reason why[LIMIT_CARRIERS])
{
	enum reason reason = policy_reason_parse(cut(&line, ' '));
	struct view until = cut(&line, ' ');
	uint64_t us = 0;
	bool ends = parse_u64(until, TIME_NEVER, &us);
	for (unsigned i = 0; i < d->config.carrier_count; i++)
		if (view_eq(line, view_str(d->carriers[i].name)) && (ends ? (int64_t)us : TIME_NEVER) > until_us[i]) {
			until_us[i] = ends ? (int64_t)us : TIME_NEVER;
			why[i] = reason;
		}
}

uint32_t hold_read(const struct dispatch *d, struct view lines, struct policy_facts *facts)
{
	int64_t until_us[LIMIT_CARRIERS] = {0};
	enum reason why[LIMIT_CARRIERS] = {0};
	uint32_t held = 0;
	unsigned first = 0;
	if (lines.n == 0)
		return 0;
	while (lines.n)
		take_hold(d, cut(&lines, '\n'), until_us, why);
	for (unsigned i = 0; i < d->config.carrier_count; i++) {
		held |= until_us[i] ? UINT32_C(1) << i : 0;
		if (until_us[i] < until_us[first])
			first = i;
	}
	facts->hold = why[first]; /* of the carrier that is free first: none when one is free now */
	facts->hold_until_us = until_us[first];
	return held;
}
