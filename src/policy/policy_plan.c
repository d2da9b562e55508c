#include "policy_plan.h"

#include "base_check.h"
#include "policy_cap.h"
#include "policy_quiet.h"

#include <string.h>

#define DAY_S 86400
#define ACT_S (PLAN_ACT_US / SECOND_US)
#define GRID_US (15 * MINUTE_US) /* on which the evening before is looked for */
#define LEADS (1 << 24)          /* more seconds than any lead has */
#define RANKS (2 * LEADS)
#define RANK_NONE 1000 /* behind every rank */

/* --- a step's own instant ------------------------------------------------------------------------------------------
 */

/* One number and its letter; false at the end or at what is none. */
static bool take_part(struct view *rest, int64_t *n_r, char *unit_r)
{
	size_t i = 0;
	int64_t n = 0;
	while (i < rest->n && i < 6 && rest->p[i] >= '0' && rest->p[i] <= '9')
		n = n * 10 + rest->p[i++] - '0';
	if (i == 0 || i == rest->n)
		return false;
	*n_r = n;
	*unit_r = (char)rest->p[i];
	*rest = view_of(rest->p + i + 1, rest->n - i - 1);
	return true;
}

/* Parts in the order of units, each once. */
static bool take_parts(struct view *rest, const char *units, const int64_t *worth, int64_t *sum)
{
	int64_t n = 0;
	char unit = 0;
	while (rest->n && rest->p[0] != 'T') {
		const char *at = take_part(rest, &n, &unit) ? strchr(units, unit) : NULL;
		if (!at || !unit)
			return false;
		*sum += n * worth[at - units];
		worth += at - units + 1;
		units = at + 1;
	}
	return true;
}

bool policy_plan_before(struct view text, struct plan_step *to)
{
	static const int64_t days_of[] = {7, 1}, seconds_of[] = {3600, 60};
	int64_t days = 0, seconds = 0;
	if (text.n == 0 || text.p[0] != 'P')
		return false;
	struct view rest = view_of(text.p + 1, text.n - 1);
	if (!take_parts(&rest, "WD", days_of, &days))
		return false;
	if (rest.n) {
		rest = view_of(rest.p + 1, rest.n - 1);
		if (!rest.n || memchr(rest.p, 'T', rest.n) || !take_parts(&rest, "HM", seconds_of, &seconds))
			return false;
	}
	if ((!days && !seconds) || days * DAY_S + seconds > PLAN_DAYS_MAX * DAY_S)
		return false;
	to->days = (int)days;
	to->before_s = seconds;
	return true;
}

int64_t policy_plan_nominal(const struct plan_step *step, int64_t visit_us, const struct zone *location)
{
	if (step->days == 0)
		return visit_us - step->before_s * SECOND_US;
	const int64_t visit_s = floor_div(visit_us, SECOND_US);
	const int64_t local_s = visit_s + policy_zone_offset(location, visit_s);
	const int64_t day = floor_div(local_s, DAY_S);
	const int64_t second = step->minute >= 0 ? step->minute * 60 : local_s - day * DAY_S;
	int64_t s = policy_zone_instant(location, day - step->days, (int)(second / 3600)) + second % 3600;
	return (s - step->before_s) * SECOND_US;
}

/* --- hours ---------------------------------------------------------------------------------------------------------
 */

/* What a step of the class is judged by, without sends. */
static struct policy_facts facts_of(const struct plan_visit *v, enum category category)
{
	struct policy_facts f = v->facts;
	f.category = category;
	f.patient = f.phone = (struct policy_sends){0};
	return f;
}

/* The last instant of the grid before at_us that is open; TIME_NEVER when there is none from now on. */
static int64_t evening_before(const struct plan_visit *v, const struct policy_facts *f, int64_t at_us)
{
	for (int64_t t = floor_div(at_us, GRID_US) * GRID_US; t >= v->now_us; t -= GRID_US)
		if (policy_quiet_open(v->rules, f, t))
			return t;
	return TIME_NEVER;
}

