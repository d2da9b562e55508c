#include "dispatch_claim.h"

#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

int64_t dispatch_now_us(const struct dispatch *d)
{
	return clock_read(d->config.clock);
}

struct uuid dispatch_id(struct dispatch *d)
{
	return uuid_make(&d->ids, dispatch_now_us(d));
}

const struct dispatch_carrier *dispatch_carrier_named(const struct dispatch *d, struct view name)
{
	for (unsigned i = 0; i < d->config.carrier_count; i++)
		if (view_eq(name, view_str(d->carriers[i].name)))
			return &d->carriers[i];
	return NULL;
}

void dispatch_answer(const struct delivery *to, uint32_t status)
{
	char id[UUID_TEXT_BYTES];
	struct view message_id = view_str(status == ESME_ROK ? centre_message_id(to, id) : "");
	link_carrier_answer(to->link, to->generation, to->command, to->sequence, status, message_id);
	if (status == ESME_ROK && to->owes_receipt)
		centre_receipt(to->owes_receipt->centre, to);
}

bool dispatch_refused_for_data(const char *sqlstate)
{
	static const char *const classes[] = {"22", "23", "P0"};
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (strncmp(sqlstate, classes[i], 2) == 0)
			return true;
	return false;
}

void dispatch_carrier_id(struct view id, char to[66])
{
	copy_view(to, 66, id);
	for (size_t i = 0; i < id.n && i < 65; i++)
		if (id.p[i] <= 0x20 || id.p[i] > 0x7e)
			to[i] = '?';
}

void dispatch_phone_of(struct view address, char to[24])
{
	struct view digits = address;
	uint64_t ignored;
	if (digits.n && digits.p[0] == '+')
		digits = view_of(digits.p + 1, digits.n - 1);
	bool number = digits.n <= 15 && parse_u64(digits, UINT64_MAX, &ignored);
	bool full = number && digits.n == 11 && digits.p[0] == '1';
	bool national = number && digits.n == 10;
	to[0] = '+';
	to[1] = '1';
	if (full)
		copy_view(to + 1, 23, digits);
	else if (national)
		copy_view(to + 2, 22, digits);
	else
		copy_view(to, 24, address);
	dispatch_printable(to, ' ');
}

void dispatch_printable(char *text, char least)
{
	for (char *c = text; *c; c++)
		if (*c < least || *c > 0x7e)
			*c = '?';
}

/* --- what links say ------------------------------------------------------------------------------------------------
 */

static void bound_cb(void *ctx, struct carrier_link *l, bool up)
{
	struct dispatch *d = ctx;
	(void)l;
	if (!up)
		return;
	flow_carrier_up(d->flow);
	claimer_wake(d->claimer);
}

static struct outcome outcome_of(struct dispatch *d, const struct flight *f)
{
	return (struct outcome){.practice_id = f->practice_id,
	                        .id = f->id,
	                        .carrier = f->carrier,
	                        .at_us = dispatch_now_us(d),
	                        .part = f->part,
	                        .parts = f->parts};
}

static int64_t retry_due_us(const struct dispatch *d, const struct flight *f, int64_t base_us)
{
	unsigned doublings = f->attempts < 8 ? f->attempts : 8;
	int64_t wait_us = base_us << doublings;
	return dispatch_now_us(d) + wait_us + (int64_t)random_below((uint64_t)wait_us / 5 + 1);
}

static enum carrier_word word_of_status(const struct dispatch *d, const struct flight *f, uint32_t status)
{
	const struct dispatch_carrier *carrier = dispatch_carrier_named(d, view_str(f->carrier));
	return policy_vendor_status(carrier && carrier->error_codes ? carrier->error_codes : "", status);
}

/* What a command_status that is not OK makes of the message: the carrier's own word where its number has a row, else
 * its class. All prove that it did not go, but for a word that says that nobody knows. */
