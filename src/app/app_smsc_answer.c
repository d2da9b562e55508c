/* Requests of ESMEs: what the script makes of each, and the answers. Messages are kept in the book. */
#include "app_smsc.h"

#include "base_check.h"
#include "script_draw.h"
#include "smpp_status.h"
#include "text_alphabet.h"

#include <string.h>

#define HUGE_LENGTH 0x16030100u /* how TLS greets */
#define STRAY_SEQUENCE 0x7ffffff0u
#define DATE_BYTES 96 /* more than any date takes */

/* --- answers -------------------------------------------------------------------------------------------------------
 */

static void fill_query(const struct smsc *s, const struct smsc_answer *a, struct smpp_pdu *pdu, char date[DATE_BYTES])
{
	(void)s;
	if (a->final_us) {
		struct civil c = time_civil(floor_div(a->final_us, SECOND_US));
		snprintf(date, DATE_BYTES, "%02d%02d%02d%02d%02d%02d000+", c.year % 100, c.month, c.day, c.hour,
		         c.minute, c.second);
		smpp_pdu_set_text(pdu, SMPP_F_final_date, view_str(date));
	}
	smpp_pdu_set_number(pdu, SMPP_F_message_state, a->message_state);
}

static void fill_answer(const struct smsc *s, const struct smsc_answer *a, struct smpp_pdu *pdu,
                        char id[SCRIPT_ID_BYTES], char date[DATE_BYTES])
{
	bool nack = a->nack || a->blind;
	enum smpp_command command = nack ? SMPP_generic_nack : smpp_command_answer((enum smpp_command)a->request);
	smpp_pdu_init(pdu, command, a->blind ? 0 : a->sequence);
	pdu->command_status = a->status;
	if (a->header_only || (a->status && a->request != SMPP_submit_sm)) {
		pdu->has_body = false;
		return;
	}
	id[0] = 0;
	if (a->number)
		script_id_spell((enum script_word)a->spelling, a->number, s->seed, id);
	if (!nack)
		smpp_pdu_set_text(pdu, SMPP_F_message_id, view_str(id));
	if (a->request == SMPP_query_sm && !nack)
		fill_query(s, a, pdu, date);
}

/* An unsuccess_sme entry for each list that was refused. */
static void add_unsuccess(const struct smsc_answer *a, struct smpp_pdu *pdu, struct buf *entries)
{
	for (unsigned i = 0; i < a->unsuccess; i++) {
		buf_add_u8(entries, 0);
		buf_add_u8(entries, 0);
		buf_add_u8(entries, 0);
		buf_add_u32(entries, ESME_RINVDLNAME);
	}
	if (a->request == SMPP_submit_multi && pdu->has_body && pdu->command != SMPP_generic_nack) {
		smpp_pdu_set_number(pdu, SMPP_F_no_unsuccess, a->unsuccess);
		pdu->field[SMPP_F_unsuccess_sme] = (struct smpp_value){a->unsuccess, buf_view(entries)};
	}
}

static void put_length(struct buf *octets, uint32_t length)
{
	for (int i = 0; i < 4; i++)
		octets->p[i] = (uint8_t)(length >> (24 - 8 * i));
}

static void lie(const struct smsc_answer *a, struct buf *octets)
{
	uint32_t n = (uint32_t)octets->n;
	if (a->lie == SCRIPT_LIE_short + 1)
		put_length(octets, n - 4);
	else if (a->lie == SCRIPT_LIE_long + 1)
		put_length(octets, n + 8);
	else if (a->lie == SCRIPT_LIE_zero + 1)
		put_length(octets, 0);
	else if (a->lie == SCRIPT_LIE_header + 1)
		put_length(octets, SMPP_HEADER_BYTES);
	else if (a->lie == SCRIPT_LIE_huge + 1)
		put_length(octets, HUGE_LENGTH);
}

