/* Where a message goes that the rules would send, and whether it may go now: routes to links with a free slot, the rate
 * of its sender, the daily ceilings of sender and brand. What finds no room gets a place in a line (dispatch_line.h),
 * so that a backlog is judged about once a message and not again and again. */
#include "dispatch_claim.h"
#include "dispatch_line.h"
#include "dispatch_rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 200                  /* first look again at a busy carrier that has not answered yet */
#define DOWN_US (120 * SECOND_US)    /* and at one that is down, unless it comes up; doubled at most by jitter */
#define HELD_US (15 * SECOND_US)     /* and at one that takes nothing of the sender just now */
#define NO_ROUTE_US (60 * SECOND_US) /* and for a route: an operator must add it */
#define KEEN 1.25 /* places in a carrier's line are so much denser than what it takes: it is kept busy */
#define AFTER_RESET_US (60 * SECOND_US)
#define REFUNDS_MAX 256
#define KEYS_MAX (2 * LIMIT_CLAIM_BATCH)

struct sender {
	const struct dispatch_sender *row;
	struct line line;
	const struct zone *zone;
};

struct day_key {
	const char *kind; /* "sender", "brand" */
	const char *name;
	int32_t day;
	int64_t reset_us;
	unsigned most;
	unsigned used;
	unsigned added;
};

struct sender_pace {
	const char *number;
	int64_t next_us; /* dispatch_rate.h */
	bool spent;
};

struct refund {
	char kind[8];
	char name[64];
	int32_t day;
	unsigned segments;
};

/* A text of several segments needs one free slot, for what lacks the later parts wait (submits_turn), and one segment's
 * worth of the pace: it borrows the rest. */
struct link_room {
	unsigned slots;
	int64_t paced;
};

struct flow {
	struct dispatch *d;
	struct dispatch_flow rows;
	struct sender *senders; /* by number, ascending */
	const struct zone **brand_zones;
	struct line carrier_line[LIMIT_CARRIERS];
	struct link_room left[DISPATCH_LINKS_MAX]; /* of each link in this batch */
	unsigned next_link;
	struct day_key key[KEYS_MAX];
	unsigned keys;
	struct sender_pace pace[LIMIT_CLAIM_BATCH]; /* of the senders in this batch */
	unsigned paces;
	struct refund refund[REFUNDS_MAX];
	unsigned refunds;
	int64_t no_route_ms; /* last told */
	bool routes_changed;
	bool carrier_up;
	bool busy;
	struct store_params params;
};

struct flow *flow_new(struct dispatch *d)
{
	struct flow *f = mem_alloc(sizeof(*f));
	f->d = d;
	return f;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	return strcmp(((const struct sender *)a)->row->number, ((const struct sender *)b)->row->number);
}

static struct sender *find_sender(struct flow *f, const char *number)
{
	struct dispatch_sender row = {.number = number};
	struct sender wanted = {.row = &row};
	if (f->rows.sender_count == 0)
		return NULL;
	return bsearch(&wanted, f->senders, f->rows.sender_count, sizeof(wanted), by_number);
}

/* What waits for a known sender goes on waiting under the new rows. */
static void keep_line(struct flow *old, struct sender *s)
{
	const struct sender *was = find_sender(old, s->row->number);
	if (was)
		s->line = was->line;
}

static const struct zone *reset_zone(struct flow *f, const char *name)
{
	const struct zone *z = dispatch_zone(f->d, name);
	if (!z)
		log_event(LOG_ERROR, "reset_zone_unknown", LOG_TEXT(field, name),
		          LOG_TEXT(warning, "daily ceilings are counted by UTC days instead"));
	return z;
}