static void refused(struct dispatch *d, struct carrier_link *l, const struct flight *f, uint32_t status,
                    struct outcome *o)
{
	enum carrier_word word = word_of_status(d, f, status);
	if (word) {
		outcomes_word(d, o, word);
		return;
	}
	o->refund = true;
	o->status = "held";
	o->type = "message.requeued";
	switch (smpp_status_class(status)) {
	case SMPP_CLASS_THROTTLE:
		link_carrier_throttle(l, status == ESME_RMSGQFUL);
		o->reason = REASON_carrier_throttled;
		if (status == ESME_RMSGQFUL) /* perhaps of one phone only: others go first meanwhile */
			o->due_us = retry_due_us(d, f, SECOND_US);
		return;
	case SMPP_CLASS_TRANSIENT:
	case SMPP_CLASS_SESSION:
		o->passing = smpp_status_class(status) == SMPP_CLASS_TRANSIENT;
		o->reason = REASON_carrier_temporary;
		o->due_us = retry_due_us(d, f, 15 * SECOND_US);
		if (!o->passing || f->refusals + 1 < LIMIT_REFUSALS)
			return;
		o->due_us = 0;
		o->reason = REASON_attempts_exhausted;
		break;
	default:
		o->reason = REASON_carrier_rejected;
		break;
	}
	o->status = "failed";
	o->type = "message.failed";
}

/* What the answer says of one message: submit_multi_resp lists who did not get it (3.4 4.5.2). */
static uint32_t status_for(const struct flight *f, const struct link_answer *answer)
{
	struct smpp_dest dest;
	size_t at = 0;
	if (answer->command != SMPP_submit_multi_resp || answer->status != ESME_ROK || !answer->pdu->has_body)
		return answer->status;
	while (smpp_list_next(SMPP_UNSUCCESS, answer->pdu->field[SMPP_F_unsuccess_sme].text, &at, &dest)) {
		char phone[24];
		dispatch_phone_of(dest.address, phone);
		if (strcmp(phone, f->phone) == 0)
			return dest.error_status_code ? dest.error_status_code : ESME_RUNKNOWNERR;
	}
	return ESME_ROK;
}

/* That an answer is late is known to the statement: an uncertain message takes `sent` and `failed`, nothing else. */
static void settle(struct dispatch *d, struct carrier_link *l, const struct flight *f, const struct link_answer *answer)
{
	struct outcome o = outcome_of(d, f);
	uint32_t status = status_for(f, answer);
	smpp_status_text(status, o.command_status, sizeof(o.command_status));
	if (status == ESME_ROK) {
		o.status = "sent";
		o.type = "message.sent";
		dispatch_carrier_id(answer->message_id, o.carrier_message_id);
		dispatch_printable(o.carrier_message_id, '!');
	} else {
		refused(d, l, f, status, &o);
	}
	if (o.refund)
		flow_refund(d->flow, f->sender, f->sent_us, f->segments);
	outcomes_add(d->outcomes, &o);
}

static void answered_cb(void *ctx, struct carrier_link *l, const struct link_answer *answer)
{
	struct dispatch *d = ctx;
	struct flight *f = flights_get(d->flights, answer->ref);
	for (uint64_t ref = answer->ref; f; f = flights_get(d->flights, ref)) {
		uint64_t next = f->also;
		if (f->ask)
			asks_answered(d->asks, f, answer);
		else
			settle(d, l, f, answer);
		flights_remove(d->flights, ref);
		ref = next;
	}
	claimer_wake(d->claimer);
}

static void give_up(struct dispatch *d, const struct flight *f)
{
	struct outcome o = outcome_of(d, f);
	o.status = "uncertain";
	o.reason = REASON_answer_missing;
	o.type = "message.uncertain";
	outcomes_add(d->outcomes, &o);
}

static void unanswered_cb(void *ctx, struct carrier_link *l, uint64_t ref)
{
	struct dispatch *d = ctx;
	(void)l;
	for (struct flight *f = flights_get(d->flights, ref); f && !f->given_up; f = flights_get(d->flights, ref)) {
		uint64_t next = f->also;
		if (f->ask) { /* it is asked again */
			flights_remove(d->flights, ref);
		} else {
			give_up(d, f);
			flights_give_up(d->flights, ref);
		}
		ref = next;
	}
	outcomes_rematch(d->outcomes); /* receipts may be here already */
}

static void requeue(struct dispatch *d, const struct flight *f)
{
	struct outcome o = outcome_of(d, f);
	o.status = "held";
	o.reason = REASON_link_lost;
	o.type = "message.requeued";
	o.refund = true;
	o.due_us = o.at_us;
	flow_refund(d->flow, f->sender, f->sent_us, f->segments);
	outcomes_add(d->outcomes, &o);
}

static void unsent_cb(void *ctx, struct carrier_link *l, uint64_t ref)
{
	struct dispatch *d = ctx;
	(void)l;
	for (struct flight *f = flights_get(d->flights, ref); f; f = flights_get(d->flights, ref)) {
		uint64_t next = f->also;
		if (!f->ask)
			requeue(d, f);
		flights_remove(d->flights, ref);
		ref = next;
	}
}

