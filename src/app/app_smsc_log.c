/* What the simulated carrier tells: a JSON line for each PDU and each fault in --log, the summary at its end. */
#include "app_smsc.h"

#include "base_check.h"
#include "smpp_status.h"
#include "text_alphabet.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES (1u << 19) /* a text of 64 KiB, escaped */

static void begin(struct smsc *s, const struct smsc_peer *p, struct buf *line)
{
	*line = BUF(LINE_BYTES);
	buf_printf(line, "{\"ms\":%lld", (long long)(net_loop_now_ms(s->loop) - s->start_ms));
	if (p)
		buf_printf(line, ",\"peer\":%u", p->number);
}

static void end(struct smsc *s, struct buf *line)
{
	buf_add_str(line, "}\n");
	if (!line->full)
		fwrite(line->p, 1, line->n, s->log);
	buf_free(line);
}

static void add_text(struct buf *line, const char *name, struct view text)
{
	buf_printf(line, ",\"%s\":\"", name);
	buf_add_json_text(line, text);
	buf_add_str(line, "\"");
}

/* --- PDUs ----------------------------------------------------------------------------------------------------------
 */

static void add_message(struct buf *line, const struct smpp_pdu *pdu)
{
	struct buf text = BUF(LINE_BYTES);
	const struct smpp_tlv *payload = smpp_pdu_tlv(pdu, SMPP_TAG_message_payload);
	struct view octets = payload ? payload->value : pdu->field[SMPP_F_short_message].text;
	add_text(line, "from", pdu->field[SMPP_F_source_addr].text);
	if (pdu->command != SMPP_submit_multi)
		add_text(line, "to", pdu->field[SMPP_F_destination_addr].text);
	buf_printf(line, ",\"esm_class\":%u", pdu->field[SMPP_F_esm_class].number);
	text_decode((uint8_t)pdu->field[SMPP_F_data_coding].number, octets, &text);
	add_text(line, "text", buf_view(&text));
	buf_free(&text);
}

static void add_fields(struct buf *line, const struct smpp_pdu *pdu)
{
	static const enum smpp_command messages[] = {SMPP_submit_sm, SMPP_submit_multi, SMPP_data_sm, SMPP_deliver_sm};
	unsigned n;
	const struct smpp_field_row *row = smpp_command_fields(pdu->command, &n);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (pdu->command == messages[i])
			add_message(line, pdu);
	for (unsigned i = 0; i < n && pdu->has_body; i++) {
		if (row[i].field == SMPP_F_message_id)
			add_text(line, "message_id", pdu->field[SMPP_F_message_id].text);
		if (row[i].field == SMPP_F_system_id)
			add_text(line, "system_id", pdu->field[SMPP_F_system_id].text);
	}
}

static void log_pdu(struct smsc_peer *p, const char *way, struct view octets)
{
	struct buf line;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	bool good = smpp_pdu_decode(octets, &pdu, &fault);
	begin(p->smsc, p, &line);
	if (octets.n < SMPP_HEADER_BYTES) {
		buf_printf(&line, ",\"%s\":\"octets\",\"octets\":%zu", way, octets.n);
	} else {
		buf_printf(&line, ",\"%s\":\"%s\",\"sequence\":%u,\"status\":%u", way, smpp_command_name(pdu.command),
		           pdu.sequence_number, pdu.command_status);
		if (good)
			add_fields(&line, &pdu);
		else
			buf_printf(&line, ",\"broken\":\"%s\"", fault.field ? fault.field : "");
	}
	end(p->smsc, &line);
}

/* Whole PDUs are taken off the front; returns how many octets they were. */
static size_t log_pdus(struct smsc_peer *p, const char *way, struct view octets, bool *lost_r)
{
	size_t at = 0;
	while (at < octets.n) {
		struct view rest = view_of(octets.p + at, octets.n - at);
		uint32_t length = smpp_frame_length(rest);
		*lost_r = length == UINT32_MAX;
		if (length == 0 || *lost_r || length > rest.n)
			break;
		log_pdu(p, way, view_of(rest.p, length));
		at += length;
	}
	return at;
}