void flow_set(struct flow *f, const struct dispatch_flow *rows)
{
	struct flow old = *f;
	f->rows = *rows;
	f->routes_changed = true;
	f->senders = mem_alloc((rows->sender_count + 1) * sizeof(*f->senders));
	for (unsigned i = 0; i < rows->sender_count; i++) {
		f->senders[i] = (struct sender){.row = &rows->senders[i]};
		f->senders[i].zone = rows->senders[i].daily ? reset_zone(f, rows->senders[i].reset_zone) : NULL;
		keep_line(&old, &f->senders[i]);
	}
	qsort(f->senders, rows->sender_count, sizeof(*f->senders), by_number);
	f->brand_zones = mem_alloc((rows->brand_count + 1) * sizeof(*f->brand_zones));
	for (unsigned i = 0; i < rows->brand_count; i++)
		f->brand_zones[i] = reset_zone(f, rows->brands[i].reset_zone);
	free(old.senders);
	free(old.brand_zones);
}

/* --- waits ------------------------------------------------------------------------------------------------------- */

/* Rule microseconds of real milliseconds: a demonstration clock may run faster. */
static int64_t rule_us(const struct flow *f, double ms)
{
	const struct clock *c = f->d->config.clock;
	return (int64_t)(ms * 1000.0 * (c->moved ? c->rate : 1));
}

static void wait(struct claimed *m, enum reason reason, int64_t until_us)
{
	m->link = NULL;
	m->verdict = (struct policy_verdict){VERDICT_WAIT, reason, until_us};
	if (until_us >= m->facts.expires_at_us)
		m->verdict =
		        (struct policy_verdict){.verdict = VERDICT_EXPIRE, .reason = REASON_expires_before_allowed};
}

/* --- rates of senders --------------------------------------------------------------------------------------------- */

#define SLACK_MS 100 /* of rate, that a gateway which comes late may catch up */

static struct rate rate_of(const struct flow *f, const struct sender *s)
{
	return (struct rate){.each_us = rule_us(f, 1000.0 / s->row->rate) + 1, .slack_us = rule_us(f, SLACK_MS)};
}

static struct sender_pace *find_pace(struct flow *f, const char *number)
{
	for (unsigned i = 0; i < f->paces; i++)
		if (strcmp(f->pace[i].number, number) == 0)
			return &f->pace[i];
	return NULL;
}

bool flow_paces(struct flow *f, const struct claimed *m, unsigned count, int64_t now_us, struct store_params *ps)
{
	f->paces = 0;
	store_params_clear(ps);
	store_array(ps, STORE_TEXT);
	for (unsigned i = 0; i < count && f->rows.sender_count; i++) {
		const struct sender *s = find_sender(f, m[i].sender);
		if (!s || !(s->row->rate > 0) || find_pace(f, m[i].sender))
			continue;
		f->pace[f->paces++] = (struct sender_pace){.number = s->row->number};
		store_add_str(ps, 0, s->row->number);
	}
	store_value_time(ps, now_us);
	return f->paces > 0;
}

void flow_paces_cb(struct flow *f, const struct store_rows *rows)
{
	check(store_rows_count(rows) == f->paces);
	for (unsigned i = 0; i < f->paces; i++)
		f->pace[i].next_us = store_rows_int(rows, i, 0);
}

bool flow_paced(struct flow *f, struct store_params *ps)
{
	bool any = false;
	store_params_clear(ps);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_TIME);
	for (unsigned i = 0; i < f->paces; i++) {
		if (!f->pace[i].spent)
			continue;
		store_add_str(ps, 0, f->pace[i].number);
		store_add_time(ps, 1, f->pace[i].next_us);
		any = true;
	}
	return any;
}

static void spend(const struct flow *f, struct sender *s, struct sender_pace *p, const struct claimed *m,
                  int64_t now_us)
{
	struct rate rate = rate_of(f, s);
	p->next_us = rate_spent_us(&rate, p->next_us, m->segments, now_us);
	p->spent = true;
	line_went(&s->line, m->priority);
}

/* --- daily ceilings ---------------------------------------------------------------------------------------------- */

static int32_t local_day(const struct zone *z, int64_t now_us)
{
	int64_t s = floor_div(now_us, SECOND_US);
	struct civil c = z ? policy_zone_local(z, s) : time_civil(s);
	return (int32_t)time_days(c.year, c.month, c.day);
}

static int64_t reset_after_us(const struct zone *z, int32_t day)
{
	return (z ? policy_zone_instant(z, day + 1, 0) : ((int64_t)day + 1) * 86400) * SECOND_US;
}

