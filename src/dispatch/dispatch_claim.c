/* The claim cycle, one at a time:
 *   IDLE -> DUE      BEGIN; lock due messages that nobody holds, at most as many as there are free window slots
 *        -> FACTS    lock their recipients in order; read opt-outs and earlier sends (a snapshot taken under the locks)
 *        -> VERDICT  judge each in C; write verdicts, `sending` included; COMMIT
 *        -> IDLE     hand the sends to their links: durable before the wire
 * A STOP that commits meanwhile marks what it can of the batch as withdrawn; a lost connection leaves `sending` rows
 * that orphans.sql brings back, since this process knows that it never wrote them. */
#include "dispatch_claim.h"

#include "dispatch_release.h"
#include "policy_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 1000 /* longest wait before the table is looked at again: other processes accept too */

enum claim_state { CLAIM_IDLE, CLAIM_TURNS, CLAIM_DUE, CLAIM_FACTS, CLAIM_VERDICT };

struct claimer {
	struct dispatch *d;
	enum claim_state state;
	struct claimed m[LIMIT_CLAIM_BATCH];
	unsigned count;
	unsigned asked;
	int64_t now_us;
	int64_t next_due_us;
	struct pool pool;
	struct store_params due, lock, facts, rules_at, ceilings, paces, verdicts, used, paced;
	const struct policy_rules *rules; /* in force at now_us */
	struct roster *roster;
	struct submits *submits;
	struct net_timer *timer;
	bool wake;
};

static void timer_cb(void *ctx)
{
	claimer_wake(ctx);
}

struct claimer *claimer_new(struct dispatch *d)
{
	struct claimer *c = mem_alloc(sizeof(*c));
	c->d = d;
	c->roster = roster_new(d);
	c->submits = submits_new(d);
	c->timer = net_timer_new(d->config.loop, timer_cb, c);
	c->wake = true;
	return c;
}

void claimer_wake(struct claimer *c)
{
	c->wake = true; /* claimer_turn runs at the end of every turn of the loop */
}

int64_t claimer_lock_key(const struct uuid *practice, char kind, struct view who)
{
	uint64_t h = view_hash(view_of(practice->b, sizeof(practice->b)));
	h = (h ^ (uint8_t)kind) * 0x100000001b3u;
	for (size_t i = 0; i < who.n; i++)
		h = (h ^ who.p[i]) * 0x100000001b3u;
	return (int64_t)h;
}

/* The message and those behind it that may go in one PDU with it. */
static unsigned gather(struct claimer *c, unsigned first, struct claimed **group)
{
	unsigned n = 0;
	group[n++] = &c->m[first];
	if (!c->m[first].link->carrier->submit_multi)
		return n;
	for (unsigned i = first + 1; i < c->count && n < LIMIT_MULTI; i++) {
		struct claimed *m = &c->m[i];
		bool alike = m->verdict.verdict == VERDICT_SEND && !m->submitted;
		for (unsigned k = 0; k < n && alike; k++)
			alike = submits_alike(group[k], m, c->now_us);
		if (alike) {
			m->submitted = true;
			group[n++] = m;
		}
	}
	return n;
}

static void submit_all(struct claimer *c)
{
	struct claimed *group[LIMIT_MULTI];
	for (unsigned i = 0; i < c->count; i++) {
		if (c->m[i].verdict.verdict != VERDICT_SEND || c->m[i].submitted)
			continue;
		unsigned n = gather(c, i, group);
		if (n > 1)
			submits_many(c->submits, group, n, c->now_us);
		else
			submits_one(c->submits, group[0], c->now_us);
	}
	submits_flush(c->submits);
}

/* --- end of a cycle ---------------------------------------------------------------------------------------------- */

/* What is due since before we looked is held by another process. */
static int64_t wait_ms(const struct claimer *c)
{
	int64_t now_us = dispatch_now_us(c->d);
	if (c->next_due_us <= c->now_us)
		return POLL_MS;
	int64_t due_ms = c->next_due_us > now_us ? clock_delay_ms(c->d->config.clock, now_us, c->next_due_us) : 0;
	return due_ms < POLL_MS ? due_ms : POLL_MS;
}

static void idle(struct claimer *c)
{
	c->state = CLAIM_IDLE;
	c->count = 0;
	pool_free(&c->pool);
	net_timer_start(c->timer, c->wake ? 0 : wait_ms(c));
}

