/* What a carrier's own code (proto/vendor_code.def) makes of its message, and what it does for others: an opt-out, a
 * flagged phone, stopped words, a held sender. The act is part of the transaction that applied the receipt or answer;
 * an opt-out and a flag are written under the recipient's lock, as a STOP is. Locks come after rows and in ascending
 * order, as in a claim, so that nobody waits in a ring. */
#include "dispatch_outcome.h"

#include <stdlib.h>
#include <string.h>

/* AT&T counts a campaign's texts by the minute; within one nothing more of the sender goes. */
#define RATE_HOLD_US MINUTE_US
#define CARRIER_DAY_ZONE "America/Los_Angeles" /* T-Mobile's day */

enum part_of_word {
	ENDS,    /* the message will not go */
	RETURNS, /* it is held and goes later: the phone cannot have it */
	UNCLEAR, /* the phone may have it */
};

static const enum part_of_word effects[WORD_COUNT] = {
        [WORD_daily_cap] = RETURNS,
        [WORD_rate] = RETURNS,
        [WORD_unknown] = UNCLEAR,
};

static int64_t until_us(struct dispatch *d, enum carrier_word word, int64_t from_us)
{
	if (word == WORD_rate)
		return from_us + RATE_HOLD_US;
	return policy_carrier_day_end_us(dispatch_zone(d, CARRIER_DAY_ZONE), from_us);
}

void outcomes_word(struct dispatch *d, struct outcome *o, enum carrier_word word)
{
	o->word = word;
	o->reason = policy_word_reason(word);
	o->refund = effects[word] != UNCLEAR;
	switch (effects[word]) {
	case ENDS:
		o->status = "failed";
		o->type = "message.failed";
		return;
	case RETURNS:
		o->status = "held";
		o->type = "message.requeued";
		o->due_us = until_us(d, word, o->at_us);
		return;
	case UNCLEAR:
		o->status = "uncertain";
		o->type = "message.uncertain";
		o->reason = REASON_receipt_unknown;
		return;
	}
}

/* Only a state that says that the phone did not get it lets the message go again. */
static bool says_refused(enum smpp_message_state s)
{
	return s == SMPP_STATE_UNDELIVERABLE || s == SMPP_STATE_REJECTED || s == SMPP_STATE_SKIPPED;
}

void word_of_receipt(struct outcomes *o, struct item_receipt *r)
{
	const char *profile = r->carrier && r->carrier->error_codes ? r->carrier->error_codes : "";
	if (!smpp_message_state_final(r->state) || r->state == SMPP_STATE_DELIVERED)
		return; /* the state decides, the error is detail (trap 34) */
	r->word = policy_vendor_code(profile, r->error);
	if (r->word == WORD_none)
		return;
	r->until_us = until_us(o->d, r->word, r->received_us);
	if (effects[r->word] == UNCLEAR) {
		r->status = "unconfirmed";
		r->type = "message.unconfirmed";
		r->reason = REASON_receipt_unknown;
	} else if (effects[r->word] == ENDS && r->state != SMPP_STATE_UNKNOWN) {
		r->reason = policy_word_reason(r->word);
	} else if (effects[r->word] == RETURNS && says_refused(r->state)) {
		r->status = "held";
		r->type = "message.requeued";
		r->reason = policy_word_reason(r->word);
	}
}

void word_of_part(struct item_receipt *r)
{
	if (strcmp(r->status, "held") != 0)
		return;
	r->status = "undelivered";
	r->type = "message.undelivered";
}

static enum carrier_word item_word(const struct item *it)
{
	return it->kind == ITEM_OUTCOME ? it->outcome.word : it->receipt.word;
}

bool item_has_word(const struct item *it)
{
	enum carrier_word word = item_word(it);
	return word != WORD_none && word != WORD_unknown;
}

void subject_read(struct subject *s, const struct store_rows *rows, unsigned row, unsigned column)
{
	s->known = true;
	s->practice_id = store_rows_uuid(rows, row, column);
	s->message_id = store_rows_uuid(rows, row, column + 1);
	copy_view(s->phone, sizeof(s->phone), store_rows_text(rows, row, column + 2));
	copy_view(s->sender, sizeof(s->sender), store_rows_text(rows, row, column + 3));
	s->content_key = policy_content_key(store_rows_text(rows, row, column + 4));
	s->submitted_us = store_rows_null(rows, row, column + 5) ? 0 : store_rows_int(rows, row, column + 5);
}

/* --- the act ------------------------------------------------------------------------------------------------------ */

static const char *item_carrier(const struct item *it)
{
	return it->kind == ITEM_OUTCOME ? it->outcome.carrier : it->receipt.carrier->name;
}

static const char *item_code(const struct item *it)
{
	return it->kind == ITEM_OUTCOME ? it->outcome.command_status : it->receipt.error;
}