static void need_key(struct flow *f, const char *kind, const char *name, unsigned most, const struct zone *z,
                     int64_t now_us)
{
	if (most == 0)
		return;
	for (unsigned i = 0; i < f->keys; i++)
		if (f->key[i].kind == kind && strcmp(f->key[i].name, name) == 0)
			return;
	int32_t day = local_day(z, now_us);
	f->key[f->keys++] = (struct day_key){kind, name, day, reset_after_us(z, day), most, 0, 0};
}

static const char KIND_SENDER[] = "sender";
static const char KIND_BRAND[] = "brand";

static const struct dispatch_brand *brand_of(const struct flow *f, const struct sender *s)
{
	return s->row->brand >= 0 ? &f->rows.brands[s->row->brand] : NULL;
}

static const char *day_text(int32_t day, char to[16])
{
	struct civil c = time_civil((int64_t)day * 86400);
	snprintf(to, 16, "%04d-%02d-%02d", c.year, c.month, c.day);
	return to;
}

static void add_day_key(struct store_params *ps, const char *kind, const char *name, int32_t day)
{
	char text[16];
	store_add_str(ps, 0, kind);
	store_add_str(ps, 1, name);
	store_add_str(ps, 2, day_text(day, text));
}

bool flow_ceilings(struct flow *f, const struct claimed *m, unsigned count, int64_t now_us, struct store_params *ps)
{
	f->keys = 0;
	for (unsigned i = 0; i < count && f->rows.sender_count; i++) {
		const struct sender *s = find_sender(f, m[i].sender);
		if (!s)
			continue;
		const struct dispatch_brand *b = brand_of(f, s);
		need_key(f, KIND_SENDER, s->row->number, s->row->daily, s->zone, now_us);
		if (b)
			need_key(f, KIND_BRAND, b->name, b->daily, f->brand_zones[s->row->brand], now_us);
	}
	store_params_clear(ps);
	for (unsigned i = 0; i < 3; i++)
		store_array(ps, STORE_TEXT);
	for (unsigned i = 0; i < f->keys; i++)
		add_day_key(ps, f->key[i].kind, f->key[i].name, f->key[i].day);
	return f->keys > 0;
}

void flow_ceilings_cb(struct flow *f, const struct store_rows *rows)
{
	check(store_rows_count(rows) == f->keys);
	for (unsigned i = 0; i < f->keys; i++)
		f->key[i].used = (unsigned)store_rows_int(rows, i, 0);
}

static struct day_key *find_key(struct flow *f, const char *kind, const char *name)
{
	for (unsigned i = 0; i < f->keys; i++)
		if (f->key[i].kind == kind && strcmp(f->key[i].name, name) == 0)
			return &f->key[i];
	return NULL;
}

static bool fits_day(const struct day_key *k, const struct claimed *m)
{
	return !k || k->used + k->added + m->segments <= k->most;
}

/* The later reset of what is full; 0 when both have room. */
static int64_t full_until_us(struct flow *f, const struct sender *s, const struct claimed *m)
{
	const struct dispatch_brand *b = brand_of(f, s);
	const struct day_key *keys[] = {find_key(f, KIND_SENDER, s->row->number),
	                                b ? find_key(f, KIND_BRAND, b->name) : NULL};
	int64_t until_us = 0;
	for (unsigned i = 0; i < 2; i++)
		if (!fits_day(keys[i], m) && keys[i]->reset_us > until_us)
			until_us = keys[i]->reset_us;
	return until_us;
}

static void use_day(struct flow *f, const struct sender *s, const struct claimed *m)
{
	const struct dispatch_brand *b = brand_of(f, s);
	struct day_key *keys[] = {find_key(f, KIND_SENDER, s->row->number),
	                          b ? find_key(f, KIND_BRAND, b->name) : NULL};
	for (unsigned i = 0; i < 2; i++)
		if (keys[i])
			keys[i]->added += m->segments;
}

