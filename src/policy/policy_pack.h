/* Rule packs: which rules are in force at an instant. Rows: proto/rule_pack.def. */
#ifndef POLICY_PACK_H
#define POLICY_PACK_H

#include "policy_rules.h"

enum pack {
#define RULE_PACK(code, ...) PACK_##code,
#include "rule_pack.def"
#undef RULE_PACK
	PACK_COUNT
};

/* The rules of a row, in force or not. */
const struct policy_rules *policy_pack_rules(enum pack p);
/* PACK_COUNT when there is no such. */
enum pack policy_pack_parse(struct view code);

/* A person switched a pack: it is so from at_us until the next switch of the same pack. A row of
 * smsbridge.rule_pack_switch. */
struct policy_switch {
	const char *pack; /* its code; one that no row has changes nothing */
	int64_t at_us;
	bool on;
};

/* Whether a pack holds: now_us is in its dates, and it is on as shipped or as last switched (of switches at one
 * instant the later one in the array). switches: any order. smsbridge.pack_on says the same in SQL. */
bool policy_pack_on(enum pack p, int64_t now_us, const struct policy_switch *switches, size_t count);
/* The rules in force: of the packs that hold, the last row's. NULL when none does: then nothing may go. */
const struct policy_rules *policy_pack_at(int64_t now_us, const struct policy_switch *switches, size_t count);

#endif
