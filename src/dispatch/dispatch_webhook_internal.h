/* Shared by the webhook files only.
 *   dispatch_webhook.c          who has news; rounds and their lives
 *   dispatch_webhook_round.c    reads an endpoint's events and posts them in order
 *   dispatch_webhook_advance.c  what became of them -> commit
 *   dispatch_webhook_sign.c     signatures
 *   dispatch_webhook_plan.c     when and where again (pure) */
#ifndef DISPATCH_WEBHOOK_INTERNAL_H
#define DISPATCH_WEBHOOK_INTERNAL_H

#include "dispatch_internal.h"
#include "dispatch_webhook_plan.h"
#include "net_fetch.h"
#include "net_sign.h"

#define POSTS_MAX (2 * LIMIT_WEBHOOK_BATCH) /* of a round: what waited and what is new */

enum post_state {
	POST_READY,  /* not begun */
	POST_SILENT, /* nobody is told: the cursor passes */
	POST_BEHIND, /* something of before the round still waits at its key */
	POST_OUT,    /* being posted */
	POST_TAKEN,
	POST_FAILED
};

struct post {
	struct round *round;
	const char *xact; /* texts are of the round's pool */
	int64_t event_id;
	int attempts;    /* before this one */
	int64_t since_s; /* since its first failure */
	bool waited;     /* behind the cursor already */
	enum post_state state;
	int status; /* HTTP; 0: no answer */
	int64_t retry_after_ms;
	const char *key; /* events with the same go one after the other */
	const char *type;
	const char *payload;
	const char *trace;
};

struct webhook_keys {            /* of one signer */
	const char *secret;      /* whsec_...; "": there is none */
	const char *private_key; /* hex */
};

struct round {
	struct webhooks *w;
	struct round *next;
	struct pool pool;
	struct uuid practice_id;
	struct uuid endpoint_id;
	const char *url;
	const char *failover_url; /* "": none */
	const char *types;        /* " message.sent message.held "; "": all */
	bool reply_text;
	struct webhook_keys now;
	struct webhook_keys former;
	const char *xact; /* cursor */
	int64_t event_id;
	struct webhook_health health;
	int64_t down_s; /* how long it has been down */
	bool slow;      /* so it was before */
	int64_t made_ms;
	int64_t began_ms; /* of the posts */
	struct post post[POSTS_MAX];
	unsigned posts;
	unsigned open;
	bool gone;           /* 410 */
	const char *disable; /* why it asks to be disabled; NULL: it does not */
	int last_status;
	char last_error[120];
	struct store_params params;
};

struct webhooks {
	struct dispatch *d;
	struct fetcher *fetcher;
	struct net_timer *timer;
	struct round *rounds;
	unsigned count;
	struct store_params due;
	int64_t now_us; /* of the look that is running */
	bool looking;
	bool draining;
};

/* Begins a round: reads, posts, books; ends with webhooks_round_over. */
void webhook_round_begin(struct round *r);
/* All posts have ended: books them. */
void webhook_round_book(struct round *r);
/* The round is booked, or came to nothing; frees it. again: there may be more for that endpoint now. */
void webhooks_round_over(struct round *r, bool again);
/* The header webhook-signature of Standard Webhooks 1.0.0 over "id.timestamp.payload": v1 (HMAC-SHA256) and v1a
 * (Ed25519), by the endpoint's keys and while they still sign by those before. */
void webhook_sign(const struct round *r, const char *id, int64_t timestamp_s, const char *payload, struct buf *header);

#endif
