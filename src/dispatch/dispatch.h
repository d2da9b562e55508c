/* Where messages, rules, database and links meet. One dispatch a process.
 *
 * Out: dispatch_accept batches drafts into commits; the claim cycle locks due messages, judges them, commits `sending`,
 * and only then hands them to a link; answers and receipts are written in batches. In: a carrier's delivery is answered
 * after its commit. Beside: webhooks by cursor, housekeeping by timer. Every wait has an end, every queue a ceiling. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "base_limits.h"
#include "base_time.h"
#include "base_uuid.h"
#include "link_carrier.h"
#include "net_url.h"
#include "policy_route.h"
#include "policy_rules.h"
#include "smpp_split.h"
#include "store_lane.h"
#include "text_alphabet.h"

struct dispatch;

enum dispatch_validity { DISPATCH_VALIDITY_RELATIVE, DISPATCH_VALIDITY_ABSOLUTE, DISPATCH_VALIDITY_NONE };

/* A carrier by its configuration; texts and TLVs live as long as the process. */
struct dispatch_carrier {
	const char *name;
	uint8_t source_ton, source_npi, dest_ton, dest_npi;
	bool data_sm;                   /* submits go as data_sm */
	bool submit_multi;              /* one text for many goes in one PDU */
	enum text_alphabet alphabet;    /* of data_coding 0 */
	enum smpp_split_way long_texts; /* how a text of several segments goes */
	enum dispatch_validity validity;
	bool user_message_reference;
	bool query; /* it takes query_sm, cancel_sm, replace_sm */
	bool cancel;
	bool replace;
	int64_t query_after_ms;      /* from the submit */
	const struct smpp_tlv *tlvs; /* vendor TLVs of each submit */
	unsigned tlv_count;
	const char *error_codes; /* profile of proto/vendor_code.def; NULL or "" for none */
	bool receipts_unflagged; /* receipts come without their esm_class: text that looks and fits like one is one */
	unsigned links;
	bool pair;                       /* each link is a transmitter and a receiver session */
	struct carrier_link_config link; /* number, and for pairs the bind kind, is set for each */
};

/* A sender number that has limits. */
struct dispatch_sender {
	const char *number;
	double rate;    /* segments a second of all gateways together, 0: no limit */
	unsigned daily; /* segments a day, 0: no limit */
	int brand;      /* index, -1: none */
	const char *reset_zone;
};

struct dispatch_brand {
	const char *name;
	unsigned daily; /* segments a day of all its senders, 0: no limit */
	const char *reset_zone;
};

/* Where messages go and how many. Rows and their texts live until the next dispatch_set_flow, texts of senders' and
 * brands' names longer: as the configuration, for the life of the process. */
struct dispatch_flow {
	const struct policy_route *routes;
	unsigned route_count;
	const struct dispatch_sender *senders;
	unsigned sender_count;
	const struct dispatch_brand *brands;
	unsigned brand_count;
};

struct dispatch_settings { /* may change by a reload */
	int64_t unconfirmed_after_ms;
	int64_t idempotency_keep_ms;
	int64_t receipts_keep_ms;
	int64_t parts_wait_ms;
	int64_t release_spread_ms; /* over which what waits for opening hours comes due; 0: at once */
	int64_t webhook_timeout_ms;
	int64_t webhook_retry_base_ms;
	int64_t webhook_retry_max_ms;
	bool webhook_plain_ok;
	bool webhook_private_ok;
	bool webhook_loopback_ok;    /* a practice's key may set such a URL; the operator may always */
	const char *ledger_key_file; /* "": seals are not signed; lives as long as the process */
	int64_t seal_every_ms;
	int64_t seal_warn_ms;
};

struct dispatch_config {
	struct loop *loop;
	const struct clock *clock;
	const char *conninfo;
	const char *node;
	const char *tzdata;
	const struct dispatch_carrier *carriers;
	unsigned carrier_count;
	struct dispatch_flow flow;
	struct dispatch_settings settings;
	/* Another process took this node's name: this one must end. */
	void (*evicted)(void *ctx);
	void *ctx;
};

struct dispatch *dispatch_new(const struct dispatch_config *config);
void dispatch_set(struct dispatch *d, const struct dispatch_settings *settings);
/* New routes, senders and brands. */
void dispatch_set_flow(struct dispatch *d, const struct dispatch_flow *flow);
/* New types of numbers: source TON and NPI, destination TON and NPI. */
void dispatch_set_types(struct dispatch *d, const char *carrier, const uint8_t types[4]);
void dispatch_set_rate(struct dispatch *d, const char *carrier, double rate);
/* For the connections to come: link_carrier_set_tls. */
void dispatch_set_tls(struct dispatch *d, const char *carrier, struct tls_context *tls);
/* What URLs webhooks may have. */
struct net_url_rules dispatch_webhook_rules(const struct dispatch *d);
/* The rule clock was moved: timers that wait for rule times are set anew. */
void dispatch_clock_moved(struct dispatch *d);

