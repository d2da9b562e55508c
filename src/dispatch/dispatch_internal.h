/* Shared inside dispatch only: the parts and who calls whom.
 *   dispatch.c          assembly, turn, drain
 *   dispatch_accept.c   drafts -> commit
 *   dispatch_batch.c    items of batches -> commit; dispatch_broadcast.c: what is let go of broadcasts
 *   dispatch_claim.c    due messages -> facts -> verdicts -> commit -> links; its parts: dispatch_claim.h
 *   dispatch_change.c   what people change about a recipient
 *   dispatch_ask.c      query_sm, cancel_sm, replace_sm; alert_notification
 *   dispatch_hold.c     what carriers do not take from a sender for now
 *   dispatch_flight.c   open submits: ref -> message
 *   dispatch_outcome.c  answers and receipts -> commit -> deliver_sm_resp; its parts are in dispatch_outcome.h
 *   dispatch_inbound.c  patients' texts -> STOP, START, HELP, reply -> commit -> deliver_sm_resp
 *   dispatch_heard.c    what they ask for
 *   dispatch_part.c     their parts: kept, joined, given up
 *   dispatch_repeat.c   texts that a carrier delivers again
 *   dispatch_notice.c   the one answer to a keyword
 *   dispatch_centre.c   what carriers that bind to us get as answers
 *   dispatch_webhook.c  events -> practices
 *   dispatch_access.c   who touched patients' data
 *   dispatch_retain.c   texts whose time is over
 *   dispatch_seal.c     events -> seals of the ledger
 *   dispatch_house.c    node life, sweeps, gauges, partitions
 *   dispatch_zone.c     TZif files, parsed once */
#ifndef DISPATCH_INTERNAL_H
#define DISPATCH_INTERNAL_H

#include "base_check.h"
#include "base_limits.h"
#include "base_log.h"
#include "base_metric.h"
#include "base_pool.h"
#include "dispatch.h"
#include "dispatch_zone.h"
#include "policy_pack.h"
#include "policy_vendor.h"
#include "smpp_receipt.h"
#include "smpp_status.h"

/* Where a carrier's request came from, so that it can be answered after the commit. */
struct delivery {
	struct carrier_link *link;
	unsigned generation;
	enum smpp_command command;
	uint32_t sequence;
	/* Where we are the message centre: the id that we give what was submitted, and the receipt that was asked for.
	 */
	struct uuid id;
	struct dispatch *owes_receipt; /* NULL: nothing was asked for */
	char source[22];
	char destination[22];
};

#define DISPATCH_LINKS_MAX (LIMIT_CARRIERS * LIMIT_LINKS * 2) /* a pair has two sessions */

struct accepter;
struct accesses;
struct batcher;
struct broadcasts;
struct centre;
struct claimer;
struct flow;
struct asks;
struct flights;
struct outcomes;
struct inbounds;
struct webhooks;
struct sealer;
struct house;
struct retainer;

struct link_slot {
	struct carrier_link *link;
	const struct dispatch_carrier *carrier;
};

struct dispatch {
	struct dispatch_config config;
	struct dispatch_carrier *carriers;
	struct link_slot link[DISPATCH_LINKS_MAX];
	unsigned links;
	struct uuid instance;
	struct uuid_maker ids;
	struct store_lane *accept_lane, *claim_lane, *outcome_lane, *inbound_lane, *read_lane, *house_lane,
	        *webhook_lane, *change_lane, *seal_lane, *batch_lane;
	struct accepter *accepter;
	struct accesses *accesses;
	struct batcher *batcher;
	struct broadcasts *broadcasts;
	struct claimer *claimer;
	struct flow *flow;
	struct asks *asks;
	struct flights *flights;
	struct outcomes *outcomes;
	struct inbounds *inbounds;
	struct centre *centre;
	struct webhooks *webhooks;
	struct sealer *sealer;
	struct house *house;
	struct retainer *retainer;
	struct zone_cache *zones;
	struct net_timer *drain_timer;
	dispatch_asked_cb asked;
	net_cb drained;
	void *drained_ctx;
	int64_t drain_began_ms;
	bool entered;        /* this node has its name: claiming may begin */
	bool orphans_wanted; /* a claim may have been cut off at its commit: nothing is claimed until that is settled */
	bool draining;
	bool unbinding;
};

int64_t dispatch_now_us(const struct dispatch *d);
/* The carrier of that name; NULL when it is not configured (any more). */
const struct dispatch_carrier *dispatch_carrier_named(const struct dispatch *d, struct view name);
struct uuid dispatch_id(struct dispatch *d);
/* Answers a request of a carrier, after the commit; and once it is taken gives the receipt that is owed. */
void dispatch_answer(const struct delivery *to, uint32_t status);

