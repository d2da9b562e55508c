#include "smpp_page.h"

#include "smpp_meaning.h"
#include "smpp_receipt.h"
#include "smpp_row.h"
#include "smpp_status.h"
#include "smpp_walk.h"

#include <inttypes.h>
#include <string.h>

#define ROW_OCTETS 12 /* on one line */
#define WRAP 64       /* characters of a value on one line */
#define UDH_FLAG 0x40
#define UDH_SINGLE_SHIFT 0x24
#define UDH_LOCKING_SHIFT 0x25

struct page {
	const struct smpp_page_options *options;
	struct view octets;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	bool whole;
	struct buf *to;
	struct buf value; /* of the piece at hand: one line or more */
};

/* The octets of one line; of a TLV's first line tag and length stand apart. */
static size_t put_octets(struct page *p, const struct smpp_piece *piece, size_t at)
{
	char hex[2 * ROW_OCTETS + 2] = "";
	bool head = piece->kind == SMPP_PIECE_TLV && at == 0;
	size_t room = head ? ROW_OCTETS - 1 : ROW_OCTETS;
	size_t left = piece->octets.n - at;
	size_t n = left < room ? left : room;
	hex_encode(piece->octets.p + at, n, hex);
	if (head)
		buf_printf(p->to, "%.4s %.4s %-14s", hex, hex + 4, hex + 8);
	else
		buf_printf(p->to, "%-24s", hex);
	return n;
}

/* The next line of the value, cut off its front. */
static struct view next_line(struct view *value)
{
	size_t n = 0;
	while (n < value->n && value->p[n] != '\n')
		n++;
	struct view line = view_of(value->p, n);
	*value = n < value->n ? view_of(value->p + n + 1, value->n - n - 1) : (struct view){0};
	return line;
}

static void trim_end(struct buf *b)
{
	while (b->n && b->p[b->n - 1] == ' ')
		b->n--;
}

/* Octets on the left, value on the right, as many lines as the longer of them takes. */
static void put_piece(struct page *p, const struct smpp_piece *piece, const char *name, bool hidden)
{
	struct view value = buf_view(&p->value);
	size_t at = hidden ? piece->octets.n : 0;
	for (unsigned i = 0; i == 0 || at < piece->octets.n || value.n; i++) {
		if (i == 0)
			buf_printf(p->to, "%6zu  ", piece->offset);
		else
			buf_printf(p->to, "%6s  ", "");
		if (at < piece->octets.n)
			at += put_octets(p, piece, at);
		else
			buf_printf(p->to, "%-24s", hidden && i == 0 ? "(masked)" : "");
		struct view line = next_line(&value);
		buf_printf(p->to, "  %-28s  %.*s", i ? "" : name, (int)line.n, (const char *)line.p);
		trim_end(p->to);
		buf_add_u8(p->to, '\n');
	}
}

/* Octets of the character or escape at the front of a quoted text. */
static size_t unit(struct view text)
{
	size_t n = 1;
	if (text.p[0] == '\\' && text.n > 1 && text.p[1] == 'x')
		n = 4;
	else if (text.p[0] == '\\' && text.n > 1 && text.p[1] == 'u')
		n = 8;
	else if (text.p[0] == '\\')
		n = 2;
	else
		while (n < text.n && (text.p[n] & 0xc0) == 0x80)
			n++;
	return n < text.n ? n : text.n;
}

/* Octets of the first line: up to WRAP characters, ended behind a blank where there is one. */
static size_t line_size(struct view text)
{
	size_t blank = 0;
	size_t columns = 0;
	for (size_t at = 0; at < text.n;) {
		size_t n = unit(view_of(text.p + at, text.n - at));
		columns += text.p[at] == '\\' ? n : 1;
		if (columns > WRAP && at + n < text.n)
			return blank ? blank : at;
		at += n;
		if (text.p[at - 1] == ' ')
			blank = at;
	}
	return text.n;
}

static void quote(struct page *p, struct view text)
{
	struct buf quoted = BUF(SMPP_PAGE_BYTES);
	smpp_meaning_quote(text, &quoted);
	for (struct view left = buf_view(&quoted); left.n;) {
		size_t n = line_size(left);
		buf_add(&p->value, left.p, n);
		left = view_of(left.p + n, left.n - n);
		if (left.n)
			buf_add_u8(&p->value, '\n');
	}
	buf_free(&quoted);
}

static void add_number(struct page *p, const char *name, uint32_t number)
{
	buf_printf(&p->value, "%" PRIu32, number);
	smpp_meaning_add(name, number, &p->value);
}

