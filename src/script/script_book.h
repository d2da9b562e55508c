/* The messages that a simulated carrier has taken: for receipts, query_sm, cancel_sm and replace_sm. It holds the last
 * ones only; an older one is forgotten when its place is needed. */
#ifndef SCRIPT_BOOK_H
#define SCRIPT_BOOK_H

#include "script_id.h"
#include "smpp_receipt.h"

#define SCRIPT_BOOK_MAX (1u << 18) /* messages: minutes of the fastest sender */
#define SCRIPT_ADDRESS_BYTES 22

struct script_message {
	uint64_t number;
	int64_t accepted_us; /* wall clock */
	int64_t final_us;    /* 0: not yet */
	uint32_t peer;       /* connection that submitted it */
	uint8_t spelling;    /* enum script_word, of the answer */
	uint8_t state;       /* enum smpp_message_state */
	uint8_t receipt;     /* registered_delivery */
	bool cancelled;
	char from[SCRIPT_ADDRESS_BYTES];
	char to[SCRIPT_ADDRESS_BYTES];
};

struct script_book;

/* first: what the first message's number is. ceiling: a power of two up to SCRIPT_BOOK_MAX. */
struct script_book *script_book_new(uint64_t first, uint64_t seed, unsigned ceiling);
void script_book_free(struct script_book *b);
/* A new message with its number; valid until the next call of this function. */
struct script_message *script_book_add(struct script_book *b, enum script_word spelling);
/* By number, or by an id as script_id_spell wrote it in the answer; NULL when it is not there (any more). */
struct script_message *script_book_get(struct script_book *b, uint64_t number);
struct script_message *script_book_find(struct script_book *b, struct view id);
/* The number of the newest message; those before it have the numbers below. */
uint64_t script_book_last(const struct script_book *b);
/* Moves a message to a state; one that is final stays as it is. */
void script_book_move(struct script_book *b, struct script_message *m, enum smpp_message_state state, int64_t now_us);
/* Messages without a final state, and those that were forgotten in that state. */
unsigned script_book_open(const struct script_book *b);
uint64_t script_book_forgotten(const struct script_book *b);

#endif
