/* Drives one session by a run of octets, each a decision, and checks what must hold whatever is decided: every submit
 * comes back exactly once (a late answer may follow its timeout, once), CLOSE comes once and only submits handed back
 * come behind it, the window is kept, the deadline does not lie in the past after a tick. For the property test and the
 * fuzz target. */
#ifndef SMPP_DRIVE_H
#define SMPP_DRIVE_H

#include "base_check.h"
#include "smpp_session.h"
#include "smpp_status.h"

#define DRIVE_REFS 4096
#define DRIVE_OPEN 64

struct drive {
	struct smpp_session *s;
	struct cursor choices;
	unsigned window;
	bool esme;
	int64_t now_ms;
	uint8_t fate[DRIVE_REFS]; /* 'o' open, 't' timed out, 'd' done */
	unsigned refs;
	unsigned open;
	bool closed; /* CLOSE was told */
	enum smpp_command asked[DRIVE_OPEN];
	uint32_t asked_sequence[DRIVE_OPEN];
	unsigned asks;
	enum smpp_command sent[DRIVE_OPEN]; /* what it asked the peer, the last ones */
	uint32_t sent_sequence[DRIVE_OPEN];
	unsigned sents;
	unsigned answers;
	unsigned timeouts;
	unsigned lates;
};

static void drive_fate(struct drive *d, const struct smpp_event *e, uint8_t from, uint8_t to)
{
	check(e->ref < d->refs && d->fate[e->ref] == from);
	d->fate[e->ref] = to;
	d->open -= from == 'o';
}

static void drive_ask(struct drive *d, const struct smpp_event *e)
{
	check(e->pdu && e->pdu->command == e->command && e->pdu->sequence_number == e->sequence);
	if (d->asks < DRIVE_OPEN) {
		d->asked[d->asks] = e->command;
		d->asked_sequence[d->asks++] = e->sequence;
	}
}

static void drive_event(struct drive *d, const struct smpp_event *e)
{
	check(!d->closed || e->kind == SMPP_EVENT_UNSENT || e->kind == SMPP_EVENT_UNANSWERED);
	switch (e->kind) {
	case SMPP_EVENT_ANSWER:
		check(e->took_ms >= 0 && (e->command != SMPP_generic_nack || e->status != ESME_ROK));
		drive_fate(d, e, 'o', 'd');
		d->answers++;
		break;
	case SMPP_EVENT_TIMEOUT:
		drive_fate(d, e, 'o', 't');
		d->timeouts++;
		break;
	case SMPP_EVENT_LATE:
		drive_fate(d, e, 't', 'd');
		d->lates++;
		break;
	case SMPP_EVENT_UNSENT:
	case SMPP_EVENT_UNANSWERED:
		check(smpp_session_state(d->s) == SMPP_SESSION_CLOSED);
		drive_fate(d, e, 'o', 'd');
		break;
	case SMPP_EVENT_DELIVER:
		drive_ask(d, e);
		break;
	case SMPP_EVENT_FAULT:
		check(e->reason && e->fault.sentence && e->fault.field);
		break;
	case SMPP_EVENT_CLOSE:
		check(e->reason);
		d->closed = true;
		break;
	default:
		break;
	}
}

static void drive_pull(struct drive *d)
{
	struct smpp_event e;
	while (smpp_session_next(d->s, &e))
		drive_event(d, &e);
	check(smpp_session_in_flight(d->s) == d->open && d->open <= d->window);
	check(smpp_session_slots(d->s) + d->open <= d->window);
}

static void drive_feed_pdu(struct drive *d, enum smpp_command command, uint32_t sequence, uint32_t status)
{
	struct buf b = BUF(LIMIT_PDU_BYTES);
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, command, sequence);
	pdu.command_status = status;
	pdu.has_body = status == 0;
	check(smpp_pdu_encode(&pdu, &b, &fault));
	size_t cut = cursor_u8(&d->choices) % b.n;
	smpp_session_feed(d->s, view_of(b.p, cut), d->now_ms);
	drive_pull(d);
	smpp_session_feed(d->s, view_of(b.p + cut, b.n - cut), d->now_ms);
	buf_free(&b);
}

/* Reads what it wrote: every PDU must decode, and requests are kept to be answered. */
static void drive_take(struct drive *d)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct view out = smpp_session_output(d->s);
	while (out.n) {
		uint32_t n = smpp_frame_length(out);
		check(n >= 16 && n <= out.n && smpp_pdu_decode(view_of(out.p, n), &pdu, &fault));
		out = view_of(out.p + n, out.n - n);
		if (smpp_command_answer(pdu.command) == SMPP_UNKNOWN)
			continue;
		d->sent[d->sents % DRIVE_OPEN] = pdu.command;
		d->sent_sequence[d->sents++ % DRIVE_OPEN] = pdu.sequence_number;
	}
	smpp_session_taken(d->s, d->now_ms);
}

