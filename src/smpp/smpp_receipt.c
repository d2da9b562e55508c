#include "smpp_receipt.h"

#include <stdio.h>
#include <string.h>

#define ESM_TYPE 0x3c
#define ESM_RECEIPT 0x04
#define ESM_INTERMEDIATE 0x20
#define UCS2 8
#define ID_BYTES 65       /* longest message_id that is looked at */
#define NARROW_BYTES 1024 /* octets of a UCS-2 receipt's text that are looked at, halved */

static const struct {
	const char *name;
	bool final;
} states[] = {
#define SMPP_MESSAGE_STATE(name, number, final, sentence) [SMPP_STATE_##name] = {#name, final},
#define SMPP_RECEIPT_WORD(word, state)
#define SMPP_RECEIPT_LABEL(label)
#include "smpp_receipt.def"
#undef SMPP_MESSAGE_STATE
#undef SMPP_RECEIPT_WORD
};

static const struct {
	const char *word;
	enum smpp_message_state state;
} words[] = {
#define SMPP_MESSAGE_STATE(name, number, final, sentence)
#define SMPP_RECEIPT_WORD(word, state) {word, SMPP_STATE_##state},
#include "smpp_receipt.def"
#undef SMPP_RECEIPT_WORD
#undef SMPP_RECEIPT_LABEL
};

static const char *const labels[] = {
#define SMPP_RECEIPT_WORD(word, state)
#define SMPP_RECEIPT_LABEL(label) label,
#include "smpp_receipt.def"
#undef SMPP_MESSAGE_STATE
#undef SMPP_RECEIPT_WORD
#undef SMPP_RECEIPT_LABEL
};

_Static_assert(sizeof states / sizeof states[0] == SMPP_STATE_NONE, "a row for every state");
#define SMPP_MESSAGE_STATE(name, number, final, sentence)                                                              \
	_Static_assert((int)SMPP_STATE_##name == (number), "numbers of message_state");
#define SMPP_RECEIPT_WORD(word, state)
#define SMPP_RECEIPT_LABEL(label)
#include "smpp_receipt.def"
#undef SMPP_MESSAGE_STATE
#undef SMPP_RECEIPT_WORD
#undef SMPP_RECEIPT_LABEL

const char *smpp_message_state_name(enum smpp_message_state s)
{
	return s < SMPP_STATE_NONE ? states[s].name : "NONE";
}

bool smpp_message_state_final(enum smpp_message_state s)
{
	return s < SMPP_STATE_NONE && states[s].final;
}

static bool is_blank(uint8_t c)
{
	return c <= ' ';
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool starts_with(struct view text, size_t at, const char *label)
{
	size_t n = strlen(label);
	return text.n - at >= n && view_eq_nocase(view_of(text.p + at, n), view_of(label, n));
}

/* Where a label stands with no letter or digit before it; text.n when it does not. */
static size_t find_label(struct view text, const char *label)
{
	for (size_t at = 0; at < text.n; at++)
		if ((at == 0 || !is_word(text.p[at - 1])) && starts_with(text, at, label))
			return at;
	return text.n;
}

/* The octets up to the next blank. */
static struct view token_at(struct view text, size_t at)
{
	size_t end = at;
	while (end < text.n && !is_blank(text.p[end]))
		end++;
	return view_of(text.p + at, end - at);
}

/* The value behind a label, blanks after the colon skipped; empty when the next label follows at once. */
static struct view value_of(struct view text, const char *label)
{
	size_t at = find_label(text, label);
	if (at == text.n)
		return (struct view){0};
	at += strlen(label);
	while (at < text.n && is_blank(text.p[at]))
		at++;
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
		if (starts_with(text, at, labels[i]))
			return (struct view){0};
	return token_at(text, at);
}

static enum smpp_message_state state_of_word(struct view word)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (view_eq_nocase(word, view_str(words[i].word)))
			return words[i].state;
	return SMPP_STATE_NONE;
}

/* Some senders leave out "stat:" and write the bare word before "err:". */
static enum smpp_message_state state_of_bare_word(struct view text)
{
	size_t at = 0;
	while (at < text.n) {
		struct view token = token_at(text, at);
		enum smpp_message_state state = state_of_word(token);
		if (state != SMPP_STATE_NONE)
			return state;
		at += token.n + 1;
	}
	return SMPP_STATE_NONE;
}

static struct view before(struct view text, const char *label)
{
	return view_of(text.p, find_label(text, label));
}

static enum smpp_message_state state_of_text(struct view text, bool has_id)
{
	if (find_label(text, "stat:") < text.n)
		return state_of_word(value_of(text, "stat:"));
	return has_id ? state_of_bare_word(before(text, "err:")) : SMPP_STATE_NONE;
}

static enum smpp_message_state state_of_tlv(const struct smpp_pdu *pdu)
{
	const struct smpp_tlv *tlv = smpp_pdu_tlv(pdu, SMPP_TAG_message_state);
	uint32_t number;
	if (!tlv || !smpp_tlv_number(tlv, &number) || number >= SMPP_STATE_NONE)
		return SMPP_STATE_NONE;
	return (enum smpp_message_state)number;
}

/* The TLV counts, but a final word outweighs a TLV that says the message is still on its way (trap 28). */
static enum smpp_message_state settle(enum smpp_message_state tlv, enum smpp_message_state text)
{
	if (tlv == SMPP_STATE_NONE || (!smpp_message_state_final(tlv) && smpp_message_state_final(text)))
		return text;
	return tlv;
}

static bool all_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0;
}

