/* A patient's text on its way through dispatch_inbound.c, dispatch_heard.c, dispatch_part.c, dispatch_repeat.c and
 * dispatch_notice.c. */
#ifndef DISPATCH_INBOUND_H
#define DISPATCH_INBOUND_H

#include "dispatch_internal.h"
#include "smpp_concat.h"
#include "text_intent.h"

enum inbound_kind {
	INBOUND_WHOLE,   /* a text in one PDU */
	INBOUND_PART,    /* one of several */
	INBOUND_EXPIRED, /* several of which some did not come in time; nobody waits for an answer */
};

/* What the database made of it. */
enum inbound_fate {
	INBOUND_KEEP,     /* to be kept as a text, and acted upon */
	INBOUND_WAITS,    /* a part: kept, until the others are there */
	INBOUND_REPEATED, /* kept already */
};

/* The other parts of a text, as the database has them. */
struct inbound_parts {
	struct text_part part[UINT8_MAX]; /* by number, from 0; octets are in the pool */
	struct pool octets;
	unsigned total;
	unsigned there;
};

/* What a text was taken as besides its intent, and what the patient is told about that. */
struct inbound_told {
	char as[24];      /* "reply", "question", an answer's name; "" or "repeated": nothing new */
	bool tell;        /* by a text of the practice below, which need not be the one the text was for at first */
	char times[64];   /* of a question: "2026-03-02 14:30,2026-03-04 09:00" */
	char language[4]; /* of the visit */
	struct uuid practice_id;
	char *name, *phone, *sender; /* NULL unless tell */
};

struct inbound {
	struct inbound *next;
	enum inbound_kind kind;
	struct delivery from; /* link NULL: nobody to answer */
	const char *carrier;
	char phone[24];
	char sender[24];
	uint8_t *data; /* a copy of what concat and part point into */
	struct smpp_concat concat;
	struct text_part part; /* the octets of this PDU and how they are read */
	char *carrier_copy;    /* what carrier points to when it is not the configuration's */
	struct buf body;       /* UTF-8; of a part that part alone until all are joined */
	size_t bytes;          /* as it counts in the queue */
	bool clean;            /* the octets were what they said */
	int64_t arrived_ms;    /* monotonic */
	int64_t at_us;
	struct uuid own_id; /* of the text, unless it is of a part that others came before */
	struct uuid id;     /* of the inbound row */
	struct uuid notice_id;
	struct uuid practice_id; /* zero: unroutable */
	char *practice_name;     /* NULL: not found */
	char *practice_phone;
	char *practice_sender;
	struct uuid *known; /* practices: that one, those that share its number, and others where something waits */
	unsigned known_count;
	unsigned sharing; /* of these, how many have the number */
	bool found;
	struct text_meaning alone; /* what this PDU's text says by itself */
	/* Known once the database has looked, anew with each attempt: */
	enum inbound_fate fate;
	struct inbound_parts *parts; /* of PART and EXPIRED */
	bool stopped;                /* an earlier part was a STOP, and was acted upon */
	struct uuid earlier_id;      /* of the text that this one repeats */
	struct text_meaning said;    /* by the whole text */
	enum text_intent keyword;    /* to be written down */
	struct text_meaning act;     /* to be acted upon now */
	enum text_intent done;       /* what the database made of it */
	bool changed;                /* opt-out made or lifted by this text */
	struct inbound_told told;
};

/* Octets as a parameter: hexadecimal text. */
void inbound_add_hex(struct store_params *ps, struct view octets);

/* --- dispatch_heard.c ----------------------------------------------------------------------------------------------
 */

/* Whether the text is a stop by its words, not only perhaps. */
bool inbound_is_stop(enum text_intent i);
/* Reads what the PDU's text says by itself. A STOP in ASCII is one whatever data_coding says of it (trap 38). */
void inbound_read(struct inbound *m);
/* What is to be done and written down, once it is known whether the text is whole. */
void inbound_judge(struct inbound *m);
/* The name under which it is written down. */
const char *inbound_keyword(const struct inbound *m);
/* The event that keeping it is; "" when what it does tells of itself. */
const char *inbound_event(const struct inbound *m);
/* Whether the database has something to do besides keeping it. */
bool inbound_acts(const struct inbound *m);
/* Parameters of inbound_act. */
void inbound_act_params(const struct inbound *m, struct store_params *ps);
/* Takes what inbound_act returned. */
void inbound_act_rows(struct inbound *m, const struct store_rows *rows);
/* Whether it may be answered by a text: it asks for something, or answers something. */
bool inbound_asks(const struct inbound *m);
void inbound_told_free(struct inbound_told *t);
/* A terminated copy; the caller frees it. */
char *inbound_copy_text(struct view v);
/* The practices that a text may be for: rows of inbound_practice. */
void inbound_practice_rows(struct inbound *m, const struct store_rows *rows);
/* Keys of the recipient's locks at all of them, ascending. */
void inbound_lock_params(const struct inbound *m, struct store_params *ps);
/* Nothing claimed for this phone at these practices is handed to a link: if the intent stops all texts it is withdrawn,
 * if it may, or stops some, judged again; otherwise it stays. */
void inbound_withdraw(struct dispatch *d, const struct inbound *m, enum text_intent intent);

/* --- dispatch_part.c -----------------------------------------------------------------------------------------------
 */

/* Parameters of part_store or long_take. wait_ms: how long a text waits for its parts. */
void inbound_part_params(const struct inbound *m, int64_t wait_ms, struct store_params *ps);
/* Takes what part_store or long_take returned: id, stopped, fate, the other parts. */
void inbound_part_rows(struct inbound *m, enum text_alphabet alphabet, const struct store_rows *rows);
/* Joins the parts that are there into body; sets clean. */
void inbound_part_join(struct inbound *m);
/* The numbers of those that are not, as PostgreSQL writes an array: "{2,5}". */
void inbound_part_missing(const struct inbound *m, struct buf *to);
/* The octets of those that are, one after the other. */
void inbound_part_octets(const struct inbound *m, struct buf *to);
void inbound_parts_free(struct inbound_parts *p);

/* --- dispatch_repeat.c ---------------------------------------------------------------------------------------------
 */

#define INBOUND_REPEAT_MS 300000 /* carriers repeat when they are bound again, or after seconds to minutes */

struct repeats;
struct repeats *repeats_new(struct dispatch *d);
/* Parameters of inbound_once. */
void repeats_params(const struct repeats *r, const struct inbound *m, struct store_params *ps);
/* The text was answered: whether that was heard shows in a while. */
void repeats_answered(struct repeats *r, const struct inbound *m);
/* Parameters of inbound_heard; false when no answer was heard since the last call. */
bool repeats_heard(struct repeats *r, struct store_params *ps);
void repeats_free(struct repeats *r);

/* --- dispatch_notice.c ---------------------------------------------------------------------------------------------
 */

/* The category of the notice that this text is answered with, or CATEGORY_COUNT. */
enum category inbound_notice_category(const struct inbound *m);
/* Parameters of notice.sql. */
void inbound_notice_params(const struct inbound *m, enum category category, struct store_params *ps);

#endif