struct accepter *accepter_new(struct dispatch *d);
void accepter_turn(struct accepter *a);
bool accepter_idle(const struct accepter *a);
void accepter_free(struct accepter *a);
/* The parameters of accept.sql: begun with none, then a draft at a time. */
void accepter_params(struct store_params *ps, int64_t now_us);
void accepter_add(struct store_params *ps, const struct draft *m);

struct batcher *batcher_new(struct dispatch *d);
void batcher_turn(struct batcher *b);
bool batcher_idle(const struct batcher *b);
void batcher_free(struct batcher *b);

struct broadcasts *broadcasts_new(struct dispatch *d);
void broadcasts_free(struct broadcasts *b);

struct accesses *accesses_new(struct dispatch *d);
void accesses_turn(struct accesses *a);
bool accesses_idle(const struct accesses *a);
void accesses_free(struct accesses *a);

struct claimer *claimer_new(struct dispatch *d);
void claimer_turn(struct claimer *c);
/* Something may be due: look in this turn. */
void claimer_wake(struct claimer *c);
bool claimer_idle(const struct claimer *c);
/* A STOP was committed: submits of that recipient that are claimed and not yet written are withdrawn. */
void claimer_withdraw(struct claimer *c, const struct uuid *practice, struct view phone);
/* What is known of that recipient changes: submits that are claimed and not yet written go back to be judged again. */
void claimer_recheck(struct claimer *c, const struct uuid *practice, struct view phone);
void claimer_free(struct claimer *c);
/* Keys of the recipient locks; every gateway computes the same. */
int64_t claimer_lock_key(const struct uuid *practice, char kind, struct view who);
/* The parameters of claim_lock for these keys, which it puts in order. */
void claimer_lock_params(struct store_params *ps, int64_t *keys, unsigned count);

/* What a request that only a message centre serves is refused with; ESME_ROK for texts and receipts. */
uint32_t centre_refusal(enum smpp_command command);
/* The message_id of our answer, "" when the request gets none. */
const char *centre_message_id(const struct delivery *from, char to[UUID_TEXT_BYTES]);
/* The receipt that is owed for a text that is committed: it goes a little after the answer, by any session of the
 * carrier that receives, or later when there is one. Best effort: what does not find its way in time is counted. */
struct centre *centre_new(struct dispatch *d);
void centre_receipt(struct centre *c, const struct delivery *from);
void centre_free(struct centre *c);

/* Reads the holds of one sender into the facts: hold and hold_until_us when every configured carrier is held, of the
 * one that is free first. Returns a bit for each carrier, by its place in the configuration, that is held. */
uint32_t hold_read(const struct dispatch *d, struct view lines, struct policy_facts *facts);

/* One message that is with a link. */
struct flight {
	struct uuid practice_id;
	struct uuid id;
	struct carrier_link *link;
	const char *carrier;
	unsigned attempts;
	unsigned refusals; /* of these, those for a passing reason */
	unsigned segments;
	int64_t sent_us; /* rule time at which its segments count */
	char sender[24];
	char phone[24]; /* of a submit_multi only: the answer names who did not get it */
	uint64_t also;  /* the next message of the same submit_multi; 0: none */
	unsigned part;  /* as in struct outcome */
	unsigned parts;
	uint8_t ask;   /* not 0: a question about the message (dispatch_ask.c), not its submit */
	bool given_up; /* told as uncertain; a late answer may still come */
	bool used;
	uint32_t generation;
	uint32_t next;
};
struct flights *flights_new(void);
/* 0 when none is free. */
uint64_t flights_add(struct flights *f, const struct flight *flight);
/* NULL when it has gone. */
struct flight *flights_get(struct flights *f, uint64_t ref);
void flights_remove(struct flights *f, uint64_t ref);
/* And those that went with it. */
void flights_remove_chain(struct flights *f, uint64_t ref);
/* Keeps it for a late answer; the oldest such makes room. */
void flights_give_up(struct flights *f, uint64_t ref);
unsigned flights_open(const struct flights *f);
/* Ids of all that are held, for orphans.sql. */
void flights_ids(const struct flights *f, struct store_params *ps, unsigned array);
void flights_free(struct flights *f);

