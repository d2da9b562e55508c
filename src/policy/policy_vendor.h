/* Carriers' own codes in words of ours, and what each word means for a message. Rows: proto/vendor_code.def.
 * A carrier's profile is its `error_codes`; "" and unknown profiles have no codes. */
#ifndef POLICY_VENDOR_H
#define POLICY_VENDOR_H

#include "policy_rules.h"

enum carrier_word {
	WORD_none, /* the code has no row: the state or the status alone speaks */
#define CARRIER_WORD(name, reason, sentence) WORD_##name,
#define VENDOR_PROFILE(name)
#define VENDOR_CODE(profile, code, word)
#define VENDOR_STATUS(profile, status, word)
#include "vendor_code.def"
#undef CARRIER_WORD
#undef VENDOR_PROFILE
#undef VENDOR_CODE
#undef VENDOR_STATUS
	WORD_COUNT
};

const char *policy_word_name(enum carrier_word w);     /* "daily_cap"; "" for none */
enum reason policy_word_reason(enum carrier_word w);   /* REASON_none for none and unknown */
const char *policy_word_sentence(enum carrier_word w); /* "" for none */

/* Whether there are rows of that profile; "" is no profile. */
bool policy_vendor_known(const char *profile);
/* The next profile's name after position i, from 0 on; NULL at the end. For messages that list them. */
const char *policy_vendor_name(unsigned i);

/* The word of a receipt's error as smpp_receipt gives it: "015", "4775", or "8:4775" of network_error_code, whose type
 * must be a message centre's (7, 8: SMPP 5.0 4.8.4.42): 3:6 is GSM's cause 6, no vendor's 6. */
enum carrier_word policy_vendor_code(const char *profile, const char *code);
/* The word of a command_status in an answer. */
enum carrier_word policy_vendor_status(const char *profile, uint32_t status);

/* When a carrier's day ends: the next midnight in its zone (T-Mobile: America/Los_Angeles), always after now_us.
 * Without a zone a whole day later. */
int64_t policy_carrier_day_end_us(const struct zone *z, int64_t now_us);

/* A text's fingerprint: what stays when runs of digits, of blanks, and the case of ASCII letters are the same. Two
 * reminders that differ in time and number have one; a patient's name makes another. 64 bits, compared within a
 * practice only. */
uint64_t policy_content_key(struct view body);

#endif
