#include "base_pool.h"

#include "base_check.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 4000u

struct pool_block {
	struct pool_block *next;
	size_t used;
	size_t cap;
	_Alignas(16) uint8_t bytes[];
};

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size);
	check(p);
	return p;
}

char *mem_copy_str(const char *text)
{
	char *copy = strdup(text ? text : "");
	check(copy);
	return copy;
}

void *pool_alloc(struct pool *p, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	struct pool_block *b = p->blocks;
	if (!b || size > b->cap - b->used) {
		size_t cap = size > BLOCK_BYTES ? size : BLOCK_BYTES;
		b = malloc(sizeof(*b) + cap);
		check(b);
		*b = (struct pool_block){.next = p->blocks, .cap = cap};
		p->blocks = b;
	}
	void *piece = b->bytes + b->used;
	b->used += size;
	memset(piece, 0, size);
	return piece;
}

char *pool_copy(struct pool *p, struct view v)
{
	char *copy = pool_alloc(p, v.n + 1);
	if (v.n)
		memcpy(copy, v.p, v.n);
	return copy;
}

char *pool_copy_str(struct pool *p, const char *text)
{
	return pool_copy(p, view_str(text));
}

void pool_free(struct pool *p)
{
	while (p->blocks) {
		struct pool_block *next = p->blocks->next;
		free(p->blocks);
		p->blocks = next;
	}
}
