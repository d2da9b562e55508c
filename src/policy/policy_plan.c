#include "policy_plan.h"

#include "base_check.h"
#include "policy_cap.h"
#include "policy_quiet.h"

#include <string.h>

#define DAY_S 86400
#define GRID_US (15 * MINUTE_US) /* on which the evening before is looked for */
#define EVENING_US DAY_US        /* how far back it may be */
#define CAPS_SEE_US (9 * DAY_US) /* what is older is in no cap's way */

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
	int64_t n;
	char unit;
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
	if (text.n < 3 || text.p[0] != 'P')
		return false;
	struct view rest = view_of(text.p + 1, text.n - 1);
	if (!take_parts(&rest, "WD", days_of, &days))
		return false;
	if (rest.n) {
		rest = view_of(rest.p + 1, rest.n - 1);
		if (!rest.n || memchr(rest.p, 'T', rest.n) || !take_parts(&rest, "HM", seconds_of, &seconds))
			return false;
	}
	if (days + seconds == 0 || days * DAY_S + seconds > PLAN_DAYS_MAX * DAY_S)
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

static struct policy_facts facts_of(const struct plan_visit *v, enum category category)
{
	struct policy_facts f = v->facts;
	f.category = category;
	return f;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The last instant of the grid before at_us that is open, within a day; TIME_NEVER when there is none from now on. */
static int64_t evening_before(const struct plan_visit *v, const struct policy_facts *f, int64_t at_us)
{
	int64_t t = floor_div(at_us, GRID_US) * GRID_US;
	for (; t >= v->now_us && t >= at_us - EVENING_US; t -= GRID_US)
		if (policy_quiet_open(v->rules, f, t))
			return t;
	return TIME_NEVER;
}

/* The instant at which the step may go by the hours alone; TIME_NEVER when there is none of use. */
static int64_t legal_us(const struct plan_visit *v, enum category category, int64_t nominal_us)
{
	const struct policy_facts f = facts_of(v, category);
	const int64_t lead_us = least(PLAN_LEAD_US, v->visit_us - nominal_us);
	if (f.zones == 0)
		return TIME_NEVER;
	if (policy_quiet_open(v->rules, &f, nominal_us))
		return nominal_us;
	int64_t morning_us = policy_quiet_next_us(v->rules, &f, nominal_us);
	if (morning_us != TIME_NEVER && morning_us + lead_us <= v->visit_us)
		return morning_us;
	return evening_before(v, &f, nominal_us);
}

/* --- caps ----------------------------------------------------------------------------------------------------------
 */

/* The newest of what lies before at_us (or at it, but for the message itself), and of the one that is tried. */
static void sends_before(const struct plan_times *times, int64_t at_us, unsigned self, int64_t tried_us,
                         struct policy_sends *to)
{
	to->count = 0;
	for (unsigned i = 0; i <= times->count; i++) {
		int64_t t = i < times->count ? times->at_us[i] : tried_us;
		if (t > at_us || t < at_us - CAPS_SEE_US || i == self)
			continue;
		unsigned k = to->count < POLICY_SENDS_MAX ? to->count++ : POLICY_SENDS_MAX;
		if (k == POLICY_SENDS_MAX) { /* the oldest goes */
			unsigned oldest = 0;
			for (unsigned j = 1; j < POLICY_SENDS_MAX; j++)
				oldest = to->at_us[j] < to->at_us[oldest] ? j : oldest;
			if (to->at_us[oldest] >= t)
				continue;
			k = oldest;
		}
		to->at_us[k] = t;
	}
}

#define NOT_TRIED INT64_MIN

/* What is in the way of a message at at_us (self of times, or the one that is tried) beside those before it. */
static enum reason in_way(const struct plan_visit *v, struct policy_facts *f, const struct plan_times *times,
                          bool phone, int64_t at_us, unsigned self, int64_t tried_us)
{
	enum reason reason;
	f->patient.count = f->phone.count = 0;
	sends_before(times, at_us, self, tried_us, phone ? &f->phone : &f->patient);
	policy_cap_next_us(v->rules, f, at_us, &reason);
	return reason;
}

/* The cap that a message at at_us would break, its own or that of one after it; REASON_none when it breaks none. */
static enum reason cap_of(const struct plan_visit *v, enum category category, const struct plan_times *times,
                          bool phone, int64_t at_us)
{
	struct policy_facts f = facts_of(v, category);
	enum reason reason = in_way(v, &f, times, phone, at_us, times->count, at_us);
	for (unsigned i = 0; i < times->count && reason == REASON_none; i++)
		if (times->at_us[i] > at_us && times->at_us[i] < at_us + CAPS_SEE_US &&
		    !in_way(v, &f, times, phone, times->at_us[i], i, NOT_TRIED))
			reason = in_way(v, &f, times, phone, times->at_us[i], i, at_us);
	return reason;
}

static enum reason caps_of(const struct plan_visit *v, enum category category, int64_t at_us)
{
	if (!(policy_category_flags(category) & CATEGORY_CAPPED))
		return REASON_none;
	enum reason reason = cap_of(v, category, &v->patient, false, at_us);
	return reason || v->facts.household ? reason : cap_of(v, category, &v->phone, true, at_us);
}

static void add_time(struct plan_times *times, int64_t at_us)
{
	if (times->count < PLAN_TIMES_MAX)
		times->at_us[times->count++] = at_us;
}

/* --- choosing ------------------------------------------------------------------------------------------------------
 */

/* Whether a is of more use than b. */
static bool more_useful(const struct plan_visit *v, const struct plan_step *a, int64_t a_due_us,
                        const struct plan_step *b, int64_t b_due_us)
{
	const int rank_a = a->rank ? a->rank : INT32_MAX, rank_b = b->rank ? b->rank : INT32_MAX;
	const int64_t lead_a = v->visit_us - a_due_us, lead_b = v->visit_us - b_due_us;
	if (rank_a != rank_b)
		return rank_a < rank_b;
	if ((lead_a >= PLAN_ACT_US) != (lead_b >= PLAN_ACT_US))
		return lead_a >= PLAN_ACT_US;
	return lead_a >= PLAN_ACT_US ? lead_a < lead_b : lead_a > lead_b;
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
		else if (to[i].due_us < v->now_us || v->visit_us <= v->now_us)
			to[i].reason = REASON_dropped_late;
		else if (due_us == TIME_NEVER)
			to[i].reason = REASON_dropped_hours;
	}
}

static void sort(const struct plan_visit *v, const struct plan_step *steps, unsigned count,
                 const struct plan_choice *choices, unsigned *order)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned k = i;
		for (; k > 0 &&
		       more_useful(v, &steps[i], choices[i].due_us, &steps[order[k - 1]], choices[order[k - 1]].due_us);
		     k--)
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
	unsigned planned = 0;
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
		planned++;
	}
	if (planned == 0 && v.rules)
		rescue(&v, steps, count, order, to);
}