bool flow_used(struct flow *f, struct store_params *ps)
{
	bool any = false;
	store_params_clear(ps);
	for (unsigned i = 0; i < 3; i++)
		store_array(ps, STORE_TEXT);
	store_array(ps, STORE_INT4);
	for (unsigned i = 0; i < f->keys; i++) {
		if (f->key[i].added == 0)
			continue;
		add_day_key(ps, f->key[i].kind, f->key[i].name, f->key[i].day);
		store_add_int(ps, 3, f->key[i].added);
		any = true;
	}
	return any;
}

static void refund_key(struct flow *f, const char *kind, const char *name, int32_t day, unsigned segments)
{
	unsigned i = 0;
	while (i < f->refunds && (f->refund[i].day != day || strcmp(f->refund[i].kind, kind) != 0 ||
	                          strcmp(f->refund[i].name, name) != 0))
		i++;
	if (i == REFUNDS_MAX)
		return; /* the day's count stays too high: the safe side */
	if (i == f->refunds) {
		f->refund[f->refunds++] = (struct refund){.day = day};
		copy_str(f->refund[i].kind, sizeof(f->refund[i].kind), kind);
		copy_str(f->refund[i].name, sizeof(f->refund[i].name), name);
	}
	f->refund[i].segments += segments;
}

void flow_refund(struct flow *f, const char *sender, int64_t sent_us, unsigned segments)
{
	const struct sender *s = find_sender(f, sender);
	if (!s)
		return;
	const struct dispatch_brand *b = brand_of(f, s);
	if (s->row->daily)
		refund_key(f, KIND_SENDER, s->row->number, local_day(s->zone, sent_us), segments);
	if (b && b->daily)
		refund_key(f, KIND_BRAND, b->name, local_day(f->brand_zones[s->row->brand], sent_us), segments);
}

static void refunded_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct flow *f = ctx;
	(void)result; /* lost: the day's count stays too high, the safe side */
	(void)sqlstate;
	f->busy = false;
}

static void write_refunds(struct flow *f)
{
	store_params_clear(&f->params);
	for (unsigned i = 0; i < 3; i++)
		store_array(&f->params, STORE_TEXT);
	store_array(&f->params, STORE_INT4);
	for (unsigned i = 0; i < f->refunds; i++) {
		add_day_key(&f->params, f->refund[i].kind, f->refund[i].name, f->refund[i].day);
		store_add_int(&f->params, 3, -(int64_t)f->refund[i].segments);
	}
	f->refunds = 0;
	f->busy = true;
	struct store_step step = {"ceilings_add", &f->params, NULL};
	store_lane_run(f->d->house_lane, &step, 1, refunded_cb, f);
}

static void looked_again_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct flow *f = ctx;
	(void)result; /* failed: they come by themselves, a little later */
	(void)sqlstate;
	f->busy = false;
	claimer_wake(f->d->claimer);
}

static void look_again(struct flow *f, enum reason reason, int64_t most_us)
{
	int64_t now_us = dispatch_now_us(f->d);
	store_params_clear(&f->params);
	store_value_time(&f->params, now_us);
	store_value_time(&f->params, now_us + most_us);
	store_value_str(&f->params, policy_reason_code(reason));
	f->busy = true;
	struct store_step step = {"look_again", &f->params, NULL};
	store_lane_run(f->d->house_lane, &step, 1, looked_again_cb, f);
}

void flow_carrier_up(struct flow *f)
{
	f->carrier_up = true;
}

/* What waits for a route or for a carrier comes again seldom; when there is one it need not wait for that. */
void flow_turn(struct flow *f)
{
	if (f->busy || !f->d->entered || !store_lane_up(f->d->house_lane))
		return;
	if (f->refunds) {
		write_refunds(f);
	} else if (f->routes_changed) {
		f->routes_changed = false;
		look_again(f, REASON_no_route, 2 * NO_ROUTE_US);
	} else if (f->carrier_up) {
		f->carrier_up = false;
		look_again(f, REASON_no_carrier, 2 * DOWN_US);
	}
}

bool flow_idle(const struct flow *f)
{
	return !f->busy;
}

/* --- links ------------------------------------------------------------------------------------------------------- */

unsigned flow_slots(struct flow *f)
{
	unsigned slots = 0;
	for (unsigned i = 0; i < f->d->links; i++)
		slots += link_carrier_slots(f->d->link[i].link);
	return slots;
}

