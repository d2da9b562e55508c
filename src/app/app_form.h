/* Pages of lists; and an older way of reading a request of texts only, which app_request.h does in its place: new
 * handlers use request_read and request_run. */
#ifndef APP_FORM_H
#define APP_FORM_H

#include "app_api_internal.h"

#define FORM_FIELDS_MAX 8

enum form_type { FORM_TEXT, FORM_PHONE, FORM_ID, FORM_WORD };

struct form_row {
	const char *name;
	enum form_type type;
	bool required;
	const char *words; /* FORM_WORD: those that it may be, a blank before and behind each */
};

struct request;
struct form {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	struct view value[FORM_FIELDS_MAX]; /* p NULL: not given. Of the request's pool */
	struct uuid id;                     /* of the path, when it has one */
	int status;                         /* of an answer without a problem */
	struct request *request;
};

/* Reads the request; NULL when it was answered already. with_id: {} of the path is an id. */
struct form *form_read(struct api *a, struct http_exchange *x, const struct api_caller *who,
                       const struct form_row *rows, unsigned count, bool with_id);
/* A field as the statement's next parameter, "" or NULL when it was not given. */
void form_add(const struct form *f, struct store_params *ps, unsigned field);
void form_add_or_null(const struct form *f, struct store_params *ps, unsigned field);
/* Runs the statement and answers; frees the parameters. */
void form_run(struct form *f, const char *sql, struct store_params *ps);
/* Answers with one of the problems that statements name. */
void form_problem(struct http_exchange *x, const char *code);

/* A page of what a statement returns as (id, JSON) with one row more than the limit: {"data": [...], "next": path}.
 * path: "/v1/...", query: further parameters of the next page's link, "&a=b" or "". Frees the parameters. */
void form_page(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
               const char *path, const char *query);
/* The same of something that may not be there: the statement's first row has no id when it is, and is not shown.
 * Without it the answer is the problem `unknown`. */
void form_page_of(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
                  const char *path, const char *unknown);
/* One thing as JSON, the statement's only column; without a row the problem `unknown`. Frees the parameters. */
void form_show(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, const char *unknown);
/* after and limit of a query; false when they cannot be. */
bool form_page_query(struct view query, struct uuid *after_r, bool *has_after_r, unsigned *limit_r);

#endif
