/* Receipts: read into items, matched to messages in three steps that stop at the first that fits:
 *   receipts       by the likeliest spelling of the id, between the same addresses: nearly every one
 *   receipt_find   by other spellings, as a part or an earlier attempt, by reference or address; then applied by
 *                  receipts or receipts_part, to which the message is now told
 *   receipt_keep   none fits: kept for policy.receipts_keep and tried again by receipt_rematch, since answers come late
 * The carrier is answered after the commit that applied or kept it. */
#include "dispatch_outcome.h"

#include "smpp_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMATCH_NEWEST 1000 /* kept receipts looked at each time */
#define REMATCH_ALL 1000000 /* and every tenth minute */
#define REMATCH_ALL_EVERY 300

/* --- in ----------------------------------------------------------------------------------------------------------- */

static void copy_printable(char *to, size_t cap, struct view from)
{
	copy_view(to, cap, from);
	dispatch_printable(to, ' ');
}

/* The text field of a receipt quotes the message: it is cut off before anything is kept. */
static void copy_raw(char *to, size_t cap, struct view raw)
{
	size_t n = raw.n;
	for (size_t i = 0; i + 5 <= raw.n; i++)
		if (view_eq_nocase(view_of(raw.p + i, 5), VIEW("text:"))) {
			n = i;
			break;
		}
	copy_printable(to, cap, view_trim(view_of(raw.p, n)));
}