static bool takes_answers(const struct smsc_peer *p)
{
	enum smpp_session_state state = smpp_session_state(link_pump_session(p->pump));
	return !p->ended && (state == SMPP_SESSION_BOUND || state == SMPP_SESSION_UNBINDING);
}

static void write_answer(struct smsc_peer *p, const struct smsc_answer *a)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	char id[SCRIPT_ID_BYTES], date[DATE_BYTES];
	uint8_t congestion = (uint8_t)a->congestion;
	struct buf *octets = &p->smsc->scratch;
	struct buf entries = BUF(8 * 256);
	buf_clear(octets);
	fill_answer(p->smsc, a, &pdu, id, date);
	add_unsuccess(a, &pdu, &entries);
	if (a->congestion >= 0)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_congestion_state, view_of(&congestion, 1));
	check(smpp_pdu_encode(&pdu, octets, &fault));
	buf_free(&entries);
	if (a->lie)
		lie(a, octets);
	if (a->half)
		octets->n /= 2;
	smsc_wire_write(p, buf_view(octets));
	if (a->half)
		smsc_wire_close(p, "script_close");
}

static void answer(struct smsc *s, const struct smsc_answer *a)
{
	struct smsc_peer *p = smsc_peer_of(s, a->peer);
	if (!p || !takes_answers(p)) {
		s->unanswered += !a->repeated;
		return;
	}
	if (!a->repeated) {
		smpp_session_forget(link_pump_session(p->pump));
		s->answered++;
	}
	write_answer(p, a);
}

static void answer_cb(struct smsc *s, struct smsc_later *l)
{
	answer(s, &l->answer);
}

static void answer_in(struct smsc *s, const struct smsc_answer *a, int64_t after_ms)
{
	struct smsc_later *l;
	if (after_ms <= 0)
		answer(s, a);
	else if ((l = smsc_later_add(s, after_ms, answer_cb)))
		l->answer = *a;
}

/* --- another order -------------------------------------------------------------------------------------------------
 */

static void let_reordered_go(struct smsc *s)
{
	unsigned index[SMSC_REORDER_MAX], n = s->reordered;
	struct smsc_answer kept[SMSC_REORDER_MAX];
	memcpy(kept, s->reorder, n * sizeof(*kept));
	s->reordered = 0;
	script_draw_order(s->seed, SMSC_DRAW_ORDER, s->reorder_round++, index, n);
	for (unsigned i = 0; i < n; i++)
		answer(s, &kept[index[i]]);
}

static void reorder_cb(struct smsc *s, struct smsc_later *l)
{
	if (l->peer.value == (uint32_t)s->reorder_round && s->reordered)
		let_reordered_go(s);
}

static void reorder(struct smsc *s, const struct smsc_answer *a, const struct script_plan *plan)
{
	int64_t most = script_number(plan, SCRIPT_reorder, 0);
	struct smsc_later *l;
	if (s->reordered == 0 && (l = smsc_later_add(s, script_number(plan, SCRIPT_reorder, 1), reorder_cb)))
		l->peer.value = (uint32_t)s->reorder_round;
	s->reorder[s->reordered++] = *a;
	if (s->reordered >= (most < SMSC_REORDER_MAX ? most : SMSC_REORDER_MAX))
		let_reordered_go(s);
}

/* --- what the plan makes of an answer ------------------------------------------------------------------------------
 */

