/* The texts of the ledger that are hashed and signed, as migrations/0013_ledger.sql defines them and docs/ledger.md
 * describes them. The sealer lets PostgreSQL make them; here they are made a second time, without its functions, for
 * `smsbridge ledger verify`: two makers that agree. */
#ifndef DISPATCH_LEDGER_H
#define DISPATCH_LEDGER_H

#include "base_bytes.h"
#include "net_crypto.h"
#include "net_sign.h"

/* The columns of smsbridge.event, in order, as texts that PostgreSQL prints with DateStyle ISO and TimeZone UTC; NULL
 * for NULL. */
enum ledger_column {
	LEDGER_PRACTICE,
	LEDGER_XACT,
	LEDGER_ID,
	LEDGER_MESSAGE,
	LEDGER_TYPE,
	LEDGER_AT,
	LEDGER_RECORDED,
	LEDGER_PHONE,
	LEDGER_PATIENT,
	LEDGER_REASON,
	LEDGER_DATA,
	LEDGER_COLUMNS,
};

/* "2026-03-02 15:00:00.5+00" becomes "2026-03-02T15:00:00.500000Z"; what is not of that shape stays as it is. */
void dispatch_ledger_time(const char *printed, struct buf *to);
/* smsbridge.event_text: a JSON array of all columns. */
void dispatch_ledger_event(const char *const columns[LEDGER_COLUMNS], struct buf *to);

/* An element of a seal's list; texts as above. */
struct ledger_entry {
	uint8_t hash[SHA256_BYTES];
	int64_t number;
	const char *practice;
	const char *xact;
	const char *id;
	const char *at;
	const char *type;
};
/* smsbridge.seal_line, with its newline. */
void dispatch_ledger_line(const struct ledger_entry *e, struct buf *to);

/* A row of smsbridge.seal: texts as above, hashes in hexadecimal, key NULL when it names none. */
struct ledger_seal {
	int64_t number;
	int64_t first;
	int64_t last;
	const char *earliest;
	const char *latest;
	const char *digest;
	const char *previous;
	const char *at;
	const char *key;
};
/* smsbridge.seal_text */
void dispatch_ledger_seal(const struct ledger_seal *s, struct buf *to);

/* A row of smsbridge.ledger_key: previous NULL for the first. */
struct ledger_key {
	int id;
	uint8_t public_key[SIGN_PUBLIC_BYTES];
	const char *previous;
	const char *at;
};
/* smsbridge.key_text */
void dispatch_ledger_key(const struct ledger_key *k, struct buf *to);

#endif
