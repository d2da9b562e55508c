/* Patients' texts, one at a time, each in one transaction under the recipient's lock, then answered. A STOP does not
 * pass through the claim cycle and works while that is stopped. 1 find the practice that has the number
 * (inbound_practice) 2 lock the recipient; keep the text; act: opt-out and cancel, lift, or help; queue the one notice;
 * commit 3 withdraw claimed submits; answer deliver_sm When the commit's fate is unknown the text goes through again:
 * its ids are its own, so twice is as once. */
#include "dispatch_internal.h"

#include "smpp_status.h"
#include "text_alphabet.h"
#include "text_keyword.h"
#include "text_shape.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 500
#define REFUSALS_MAX 5
#define INBOUND_QUEUE 2048 /* texts that wait; more are answered with ESME_RX_T_APPN and come again */

struct inbound {
	struct inbound *next;
	struct delivery from;
	const char *carrier;
	char phone[24];
	char sender[24];
	char *body;
	enum text_keyword keyword;
	const char *word;
	int64_t at_us;
	struct uuid id;
	struct uuid notice_id;
	struct uuid practice_id; /* zero: unroutable */
	char *practice_name;
	char *practice_phone;
	char *practice_sender;
	bool found;
	bool changed; /* opt-out made or lifted by this text */
};

struct inbounds {
	struct dispatch *d;
	struct inbound *first, *last;
	unsigned waiting;
	bool busy;
	bool paused;
	unsigned refusals; /* of the text that is first */
	struct net_timer *retry;
	struct store_params find, lock, keep, act, notice;
};

static void retry_cb(void *ctx)
{
	((struct inbounds *)ctx)->paused = false;
}

struct inbounds *inbounds_new(struct dispatch *d)
{
	struct inbounds *in = mem_alloc(sizeof(*in));
	in->d = d;
	in->retry = net_timer_new(d->config.loop, retry_cb, in);
	return in;
}

bool inbounds_idle(const struct inbounds *in)
{
	return !in->first;
}

static void inbound_free(struct inbound *m)
{
	free(m->body);
	free(m->practice_name);
	free(m->practice_phone);
	free(m->practice_sender);
	free(m);
}

/* short_message, or message_payload when that is empty (trap 31). A user data header is not text. */
static struct view text_octets(const struct smpp_pdu *pdu)
{
	struct view text = pdu->command == SMPP_data_sm ? (struct view){0} : pdu->field[SMPP_F_short_message].text;
	const struct smpp_tlv *payload = smpp_pdu_tlv(pdu, SMPP_TAG_message_payload);
	if (text.n == 0 && payload)
		text = payload->value;
	if (pdu->field[SMPP_F_esm_class].number & 0x40 && text.n && (size_t)text.p[0] + 1 <= text.n)
		text = view_of(text.p + text.p[0] + 1, text.n - text.p[0] - 1);
	return text;
}

void inbounds_add(struct inbounds *in, const struct delivery *from, const struct smpp_pdu *pdu)
{
	if (in->waiting >= INBOUND_QUEUE) {
		dispatch_answer(from, ESME_RX_T_APPN);
		return;
	}
	struct inbound *m = mem_alloc(sizeof(*m));
	struct buf text = BUF(1 << 18);
	text_decode((uint8_t)pdu->field[SMPP_F_data_coding].number, text_octets(pdu), &text);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == 0)
			text.p[i] = ' '; /* PostgreSQL's text has no NUL */
	m->from = *from;
	m->carrier = link_carrier_name(from->link);
	m->at_us = dispatch_now_us(in->d);
	m->id = dispatch_id(in->d);
	m->notice_id = dispatch_id(in->d);
	m->keyword = text_keyword_match(buf_view(&text), &m->word);
	m->body = mem_copy_str(buf_cstr(&text));
	dispatch_phone_of(pdu->field[SMPP_F_source_addr].text, m->phone);
	dispatch_phone_of(pdu->field[SMPP_F_destination_addr].text, m->sender);
	buf_free(&text);
	if (in->last)
		in->last->next = m;
	else
		in->first = m;
	in->last = m;
	in->waiting++;
}

static void again_later(struct inbounds *in)
{
	in->busy = false;
	in->paused = true;
	net_timer_start(in->retry, RETRY_MS);
}

static void remove_first(struct inbounds *in)
{
	struct inbound *m = in->first;
	in->first = m->next;
	if (!in->first)
		in->last = NULL;
	in->waiting--;
	in->busy = false;
	in->refusals = 0;
	inbound_free(m);
}

static void finish(struct inbounds *in)
{
	struct inbound *m = in->first;
	bool routed = !uuid_is_zero(&m->practice_id);
	metric_add(METRIC_inbound_total, 1,
	           LABELS(m->carrier, !routed      ? "unroutable"
	                              : m->keyword ? text_keyword_name(m->keyword)
	                                           : "reply"));
	if (m->keyword == KEYWORD_STOP && routed) {
		claimer_withdraw(in->d->claimer, &m->practice_id, view_str(m->phone));
		if (m->changed)
			metric_add(METRIC_optouts_total, 1, LABELS("reply"));
	}
	dispatch_answer(&m->from, ESME_ROK);
	claimer_wake(in->d->claimer);
	remove_first(in);
}

