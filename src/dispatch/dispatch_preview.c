/* What would become of a message that is not there: the claim's statement, facts and decision on the read lane, without
 * its locks. A claim in the next second reads the same and decides the same, unless somebody changes something between
 * the two; what carriers take is not looked at. */
#include "dispatch_claim.h"

#include "policy_state.h"

#include <stdlib.h>

struct preview {
	struct dispatch *d;
	struct claimed *m;
	struct dispatch_judged *judged;
	unsigned count;
	int64_t now_us;
	const struct policy_rules *rules;
	struct pool pool;
	dispatch_judged_cb cb;
	void *ctx;
};

/* A draft as a claim would find it. */
static void take_draft(struct preview *p, const struct draft *draft, struct claimed *m)
{
	struct pool *pool = &p->pool;
	*m = (struct claimed){.practice_id = draft->practice_id, .created_us = p->now_us, .answers = draft->answers};
	m->patient = pool_copy(pool, draft->patient);
	m->phone = pool_copy(pool, draft->phone);
	m->sender = pool_copy(pool, draft->sender);
	m->zones = pool_copy(pool, draft->zones);
	m->states = pool_copy(pool, draft->states);
	if (draft->body.p)
		m->body = view_str(pool_copy(pool, draft->body));
	m->category_code = draft->category;
	m->category = policy_category_parse(view_str(draft->category));
	m->facts.category = m->category;
	m->facts.send_at_us = draft->send_at_us;
	m->facts.expires_at_us = draft->expires_at_us;
	m->facts.phi = draft->phi;
	(void)policy_states_parse(view_str(m->states), &m->facts.states); /* what it cannot read is unknown */
	m->facts.emergency_person = draft->emergency_person.p != NULL;
	facts_zones(p->d, m);
}

static void rules_cb(void *ctx, const struct store_rows *rows)
{
	struct preview *p = ctx;
	p->rules = facts_rules(rows, &p->pool, p->now_us);
}

static void facts_cb(void *ctx, const struct store_rows *rows)
{
	struct preview *p = ctx;
	check(store_rows_count(rows) == p->count);
	for (unsigned i = 0; i < p->count; i++) {
		bool ordered = p->m[i].facts.emergency_person; /* there is no row of it yet */
		facts_read(p->d, rows, i, &p->pool, &p->m[i]);
		p->m[i].facts.emergency_person = ordered;
	}
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct preview *p = ctx;
	(void)sqlstate;
	for (unsigned i = 0; result == STORE_OK && i < p->count; i++) {
		facts_judge(&p->m[i], p->rules, p->now_us);
		p->judged[i] = (struct dispatch_judged){p->m[i].verdict, p->m[i].facts, p->rules, p->now_us};
	}
	p->cb(p->ctx, result == STORE_OK ? p->judged : NULL, p->count);
	pool_free(&p->pool);
	free(p);
}

bool dispatch_judge(struct dispatch *d, const struct draft *drafts, unsigned count, dispatch_judged_cb cb, void *ctx)
{
	struct store_lane *lane = dispatch_read_lane(d);
	struct store_params rules = {0}, facts = {0};
	check(count <= LIMIT_CLAIM_BATCH);
	if (store_lane_busy(lane) >= LIMIT_READ_QUEUE)
		return false;
	struct preview *p = mem_alloc(sizeof(*p));
	*p = (struct preview){.d = d, .count = count, .now_us = dispatch_now_us(d), .cb = cb, .ctx = ctx};
	p->m = pool_alloc(&p->pool, sizeof(*p->m) * count);
	p->judged = pool_alloc(&p->pool, sizeof(*p->judged) * count);
	for (unsigned i = 0; i < count; i++)
		take_draft(p, &drafts[i], &p->m[i]);
	store_value_time(&rules, p->now_us);
	facts_params(p->m, count, p->now_us, &facts);
	struct store_step steps[] = {{"rules_now", &rules, rules_cb}, {"claim_facts", &facts, facts_cb}};
	store_lane_run(lane, steps, 2, done_cb, p);
	store_params_free(&rules);
	store_params_free(&facts);
	return true;
}