/* The instant at which the step may go by the hours alone; TIME_NEVER when there is none of use. */
static int64_t legal_us(const struct plan_visit *v, enum category category, int64_t nominal_us)
{
	const struct policy_facts f = facts_of(v, category);
	if (f.zones == 0)
		return TIME_NEVER;
	if (policy_quiet_open(v->rules, &f, nominal_us))
		return nominal_us;
	int64_t morning_us = policy_quiet_next_us(v->rules, &f, nominal_us);
	if (morning_us == TIME_NEVER || morning_us <= v->visit_us - PLAN_LEAD_US)
		return morning_us;
	return evening_before(v, &f, nominal_us);
}

/* --- caps ----------------------------------------------------------------------------------------------------------
 */

/* Newest first; past POLICY_SENDS_MAX the oldest gives way. */
static void insert(struct policy_sends *to, int64_t at_us)
{
	unsigned k = to->count;
	for (; k > 0 && to->at_us[k - 1] < at_us; k--)
		if (k < POLICY_SENDS_MAX)
			to->at_us[k] = to->at_us[k - 1];
	if (k == POLICY_SENDS_MAX)
		return;
	to->at_us[k] = at_us;
	if (to->count < POLICY_SENDS_MAX)
		to->count++;
}

/* What is in the way of a message at at_us beside those of times until then, but itself, and tried_us. A household's
 * phone is not asked for; otherwise the caps are the same for a patient and a phone. */
static enum reason in_way(const struct plan_visit *v, enum category category, const struct plan_times *times,
                          int64_t at_us, unsigned self, int64_t tried_us)
{
	struct policy_facts f = facts_of(v, category);
	enum reason reason;
	for (unsigned i = 0; i < times->count; i++)
		if (i != self && times->at_us[i] <= at_us)
			insert(&f.patient, times->at_us[i]);
	if (tried_us < at_us)
		insert(&f.patient, tried_us);
	policy_cap_next_us(v->rules, &f, at_us, &reason);
	return reason;
}

/* The cap that a message at at_us would break, its own or that of one after it; REASON_none when it breaks none. */
static enum reason cap_of(const struct plan_visit *v, enum category category, const struct plan_times *times,
                          int64_t at_us)
{
	enum reason reason = in_way(v, category, times, at_us, times->count, TIME_NEVER);
	for (unsigned i = 0; i < times->count && reason == REASON_none; i++)
		if (times->at_us[i] > at_us && !in_way(v, category, times, times->at_us[i], i, TIME_NEVER))
			reason = in_way(v, category, times, times->at_us[i], i, at_us);
	return reason;
}

static enum reason caps_of(const struct plan_visit *v, enum category category, int64_t at_us)
{
	if (!(policy_category_flags(category) & CATEGORY_CAPPED))
		return REASON_none;
	enum reason reason = cap_of(v, category, &v->patient, at_us);
	return reason || v->facts.household ? reason : cap_of(v, category, &v->phone, at_us);
}

static void add_time(struct plan_times *times, int64_t at_us)
{
	if (times->count < PLAN_TIMES_MAX)
		times->at_us[times->count++] = at_us;
}

/* --- choosing ------------------------------------------------------------------------------------------------------
 */

/* The smaller, the more useful. */
static int64_t use_of(const struct plan_visit *v, const struct plan_step *step, int64_t due_us)
{
	const int64_t lead_s = (v->visit_us - due_us) / SECOND_US;
	const int64_t rank = step->rank ? step->rank : RANK_NONE;
	return rank * RANKS + (lead_s >= ACT_S ? lead_s : LEADS - lead_s);
}

/* When each would go by its own clock and the hours, and what already speaks against it. */
static void place(const struct plan_visit *v, const struct plan_step *steps, unsigned count, struct plan_choice *to)
{
	for (unsigned i = 0; i < count; i++) {
		int64_t nominal_us = policy_plan_nominal(&steps[i], v->visit_us, v->location);
		int64_t due_us = v->rules ? legal_us(v, steps[i].category, nominal_us) : TIME_NEVER;
		to[i] = (struct plan_choice){due_us == TIME_NEVER ? nominal_us : due_us, REASON_none};
		if (v->confirmed && steps[i].skip_confirmed)
			to[i].reason = REASON_dropped_confirmed;
		else if (to[i].due_us < v->now_us)
			to[i].reason = REASON_dropped_late;
		else if (due_us == TIME_NEVER)
			to[i].reason = REASON_dropped_hours;
	}
}

