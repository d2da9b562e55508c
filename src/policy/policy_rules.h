/* The rules at send time, pure: facts and now come in as arguments, a verdict with a reason comes out.
 * Numbers are 47 CFR 64.1200(a)(9)(iv) and (c)(1), as compliance.md section 6 settles them. */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "base_uuid.h"
#include "policy_zone.h"

/* Every reason a message waits, is refused or ends. Rows: proto/reason.def
 * REASON(code, rule, citation, sentence, finality). */
enum reason {
	REASON_none,
#define REASON(code, rule, citation, sentence, finality) REASON_##code,
#include "reason.def"
#undef REASON
	REASON_COUNT
};

const char *policy_reason_code(enum reason r);     /* "quiet_hours"; "" for none */
const char *policy_reason_rule(enum reason r);     /* rule family: "quiet_hours", "cap", "opt_out", "carrier", ... */
const char *policy_reason_citation(enum reason r); /* "47 CFR 64.1200(c)(1)"; "" when no rule of law is behind it */
const char *policy_reason_sentence(enum reason r); /* one sentence that a receptionist understands */
/* "final": the message ends; "waits": it goes later; "news": says what happened. */
const char *policy_reason_finality(enum reason r);
/* REASON_none when there is no such. */
enum reason policy_reason_parse(struct view code);

/* Classes of message. Rows: proto/category.def
 * CATEGORY(code, flags, basis, citation, sentence). */
enum category_flag {
	CATEGORY_API = 1,            /* a practice may send it */
	CATEGORY_CAPPED = 2,         /* limited by the day and week caps */
	CATEGORY_QUIET = 4,          /* only in sending hours */
	CATEGORY_STOPPABLE = 8,      /* an opt-out blocks it */
	CATEGORY_COUNTED = 16,       /* counts against the caps of those that are capped */
	CATEGORY_HEALTH = 32,        /* the exemption's conditions hold for it as house policy, content too */
	CATEGORY_SOLICITATION = 64,  /* states' own hours, days and caps hold for it */
	CATEGORY_LINTED = 128,       /* must name the practice, its contact and STOP */
	CATEGORY_CONVERSATION = 256, /* only as an answer to what the patient wrote within a day */
	CATEGORY_EMERGENCY = 512,    /* by a named person; after an opt-out only with approval */
};
/* How strong a consent is, weakest first. 47 CFR 64.1200(a)(1), (a)(2), (f)(9); FCC 15-72 para. 141. */
enum basis { BASIS_NONE, BASIS_IMPLIED, BASIS_EXPRESS, BASIS_WRITTEN };
const char *policy_basis_name(enum basis b);     /* "none", "implied", "express", "written" */
enum basis policy_basis_parse(struct view name); /* BASIS_NONE when there is no such */
enum category {
#define CATEGORY(code, flags, basis, citation, sentence) CATEGORY_##code,
#include "category.def"
#undef CATEGORY
	CATEGORY_COUNT
};
const char *policy_category_code(enum category c);
unsigned policy_category_flags(enum category c);
enum basis policy_category_basis(enum category c); /* the least that it needs */
const char *policy_category_citation(enum category c);
const char *policy_category_sentence(enum category c);
/* CATEGORY_COUNT when there is no such. */
enum category policy_category_parse(struct view code);

/* What a rule pack sets. Rows: proto/rule_pack.def; policy_pack.h finds the one in force. A practice may narrow the
 * hours, never widen them. */
struct policy_rules {
	const char *pack;      /* its code, for decisions to name */
	int open_minute;       /* 480: first minute of the day in which sending is allowed */
	int close_minute;      /* 1260: first minute in which it is not */
	int close_guard_s;     /* 300: seconds before close in which nothing new is started */
	int day_max;           /* 1 */
	int week_max;          /* 3 */
	bool calendar;         /* they hold for the calendar's days and weeks too, not for 24 and 168 hours alone */
	int conversation_s;    /* 86400: how long a patient's text may be answered as a conversation */
	bool category_opt_out; /* a patient may choose to stop one kind of text only (FCC 26-67) */
};

/* Earlier sends looked at per key; the caller gives the newest. A cap of more could not be counted. */
#define POLICY_SENDS_MAX 16

/* What was already sent that may have reached the phone: submit times, the newest ones of the last 9 days in any order.
 * Uncertain ones count; those proven never to have left do not. */
struct policy_sends {
	int64_t at_us[POLICY_SENDS_MAX];
	unsigned count;
};

