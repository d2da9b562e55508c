/* Refs are index and generation, so that a ref that has gone never finds somebody else's message. */
#include "dispatch_internal.h"

#include <stdlib.h>

struct flights {
	struct flight *slot;
	uint32_t cap;
	uint32_t free_list; /* index + 1 */
	unsigned open;
	uint64_t given_up[LIMIT_LATE];
	unsigned given_up_at;
};

#define FLIGHTS_MAX (LIMIT_CARRIERS * LIMIT_WINDOW + LIMIT_LATE)

struct flights *flights_new(void)
{
	return mem_alloc(sizeof(struct flights));
}

static bool grow(struct flights *f)
{
	uint32_t cap = f->cap ? f->cap * 2 : 256;
	if (cap > FLIGHTS_MAX * 2)
		return false;
	f->slot = realloc(f->slot, cap * sizeof(*f->slot));
	check(f->slot);
	for (uint32_t i = cap; i-- > f->cap;) {
		f->slot[i] = (struct flight){.next = f->free_list};
		f->free_list = i + 1;
	}
	f->cap = cap;
	return true;
}

uint64_t flights_add(struct flights *f, const struct flight *flight)
{
	if (!f->free_list && !grow(f))
		return 0;
	uint32_t i = f->free_list - 1;
	uint32_t generation = f->slot[i].generation + 1;
	f->free_list = f->slot[i].next;
	f->slot[i] = *flight;
	f->slot[i].used = true;
	f->slot[i].generation = generation;
	f->open++;
	return (uint64_t)generation << 32 | (i + 1);
}

struct flight *flights_get(struct flights *f, uint64_t ref)
{
	uint32_t i = (uint32_t)ref - 1;
	if (ref == 0 || i >= f->cap || !f->slot[i].used || f->slot[i].generation != ref >> 32)
		return NULL;
	return &f->slot[i];
}

void flights_remove(struct flights *f, uint64_t ref)
{
	struct flight *flight = flights_get(f, ref);
	if (!flight)
		return;
	if (!flight->given_up)
		f->open--;
	flight->used = false;
	flight->next = f->free_list;
	f->free_list = (uint32_t)ref;
}

void flights_remove_chain(struct flights *f, uint64_t ref)
{
	while (ref) {
		const struct flight *flight = flights_get(f, ref);
		uint64_t next = flight ? flight->also : 0;
		flights_remove(f, ref);
		ref = next;
	}
}

void flights_give_up(struct flights *f, uint64_t ref)
{
	struct flight *flight = flights_get(f, ref);
	if (!flight || flight->given_up)
		return;
	flight->given_up = true;
	f->open--;
	flights_remove(f, f->given_up[f->given_up_at]);
	f->given_up[f->given_up_at] = ref;
	f->given_up_at = (f->given_up_at + 1) % LIMIT_LATE;
}

unsigned flights_open(const struct flights *f)
{
	return f->open;
}

void flights_ids(const struct flights *f, struct store_params *ps, unsigned array)
{
	for (uint32_t i = 0; i < f->cap; i++)
		if (f->slot[i].used)
			store_add_uuid(ps, array, &f->slot[i].id);
}

void flights_free(struct flights *f)
{
	free(f->slot);
	free(f);
}
