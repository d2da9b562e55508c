/* From a committed `sending` to the wire: the PDU by the carrier's rows, a flight that its answer will find, or the
 * proof that it never left. */
#include "dispatch_claim.h"

#include "smpp_time.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (LIMIT_BODY_BYTES * 4)

/* A link with free slots takes one text more than it has slots for, so no more parts than these wait. */
#define RESTS_MAX (DISPATCH_LINKS_MAX * (LIMIT_PARTS_OUT - 1))

/* A later part of a text that is on the wire, until the window has a slot. Its flight is open, so that the message is
 * known to be in our hands. */
struct rest {
	struct carrier_link *link;
	const struct dispatch_carrier *carrier;
	unsigned generation; /* of the link that the first part went to */
	int64_t until_us;    /* after this it may not go any more */
	uint64_t ref;
	struct buf octets; /* without a validity, which is reckoned when it goes */
};

struct submits {
	struct dispatch *d;
	struct rest rest[RESTS_MAX];
	unsigned rests;
	int64_t wire_us; /* now: the commit may have taken its time */
	struct buf text; /* encoded */
	struct buf destinations;
	struct smpp_split split;
	struct smpp_split_octets octets;
	uint8_t data_coding;
	char validity[SMPP_TIME_TEXT_BYTES];
	uint8_t reference[2];
	uint8_t seconds[4];
};

struct submits *submits_new(struct dispatch *d)
{
	struct submits *s = mem_alloc(sizeof(*s));
	s->d = d;
	s->text = BUF(TEXT_BYTES);
	s->destinations = BUF(LIMIT_MULTI * 32);
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
		int64_t close_us = policy_close_us(m->rules, &m->facts, now_us);
		until_us = close_us < until_us ? close_us : until_us;
	}
	return until_us;
}

