#include "api_internal.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct entry {
	UT_hash_handle hh;
	unsigned length;
	uint8_t name[sizeof(struct uuid) + LIMIT_IDEMPOTENCY_KEY_BYTES];
};

struct keys_in_flight {
	struct entry *entries;
};

struct keys_in_flight *in_flight_new(void)
{
	return mem_alloc(sizeof(struct keys_in_flight));
}

static unsigned name_of(const struct uuid *practice, struct view key, uint8_t *to)
{
	check(key.n <= LIMIT_IDEMPOTENCY_KEY_BYTES);
	memcpy(to, practice->b, sizeof(practice->b));
	memcpy(to + sizeof(practice->b), key.p, key.n);
	return (unsigned)(sizeof(practice->b) + key.n);
}

bool in_flight_enter(struct keys_in_flight *k, const struct uuid *practice, struct view key)
{
	struct entry *e = mem_alloc(sizeof(*e));
	struct entry *other = NULL;
	e->length = name_of(practice, key, e->name);
	HASH_FIND(hh, k->entries, e->name, e->length, other);
	if (other) {
		free(e);
		return false;
	}
	HASH_ADD(hh, k->entries, name, e->length, e);
	return true;
}

void in_flight_leave(struct keys_in_flight *k, const struct uuid *practice, struct view key)
{
	uint8_t name[sizeof(struct uuid) + LIMIT_IDEMPOTENCY_KEY_BYTES];
	unsigned n = name_of(practice, key, name);
	struct entry *e = NULL;
	HASH_FIND(hh, k->entries, name, n, e);
	check(e);
	HASH_DEL(k->entries, e);
	free(e);
}

void in_flight_free(struct keys_in_flight *k)
{
	struct entry *e, *next;
	HASH_ITER(hh, k->entries, e, next)
	{
		HASH_DEL(k->entries, e);
		free(e);
	}
	free(k);
}
