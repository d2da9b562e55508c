/* A due message on its way through one claim, and the parts that work on it:
 *   dispatch_claim.c    the cycle and the transaction
 *   dispatch_facts.c    what the rules look at: from the database, and whole into the verdict's event
 *   dispatch_release.c  when what waited for opening hours comes
 *   dispatch_roster.c   whose turn it is while more is due than the carriers take
 *   dispatch_flow.c     which link, and what the rates and daily ceilings leave
 *   dispatch_line.c     when it comes again if neither leaves room
 *   dispatch_submit.c   the PDU, and the way to the link */
#ifndef DISPATCH_CLAIM_H
#define DISPATCH_CLAIM_H

#include "dispatch_internal.h"

struct claimed {
	struct uuid practice_id;
	struct uuid id;
	const char *patient; /* texts are the batch's pool's */
	const char *phone;
	const char *sender;
	const char *zones;
	struct view body;
	bool ucs2;
	unsigned segments;
	enum category category;
	const char *category_code; /* as stored, of which category may know nothing */
	const char *states;        /* candidate states, blank separated */
	const char *opt_outs;      /* as claim_facts tells them */
	const char *refused_by;    /* codes of the lint, quoted, commas between */
	struct uuid answers;       /* the inbound text that it answers; zeros: none */
	unsigned priority;         /* 0 urgent, 1 normal, 2 low */
	const char *waited_for;    /* reason for which it waited before, "" for none */
	const char *last_carrier;  /* that it was last given to, "" for none */
	int64_t created_us;
	bool first_try; /* nothing held it: its way to the wire is measured */
	uint64_t patient_key;
	uint64_t phone_key;
	struct policy_facts facts;
	const struct policy_rules *rules; /* NULL: none are in force */
	struct policy_verdict judged;     /* by the rules alone */
	struct policy_verdict verdict;    /* and by what carriers take now */
	int64_t due_us;                   /* of one that waits: until_us, or somewhat later */
	struct link_slot *link;
	unsigned refusals; /* for a passing reason, among its attempts */
	uint32_t held;     /* carriers that take nothing from the sender, a bit each by their place */
	bool withdrawn;
	bool recheck;   /* somebody changed what was judged */
	bool submitted; /* with another, in one PDU */
};

/* --- facts and time ------------------------------------------------------------------------------------------------
 */

/* The parameters of claim_facts for a batch. */
void facts_params(const struct claimed *m, unsigned count, int64_t now_us, struct store_params *ps);
/* Row i of its result. */
void facts_read(struct dispatch *d, const struct store_rows *rows, unsigned i, struct pool *pool, struct claimed *m);
/* Its candidate zones, from m->zones. */
void facts_zones(struct dispatch *d, struct claimed *m);
/* The rules in force at now_us, from the rows of rules_now; NULL: none are. */
const struct policy_rules *facts_rules(const struct store_rows *rows, struct pool *pool, int64_t now_us);
/* The rules' verdict on what was read: the claim's, and the preview's (dispatch_preview.c). */
void facts_judge(struct claimed *m, const struct policy_rules *rules, int64_t now_us);
/* The verdict with all that it rests on, as JSON for its event (dispatch_facts.h). */
void facts_write(const struct claimed *m, int64_t now_us, struct buf *to);

/* --- whose turn ----------------------------------------------------------------------------------------------------
 */

#define ROSTER_TURNS 64 /* practices in one claim */

struct roster;
struct roster *roster_new(struct dispatch *d);
/* Whether practices take turns now, or the oldest goes first. */
bool roster_on(const struct roster *r);
/* Asks who has something due when the round is over; true while the answer is awaited, after which cb is called. */
bool roster_renew(struct roster *r, int64_t now_us, net_cb cb, void *ctx);
/* The parameters of claim_fair for the next in turn. */
void roster_params(struct roster *r, int64_t now_us, unsigned asked, struct store_params *ps);
/* What a claim brought: turns begin when it was full, and end after a round in which nobody had more than a share. */
void roster_saw(struct roster *r, const struct claimed *m, unsigned count, unsigned asked);
void roster_free(struct roster *r);

/* --- where and when ------------------------------------------------------------------------------------------------
 */

struct flow *flow_new(struct dispatch *d);
/* Rows as in dispatch_set_flow. */
void flow_set(struct flow *f, const struct dispatch_flow *rows);
/* Submits that the links would take now. */
unsigned flow_slots(struct flow *f);
/* Milliseconds until some link may take more by its pace; INT64_MAX when only an answer or a bind helps. */
int64_t flow_ready_ms(struct flow *f);
/* The parameters of ceilings for a batch; false when none of its senders has a ceiling. */
bool flow_ceilings(struct flow *f, const struct claimed *m, unsigned count, int64_t now_us, struct store_params *ps);
void flow_ceilings_cb(struct flow *f, const struct store_rows *rows);
/* The parameters of paces for a batch; false when none of its senders has a rate. */
bool flow_paces(struct flow *f, const struct claimed *m, unsigned count, int64_t now_us, struct store_params *ps);
void flow_paces_cb(struct flow *f, const struct store_rows *rows);
/* Before the messages of a batch are judged. */
void flow_begin(struct flow *f);
/* A message that the rules would send gets its link, or waits (or expires) for want of one. */
void flow_judge(struct flow *f, struct claimed *m, int64_t now_us);
/* The parameters of paces_set for what flow_judge let go; false when there is nothing to write. */
bool flow_paced(struct flow *f, struct store_params *ps);
/* The parameters of ceilings_add for what flow_judge let go; false when there is nothing to add. */
bool flow_used(struct flow *f, struct store_params *ps);
/* So many segments of a sender, counted at sent_us, are proven never to have left: they are taken off the counts of
 * that day, in a while. */
void flow_refund(struct flow *f, const char *sender, int64_t sent_us, unsigned segments);
/* A link is bound: what waits for a carrier that was down is looked at again. */
void flow_carrier_up(struct flow *f);
/* Writes refunds that wait, and after flow_set looks again at what found no route; a statement at a time. */
void flow_turn(struct flow *f);
bool flow_idle(const struct flow *f);
void flow_free(struct flow *f);

/* --- onto the wire -------------------------------------------------------------------------------------------------
 */

struct submits;
struct submits *submits_new(struct dispatch *d);
/* Hands a message whose `sending` is committed to its link, or writes that it never left. */
void submits_one(struct submits *s, const struct claimed *m, int64_t now_us);
/* The same for messages that share sender, text, link and end, all of one segment, in one submit_multi. */
void submits_many(struct submits *s, struct claimed *const *m, unsigned count, int64_t now_us);
/* Whether two messages of a batch may go in one submit_multi. */
bool submits_alike(const struct claimed *a, const struct claimed *b, int64_t now_us);
/* Writes a text into a replace_sm, which has no data_coding: as the text before it went, in one segment. False when the
 * new one cannot be written so. octets must live until the PDU is encoded. */
bool submits_replacement(const struct dispatch_carrier *carrier, bool ucs2, struct view before, struct view after,
                         struct smpp_split_octets *octets, struct smpp_pdu *pdu);
/* Parts that waited for a slot of the window go before anything that is claimed; those of a lost link are lost. */
void submits_turn(struct submits *s);
/* Puts what was handed over on the wire. */
void submits_flush(struct submits *s);
void submits_free(struct submits *s);

#endif