/* By use; equals as the plan has them. */
static void sort(const struct plan_visit *v, const struct plan_step *steps, unsigned count,
                 const struct plan_choice *choices, unsigned *order)
{
	int64_t use[LIMIT_PLAN_STEPS];
	for (unsigned i = 0; i < count; i++) {
		unsigned k = i;
		use[i] = use_of(v, &steps[i], choices[i].due_us);
		for (; k > 0 && use[i] < use[order[k - 1]]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static bool fits(const struct plan_visit *v, enum category category, int64_t at_us)
{
	const struct policy_facts f = facts_of(v, category);
	return at_us >= v->now_us && at_us <= v->visit_us - PLAN_LEAD_US && policy_quiet_open(v->rules, &f, at_us) &&
	       caps_of(v, category, at_us) == REASON_none;
}

/* The legal instant nearest to at_us, the earlier of two; TIME_NEVER when there is none near. */
static int64_t near_us(const struct plan_visit *v, enum category category, int64_t at_us)
{
	for (int64_t off_us = HOUR_US; off_us <= PLAN_SHIFT_US; off_us += HOUR_US) {
		if (fits(v, category, at_us - off_us))
			return at_us - off_us;
		if (fits(v, category, at_us + off_us))
			return at_us + off_us;
	}
	return TIME_NEVER;
}

/* The first instant from the step's own on at which no cap is in the way; TIME_NEVER and the cap at its own when there
 * is none within the slack. What was sent at ten sharp left a moment later. */
static int64_t capped_us(const struct plan_visit *v, enum category category, int64_t due_us, enum reason *cap_r)
{
	*cap_r = caps_of(v, category, due_us);
	if (*cap_r == REASON_none)
		return due_us;
	for (int64_t off_us = PLAN_SLACK_STEP_US; off_us <= PLAN_SLACK_US; off_us += PLAN_SLACK_STEP_US)
		if (fits(v, category, due_us + off_us))
			return due_us + off_us;
	return TIME_NEVER;
}

/* Nothing fits: the most useful one that is not late moves, if it can. */
static void rescue(const struct plan_visit *v, const struct plan_step *steps, unsigned count, const unsigned *order,
                   struct plan_choice *to)
{
	for (unsigned k = 0; k < count; k++) {
		struct plan_choice *c = &to[order[k]];
		if (c->reason == REASON_dropped_late || c->reason == REASON_dropped_confirmed || v->facts.zones == 0)
			continue;
		int64_t at_us = near_us(v, steps[order[k]].category, c->due_us);
		if (at_us == TIME_NEVER)
			continue;
		*c = (struct plan_choice){at_us, REASON_none};
		return;
	}
}

void policy_plan(const struct plan_visit *given, const struct plan_step *steps, unsigned count, struct plan_choice *to)
{
	struct plan_visit v = *given;
	unsigned order[LIMIT_PLAN_STEPS];
	bool planned = false;
	check(count <= LIMIT_PLAN_STEPS);
	place(&v, steps, count, to);
	sort(&v, steps, count, to, order);
	for (unsigned k = 0; k < count; k++) {
		struct plan_choice *c = &to[order[k]];
		if (c->reason)
			continue;
		enum reason cap;
		int64_t at_us = capped_us(&v, steps[order[k]].category, c->due_us, &cap);
		if (at_us == TIME_NEVER) {
			c->reason = cap == REASON_cap_week ? REASON_dropped_cap_week : REASON_dropped_cap_day;
			continue;
		}
		c->due_us = at_us;
		add_time(&v.patient, c->due_us);
		add_time(&v.phone, c->due_us);
		planned = true;
	}
	if (!planned && v.rules)
		rescue(&v, steps, count, order, to);
}