/* Status and look of an answer by the group FATE; false when there is none. */
static bool decide_fate(struct smsc_peer *p, const struct script_plan *plan, struct smsc_answer *a)
{
	static const enum script_fault fates[] = {SCRIPT_status,     SCRIPT_unknown_status, SCRIPT_header_only,
	                                          SCRIPT_nack,       SCRIPT_nack_blind,     SCRIPT_throttle,
	                                          SCRIPT_queue_full, SCRIPT_drop,           SCRIPT_lose};
	struct smsc *s = p->smsc;
	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++)
		if (script_has(plan, fates[i])) {
			smsc_did(s, p, plan, fates[i], a->sequence);
			a->status = (uint32_t)script_number(plan, fates[i], 0);
		}
	if (script_has(plan, SCRIPT_throttle))
		a->status = ESME_RTHROTTLED;
	if (script_has(plan, SCRIPT_queue_full))
		a->status = ESME_RMSGQFUL;
	if (script_has(plan, SCRIPT_unknown_status)) {
		uint64_t drawn = script_engine_draw(s->engine, SMSC_DRAW_STATUS);
		a->status = (uint32_t)(drawn & 1 ? 0x400 + (drawn >> 8) % 0x100 : 0x10000 + (drawn >> 8) % 0x10000);
	}
	a->header_only = script_has(plan, SCRIPT_header_only);
	a->nack = script_has(plan, SCRIPT_nack);
	a->blind = script_has(plan, SCRIPT_nack_blind);
	return !script_has(plan, SCRIPT_drop) && !script_has(plan, SCRIPT_lose);
}

static bool refuses(const struct script_plan *plan, const struct smsc_answer *a)
{
	return script_has(plan, SCRIPT_lose) || a->nack || a->blind || a->status != ESME_ROK;
}

static void spoil(struct smsc_peer *p, const struct script_plan *plan, struct smsc_answer *a)
{
	struct smsc *s = p->smsc;
	a->congestion = -1;
	if (script_has(plan, SCRIPT_congestion)) {
		smsc_did(s, p, plan, SCRIPT_congestion, a->sequence);
		a->congestion = (int16_t)(script_number(plan, SCRIPT_congestion, 0) % 256);
	}
	if (script_has(plan, SCRIPT_lying_length)) {
		smsc_did(s, p, plan, SCRIPT_lying_length, a->sequence);
		a->lie = (uint8_t)(script_number(plan, SCRIPT_lying_length, 0) + 1);
	}
	if (script_has(plan, SCRIPT_close_mid_pdu)) {
		smsc_did(s, p, plan, SCRIPT_close_mid_pdu, a->sequence);
		a->half = true;
	}
}

static void repeat(struct smsc_peer *p, const struct script_plan *plan, const struct smsc_answer *a, int64_t after_ms)
{
	struct smsc_answer again = *a;
	again.repeated = true;
	for (int64_t i = 1; i <= script_number(plan, SCRIPT_twice, 0) && i <= SMSC_REORDER_MAX; i++) {
		smsc_did(p->smsc, p, plan, SCRIPT_twice, a->sequence);
		answer_in(p->smsc, &again, after_ms + i * script_number(plan, SCRIPT_twice, 1));
	}
}

static void stray(struct smsc_peer *p, const struct script_plan *plan, const struct smsc_answer *a)
{
	struct smsc_answer other = *a;
	if (!script_has(plan, SCRIPT_stray))
		return;
	smsc_did(p->smsc, p, plan, SCRIPT_stray, a->sequence);
	other.repeated = true;
	other.sequence = STRAY_SEQUENCE;
	answer(p->smsc, &other);
}

/* Sends the answer as the plan says, in after_ms; false when there is none. */
static bool dispatch(struct smsc_peer *p, const struct script_plan *plan, struct smsc_answer *a, bool answers,
                     int64_t after_ms)
{
	struct smsc *s = p->smsc;
	stray(p, plan, a);
	smsc_wire_noise(p, plan, a->sequence);
	if (smsc_wire_end(p, plan, a->sequence, 0) || !answers) {
		smpp_session_forget(link_pump_session(p->pump));
		s->unanswered++;
		return false;
	}
	if (after_ms > 0 && script_has(plan, SCRIPT_delay))
		smsc_did(s, p, plan, SCRIPT_delay, a->sequence);
	if (script_has(plan, SCRIPT_reorder)) {
		smsc_did(s, p, plan, SCRIPT_reorder, a->sequence);
		reorder(s, a, plan);
	} else {
		answer_in(s, a, after_ms);
	}
	if (script_has(plan, SCRIPT_twice))
		repeat(p, plan, a, after_ms);
	return true;
}