static void rolled_back_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	(void)result;
	(void)sqlstate;
	idle(ctx);
}

static void end_transaction(struct claimer *c, const char *how)
{
	struct store_step step = {how, NULL, NULL};
	store_lane_run(c->d->claim_lane, &step, 1, rolled_back_cb, c);
}

static void next_due_cb(void *ctx, const struct store_rows *rows)
{
	struct claimer *c = ctx;
	c->next_due_us = store_rows_null(rows, 0, 0) ? 0 : store_rows_int(rows, 0, 0);
}

/* A place in a line may come before any answer does. A statement of its own, behind the commit: what is committed is
 * on the wire already. */
static void look_ahead(struct claimer *c)
{
	struct store_step step = {"next_due", NULL, next_due_cb};
	store_lane_run(c->d->claim_lane, &step, 1, rolled_back_cb, c);
}

static void committed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct claimer *c = ctx;
	(void)sqlstate;
	if (result == STORE_FAILED) {
		end_transaction(c, "ROLLBACK");
		return;
	}
	if (result != STORE_OK) {
		idle(c);
		return;
	}
	submit_all(c);
	c->wake = c->wake || c->count == c->asked || roster_on(c->roster);
	if (c->wake)
		idle(c);
	else
		look_ahead(c);
}

/* --- verdicts ---------------------------------------------------------------------------------------------------- */

static void remember_send(struct policy_sends *s, int64_t at_us)
{
	if (s->count == POLICY_SENDS_MAX)
		s->count--;
	memmove(s->at_us + 1, s->at_us, s->count * sizeof(*s->at_us));
	s->at_us[0] = at_us;
	s->count++;
}

/* Two messages of one recipient in one batch: the first one's send is a fact for the second. */
static void tell_later_ones(struct claimer *c, unsigned sent)
{
	const struct claimed *m = &c->m[sent];
	for (unsigned i = sent + 1; i < c->count && m->facts.automatic; i++)
		if (memcmp(&c->m[i].answers, &m->answers, sizeof(m->answers)) == 0)
			c->m[i].facts.answered = true;
	if (!(policy_category_flags(m->category) & CATEGORY_COUNTED))
		return;
	for (unsigned i = sent + 1; i < c->count; i++) {
		if (c->m[i].phone_key == m->phone_key)
			remember_send(&c->m[i].facts.phone, c->now_us);
		if (c->m[i].patient_key == m->patient_key)
			remember_send(&c->m[i].facts.patient, c->now_us);
	}
}

static int64_t due_of(const struct claimer *c, const struct claimed *m)
{
	if (m->judged.verdict != VERDICT_WAIT)
		return m->verdict.until_us;
	return release_due_us(m->rules, &m->facts, &m->id, m->verdict.until_us,
	                      c->d->config.settings.release_spread_ms * 1000);
}

static void judge(struct claimer *c)
{
	flow_begin(c->d->flow);
	for (unsigned i = 0; i < c->count; i++) {
		struct claimed *m = &c->m[i];
		facts_judge(m, c->rules, c->now_us);
		if (m->verdict.verdict == VERDICT_SEND)
			flow_judge(c->d->flow, m, c->now_us);
		m->due_us = due_of(c, m);
		if (m->verdict.verdict == VERDICT_SEND)
			tell_later_ones(c, i);
		metric_add(METRIC_decisions_total, 1,
		           LABELS(policy_verdict_name(m->verdict.verdict), policy_reason_code(m->verdict.reason)));
	}
}

struct verdict_words {
	const char *status;
	const char *type;
};

/* What no rule ends: the carrier never took it, or nobody wants it any more. */
static struct verdict_words words_of(const struct claimed *m)
{
	static const struct verdict_words words[] = {
	        [VERDICT_SEND] = {"sending", "message.sending"},
	        [VERDICT_WAIT] = {"held", "message.held"},
	        [VERDICT_REFUSE] = {"blocked", "message.blocked"},
	        [VERDICT_EXPIRE] = {"expired", "message.expired"},
	};
	if (m->verdict.reason == REASON_attempts_exhausted)
		return (struct verdict_words){"failed", "message.failed"};
	if (m->verdict.verdict == VERDICT_REFUSE && m->facts.withdrawn)
		return (struct verdict_words){"canceled", "message.canceled"};
	return words[m->verdict.verdict];
}

