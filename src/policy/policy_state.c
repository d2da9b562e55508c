#include "policy_state.h"

#include "base_check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(s) (UINT64_C(1) << (s))

enum state_kind { KIND_STATE, KIND_TERRITORY, KIND_MILITARY };

struct state_row {
	const char *code;
	enum state_kind kind;
	const char *name;
};

static const struct state_row states_rows[STATE_COUNT] = {
#define STATE(code, kind, name) [STATE_##code] = {#code, KIND_##kind, name},
#include "state.def"
};

_Static_assert(STATE_COUNT <= 64, "a bit for each");

struct state_zone {
	enum state state;
	const char *zone;
};

static const struct state_zone state_zones[] = {
#define STATE_ZONE(code, zone) {STATE_##code, zone},
#include "state.def"
};

#define HOURS(from, until)                                                                                             \
	{                                                                                                              \
		(from) * 60, (until)*60                                                                                \
	}
#define NONE HOURS(0, 0)
#define OPEN false
#define CLOSED true

struct state_law {
	enum state state;
	struct policy_window weekdays;
	struct policy_window saturday;
	struct policy_window sunday;
	bool rests_on_holidays;
	int day_max;
};

static const struct state_law laws[] = {
#define STATE_HOURS(code, weekdays, saturday, sunday, holidays, day_max, citation, note)                               \
	{STATE_##code, weekdays, saturday, sunday, holidays, day_max},
#include "state_hours.def"
#undef STATE_HOURS
};

struct zip3 {
	int first;
	int last;
	policy_states states;
};

#define PLACES(one, two, ...) (BIT(STATE_##one) | BIT(STATE_##two))

static const struct zip3 zip3s[] = {
#define ZIP3(first, last, ...) {first, last, PLACES(__VA_ARGS__, __VA_ARGS__, )},
#include "zip3.def"
#undef ZIP3
};

const char *policy_state_code(enum state s)
{
	check((unsigned)s < STATE_COUNT);
	return states_rows[s].code;
}

const char *policy_state_name(enum state s)
{
	check((unsigned)s < STATE_COUNT);
	return states_rows[s].name;
}

/* --- where -------------------------------------------------------------------------------------------------------- */

policy_states policy_states_of_code(struct view code)
{
	for (unsigned s = 0; s < STATE_COUNT; s++)
		if (view_eq_nocase(code, view_str(states_rows[s].code)))
			return BIT(s);
	return 0;
}

policy_states policy_states_of_phone(const char *phone)
{
	return policy_states_of_code(view_str(policy_phone_region(phone)));
}

/* "10001" or "10001-1234". */
static bool zip_shaped(struct view zip)
{
	if (zip.n != 5 && (zip.n != 10 || zip.p[5] != '-'))
		return false;
	for (size_t i = 0; i < zip.n; i++)
		if (i != 5 && (zip.p[i] < '0' || zip.p[i] > '9'))
			return false;
	return true;
}

policy_states policy_states_of_zip(struct view zip)
{
	if (!zip_shaped(zip))
		return 0;
	int prefix = (zip.p[0] - '0') * 100 + (zip.p[1] - '0') * 10 + (zip.p[2] - '0');
	for (size_t i = 0; i < COUNT(zip3s); i++)
		if (prefix >= zip3s[i].first && prefix <= zip3s[i].last)
			return zip3s[i].states;
	return 0;
}

const char *policy_states_format(policy_states states, char to[POLICY_STATES_TEXT_BYTES])
{
	size_t n = 0;
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		if (!(states & BIT(s)))
			continue;
		if (n)
			to[n++] = ' ';
		to[n++] = states_rows[s].code[0];
		to[n++] = states_rows[s].code[1];
	}
	to[n] = '\0';
	return to;
}

bool policy_states_parse(struct view text, policy_states *states_r)
{
	policy_states states = 0;
	*states_r = 0;
	for (struct view rest = view_trim(text); rest.n; rest = view_trim(rest)) {
		size_t n = 0;
		while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\t')
			n++;
		policy_states one = policy_states_of_code(view_of(rest.p, n));
		if (!one)
			return false;
		states |= one;
		rest = view_of(rest.p + n, rest.n - n);
	}
	*states_r = states;
	return true;
}

struct zone_names policy_zones_of_states(policy_states states)
{
	struct zone_names z = {0};
	bool all = true;
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		if (!(states & BIT(s)))
			continue;
		z.assumed = z.assumed || states_rows[s].kind == KIND_MILITARY;
		all = policy_phone_region_zones(states_rows[s].code, &z) && all;
		for (size_t i = 0; i < COUNT(state_zones); i++)
			if (state_zones[i].state == s)
				all = policy_zone_names_add(&z, state_zones[i].zone) && all;
	}
	if (!all)
		z.count = 0;
	return z;
}

/* --- law ---------------------------------------------------------------------------------------------------------- */

/* The states whose rows hold. */
static policy_states lawful(policy_states states)
{
	for (unsigned s = 0; s < STATE_COUNT; s++)
		if (states & BIT(s) && states_rows[s].kind != KIND_STATE)
			return UINT64_MAX;
	return states ? states : UINT64_MAX;
}

static const struct policy_window *law_window(const struct state_law *law, int weekday)
{
	if (weekday == 0)
		return &law->sunday;
	return weekday == 6 ? &law->saturday : &law->weekdays;
}

struct policy_window policy_states_window(policy_states states, int weekday)
{
	const policy_states held = lawful(states);
	struct policy_window all = {0, 24 * 60};
	for (size_t i = 0; i < COUNT(laws); i++) {
		const struct policy_window *w = law_window(&laws[i], weekday);
		if (!(held & BIT(laws[i].state)))
			continue;
		all.open_minute = w->open_minute > all.open_minute ? w->open_minute : all.open_minute;
		all.close_minute = w->close_minute < all.close_minute ? w->close_minute : all.close_minute;
	}
	return all;
}

bool policy_states_rest_on_holidays(policy_states states)
{
	const policy_states held = lawful(states);
	for (size_t i = 0; i < COUNT(laws); i++)
		if (held & BIT(laws[i].state) && laws[i].rests_on_holidays)
			return true;
	return false;
}

int policy_states_day_max(policy_states states)
{
	const policy_states held = lawful(states);
	int least = 0;
	for (size_t i = 0; i < COUNT(laws); i++)
		if (held & BIT(laws[i].state) && laws[i].day_max && (!least || laws[i].day_max < least))
			least = laws[i].day_max;
	return least;
}