static struct delivery delivery_of(struct dispatch *d, struct carrier_link *l, const struct smpp_pdu *pdu)
{
	struct delivery from = {.link = l,
	                        .generation = link_carrier_generation(l),
	                        .command = pdu->command,
	                        .sequence = pdu->sequence_number};
	if (!link_carrier_is_centre(l))
		return from;
	from.id = dispatch_id(d);
	if (pdu->field[SMPP_F_registered_delivery].number & 1) /* 1: of any end; 3: of success only (5.0 4.7.21) */
		from.owes_receipt = d;
	copy_view(from.source, sizeof(from.source), pdu->field[SMPP_F_source_addr].text);
	copy_view(from.destination, sizeof(from.destination), pdu->field[SMPP_F_destination_addr].text);
	return from;
}

/* A text, or what is flagged as a receipt and has nothing of one: that is told, and heard as a text (trap 30). */
static void text_came(struct dispatch *d, const struct dispatch_carrier *carrier, const struct delivery *from,
                      const struct smpp_pdu *pdu)
{
	if (smpp_receipt_flagged(pdu)) {
		outcomes_odd_receipt(carrier->name, "unreadable");
		log_event(LOG_WARNING, "receipt_unreadable", LOG_TEXT(carrier, carrier->name));
	}
	inbounds_add(d->inbounds, from, pdu);
}

static void delivered_cb(void *ctx, struct carrier_link *l, const struct smpp_pdu *pdu)
{
	struct dispatch *d = ctx;
	struct delivery from = delivery_of(d, l, pdu);
	const struct dispatch_carrier *carrier = dispatch_carrier_named(d, view_str(link_carrier_name(l)));
	struct smpp_receipt receipt;
	uint32_t refusal = centre_refusal(pdu->command);
	if (refusal) {
		dispatch_answer(&from, refusal);
		return;
	}
	if (smpp_receipt_parse(pdu, &receipt))
		outcomes_add_receipt(d->outcomes, &from, pdu, &receipt, false);
	else if (carrier->receipts_unflagged && smpp_receipt_parse_unflagged(pdu, &receipt))
		outcomes_add_receipt(d->outcomes, &from, pdu, &receipt, true);
	else
		text_came(d, carrier, &from, pdu);
}

static void alerted_cb(void *ctx, struct carrier_link *l, const struct smpp_pdu *pdu)
{
	struct dispatch *d = ctx;
	(void)l;
	asks_alert(d->asks, pdu);
}

static const struct carrier_link_ops link_ops = {.alerted = alerted_cb,
                                                 .bound = bound_cb,
                                                 .answered = answered_cb,
                                                 .unanswered = unanswered_cb,
                                                 .unsent = unsent_cb,
                                                 .delivered = delivered_cb};

/* --- turn ----------------------------------------------------------------------------------------------------------
 */

static void drain_step(struct dispatch *d);

static void turn_cb(void *ctx)
{
	struct dispatch *d = ctx;
	accepter_turn(d->accepter);
	batcher_turn(d->batcher);
	accesses_turn(d->accesses);
	outcomes_turn(d->outcomes);
	inbounds_turn(d->inbounds);
	flow_turn(d->flow);
	asks_turn(d->asks);
	house_turn(d->house);
	claimer_turn(d->claimer);
	if (d->draining)
		drain_step(d);
}

static void lane_cb(void *ctx, struct store_lane *lane, bool up)
{
	struct dispatch *d = ctx;
	if (up && lane == d->house_lane)
		house_store_up(d->house);
	else if (up && lane == d->claim_lane)
		d->orphans_wanted = d->entered;
}

static void open_lanes(struct dispatch *d)
{
	struct loop *l = d->config.loop;
	const char *conninfo = d->config.conninfo;
	d->accept_lane = store_lane_new(l, "accept", conninfo, lane_cb, d);
	d->claim_lane = store_lane_new(l, "claim", conninfo, lane_cb, d);
	d->outcome_lane = store_lane_new(l, "outcome", conninfo, lane_cb, d);
	d->inbound_lane = store_lane_new(l, "inbound", conninfo, lane_cb, d);
	d->read_lane = store_lane_new(l, "read", conninfo, lane_cb, d);
	d->house_lane = store_lane_new(l, "house", conninfo, lane_cb, d);
	d->webhook_lane = store_lane_new(l, "webhook", conninfo, lane_cb, d);
	d->change_lane = store_lane_new(l, "change", conninfo, lane_cb, d);
	d->seal_lane = store_lane_new(l, "seal", conninfo, lane_cb, d);
	d->batch_lane = store_lane_new(l, "batch", conninfo, lane_cb, d);
}