/* --- messages ------------------------------------------------------------------------------------------------------
 */

static void print_text(const struct smsc *s, const struct smpp_pdu *pdu, struct view utf8)
{
	struct buf line = BUF(16384);
	if (!s->print)
		return;
	buf_add_str(&line, "{\"event\":\"text\",\"to\":\"");
	buf_add_json_text(&line, pdu->field[SMPP_F_destination_addr].text);
	buf_add_str(&line, "\",\"text\":\"");
	buf_add_json_text(&line, utf8);
	buf_add_str(&line, "\"}");
	puts(buf_cstr(&line));
	fflush(stdout);
	buf_free(&line);
}

static struct view text_of(const struct smpp_pdu *pdu, struct buf *utf8)
{
	const struct smpp_tlv *payload = smpp_pdu_tlv(pdu, SMPP_TAG_message_payload);
	bool data = pdu->command == SMPP_data_sm;
	struct view octets = payload ? payload->value : data ? (struct view){0} : pdu->field[SMPP_F_short_message].text;
	if (!data && pdu->field[SMPP_F_esm_class].number & 0x40 && octets.n && octets.p[0] < octets.n) {
		size_t header = (size_t)octets.p[0] + 1;
		octets = view_of(octets.p + header, octets.n - header);
	}
	text_decode((uint8_t)pdu->field[SMPP_F_data_coding].number, octets, utf8);
	return buf_view(utf8);
}

/* The nth address that it goes to; false when there are no more. */
static bool destination(const struct smpp_pdu *pdu, unsigned n, struct view *to_r)
{
	size_t at = 0;
	struct smpp_dest dest;
	if (pdu->command != SMPP_submit_multi) {
		*to_r = pdu->field[SMPP_F_destination_addr].text;
		return n == 0;
	}
	while (smpp_list_next(SMPP_DESTS, pdu->field[SMPP_F_dest_address].text, &at, &dest))
		if (dest.dest_flag == 1 && n-- == 0) {
			*to_r = dest.address;
			return true;
		}
	return false;
}

/* Distribution lists: there are none here. */
static uint8_t lists(const struct smpp_pdu *pdu)
{
	size_t at = 0;
	uint8_t n = 0;
	struct smpp_dest dest;
	while (pdu->command == SMPP_submit_multi &&
	       smpp_list_next(SMPP_DESTS, pdu->field[SMPP_F_dest_address].text, &at, &dest))
		n += dest.dest_flag != 1;
	return n;
}

static void remember(struct smsc_peer *p, const struct smpp_pdu *pdu, struct view to)
{
	struct smsc *s = p->smsc;
	copy_view(s->last_from, sizeof(s->last_from), pdu->field[SMPP_F_source_addr].text);
	copy_view(s->last_to, sizeof(s->last_to), to);
	s->last_account = p->account;
}

/* Takes the message into the book, with receipts to come for each address. before: those that leave before the
 * answer; returns how much later than planned the answer leaves because of them. */
