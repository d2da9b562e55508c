/* What the parts of `smsbridge ledger` share.
 *   app_ledger.c           the command, status, heads, rotate
 *   app_ledger_verify.c    reads seals and events side by side and compares
 *   app_ledger_findings.c  what was found: events that changed places are told from others, then printed */
#ifndef APP_LEDGER_H
#define APP_LEDGER_H

#include "base_limits.h"
#include "dispatch_ledger.h"
#include "store_client.h"

/* The words are those of smsbridge.ledger_verify() in SQL, where it finds the same. */
enum ledger_what {
	LEDGER_CHANGED,
	LEDGER_REMOVED,
	LEDGER_ADDED,
	LEDGER_REORDERED,
	LEDGER_SEAL_MISSING,
	LEDGER_SEAL_CHANGED,
	LEDGER_BAD_SIGNATURE,
	LEDGER_BAD_KEY,
	LEDGER_ARCHIVE,
	LEDGER_HEAD_DIFFERS,
	LEDGER_DROPPED, /* it was another finding's other half */
};

struct ledger_finding {
	enum ledger_what what;
	int64_t number; /* the event's; of an added one that of the event before it; 0: none */
	int64_t seal;   /* 0: none */
	bool listed;    /* entry holds what was sealed */
	bool present;   /* row holds what stands there */
	struct ledger_entry entry;
	const char *row[LEDGER_COLUMNS];
	const char *detail; /* NULL: it follows from the rest */
};

struct ledger_findings;
struct ledger_findings *ledger_findings_new(bool json);
/* Copies it. The copy may be changed until the next call. */
struct ledger_finding *ledger_findings_add(struct ledger_findings *f, const struct ledger_finding *one);
/* A finding of a seal or of the whole, in words. */
void ledger_findings_say(struct ledger_findings *f, enum ledger_what what, int64_t seal, int64_t number,
                         const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Prints what is there; how many there were in all. */
uint64_t ledger_findings_end(struct ledger_findings *f);
void ledger_findings_free(struct ledger_findings *f);

struct ledger_range {
	int64_t from; /* event numbers, both included; 0: from the first, to the last and what is not sealed yet */
	int64_t to;
	const char *heads; /* file of `smsbridge ledger heads`, NULL: none */
	bool json;
};
/* Verifies and prints; the command's exit code. */
int ledger_verify(struct store_client *c, const struct ledger_range *range);

#endif