void smsc_log_out(struct smsc_peer *p, struct view octets)
{
	bool lost = false;
	if (!p->smsc->log)
		return;
	size_t at = log_pdus(p, "out", octets, &lost);
	if (at < octets.n) {
		struct buf line;
		begin(p->smsc, p, &line);
		buf_printf(&line, ",\"out\":\"octets\",\"octets\":%zu", octets.n - at);
		end(p->smsc, &line);
	}
}

void smsc_log_in(struct smsc_peer *p, struct view octets)
{
	struct smsc_wire *w = &p->wire;
	if (!p->smsc->log || w->lost)
		return;
	if (!buf_add_view(&w->seen, octets)) {
		w->lost = true;
		return;
	}
	buf_drop(&w->seen, log_pdus(p, "in", buf_view(&w->seen), &w->lost));
	if (w->lost)
		smsc_log_event(p->smsc, p, "no_pdu", "command_length");
}

void smsc_log_event(struct smsc *s, const struct smsc_peer *p, const char *event, const char *reason)
{
	struct buf line;
	if (!s->log)
		return;
	begin(s, p, &line);
	buf_printf(&line, ",\"event\":\"%s\"", event);
	add_text(&line, "reason", view_str(reason));
	end(s, &line);
	fflush(s->log);
}

/* What became of a message: whether it is on its way to a phone, and which answer was decided, if any. */
void smsc_log_verdict(struct smsc_peer *p, uint32_t sequence, bool taken, bool answers, uint32_t status)
{
	struct buf line;
	if (!p->smsc->log)
		return;
	begin(p->smsc, p, &line);
	buf_printf(&line, ",\"event\":\"verdict\",\"sequence\":%u,\"taken\":%s", sequence, taken ? "true" : "false");
	if (answers)
		buf_printf(&line, ",\"status\":%u", status);
	end(p->smsc, &line);
}

/* --- faults --------------------------------------------------------------------------------------------------------
 */

void smsc_did_line(struct smsc *s, const struct smsc_peer *p, enum script_fault f, int rule_line, uint32_t sequence)
{
	struct buf line;
	s->fault[f]++;
	if (!s->log)
		return;
	begin(s, p, &line);
	buf_printf(&line, ",\"fault\":\"%s\"", script_fault_row(f)->name);
	if (rule_line > 0)
		buf_printf(&line, ",\"line\":%d", rule_line);
	if (sequence)
		buf_printf(&line, ",\"sequence\":%u", sequence);
	end(s, &line);
}

void smsc_did(struct smsc *s, const struct smsc_peer *p, const struct script_plan *plan, enum script_fault f,
              uint32_t sequence)
{
	smsc_did_line(s, p, f, (int)plan->rule[f]->line, sequence);
}

void smsc_summary(struct smsc *s)
{
	const char *comma = "";
	printf("{\"submitted\":%llu,\"answered\":%llu,\"delivered\":%llu,\"acknowledged\":%llu,\"dropped\":%llu,"
	       "\"refused\":%llu,\"requested\":%llu,\"unanswered\":%llu,\"open\":%u,\"forgotten\":%llu,\"waiting\":%zu,"
	       "\"seed\":%llu,\"faults\":{",
	       (unsigned long long)s->submitted, (unsigned long long)s->answered, (unsigned long long)s->delivered,
	       (unsigned long long)s->acknowledged, (unsigned long long)s->dropped, (unsigned long long)s->refused,
	       (unsigned long long)s->requested, (unsigned long long)s->unanswered, script_book_open(s->book),
	       (unsigned long long)script_book_forgotten(s->book), s->later_count, (unsigned long long)s->seed);
	for (int f = 0; f < SCRIPT_FAULT_COUNT; f++)
		if (s->fault[f]) {
			printf("%s\"%s\":%llu", comma, script_fault_row((enum script_fault)f)->name,
			       (unsigned long long)s->fault[f]);
			comma = ",";
		}
	printf("}}\n");
	fflush(stdout);
}
