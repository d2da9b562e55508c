/* From a committed `sending` to the wire: the PDU by the carrier's rows, a flight that its answer will find, or the
 * proof that it never left. */
#include "dispatch_claim.h"

#include "smpp_time.h"
#include "text_alphabet.h"

#include <stdlib.h>

#define TEXT_BYTES (LIMIT_BODY_BYTES * 4)

struct submits {
	struct dispatch *d;
	struct buf text;
	char validity[SMPP_TIME_TEXT_BYTES];
	uint8_t reference[2];
	uint8_t seconds[4];
};

struct submits *submits_new(struct dispatch *d)
{
	struct submits *s = mem_alloc(sizeof(*s));
	s->d = d;
	s->text = BUF(TEXT_BYTES);
	return s;
}

uint16_t dispatch_reference(const struct uuid *id)
{
	uint16_t reference = (uint16_t)(id->b[14] << 8 | id->b[15]);
	return reference ? reference : 1;
}

static void add_reference(struct submits *s, const struct claimed *m, struct smpp_pdu *pdu)
{
	uint16_t reference = dispatch_reference(&m->id);
	s->reference[0] = (uint8_t)(reference >> 8);
	s->reference[1] = (uint8_t)reference;
	smpp_pdu_add_tlv(pdu, SMPP_TAG_user_message_reference, view_of(s->reference, 2));
}

/* After this the carrier must not deliver it: it expires, or the sending hours where the patient may be are over. */
static int64_t useful_until_us(const struct claimed *m, int64_t now_us)
{
	int64_t until_us = m->facts.expires_at_us;
	if (policy_category_flags(m->category) & CATEGORY_QUIET) {
		int64_t close_us = policy_close_us(&policy_rules_default, &m->facts, now_us);
		until_us = close_us < until_us ? close_us : until_us;
	}
	return until_us;
}

static void set_validity(struct submits *s, const struct claimed *m, int64_t now_us, struct smpp_pdu *pdu)
{
	const struct dispatch_carrier *carrier = m->link->carrier;
	int64_t until_us = useful_until_us(m, now_us);
	int64_t seconds = (until_us - now_us) / SECOND_US;
	if (carrier->validity == DISPATCH_VALIDITY_NONE)
		return;
	if (pdu->command == SMPP_data_sm) {
		for (int i = 0; i < 4; i++)
			s->seconds[i] = (uint8_t)((uint64_t)seconds >> (24 - 8 * i));
		smpp_pdu_add_tlv(pdu, SMPP_TAG_qos_time_to_live, view_of(s->seconds, 4));
		return;
	}
	const char *text = carrier->validity == DISPATCH_VALIDITY_RELATIVE ? smpp_time_relative(seconds, s->validity)
	                                                                   : smpp_time_absolute(until_us, s->validity);
	smpp_pdu_set_text(pdu, SMPP_F_validity_period, view_str(text));
}

static void address(const struct dispatch_carrier *carrier, const struct claimed *m, struct smpp_pdu *pdu)
{
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, carrier->source_ton);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, carrier->source_npi);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, view_str(m->sender + (m->sender[0] == '+')));
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, carrier->dest_ton);
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, carrier->dest_npi);
	smpp_pdu_set_text(pdu, SMPP_F_destination_addr, view_str(m->phone + (m->phone[0] == '+')));
}

/* What a carrier that binds to us gets is a delivery: no validity, no receipt, no rows of a message centre. */
static void ask_carrier(struct submits *s, const struct claimed *m, int64_t now_us, struct smpp_pdu *pdu)
{
	const struct dispatch_carrier *carrier = m->link->carrier;
	smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
	set_validity(s, m, now_us, pdu);
	for (unsigned i = 0; i < carrier->tlv_count; i++)
		smpp_pdu_add_tlv(pdu, carrier->tlvs[i].tag, carrier->tlvs[i].value);
}

static bool write_submit(struct submits *s, const struct claimed *m, int64_t now_us, struct smpp_pdu *pdu)
{
	const struct dispatch_carrier *carrier = m->link->carrier;
	bool centre = link_carrier_is_centre(m->link->link);
	buf_clear(&s->text);
	bool ok = m->ucs2 ? text_ucs2_encode(m->body, &s->text) : text_gsm7_encode(m->body, &s->text);
	smpp_pdu_init(pdu, carrier->data_sm ? SMPP_data_sm : centre ? SMPP_deliver_sm : SMPP_submit_sm, 0);
	address(carrier, m, pdu);
	smpp_pdu_set_number(pdu, SMPP_F_data_coding, m->ucs2 ? 8 : 0);
	if (carrier->data_sm)
		smpp_pdu_add_tlv(pdu, SMPP_TAG_message_payload, buf_view(&s->text));
	else
		smpp_pdu_set_text(pdu, SMPP_F_short_message, buf_view(&s->text));
	if (!centre)
		ask_carrier(s, m, now_us, pdu);
	if (carrier->user_message_reference)
		add_reference(s, m, pdu);
	return ok && !s->text.full;
}

static void not_sent(struct submits *s, const struct claimed *m, enum reason reason, const char *status, int64_t now_us,
                     int64_t due_us)
{
	const char *type = due_us ? "message.requeued" : m->withdrawn ? "message.canceled" : "message.failed";
	struct outcome o = {.practice_id = m->practice_id,
	                    .id = m->id,
	                    .status = status,
	                    .reason = reason,
	                    .due_us = due_us,
	                    .refund = true,
	                    .type = type,
	                    .carrier = m->link->carrier->name,
	                    .at_us = now_us};
	flow_refund(s->d->flow, m->sender, flow_day(s->d->flow, m->sender, now_us), m->segments);
	outcomes_add(s->d->outcomes, &o);
}

void submits_one(struct submits *s, const struct claimed *m, int64_t now_us)
{
	struct smpp_pdu pdu;
	const char *why = "";
	if (m->withdrawn) {
		not_sent(s, m, REASON_canceled_by_opt_out, "canceled", now_us, 0);
		return;
	}
	if (!write_submit(s, m, now_us, &pdu)) {
		not_sent(s, m, REASON_carrier_rejected, "failed", now_us, 0);
		return;
	}
	struct flight flight = {.practice_id = m->practice_id,
	                        .id = m->id,
	                        .link = m->link->link,
	                        .carrier = m->link->carrier->name,
	                        .attempts = m->facts.attempts,
	                        .refusals = m->refusals,
	                        .segments = m->segments,
	                        .day = flow_day(s->d->flow, m->sender, now_us)};
	copy_str(flight.sender, sizeof(flight.sender), m->sender);
	uint64_t ref = flights_add(s->d->flights, &flight);
	if (ref && link_carrier_submit(m->link->link, ref, &pdu, m->segments, &why)) {
		if (m->first_try)
			metric_observe(METRIC_accept_to_wire_seconds,
			               (double)(dispatch_now_us(s->d) - m->created_us) / 1e6, NO_LABELS);
		return;
	}
	flights_remove(s->d->flights, ref);
	not_sent(s, m, REASON_link_lost, "held", now_us, now_us);
}

void submits_flush(struct submits *s)
{
	for (unsigned i = 0; i < s->d->links; i++)
		link_carrier_flush(s->d->link[i].link);
}

void submits_free(struct submits *s)
{
	buf_free(&s->text);
	free(s);
}
