/* What the parts of writing down carriers' words share:
 *   dispatch_outcome.c  the queue, its batches and their steps
 *   dispatch_receipt.c  receipts: in, as rows of their statements, kept and found again
 *   dispatch_learn.c    how carriers spell their message ids
 *   dispatch_word.c     what a carrier's own code makes of a message, and does for others */
#ifndef DISPATCH_OUTCOME_H
#define DISPATCH_OUTCOME_H

#include "dispatch_internal.h"

enum item_kind { ITEM_OUTCOME, ITEM_RECEIPT };

/* The message that a carrier's word was about, as the statement that applied the word tells it. */
struct subject {
	bool known;   /* and the word is to be acted on */
	bool changed; /* the act was news */
	struct uuid practice_id;
	struct uuid message_id;
	char phone[24];
	char sender[24];
	uint64_t content_key;
	int64_t submitted_us; /* 0: not known */
};

struct item_receipt {
	struct delivery from; /* link NULL: a kept receipt tried again */
	const struct dispatch_carrier *carrier;
	char id[66];                                          /* as it came, in visible ASCII */
	char answered[66];                                    /* id in the answer of the message that it fits */
	char candidates[(1 + LIMIT_RECEIPT_CANDIDATES) * 67]; /* id_keys, blank separated, the likeliest first */
	char phone[24];
	char sender[24];
	int32_t reference; /* user_message_reference; negative: none */
	enum smpp_message_state state;
	char error[17];
	char raw[256];          /* up to its text field */
	char how[10];           /* "id", "reference", "address" or "query" */
	enum carrier_word word; /* of its error */
	const char *status;     /* what it makes of the message; "" nothing */
	enum reason reason;
	const char *type;    /* event */
	int64_t until_us;    /* status held: until when */
	int64_t at_us;       /* when it is applied */
	int64_t received_us; /* when it came */
	struct uuid kept;    /* zero: not kept before */
	struct uuid practice_id;
	struct uuid message_id; /* zero: to be found by candidates */
	int attempt, part;      /* part negative: of the whole message */
	bool keep;              /* fits no message: to be kept */
	const char *result;     /* for the metric */
	struct buf *doubtful;   /* only its text looks like a receipt: the PDU, if it is none after all */
};

struct item {
	struct item *next;
	enum item_kind kind;
	bool finished; /* with the commit of what is on its way */
	struct subject subject;
	union {
		struct outcome outcome;
		struct item_receipt receipt;
	};
};

/* The statements of a batch; items are told apart by their ordinal in the statement's arrays. */
enum statement {
	STATEMENT_OUTCOMES,
	STATEMENT_OUTCOME_PARTS,
	STATEMENT_RECEIPTS,
	STATEMENT_RECEIPT_PARTS,
	STATEMENT_KEEP,
	STATEMENT_FIND,
	STATEMENT_WORDS,
	STATEMENT_COUNT,
};

struct item_rows {
	struct item *item[2 * LIMIT_OUTCOME_BATCH];
	unsigned count;
	struct store_params params;
};

#define SEEN_SLOTS 2048 /* of a hash; a batch has at most a quarter of that */

struct learn;

struct outcomes {
	struct dispatch *d;
	struct learn *learn;
	struct item *first, *last;
	unsigned waiting;
	struct item *batch[2 * LIMIT_OUTCOME_BATCH]; /* on its way, in order */
	unsigned batch_count;
	unsigned batch_kind[2]; /* how many of each kind */
	struct {
		uint64_t key;
		uint32_t batch;
	} seen[SEEN_SLOTS]; /* messages of the batch */
	uint32_t batches;
	struct item *spare; /* items to use again */
	unsigned spares;
	struct item_rows rows[STATEMENT_COUNT];
	struct store_params lock, rematch;
	struct buf text;
	struct net_timer *retry;
	struct net_timer *rematch_timer;
	bool words;        /* the batch's transaction is held open for what carriers' words do */
	bool paused;       /* after a failure, until the timer */
	unsigned alone;    /* items that go one by one, since a batch that held them was refused */
	unsigned refusals; /* of the one item that is on its way */
	bool rematch_wanted;
	bool rematching;
	unsigned rematches;
};

/* A zeroed item at the end of the line. */
struct item *outcomes_item(struct outcomes *o, enum item_kind kind);

/* Empties a statement's rows and declares its arrays. */
void rows_begin(struct item_rows *rows, const enum store_type *types, unsigned count);
/* The item of an ordinal that a statement returned. */
struct item *rows_item(const struct item_rows *rows, int64_t ord);
/* Appends ,"name":"value" to an object begun with '{'; nothing for an empty value. */
void outcomes_json(struct buf *to, const char *name, const char *value);
/* Reads the columns of a word's subject (practice, message, phone, sender, body, submitted) from a row on. */
void subject_read(struct subject *s, const struct store_rows *rows, unsigned row, unsigned column);

/* --- dispatch_receipt.c ---------------------------------------------------------------------------------------------
 */

/* Sorts an unfinished receipt into its statement: plain or told, of a part, or to be kept. */
enum statement receipt_statement(const struct item_receipt *r);
struct store_step receipts_step(struct outcomes *o);
struct store_step receipt_parts_step(struct outcomes *o);
struct store_step receipt_keep_step(struct outcomes *o);
struct store_step receipt_find_step(struct outcomes *o);
/* After receipt_find: each is to be kept, to be applied to what was found, or no receipt at all. */
void receipts_found(struct outcomes *o);
/* After its commit: counted, and answered to the carrier. */
void receipt_finish(struct outcomes *o, struct item *it);
/* Its memory; the item itself is the caller's. */
void receipt_forget(struct item_receipt *r);
void receipts_rematch_begin(struct outcomes *o);

/* --- dispatch_learn.c -----------------------------------------------------------------------------------------------
 */

struct learn *learn_new(struct dispatch *d);
/* A receipt found its message, which the carrier had answered with that id. */
void learn_match(struct learn *l, const struct item_receipt *r, struct view answered);
/* The spelling under which this carrier's answers have the id of a receipt, when it is known that they are spelled in
 * another base; else false. */
bool learn_spell(const struct learn *l, const struct dispatch_carrier *carrier, struct view id, char to[24]);
void learn_free(struct learn *l);

/* --- dispatch_word.c ------------------------------------------------------------------------------------------------
 */

/* What the word of a receipt's error makes of it; the state must be set. */
void word_of_receipt(struct outcomes *o, struct item_receipt *r);
/* A part cannot go back by itself: what would hold the message ends the part. */
void word_of_part(struct item_receipt *r);
/* Whether an item's word has to be acted on when it moves something. */
bool item_has_word(const struct item *it);
/* Within the open transaction: the locks, the act, and the commit. Returns the number of steps written to steps[3]. */
unsigned words_steps(struct outcomes *o, struct store_step *steps);
/* After the commit: what was claimed for an opted-out phone is withdrawn, alarms are told. */
void words_done(struct outcomes *o);

#endif
