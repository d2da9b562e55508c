/* Where we are the message centre: a carrier or an aggregator binds to us. What it submits are patients' texts, which
 * take the way of all texts; it gets a message id with our answer, and a receipt if it asked for one. What else an ESME
 * may ask of a message centre is refused, because a text that we took is delivered with our answer: nothing is left to
 * query, cancel or replace. */
#include "dispatch_internal.h"

#include "smpp_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum smpp_command command;
	uint32_t status;
} refusals[] = {
        {SMPP_query_sm, ESME_RQUERYFAIL},           {SMPP_cancel_sm, ESME_RCANCELFAIL},
        {SMPP_replace_sm, ESME_RREPLACEFAIL},       {SMPP_submit_multi, ESME_RINVCMDID},
        {SMPP_broadcast_sm, ESME_RINVCMDID},        {SMPP_query_broadcast_sm, ESME_RINVCMDID},
        {SMPP_cancel_broadcast_sm, ESME_RINVCMDID},
};

uint32_t centre_refusal(enum smpp_command command)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].command == command)
			return refusals[i].status;
	return ESME_ROK;
}

const char *centre_message_id(const struct delivery *from, char to[UUID_TEXT_BYTES])
{
	if (uuid_is_zero(&from->id))
		to[0] = '\0';
	else
		hex_encode(from->id.b, sizeof(from->id.b), to);
	return to;
}

/* --- receipts that are owed --------------------------------------------------------------------------------------- */

#define RECEIPT_AFTER_MS                                                                                               \
	1000 /* a peer with a pair of binds meets a quicker one before our answer, and loses it (trap 25) */
#define RECEIPT_KEEP_MS 600000 /* that long for who binds for each message only (trap 11) */
#define RECEIPT_LOOK_MS 500

struct owed {
	const struct carrier_link *from; /* links live as long as dispatch */
	int64_t since_ms;
	char id[UUID_TEXT_BYTES]; /* as it was answered */
	char source[22];
	char destination[22];
};

struct centre {
	struct dispatch *d;
	struct net_timer *timer;
	struct owed *owed;
	unsigned count;
};

/* Any session of the same carrier that takes deliveries: a pair submits on one and receives on the other. */
static struct carrier_link *receiver(struct dispatch *d, const struct carrier_link *from)
{
	for (unsigned i = 0; i < d->links; i++)
		if (strcmp(link_carrier_name(d->link[i].link), link_carrier_name(from)) == 0 &&
		    link_carrier_slots(d->link[i].link))
			return d->link[i].link;
	return NULL;
}

static void write_receipt_text(const char *id, int64_t now_us, char *to, size_t cap)
{
	struct civil c = time_civil(floor_div(now_us, SECOND_US));
	char at[16];
	snprintf(at, sizeof(at), "%02u%02u%02u%02u%02u", (unsigned)c.year % 100, (unsigned)c.month % 100,
	         (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100);
	snprintf(to, cap, "id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:", id, at, at);
}

static void count_receipt(const struct owed *o, const char *result)
{
	metric_add(METRIC_receipts_owed_total, 1, LABELS(link_carrier_name(o->from), result));
}

static bool send_receipt(struct dispatch *d, const struct owed *o)
{
	struct carrier_link *link = receiver(d, o->from);
	const uint8_t state = SMPP_STATE_DELIVERED;
	char text[160];
	const char *why;
	struct smpp_pdu pdu;
	if (!link)
		return false;
	write_receipt_text(o->id, dispatch_now_us(d), text, sizeof(text));
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 0);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 0x04);
	smpp_pdu_set_text(&pdu, SMPP_F_source_addr, view_str(o->destination));
	smpp_pdu_set_text(&pdu, SMPP_F_destination_addr, view_str(o->source));
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_str(text));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_receipted_message_id, view_of(o->id, strlen(o->id) + 1));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_state, view_of(&state, 1));
	if (!link_carrier_submit(link, 0, &pdu, 0, &why))
		return false;
	link_carrier_flush(link);
	return true;
}

/* What was sent, or has waited for too long, is settled. */
static bool settle(struct centre *c, const struct owed *o, int64_t age_ms)
{
	if (age_ms < RECEIPT_AFTER_MS)
		return false;
	if (send_receipt(c->d, o))
		count_receipt(o, "sent");
	else if (age_ms >= RECEIPT_KEEP_MS)
		count_receipt(o, "no_receiver");
	else
		return false;
	return true;
}

static void look_cb(void *ctx)
{
	struct centre *c = ctx;
	int64_t now_ms = net_loop_now_ms(c->d->config.loop);
	unsigned kept = 0;
	for (unsigned i = 0; i < c->count; i++)
		if (!settle(c, &c->owed[i], now_ms - c->owed[i].since_ms))
			c->owed[kept++] = c->owed[i];
	c->count = kept;
	if (c->count)
		net_timer_start(c->timer, RECEIPT_LOOK_MS);
}

void centre_receipt(struct centre *c, const struct delivery *from)
{
	char id[UUID_TEXT_BYTES];
	struct owed o = {.from = from->link, .since_ms = net_loop_now_ms(c->d->config.loop)};
	copy_view(o.id, sizeof(o.id), link_carrier_fit_id(from->link, view_str(centre_message_id(from, id))));
	copy_str(o.source, sizeof(o.source), from->source);
	copy_str(o.destination, sizeof(o.destination), from->destination);
	if (c->count == LIMIT_RECEIPTS_OWED) {
		count_receipt(&o, "too_many");
		return;
	}
	if (c->count == 0)
		net_timer_start(c->timer, RECEIPT_AFTER_MS);
	c->owed[c->count++] = o;
}

struct centre *centre_new(struct dispatch *d)
{
	struct centre *c = mem_alloc(sizeof(*c));
	*c = (struct centre){.d = d};
	c->timer = net_timer_new(d->config.loop, look_cb, c);
	c->owed = mem_alloc(LIMIT_RECEIPTS_OWED * sizeof(*c->owed));
	return c;
}

void centre_free(struct centre *c)
{
	net_timer_free(c->timer);
	free(c->owed);
	free(c);
}