/* smsbridge.id_key in C. */
static void id_key(char *id)
{
	size_t zeros = strspn(id, "0");
	for (char *c = id; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	if (zeros && !id[zeros])
		zeros--;
	memmove(id, id + zeros, strlen(id + zeros) + 1);
}

/* The keys of every spelling of the id, blank separated: the one that is learned of the carrier, the id as it came, and
 * the others. */
static void write_candidates(const struct outcomes *o, struct item_receipt *r)
{
	char ids[1 + LIMIT_RECEIPT_CANDIDATES][66];
	char *to = r->candidates;
	unsigned learned = learn_spell(o->learn, r->carrier, view_str(r->id), ids[0]);
	unsigned n = learned + smpp_receipt_candidates(view_str(r->id), ids + learned);
	for (unsigned i = 0; i < n; i++) {
		size_t used = strlen(to);
		bool again = false;
		id_key(ids[i]);
		for (unsigned j = 0; j < i; j++)
			again = again || strcmp(ids[i], ids[j]) == 0;
		if (!again)
			snprintf(to + used, sizeof(r->candidates) - used, "%s%s", used ? " " : "", ids[i]);
	}
}

/* What each final state makes of a message. ACCEPTED, ENROUTE, SCHEDULED and none move nothing (trap 34). */
static const struct {
	const char *status;
	enum reason reason;
	const char *type;
} state_words[] = {
        [SMPP_STATE_DELIVERED] = {"delivered", REASON_none, "message.delivered"},
        [SMPP_STATE_EXPIRED] = {"expired", REASON_receipt_expired, "message.expired"},
        [SMPP_STATE_DELETED] = {"undelivered", REASON_receipt_deleted, "message.undelivered"},
        [SMPP_STATE_UNDELIVERABLE] = {"undelivered", REASON_receipt_failed, "message.undelivered"},
        [SMPP_STATE_UNKNOWN] = {"unconfirmed", REASON_receipt_unknown, "message.unconfirmed"},
        [SMPP_STATE_REJECTED] = {"undelivered", REASON_receipt_rejected, "message.undelivered"},
        [SMPP_STATE_SKIPPED] = {"undelivered", REASON_receipt_failed, "message.undelivered"},
        [SMPP_STATE_NONE] = {NULL, REASON_none, NULL},
};

/* From state, error and carrier: what the receipt makes of its message. */
static void judge(struct outcomes *o, struct item_receipt *r)
{
	r->status = state_words[r->state].status ? state_words[r->state].status : "";
	r->reason = state_words[r->state].reason;
	r->type = *r->status ? state_words[r->state].type : "message.news";
	word_of_receipt(o, r);
	if (r->part >= 0)
		word_of_part(r);
}

void outcomes_odd_receipt(const char *carrier, const char *what)
{
	metric_add(METRIC_receipts_odd_total, 1, LABELS(carrier, what));
}

/* The PDU, to be read again as a text if it is no receipt. False when it cannot be written down. */
static bool copy_pdu(struct item_receipt *r, const struct smpp_pdu *pdu)
{
	struct smpp_fault fault;
	struct buf *copy = mem_alloc(sizeof(*copy));
	*copy = BUF(LIMIT_PDU_BYTES);
	r->doubtful = copy;
	return smpp_pdu_encode(pdu, copy, &fault);
}

void outcomes_add_receipt(struct outcomes *o, const struct delivery *from, const struct smpp_pdu *pdu,
                          const struct smpp_receipt *receipt, bool doubtful)
{
	if (o->waiting >= LIMIT_OUTCOME_QUEUE) {
		dispatch_answer(from, ESME_RX_T_APPN); /* the carrier delivers it again */
		return;
	}
	struct item *it = outcomes_item(o, ITEM_RECEIPT);
	struct item_receipt *r = &it->receipt;
	r->from = *from;
	r->carrier = dispatch_carrier_named(o->d, view_str(link_carrier_name(from->link)));
	dispatch_carrier_id(receipt->id, r->id);
	write_candidates(o, r);
	dispatch_phone_of(pdu->field[SMPP_F_source_addr].text, r->phone);
	dispatch_phone_of(pdu->field[SMPP_F_destination_addr].text, r->sender);
	r->reference = receipt->reference;
	r->state = receipt->state;
	copy_printable(r->error, sizeof(r->error), view_str(receipt->error));
	copy_raw(r->raw, sizeof(r->raw), receipt->raw);
	copy_str(r->how, sizeof(r->how), "id");
	r->part = -1;
	r->at_us = r->received_us = dispatch_now_us(o->d);
	judge(o, r);
	if (receipt->conflict)
		outcomes_odd_receipt(r->carrier->name, "conflict");
	if (doubtful && !copy_pdu(r, pdu))
		receipt_forget(r); /* what cannot be written again is taken for what it looks like */
}

void outcomes_add_state(struct outcomes *o, const struct flight *f, const struct smpp_pdu *answer)
{
	uint32_t state = answer->field[SMPP_F_message_state].number;
	if (o->waiting >= LIMIT_OUTCOME_QUEUE || state >= SMPP_STATE_NONE)
		return; /* it is asked again */
	struct item_receipt *r = &outcomes_item(o, ITEM_RECEIPT)->receipt;
	r->carrier = dispatch_carrier_named(o->d, view_str(f->carrier));
	dispatch_carrier_id(answer->field[SMPP_F_message_id].text, r->id);
	write_candidates(o, r);
	r->reference = -1;
	r->state = (enum smpp_message_state)state;
	copy_str(r->how, sizeof(r->how), "query");
	r->part = -1;
	r->practice_id = f->practice_id;
	r->message_id = f->id;
	r->at_us = r->received_us = dispatch_now_us(o->d);
	judge(o, r);
}

void receipt_forget(struct item_receipt *r)
{
	if (!r->doubtful)
		return;
	buf_free(r->doubtful);
	free(r->doubtful);
	r->doubtful = NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static struct view receipt_data(struct outcomes *o, const struct item_receipt *r)
{
	struct buf *to = &o->text;
	buf_clear(to);
	buf_add_u8(to, '{');
	outcomes_json(to, "carrier", r->carrier ? r->carrier->name : "");
	outcomes_json(to, "state", smpp_message_state_name(r->state));
	outcomes_json(to, "err", r->error);
	outcomes_json(to, "word", policy_word_name(r->word));
	outcomes_json(to, "matched_by", r->how);
	outcomes_json(to, "receipt", r->raw);
	if (r->part > 0)
		buf_printf(to, ",\"part\":%d", r->part);
	if (strcmp(r->status, "held") == 0)
		buf_printf(to, ",\"refund\":true");
	buf_add_u8(to, '}');
	return buf_view(to);
}

static void add_uuid_or_null(struct store_params *ps, unsigned i, const struct uuid *id)
{
	if (uuid_is_zero(id))
		store_add_null(ps, i);
	else
		store_add_uuid(ps, i, id);
}

enum statement receipt_statement(const struct item_receipt *r)
{
	if (r->keep)
		return STATEMENT_KEEP;
	return r->part >= 0 ? STATEMENT_RECEIPT_PARTS : STATEMENT_RECEIPTS;
}

/* The columns that nearly no batch needs: left out whole, PostgreSQL reads them as nulls. */
static void add_told_row(struct store_params *ps, const struct item_receipt *r)
{
	add_uuid_or_null(ps, 9, &r->practice_id);
	add_uuid_or_null(ps, 10, &r->message_id);
	add_uuid_or_null(ps, 11, &r->kept);
	store_add_str(ps, 12, r->id);
	store_add_str(ps, 13, r->word != WORD_unknown ? policy_word_name(r->word) : "");
	if (r->until_us)
		store_add_time(ps, 14, r->until_us);
	else
		store_add_null(ps, 14);
}

static void add_receipt_row(struct outcomes *o, const struct item_receipt *r, bool told)
{
	struct store_params *ps = &o->rows[STATEMENT_RECEIPTS].params;
	store_add_str(ps, 0, r->carrier ? r->carrier->name : "");
	store_add_text(ps, 1, view_of(r->candidates, strcspn(r->candidates, " ")));
	store_add_str(ps, 2, r->phone);
	store_add_str(ps, 3, r->sender);
	store_add_str(ps, 4, r->status);
	store_add_str(ps, 5, policy_reason_code(r->reason));
	store_add_str(ps, 6, r->type);
	store_add_text(ps, 7, receipt_data(o, r));
	store_add_time(ps, 8, r->at_us);
	if (told)
		add_told_row(ps, r);
}

static bool any_told(const struct item_rows *rows)
{
	for (unsigned i = 0; i < rows->count; i++) {
		const struct item_receipt *r = &rows->item[i]->receipt;
		if (!uuid_is_zero(&r->message_id) || r->word)
			return true;
	}
	return false;
}

/* Ordinal, id in the answer, result; and the subject when there is a word to act on. */
static void applied_rows(struct outcomes *o, enum statement statement, const struct store_rows *rows)
{
	const struct item_rows *list = &o->rows[statement];
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		struct item *it = rows_item(list, store_rows_int(rows, i, 0));
		struct item_receipt *r = &it->receipt;
		struct view result = store_rows_text(rows, i, 2);
		bool moved = view_eq(result, VIEW("moved"));
		it->finished = true;
		copy_view(r->answered, sizeof(r->answered), store_rows_text(rows, i, 1));
		r->result = view_eq(result, VIEW("repeated")) ? "repeated" : *r->status ? r->status : "pending";
		if (item_has_word(it) && !store_rows_null(rows, i, 3) &&
		    (moved || (r->word == WORD_opted_out && !view_eq(result, VIEW("repeated")))))
			subject_read(&it->subject, rows, i, 3);
	}
}

static void receipts_cb(void *ctx, const struct store_rows *rows)
{
	applied_rows(ctx, STATEMENT_RECEIPTS, rows);
}

static void parts_cb(void *ctx, const struct store_rows *rows)
{
	applied_rows(ctx, STATEMENT_RECEIPT_PARTS, rows);
}

struct store_step receipts_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TIME, STORE_UUID,
	                                        STORE_UUID, STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TIME};
	struct item_rows *rows = &o->rows[STATEMENT_RECEIPTS];
	bool told = any_told(rows);
	rows_begin(rows, types, sizeof(types) / sizeof(*types));
	for (unsigned i = 0; i < rows->count; i++)
		add_receipt_row(o, &rows->item[i]->receipt, told);
	return (struct store_step){"receipts", &rows->params, receipts_cb};
}

