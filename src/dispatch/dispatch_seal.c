/* The sealer: numbers events, chains their hashes and signs (migrations/0013_ledger.sql, docs/ledger.md), on a lane of
 * its own, behind whoever writes. One seal is one transaction:
 *   IDLE -> FACTS   BEGIN; the sealers' lock; what waits, which key signs
 *        -> TAKE    the seal and its list, made by one statement
 *        -> SIGN    the signature; COMMIT
 * A gateway that dies in between leaves nothing behind. Who does not get the lock comes again later. Seals that were
 * signed once stay signed: without the right key nothing is sealed, and the log says so. */
#include "dispatch_internal.h"

#include "net_crypto.h"
#include "net_sign.h"

#include <stdlib.h>

#define WARN_EVERY_MS 60000

struct sealer {
	struct dispatch *d;
	struct net_timer *timer;
	struct store_params take, sign, made;
	struct net_sign_key *key; /* NULL: none is loaded */
	const char *key_file;     /* that it came from */
	uint8_t public_key[SIGN_PUBLIC_BYTES];
	int64_t lag_told_ms, key_told_ms;
	/* of this transaction */
	bool locked;
	bool ahead;
	int64_t unsealed;
	double age_s;
	int key_id; /* the newest known to the database; 0: none */
	uint8_t known_key[SIGN_PUBLIC_BYTES];
	int64_t number;
	unsigned events;
	struct buf statement;
};

static void wait(struct sealer *s)
{
	bool more = s->events == LIMIT_SEAL_BATCH;
	s->events = 0;
	net_timer_start(s->timer, more ? 0 : s->d->config.settings.seal_every_ms);
}

static void ended_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	(void)result;
	(void)sqlstate;
	wait(ctx);
}

static void roll_back(struct sealer *s)
{
	struct store_step step = {"ROLLBACK", NULL, NULL};
	s->events = 0;
	store_lane_run(s->d->seal_lane, &step, 1, ended_cb, s);
}

/* True when the batch was done; else the transaction is being ended. */
static bool went_well(struct sealer *s, enum store_result result)
{
	if (result == STORE_FAILED) {
		roll_back(s);
	} else if (result != STORE_OK) {
		s->events = 0;
		wait(s);
	}
	return result == STORE_OK;
}

/* At most once a minute. */
static void warn(struct sealer *s, int64_t *told_ms, const char *event, const char *why)
{
	int64_t now_ms = net_loop_now_ms(s->d->config.loop);
	if (*told_ms && now_ms - *told_ms < WARN_EVERY_MS)
		return;
	*told_ms = now_ms;
	log_event(LOG_WARNING, event, LOG_NUM(count, s->unsealed), LOG_NUM(age_s, (int64_t)s->age_s),
	          LOG_TEXT(warning, why));
}

/* --- the signature --------------------------------------------------------------------------------------------------
 */

static void committed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct sealer *s = ctx;
	(void)sqlstate;
	if (!went_well(s, result))
		return;
	metric_add(METRIC_ledger_seals_total, 1, NO_LABELS);
	metric_add(METRIC_ledger_sealed_total, s->events, NO_LABELS);
	wait(s);
}

static void finish(struct sealer *s)
{
	uint8_t signature[SIGN_BYTES];
	struct store_step steps[] = {{"seal_sign", &s->sign, NULL}, {"COMMIT", NULL, NULL}};
	if (!s->key_id) {
		store_lane_run(s->d->seal_lane, steps + 1, 1, committed_cb, s);
		return;
	}
	net_sign(s->key, buf_view(&s->statement), signature);
	store_params_clear(&s->sign);
	store_value_int(&s->sign, STORE_INT8, s->number);
	store_value_int(&s->sign, STORE_INT4, s->key_id);
	store_value_bytes(&s->sign, view_of(signature, sizeof(signature)));
	store_lane_run(s->d->seal_lane, steps, 2, committed_cb, s);
}

/* --- the seal -------------------------------------------------------------------------------------------------------
 */

static void taken_cb(void *ctx, const struct store_rows *rows)
{
	struct sealer *s = ctx;
	if (store_rows_count(rows) == 0)
		return;
	s->number = store_rows_int(rows, 0, 0);
	s->events = (unsigned)store_rows_int(rows, 0, 1);
	buf_clear(&s->statement);
	buf_add_view(&s->statement, store_rows_text(rows, 0, 2));
}

static void take_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct sealer *s = ctx;
	(void)sqlstate;
	if (!went_well(s, result))
		return;
	if (s->events)
		finish(s);
	else
		roll_back(s); /* what waits belongs to transactions that still run */
}

/* The first key that a gateway has is made known by it; later ones by `smsbridge ledger rotate`. */
static unsigned introduce(struct sealer *s, struct store_step *step, int64_t now_us)
{
	if (s->key_id || !s->key)
		return 0;
	s->key_id = 1;
	store_params_clear(&s->made);
	store_value_time(&s->made, now_us);
	store_value_int(&s->made, STORE_INT4, s->key_id);
	store_value_bytes(&s->made, view_of(s->public_key, sizeof(s->public_key)));
	store_value_null(&s->made);
	store_value_null(&s->made);
	*step = (struct store_step){"seal_key", &s->made, NULL};
	return 1;
}

