#include "policy_phone.h"

#include "base_check.h"

#include <string.h>

#define ROW_ZONES 4

struct npa {
	uint16_t area;
	const char *region; /* NULL: not in the United States */
	const char *zone[ROW_ZONES];
};

static const struct npa npas[] = {
#define NPA(area, region, ...) {area, region, {__VA_ARGS__}},
#define NPA_FOREIGN(area, where) {area, NULL, {NULL}},
#include "npa.def"
};

struct npa_class {
	uint16_t first;
	uint16_t last;
	enum phone_check check;
};

static const struct npa_class classes[] = {
#define NPA_CLASS(first, last, check, what) {first, last, PHONE_##check},
#include "npa.def"
};

static const char *const assumed[] = {
#define NPA_ASSUMED(...) __VA_ARGS__
#include "npa.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(COUNT(assumed) <= LIMIT_ZONES && ROW_ZONES <= LIMIT_ZONES, "zones of a row fit a patient's");

struct wording {
	const char *code;
	const char *sentence;
};

static const struct wording wordings[] = {
        [PHONE_OK] = {"ok", "The number can be texted."},
        [PHONE_MALFORMED] = {"phone_malformed", "This is not a phone number; write +1 and the ten digits."},
        [PHONE_NOT_US] = {"phone_not_us", "This number is not in the United States or its territories."},
        [PHONE_TOLL_FREE] = {"phone_toll_free", "This is a toll-free number, not a patient's phone."},
        [PHONE_PREMIUM] = {"phone_premium", "This is a premium-rate number, not a patient's phone."},
        [PHONE_SPECIAL] = {"phone_special", "This number belongs to a special service, not to a patient's phone."},
        [PHONE_FICTIONAL] = {"phone_fictional", "This number is kept for examples and tests; it reaches nobody."},
};

const char *policy_phone_code(enum phone_check c)
{
	check((unsigned)c < COUNT(wordings));
	return wordings[c].code;
}

const char *policy_phone_sentence(enum phone_check c)
{
	check((unsigned)c < COUNT(wordings));
	return wordings[c].sentence;
}

static const struct npa *npa_find(unsigned area)
{
	size_t low = 0;
	size_t high = COUNT(npas);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (npas[middle].area < area)
			low = middle + 1;
		else
			high = middle;
	}
	return low < COUNT(npas) && npas[low].area == area ? &npas[low] : NULL;
}

static unsigned three_digits(const uint8_t *p)
{
	return (unsigned)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
}

/* An area code or an exchange: it starts with 2-9 and is not N11, which are services like 911. */
static bool code_possible(unsigned code)
{
	return code >= 200 && code % 100 != 11;
}

static bool digits_only(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

static enum phone_check check_area(unsigned area, unsigned exchange)
{
	for (size_t i = 0; i < COUNT(classes); i++)
		if (area >= classes[i].first && area <= classes[i].last)
			return classes[i].check;
	if (exchange == 976)
		return PHONE_PREMIUM;
	const struct npa *row = npa_find(area);
	return row && !row->region ? PHONE_NOT_US : PHONE_OK;
}

enum phone_check policy_phone_check(struct view text)
{
	/* E.164: a plus sign and at most 15 digits, of which the first is no zero. */
	if (text.n < 8 || text.n > 16 || text.p[0] != '+' || text.p[1] == '0' ||
	    !digits_only(view_of(text.p + 1, text.n - 1)))
		return PHONE_MALFORMED;
	if (text.p[1] != '1')
		return PHONE_NOT_US;
	if (text.n != PHONE_BYTES - 1)
		return PHONE_MALFORMED;
	unsigned area = three_digits(text.p + 2);
	unsigned exchange = three_digits(text.p + 5);
	if (!code_possible(area) || !code_possible(exchange))
		return PHONE_MALFORMED;
	enum phone_check c = check_area(area, exchange);
	bool fictional = exchange == 555 && text.p[8] == '0' && text.p[9] == '1';
	return c == PHONE_OK && fictional ? PHONE_FICTIONAL : c;
}

static const struct npa *npa_of(const char *phone)
{
	struct view v = view_str(phone);
	check(v.n == PHONE_BYTES - 1 && v.p[0] == '+' && v.p[1] == '1' && digits_only(view_of(v.p + 1, v.n - 1)));
	return npa_find(three_digits(v.p + 2));
}

struct zone_names policy_phone_zones(const char *phone)
{
	const struct npa *row = npa_of(phone);
	struct zone_names z = {.assumed = !row || !row->region};
	const char *const *from = z.assumed ? assumed : row->zone;
	size_t max = z.assumed ? COUNT(assumed) : ROW_ZONES;
	while (z.count < max && from[z.count]) {
		z.name[z.count] = from[z.count];
		z.count++;
	}
	return z;
}

bool policy_zone_names_add(struct zone_names *z, const char *name)
{
	for (unsigned i = 0; i < z->count; i++)
		if (strcmp(z->name[i], name) == 0)
			return true;
	if (z->count == LIMIT_ZONES)
		return false;
	z->name[z->count++] = name;
	return true;
}

bool policy_phone_region_zones(const char *region, struct zone_names *z)
{
	bool all = true;
	for (size_t i = 0; i < COUNT(npas); i++) {
		if (!npas[i].region || strcmp(npas[i].region, region) != 0)
			continue;
		for (size_t k = 0; k < ROW_ZONES && npas[i].zone[k]; k++)
			all = policy_zone_names_add(z, npas[i].zone[k]) && all;
	}
	return all;
}

const char *policy_phone_region(const char *phone)
{
	const struct npa *row = npa_of(phone);
	return row && row->region ? row->region : "";
}