/* The peer answers one of the last requests, perhaps again, perhaps too late. */
static void drive_feed_answer(struct drive *d)
{
	uint32_t back = cursor_u8(&d->choices) % 20;
	uint32_t status = cursor_u8(&d->choices) % 16 == 0 ? ESME_RSYSERR : ESME_ROK;
	if (back >= d->sents)
		return;
	unsigned i = (d->sents - 1 - back) % DRIVE_OPEN;
	bool nack = cursor_u8(&d->choices) % 16 == 0;
	drive_feed_pdu(d, nack ? SMPP_generic_nack : smpp_command_answer(d->sent[i]), d->sent_sequence[i], status);
}

static void drive_submit(struct drive *d)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	unsigned slots = smpp_session_slots(d->s);
	bool other = cursor_u8(&d->choices) % 16 == 0;
	smpp_pdu_init(&pdu, d->esme != other ? SMPP_submit_sm : SMPP_deliver_sm, 0);
	if (d->refs == DRIVE_REFS || !smpp_session_submit(d->s, d->refs, &pdu, d->now_ms, &fault))
		return;
	check(slots > 0 && pdu.sequence_number >= 1 && pdu.sequence_number <= 0x7fffffff);
	d->fate[d->refs++] = 'o';
	d->open++;
}

static void drive_answer(struct drive *d)
{
	if (d->asks == 0)
		return;
	d->asks--;
	smpp_session_answer(d->s, d->asked[d->asks], d->asked_sequence[d->asks], cursor_u8(&d->choices) % 3,
	                    VIEW("id"));
}

static void drive_reopen(struct drive *d)
{
	smpp_session_closed(d->s);
	drive_pull(d);
	check(d->open == 0);
	d->closed = false;
	d->asks = 0;
	smpp_session_open(d->s, d->now_ms);
}

static void drive_tick(struct drive *d)
{
	d->now_ms += (int64_t)cursor_u8(&d->choices) * 4;
	smpp_session_tick(d->s, d->now_ms);
	drive_pull(d);
	check(d->closed || smpp_session_deadline_ms(d->s) > d->now_ms);
}

static void drive_peer(struct drive *d, uint8_t op, uint8_t more)
{
	static const enum smpp_command likely[] = {
	        SMPP_bind_transceiver,
	        SMPP_bind_transceiver,
	        SMPP_deliver_sm,
	        SMPP_submit_sm,
	};
	if (op < 2)
		smpp_session_feed(d->s, cursor_take(&d->choices, more), d->now_ms);
	else if (op < 12)
		drive_feed_pdu(d, (enum smpp_command)(more % SMPP_COMMAND_COUNT), cursor_u8(&d->choices) % 32,
		               cursor_u8(&d->choices) % 4);
	else if (op < 40)
		drive_feed_pdu(d, likely[more % 4], cursor_u8(&d->choices), 0);
	else
		drive_feed_answer(d);
}

static void drive_step(struct drive *d)
{
	uint8_t op = cursor_u8(&d->choices);
	uint8_t more = cursor_u8(&d->choices);
	if (op == 255 || (d->closed && op > 128))
		drive_reopen(d);
	else if (op < 120)
		drive_peer(d, op, more);
	else if (op < 130)
		drive_tick(d);
	else if (op < 190)
		drive_submit(d);
	else if (op < 225)
		drive_take(d);
	else if (op < 235)
		drive_answer(d);
	else if (op < 253)
		smpp_session_bind_accept(d->s, "centre", d->now_ms);
	else if (op == 253)
		smpp_session_bind_refuse(d->s, ESME_RBINDFAIL);
	else
		smpp_session_unbind(d->s, d->now_ms);
	drive_pull(d);
}

/* Runs all decisions, then closes and checks that nothing is left open. */
static void drive_run(struct drive *d, struct view choices)
{
	*d = (struct drive){.choices = cursor_over(choices), .now_ms = 1000};
	d->window = 1 + cursor_u8(&d->choices) % 16;
	d->esme = cursor_u8(&d->choices) % 2;
	struct smpp_session_config config = {
	        .role = d->esme ? SMPP_ESME : SMPP_MC,
	        .bind_kind = SMPP_BIND_TRX,
	        .system_id = "clinic01",
	        .window = d->window,
	        .interface_version = 0x34,
	        .bind_ms = 2000,
	        .answer_ms = 500,
	        .enquire_ms = 700,
	        .unbind_ms = 900,
	};
	d->s = smpp_session_new(&config);
	smpp_session_open(d->s, d->now_ms);
	while (cursor_left(&d->choices))
		drive_step(d);
	smpp_session_closed(d->s);
	drive_pull(d);
	check(d->open == 0);
	smpp_session_free(d->s);
}

#endif