/* What became of a submit. Texts are static or copied on queueing. */
struct outcome {
	struct uuid practice_id;
	struct uuid id;
	const char *status;
	enum reason reason;
	int64_t due_us;   /* 0: not waiting; held: in its old place */
	bool refund;      /* proven never to have left */
	const char *type; /* event */
	const char *carrier;
	char carrier_message_id[66];
	char command_status[SMPP_STATUS_TEXT];
	int64_t at_us;
	bool passing;           /* refused for a reason that may pass: one of LIMIT_REFUSALS */
	enum carrier_word word; /* of the status, WORD_none without a row */
	unsigned part;          /* 1 to parts of a message that goes as several submits */
	unsigned parts;         /* 0 or 1: the whole message */
};
/* A word of the carrier's about a refused submit: status, event, reason, refund and due time of the outcome, whose
 * at_us must be set; what the word does for others follows when it is written. */
void outcomes_word(struct dispatch *d, struct outcome *o, enum carrier_word word);
struct outcomes *outcomes_new(struct dispatch *d);
void outcomes_add(struct outcomes *o, const struct outcome *outcome);
/* doubtful: esm_class does not say that it is a receipt. When it fits no message and no open submit it is handed to the
 * patients' texts. */
void outcomes_add_receipt(struct outcomes *o, const struct delivery *from, const struct smpp_pdu *pdu,
                          const struct smpp_receipt *receipt, bool doubtful);
/* The state that query_sm_resp brought for the message of a flight: as a receipt's. */
void outcomes_add_state(struct outcomes *o, const struct flight *f, const struct smpp_pdu *answer);
/* Counts a receipt with something odd about it; what is of the metric's row. */
void outcomes_odd_receipt(const char *carrier, const char *what);
void outcomes_turn(struct outcomes *o);
/* Looks whether kept receipts fit by now. */
void outcomes_rematch(struct outcomes *o);
bool outcomes_idle(const struct outcomes *o);
bool outcomes_full(const struct outcomes *o);
/* Ids of messages whose outcome is not written yet, for orphans.sql. */
void outcomes_ids(const struct outcomes *o, struct store_params *ps, unsigned array);
void outcomes_free(struct outcomes *o);

struct inbounds *inbounds_new(struct dispatch *d);
void inbounds_add(struct inbounds *in, const struct delivery *from, const struct smpp_pdu *pdu);
void inbounds_turn(struct inbounds *in);
/* Looks in this turn for texts that have waited long enough for their parts. */
void inbounds_sweep(struct inbounds *in);
bool inbounds_idle(const struct inbounds *in);
void inbounds_free(struct inbounds *in);

struct asks *asks_new(struct dispatch *d);
/* False until the database knows what our carriers take: a recall before that would not be asked for. */
bool asks_ready(const struct asks *a);
void asks_turn(struct asks *a);
/* The answer to a question; the flight is the caller's to remove. */
void asks_answered(struct asks *a, const struct flight *f, const struct link_answer *answer);
/* An alert_notification: what waits for that phone goes. */
void asks_alert(struct asks *a, const struct smpp_pdu *pdu);
bool asks_idle(const struct asks *a);
void asks_free(struct asks *a);

struct webhooks *webhooks_new(struct dispatch *d);
void webhooks_wake(struct webhooks *w);
bool webhooks_idle(const struct webhooks *w);
void webhooks_drain(struct webhooks *w);
void webhooks_free(struct webhooks *w);

/* Seals in turns of its own, when the lane is up; whoever of several gateways has the lock. */
struct sealer *sealer_new(struct dispatch *d);
void sealer_free(struct sealer *s);

struct house *house_new(struct dispatch *d);
void house_store_up(struct house *h);
/* Looks for orphans when they are wanted and nothing is being claimed. */
void house_turn(struct house *h);
void house_free(struct house *h);

struct retainer *retainer_new(struct dispatch *d);
/* With each of the house's beats. */
void retainer_beat(struct retainer *r);
/* Looks with the next beat: the clock was moved. */
void retainer_wake(struct retainer *r);
void retainer_free(struct retainer *r);

/* Whether the database refused a row for what is in it (SQLSTATE classes 22 data, 23 constraint, P0 raised by a
 * trigger) and would refuse it again, unlike a full disk or a deadlock. */
bool dispatch_refused_for_data(const char *sqlstate);
/* The user_message_reference of a message: the last two octets of its id, 1 instead of 0. */
uint16_t dispatch_reference(const struct uuid *id);
/* A carrier's message id as our tables hold it: octets that are not visible ASCII become "?". */
void dispatch_carrier_id(struct view id, char to[66]);
/* The address as our tables hold it: "+1..." for ten or eleven digits of the NANP, else as it came. */
void dispatch_phone_of(struct view address, char to[24]);
/* What a carrier sent as ASCII may hold anything; PostgreSQL takes UTF-8 only. Octets below least or past ASCII become
 * '?', in the answer's message id as in the receipt's, so that they still meet. */
void dispatch_printable(char *text, char least);

#endif
