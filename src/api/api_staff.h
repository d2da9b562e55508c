/* What the routes of keys, people and settings share. */
#ifndef API_STAFF_H
#define API_STAFF_H

#include "api_request.h"

#define STAFF_BY_BYTES 160

/* Who does it, for events: the key's person, or "key <id>". */
const char *staff_by(const struct api_caller *who, char to[STAFF_BY_BYTES]);
/* Runs a statement for a request; ps is freed. When the line is full it is answered with 503, and the request ended. */
void staff_run(struct request *r, const char *sql, struct store_params *ps, store_rows_cb rows, store_done_cb done);
/* A page of a list, keyset by id: sql takes practice, after or null (text), how many, and returns id, JSON. id_ok tells
 * what an id looks like. */
void staff_list(struct api *a, struct http_exchange *x, const struct api_caller *who, const char *sql, const char *path,
                bool (*id_ok)(struct view id));
/* Answers with r's body, and ends it. */
void staff_reply(struct request *r, int status);
/* Answers that the database does not answer, and ends it. */
void staff_failed(struct request *r);
/* A request without a body. */
struct request *staff_request(struct api *a, struct http_exchange *x, const struct api_caller *who);

#endif
