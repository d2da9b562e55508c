/* Items of a batch or recipients of a broadcast on their way in, as JSON or as NDJSON of any length: each is judged as
 * POST /v1/messages judges, and stored with its own result. */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include "api_internal.h"

#include <jansson.h>

/* What makes a recipient's item a message. */
struct upload_broadcast {
	struct uuid id; /* zeros: the items are messages as they are */
	char template_id[UUID_TEXT_BYTES];
	char language[24];
	char category[48];
	char expires_at[40];
};

struct uploads *uploads_new(void);
void uploads_free(struct uploads *all);

/* Takes the exchange's body, and answers it when all of it is stored: 202 with the batch's id and counts; or with what
 * is wrong, and then what was stored stays. broadcast NULL: a batch of messages. */
void upload_begin(struct api *a, struct http_exchange *x, const struct api_caller *who,
                  const struct upload_broadcast *broadcast);

/* Shared by the files of uploads. */

/* Makes the message of a recipient: item gets the members that the broadcast gives. False when it has one that is not
 * a recipient's: *name_r. */
bool upload_complete_item(const struct upload_broadcast *b, json_t *item, const char **name_r);
/* The reference of an item as it is shown in its result; p NULL without one that can be. */
struct view upload_reference(const json_t *item);
/* A refusal's errors as JSON, in pool. */
struct view upload_errors(struct pool *pool, const struct http_problem_error *error, unsigned count);

#endif
