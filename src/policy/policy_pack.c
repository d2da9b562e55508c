#include "policy_pack.h"

#include "base_check.h"

struct pack_row {
	struct policy_rules rules;
	const char *from;
	const char *to;
	bool on;
};

static const struct pack_row rows[PACK_COUNT] = {
#define RULE_PACK(code, from, to, on, open, close, guard, day, week, calendar, conversation, category, citation,       \
                  sentence)                                                                                            \
	[PACK_##code] = {{#code, open, close, guard, day, week, calendar, conversation, category}, from, to, on},
#include "rule_pack.def"
#undef RULE_PACK
};

static const struct pack_row *row_of(enum pack p)
{
	check((unsigned)p < PACK_COUNT);
	return &rows[p];
}

const struct policy_rules *policy_pack_rules(enum pack p)
{
	return &row_of(p)->rules;
}

enum pack policy_pack_parse(struct view code)
{
	for (unsigned p = 0; p < PACK_COUNT; p++)
		if (view_eq(code, view_str(rows[p].rules.pack)))
			return p;
	return PACK_COUNT;
}

/* A date of a row; otherwise where the row gives none. */
static int64_t date_us(const char *text, int64_t otherwise_us)
{
	int64_t us = otherwise_us;
	check(text[0] == '\0' || time_parse(view_str(text), &us));
	return us;
}

bool policy_pack_on(enum pack p, int64_t now_us, const struct policy_switch *switches, size_t count)
{
	const struct pack_row *row = row_of(p);
	bool on = row->on;
	int64_t newest_us = INT64_MIN;
	for (size_t i = 0; i < count; i++) {
		const struct policy_switch *s = &switches[i];
		if (s->at_us > now_us || s->at_us < newest_us || policy_pack_parse(view_str(s->pack)) != p)
			continue;
		newest_us = s->at_us;
		on = s->on;
	}
	return on && now_us >= date_us(row->from, INT64_MIN) && now_us < date_us(row->to, TIME_NEVER);
}

const struct policy_rules *policy_pack_at(int64_t now_us, const struct policy_switch *switches, size_t count)
{
	const struct policy_rules *last = NULL;
	for (unsigned p = 0; p < PACK_COUNT; p++)
		if (policy_pack_on(p, now_us, switches, count))
			last = &rows[p].rules;
	return last;
}
