/* Questions to carriers about messages that they have: query_sm for a state that no receipt brought, cancel_sm to get
 * one back, replace_sm to change its text. A question is a row of smsbridge.ask, so that a restart loses none; any
 * gateway may put it. It takes a slot of the window like a submit. An answer that never comes costs nothing: the row is
 * due again later. query_sm and the others name a message by the carrier's id (3.4 4.8.1): a submit whose answer never
 * came has none, and is only asked for once a receipt has brought one. */
#include "dispatch_internal.h"

#include "smpp_status.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000
#define ASKS_MAX 32 /* put at a time */

enum ask_kind { ASK_NONE, ASK_QUERY, ASK_CANCEL, ASK_REPLACE };

static const struct {
	const char *name;
	enum smpp_command command;
} kinds[] = {
        [ASK_QUERY] = {"query", SMPP_query_sm},
        [ASK_CANCEL] = {"cancel", SMPP_cancel_sm},
        [ASK_REPLACE] = {"replace", SMPP_replace_sm},
};

struct over {
	struct uuid practice_id;
	struct uuid message_id;
	enum ask_kind kind;
	bool done;
	char command_status[SMPP_STATUS_TEXT];
};

struct asks {
	struct dispatch *d;
	struct net_timer *timer;
	struct store_params set, due, over_params, alert;
	struct over over[LIMIT_ASK_ANSWERS];
	unsigned overs;
	struct buf text;
	bool carriers_set;
	bool looking;
	bool writing;
	bool wanted;
};

static void look_cb(void *ctx)
{
	struct asks *a = ctx;
	a->wanted = true;
	net_timer_start(a->timer, LOOK_MS);
}

struct asks *asks_new(struct dispatch *d)
{
	struct asks *a = mem_alloc(sizeof(*a));
	a->d = d;
	a->text = BUF(LIMIT_BODY_BYTES * 2);
	a->timer = net_timer_new(d->config.loop, look_cb, a);
	net_timer_start(a->timer, LOOK_MS);
	return a;
}

/* --- what carriers take ------------------------------------------------------------------------------------------- */

static void set_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	(void)sqlstate;
	a->writing = a->wanted = false;
	a->carriers_set = result == STORE_OK;
}

static void set_carriers(struct asks *a)
{
	static const enum store_type types[] = {STORE_TEXT, STORE_BOOL, STORE_INT8, STORE_BOOL, STORE_BOOL};
	struct store_params *ps = &a->set;
	store_params_clear(ps);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(ps, types[i]);
	for (unsigned i = 0; i < a->d->config.carrier_count; i++) {
		const struct dispatch_carrier *c = &a->d->carriers[i];
		store_add_str(ps, 0, c->name);
		store_add_int(ps, 1, c->query);
		store_add_int(ps, 2, c->query_after_ms / 1000);
		store_add_int(ps, 3, c->cancel);
		store_add_int(ps, 4, c->replace);
	}
	store_value_time(ps, dispatch_now_us(a->d));
	struct store_step step = {"carriers_set", ps, NULL};
	a->writing = true;
	store_lane_run(a->d->house_lane, &step, 1, set_cb, a);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* What finds no room is asked again. */
static void add_over(struct asks *a, const struct uuid *practice, const struct uuid *message, enum ask_kind kind,
                     bool done, const char *status)
{
	if (a->overs == LIMIT_ASK_ANSWERS)
		return;
	struct over *o = &a->over[a->overs++];
	*o = (struct over){*practice, *message, kind, done, ""};
	copy_str(o->command_status, sizeof(o->command_status), status);
}

static struct link_slot *free_link(struct dispatch *d, struct view carrier)
{
	for (unsigned i = 0; i < d->links; i++)
		if (view_eq(view_str(d->link[i].carrier->name), carrier) && link_carrier_slots(d->link[i].link))
			return &d->link[i];
	return NULL;
}

static enum ask_kind kind_of(struct view name)
{
	for (enum ask_kind k = ASK_QUERY; k <= ASK_REPLACE; k++)
		if (view_eq(view_str(kinds[k].name), name))
			return k;
	return ASK_NONE;
}

static struct view digits(struct view number)
{
	bool plus = number.n && number.p[0] == '+';
	return view_of(number.p + plus, number.n - plus);
}

static bool write_ask(struct asks *a, enum ask_kind kind, const struct dispatch_carrier *c,
                      const struct store_rows *rows, unsigned i, struct smpp_pdu *pdu)
{
	smpp_pdu_init(pdu, kinds[kind].command, 0);
	smpp_pdu_set_text(pdu, SMPP_F_message_id, store_rows_text(rows, i, 4));
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, c->source_ton);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, c->source_npi);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, digits(store_rows_text(rows, i, 5)));
	if (kind == ASK_CANCEL) {
		smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, c->dest_ton);
		smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, c->dest_npi);
		smpp_pdu_set_text(pdu, SMPP_F_destination_addr, digits(store_rows_text(rows, i, 6)));
	}
	if (kind != ASK_REPLACE)
		return true;
	/* replace_sm has no data_coding: the text goes in what the submit's was. One that went as Latin-1 because the
	 * carrier's alphabet lacks a character cannot be told from others here: its replacement must do without. */
	bool ucs2 = view_eq(store_rows_text(rows, i, 8), VIEW("ucs2"));
	uint32_t stranger;
	buf_clear(&a->text);
	smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
	bool ok = ucs2 ? text_ucs2_encode(store_rows_text(rows, i, 7), &a->text)
	               : text_encode(c->alphabet, store_rows_text(rows, i, 7), &a->text, &stranger);
	smpp_pdu_set_text(pdu, SMPP_F_short_message, buf_view(&a->text));
	return ok;
}