static void error_of_tlv(const struct smpp_pdu *pdu, char to[17])
{
	const struct smpp_tlv *tlv = smpp_pdu_tlv(pdu, SMPP_TAG_network_error_code);
	if (!tlv)
		return;
	struct view v = tlv->value;
	if (all_digits(v))
		copy_view(to, 17, v);
	else if (v.n == 3)
		snprintf(to, 17, "%u:%u", v.p[0], v.p[1] << 8 | v.p[2]);
	else
		hex_encode(v.p, v.n < 8 ? v.n : 8, to);
}

/* What goes into a record is printable; the value ends where that ends. */
static void error_of_text(struct view text, char to[17])
{
	struct view v = value_of(text, "err:");
	size_t n = 0;
	while (n < v.n && v.p[n] > ' ' && v.p[n] < 0x7f)
		n++;
	copy_view(to, 17, view_of(v.p, n));
}

static struct view strip_nuls(struct view text)
{
	while (text.n && text.p[0] == 0)
		text.p++, text.n--;
	while (text.n && text.p[text.n - 1] == 0)
		text.n--;
	return text;
}

static bool looks_wide(struct view text, uint32_t data_coding)
{
	if (text.n < 2 || text.n % 2)
		return false;
	size_t zeros = 0;
	for (size_t i = 0; i < text.n; i += 2)
		zeros += text.p[i] == 0;
	return zeros == text.n / 2 || (data_coding == UCS2 && text.p[0] == 0);
}

/* The labels are ASCII in any receipt: a UCS-2 one is read by its low octets. */
static struct view narrow(struct view text, uint8_t to[NARROW_BYTES])
{
	size_t n = text.n / 2 < NARROW_BYTES ? text.n / 2 : NARROW_BYTES;
	for (size_t i = 0; i < n; i++)
		to[i] = text.p[2 * i] ? '?' : text.p[2 * i + 1];
	return view_of(to, n);
}

static struct view text_of(const struct smpp_pdu *pdu)
{
	const struct smpp_tlv *payload = smpp_pdu_tlv(pdu, SMPP_TAG_message_payload);
	struct view text = pdu->field[SMPP_F_short_message].text;
	return text.n || !payload ? text : payload->value;
}

/* SMPP_STATE_NONE for what the text does not say. Returns whether it has both of its labels. */
static bool read_text(struct view raw, bool wide, struct smpp_receipt *r)
{
	uint8_t low[NARROW_BYTES];
	struct view text = before(strip_nuls(wide ? narrow(raw, low) : raw), "text:");
	struct view id = value_of(text, "id:");
	bool has_id = r->id.n || id.n;
	if (r->id.n == 0 && id.n <= ID_BYTES) {
		copy_view(r->wide_id, sizeof r->wide_id, id);
		r->id = wide ? view_str(r->wide_id) : id;
	}
	enum smpp_message_state said = state_of_text(text, has_id);
	r->conflict = said != SMPP_STATE_NONE && r->state != SMPP_STATE_NONE && said != r->state;
	r->state = settle(r->state, said);
	error_of_text(text, r->error);
	return id.n && id.n <= ID_BYTES && find_label(text, "stat:") < text.n && said != SMPP_STATE_NONE;
}

static struct view id_of_tlv(const struct smpp_pdu *pdu)
{
	const struct smpp_tlv *tlv = smpp_pdu_tlv(pdu, SMPP_TAG_receipted_message_id);
	struct view id = tlv ? smpp_tlv_text(tlv) : (struct view){0};
	return id.n <= ID_BYTES ? id : (struct view){0};
}

static int32_t reference_of_tlv(const struct smpp_pdu *pdu)
{
	const struct smpp_tlv *tlv = smpp_pdu_tlv(pdu, SMPP_TAG_user_message_reference);
	uint32_t number;
	if (!tlv || tlv->value.n != 2 || !smpp_tlv_number(tlv, &number))
		return -1;
	return (int32_t)number;
}

/* Reads TLVs and text. Returns whether the text alone looks like a receipt. */
static bool read_receipt(const struct smpp_pdu *pdu, struct smpp_receipt *r)
{
	r->raw = text_of(pdu);
	r->id = id_of_tlv(pdu);
	r->state = state_of_tlv(pdu);
	r->reference = reference_of_tlv(pdu);
	bool looks = read_text(r->raw, looks_wide(r->raw, pdu->field[SMPP_F_data_coding].number), r);
	if (r->error[0] == 0)
		error_of_tlv(pdu, r->error);
	return looks;
}

static bool is_delivery(const struct smpp_pdu *pdu)
{
	return pdu->command == SMPP_deliver_sm || pdu->command == SMPP_data_sm;
}

static uint32_t type_of(const struct smpp_pdu *pdu)
{
	return pdu->field[SMPP_F_esm_class].number & ESM_TYPE;
}

bool smpp_receipt_flagged(const struct smpp_pdu *pdu)
{
	return is_delivery(pdu) && (type_of(pdu) == ESM_RECEIPT || type_of(pdu) == ESM_INTERMEDIATE);
}

bool smpp_receipt_parse(const struct smpp_pdu *pdu, struct smpp_receipt *receipt_r)
{
	*receipt_r = (struct smpp_receipt){.state = SMPP_STATE_NONE, .reference = -1};
	if (!smpp_receipt_flagged(pdu))
		return false;
	receipt_r->intermediate = type_of(pdu) == ESM_INTERMEDIATE;
	read_receipt(pdu, receipt_r);
	return receipt_r->id.n || receipt_r->state != SMPP_STATE_NONE;
}

bool smpp_receipt_parse_unflagged(const struct smpp_pdu *pdu, struct smpp_receipt *receipt_r)
{
	*receipt_r = (struct smpp_receipt){.state = SMPP_STATE_NONE, .reference = -1};
	if (!is_delivery(pdu) || type_of(pdu))
		return false;
	return read_receipt(pdu, receipt_r);
}