struct store_step receipt_parts_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_UUID, STORE_UUID, STORE_INT4, STORE_INT4, STORE_TEXT,
	                                        STORE_TEXT, STORE_TEXT, STORE_TIME, STORE_UUID, STORE_TEXT};
	struct item_rows *rows = &o->rows[STATEMENT_RECEIPT_PARTS];
	struct store_params *ps = &rows->params;
	rows_begin(rows, types, sizeof(types) / sizeof(*types));
	for (unsigned i = 0; i < rows->count; i++) {
		const struct item_receipt *r = &rows->item[i]->receipt;
		store_add_uuid(ps, 0, &r->practice_id);
		store_add_uuid(ps, 1, &r->message_id);
		store_add_int(ps, 2, r->attempt);
		store_add_int(ps, 3, r->part);
		store_add_str(ps, 4, r->status);
		store_add_str(ps, 5, policy_reason_code(r->reason));
		store_add_text(ps, 6, receipt_data(o, r));
		store_add_time(ps, 7, r->at_us);
		add_uuid_or_null(ps, 8, &r->kept);
		store_add_str(ps, 9, r->word != WORD_unknown ? policy_word_name(r->word) : "");
	}
	return (struct store_step){"receipts_part", ps, parts_cb};
}

static void kept_cb(void *ctx, const struct store_rows *rows)
{
	const struct item_rows *list = &((struct outcomes *)ctx)->rows[STATEMENT_KEEP];
	(void)rows;
	for (unsigned i = 0; i < list->count; i++) {
		list->item[i]->finished = true;
		list->item[i]->receipt.result = "unmatched";
	}
}