static void take(struct sealer *s)
{
	struct store_step steps[2];
	int64_t now_us = dispatch_now_us(s->d);
	unsigned n = introduce(s, steps, now_us);
	store_params_clear(&s->take);
	store_value_time(&s->take, now_us);
	if (s->key_id)
		store_value_int(&s->take, STORE_INT4, s->key_id);
	else
		store_value_null(&s->take);
	store_value_int(&s->take, STORE_INT4, LIMIT_SEAL_BATCH);
	steps[n++] = (struct store_step){"seal_take", &s->take, taken_cb};
	store_lane_run(s->d->seal_lane, steps, n, take_done_cb, s);
}

/* --- the key --------------------------------------------------------------------------------------------------------
 */

static void load_key(struct sealer *s, struct buf *error)
{
	net_sign_free(s->key);
	s->key_file = s->d->config.settings.ledger_key_file;
	s->key = *s->key_file ? net_sign_load(s->key_file, error) : NULL;
	if (s->key)
		net_sign_public(s->key, s->public_key);
}

static bool key_is_known(const struct sealer *s)
{
	return s->key && net_equal(s->public_key, s->known_key, SIGN_PUBLIC_BYTES);
}

/* Whether we may seal. A key that is not the newest is read again: it may have been rotated. */
static bool key_fits(struct sealer *s)
{
	struct buf error = BUF(1024);
	bool other_file = s->key_file != s->d->config.settings.ledger_key_file;
	if (other_file || (s->key_id ? !key_is_known(s) : !s->key))
		load_key(s, &error);
	bool wanted = *s->key_file;
	bool fits = s->key_id ? key_is_known(s) : s->key || !wanted;
	if (!fits && error.n)
		warn(s, &s->key_told_ms, "ledger_key_missing", buf_cstr(&error));
	else if (!fits && !wanted)
		warn(s, &s->key_told_ms, "ledger_key_missing",
		     "seals are signed, and this gateway has no ledger.key_file: it seals nothing");
	else if (!fits)
		warn(s, &s->key_told_ms, "ledger_key_unknown",
		     "ledger.key_file does not hold the newest key: nothing is sealed until it does");
	buf_free(&error);
	return fits;
}

/* --- what waits -----------------------------------------------------------------------------------------------------
 */

static void locked_cb(void *ctx, const struct store_rows *rows)
{
	struct sealer *s = ctx;
	s->locked = store_rows_bool(rows, 0, 0);
}

static void facts_cb(void *ctx, const struct store_rows *rows)
{
	struct sealer *s = ctx;
	s->unsealed = store_rows_int(rows, 0, 0);
	s->age_s = strtod((const char *)store_rows_text(rows, 0, 1).p, NULL);
	s->ahead = store_rows_bool(rows, 0, 2);
	s->key_id = (int)store_rows_int(rows, 0, 3);
	if (s->key_id)
		check(hex_decode(store_rows_text(rows, 0, 4), s->known_key, SIGN_PUBLIC_BYTES));
	metric_set(METRIC_ledger_unsealed_events, (double)s->unsealed, NO_LABELS);
	metric_set(METRIC_ledger_unsealed_age_seconds, s->age_s, NO_LABELS);
}

static void facts_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct sealer *s = ctx;
	(void)sqlstate;
	if (!went_well(s, result))
		return;
	if (s->ahead)
		warn(s, &s->lag_told_ms, "ledger_behind_dump",
		     "this database was restored from a dump and counts its transactions anew; "
		     "nothing can be sealed: docs/ledger.md");
	else if (s->age_s * 1000 > (double)s->d->config.settings.seal_warn_ms)
		warn(s, &s->lag_told_ms, "ledger_lags",
		     "events wait for their seal: a transaction that does not end, or no gateway that seals");
	if (!s->locked || s->ahead || s->unsealed == 0 || !key_fits(s))
		roll_back(s);
	else
		take(s);
}

static void timer_cb(void *ctx)
{
	struct sealer *s = ctx;
	struct store_step steps[] = {
	        {"BEGIN", NULL, NULL}, {"seal_begin", NULL, locked_cb}, {"seal_facts", NULL, facts_cb}};
	if (s->d->draining || !store_lane_up(s->d->seal_lane))
		wait(s);
	else
		store_lane_run(s->d->seal_lane, steps, 3, facts_done_cb, s);
}

struct sealer *sealer_new(struct dispatch *d)
{
	struct sealer *s = mem_alloc(sizeof(*s));
	s->d = d;
	s->key_file = "";
	s->statement = BUF(4096);
	s->timer = net_timer_new(d->config.loop, timer_cb, s);
	wait(s);
	return s;
}

void sealer_free(struct sealer *s)
{
	store_params_free(&s->take);
	store_params_free(&s->sign);
	store_params_free(&s->made);
	net_sign_free(s->key);
	net_timer_free(s->timer);
	buf_free(&s->statement);
	free(s);
}