/* Not ready when the database is down or the schema is not this program's. */
bool dispatch_ready(const struct dispatch *d);
/* A link of a carrier that connects to us, without a connection; NULL when all have one, or none is that carrier's. */
struct carrier_link *dispatch_waiting_link(struct dispatch *d, const char *carrier);
unsigned dispatch_links_bound(const struct dispatch *d);
/* For API reads. */
struct store_lane *dispatch_read_lane(struct dispatch *d);

/* --- who touched patients' data ------------------------------------------------------------------------------------
 */

enum access_action { ACCESS_READ, ACCESS_LIST, ACCESS_CHANGE, ACCESS_LOGIN };

/* A request to the API as smsbridge.access keeps it. */
struct access_row {
	struct uuid practice_id; /* zeros: not known */
	struct uuid message_id;  /* as it was asked for */
	bool has_message;
	enum access_action action;
	const char *method; /* of the route's row; live for ever, and are compared by address */
	const char *route;
	char principal[24]; /* the API key's public part, "" when it is none */
	char patient[LIMIT_PATIENT_BYTES + 1];
	char phone[24]; /* only its hash is stored */
	char from[48];  /* the client's address */
	int status;
	unsigned rows;  /* records shown or changed */
	unsigned times; /* 1 */
	int64_t at_us;  /* dispatch's */
};
/* Notes it, to be written within a second. Past LIMIT_ACCESS_QUEUE it is counted as lost; so ask first: */
void dispatch_access_add(struct dispatch *d, const struct access_row *row);
/* No room for another note: show nothing. */
bool dispatch_access_full(const struct dispatch *d);
/* --- changes by people ---------------------------------------------------------------------------------------------
 */

enum recipient_key { RECIPIENT_PHONE = 'p', RECIPIENT_PATIENT = 't' };
/* Keys of the recipient locks that claims take too (claim_lock.sql, ascending). Every process computes the same. */
int64_t dispatch_recipient_key(const struct uuid *practice, enum recipient_key kind, struct view who);
/* Puts keys into the order in which everybody takes them, each once. Returns how many are left. */
unsigned dispatch_lock_order(int64_t *keys, unsigned count);

/* A change to what is known of a recipient, or of what may be sent: one statement. */
struct dispatch_change {
	struct uuid practice_id;
	struct view phone;
	struct view patient;                    /* p NULL: the change is about the phone only */
	struct view other_phone, other_patient; /* whom it was about before; p NULL: nobody else */
	const char *sql;                        /* name of a file of store/sql */
	struct store_params *params;
	store_rows_cb rows;
	store_done_cb done;
	void *ctx;
};
/* Runs it under the locks of its phone and patient; done follows the commit. What a claim of this process has for that
 * phone and has not handed to a link is judged again. Works while nothing is claimed or sent. False when
 * LIMIT_CHANGE_QUEUE wait (answer 503). */
bool dispatch_change(struct dispatch *d, const struct dispatch_change *change);

/* What is known of a phone was changed and committed, by a person: submits that are claimed for it and not yet written
 * are judged again, and what waits is looked at. */
void dispatch_phone_changed(struct dispatch *d, const struct uuid *practice, struct view phone);
/* A parsed zone by name from the tzdata folder; NULL when there is none. Kept for the life of the process. */
const struct zone *dispatch_zone(struct dispatch *d, const char *name);

/* How many requests of others have yet to be answered: they ask the dispatch for more until they are. */
typedef unsigned (*dispatch_asked_cb)(void *ctx);
/* SIGTERM: claims nothing more, waits (at most LIMIT_DRAIN_MS) for open requests, submits and writes, unbinds, then
 * calls done once. Submits without an answer are written as uncertain. */
void dispatch_drain(struct dispatch *d, dispatch_asked_cb asked, net_cb done, void *ctx);
/* After done: whether every link and webhook ended in time, so that dispatch_free may be called. */
bool dispatch_drained_clean(const struct dispatch *d);
void dispatch_free(struct dispatch *d);

/* --- accepting -----------------------------------------------------------------------------------------------------
 */

enum accept_result {
	ACCEPT_STORED,   /* committed */
	ACCEPT_REPEATED, /* its Idempotency-Key is taken: read the stored answer */
	ACCEPT_FAILED,   /* not stored, or not known to be: the client tries again with its key */
};

struct draft;
typedef void (*accept_cb)(void *ctx, struct draft *draft, enum accept_result result);