static void add_time_or_null(struct store_params *ps, unsigned i, int64_t at_us)
{
	if (at_us)
		store_add_time(ps, i, at_us);
	else
		store_add_null(ps, i);
}

static void add_word_row(struct outcomes *o, const struct item *it)
{
	struct store_params *ps = &o->rows[STATEMENT_WORDS].params;
	const struct subject *s = &it->subject;
	enum carrier_word word = item_word(it);
	struct uuid id = dispatch_id(o->d);
	int64_t held_us = it->kind == ITEM_OUTCOME ? it->outcome.due_us : it->receipt.until_us;
	store_add_uuid(ps, 1, &id);
	store_add_uuid(ps, 2, &s->practice_id);
	store_add_uuid(ps, 3, &s->message_id);
	store_add_str(ps, 4, s->phone);
	store_add_str(ps, 5, s->sender);
	store_add_str(ps, 6, item_carrier(it));
	store_add_str(ps, 7, policy_word_name(word));
	store_add_str(ps, 8, item_code(it));
	store_add_int(ps, 9, (int64_t)s->content_key);
	add_time_or_null(ps, 10, effects[word] == RETURNS ? held_us : 0);
	add_time_or_null(ps, 11, s->submitted_us);
}

static bool stops_recipient(enum carrier_word word)
{
	return word == WORD_opted_out || word == WORD_dead_number || word == WORD_blocked_pair;
}

static void add_lock_keys(struct outcomes *o)
{
	const struct item_rows *rows = &o->rows[STATEMENT_WORDS];
	int64_t keys[2 * LIMIT_OUTCOME_BATCH];
	unsigned n = 0;
	for (unsigned i = 0; i < rows->count; i++) {
		const struct subject *s = &rows->item[i]->subject;
		if (stops_recipient(item_word(rows->item[i])))
			keys[n++] = claimer_lock_key(&s->practice_id, 'p', view_str(s->phone));
	}
	claimer_lock_params(&o->lock, keys, n);
}

static void withdraw(struct outcomes *o)
{
	const struct item_rows *rows = &o->rows[STATEMENT_WORDS];
	for (unsigned i = 0; i < rows->count; i++)
		if (item_word(rows->item[i]) == WORD_opted_out)
			claimer_withdraw(o->d->claimer, &rows->item[i]->subject.practice_id,
			                 view_str(rows->item[i]->subject.phone));
}

/* What is new is told once: to the operator here, to the practice by its event. */
static void alarm(const struct item *it)
{
	enum carrier_word word = item_word(it);
	char practice[UUID_TEXT_BYTES];
	metric_add(METRIC_carrier_words_total, 1, LABELS(item_carrier(it), policy_word_name(word)));
	if (word == WORD_opted_out)
		metric_add(METRIC_optouts_total, 1, LABELS("carrier"));
	if (word == WORD_spam || word == WORD_registration)
		log_event(LOG_ERROR, word == WORD_spam ? "carrier_stops_content" : "carrier_stops_sender",
		          LOG_TEXT(carrier, item_carrier(it)),
		          LOG_TEXT(practice, uuid_format(&it->subject.practice_id, practice)),
		          LOG_TEXT(reason, policy_word_sentence(word)), LOG_TEXT(status, item_code(it)));
}

static void words_cb(void *ctx, const struct store_rows *rows)
{
	const struct outcomes *o = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++)
		rows_item(&o->rows[STATEMENT_WORDS], store_rows_int(rows, i, 0))->subject.changed = true;
}

unsigned words_steps(struct outcomes *o, struct store_step *steps)
{
	static const enum store_type types[] = {STORE_UUID, STORE_UUID, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TEXT, STORE_TEXT, STORE_INT8, STORE_TIME, STORE_TIME};
	struct item_rows *rows = &o->rows[STATEMENT_WORDS];
	rows->count = 0;
	store_params_clear(&rows->params);
	store_value_time(&rows->params, dispatch_now_us(o->d));
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&rows->params, types[i]);
	for (unsigned i = 0; i < o->batch_count; i++)
		if (o->batch[i]->subject.known) {
			rows->item[rows->count++] = o->batch[i];
			add_word_row(o, o->batch[i]);
		}
	unsigned n = 0;
	if (rows->count) {
		add_lock_keys(o);
		withdraw(o); /* from here on nothing claimed for these phones is handed to a link */
		steps[n++] = (struct store_step){"claim_lock", &o->lock, NULL};
		steps[n++] = (struct store_step){"carrier_word", &rows->params, words_cb};
	}
	steps[n++] = (struct store_step){"COMMIT", NULL, NULL};
	return n;
}

void words_done(struct outcomes *o)
{
	struct item_rows *rows = &o->rows[STATEMENT_WORDS];
	withdraw(o); /* once more, for what was claimed while we waited for the locks */
	for (unsigned i = 0; i < rows->count; i++)
		if (rows->item[i]->subject.changed)
			alarm(rows->item[i]);
	rows->count = 0;
	claimer_wake(o->d->claimer);
}