static void open_link(struct dispatch *d, const struct dispatch_carrier *carrier, unsigned number,
                      enum smpp_bind_kind kind)
{
	struct carrier_link_config config = carrier->link;
	config.number = number;
	config.session.bind_kind = kind;
	check(d->links < DISPATCH_LINKS_MAX);
	d->link[d->links].carrier = carrier;
	d->link[d->links++].link = link_carrier_new(d->config.loop, &config, &link_ops, d);
}

/* The sessions of a pair are numbered one after the other, the transmitter first. */
static void open_links(struct dispatch *d)
{
	for (unsigned i = 0; i < d->config.carrier_count; i++) {
		const struct dispatch_carrier *c = &d->carriers[i];
		for (unsigned n = 1; n <= c->links; n++)
			if (c->pair) {
				open_link(d, c, 2 * n - 1, SMPP_BIND_TX);
				open_link(d, c, 2 * n, SMPP_BIND_RX);
			} else {
				open_link(d, c, n, c->link.session.bind_kind);
			}
	}
}

static void drain_timer_cb(void *ctx)
{
	(void)ctx; /* a turn comes, and with it drain_step */
}

struct dispatch *dispatch_new(const struct dispatch_config *config)
{
	struct dispatch *d = mem_alloc(sizeof(*d));
	d->config = *config;
	d->carriers = mem_alloc(sizeof(*d->carriers) * (config->carrier_count + 1));
	memcpy(d->carriers, config->carriers, sizeof(*d->carriers) * config->carrier_count);
	d->instance = dispatch_id(d);
	d->accepter = accepter_new(d);
	d->accesses = accesses_new(d);
	d->batcher = batcher_new(d);
	d->claimer = claimer_new(d);
	d->flights = flights_new();
	d->outcomes = outcomes_new(d);
	d->inbounds = inbounds_new(d);
	d->centre = centre_new(d);
	d->house = house_new(d);
	d->retainer = retainer_new(d);
	d->zones = zone_cache_new(config->tzdata);
	d->flow = flow_new(d);
	flow_set(d->flow, &config->flow);
	d->asks = asks_new(d);
	open_lanes(d);
	d->webhooks = webhooks_new(d);
	d->sealer = sealer_new(d);
	d->broadcasts = broadcasts_new(d);
	d->drain_timer = net_timer_new(config->loop, drain_timer_cb, d);
	open_links(d);
	net_loop_each_turn(config->loop, turn_cb, d);
	return d;
}

void dispatch_set(struct dispatch *d, const struct dispatch_settings *settings)
{
	d->config.settings = *settings;
}

void dispatch_set_flow(struct dispatch *d, const struct dispatch_flow *flow)
{
	flow_set(d->flow, flow);
	claimer_wake(d->claimer);
}

void dispatch_set_types(struct dispatch *d, const char *carrier, const uint8_t types[4])
{
	for (unsigned i = 0; i < d->config.carrier_count; i++) {
		struct dispatch_carrier *c = &d->carriers[i];
		if (strcmp(c->name, carrier) != 0)
			continue;
		c->source_ton = types[0];
		c->source_npi = types[1];
		c->dest_ton = types[2];
		c->dest_npi = types[3];
	}
}

void dispatch_set_rate(struct dispatch *d, const char *carrier, double rate)
{
	for (unsigned i = 0; i < d->links; i++)
		if (strcmp(d->link[i].carrier->name, carrier) == 0)
			link_carrier_set_rate(d->link[i].link, rate);
}

void dispatch_set_tls(struct dispatch *d, const char *carrier, struct tls_context *tls)
{
	for (unsigned i = 0; i < d->links; i++)
		if (strcmp(d->link[i].carrier->name, carrier) == 0)
			link_carrier_set_tls(d->link[i].link, tls);
}

void dispatch_clock_moved(struct dispatch *d)
{
	claimer_wake(d->claimer);
	inbounds_sweep(d->inbounds);
	retainer_wake(d->retainer);
}

bool dispatch_ready(const struct dispatch *d)
{
	return d->entered && asks_ready(d->asks) && !d->draining && store_lane_up(d->accept_lane) &&
	       store_lane_up(d->claim_lane) && store_lane_up(d->outcome_lane) && store_lane_up(d->inbound_lane) &&
	       store_lane_up(d->read_lane);
}