static void set_validity(struct submits *s, const struct dispatch_carrier *carrier, int64_t until_us,
                         struct smpp_pdu *pdu)
{
	int64_t seconds = (until_us - s->wire_us) / SECOND_US;
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

/* A receipt, and the TLVs of its row; not for a carrier that binds to us: what that gets is a delivery. */
static void add_carrier_wishes(const struct dispatch_carrier *carrier, struct smpp_pdu *pdu)
{
	smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
	for (unsigned i = 0; i < carrier->tlv_count; i++)
		smpp_pdu_add_tlv(pdu, carrier->tlvs[i].tag, carrier->tlvs[i].value);
}

/* --- text --------------------------------------------------------------------------------------------------------- */

#define DATA_CODING_LATIN1 3
#define DATA_CODING_UCS2 8

struct coding {
	bool ucs2;
	enum text_alphabet alphabet;
	uint8_t data_coding;
	enum smpp_unit unit;
};

struct encoded {
	enum smpp_split_way way; /* if it takes several parts */
	struct buf *text;
	struct smpp_split *split;
	uint8_t data_coding;
};

static bool encode(struct encoded *e, const struct coding *c, struct view body, unsigned segments, uint16_t reference)
{
	uint32_t stranger;
	buf_clear(e->text);
	e->data_coding = c->data_coding;
	return (c->ucs2 ? text_ucs2_encode(body, e->text) : text_encode(c->alphabet, body, e->text, &stranger)) &&
	       smpp_split_plan(e->split, e->way, c->unit, buf_view(e->text), reference) &&
	       e->split->segments <= segments;
}

#define CODINGS 3

/* In what the carrier takes data_coding 0 for; what that lacks as Latin-1, else as UCS-2, if it takes no more segments
 * than the rules allowed. Packed septets are written from septets of an octet each. Whatever data_coding 0 is to the
 * carrier, on the air it is the GSM alphabet: 160 characters. */
static unsigned codings(const struct dispatch_carrier *carrier, bool is_ucs2, const struct coding *list[CODINGS])
{
	static const struct coding zero[ALPHABET_COUNT] = {
	        [ALPHABET_GSM7] = {false, ALPHABET_GSM7, 0, SMPP_UNIT_SEPTET},
	        [ALPHABET_GSM7_PACKED] = {false, ALPHABET_GSM7, 0, SMPP_UNIT_PACKED},
	        [ALPHABET_LATIN1] = {false, ALPHABET_LATIN1, 0, SMPP_UNIT_SEPTET},
	        [ALPHABET_ASCII] = {false, ALPHABET_ASCII, 0, SMPP_UNIT_SEPTET},
	};
	static const struct coding latin1 = {false, ALPHABET_LATIN1, DATA_CODING_LATIN1, SMPP_UNIT_OCTET};
	static const struct coding ucs2 = {true, ALPHABET_GSM7, DATA_CODING_UCS2, SMPP_UNIT_UCS2};
	unsigned n = 0;
	if (!is_ucs2) {
		list[n++] = &zero[carrier->alphabet];
		list[n++] = &latin1;
	}
	list[n++] = &ucs2;
	return n;
}

/* A carrier may turn out to be of 3.3 when it answers our bind: what its rows want of TLVs goes without them. */
static enum smpp_split_way way_of(const struct link_slot *slot)
{
	enum smpp_split_way way = slot->carrier->long_texts;
	bool needs_tlvs = way == SMPP_SPLIT_SAR || way == SMPP_SPLIT_PAYLOAD;
	return needs_tlvs && !link_carrier_has_tlvs(slot->link) ? SMPP_SPLIT_UDH8 : way;
}

static bool encode_text(struct submits *s, const struct claimed *m)
{
	const struct coding *list[CODINGS];
	struct encoded e = {way_of(m->link), &s->text, &s->split, 0};
	unsigned n = codings(m->link->carrier, m->ucs2, list);
	for (unsigned i = 0; i < n; i++) {
		bool ok = encode(&e, list[i], m->body, m->segments, dispatch_reference(&m->id));
		s->data_coding = e.data_coding;
		if (ok)
			return true;
	}
	return false;
}

bool submits_replacement(const struct dispatch_carrier *carrier, bool ucs2, struct view before, struct view after,
                         struct smpp_split_octets *octets, struct smpp_pdu *pdu)
{
	const struct coding *list[CODINGS];
	struct smpp_split split;
	struct buf text = BUF(TEXT_BYTES);
	struct encoded e = {carrier->long_texts, &text, &split, 0};
	unsigned n = codings(carrier, ucs2, list);
	unsigned was = 0;
	while (was < n && !encode(&e, list[was], before, 1, 1))
		was++;
	bool ok = was < n && encode(&e, list[was], after, 1, 1) && smpp_split_write(&split, 0, octets, pdu);
	buf_free(&text);
	return ok;
}

/* --- submits ------------------------------------------------------------------------------------------------------ */

static void into_payload(struct smpp_pdu *pdu)
{
	struct view text = pdu->field[SMPP_F_short_message].text;
	if (pdu->command == SMPP_data_sm && text.n)
		smpp_pdu_add_tlv(pdu, SMPP_TAG_message_payload, text);
}

static bool write_part(struct submits *s, const struct claimed *m, unsigned part, struct smpp_pdu *pdu)
{
	const struct dispatch_carrier *carrier = m->link->carrier;
	bool centre = link_carrier_is_centre(m->link->link);
	bool data = carrier->data_sm && link_carrier_has_tlvs(m->link->link);
	smpp_pdu_init(pdu, data ? SMPP_data_sm : centre ? SMPP_deliver_sm : SMPP_submit_sm, 0);
	address(carrier, m, pdu);
	smpp_pdu_set_number(pdu, SMPP_F_data_coding, s->data_coding);
	if (!smpp_split_write(&s->split, part, &s->octets, pdu))
		return false;
	into_payload(pdu);
	if (!centre)
		add_carrier_wishes(carrier, pdu);
	if (carrier->user_message_reference)
		add_reference(s, m, pdu);
	return true;
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
	flow_refund(s->d->flow, m->sender, now_us, m->segments);
	outcomes_add(s->d->outcomes, &o);
}

static struct flight flight_of(struct submits *s, const struct claimed *m, unsigned part, int64_t now_us)
{
	unsigned segments = s->split.parts == 1 ? s->split.segments : 1;
	struct flight flight = {.practice_id = m->practice_id,
	                        .id = m->id,
	                        .link = m->link->link,
	                        .carrier = m->link->carrier->name,
	                        .attempts = m->facts.attempts,
	                        .refusals = m->refusals,
	                        .segments = segments,
	                        .part = part + 1,
	                        .parts = s->split.parts,
	                        .sent_us = now_us};
	copy_str(flight.sender, sizeof(flight.sender), m->sender);
	return flight;
}

/* A part that did not get out, behind one that did: the message is not whole, and is not sent again. */
static void part_lost(struct submits *s, const struct flight *f, int64_t now_us)
{
	struct outcome o = {.practice_id = f->practice_id,
	                    .id = f->id,
	                    .status = "failed",
	                    .reason = REASON_link_lost,
	                    .type = "message.failed",
	                    .carrier = f->carrier,
	                    .at_us = now_us,
	                    .part = f->part,
	                    .parts = f->parts};
	flow_refund(s->d->flow, f->sender, f->sent_us, f->segments);
	outcomes_add(s->d->outcomes, &o);
}

static bool keep_rest(struct submits *s, const struct claimed *m, int64_t until_us, uint64_t ref,
                      const struct smpp_pdu *pdu)
{
	struct smpp_fault fault;
	if (s->rests == RESTS_MAX)
		return false;
	struct rest *r = &s->rest[s->rests];
	*r = (struct rest){m->link->link, m->link->carrier,    link_carrier_generation(m->link->link), until_us,
	                   ref,           BUF(LIMIT_PDU_BYTES)};
	if (!smpp_pdu_encode(pdu, &r->octets, &fault)) {
		buf_free(&r->octets);
		return false;
	}
	s->rests++;
	return true;
}

static bool has_rest(const struct submits *s, const struct carrier_link *link)
{
	for (unsigned i = 0; i < s->rests; i++)
		if (s->rest[i].link == link)
			return true;
	return false;
}

/* Behind parts that wait, a part waits too: they go in their order. */
static bool put_part(struct submits *s, const struct claimed *m, uint64_t ref, const struct flight *f,
                     struct smpp_pdu *pdu)
{
	const char *why;
	struct carrier_link *link = m->link->link;
	int64_t until_us = useful_until_us(m, s->wire_us);
	if (f->part > 1 && (has_rest(s, link) || link_carrier_window(link) == 0))
		return keep_rest(s, m, until_us, ref, pdu);
	if (!link_carrier_is_centre(link))
		set_validity(s, m->link->carrier, until_us, pdu);
	return link_carrier_submit(link, ref, pdu, f->segments, &why);
}

static bool submit_part(struct submits *s, const struct claimed *m, unsigned part, int64_t now_us)
{
	struct smpp_pdu pdu;
	struct flight flight = flight_of(s, m, part, now_us);
	uint64_t ref = flights_add(s->d->flights, &flight);
	if (ref && write_part(s, m, part, &pdu) && put_part(s, m, ref, &flight, &pdu))
		return true;
	flights_remove(s->d->flights, ref);
	if (part)
		part_lost(s, &flight, now_us);
	return false;
}

/* The commit, or a lock before it, took so long that it may not go any more: it is judged again. */
static bool too_late(struct submits *s, const struct claimed *m, int64_t now_us)
{
	int64_t until_us = useful_until_us(m, s->wire_us);
	bool expires = until_us >= m->facts.expires_at_us;
	if (until_us - s->wire_us >= SECOND_US)
		return false;
	not_sent(s, m, expires ? REASON_expires_before_allowed : REASON_quiet_hours, "held", now_us, s->wire_us);
	return true;
}

static bool send_rest(struct submits *s, struct rest *r, const struct flight *f)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	const char *why;
	if (link_carrier_generation(r->link) != r->generation || !link_carrier_transmits(r->link) ||
	    r->until_us - s->wire_us < SECOND_US || !smpp_pdu_decode(buf_view(&r->octets), &pdu, &fault))
		return false;
	if (!link_carrier_is_centre(r->link))
		set_validity(s, r->carrier, r->until_us, &pdu);
	return link_carrier_submit(r->link, r->ref, &pdu, f->segments, &why);
}