/* That it still waits for a carrier is told once, not each time that it is looked at. */
static bool waits_on(const struct claimed *m)
{
	return m->verdict.verdict == VERDICT_WAIT && strcmp(policy_reason_rule(m->verdict.reason), "carrier") == 0 &&
	       strcmp(policy_reason_code(m->verdict.reason), m->waited_for) == 0;
}

static const char *event_type(const struct claimed *m)
{
	return waits_on(m) ? "" : words_of(m).type;
}

static void add_verdict(struct claimer *c, const struct claimed *m, struct buf *facts)
{
	struct store_params *ps = &c->verdicts;
	enum verdict v = m->verdict.verdict;
	bool counts = v == VERDICT_SEND && policy_category_flags(m->category) & CATEGORY_COUNTED;
	facts_write(m, c->now_us, facts);
	store_add_uuid(ps, 2, &m->practice_id);
	store_add_uuid(ps, 3, &m->id);
	store_add_str(ps, 4, words_of(m).status);
	store_add_str(ps, 5, m->verdict.reason ? policy_reason_code(m->verdict.reason) : NULL);
	if (v == VERDICT_WAIT)
		store_add_time(ps, 6, m->due_us);
	else
		store_add_null(ps, 6);
	if (counts)
		store_add_time(ps, 7, c->now_us);
	else
		store_add_null(ps, 7);
	store_add_str(ps, 8, m->link ? m->link->carrier->name : NULL);
	store_add_str(ps, 9, event_type(m));
	store_add_text(ps, 10, buf_view(facts));
}

static void write_verdicts(struct claimer *c)
{
	static const enum store_type types[] = {STORE_UUID, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TIME,
	                                        STORE_TIME, STORE_TEXT, STORE_TEXT, STORE_TEXT};
	struct buf facts = BUF(8192);
	store_params_clear(&c->verdicts);
	store_value_time(&c->verdicts, c->now_us);
	store_value_uuid(&c->verdicts, &c->d->instance);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&c->verdicts, types[i]);
	for (unsigned i = 0; i < c->count; i++)
		add_verdict(c, &c->m[i], &facts);
	buf_free(&facts);
	struct store_step steps[4] = {{"claim_verdicts", &c->verdicts, NULL}};
	unsigned n = 1;
	if (flow_used(c->d->flow, &c->used))
		steps[n++] = (struct store_step){"ceilings_add", &c->used, NULL};
	if (flow_paced(c->d->flow, &c->paced))
		steps[n++] = (struct store_step){"paces_set", &c->paced, NULL};
	steps[n++] = (struct store_step){"COMMIT", NULL, NULL};
	metric_observe(METRIC_store_batch_rows, c->count, LABELS("claim"));
	c->state = CLAIM_VERDICT;
	store_lane_run(c->d->claim_lane, steps, n, committed_cb, c);
}

/* --- facts ------------------------------------------------------------------------------------------------------- */

static void facts_cb(void *ctx, const struct store_rows *rows)
{
	struct claimer *c = ctx;
	check(store_rows_count(rows) == c->count);
	for (unsigned i = 0; i < c->count; i++)
		facts_read(c->d, rows, i, &c->pool, &c->m[i]);
}

static void rules_cb(void *ctx, const struct store_rows *rows)
{
	struct claimer *c = ctx;
	c->rules = facts_rules(rows, &c->pool, c->now_us);
}

static void ceilings_cb(void *ctx, const struct store_rows *rows)
{
	flow_ceilings_cb(((struct claimer *)ctx)->d->flow, rows);
}

static void paces_cb(void *ctx, const struct store_rows *rows)
{
	flow_paces_cb(((struct claimer *)ctx)->d->flow, rows);
}

static void facts_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct claimer *c = ctx;
	(void)sqlstate;
	if (result == STORE_OK) {
		judge(c);
		write_verdicts(c);
	} else if (result == STORE_FAILED) {
		end_transaction(c, "ROLLBACK");
	} else {
		idle(c);
	}
}