struct carrier_link *dispatch_waiting_link(struct dispatch *d, const char *carrier)
{
	for (unsigned i = 0; i < d->links; i++)
		if (strcmp(d->link[i].carrier->name, carrier) == 0 && link_carrier_waits(d->link[i].link))
			return d->link[i].link;
	return NULL;
}

unsigned dispatch_links_bound(const struct dispatch *d)
{
	unsigned bound = 0;
	for (unsigned i = 0; i < d->links; i++)
		bound += link_carrier_bound(d->link[i].link);
	return bound;
}

void dispatch_phone_changed(struct dispatch *d, const struct uuid *practice, struct view phone)
{
	claimer_recheck(d->claimer, practice, phone);
	claimer_wake(d->claimer);
}

struct store_lane *dispatch_read_lane(struct dispatch *d)
{
	return d->read_lane;
}

const struct zone *dispatch_zone(struct dispatch *d, const char *name)
{
	return zone_cache_get(d->zones, name);
}

/* --- end -----------------------------------------------------------------------------------------------------------
 */

static bool links_gone(const struct dispatch *d)
{
	for (unsigned i = 0; i < d->links; i++)
		if (!link_carrier_gone(d->link[i].link))
			return false;
	return true;
}

static bool writes_done(const struct dispatch *d)
{
	return accepter_idle(d->accepter) && batcher_idle(d->batcher) && claimer_idle(d->claimer) &&
	       outcomes_idle(d->outcomes) && inbounds_idle(d->inbounds) && flow_idle(d->flow) && asks_idle(d->asks) &&
	       accesses_idle(d->accesses) && store_lane_busy(d->change_lane) == 0 && d->asked(d->drained_ctx) == 0;
}

/* First what is open may end (answers come, commits are made; LIMIT_DRAIN_MS at most), then links unbind, whose
 * leftovers become uncertain and are written too (LIMIT_UNBIND_MS at most), then it is over. */
static void drain_step(struct dispatch *d)
{
	if (!d->drained)
		return;
	int64_t most_ms = d->unbinding ? LIMIT_UNBIND_MS : LIMIT_DRAIN_MS;
	bool late = net_loop_now_ms(d->config.loop) - d->drain_began_ms > most_ms;
	if (!d->unbinding && (late || (flights_open(d->flights) == 0 && writes_done(d)))) {
		d->unbinding = true;
		d->drain_began_ms = net_loop_now_ms(d->config.loop);
		for (unsigned i = 0; i < d->links; i++)
			link_carrier_unbind(d->link[i].link);
		return;
	}
	bool over = d->unbinding && links_gone(d) && writes_done(d) && webhooks_idle(d->webhooks);
	if (over || (d->unbinding && late)) {
		net_cb done = d->drained;
		d->drained = NULL;
		done(d->drained_ctx);
		return;
	}
	net_timer_start(d->drain_timer, 50);
}

bool dispatch_drained_clean(const struct dispatch *d)
{
	return links_gone(d) && webhooks_idle(d->webhooks);
}

void dispatch_drain(struct dispatch *d, dispatch_asked_cb asked, net_cb done, void *ctx)
{
	d->draining = true;
	d->asked = asked;
	d->drained = done;
	d->drained_ctx = ctx;
	d->drain_began_ms = net_loop_now_ms(d->config.loop);
	webhooks_drain(d->webhooks);
	net_timer_start(d->drain_timer, 0);
}

void dispatch_free(struct dispatch *d)
{
	struct store_lane *lanes[] = {d->accept_lane, d->claim_lane,   d->outcome_lane, d->inbound_lane, d->read_lane,
	                              d->house_lane,  d->webhook_lane, d->change_lane,  d->seal_lane,    d->batch_lane};
	for (size_t i = 0; i < sizeof(lanes) / sizeof(*lanes); i++)
		store_lane_free(lanes[i]);
	for (unsigned i = 0; i < d->links; i++)
		link_carrier_free(d->link[i].link);
	webhooks_free(d->webhooks);
	sealer_free(d->sealer);
	broadcasts_free(d->broadcasts);
	house_free(d->house);
	retainer_free(d->retainer);
	inbounds_free(d->inbounds);
	centre_free(d->centre);
	outcomes_free(d->outcomes);
	claimer_free(d->claimer);
	flow_free(d->flow);
	asks_free(d->asks);
	accepter_free(d->accepter);
	batcher_free(d->batcher);
	accesses_free(d->accesses);
	flights_free(d->flights);
	zone_cache_free(d->zones);
	net_timer_free(d->drain_timer);
	free(d->carriers);
	free(d);
}
