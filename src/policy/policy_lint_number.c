/* Numbers that tell who a patient is (45 CFR 164.514(b)(2)), and the practice's own phone. */
#include "policy_lint_internal.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GROUPS_MAX 64 /* runs of digits in one text; 160 characters have at most 80 */
#define GROUP_DIGITS_MAX 24
#define PHONE_DIGITS 10

static const char *const months[] = {
#define LINT_MONTH(name) name,
#include "lint_word.def"
};

/* A run of digits. */
struct group {
	unsigned at; /* octets */
	unsigned n;  /* digits; one of more than GROUP_DIGITS_MAX is cut */
	char digit[GROUP_DIGITS_MAX];
	char joint;   /* the separator to the group before it: one character, or ')' for ") "; 0 when it stands alone */
	bool letters; /* letters touch it */
};

struct groups {
	struct group group[GROUPS_MAX];
	unsigned count;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* What joins the digits that end at octet end to those that begin at at. */
static char joint_of(struct view text, unsigned end, unsigned at)
{
	struct view v = view_of(text.p + end, at - end);
	if (v.n == 1 && strchr(" -./", v.p[0]))
		return (char)v.p[0];
	if (view_eq(v, VIEW(") ")) || view_eq(v, VIEW(")")) || view_eq(v, VIEW(")-")))
		return ')';
	return view_eq(v, VIEW(" (")) || view_eq(v, VIEW("-(")) || view_eq(v, VIEW("(")) ? '(' : 0;
}

static size_t read_group(struct view text, size_t at, struct groups *to)
{
	struct group *g = &to->group[to->count++];
	const struct group *before = g > to->group ? g - 1 : NULL;
	*g = (struct group){.at = (unsigned)at, .letters = at > 0 && is_letter(text.p[at - 1])};
	if (before && before->n <= GROUP_DIGITS_MAX)
		g->joint = joint_of(text, before->at + before->n, (unsigned)at);
	for (; at < text.n && is_digit(text.p[at]); at++) {
		if (g->n < GROUP_DIGITS_MAX)
			g->digit[g->n] = (char)text.p[at];
		g->n++;
	}
	g->letters = g->letters || (at < text.n && is_letter(text.p[at]));
	return at;
}

static void read_groups(const struct lint *l, struct groups *to)
{
	struct view text = l->words.text;
	to->count = 0;
	for (size_t at = 0; at < text.n && to->count < GROUPS_MAX;) {
		if (is_digit(text.p[at]) && !lint_in_link(l, (unsigned)at))
			at = read_group(text, at, to);
		else
			at++;
	}
}

/* --- kinds of number ------------------------------------------------------------------------------------------- */

static unsigned end_of(const struct group *g)
{
	return g->at + g->n;
}

static unsigned value_of(const struct group *g)
{
	unsigned v = 0;
	for (unsigned i = 0; i < g->n && i < 9; i++)
		v = v * 10 + (unsigned)(g->digit[i] - '0');
	return v;
}

/* Groups from i on have these lengths and are joined by one of these separators. */
static bool shaped(const struct groups *g, unsigned i, const unsigned *lengths, unsigned count, const char *joints)
{
	if (i + count > g->count)
		return false;
	for (unsigned k = 0; k < count; k++) {
		const struct group *one = &g->group[i + k];
		if (one->n != lengths[k] || (k && (!one->joint || !strchr(joints, one->joint))))
			return false;
	}
	return true;
}

static void add_groups(struct lint *l, enum lint_rule rule, const struct groups *g, unsigned i, unsigned count)
{
	lint_add(l, rule, g->group[i].at, end_of(&g->group[i + count - 1]) - g->group[i].at);
}

static unsigned take_ssn(struct lint *l, const struct groups *g, unsigned i)
{
	static const unsigned lengths[] = {3, 2, 4};
	if (!shaped(g, i, lengths, 3, "- ."))
		return 0;
	add_groups(l, LINT_phi_ssn, g, i, 3);
	return 3;
}

static bool old_year(unsigned y, unsigned digits)
{
	return digits == 4 ? y >= 1900 && y < 2020 : digits == 2 && y >= 40;
}

/* 3/4/1961, 1961-03-04, 3/4/61: a day of the far past is a birthday's. */
static unsigned take_date(struct lint *l, const struct groups *g, unsigned i)
{
	if (i + 3 > g->count)
		return 0;
	const struct group *a = &g->group[i], *b = a + 1, *c = a + 2;
	if (!b->joint || b->joint != c->joint || !strchr("-./", b->joint))
		return 0;
	bool first = a->n == 4 && old_year(value_of(a), 4) && b->n <= 2 && c->n <= 2;
	bool last = a->n <= 2 && b->n <= 2 && old_year(value_of(c), c->n) && value_of(a) <= 31 && value_of(b) <= 31;
	if (!first && !last)
		return 0;
	add_groups(l, LINT_phi_birth_date, g, i, 3);
	return 3;
}

static unsigned take_ip(struct lint *l, const struct groups *g, unsigned i)
{
	if (i + 4 > g->count)
		return 0;
	for (unsigned k = 0; k < 4; k++)
		if (g->group[i + k].n > 3 || value_of(&g->group[i + k]) > 255 || (k && g->group[i + k].joint != '.'))
			return 0;
	add_groups(l, LINT_phi_ip, g, i, 4);
	return 4;
}

/* The ten digits of a NANP number in groups from i on; how many groups, or 0. */
static unsigned phone_at(const struct groups *g, unsigned i, char digits[PHONE_DIGITS + 1])
{
	static const unsigned parts[] = {3, 3, 4}, whole[] = {10}, long_whole[] = {11}, two[] = {3, 7};
	const struct group *a = &g->group[i];
	unsigned skip = a->n == 1 && a->digit[0] == '1' && i + 1 < g->count && g->group[i + 1].joint ? 1 : 0;
	digits[PHONE_DIGITS] = 0;
	if (shaped(g, i, long_whole, 1, "") && a->digit[0] == '1') {
		memcpy(digits, a->digit + 1, PHONE_DIGITS);
		return 1;
	}
	unsigned n = shaped(g, i + skip, parts, 3, "- .()/") ? 3 : shaped(g, i + skip, two, 2, "- .)") ? 2 : 0;
	n = n ? n : shaped(g, i + skip, whole, 1, "") ? 1 : 0;
	for (unsigned k = 0, at = 0; k < n; at += g->group[i + skip + k].n, k++)
		memcpy(digits + at, g->group[i + skip + k].digit, g->group[i + skip + k].n);
	return n && digits[0] > '1' ? n + skip : 0;
}

/* The digits of the practice's phone, the country's 1 left out. */
static unsigned own_digits(struct view phone, char to[GROUP_DIGITS_MAX])
{
	unsigned n = 0;
	for (size_t i = 0; i < phone.n && n < GROUP_DIGITS_MAX; i++)
		if (is_digit(phone.p[i]))
			to[n++] = (char)phone.p[i];
	if (n == PHONE_DIGITS + 1 && to[0] == '1')
		memmove(to, to + 1, --n);
	return n;
}

static unsigned take_phone(struct lint *l, const struct groups *g, unsigned i)
{
	char own[GROUP_DIGITS_MAX], digits[PHONE_DIGITS + 1];
	unsigned count = phone_at(g, i, digits);
	if (!count)
		return 0;
	if (own_digits(l->facts->phone, own) == PHONE_DIGITS && memcmp(own, digits, PHONE_DIGITS) == 0)
		l->contact = true;
	else
		add_groups(l, LINT_phi_phone, g, i, count);
	return count;
}

/* A phone that is no ten digits (an extension, a short number): the same digits, however they are parted. */
static unsigned take_own(struct lint *l, const struct groups *g, unsigned i)
{
	char own[GROUP_DIGITS_MAX];
	unsigned n = own_digits(l->facts->phone, own);
	unsigned count = 0;
	for (unsigned at = 0; n >= 3 && at < n && i + count < g->count; count++) {
		const struct group *one = &g->group[i + count];
		if (one->n > n - at || memcmp(own + at, one->digit, one->n) != 0 || (count && !one->joint))
			return 0;
		at += one->n;
		if (at == n) {
			l->contact = true;
			return count + 1;
		}
	}
	return 0;
}

static bool luhn(const char *digits, unsigned n)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned d = (unsigned)(digits[n - 1 - i] - '0');
		sum += i % 2 ? (d > 4 ? 2 * d - 9 : 2 * d) : d;
	}
	return sum % 10 == 0;
}

