/* A pool: many small pieces freed together, one pool a connection, request or batch, freed when its owner closes. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base_bytes.h"

struct pool_block;

struct pool {
	struct pool_block *blocks;
};

/* Zeroed memory, aligned for any type. Aborts when there is none: sizes are ours or under a ceiling. */
void *pool_alloc(struct pool *p, size_t size);
/* A copy of the octets with a NUL behind. */
char *pool_copy(struct pool *p, struct view v);
char *pool_copy_str(struct pool *p, const char *text);
void pool_free(struct pool *p);

/* malloc and calloc that abort instead of failing. */
void *mem_alloc(size_t size);
char *mem_copy_str(const char *text);

#endif