static int64_t take(struct smsc_peer *p, const struct smpp_pdu *pdu, const struct script_plan *plan,
                    struct script_facts *facts, struct smsc_answer *a, int64_t answer_ms)
{
	struct smsc *s = p->smsc;
	struct script_plan receipt;
	struct clock wall = {0};
	enum script_word spelling =
	        script_has(plan, SCRIPT_id) ? (enum script_word)script_number(plan, SCRIPT_id, 0) : SCRIPT_ID_hex;
	const struct script_value *other = &plan->value[SCRIPT_id][1];
	enum script_word told =
	        script_has(plan, SCRIPT_id) && other->given ? (enum script_word)other->number : spelling;
	if (script_has(plan, SCRIPT_id))
		smsc_did(s, p, plan, SCRIPT_id, a->sequence);
	struct script_message *m = script_book_add(s->book, spelling);
	m->peer = p->number;
	m->accepted_us = clock_read(&wall);
	m->receipt = (uint8_t)(pdu->field[SMPP_F_registered_delivery].number & 3);
	copy_view(m->from, sizeof(m->from), facts->from);
	copy_view(m->to, sizeof(m->to), facts->to);
	a->number = m->number;
	a->spelling = (uint8_t)spelling;
	facts->event = SCRIPT_ON_receipt;
	for (unsigned i = 0; destination(pdu, i, &facts->to); i++) {
		char to[SCRIPT_ADDRESS_BYTES];
		copy_view(to, sizeof(to), facts->to);
		script_decide(s->engine, facts, &receipt);
		if (script_has(&receipt, SCRIPT_before_answer) &&
		    answer_ms < script_number(&receipt, SCRIPT_before_answer, 0))
			answer_ms = script_number(&receipt, SCRIPT_before_answer, 0);
		smsc_receipt(p, m, to, &receipt, told, answer_ms);
	}
	return answer_ms;
}

static void patient_reacts(struct smsc_peer *p, const struct script_plan *plan, const struct smpp_pdu *pdu,
                           struct view to, uint32_t sequence)
{
	struct smsc *s = p->smsc;
	if (script_has(plan, SCRIPT_reply)) {
		char from[SCRIPT_ADDRESS_BYTES], practice[SCRIPT_ADDRESS_BYTES];
		copy_view(from, sizeof(from), to);
		copy_view(practice, sizeof(practice), pdu->field[SMPP_F_source_addr].text);
		smsc_did(s, p, plan, SCRIPT_reply, sequence);
		smsc_text(s, p, p->account, from, practice, plan->value[SCRIPT_reply][0].text,
		          script_number(plan, SCRIPT_reply, 1));
	}
	if (script_has(plan, SCRIPT_alert)) {
		smsc_did(s, p, plan, SCRIPT_alert, sequence);
		smsc_wire_alert(p, s->last_to, s->last_from);
	}
}

static void on_message(struct smsc_peer *p, const struct smpp_pdu *pdu)
{
	struct smsc *s = p->smsc;
	struct buf utf8 = BUF(4 * 65536);
	struct script_plan plan;
	struct smsc_answer a = {.peer = p->number, .sequence = pdu->sequence_number, .request = (uint16_t)pdu->command};
	struct script_facts facts = {.event = SCRIPT_ON_submit,
	                             .now_ms = net_loop_now_ms(s->loop),
	                             .from = pdu->field[SMPP_F_source_addr].text,
	                             .account = view_str(smsc_account_name(p)),
	                             .command = view_str(smpp_command_name(pdu->command)),
	                             .open = script_book_open(s->book)};
	s->submitted++;
	facts.text = text_of(pdu, &utf8);
	bool any = destination(pdu, 0, &facts.to);
	a.unsuccess = lists(pdu);
	print_text(s, pdu, facts.text);
	remember(p, pdu, any ? facts.to : (struct view){0});
	script_decide(s->engine, &facts, &plan);
	bool answers = decide_fate(p, &plan, &a);
	spoil(p, &plan, &a);
	int64_t after_ms = script_number(&plan, SCRIPT_delay, 0);
	struct view to = facts.to;
	bool taken = any && !refuses(&plan, &a);
	if (taken) {
		after_ms = take(p, pdu, &plan, &facts, &a, after_ms);
		patient_reacts(p, &plan, pdu, to, a.sequence);
	}
	if (!any && a.status == ESME_ROK)
		a.status = pdu->command == SMPP_submit_multi ? ESME_RINVNUMDESTS : ESME_RINVDSTADR;
	answers = dispatch(p, &plan, &a, answers, after_ms);
	smsc_log_verdict(p, a.sequence, taken, answers, a.status);
	buf_free(&utf8);
}

