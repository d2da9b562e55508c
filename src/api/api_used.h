/* When and from where each key was last used: kept in memory, written every LIMIT_KEY_USED_MS. */
#ifndef API_USED_H
#define API_USED_H

#include "api.h"

struct used_keys;

struct used_keys *used_new(const struct api_config *config);
/* Past LIMIT_KEY_USED keys in one batch a use goes unnoted; the next one is not. */
void used_note(struct used_keys *u, const char *key, struct view address);
/* What is not written yet is lost. */
void used_free(struct used_keys *u);

#endif