static void add_reference(struct store_params *ps, unsigned i, const struct item_receipt *r)
{
	if (r->reference < 0)
		store_add_null(ps, i);
	else
		store_add_int(ps, i, r->reference);
}

struct store_step receipt_keep_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_UUID, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_TEXT, STORE_TEXT, STORE_TIME, STORE_TEXT, STORE_INT4};
	struct item_rows *rows = &o->rows[STATEMENT_KEEP];
	struct store_params *ps = &rows->params;
	rows_begin(rows, types, sizeof(types) / sizeof(*types));
	for (unsigned i = 0; i < rows->count; i++) {
		const struct item_receipt *r = &rows->item[i]->receipt;
		struct uuid id = dispatch_id(o->d);
		store_add_uuid(ps, 0, &id);
		store_add_str(ps, 1, r->carrier->name);
		store_add_str(ps, 2, r->candidates);
		store_add_str(ps, 3, r->phone);
		store_add_str(ps, 4, r->sender);
		store_add_str(ps, 5, smpp_message_state_name(r->state));
		store_add_str(ps, 6, r->error);
		store_add_str(ps, 7, r->raw);
		store_add_time(ps, 8, r->received_us);
		store_add_str(ps, 9, r->id);
		add_reference(ps, 10, r);
	}
	return (struct store_step){"receipt_keep", ps, kept_cb};
}

/* --- finding ------------------------------------------------------------------------------------------------------ */

static void take_found(struct outcomes *o, struct item_receipt *r, const struct store_rows *rows, unsigned i,
                       unsigned column)
{
	r->practice_id = store_rows_uuid(rows, i, column);
	r->message_id = store_rows_uuid(rows, i, column + 1);
	if (!store_rows_null(rows, i, column + 3)) {
		r->attempt = (int)store_rows_int(rows, i, column + 2);
		r->part = (int)store_rows_int(rows, i, column + 3);
	}
	copy_view(r->how, sizeof(r->how), store_rows_text(rows, i, column + 4));
	judge(o, r);
}

static void found_cb(void *ctx, const struct store_rows *rows)
{
	struct outcomes *o = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		struct item_receipt *r = &rows_item(&o->rows[STATEMENT_FIND], store_rows_int(rows, i, 0))->receipt;
		if (!store_rows_null(rows, i, 1))
			take_found(o, r, rows, i, 1);
		else
			receipt_forget(r); /* a submit is open between its addresses: no doubt any more */
	}
}

struct store_step receipt_find_step(struct outcomes *o)
{
	static const enum store_type types[] = {STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_INT4, STORE_TIME, STORE_BOOL};
	struct item_rows *rows = &o->rows[STATEMENT_FIND];
	struct store_params *ps = &rows->params;
	rows_begin(rows, types, sizeof(types) / sizeof(*types));
	for (unsigned i = 0; i < rows->count; i++) {
		const struct item_receipt *r = &rows->item[i]->receipt;
		store_add_str(ps, 0, r->carrier ? r->carrier->name : "");
		store_add_str(ps, 1, r->candidates);
		store_add_str(ps, 2, r->phone);
		store_add_str(ps, 3, r->sender);
		add_reference(ps, 4, r);
		store_add_time(ps, 5, r->at_us);
		store_add_int(ps, 6, r->doubtful != NULL);
	}
	return (struct store_step){"receipt_find", ps, found_cb};
}