static void add_entry(struct page *p, enum smpp_type type, const struct smpp_dest *dest)
{
	if (type != SMPP_IDS && dest->dest_flag == 1) {
		buf_add_str(&p->value, "ton ");
		add_number(p, "ton", dest->ton);
		buf_add_str(&p->value, ", npi ");
		add_number(p, "npi", dest->npi);
		buf_add_str(&p->value, ", ");
	} else if (type == SMPP_DESTS) {
		buf_add_str(&p->value, "distribution list ");
	}
	smpp_meaning_quote(dest->address, &p->value);
	if (type == SMPP_UNSUCCESS)
		smpp_meaning_add("error_status_code", dest->error_status_code, &p->value);
}

static void add_list(struct page *p, const struct smpp_piece *piece)
{
	size_t at = 0;
	struct smpp_dest dest;
	if (piece->value->text.n == 0)
		buf_add_str(&p->value, "none");
	for (unsigned i = 1; smpp_list_next(piece->row->type, piece->value->text, &at, &dest); i++) {
		buf_printf(&p->value, "%s%u: ", i > 1 ? "\n" : "", i);
		add_entry(p, piece->row->type, &dest);
	}
}

static void add_element(struct page *p, const char *name, struct view data)
{
	if (name) {
		buf_printf(&p->value, " %s: ", name);
		smpp_meaning_parts(name, data, &p->value);
		return;
	}
	buf_add_str(&p->value, ": ");
	for (size_t i = 0; i < data.n; i++)
		buf_printf(&p->value, "%02x", data.p[i]);
}

/* A user data header, when the octets begin with a whole one; what says how the text behind it is read goes to *text.
 */
static void add_udh(struct page *p, struct smpp_page_text *text)
{
	struct view octets = text->octets;
	if (octets.n == 0 || (size_t)octets.p[0] + 1 > octets.n)
		return;
	struct cursor c = cursor_over(view_of(octets.p + 1, octets.p[0]));
	while (cursor_left(&c) >= 2) {
		uint8_t element = cursor_u8(&c);
		struct view data = cursor_take(&c, cursor_u8(&c));
		if (data.n == 1 && element == UDH_SINGLE_SHIFT)
			text->single = data.p[0];
		if (data.n == 1 && element == UDH_LOCKING_SHIFT)
			text->locking = data.p[0];
		buf_printf(&p->value, "header %02x", element);
		if (c.bad)
			buf_add_str(&p->value, ": longer than the header");
		else
			add_element(p, smpp_meaning_udh(element), data);
		buf_add_u8(&p->value, '\n');
	}
	text->header_octets = (uint8_t)(octets.p[0] < UINT8_MAX ? octets.p[0] + 1 : UINT8_MAX);
	text->octets = view_of(octets.p + octets.p[0] + 1, octets.n - octets.p[0] - 1);
}

/* data_coding of octets that are no text: SMPP 3.4 5.2.19, 3GPP TS 23.038 section 4. */
static bool is_binary(uint8_t coding)
{
	return coding == 2 || coding == 4 || (coding & 0xfc) == 0x14 || (coding & 0xf4) == 0xf4;
}

static void add_text(struct page *p, struct view octets)
{
	struct smpp_page_text text = {octets, (uint8_t)p->pdu.field[SMPP_F_data_coding].number, 0, 0, 0};
	if (p->pdu.field[SMPP_F_esm_class].number & UDH_FLAG)
		add_udh(p, &text);
	if (!p->options->text_cb || is_binary(text.data_coding)) {
		quote(p, text.octets);
		return;
	}
	struct buf utf8 = BUF(SMPP_PAGE_BYTES);
	bool exact = p->options->text_cb(p->options->context, &text, &utf8);
	quote(p, buf_view(&utf8));
	if (!exact)
		buf_add_str(&p->value, "\nnot what data_coding says");
	buf_free(&utf8);
}

static void add_field(struct page *p, const struct smpp_piece *piece)
{
	switch (piece->row->type) {
	case SMPP_U8:
	case SMPP_U32:
		add_number(p, piece->name, piece->value->number);
		return;
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		add_list(p, piece);
		return;
	case SMPP_OCTETS:
		add_text(p, piece->value->text);
		return;
	case SMPP_CSTR:
	case SMPP_TIME:
		break;
	}
	quote(p, piece->value->text);
	smpp_meaning_time(piece->value->text, &p->value);
}

static bool printable(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return v.n > 0;
}

static void add_size(struct page *p, size_t n)
{
	buf_printf(&p->value, "%zu octet%s", n, n == 1 ? "" : "s");
}

/* Octets that have no alphabet: their parts, and as text when they can be read. */
static void add_octets(struct page *p, const char *name, struct view v)
{
	if (printable(v))
		quote(p, v);
	else if (!name || !smpp_meaning_parts(name, v, &p->value))
		add_size(p, v.n);
}

static void add_tlv(struct page *p, const struct smpp_piece *piece, const struct smpp_tlv_row *row)
{
	uint32_t number;
	if (piece->tlv->tag == SMPP_TAG_message_payload)
		add_text(p, piece->tlv->value);
	else if (row && row->type <= SMPP_TLV_U32 && smpp_tlv_number(piece->tlv, &number))
		add_number(p, row->name, number);
	else if (row && row->type == SMPP_TLV_CSTR)
		quote(p, smpp_tlv_text(piece->tlv));
	else
		add_octets(p, piece->name, piece->tlv->value);
}

