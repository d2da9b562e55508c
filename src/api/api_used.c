#include "api_used.h"

#include "base_limits.h"
#include "base_pool.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct used_key {
	UT_hash_handle hh;
	char key[API_KEY_ID_BYTES];
	char from[48];
	int64_t at_us;
};

struct used_keys {
	const struct api_config *config;
	struct net_timer *timer;
	struct used_key *keys; /* since the last batch */
};

static void written_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	(void)ctx;
	(void)result; /* the next use is noted again */
	(void)sqlstate;
}

static void write_cb(void *ctx)
{
	struct used_keys *u = ctx;
	struct store_params ps = {0};
	struct store_step step = {"key_used", &ps, NULL};
	struct used_key *k, *next;
	store_array(&ps, STORE_TEXT);
	store_array(&ps, STORE_TIME);
	store_array(&ps, STORE_TEXT);
	HASH_ITER(hh, u->keys, k, next)
	{
		store_add_str(&ps, 0, k->key);
		store_add_time(&ps, 1, k->at_us);
		store_add_str(&ps, 2, k->from);
		HASH_DEL(u->keys, k);
		free(k);
	}
	store_lane_run(dispatch_read_lane(u->config->dispatch), &step, 1, written_cb, NULL);
	store_params_free(&ps);
}

struct used_keys *used_new(const struct api_config *config)
{
	struct used_keys *u = mem_alloc(sizeof(*u));
	u->config = config;
	u->timer = net_timer_new(config->loop, write_cb, u);
	return u;
}

void used_note(struct used_keys *u, const char *key, struct view address)
{
	struct used_key *k = NULL;
	HASH_FIND_STR(u->keys, key, k);
	if (!k) {
		if (HASH_COUNT(u->keys) >= LIMIT_KEY_USED)
			return;
		if (!u->keys)
			net_timer_start(u->timer, LIMIT_KEY_USED_MS);
		k = mem_alloc(sizeof(*k));
		copy_str(k->key, sizeof(k->key), key);
		HASH_ADD_STR(u->keys, key, k);
	}
	k->at_us = clock_read(u->config->clock);
	copy_view(k->from, sizeof(k->from), address);
}

void used_free(struct used_keys *u)
{
	struct used_key *k, *next;
	HASH_ITER(hh, u->keys, k, next)
	{
		HASH_DEL(u->keys, k);
		free(k);
	}
	net_timer_free(u->timer);
	free(u);
}