static void add_lock_keys(struct claimer *c)
{
	int64_t keys[2 * LIMIT_CLAIM_BATCH];
	unsigned n = 0;
	for (unsigned i = 0; i < c->count; i++) {
		keys[n++] = (int64_t)c->m[i].phone_key;
		keys[n++] = (int64_t)c->m[i].patient_key;
	}
	claimer_lock_params(&c->lock, keys, n);
}

static void read_facts(struct claimer *c)
{
	add_lock_keys(c);
	facts_params(c->m, c->count, c->now_us, &c->facts);
	store_params_clear(&c->rules_at);
	store_value_time(&c->rules_at, c->now_us);
	struct store_step steps[5] = {{"claim_lock", &c->lock, NULL},
	                              {"rules_now", &c->rules_at, rules_cb},
	                              {"claim_facts", &c->facts, facts_cb}};
	unsigned n = 3;
	if (flow_ceilings(c->d->flow, c->m, c->count, c->now_us, &c->ceilings))
		steps[n++] = (struct store_step){"ceilings", &c->ceilings, ceilings_cb};
	if (flow_paces(c->d->flow, c->m, c->count, c->now_us, &c->paces))
		steps[n++] = (struct store_step){"paces", &c->paces, paces_cb};
	c->state = CLAIM_FACTS;
	store_lane_run(c->d->claim_lane, steps, n, facts_done_cb, c);
}

/* --- due --------------------------------------------------------------------------------------------------------- */

static void take_due(struct claimer *c, const struct store_rows *rows, unsigned i)
{
	struct claimed *m = &c->m[i];
	*m = (struct claimed){.practice_id = store_rows_uuid(rows, i, 0), .id = store_rows_uuid(rows, i, 1)};
	m->patient = pool_copy(&c->pool, store_rows_text(rows, i, 2));
	m->phone = pool_copy(&c->pool, store_rows_text(rows, i, 3));
	m->sender = pool_copy(&c->pool, store_rows_text(rows, i, 4));
	m->zones = pool_copy(&c->pool, store_rows_text(rows, i, 5));
	m->body = view_str(pool_copy(&c->pool, store_rows_text(rows, i, 6)));
	m->ucs2 = view_eq(store_rows_text(rows, i, 7), VIEW("ucs2"));
	m->category_code = pool_copy(&c->pool, store_rows_text(rows, i, 8));
	m->category = policy_category_parse(view_str(m->category_code));
	if (m->category == CATEGORY_COUNT)
		m->category = CATEGORY_appointment_reminder; /* dropped from the rows since: the strictest rules hold */
	m->segments = (unsigned)store_rows_int(rows, i, 9);
	m->facts.category = m->category;
	m->facts.send_at_us = store_rows_int(rows, i, 10);
	m->facts.expires_at_us = store_rows_int(rows, i, 11);
	m->facts.attempts = (unsigned)store_rows_int(rows, i, 12);
	m->created_us = store_rows_int(rows, i, 13);
	m->first_try = view_eq(store_rows_text(rows, i, 14), VIEW("queued"));
	m->waited_for = pool_copy(&c->pool, store_rows_text(rows, i, 15));
	m->last_carrier = pool_copy(&c->pool, store_rows_text(rows, i, 16));
	m->refusals = (unsigned)store_rows_int(rows, i, 17);
	m->priority = (unsigned)store_rows_int(rows, i, 18);
	m->states = pool_copy(&c->pool, store_rows_text(rows, i, 19));
	(void)policy_states_parse(view_str(m->states), &m->facts.states); /* what it cannot read is unknown */
	m->facts.phi = store_rows_bool(rows, i, 20);
	if (!store_rows_null(rows, i, 21))
		m->answers = store_rows_uuid(rows, i, 21);
	m->phone_key = (uint64_t)claimer_lock_key(&m->practice_id, 'p', view_str(m->phone));
	m->patient_key = (uint64_t)claimer_lock_key(&m->practice_id, 't', view_str(m->patient));
	facts_zones(c->d, m);
}

static void due_cb(void *ctx, const struct store_rows *rows)
{
	struct claimer *c = ctx;
	c->count = store_rows_count(rows);
	check(c->count <= LIMIT_CLAIM_BATCH);
	for (unsigned i = 0; i < c->count; i++)
		take_due(c, rows, i);
	roster_saw(c->roster, c->m, c->count, c->asked);
}