/* A text that the database refuses again and again for what is in it must not keep the STOPs behind it waiting. */
static void rolled_back_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	(void)result;
	(void)sqlstate;
	if (in->refusals < REFUSALS_MAX) {
		again_later(in);
		return;
	}
	log_event(LOG_ERROR, "text_refused_by_database", LOG_TEXT(carrier, in->first->carrier));
	dispatch_answer(&in->first->from, ESME_RX_P_APPN);
	remove_first(in);
}

static void noticed_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	struct store_step back = {"ROLLBACK", NULL, NULL};
	bool data = dispatch_refused_for_data(sqlstate);
	if (result == STORE_OK) {
		finish(in);
		return;
	}
	in->refusals += result == STORE_FAILED && data;
	store_lane_run(in->d->inbound_lane, &back, 1, rolled_back_cb, in);
}

/* --- the one notice ------------------------------------------------------------------------------------------------
 */

static enum category notice_category(const struct inbound *m)
{
	switch (m->keyword) {
	case KEYWORD_STOP:
		return m->changed ? CATEGORY_opt_out_confirmation : CATEGORY_COUNT;
	case KEYWORD_START:
		return m->changed ? CATEGORY_resume_confirmation : CATEGORY_COUNT;
	case KEYWORD_HELP:
		return CATEGORY_help_reply;
	default:
		return CATEGORY_COUNT;
	}
}

static void notice_text(const struct inbound *m, enum category category, struct buf *to)
{
	struct text_changes changes;
	struct buf raw = BUF(LIMIT_BODY_BYTES);
	if (category == CATEGORY_opt_out_confirmation)
		buf_printf(
		        &raw,
		        "%s: You will get no more texts from us. Questions? Call %s. Reply START to get texts again.",
		        m->practice_name, m->practice_phone);
	else if (category == CATEGORY_resume_confirmation)
		buf_printf(&raw, "%s: You will get our texts again. Questions? Call %s. Reply STOP to end.",
		           m->practice_name, m->practice_phone);
	else
		buf_printf(&raw, "%s: For help call %s. Reply STOP to get no more texts.", m->practice_name,
		           m->practice_phone);
	text_normalise(buf_view(&raw), to, &changes);
	buf_free(&raw);
}

static void build_notice(struct inbounds *in, enum category category)
{
	struct inbound *m = in->first;
	struct store_params *ps = &in->notice;
	struct buf text = BUF(LIMIT_BODY_BYTES);
	notice_text(m, category, &text);
	struct text_shape shape = text_measure(buf_view(&text));
	store_params_clear(ps);
	store_value_uuid(ps, &m->practice_id);
	store_value_uuid(ps, &m->notice_id);
	store_value_str(ps, m->phone);
	store_value_str(ps, m->practice_sender);
	store_value_text(ps, buf_view(&text));
	store_value_str(ps, text_encoding_name(shape.encoding));
	store_value_int(ps, STORE_INT4, shape.characters);
	store_value_str(ps, policy_category_code(category));
	store_value_time(ps, m->at_us);
	store_value_uuid(ps, &m->id);
	buf_free(&text);
}

/* Everything so far is in an open transaction: with or without a notice it commits here. */
static void acted_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	if (result != STORE_OK) {
		in->first->changed = false;
		noticed_cb(ctx, result, sqlstate);
		return;
	}
	enum category category = notice_category(in->first);
	struct store_step steps[] = {{"notice", &in->notice, NULL}, {"COMMIT", NULL, NULL}};
	if (category != CATEGORY_COUNT)
		build_notice(in, category);
	unsigned from = category == CATEGORY_COUNT;
	store_lane_run(in->d->inbound_lane, steps + from, 2 - from, noticed_cb, in);
}

/* --- acting --------------------------------------------------------------------------------------------------------
 */

static void changed_cb(void *ctx, const struct store_rows *rows)
{
	struct inbounds *in = ctx;
	in->first->changed = store_rows_count(rows) && store_rows_bool(rows, 0, 0);
}

static const char *event_of(const struct inbound *m)
{
	if (uuid_is_zero(&m->practice_id))
		return "reply.unroutable";
	switch (m->keyword) {
	case KEYWORD_HELP:
		return "help.received";
	case KEYWORD_NONE:
		return "reply.received";
	default:
		return ""; /* opt_out_create and opt_out_lift tell */
	}
}

