/* What people change about a recipient: consents, preferences, calls of the practice. Each change is one statement
 * under the recipient's lock, on a lane of its own, so that it works while nothing is claimed or sent; it is over when
 * it is committed. A claim that runs at the same time either committed before or waits for the lock and then sees the
 * change; what it has not yet handed to a link is judged again. */
#include "dispatch_internal.h"

#include <stdlib.h>

struct change {
	struct dispatch *d;
	struct uuid practice_id;
	char phone[24];
	char other_phone[24]; /* "" when it is about one only */
	store_rows_cb rows;
	store_done_cb done;
	void *ctx;
};

int64_t dispatch_recipient_key(const struct uuid *practice, enum recipient_key kind, struct view who)
{
	return claimer_lock_key(practice, (char)kind, who);
}

static int compare_keys(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

unsigned dispatch_lock_order(int64_t *keys, unsigned count)
{
	unsigned n = 0;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (unsigned i = 0; i < count; i++)
		if (n == 0 || keys[i] != keys[n - 1])
			keys[n++] = keys[i];
	return n;
}

void claimer_lock_params(struct store_params *ps, int64_t *keys, unsigned count)
{
	unsigned n = dispatch_lock_order(keys, count);
	store_params_clear(ps);
	store_array(ps, STORE_INT8);
	for (unsigned i = 0; i < n; i++)
		store_add_int(ps, 0, keys[i]);
}

static void changed_rows_cb(void *ctx, const struct store_rows *rows)
{
	struct change *c = ctx;
	c->rows(c->ctx, rows);
}

/* Nothing claimed for these phones is handed to a link as it was judged. */
static void recheck(const struct change *c)
{
	claimer_recheck(c->d->claimer, &c->practice_id, view_str(c->phone));
	if (c->other_phone[0])
		claimer_recheck(c->d->claimer, &c->practice_id, view_str(c->other_phone));
}

static void changed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct change *c = ctx;
	recheck(c); /* claimed while we waited for the lock */
	claimer_wake(c->d->claimer);
	c->done(c->ctx, result, sqlstate);
	free(c);
}

static void add_keys(struct store_params *lock, const struct dispatch_change *change)
{
	const struct {
		enum recipient_key kind;
		struct view who;
	} all[] = {{RECIPIENT_PHONE, change->phone},
	           {RECIPIENT_PATIENT, change->patient},
	           {RECIPIENT_PHONE, change->other_phone},
	           {RECIPIENT_PATIENT, change->other_patient}};
	int64_t keys[4];
	unsigned n = 0;
	for (unsigned i = 0; i < 4; i++)
		if (all[i].who.n)
			keys[n++] = dispatch_recipient_key(&change->practice_id, all[i].kind, all[i].who);
	claimer_lock_params(lock, keys, n);
}

bool dispatch_change(struct dispatch *d, const struct dispatch_change *change)
{
	struct store_params lock = {0};
	if (store_lane_busy(d->change_lane) >= LIMIT_CHANGE_QUEUE)
		return false;
	struct change *c = mem_alloc(sizeof(*c));
	*c = (struct change){.d = d,
	                     .practice_id = change->practice_id,
	                     .rows = change->rows,
	                     .done = change->done,
	                     .ctx = change->ctx};
	copy_view(c->phone, sizeof(c->phone), change->phone);
	copy_view(c->other_phone, sizeof(c->other_phone), change->other_phone);
	recheck(c); /* from here on */
	add_keys(&lock, change);
	struct store_step steps[] = {{"claim_lock", &lock, NULL}, {change->sql, change->params, changed_rows_cb}};
	store_lane_run(d->change_lane, steps, 2, changed_cb, c);
	store_params_free(&lock);
	return true;
}