static void put_hidden(struct page *p, const struct smpp_piece *piece, const char *name)
{
	add_size(p, piece->octets.n - (piece->kind == SMPP_PIECE_TLV ? 4 : 0));
	put_piece(p, piece, name, true);
}

static void put_tlv(struct page *p, const struct smpp_piece *piece)
{
	const struct smpp_tlv_row *row = smpp_tlv_row_of(piece->tlv->tag);
	bool vendor = piece->tlv->tag >= 0x1400 && piece->tlv->tag <= 0x3fff;
	const char *name = row ? row->name : vendor ? "(vendor's TLV)" : "(unknown TLV)";
	if (p->options->masked && (!row || row->type == SMPP_TLV_PERSONAL)) {
		put_hidden(p, piece, name);
		return;
	}
	add_tlv(p, piece, row);
	put_piece(p, piece, name, false);
}

static void put_header(struct page *p, const struct smpp_piece *piece)
{
	if (strcmp(piece->name, "command_id") == 0)
		buf_add_str(&p->value, smpp_command_name(p->pdu.command));
	else if (strcmp(piece->name, "command_status") == 0)
		buf_printf(&p->value, "%s: %s", smpp_status_name(piece->number), smpp_status_sentence(piece->number));
	else
		add_number(p, piece->name, piece->number);
	put_piece(p, piece, piece->name, false);
}

static void put_rest(struct page *p, const struct smpp_piece *piece)
{
	add_size(p, piece->octets.n);
	buf_add_str(&p->value, !p->whole                  ? ": not decoded"
	                       : p->pdu.tlvs_dropped == 0 ? ": nothing but NULs"
	                       : p->pdu.has_body          ? ": no whole TLV, or one too many"
	                                                  : ": not decoded, which an error status excuses");
	put_piece(p, piece, "(rest)", p->options->masked);
}

static void put(struct page *p, const struct smpp_piece *piece)
{
	buf_clear(&p->value);
	switch (piece->kind) {
	case SMPP_PIECE_HEADER:
		put_header(p, piece);
		return;
	case SMPP_PIECE_FIELD:
		if (p->options->masked && smpp_field_masked(piece->row->field)) {
			put_hidden(p, piece, piece->name);
			return;
		}
		add_field(p, piece);
		put_piece(p, piece, piece->name, false);
		return;
	case SMPP_PIECE_TLV:
		put_tlv(p, piece);
		return;
	case SMPP_PIECE_REST:
		put_rest(p, piece);
		return;
	}
}

static void put_receipt(struct page *p)
{
	struct smpp_receipt receipt;
	if (!smpp_receipt_parse(&p->pdu, &receipt))
		return;
	buf_add_str(p->to, "receipt:");
	if (!p->options->masked) {
		buf_add_str(p->to, " id ");
		smpp_meaning_quote(receipt.id, p->to);
	}
	if (receipt.state == SMPP_STATE_NONE)
		buf_add_str(p->to, "  no state that is known");
	else
		smpp_meaning_add("message_state", receipt.state, p->to);
	if (receipt.error[0] && !p->options->masked) {
		buf_add_str(p->to, "  error ");
		smpp_meaning_quote(view_str(receipt.error), p->to);
	}
	buf_add_u8(p->to, '\n');
}

static void put_fault(struct page *p)
{
	enum smpp_command answer = smpp_fault_answer(&p->pdu, &p->fault);
	buf_printf(p->to, "fault: %s at %" PRIu32 ": %s\n", p->fault.field, p->fault.offset, p->fault.sentence);
	if (answer == SMPP_UNKNOWN)
		buf_add_str(p->to, "answer: none\n");
	else
		buf_printf(p->to, "answer: %s with %08" PRIx32 "  %s\n", smpp_command_name(answer), p->fault.status,
		           smpp_status_name(p->fault.status));
}

void smpp_page_print(struct view octets, const struct smpp_page_options *options, struct buf *to)
{
	struct page p = {.options = options, .octets = octets, .to = to, .value = BUF(SMPP_PAGE_BYTES)};
	struct smpp_walk walk;
	struct smpp_piece piece;
	p.whole = smpp_pdu_decode(octets, &p.pdu, &p.fault);
	buf_printf(to, "%s, %zu octets\n", smpp_command_name(p.pdu.command), octets.n);
	smpp_walk_start(&walk, octets, &p.pdu, p.whole ? NULL : &p.fault);
	while (smpp_walk_next(&walk, &piece))
		put(&p, &piece);
	if (p.whole)
		put_receipt(&p);
	else
		put_fault(&p);
	buf_free(&p.value);
}