/* The consent that a message would rest on: the strongest live one for its phone and class. */
struct policy_consent {
	enum basis basis; /* BASIS_NONE: none is live */
	bool attested;    /* by the practice for all its numbers, not recorded for this phone: implied at the most */
	bool stale; /* there is one, from before the phone was reported as somebody else's or the patient came of age */
	struct uuid id;      /* of the record; zeros when attested or none */
	int64_t captured_us; /* when it was given, or attested */
};

/* Candidate states of the recipient: a bit for each row of proto/state.def, in its order; 0: unknown. */
typedef uint64_t policy_states;

struct policy_facts {
	enum category category; /* CATEGORY_COUNT: none that the rules know */
	struct policy_consent consent;
	policy_states states;
	int practice_open_minute; /* the practice's own narrower hours; 0 both: none */
	int practice_close_minute;
	bool phi;      /* marked as saying more than that there is a visit */
	bool verified; /* the patient confirmed this phone since it was last reported as another's */
	bool risk_warned;
	bool alternative;        /* the patient asked to be reached in another way */
	bool household;          /* the phone is shared by patients: its own cap does not hold, the patient's does */
	bool review_open;        /* a person has to look at what the patient wrote first */
	bool conversation;       /* it answers a patient's text */
	int64_t conversation_us; /* when that text came */
	bool automatic;          /* no person is named who answers it: a program does */
	bool answered;           /* a program has answered that text before */
	bool emergency_person;   /* a named person ordered it and said why */
	bool emergency_two;      /* the practice wants a second person */
	bool emergency_approved; /* a second person approved; after an opt-out one always has to */
	bool content_refused;    /* the lint of the rendered text refused it */
	enum reason withdrawn;   /* why whoever ordered it wants it no more; REASON_none: it is wanted */
	bool opted_out;          /* of this practice, of everyone, or of this kind of text */
	int64_t send_at_us;      /* not before; 0 when at once */
	int64_t expires_at_us;   /* not at or after */
	unsigned attempts;       /* proven non-sends so far */
	const struct zone *zone[LIMIT_ZONES];
	unsigned zones;              /* 0: unknown, nothing may go */
	struct policy_sends patient; /* to this (practice, patient) */
	struct policy_sends phone;   /* to this (practice, phone) */
	/* What carriers said of earlier messages (proto/vendor_code.def); all zero when they said nothing. */
	enum reason phone_flag; /* REASON_number_dead or REASON_number_blocked while the phone is flagged */
	bool content_stopped;   /* the carrier took the same words for spam */
	enum reason hold;       /* while no carrier takes anything from this sender: why */
	int64_t hold_until_us;  /* and until when; TIME_NEVER: until somebody clears it */
};

enum verdict { VERDICT_SEND, VERDICT_WAIT, VERDICT_REFUSE, VERDICT_EXPIRE };
const char *policy_verdict_name(enum verdict v); /* "send", "wait", "refuse", "expire" */

struct policy_verdict {
	enum verdict verdict;
	enum reason reason; /* why it waits or ends; REASON_none for send */
	int64_t until_us;   /* VERDICT_WAIT: the first instant at which every rule would allow it */
};

/* Judges one message at now_us by the rules in force (NULL: none are). Order: expiry, withdrawn, attempts, a class that
 * is not known, no rules, an emergency without its persons, opt-out, another way asked for, flagged phone, stopped or
 * refused content, a review that is open, consent, verification, risk warning, conversation, its one answer, zone, a
 * hold that only a person ends, send_at, quiet hours, state's hours and days, day cap, week cap, state's cap, any other
 * hold; the reason is the first that stands in the way.
 * Opt-out, another way, stopped content and review are of what an opt-out would stop; an approved emergency passes
 * opt-out and review, and no emergency is bound by hours and caps. What only a person can end waits until
 * expires_at_us: whoever ends it has the message judged again. Waiting else: until_us is the first instant from send_at
 * and the hold's end on that satisfies hours and caps together; when no sending hours that all zones share lie within
 * 16 days, it is refused with REASON_no_common_hours; when it would be at or past expires_at_us the verdict is
 * VERDICT_EXPIRE with REASON_expires_before_allowed. */
struct policy_verdict policy_decide(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us);

/* The end of the sending hours that hold at now_us: the first instant at which some zone closes, by the pack, the
 * practice and for solicitations the states (without the guard). For validity_period. now_us itself when some zone is
 * closed already, or no rules are in force; TIME_NEVER without zones. */
int64_t policy_close_us(const struct policy_rules *rules, const struct policy_facts *facts, int64_t now_us);

#endif
