#include "api_rate.h"

#include "base_limits.h"
#include "base_pool.h"

#include <stdlib.h>
#include <uthash.h>

#define STRANGERS 1024 /* buckets of addresses */

struct bucket {
	double tokens;
	int64_t at_ms;
};

struct practice_rate {
	UT_hash_handle hh;
	struct uuid id;
	struct bucket bucket;
};

struct rates {
	struct practice_rate *practices;
	struct bucket stranger[STRANGERS];
};

struct rates *rates_new(void)
{
	struct rates *r = mem_alloc(sizeof(*r));
	for (unsigned i = 0; i < STRANGERS; i++)
		r->stranger[i].tokens = LIMIT_STRANGERS_BURST;
	return r;
}

static void forget(struct rates *r)
{
	struct practice_rate *p, *next;
	HASH_ITER(hh, r->practices, p, next)
	{
		HASH_DEL(r->practices, p);
		free(p);
	}
}

void rates_free(struct rates *r)
{
	forget(r);
	free(r);
}

static void fill(struct bucket *b, double rate, double most, int64_t now_ms)
{
	b->tokens += (double)(now_ms - b->at_ms) / 1000.0 * rate;
	b->at_ms = now_ms;
	if (b->tokens > most)
		b->tokens = most;
}

/* A practice's bucket, filled up to now. */
static struct bucket *practice_bucket(struct rates *r, const struct uuid *practice, int64_t limit, int64_t now_ms)
{
	struct practice_rate *p = NULL;
	HASH_FIND(hh, r->practices, practice, sizeof(*practice), p);
	if (!p) {
		if (HASH_COUNT(r->practices) >= LIMIT_KEY_CACHE)
			forget(r);
		p = mem_alloc(sizeof(*p));
		*p = (struct practice_rate){.id = *practice, .bucket = {(double)limit, now_ms}};
		HASH_ADD(hh, r->practices, id, sizeof(p->id), p);
	}
	fill(&p->bucket, (double)limit, (double)limit, now_ms);
	return &p->bucket;
}

bool rates_take(struct rates *r, const struct uuid *practice, int64_t limit, int64_t now_ms)
{
	if (limit <= 0)
		return true;
	struct bucket *b = practice_bucket(r, practice, limit, now_ms);
	if (b->tokens < 1)
		return false;
	b->tokens -= 1;
	return true;
}

struct auth_rate rates_left(struct rates *r, const struct uuid *practice, int64_t limit, int64_t now_ms)
{
	struct auth_rate rate = {.limit = limit > 0 ? limit : 0};
	if (!rate.limit)
		return rate;
	const struct bucket *b = practice_bucket(r, practice, limit, now_ms);
	rate.left = (int64_t)b->tokens;
	rate.reset_s = rate.left == limit ? 0 : 1; /* a bucket fills up within a second */
	return rate;
}

static struct bucket *stranger_bucket(struct rates *r, struct view address, int64_t now_ms)
{
	struct bucket *b = &r->stranger[view_hash(address) % STRANGERS];
	fill(b, LIMIT_STRANGERS_RATE, LIMIT_STRANGERS_BURST, now_ms);
	return b;
}

bool rates_stranger(struct rates *r, struct view address, int64_t now_ms)
{
	return stranger_bucket(r, address, now_ms)->tokens >= 1;
}

void rates_failed(struct rates *r, struct view address, int64_t now_ms)
{
	struct bucket *b = stranger_bucket(r, address, now_ms);
	b->tokens = b->tokens < 1 ? 0 : b->tokens - 1;
}
