/* A message's text from a template: found, filled in, in one read. */
#ifndef API_TEMPLATE_USE_H
#define API_TEMPLATE_USE_H

#include "api_internal.h"
#include "api_template.h"

struct template_used {
	struct faults faults;
	struct uuid id;
	int64_t version;
	enum category category;
	struct view body; /* lives as long as the pool */
	bool unread;      /* the database did not answer */
};

typedef void (*template_used_cb)(void *ctx, const struct template_used *used);

/* Reads `template` (a name or an id), `language` (with a name; "en" without) and `variables` of json; json, who and
 * pool must live until cb, and what cb is told of lives as long as the pool. Calls cb once, later; false, without it,
 * when too many requests wait. */
bool template_use(struct api *a, struct pool *pool, const struct api_caller *who, const json_t *json,
                  template_used_cb cb, void *ctx);

#endif