/* A message as the API hands it in. All texts are the caller's and live until cb. */
struct draft {
	struct uuid practice_id;
	struct uuid id;
	struct view patient;
	struct view phone;
	struct view sender;
	struct view time_zone; /* p NULL: not given */
	struct view zones;     /* blank separated */
	struct view body;      /* normalised */
	const char *encoding;
	unsigned characters;
	unsigned segments;
	const char *category;
	struct view states;           /* blank separated candidate states, "" unknown */
	bool phi;                     /* says more of the patient than that there is a visit */
	struct uuid answers;          /* the inbound text that it answers; zeros: none */
	struct view emergency_person; /* who ordered it; p NULL: it is no emergency */
	struct view emergency_reason;
	struct view answerer;    /* the person who answers a patient's text; p NULL: a program does */
	struct uuid template_id; /* zeros: the body was given as it is */
	int64_t template_version;
	const char *api_key; /* public part of the key that it came with */
	int priority;        /* 0 urgent, 1 normal, 2 low */
	int64_t send_at_us;  /* 0: not given */
	int64_t expires_at_us;
	struct view reference; /* p NULL: not given */
	const char *status;    /* "scheduled" or "queued" */
	int64_t due_at_us;
	struct view trace;     /* W3C traceparent; p NULL: none */
	struct uuid batch;     /* that it came with; zeros: none */
	unsigned batch_item;   /* its place there, from 0 */
	struct uuid broadcast; /* that it is of; zeros: none */
	bool discard;          /* its text is taken out as soon as it ended */
	struct view key;       /* p NULL: no Idempotency-Key */
	uint8_t request_hash[32];
	struct view answer; /* what a repeated request is answered with */
	accept_cb cb;
	void *ctx;
	struct draft *next; /* dispatch's */
};

/* How a message that is not there would be judged now. */
struct dispatch_judged {
	struct policy_verdict verdict; /* by the rules; whether a carrier has room is not asked */
	struct policy_facts facts;
	const struct policy_rules *rules; /* NULL: none are in force */
	int64_t now_us;
};
/* j: one for each draft; NULL when the database could not be read. They live until it returns. */
typedef void (*dispatch_judged_cb)(void *ctx, const struct dispatch_judged *j, unsigned count);

/* Judges drafts (at most LIMIT_CLAIM_BATCH) by the very facts, rules and code of a claim, from a snapshot and without
 * locks: nothing is stored, nothing waits for it. Of a draft, id, key, answer, cb and ctx are not looked at; one
 * without a body (p NULL) asks about its class, whatever the words. Drafts are only read until it returns. cb is called
 * exactly once, later; false, without it, when LIMIT_READ_QUEUE wait (answer 503). */
bool dispatch_judge(struct dispatch *d, const struct draft *drafts, unsigned count, dispatch_judged_cb cb, void *ctx);

enum batch_result {
	BATCH_STORED,   /* committed: accepted, or its refusal kept */
	BATCH_REFUSED,  /* committed: a draft that somebody else's in the broadcast shuts out */
	BATCH_REPEATED, /* it is there from before */
	BATCH_CHANGED,  /* something else is there from before */
	BATCH_CLOSED,   /* the batch is cancelled, its broadcast is over: it takes nothing more */
	BATCH_LOST,     /* another request is bringing the batch now */
	BATCH_FAILED    /* not stored, or not known to be */
};

/* An item of a batch: a draft, or why there is none. All texts are the caller's and live until cb. */
struct batch_row {
	struct uuid practice_id;
	struct uuid batch;
	struct uuid upload; /* the request that brings it */
	unsigned item;
	uint8_t sha256[32];    /* of what was sent */
	struct view reference; /* p NULL: none */
	struct draft *draft;   /* its batch, item and broadcast set; NULL: refused */
	const char *code;      /* of the refusal */
	struct view errors;    /* JSON; p NULL: none */
	void (*cb)(void *ctx, struct batch_row *row, enum batch_result result);
	void *ctx;
	struct batch_row *next; /* dispatch's */
};
/* Queues an item for the next commit of items; apart from other drafts, so that these do not wait behind a batch. How
 * many wait is the caller's to limit. cb is called exactly once, later. */
void dispatch_batch_store(struct dispatch *d, struct batch_row *row);
/* A broadcast was started, or something was cancelled: it is looked at in this turn. */
void dispatch_broadcast_wake(struct dispatch *d);
/* The lane of batches, for what opens and closes them. */
struct store_lane *dispatch_batch_lane(struct dispatch *d);

/* Queues a draft for the next commit; false when LIMIT_ACCEPT_QUEUE wait (answer 503). cb is called exactly once. */
bool dispatch_accept(struct dispatch *d, struct draft *draft);

#endif