static void put_ask(struct asks *a, const struct store_rows *rows, unsigned i)
{
	struct link_slot *slot = free_link(a->d, store_rows_text(rows, i, 3));
	enum ask_kind kind = kind_of(store_rows_text(rows, i, 2));
	struct smpp_pdu pdu;
	const char *why;
	struct uuid practice = store_rows_uuid(rows, i, 0);
	struct uuid message = store_rows_uuid(rows, i, 1);
	if (!slot || kind == ASK_NONE)
		return; /* it is due again in a while */
	if (!write_ask(a, kind, slot->carrier, rows, i, &pdu)) {
		add_over(a, &practice, &message, kind, false, "carrier_alphabet");
		return;
	}
	struct flight flight = {.practice_id = practice,
	                        .id = message,
	                        .link = slot->link,
	                        .carrier = slot->carrier->name,
	                        .ask = (uint8_t)kind};
	uint64_t ref = flights_add(a->d->flights, &flight);
	if (!ref || !link_carrier_submit(slot->link, ref, &pdu, 0, &why))
		flights_remove(a->d->flights, ref);
	link_carrier_flush(slot->link);
}

static void due_cb(void *ctx, const struct store_rows *rows)
{
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		put_ask(ctx, rows, i);
}

static void looked_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	(void)result;
	(void)sqlstate;
	((struct asks *)ctx)->looking = false;
}

