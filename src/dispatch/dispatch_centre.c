/* Where we are the message centre: a carrier or an aggregator binds to us. What it submits are patients' texts, which
 * take the way of all texts; it gets a message id with our answer, and a receipt if it asked for one. What else an ESME
 * may ask of a message centre is refused, because a text that we took is delivered with our answer: nothing is left to
 * query, cancel or replace. */
#include "dispatch_internal.h"

#include "smpp_status.h"

#include <stdio.h>
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

/* Any session of the same carrier that takes deliveries: a pair submits on one and receives on the other. */
static struct carrier_link *receiver(struct dispatch *d, const struct carrier_link *from)
{
	for (unsigned i = 0; i < d->links; i++)
		if (strcmp(link_carrier_name(d->link[i].link), link_carrier_name(from)) == 0 &&
		    link_carrier_slots(d->link[i].link))
			return d->link[i].link;
	return NULL;
}

static void write_receipt_text(struct view id, int64_t now_us, char *to, size_t cap)
{
	struct civil c = time_civil(floor_div(now_us, SECOND_US));
	char at[16];
	snprintf(at, sizeof(at), "%02u%02u%02u%02u%02u", (unsigned)c.year % 100, (unsigned)c.month % 100,
	         (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100);
	snprintf(to, cap, "id:%.*s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:", (int)id.n,
	         (const char *)id.p, at, at);
}

void centre_receipt(const struct delivery *from)
{
	struct dispatch *d = from->owes_receipt;
	struct carrier_link *link = receiver(d, from->link);
	char whole[UUID_TEXT_BYTES], text[160];
	const uint8_t state = SMPP_STATE_DELIVERED;
	const char *why;
	struct smpp_pdu pdu;
	if (!link) {
		metric_add(METRIC_receipts_owed_total, 1, LABELS(link_carrier_name(from->link), "no_receiver"));
		return;
	}
	struct view id = link_carrier_fit_id(from->link, view_str(centre_message_id(from, whole))); /* as answered */
	write_receipt_text(id, dispatch_now_us(d), text, sizeof(text));
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 0);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, 0x04);
	smpp_pdu_set_text(&pdu, SMPP_F_source_addr, view_str(from->destination));
	smpp_pdu_set_text(&pdu, SMPP_F_destination_addr, view_str(from->source));
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_str(text));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_receipted_message_id, view_of(id.p, id.n + 1));
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_state, view_of(&state, 1));
	bool sent = link_carrier_submit(link, 0, &pdu, 0, &why);
	metric_add(METRIC_receipts_owed_total, 1, LABELS(link_carrier_name(link), sent ? "sent" : "no_slot"));
	link_carrier_flush(link);
}