int64_t flow_ready_ms(struct flow *f)
{
	int64_t least_ms = INT64_MAX;
	for (unsigned i = 0; i < f->d->links; i++) {
		int64_t ms = link_carrier_ready_ms(f->d->link[i].link);
		least_ms = ms < least_ms ? ms : least_ms;
	}
	return least_ms;
}

void flow_begin(struct flow *f)
{
	for (unsigned i = 0; i < f->d->links; i++) {
		const struct carrier_link *link = f->d->link[i].link;
		unsigned paced = link_carrier_slots(f->d->link[i].link);
		f->left[i] = (struct link_room){paced ? link_carrier_window(link) : 0, paced};
	}
}

static bool has_room(const struct link_room *r)
{
	return r->slots > 0 && r->paced > 0;
}

static void look_at_carriers(const struct flow *f, const struct claimed *m, enum policy_room *room)
{
	for (unsigned c = 0; c < f->d->config.carrier_count; c++)
		room[c] = ROUTE_DOWN;
	for (unsigned i = 0; i < f->d->links; i++) {
		unsigned c = (unsigned)(f->d->link[i].carrier - f->d->carriers);
		if (m->held >> c & 1)
			continue;
		if (has_room(&f->left[i]))
			room[c] = ROUTE_FREE;
		else if (room[c] == ROUTE_DOWN && link_carrier_transmits(f->d->link[i].link))
			room[c] = ROUTE_FULL;
	}
}

static unsigned carrier_index(const struct flow *f, const char *name)
{
	for (unsigned c = 0; c < f->d->config.carrier_count; c++)
		if (strcmp(f->d->carriers[c].name, name) == 0)
			return c;
	return ROUTE_NO_CARRIER;
}

/* The next link in turn of the carrier that has room. */
static struct link_slot *take_link(struct flow *f, unsigned carrier, unsigned segments)
{
	for (unsigned n = 0; n < f->d->links; n++) {
		unsigned i = (f->next_link + n) % f->d->links;
		if (f->d->link[i].carrier == &f->d->carriers[carrier] && has_room(&f->left[i])) {
			f->next_link = i + 1;
			f->left[i].slots -= segments < f->left[i].slots ? segments : f->left[i].slots;
			f->left[i].paced -= segments;
			return &f->d->link[i];
		}
	}
	return NULL;
}

static bool waited_for(const struct claimed *m, enum reason reason)
{
	return strcmp(policy_reason_code(reason), m->waited_for) == 0;
}

/* Until some link of the carrier lets more go by its pace; 0 when an answer must come first. */
static int64_t carrier_ready_ms(const struct flow *f, unsigned carrier)
{
	int64_t least_ms = INT64_MAX;
	for (unsigned i = 0; i < f->d->links; i++) {
		int64_t ms = INT64_MAX;
		if (f->d->link[i].carrier == &f->d->carriers[carrier])
			ms = link_carrier_ready_ms(f->d->link[i].link);
		least_ms = ms < least_ms ? ms : least_ms;
	}
	return least_ms == INT64_MAX ? 0 : least_ms;
}

/* Segments a second of a busy carrier; 0 when it has not shown yet. */
static double carrier_rate(const struct flow *f, unsigned carrier)
{
	double a_second = 0;
	for (unsigned i = 0; i < f->d->links; i++)
		if (f->d->link[i].carrier == &f->d->carriers[carrier])
			a_second += link_carrier_rate(f->d->link[i].link);
	return a_second * KEEN;
}

static void wait_for_carrier(struct flow *f, struct claimed *m, unsigned carrier, int64_t now_us)
{
	double a_second = carrier_rate(f, carrier);
	double gap_ms = a_second > 0 ? 1000 / a_second : 0;
	int64_t first_ms = carrier_ready_ms(f, carrier);
	if (first_ms == 0)
		first_ms = a_second > 0 ? (int64_t)gap_ms + 1 : BUSY_MS;
	struct line_wish wish = {.priority = m->priority,
	                         .again = waited_for(m, REASON_carrier_busy),
	                         .first_us = now_us + rule_us(f, (double)first_ms),
	                         .gap_us = rule_us(f, gap_ms * m->segments),
	                         .now_us = now_us,
	                         .chance = (uint32_t)random_below(UINT32_MAX)};
	wait(m, REASON_carrier_busy, line_place(&f->carrier_line[carrier], &wish));
}

