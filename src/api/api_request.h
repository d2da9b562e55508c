/* A JSON request whose members are rows: each has its type and what it takes. All faults of a request are found in one
 * pass and told by pointer and code, never by value; then the change it asks for is made under the recipient's lock and
 * answered after its commit, or with the stored answer of its Idempotency-Key. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api_internal.h"
#include "net_crypto.h"
#include "policy_rules.h"

#include <jansson.h>

#define REQUEST_FIELDS_MAX 24
#define REQUEST_ERRORS_MAX 24

enum field_type {
	FIELD_TEXT,    /* 1 to max octets without control characters but line feeds */
	FIELD_PATIENT, /* the practice's own reference */
	FIELD_PHONE,
	FIELD_TIME,    /* RFC 3339 */
	FIELD_DATE,    /* "2026-03-02" */
	FIELD_BOOL,    /* true or false */
	FIELD_NUMBER,  /* 1 to max */
	FIELD_CHOICE,  /* one of choices */
	FIELD_CLASSES, /* a list of categories that a practice may send */
	FIELD_ID,      /* a UUID */
	FIELD_ANY,     /* its owner looks at r->json */
};

struct field_row {
	const char *pointer; /* "/risk_warning/version": two levels at most */
	enum field_type type;
	bool required;       /* by itself; where a group is given, those of it that are required */
	unsigned max;        /* FIELD_TEXT: octets; FIELD_NUMBER: itself */
	const char *choices; /* FIELD_CHOICE: words with a blank before and behind each */
};

struct field_value {
	bool given;
	struct view text; /* "" when not given; lives as long as the request */
	int64_t at_us;    /* FIELD_TIME */
	bool yes;         /* FIELD_BOOL */
	int64_t number;   /* FIELD_NUMBER */
};

struct request {
	struct api *api;
	struct http_exchange *x; /* NULL: a command's */
	struct pool *pool;
	bool fictional_ok;
	struct api_caller who;
	const struct field_row *row;
	unsigned rows;
	json_t *json;
	struct field_value value[REQUEST_FIELDS_MAX];
	struct http_problem_error error[REQUEST_ERRORS_MAX];
	unsigned errors;
	int64_t now_us;
	struct uuid id;  /* of what the request makes */
	struct view key; /* Idempotency-Key; p NULL without one */
	uint8_t hash[SHA256_BYTES];
	bool in_flight;
	int status;          /* of the answer */
	struct buf body;     /* the answer */
	int64_t version;     /* of what it shows: told as its ETag; 0: it has none */
	const char *refused; /* the code of a problem that the statement found, as a rows callback says; NULL: none */
	bool found;
	char problem[40]; /* request_run: what the statement gave */
	char phone[24];
	char stored_hash[2 * SHA256_BYTES + 1];
	store_rows_cb rows_cb;
};

/* Reads the members of rows; NULL when the request was answered already (not JSON, key taken). Faults are in errors. */
struct request *request_read(struct api *a, struct http_exchange *x, const struct api_caller *who,
                             const struct field_row *row, unsigned rows, bool with_key);
/* A request without a body, for request_run. */
struct request *request_bare(struct api *a, struct http_exchange *x, const struct api_caller *who, int status);
/* The same for a command: json is taken over by *r, which lives as long as the pool; end with request_end. */
void request_take(struct request *r, json_t *json, const struct field_row *row, unsigned rows, struct pool *pool,
                  int64_t now_us);
/* Adds a fault. code and detail are static. */
void request_fault(struct request *r, const char *pointer, const char *code, const char *detail);
/* A FIELD_TIME must not lie in the future, nor more than back_us before now (0: as far back as it likes). */
void request_check_past(struct request *r, unsigned field, int64_t back_us);
/* False, with the faults answered, when there are some. */
bool request_fine(struct request *r);
/* Answers and frees. */
void request_problem(struct request *r, int status, const char *code, const char *detail);
void request_end(struct request *r);

/* Answers with what the rows callback found, body or refusal. */
void request_answer(struct request *r);

/* Appends a field as a parameter: its text ("" when not given), or null when it was not given. */
void request_add_text(const struct request *r, struct store_params *ps, unsigned field);
void request_add_null(const struct request *r, struct store_params *ps, unsigned field);
/* The key, the request's hash and the answer that a repeated request gets. */
void request_add_key(const struct request *r, struct store_params *ps, const char *answer);
/* Makes the change under the locks of phone and, unless its p is NULL, patient; ps is freed. rows gets the request as
 * its context, sets found and fills body where it is not set yet; what the commit makes true is answered with status,
 * nothing found with the stored answer of the key or, without one, with 404 and code. */
void request_change(struct request *r, const char *sql, struct store_params *ps, struct view phone, struct view patient,
                    store_rows_cb rows);

/* Runs one statement that does all of it and answers (problem's code or "", answer as JSON, phone that it concerned or
 * ""); ps is freed. A problem is answered by its row (proto/problem.def), else with status. */
void request_run(struct request *r, const char *sql, struct store_params *ps);

/* POST /v1/consents and POST /v1/recipients: their rows and what is looked at beyond these. */
extern const struct field_row consent_rows[], recipient_rows[];
extern const unsigned consent_row_count, recipient_row_count;
void consent_check(struct request *r);
void recipient_check(struct request *r);

#endif
