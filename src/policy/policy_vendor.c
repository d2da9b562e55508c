#include "policy_vendor.h"

#include "base_check.h"

#include <string.h>

#define CARRIER_WORD(name, reason, sentence)
#define VENDOR_PROFILE(name)
#define VENDOR_CODE(profile, code, word)
#define VENDOR_STATUS(profile, status, word)

#undef CARRIER_WORD
#define CARRIER_WORD(name, reason, sentence) [WORD_##name] = {#name, reason, sentence},
static const struct {
	const char *name;
	enum reason reason;
	const char *sentence;
} words[WORD_COUNT] = {
        [WORD_none] = {"", REASON_none, ""},
#include "vendor_code.def"
};
#undef CARRIER_WORD
#define CARRIER_WORD(name, reason, sentence)

#undef VENDOR_PROFILE
#define VENDOR_PROFILE(name) #name,
static const char *const profiles[] = {
#include "vendor_code.def"
};
#undef VENDOR_PROFILE
#define VENDOR_PROFILE(name)

#undef VENDOR_CODE
#define VENDOR_CODE(profile, code, word) {#profile, code, WORD_##word},
static const struct {
	const char *profile;
	const char *code;
	enum carrier_word word;
} codes[] = {
#include "vendor_code.def"
};
#undef VENDOR_CODE
#define VENDOR_CODE(profile, code, word)

#undef VENDOR_STATUS
#define VENDOR_STATUS(profile, status, word) {#profile, status, WORD_##word},
static const struct {
	const char *profile;
	uint32_t status;
	enum carrier_word word;
} statuses[] = {
#include "vendor_code.def"
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

const char *policy_word_name(enum carrier_word w)
{
	check((unsigned)w < WORD_COUNT);
	return words[w].name;
}

enum reason policy_word_reason(enum carrier_word w)
{
	check((unsigned)w < WORD_COUNT);
	return words[w].reason;
}

const char *policy_word_sentence(enum carrier_word w)
{
	check((unsigned)w < WORD_COUNT);
	return words[w].sentence;
}

const char *policy_vendor_name(unsigned i)
{
	return i < COUNT(profiles) ? profiles[i] : NULL;
}

bool policy_vendor_known(const char *profile)
{
	for (size_t i = 0; i < COUNT(profiles); i++)
		if (strcmp(profiles[i], profile) == 0)
			return true;
	return false;
}

/* "8:4775" -> "4775"; "3:6" -> "" */
static const char *vendors_part(const char *code)
{
	const char *colon = strchr(code, ':');
	if (!colon)
		return code;
	return colon == code + 1 && (*code == '7' || *code == '8') ? colon + 1 : "";
}

enum carrier_word policy_vendor_code(const char *profile, const char *code)
{
	code = vendors_part(code);
	code += strspn(code, "0");
	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(codes[i].code, code) == 0 && strcmp(codes[i].profile, profile) == 0)
			return codes[i].word;
	return WORD_none;
}

enum carrier_word policy_vendor_status(const char *profile, uint32_t status)
{
	if (!policy_vendor_known(profile))
		return WORD_none;
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (statuses[i].status == status &&
		    (strcmp(statuses[i].profile, profile) == 0 || strcmp(statuses[i].profile, "any") == 0))
			return statuses[i].word;
	return WORD_none;
}

int64_t policy_carrier_day_end_us(const struct zone *z, int64_t now_us)
{
	if (!z)
		return now_us + DAY_US;
	int64_t s = floor_div(now_us, SECOND_US);
	int64_t today = floor_div(s + policy_zone_offset(z, s), 86400);
	int64_t end_us = policy_zone_instant(z, today + 1, 0) * SECOND_US;
	return end_us > now_us ? end_us : now_us + DAY_US;
}

enum kind { LETTER, DIGIT, BLANK };

static enum kind kind_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return DIGIT;
	return c <= ' ' ? BLANK : LETTER;
}

uint64_t policy_content_key(struct view body)
{
	static const uint8_t stands_for[] = {[DIGIT] = '0', [BLANK] = ' '};
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
	enum kind before = BLANK;         /* leading blanks do not count */
	while (body.n && kind_of(body.p[body.n - 1]) == BLANK)
		body.n--;
	for (size_t i = 0; i < body.n; i++) {
		enum kind k = kind_of(body.p[i]);
		uint8_t c = body.p[i];
		if (k != LETTER && k == before)
			continue;
		if (k != LETTER)
			c = stands_for[k];
		else if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		h = (h ^ c) * 0x100000001b3u;
		before = k;
	}
	return h;
}
