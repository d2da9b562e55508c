/* A message on its way in: what POST /v1/messages and its kin read of a request, and every fault of it.
 *   api_creation.c        the fields, as rows, and most of them
 *   api_creation_place.c  zones and states in which the patient may be
 *   api_creation_body.c   the text: its shape and its lint
 *   api_creation_judge.c  all of it, of a known patient, with a template or without, and the verdict
 *   api_message.c         Idempotency-Key, JSON, commit, answer
 *   api_preview.c         what would become of it, instead of a commit
 *   api_replace.c         another text for a message that is there */
#ifndef API_CREATION_H
#define API_CREATION_H

#include "api_internal.h"
#include "api_template_use.h"
#include "net_crypto.h"
#include "policy_phone.h"
#include "policy_rules.h"
#include "text_shape.h"

#include <jansson.h>

#define CREATION_ERRORS_MAX 24

enum creation_verdict {
	CREATION_FINE,   /* creation_draft may be handed to dispatch */
	CREATION_FAULTY, /* see error and errors */
	CREATION_SCOPE,  /* the key may not order an emergency text */
	CREATION_UNREAD, /* what it names could not be read */
	CREATION_BUSY,   /* too many reads wait */
};
typedef void (*creation_judged_cb)(void *ctx, enum creation_verdict verdict);

struct creation {
	struct api *api;
	struct http_exchange *x; /* NULL: an item of a batch, answered with others */
	struct pool *pool;       /* for what lives as long as it; NULL: the exchange's */
	struct api_caller who;
	struct draft draft;
	json_t *json;
	struct http_problem_error error[CREATION_ERRORS_MAX];
	unsigned errors;
	creation_judged_cb judged;
	void *judged_ctx;
	struct text_changes changes;
	const struct template_used *used; /* NULL: the body was given as it is */
	struct lint_findings findings;
	struct zone_names zones;
	unsigned category_flags;
	bool phone_ok;
	int64_t now_us;
	bool failed_validation; /* answered with the errors unless the key has a stored answer */
	bool in_flight;
	bool stored_found;
	char stored_hash[2 * SHA256_BYTES + 1];
	char *stored_answer;
};

/* The members of the request, a row each in api_creation.c. */
enum creation_field {
	F_PATIENT,
	F_PHONE,
	F_TIME_ZONE,
	F_BODY,
	F_CATEGORY,
	F_PRIORITY,
	F_SEND_AT,
	F_EXPIRES_AT,
	F_REFERENCE,
	F_ZIP,
	F_STATE,
	F_PHI,
	F_ANSWERS,
	F_PERSON,
	F_EMERGENCY,
	F_TEMPLATE,
	F_LANGUAGE,
	F_VARIABLES, /* read by template_use, as the two before */
	F_RETENTION,
	F_COUNT
};

struct pool *creation_pool(const struct creation *c);
/* A fault of the request, told by pointer and code, never by value. pointer and detail live as long as the pool. */
void creation_error(struct creation *c, const char *pointer, const char *code, const char *detail);
/* A field's text; p NULL when it is absent or wrong (then an error was added). null counts as absent. */
struct view creation_text(struct creation *c, enum creation_field f);
/* The pointer of a member that there should not be: "" when its name may be anything, a phone too. */
const char *creation_pointer(struct creation *c, const char *name);
/* Reads and checks all fields into c->draft. */
void creation_take(struct creation *c);
/* Who it is for, where that person may be, and the reference; category_flags are set. */
void creation_take_recipient(struct creation *c);
/* Every zone and state in which the patient may be. After the phone and the category. */
void creation_take_place(struct creation *c);
/* The text, normalised, its shape and its lint. After the category. */
void creation_take_body(struct creation *c);
/* The characters that were replaced, as a JSON array, and `,"findings":` with the lint's. */
void creation_write_text(const struct creation *c, struct buf *to);
/* Answers a preview; after creation_take. */
void preview_answer(struct creation *c);
/* Reads the patient, if it leaves out the phone, and its template, if it names one, takes all fields, and calls cb
 * once, at once or later. api, pool or x, who, json and now_us must be set. */
void creation_judge(struct creation *c, creation_judged_cb cb, void *ctx);
/* The draft with an id of its own, ready but for its trace, Idempotency-Key, answer and callback. After
 * CREATION_FINE. */
struct draft *creation_draft(struct creation *c);
/* An emergency text was stored: tells the operator. */
void creation_tell_emergency(const struct creation *c, const char *trace);
/* Ends c with 422 and its errors. */
void creation_answer_errors(struct creation *c);
/* Nothing of c may be used after it but the exchange. */
void creation_end(struct creation *c);

#endif
