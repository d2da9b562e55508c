/* Pages of lists, as every route of the API writes them: {"data": [...], "next": "/v1/...?after=..." or null}. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api_internal.h"

/* Writes the rows from `first` on, at most `limit`, whose `column` holds each as JSON, and notes how many were shown. A
 * row more than the limit says that there is a next page: then the last row that was shown is returned, and the caller
 * goes on with the next page's path and page_end. Else -1: the page is whole. */
int page_rows(struct http_exchange *x, struct buf *to, const struct store_rows *rows, unsigned first, unsigned column,
              unsigned limit);
/* The end of a page that has a next one. query: further parameters, "&a=b" or "". */
void page_end(struct buf *to, unsigned limit, const char *query);
/* Answers with the page, or that it could not be read; frees it. */
void page_reply(struct http_exchange *x, enum store_result result, struct buf *body);
/* {} of the path as an id; false with the problem `unknown` answered. */
bool page_id(struct http_exchange *x, struct uuid *id_r, const char *unknown);

/* A page of what a statement returns as (id, JSON) with one row more than the limit: {"data": [...], "next": path}.
 * path: "/v1/...", query: further parameters of the next page's link, "&a=b" or "". Frees the parameters. */
void page_list(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
               const char *path, const char *query);
/* The same of something that may not be there: the statement's first row has no id when it is, and is not shown.
 * Without it the answer is the problem `unknown`. */
void page_list_of(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, unsigned limit,
                  const char *path, const char *query, const char *unknown);
/* One thing as JSON, the statement's only column; without a row the problem `unknown`. Frees the parameters. */
void page_show(struct api *a, struct http_exchange *x, const char *sql, struct store_params *ps, const char *unknown);
/* after and limit of a query; false when they cannot be. */
bool page_query(struct view query, struct uuid *after_r, bool *has_after_r, unsigned *limit_r);

#endif