static bool rest_waits(const struct rest *r)
{
	return link_carrier_generation(r->link) == r->generation && link_carrier_transmits(r->link) &&
	       link_carrier_window(r->link) == 0;
}

void submits_turn(struct submits *s)
{
	unsigned left = 0, was = s->rests;
	s->wire_us = was ? dispatch_now_us(s->d) : s->wire_us;
	for (unsigned i = 0; i < was; i++) {
		struct rest *r = &s->rest[i];
		if (rest_waits(r)) {
			s->rest[left++] = *r;
			continue;
		}
		struct flight flight = *flights_get(s->d->flights, r->ref);
		if (!send_rest(s, r, &flight)) {
			flights_remove(s->d->flights, r->ref);
			part_lost(s, &flight, s->wire_us);
		}
		buf_free(&r->octets);
	}
	s->rests = left;
	if (left < was)
		submits_flush(s);
}

void submits_one(struct submits *s, const struct claimed *m, int64_t now_us)
{
	s->wire_us = dispatch_now_us(s->d);
	if (m->withdrawn) {
		not_sent(s, m, REASON_canceled_by_opt_out, "canceled", now_us, 0);
		return;
	}
	if (m->recheck) {
		not_sent(s, m, REASON_facts_changed, "held", now_us, now_us);
		return;
	}
	if (too_late(s, m, now_us))
		return;
	if (!encode_text(s, m)) {
		not_sent(s, m, REASON_carrier_alphabet, "failed", now_us, 0);
		return;
	}
	if (!submit_part(s, m, 0, now_us)) {
		not_sent(s, m, REASON_link_lost, "held", now_us, now_us);
		return;
	}
	if (m->first_try)
		metric_observe(METRIC_accept_to_wire_seconds, (double)(dispatch_now_us(s->d) - m->created_us) / 1e6,
		               NO_LABELS);
	for (unsigned part = 1; part < s->split.parts; part++)
		submit_part(s, m, part, now_us);
}