/* While somebody more urgent has a place to come, only what is left beside his turn may go. */
static bool sender_may(const struct flow *f, const struct sender *s, const struct sender_pace *p,
                       const struct claimed *m, int64_t now_us)
{
	struct rate rate = rate_of(f, s);
	return rate_allows(&rate, p->next_us, now_us) >= (line_yields(&s->line, m->priority, now_us) ? 2 : 1);
}

static void wait_for_sender(struct flow *f, struct claimed *m, struct sender *s, const struct sender_pace *p,
                            int64_t now_us)
{
	struct rate rate = rate_of(f, s);
	bool yields = line_yields(&s->line, m->priority, now_us);
	struct line_wish wish = {.priority = m->priority,
	                         .again = waited_for(m, REASON_sender_rate) && !yields,
	                         .first_us = rate_ready_us(&rate, p->next_us, 1, now_us),
	                         .gap_us = rate.each_us * m->segments,
	                         .now_us = now_us,
	                         .chance = (uint32_t)random_below(UINT32_MAX)};
	wait(m, REASON_sender_rate, line_place(&s->line, &wish));
}

static void tell_no_route(struct flow *f)
{
	int64_t now_ms = net_loop_now_ms(f->d->config.loop);
	if (f->no_route_ms && now_ms - f->no_route_ms < 60000)
		return;
	f->no_route_ms = now_ms;
	log_event(LOG_ERROR, "no_route",
	          LOG_TEXT(reason, "no row of routes matches a message; it waits until one does"));
}

static void no_link(struct flow *f, struct claimed *m, enum policy_way way, unsigned carrier, int64_t now_us)
{
	int64_t lost_us;
	switch (way) {
	case ROUTE_WAIT:
		wait_for_carrier(f, m, carrier, now_us);
		return;
	case ROUTE_LOST:
		lost_us = m->held ? HELD_US : DOWN_US;
		wait(m, REASON_no_carrier, now_us + lost_us + (int64_t)random_below((uint64_t)lost_us));
		return;
	default:
		tell_no_route(f);
		wait(m, REASON_no_route, now_us + NO_ROUTE_US + (int64_t)random_below(NO_ROUTE_US));
	}
}

static void pick_link(struct flow *f, struct claimed *m, int64_t now_us)
{
	enum policy_room room[LIMIT_CARRIERS];
	unsigned carrier = 0;
	look_at_carriers(f, m, room);
	enum policy_way way = policy_route_pick(
	        f->rows.routes, f->rows.route_count, view_str(m->sender), view_str(m->phone), m->category, room,
	        carrier_index(f, m->last_carrier), (uint32_t)random_below(UINT32_MAX), &carrier);
	if (way != ROUTE_TAKEN) {
		no_link(f, m, way, carrier, now_us);
		return;
	}
	m->link = take_link(f, carrier, m->segments);
	line_went(&f->carrier_line[carrier], m->priority);
}

void flow_judge(struct flow *f, struct claimed *m, int64_t now_us)
{
	struct sender *s = find_sender(f, m->sender);
	int64_t full_us = s ? full_until_us(f, s, m) : 0;
	if (full_us) {
		wait(m, REASON_daily_ceiling, full_us + (int64_t)random_below(AFTER_RESET_US));
		return;
	}
	struct sender_pace *p = s ? find_pace(f, m->sender) : NULL;
	if (p && !sender_may(f, s, p, m, now_us)) {
		wait_for_sender(f, m, s, p, now_us);
		return;
	}
	pick_link(f, m, now_us);
	if (m->link && p)
		spend(f, s, p, m, now_us);
	if (m->link && s)
		use_day(f, s, m);
}

void flow_free(struct flow *f)
{
	store_params_free(&f->params);
	free(f->senders);
	free(f->brand_zones);
	free(f);
}