static void look(struct asks *a)
{
	struct dispatch *d = a->d;
	unsigned carriers = 0;
	store_params_clear(&a->due);
	store_value_time(&a->due, dispatch_now_us(d));
	unsigned names = store_array(&a->due, STORE_TEXT);
	for (unsigned i = 0; i < d->config.carrier_count; i++) {
		const struct dispatch_carrier *c = &d->carriers[i];
		if ((c->query || c->cancel || c->replace) && free_link(d, view_str(c->name))) {
			store_add_str(&a->due, names, c->name);
			carriers++;
		}
	}
	store_value_int(&a->due, STORE_INT4, ASKS_MAX);
	a->wanted = false;
	if (carriers == 0)
		return;
	struct store_step step = {"ask_due", &a->due, due_cb};
	a->looking = true;
	store_lane_run(d->house_lane, &step, 1, looked_cb, a);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* What the carrier does not know, or will not do, will not be otherwise later; all else is asked again. */
static bool is_final(enum ask_kind kind, uint32_t status)
{
	return status == ESME_ROK || status == ESME_RINVMSGID ||
	       (kind == ASK_CANCEL ? status == ESME_RCANCELFAIL : kind == ASK_REPLACE && status == ESME_RREPLACEFAIL);
}

void asks_answered(struct asks *a, const struct flight *f, const struct link_answer *answer)
{
	enum ask_kind kind = (enum ask_kind)f->ask;
	bool ok = answer->status == ESME_ROK && answer->command == smpp_command_answer(kinds[kind].command);
	metric_add(METRIC_asks_total, 1, LABELS(f->carrier, kinds[kind].name, ok ? "done" : "refused"));
	if (kind == ASK_QUERY && ok)
		outcomes_add_state(a->d->outcomes, f, answer->pdu);
	else if (kind != ASK_QUERY && is_final(kind, answer->status)) {
		char status[SMPP_STATUS_TEXT];
		smpp_status_text(answer->status, status, sizeof(status));
		add_over(a, &f->practice_id, &f->id, kind, ok, status);
	}
}

static void over_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	(void)sqlstate;
	a->writing = false;
	if (result == STORE_LOST || result == STORE_DOWN)
		return; /* again in the next turn: twice is as once */
	memmove(a->over, a->over + 1, --a->overs * sizeof(*a->over));
	a->wanted = true;
}

static void write_over(struct asks *a)
{
	const struct over *o = &a->over[0];
	struct store_params *ps = &a->over_params;
	store_params_clear(ps);
	store_value_uuid(ps, &o->practice_id);
	store_value_uuid(ps, &o->message_id);
	store_value_str(ps, kinds[o->kind].name);
	store_value_int(ps, STORE_BOOL, o->done);
	store_value_time(ps, dispatch_now_us(a->d));
	store_value_str(ps, o->command_status);
	struct store_step step = {"ask_over", ps, NULL};
	a->writing = true;
	store_lane_run(a->d->house_lane, &step, 1, over_cb, a);
}

/* --- alerts ------------------------------------------------------------------------------------------------------- */

static void alerted_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct asks *a = ctx;
	(void)result; /* lost: what waits goes at its time */
	(void)sqlstate;
	a->writing = false;
	claimer_wake(a->d->claimer);
}

void asks_alert(struct asks *a, const struct smpp_pdu *pdu)
{
	char phone[24], sender[24];
	dispatch_phone_of(pdu->field[SMPP_F_source_addr].text, phone);
	dispatch_phone_of(pdu->field[SMPP_F_esme_addr].text, sender);
	if (a->writing || !store_lane_up(a->d->house_lane))
		return; /* a hint that is let by: what waits goes at its time */
	store_params_clear(&a->alert);
	store_value_str(&a->alert, phone);
	unsigned senders = store_array(&a->alert, STORE_TEXT);
	store_add_str(&a->alert, senders, sender);
	store_add_str(&a->alert, senders, sender + (sender[0] == '+'));
	store_value_time(&a->alert, dispatch_now_us(a->d));
	struct store_step step = {"alert", &a->alert, NULL};
	a->writing = true;
	store_lane_run(a->d->house_lane, &step, 1, alerted_cb, a);
}

void asks_turn(struct asks *a)
{
	if (!a->d->entered || !store_lane_up(a->d->house_lane) || a->writing)
		return;
	if (!a->carriers_set && a->wanted)
		set_carriers(a);
	else if (a->overs)
		write_over(a);
	else if (a->wanted && !a->looking && !a->d->draining)
		look(a);
}

bool asks_idle(const struct asks *a)
{
	return !a->writing && !a->looking && a->overs == 0;
}

void asks_free(struct asks *a)
{
	net_timer_free(a->timer);
	store_params_free(&a->set);
	store_params_free(&a->due);
	store_params_free(&a->over_params);
	store_params_free(&a->alert);
	buf_free(&a->text);
	free(a);
}