/* --- one text for many -------------------------------------------------------------------------------------------- */

bool submits_alike(const struct claimed *a, const struct claimed *b, int64_t now_us)
{
	const struct dispatch_carrier *c = a->link->carrier;
	return c->submit_multi && !c->data_sm && !c->user_message_reference && a->link == b->link && !a->withdrawn &&
	       !b->withdrawn && !a->recheck && !b->recheck && a->segments == 1 && b->segments == 1 &&
	       a->ucs2 == b->ucs2 && strcmp(a->sender, b->sender) == 0 && view_eq(a->body, b->body) &&
	       strcmp(a->phone, b->phone) != 0 && useful_until_us(a, now_us) == useful_until_us(b, now_us);
}

static void add_destination(const struct dispatch_carrier *carrier, const struct claimed *m, struct buf *to)
{
	buf_add_u8(to, 1); /* dest_flag: an SME address */
	buf_add_u8(to, carrier->dest_ton);
	buf_add_u8(to, carrier->dest_npi);
	buf_add_str(to, m->phone + (m->phone[0] == '+'));
	buf_add_u8(to, 0);
}

/* A flight for each, chained from the first, whose ref the answer brings; 0 when not all get one. */
static uint64_t fly_together(struct submits *s, struct claimed *const *m, unsigned count, int64_t now_us)
{
	uint64_t next = 0;
	for (unsigned i = count; i-- > 0;) {
		struct flight flight = flight_of(s, m[i], 0, now_us);
		copy_str(flight.phone, sizeof(flight.phone), m[i]->phone);
		flight.also = next;
		uint64_t ref = flights_add(s->d->flights, &flight);
		if (!ref) {
			flights_remove_chain(s->d->flights, next);
			return 0;
		}
		next = ref;
	}
	return next;
}

static bool submit_together(struct submits *s, struct claimed *const *m, unsigned count, int64_t now_us)
{
	struct smpp_pdu pdu;
	const char *why;
	if (useful_until_us(m[0], s->wire_us) - s->wire_us < SECOND_US || !encode_text(s, m[0]) ||
	    s->split.segments != 1)
		return false; /* each by itself, which tells why not */
	smpp_pdu_init(&pdu, SMPP_submit_multi, 0);
	address(m[0]->link->carrier, m[0], &pdu);
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, s->data_coding);
	if (!smpp_split_write(&s->split, 0, &s->octets, &pdu))
		return false;
	add_carrier_wishes(m[0]->link->carrier, &pdu);
	set_validity(s, m[0]->link->carrier, useful_until_us(m[0], s->wire_us), &pdu);
	buf_clear(&s->destinations);
	for (unsigned i = 0; i < count; i++)
		add_destination(m[0]->link->carrier, m[i], &s->destinations);
	smpp_pdu_set_text(&pdu, SMPP_F_dest_address, buf_view(&s->destinations));
	uint64_t ref = fly_together(s, m, count, now_us);
	if (ref && link_carrier_submit(m[0]->link->link, ref, &pdu, count, &why))
		return true;
	flights_remove_chain(s->d->flights, ref);
	return false;
}

void submits_many(struct submits *s, struct claimed *const *m, unsigned count, int64_t now_us)
{
	s->wire_us = dispatch_now_us(s->d);
	bool together = count > 1 && submit_together(s, m, count, now_us);
	for (unsigned i = 0; i < count && !together; i++)
		submits_one(s, m[i], now_us);
}

void submits_flush(struct submits *s)
{
	for (unsigned i = 0; i < s->d->links; i++)
		link_carrier_flush(s->d->link[i].link);
}

void submits_free(struct submits *s)
{
	for (unsigned i = 0; i < s->rests; i++)
		buf_free(&s->rest[i].octets);
	buf_free(&s->text);
	buf_free(&s->destinations);
	free(s);
}