static void build_keep(struct inbounds *in)
{
	struct inbound *m = in->first;
	struct store_params *ps = &in->keep;
	store_params_clear(ps);
	store_value_uuid(ps, &m->practice_id);
	store_value_uuid(ps, &m->id);
	store_value_str(ps, m->carrier);
	store_value_str(ps, m->phone);
	store_value_str(ps, m->sender);
	store_value_str(ps, m->body);
	store_value_str(ps, text_keyword_name(m->keyword));
	store_value_time(ps, m->at_us);
	store_value_str(ps, event_of(m));
}

static void build_stop(struct inbounds *in)
{
	struct inbound *m = in->first;
	struct uuid id = dispatch_id(in->d);
	store_params_clear(&in->act);
	store_value_uuid(&in->act, &m->practice_id);
	store_value_uuid(&in->act, &id);
	store_value_str(&in->act, m->phone);
	store_value_str(&in->act, "reply");
	store_value_str(&in->act, m->word);
	store_value_time(&in->act, m->at_us);
	store_value_uuid(&in->act, &m->id);
}

static void build_start(struct inbounds *in)
{
	struct inbound *m = in->first;
	store_params_clear(&in->act);
	store_value_uuid(&in->act, &m->practice_id);
	store_value_str(&in->act, m->phone);
	store_value_time(&in->act, m->at_us);
	store_value_str(&in->act, m->word);
	store_value_uuid(&in->act, &m->id);
}

static void act(struct inbounds *in)
{
	struct inbound *m = in->first;
	struct store_step steps[4] = {
	        {"BEGIN", NULL, NULL}, {"claim_lock", &in->lock, NULL}, {"inbound_store", &in->keep, NULL}};
	unsigned n = 3;
	store_params_clear(&in->lock);
	store_array(&in->lock, STORE_INT8);
	store_add_int(&in->lock, 0, claimer_lock_key(&m->practice_id, 'p', view_str(m->phone)));
	build_keep(in);
	if (m->keyword == KEYWORD_STOP && !uuid_is_zero(&m->practice_id)) {
		build_stop(in);
		steps[n++] = (struct store_step){"opt_out_create", &in->act, changed_cb};
	} else if (m->keyword == KEYWORD_START && !uuid_is_zero(&m->practice_id)) {
		build_start(in);
		steps[n++] = (struct store_step){"opt_out_lift", &in->act, changed_cb};
	}
	store_lane_run(in->d->inbound_lane, steps, n, acted_cb, in);
}

/* --- finding the practice ------------------------------------------------------------------------------------------
 */

static char *copy_text(struct view v)
{
	struct buf b = BUF(4096);
	buf_add_view(&b, v);
	char *copy = mem_copy_str(buf_cstr(&b));
	buf_free(&b);
	return copy;
}

static void practice_cb(void *ctx, const struct store_rows *rows)
{
	struct inbound *m = ((struct inbounds *)ctx)->first;
	if (store_rows_count(rows) == 0)
		return;
	m->practice_id = store_rows_uuid(rows, 0, 0);
	m->practice_name = copy_text(store_rows_text(rows, 0, 1));
	m->practice_phone = copy_text(store_rows_text(rows, 0, 2));
	m->practice_sender = copy_text(store_rows_text(rows, 0, 3));
}

static void found_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct inbounds *in = ctx;
	struct inbound *m = in->first;
	(void)sqlstate;
	if (result != STORE_OK) {
		again_later(in);
		return;
	}
	m->found = true;
	/* From here on nothing claimed for this phone is handed to a link; once more after the commit for what was
	 * claimed while we waited for the recipient's lock. */
	if (m->keyword == KEYWORD_STOP && !uuid_is_zero(&m->practice_id))
		claimer_withdraw(in->d->claimer, &m->practice_id, view_str(m->phone));
	if (uuid_is_zero(&m->practice_id)) {
		m->keyword = KEYWORD_NONE; /* nobody to stop or to answer for; it is kept and told to the operator */
		log_event(LOG_WARNING, "reply_unroutable", LOG_TEXT(carrier, m->carrier));
	}
	act(in);
}

void inbounds_turn(struct inbounds *in)
{
	struct inbound *m = in->first;
	if (!m || in->busy || in->paused || !store_lane_up(in->d->inbound_lane))
		return;
	in->busy = true;
	if (m->found) {
		act(in);
		return;
	}
	store_params_clear(&in->find);
	store_array(&in->find, STORE_TEXT);
	store_add_str(&in->find, 0, m->sender);
	store_add_str(&in->find, 0, m->sender + (m->sender[0] == '+'));
	struct store_step step = {"inbound_practice", &in->find, practice_cb};
	store_lane_run(in->d->inbound_lane, &step, 1, found_cb, in);
}

void inbounds_free(struct inbounds *in)
{
	while (in->first) {
		struct inbound *m = in->first;
		in->first = m->next;
		inbound_free(m);
	}
	net_timer_free(in->retry);
	store_params_free(&in->find);
	store_params_free(&in->lock);
	store_params_free(&in->keep);
	store_params_free(&in->act);
	store_params_free(&in->notice);
	free(in);
}