/* Nothing of those whose turn it was; with turns going on it is the next ones'. */
static void none_due(struct claimer *c)
{
	c->wake = c->wake || roster_on(c->roster);
	struct store_step steps[] = {{"COMMIT", NULL, NULL}, {"next_due", NULL, next_due_cb}};
	store_lane_run(c->d->claim_lane, steps, 2, rolled_back_cb, c);
}

static void due_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct claimer *c = ctx;
	(void)sqlstate;
	if (result == STORE_FAILED)
		end_transaction(c, "ROLLBACK");
	else if (result != STORE_OK)
		idle(c);
	else if (c->count == 0)
		none_due(c);
	else
		read_facts(c);
}

static void claim(struct claimer *c, const char *sql)
{
	struct store_step steps[] = {{"BEGIN", NULL, NULL}, {sql, &c->due, due_cb}};
	c->state = CLAIM_DUE;
	store_lane_run(c->d->claim_lane, steps, 2, due_done_cb, c);
}

static void claim_oldest(struct claimer *c)
{
	store_params_clear(&c->due);
	store_value_time(&c->due, c->now_us);
	store_value_int(&c->due, STORE_INT4, c->asked);
	claim(c, "claim_due");
}

static void claim_turns(struct claimer *c)
{
	roster_params(c->roster, c->now_us, c->asked, &c->due);
	claim(c, "claim_fair");
}

static void roster_cb(void *ctx)
{
	struct claimer *c = ctx;
	if (roster_on(c->roster)) {
		claim_turns(c);
		return;
	}
	c->wake = true;
	idle(c);
}

/* Slots come back with an answer or a bind, which wake us, or with time. */
static void wait_for_pace(struct claimer *c)
{
	int64_t ms = flow_ready_ms(c->d->flow);
	if (ms < POLL_MS)
		net_timer_start(c->timer, ms > 0 ? ms : 1);
}

void claimer_turn(struct claimer *c)
{
	struct dispatch *d = c->d;
	submits_turn(c->submits);
	if (c->state != CLAIM_IDLE || !c->wake || !d->entered || d->orphans_wanted || d->draining ||
	    outcomes_full(d->outcomes) || !store_lane_up(d->claim_lane))
		return;
	unsigned slots = flow_slots(d->flow);
	if (slots == 0) {
		wait_for_pace(c);
		return;
	}
	c->asked = slots < LIMIT_CLAIM_BATCH ? slots : LIMIT_CLAIM_BATCH;
	c->wake = false;
	c->count = 0;
	c->now_us = dispatch_now_us(d);
	c->next_due_us = 0;
	if (!roster_on(c->roster))
		claim_oldest(c);
	else if (!roster_renew(c->roster, c->now_us, roster_cb, c))
		roster_on(c->roster) ? claim_turns(c) : claim_oldest(c);
	else
		c->state = CLAIM_TURNS;
}

bool claimer_idle(const struct claimer *c)
{
	return c->state == CLAIM_IDLE;
}

void claimer_withdraw(struct claimer *c, const struct uuid *practice, struct view phone)
{
	uint64_t key = (uint64_t)claimer_lock_key(practice, 'p', phone);
	for (unsigned i = 0; i < c->count; i++)
		if (c->m[i].phone_key == key && policy_category_flags(c->m[i].category) & CATEGORY_STOPPABLE)
			c->m[i].withdrawn = true;
}

void claimer_recheck(struct claimer *c, const struct uuid *practice, struct view phone)
{
	uint64_t key = (uint64_t)claimer_lock_key(practice, 'p', phone);
	for (unsigned i = 0; i < c->count; i++)
		if (c->m[i].phone_key == key && policy_category_flags(c->m[i].category) & CATEGORY_STOPPABLE)
			c->m[i].recheck = true;
}

void claimer_free(struct claimer *c)
{
	net_timer_free(c->timer);
	pool_free(&c->pool);
	store_params_free(&c->due);
	store_params_free(&c->lock);
	store_params_free(&c->facts);
	store_params_free(&c->rules_at);
	store_params_free(&c->verdicts);
	store_params_free(&c->ceilings);
	store_params_free(&c->paces);
	store_params_free(&c->used);
	store_params_free(&c->paced);
	roster_free(c->roster);
	submits_free(c->submits);
	free(c);
}
