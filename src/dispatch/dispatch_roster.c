/* Fairness between practices. While the carriers take all that is due, the oldest goes first. Once a claim comes back
 * full, there is more: then practices take turns by id, each with the same share of the free slots, so that one that
 * pours in a hundred thousand messages does not keep another's ten waiting. Memory is bounded: the roster holds
 * ROSTER_NAMES practices and goes on behind the last. */
#include "dispatch_claim.h"

#include <stdlib.h>
#include <string.h>

#define ROSTER_NAMES 1024

struct roster {
	struct dispatch *d;
	struct uuid names[ROSTER_NAMES];
	unsigned count;
	unsigned at;
	unsigned share; /* of the claim that is on its way */
	bool on;
	bool hungry; /* somebody had a whole share, or more names are to come */
	bool ended;  /* the names ran out at the last look */
	struct store_params params;
	net_cb cb;
	void *ctx;
};

struct roster *roster_new(struct dispatch *d)
{
	struct roster *r = mem_alloc(sizeof(*r));
	r->d = d;
	return r;
}

bool roster_on(const struct roster *r)
{
	return r->on;
}

static void names_cb(void *ctx, const struct store_rows *rows)
{
	struct roster *r = ctx;
	r->count = store_rows_count(rows);
	check(r->count <= ROSTER_NAMES);
	for (unsigned i = 0; i < r->count; i++)
		r->names[i] = store_rows_uuid(rows, i, 0);
	r->ended = r->count < ROSTER_NAMES;
}

static void renewed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct roster *r = ctx;
	(void)sqlstate;
	if (result != STORE_OK || r->count == 0)
		r->on = false;
	r->cb(r->ctx);
}

bool roster_renew(struct roster *r, int64_t now_us, net_cb cb, void *ctx)
{
	static const struct uuid first = {0};
	if (!r->on || r->at < r->count)
		return false;
	if (r->ended && r->count && !r->hungry) {
		r->on = false;
		return false;
	}
	struct uuid after = r->ended || r->count == 0 ? first : r->names[r->count - 1];
	if (uuid_is_zero(&after))
		r->hungry = false;
	r->at = r->count = 0;
	r->cb = cb;
	r->ctx = ctx;
	store_params_clear(&r->params);
	store_value_time(&r->params, now_us);
	store_value_uuid(&r->params, &after);
	store_value_int(&r->params, STORE_INT4, ROSTER_NAMES);
	struct store_step step = {"claim_roster", &r->params, names_cb};
	store_lane_run(r->d->claim_lane, &step, 1, renewed_cb, r);
	return true;
}

void roster_params(struct roster *r, int64_t now_us, unsigned asked, struct store_params *ps)
{
	unsigned turns = r->count - r->at;
	if (turns > ROSTER_TURNS)
		turns = ROSTER_TURNS;
	if (turns > asked)
		turns = asked;
	r->share = (asked + turns - 1) / turns;
	store_params_clear(ps);
	store_value_time(ps, now_us);
	store_value_int(ps, STORE_INT4, asked);
	unsigned names = store_array(ps, STORE_UUID);
	for (unsigned i = 0; i < turns; i++)
		store_add_uuid(ps, names, &r->names[r->at++]);
	store_value_int(ps, STORE_INT4, r->share);
}

static bool somebody_had_a_share(const struct claimed *m, unsigned count, unsigned share)
{
	unsigned run = 0;
	for (unsigned i = 0; i < count; i++) {
		bool same = i && memcmp(&m[i].practice_id, &m[i - 1].practice_id, sizeof(struct uuid)) == 0;
		run = same ? run + 1 : 1;
		if (run >= share)
			return true;
	}
	return false;
}

void roster_saw(struct roster *r, const struct claimed *m, unsigned count, unsigned asked)
{
	if (r->on) {
		r->hungry = r->hungry || somebody_had_a_share(m, count, r->share);
	} else if (count == asked) {
		r->on = r->hungry = r->ended = true;
		r->at = r->count = 0;
	}
}

void roster_free(struct roster *r)
{
	store_params_free(&r->params);
	free(r);
}
