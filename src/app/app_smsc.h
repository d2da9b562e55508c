/* The simulated carrier, put together: sessions of the same code as the gateway's in the role of message centre, a
 * script that decides (src/script), and what it decided carried out here. app_smsc.c starts and ends it, _peer has the
 * connections, _wire their octets, _answer the requests of ESMEs, _deliver what goes to them, _later the queue of what
 * waits, _log what is told. */
#ifndef APP_SMSC_H
#define APP_SMSC_H

#include "base_time.h"
#include "link_pump.h"
#include "script_book.h"
#include "script_engine.h"
#include "script_parts.h"

#include <stdio.h>

#define SMSC_WINDOW LIMIT_SESSION_IN_OPEN /* the gateway refuses more */
#define SMSC_PEERS_MAX 1024               /* connections; more are closed at once */
#define SMSC_ACCOUNTS_MAX 64              /* system_ids kept apart; more share the last one's queue */
#define SMSC_LATER_MAX (1u << 20)         /* answers and other things that wait; more are dropped and counted */
#define SMSC_DELIVERIES_MAX (1u << 18)    /* receipts and texts that wait; more are dropped and counted */
#define SMSC_REORDER_MAX 64               /* things collected for another order */
#define SMSC_HOLD_BYTES (1u << 20)        /* octets kept back of one connection; past it, it is closed */
#define SMSC_REDELIVER 5                  /* times, when the script does not say */
#define SMSC_REDELIVER_MS 1000

/* Streams of script_engine_draw. */
enum { SMSC_DRAW_WHOM, SMSC_DRAW_OCTETS, SMSC_DRAW_ORDER, SMSC_DRAW_STATUS, SMSC_DRAW_DIGITS, SMSC_DRAW_PART };

struct smsc;
struct smsc_later;
typedef void (*smsc_later_cb)(struct smsc *s, struct smsc_later *l);

/* An answer to a request, as decided. */
struct smsc_answer {
	uint32_t peer;
	uint32_t sequence;
	uint32_t status;
	uint16_t request;   /* enum smpp_command */
	int16_t congestion; /* -1: none */
	uint64_t number;    /* of the message; 0: none */
	uint8_t spelling;   /* of its id: enum script_word */
	uint8_t lie;        /* SCRIPT_LIE_ word + 1; 0: none */
	bool header_only, nack, blind, half, repeated;
	uint8_t message_state; /* query_sm_resp */
	uint8_t unsuccess;     /* submit_multi: distribution lists that were refused */
	int64_t final_us;
};

/* Something that waits for its time. */
struct smsc_later {
	int64_t at_ms;
	uint64_t serial; /* of two at the same time the lower goes first */
	smsc_later_cb run;
	union {
		struct smsc_answer answer;
		struct {
			uint32_t number;
			uint32_t value;
		} peer;
		struct smsc_delivery *delivery;
		struct {
			uint32_t peer;
			uint8_t octets[SMPP_HEADER_BYTES];
		} raw;
	};
};

/* A receipt or a patient's text on its way to an ESME. */
struct smsc_delivery {
	struct smsc_delivery *next; /* waiting for room, or free */
	uint32_t index, generation; /* together the ref in a session */
	uint32_t peer;              /* which connection should get it */
	uint8_t account;
	bool elsewhere; /* any but that one, when there is */
	bool in_flight;
	bool silent; /* nothing is sent: only the message's state moves */
	bool intermediate, unflagged, data_sm, contradicts;
	uint8_t spelling, format, tlvs;
	int32_t tries;
	int64_t again_ms;
	uint64_t number; /* of the message; 0: a text */
	char state[17], error[17];
	char from[SCRIPT_ADDRESS_BYTES], to[SCRIPT_ADDRESS_BYTES];
	int64_t submit_us;
	int redeliver_line;
	struct script_part *part; /* a text's; owned */
};

struct smsc_account {
	char name[66];
	struct smsc_delivery *first, **last; /* waiting for room in a session */
	unsigned waiting;
	int64_t broke_ms; /* when a connection ended without unbind */
	bool broke;
};

struct smsc_wire {
	struct buf out;  /* kept back by cut and merge */
	struct buf in;   /* read but not yet given to the session, by slow_reader */
	struct buf seen; /* of the log: an incomplete PDU that came */
	struct net_timer *out_timer, *in_timer;
	uint64_t credit;  /* of slow_reader: octets times 1000 that may be read */
	unsigned cut;     /* octets of a piece; 0: whole */
	int64_t merge_ms; /* 0: at once */
	unsigned slow;    /* octets a second; 0: no limit */
	int64_t slow_until_ms;
	bool half_open;
	bool lost; /* what came is no PDU: the log looks no more */
	bool ending;
	char end_reason[64];
};

struct smsc_peer {
	struct smsc *smsc;
	struct smsc_peer *next;
	struct pump *pump;
	struct smsc_wire wire;
	uint32_t number;
	enum smpp_bind_kind kind;
	uint8_t account;
	bool bound, dirty, unbound, ended, dialled;
	bool bind_waits, bind_header_only, bind_nack, bind_plain; /* how the answer to the bind is changed */
	uint32_t bind_sequence, bind_status;
};

struct smsc {
	struct loop *loop;
	struct listener *listener;
	struct tls_context *tls;
	struct smsc_peer *peers;
	unsigned peer_count;
	struct net_timer *timer, *stats_timer;
	struct net_signal *term, *interrupt, *calm;
	struct net_watch *input;
	struct buf typed, scratch;

	const char *system_id, *password;
	char outbind_host[256];
	int outbind_port; /* 0: nobody is dialled */
	bool print, commands;
	int64_t stats_ms;

