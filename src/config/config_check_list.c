/* What routes, senders and brands must hold. */
#include "config_check_internal.h"

#include <string.h>

/* A plus sign or none, and digits. */
static bool is_number(const char *text, size_t least, size_t most)
{
	const char *digits = text[0] == '+' ? text + 1 : text;
	size_t n = strspn(digits, "0123456789");
	return digits[n] == 0 && n >= least && n <= most;
}

static bool is_carrier(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->carriers; i++)
		if (strcmp(c->carrier[i].name, name) == 0)
			return true;
	return false;
}

static bool is_brand(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->brands; i++)
		if (strcmp(c->brand[i].name, name) == 0)
			return true;
	return false;
}

static bool is_category(const char *code)
{
	static const char *const codes[] = {
#define CATEGORY(code, flags, basis, citation, sentence) #code,
#include "category.def"
#undef CATEGORY
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

/* The shape of an IANA name; whether tzdata has it is seen where the files are read. */
static bool is_zone(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < n; i++) {
		char c = name[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(i > 0 && (c == '/' || c == '_' || c == '-' || c == '+' || (c >= '0' && c <= '9'))))
			return false;
	}
	return n > 0 && n < LIMIT_ZONE_NAME_BYTES && name[n - 1] != '/' && !strstr(name, "//");
}

static void check_zone(struct config_checker *k, enum config_section section, unsigned i, const char *zone)
{
	if (!is_zone(zone))
		config_check_wrong(k, section, i, "reset_zone", "not a time zone", "a name like America/Los_Angeles");
}

static bool same_route(const struct config_route *a, const struct config_route *b)
{
	return strcmp(a->carrier, b->carrier) == 0 && strcmp(a->sender, b->sender) == 0 &&
	       strcmp(a->prefix, b->prefix) == 0 && strcmp(a->category, b->category) == 0;
}

static void check_route(struct config_checker *k, unsigned i)
{
	const struct config_route *one = &k->c->route[i];
	if (!is_carrier(k->c, one->carrier))
		config_check_wrong(k, CONFIG_route, i, "carrier", "there is no such carrier", "the name of one");
	if (one->sender[0] && !is_number(one->sender, 3, 15))
		config_check_wrong(k, CONFIG_route, i, "sender", "not a number",
		                   "one like +12125550100, or a short code");
	if (one->prefix[0] && !(one->prefix[0] == '+' && is_number(one->prefix, 1, 15)))
		config_check_wrong(k, CONFIG_route, i, "prefix", "not a prefix", "one like +1212");
	if (one->category[0] && !is_category(one->category))
		config_check_wrong(k, CONFIG_route, i, "category", "there is no such category",
		                   "one like appointment_reminder");
	for (unsigned other = 0; other < i; other++) {
		if (same_route(one, &k->c->route[other])) {
			config_check_wrong(k, CONFIG_route, i, "carrier", "another route says the same", "one of them");
			return;
		}
	}
}

static void check_sender(struct config_checker *k, unsigned i)
{
	const struct config_sender *one = &k->c->sender[i];
	if (!is_number(one->number, 3, 15))
		config_check_wrong(k, CONFIG_sender, i, "number", "not a number",
		                   "one like +12125550100, or a short code");
	if (one->brand[0] && !is_brand(k->c, one->brand))
		config_check_wrong(k, CONFIG_sender, i, "brand", "there is no such brand", "the name of one");
	check_zone(k, CONFIG_sender, i, one->reset_zone);
	for (unsigned other = 0; other < i; other++) {
		if (strcmp(one->number, k->c->sender[other].number) == 0) {
			config_check_wrong(k, CONFIG_sender, i, "number", "another sender has this number",
			                   "each number once");
			return;
		}
	}
}

static void check_brand(struct config_checker *k, unsigned i)
{
	const struct config_brand *one = &k->c->brand[i];
	check_zone(k, CONFIG_brand, i, one->reset_zone);
	for (unsigned other = 0; other < i; other++) {
		if (strcmp(one->name, k->c->brand[other].name) == 0) {
			config_check_wrong(k, CONFIG_brand, i, "name", "another brand has this name",
			                   "a name of its own");
			return;
		}
	}
}

void config_check_lists(struct config_checker *k)
{
	for (unsigned i = 0; i < k->c->routes; i++)
		check_route(k, i);
	for (unsigned i = 0; i < k->c->senders; i++)
		check_sender(k, i);
	for (unsigned i = 0; i < k->c->brands; i++)
		check_brand(k, i);
}