/* --- other requests ------------------------------------------------------------------------------------------------
 */

static void query(struct smsc *s, const struct script_message *m, struct smsc_answer *a)
{
	(void)s;
	a->number = m->number;
	a->spelling = m->spelling;
	a->message_state = m->state;
	a->final_us = m->final_us;
}

static uint32_t cancel(struct smsc *s, struct script_message *m)
{
	struct clock wall = {0};
	if (smpp_message_state_final((enum smpp_message_state)m->state))
		return ESME_RCANCELFAIL;
	script_book_move(s->book, m, SMPP_STATE_DELETED, clock_read(&wall));
	return ESME_ROK;
}

/* cancel_sm without an id takes back all that went from one address to another. */
static uint32_t cancel_all(struct smsc *s, const struct smpp_pdu *pdu)
{
	struct script_message *m;
	uint32_t status = ESME_RCANCELFAIL;
	for (uint64_t n = script_book_last(s->book); (m = script_book_get(s->book, n)); n--)
		if (view_eq(view_str(m->from), pdu->field[SMPP_F_source_addr].text) &&
		    view_eq(view_str(m->to), pdu->field[SMPP_F_destination_addr].text) && cancel(s, m) == ESME_ROK)
			status = ESME_ROK;
	return status;
}

static uint32_t serve(struct smsc *s, const struct smpp_pdu *pdu, struct smsc_answer *a)
{
	struct view id = pdu->field[SMPP_F_message_id].text;
	struct view from = pdu->field[SMPP_F_source_addr].text;
	struct script_message *m = script_book_find(s->book, id);
	if (pdu->command == SMPP_broadcast_sm) {
		a->number = script_book_add(s->book, SCRIPT_ID_hex)->number;
		a->spelling = SCRIPT_ID_hex;
		return ESME_ROK;
	}
	if (pdu->command == SMPP_cancel_sm && id.n == 0)
		return cancel_all(s, pdu);
	if (!m || (from.n && m->from[0] && !view_eq(view_str(m->from), from)))
		return ESME_RINVMSGID;
	query(s, m, a);
	if (pdu->command == SMPP_cancel_sm || pdu->command == SMPP_cancel_broadcast_sm)
		return cancel(s, m);
	if (pdu->command == SMPP_replace_sm && smpp_message_state_final((enum smpp_message_state)m->state))
		return ESME_RREPLACEFAIL;
	return ESME_ROK;
}

static void on_other(struct smsc_peer *p, const struct smpp_pdu *pdu)
{
	struct smsc *s = p->smsc;
	struct script_plan plan;
	struct smsc_answer a = {.peer = p->number, .sequence = pdu->sequence_number, .request = (uint16_t)pdu->command};
	struct script_facts facts = {.event = SCRIPT_ON_request,
	                             .now_ms = net_loop_now_ms(s->loop),
	                             .from = pdu->field[SMPP_F_source_addr].text,
	                             .account = view_str(smsc_account_name(p)),
	                             .command = view_str(smpp_command_name(pdu->command)),
	                             .open = script_book_open(s->book)};
	s->requested++;
	script_decide(s->engine, &facts, &plan);
	bool answers = decide_fate(p, &plan, &a);
	spoil(p, &plan, &a);
	if (a.status == ESME_ROK && !a.nack && !a.blind)
		a.status = serve(s, pdu, &a);
	dispatch(p, &plan, &a, answers, script_number(&plan, SCRIPT_delay, 0));
}

void smsc_request(struct smsc_peer *p, const struct smpp_pdu *pdu)
{
	if (pdu->command == SMPP_submit_sm || pdu->command == SMPP_submit_multi || pdu->command == SMPP_data_sm)
		on_message(p, pdu);
	else
		on_other(p, pdu);
}