	struct script *script;
	struct script_engine *engine;
	struct script_book *book;
	uint64_t seed;
	int64_t start_ms;
	bool watches[SCRIPT_EVENT_COUNT]; /* whether the script has rules for it */

	struct smsc_later *later; /* a heap */
	size_t later_count, later_room;
	uint64_t serial;
	struct smsc_answer reorder[SMSC_REORDER_MAX];
	unsigned reordered;
	uint64_t reorder_round;
	struct smsc_delivery *reorder_delivery[SMSC_REORDER_MAX];
	unsigned reordered_deliveries;
	uint64_t reorder_delivery_round;

	struct smsc_delivery **delivery; /* by index */
	size_t delivery_count, delivery_room;
	struct smsc_delivery *free_delivery;
	struct smsc_account account[SMSC_ACCOUNTS_MAX];
	unsigned accounts;
	char last_from[SCRIPT_ADDRESS_BYTES], last_to[SCRIPT_ADDRESS_BYTES];
	uint8_t last_account;

	FILE *log;
	uint32_t next_peer, next_own_sequence;
	uint16_t next_reference;
	uint64_t submitted, requested, answered, delivered, acknowledged, dropped, refused, unanswered;
	uint64_t fault[SCRIPT_FAULT_COUNT];
};

/* --- _later: what waits for its time --- */

/* A place in the queue, to be filled at once, before another is asked for; NULL when it is full (counted as dropped).
 */
struct smsc_later *smsc_later_add(struct smsc *s, int64_t after_ms, smsc_later_cb run);
/* The same behind everything else of its time: a receipt follows its answer. */
struct smsc_later *smsc_later_behind(struct smsc *s, int64_t after_ms, smsc_later_cb run);
/* Runs what is due, and the script's times; arms the timer. */
void smsc_work(struct smsc *s);
/* At the end of this turn there is work. */
void smsc_wake(struct smsc *s);

/* --- _log: what is told --- */

/* A fault was done: counted by name, and a line in the log. peer may be NULL; number is what it was about, 0 nothing.
 */
void smsc_did(struct smsc *s, const struct smsc_peer *p, const struct script_plan *plan, enum script_fault f,
              uint32_t sequence);
void smsc_did_line(struct smsc *s, const struct smsc_peer *p, enum script_fault f, int line, uint32_t sequence);
/* Octets on a connection; PDUs are logged one by one. */
void smsc_log_out(struct smsc_peer *p, struct view octets);
void smsc_log_in(struct smsc_peer *p, struct view octets);
void smsc_log_verdict(struct smsc_peer *p, uint32_t sequence, bool taken, bool answers, uint32_t status);
void smsc_log_event(struct smsc *s, const struct smsc_peer *p, const char *event, const char *reason);
/* The summary as one JSON line on standard output. */
void smsc_summary(struct smsc *s);

/* --- _peer: connections --- */

void smsc_accept(struct smsc *s, struct listener *from);
/* Dials --outbind; false when there is nobody to dial. */
bool smsc_dial(struct smsc *s);
struct smsc_peer *smsc_peer_of(struct smsc *s, uint32_t number);
const char *smsc_account_name(const struct smsc_peer *p);
/* A bound connection drawn from the seed; NULL when none is. */
struct smsc_peer *smsc_peer_draw(struct smsc *s);
/* What an `at` or `every` line decided. */
void smsc_timed(struct smsc *s, const struct script_plan *plan);
/* Gives every session's octets to its connection. */
void smsc_flush(struct smsc *s);

/* --- _wire: octets --- */

extern const struct pump_filter smsc_filter;
void smsc_wire_init(struct smsc_peer *p);
void smsc_wire_free(struct smsc_wire *w);
/* Writes octets behind what the session has written. */
void smsc_wire_write(struct smsc_peer *p, struct view octets);
/* cut, merge, slow_reader; garbage and flood. sequence of the request that they belong to, or 0. */
void smsc_wire_shape(struct smsc_peer *p, const struct script_plan *plan);
void smsc_wire_noise(struct smsc_peer *p, const struct script_plan *plan, uint32_t sequence);
/* close, unbind, half_open, base_ms later than they say. True when nothing can be answered any more. */
bool smsc_wire_end(struct smsc_peer *p, const struct script_plan *plan, uint32_t sequence, int64_t base_ms);
void smsc_wire_alert(struct smsc_peer *p, const char *from, const char *to);
/* Writes what is kept back, then closes. */
void smsc_wire_close(struct smsc_peer *p, const char *reason);

/* --- _answer: requests --- */

/* Serves a request of an ESME as the script says. */
void smsc_request(struct smsc_peer *p, const struct smpp_pdu *pdu);

/* --- _deliver: receipts and texts --- */

/* The receipts of a message whose answer leaves in answer_ms; the plan is that of the event receipt. */
void smsc_receipt(struct smsc_peer *p, const struct script_message *m, const char *to, const struct script_plan *plan,
                  enum script_word spelling, int64_t answer_ms);
/* A patient's text, in after_ms. peer may be NULL. False when it cannot be sent at all. */
bool smsc_text(struct smsc *s, struct smsc_peer *p, uint8_t account, const char *from, const char *to, struct view text,
               int64_t after_ms);
/* The outcome of a delivery in a session. */
void smsc_delivery_answered(struct smsc *s, uint64_t ref, uint32_t status);
void smsc_delivery_lost(struct smsc *s, uint64_t ref);
/* Sends what waits for room, as far as there is. */
void smsc_deliver_waiting(struct smsc *s);

#endif