/* What only looked like a receipt is what a patient wrote. */
static void hand_over(struct outcomes *o, struct item *it)
{
	struct item_receipt *r = &it->receipt;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	check(smpp_pdu_decode(buf_view(r->doubtful), &pdu, &fault));
	outcomes_odd_receipt(r->carrier->name, "no_receipt");
	inbounds_add(o->d->inbounds, &r->from, &pdu);
	r->from.link = NULL; /* it is answered there */
	r->result = NULL;
	it->finished = true;
}

void receipts_found(struct outcomes *o)
{
	const struct item_rows *rows = &o->rows[STATEMENT_FIND];
	for (unsigned i = 0; i < rows->count; i++) {
		struct item_receipt *r = &rows->item[i]->receipt;
		if (!uuid_is_zero(&r->message_id))
			continue;
		if (r->doubtful)
			hand_over(o, rows->item[i]);
		else
			r->keep = true;
	}
}

void receipt_finish(struct outcomes *o, struct item *it)
{
	struct item_receipt *r = &it->receipt;
	if (r->result && r->doubtful)
		outcomes_odd_receipt(r->carrier->name, "unflagged");
	if (r->result && !r->keep)
		learn_match(o->learn, r, view_str(r->answered));
	if (r->result)
		metric_add(METRIC_receipts_total, 1, LABELS(r->carrier ? r->carrier->name : "", r->result));
	if (r->from.link)
		dispatch_answer(&r->from, ESME_ROK);
	receipt_forget(r);
}

/* --- kept receipts again ------------------------------------------------------------------------------------------ */

static enum smpp_message_state state_of(struct view name)
{
	for (int s = 0; s < SMPP_STATE_NONE; s++)
		if (view_eq(name, view_str(smpp_message_state_name((enum smpp_message_state)s))))
			return (enum smpp_message_state)s;
	return SMPP_STATE_NONE;
}

static void rematch_rows_cb(void *ctx, const struct store_rows *rows)
{
	struct outcomes *o = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		struct item_receipt *r = &outcomes_item(o, ITEM_RECEIPT)->receipt;
		r->kept = store_rows_uuid(rows, i, 0);
		r->carrier = dispatch_carrier_named(o->d, store_rows_text(rows, i, 1));
		copy_view(r->candidates, sizeof(r->candidates), store_rows_text(rows, i, 2));
		copy_view(r->phone, sizeof(r->phone), store_rows_text(rows, i, 3));
		copy_view(r->sender, sizeof(r->sender), store_rows_text(rows, i, 4));
		r->state = state_of(store_rows_text(rows, i, 5));
		copy_view(r->error, sizeof(r->error), store_rows_text(rows, i, 6));
		copy_view(r->raw, sizeof(r->raw), store_rows_text(rows, i, 7));
		copy_view(r->id, sizeof(r->id), store_rows_text(rows, i, 11));
		r->practice_id = store_rows_uuid(rows, i, 8);
		r->message_id = store_rows_uuid(rows, i, 9);
		copy_view(r->how, sizeof(r->how), store_rows_text(rows, i, 10));
		r->part = store_rows_null(rows, i, 13) ? -1 : (int)store_rows_int(rows, i, 13);
		r->attempt = r->part < 0 ? 0 : (int)store_rows_int(rows, i, 12);
		r->received_us = store_rows_int(rows, i, 14);
		r->reference = -1;
		r->at_us = dispatch_now_us(o->d);
		judge(o, r);
	}
}

static void rematch_done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct outcomes *o = ctx;
	(void)result;
	(void)sqlstate;
	o->rematching = false;
}

void receipts_rematch_begin(struct outcomes *o)
{
	bool all = o->rematches++ % REMATCH_ALL_EVERY == 0;
	struct store_step step = {"receipt_rematch", &o->rematch, rematch_rows_cb};
	store_params_clear(&o->rematch);
	store_value_int(&o->rematch, STORE_INT4, all ? REMATCH_ALL : REMATCH_NEWEST);
	o->rematch_wanted = false;
	o->rematching = true;
	store_lane_run(o->d->outcome_lane, &step, 1, rematch_done_cb, o);
}
