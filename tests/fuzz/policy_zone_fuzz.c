/* Any octets as a TZif file, and as a POSIX TZ rule. What is accepted answers at any instant, and its stretches go on.
 */
#include "base_check.h"
#include "policy_zone_rule.h"

#define YEAR_9999_S 253402300799 /* its last second */

static void ask(const struct zone *z, int64_t s)
{
	struct zone_span span = policy_zone_span(z, s);
	check(span.until_s > s || s == INT64_MAX);
	check(span.offset >= -ZONE_OFFSET_MAX_S && span.offset <= ZONE_OFFSET_MAX_S);
	if (span.until_s > s && span.until_s - 1 <= YEAR_9999_S) /* past which no calendar is promised */
		check(policy_zone_offset(z, span.until_s - 1) == span.offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t instants[] = {INT64_MIN + 1, -1, 0, 1772406000, 4102444800, 253402300799, INT64_MAX};
	const char *error;
	struct zone_rule rule;
	struct zone *z = policy_zone_parse("Fuzz", view_of(data, size), &error);
	check((z == NULL) == (error != NULL));
	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]) && z; i++)
		ask(z, instants[i]);
	for (int64_t days = 20000; days < 20400 && z; days += 9) {
		int64_t s = policy_zone_instant(z, days, 8);
		check(s + policy_zone_offset(z, s) >= days * 86400 + 8 * 3600);
	}
	policy_zone_free(z);
	if (policy_zone_rule_parse(view_of(data, size), &rule))
		for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++)
			check(policy_zone_rule_span(&rule, instants[i]).until_s > instants[i] || i == 6);
	return 0;
}