/* 13 to 19 digits whose check digit is right: a payment card (ISO/IEC 7812-1). */
static unsigned take_card(struct lint *l, const struct groups *g, unsigned i)
{
	char digits[GROUP_DIGITS_MAX];
	unsigned n = 0;
	for (unsigned k = i; k < g->count && n + g->group[k].n <= 19; k++) {
		const struct group *one = &g->group[k];
		if (k > i && one->joint != ' ' && one->joint != '-')
			break;
		memcpy(digits + n, one->digit, one->n);
		n += one->n;
		if (n >= 13 && luhn(digits, n)) {
			add_groups(l, LINT_phi_account, g, i, k - i + 1);
			return k - i + 1;
		}
	}
	return 0;
}

static unsigned take_long(struct lint *l, const struct groups *g, unsigned i)
{
	const struct group *one = &g->group[i];
	if (one->n < 9 && !(one->letters && one->n >= 6))
		return 0;
	add_groups(l, LINT_phi_other_number, g, i, 1);
	return 1;
}

/* --- months in words ------------------------------------------------------------------------------------------- */

static unsigned number_word(const struct policy_words *w, unsigned i, unsigned *digits_r)
{
	unsigned v = 0;
	*digits_r = 0;
	for (unsigned k = 0; i < w->count && k < w->word[i].n && *digits_r < 9; k++) {
		char c = w->letter[w->word[i].letters + k];
		if (!is_digit((uint8_t)c))
			break;
		v = v * 10 + (unsigned)(c - '0');
		++*digits_r;
	}
	return v;
}

/* "March 4th, 1961", "4 March 1961" */
static void lint_month_dates(struct lint *l)
{
	const struct policy_words *w = &l->words;
	for (size_t k = 0; k < COUNT(months); k++) {
		unsigned i = policy_words_find(w, months[k]);
		for (; i < w->count; i = policy_words_find_next(w, months[k], i)) {
			for (unsigned y = i + 1; y <= i + 2 && y < w->count; y++) {
				unsigned digits, year = number_word(w, y, &digits);
				if (digits == 4 && w->word[y].n == 4 && old_year(year, 4))
					lint_add_words(l, LINT_phi_birth_date, i, y - i + 1);
			}
		}
	}
}

void lint_numbers(struct lint *l)
{
	typedef unsigned (*taker)(struct lint *, const struct groups *, unsigned);
	static const taker takers[] = {take_own, take_card, take_ssn, take_date, take_ip, take_phone, take_long};
	struct groups g;
	read_groups(l, &g);
	for (unsigned i = 0; i < g.count;) {
		unsigned n = 0;
		for (size_t k = 0; k < COUNT(takers) && !n; k++)
			n = takers[k](l, &g, i);
		i += n ? n : 1;
	}
	lint_month_dates(l);
}
