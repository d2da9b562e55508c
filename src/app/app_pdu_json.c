#include "app_pdu.h"

#include "base_pool.h"
#include "smpp_row.h"
#include "smpp_status.h"
#include "smpp_walk.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_PREFIX "hex:" /* before octets that are no printable ASCII */

static const struct {
	const char *name;
	uint16_t tag;
} tlv_names[] = {
#define SMPP_TLV(name, tag, type, min, max, note) {#name, tag},
#include "smpp_tlv.def"
#undef SMPP_TLV
};

static const struct {
	const char *name;
	uint32_t code;
} status_names[] = {
#define SMPP_STATUS(name, code, class, sentence) {"ESME_" #name, code},
#include "smpp_status.def"
#undef SMPP_STATUS
};

/* --- out ------------------------------------------------------------------------------------------------------ */

static int append_cb(const char *text, size_t n, void *to)
{
	return buf_add(to, text, n) ? 0 : -1;
}

/* Appends the document and lets it go. */
static void write_json(json_t *root, struct buf *to)
{
	json_dump_callback(root, append_cb, to, JSON_COMPACT);
	json_decref(root);
}

static json_t *padded_hex(int width, uint32_t number)
{
	char text[16];
	snprintf(text, sizeof text, "0x%0*" PRIx32, width, number);
	return json_string(text);
}

static json_t *hex_json(const char *prefix, struct view octets)
{
	size_t n = strlen(prefix);
	char *text = mem_alloc(n + 2 * octets.n + 1);
	memcpy(text, prefix, n);
	hex_encode(octets.p, octets.n, text + n);
	json_t *json = json_string(text);
	free(text);
	return json;
}

static bool printable(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	return true;
}

static bool has_prefix(struct view text)
{
	return text.n >= strlen(HEX_PREFIX) && memcmp(text.p, HEX_PREFIX, strlen(HEX_PREFIX)) == 0;
}

/* What looks like the prefix is written as octets, so that it comes back. */
static json_t *text_json(struct view text)
{
	if (!printable(text) || has_prefix(text))
		return hex_json(HEX_PREFIX, text);
	return json_stringn(text.n ? (const char *)text.p : "", text.n);
}

static json_t *entry_json(enum smpp_type type, const struct smpp_dest *dest)
{
	if (type == SMPP_IDS)
		return text_json(dest->address);
	json_t *entry = json_object();
	if (type == SMPP_DESTS)
		json_object_set_new(entry, "dest_flag", json_integer(dest->dest_flag));
	if (dest->dest_flag == 2) {
		json_object_set_new(entry, "dl_name", text_json(dest->address));
		return entry;
	}
	json_object_set_new(entry, "dest_addr_ton", json_integer(dest->ton));
	json_object_set_new(entry, "dest_addr_npi", json_integer(dest->npi));
	json_object_set_new(entry, "destination_addr", text_json(dest->address));
	if (type == SMPP_UNSUCCESS)
		json_object_set_new(entry, "error_status_code", json_integer(dest->error_status_code));
	return entry;
}

static json_t *list_json(enum smpp_type type, struct view entries)
{
	json_t *list = json_array();
	struct smpp_dest dest;
	size_t at = 0;
	while (smpp_list_next(type, entries, &at, &dest))
		json_array_append_new(list, entry_json(type, &dest));
	return list;
}

static json_t *field_json(const struct smpp_piece *piece)
{
	switch (piece->row->type) {
	case SMPP_U8:
	case SMPP_U32:
		return json_integer(piece->value->number);
	case SMPP_CSTR:
	case SMPP_TIME:
		return text_json(piece->value->text);
	case SMPP_OCTETS:
		return hex_json("", piece->value->text);
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		break;
	}
	return list_json(piece->row->type, piece->value->text);
}

static json_t *tlv_json(const struct smpp_piece *piece)
{
	json_t *tlv = json_object();
	json_object_set_new(tlv, "tag", padded_hex(4, piece->tlv->tag));
	json_object_set_new(tlv, "name", piece->name ? json_string(piece->name) : json_null());
	json_object_set_new(tlv, "length", json_integer((json_int_t)piece->tlv->value.n));
	json_object_set_new(tlv, "hex", hex_json("", piece->tlv->value));
	return tlv;
}

static void add_head(json_t *root, const struct smpp_pdu *pdu)
{
	json_object_set_new(root, "command", json_string(smpp_command_name(pdu->command)));
	if (pdu->command == SMPP_UNKNOWN)
		json_object_set_new(root, "command_id", padded_hex(8, pdu->command_id));
	json_object_set_new(root, "command_status", padded_hex(8, pdu->command_status));
	json_object_set_new(root, "sequence_number", json_integer(pdu->sequence_number));
}

static void add_body(json_t *root, struct view octets, const struct smpp_pdu *pdu)
{
	struct smpp_walk walk;
	struct smpp_piece piece;
	json_t *fields = json_object();
	json_t *tlvs = json_array();
	json_object_set_new(root, "fields", fields);
	json_object_set_new(root, "tlvs", tlvs);
	smpp_walk_start(&walk, octets, pdu, NULL);
	while (smpp_walk_next(&walk, &piece)) {
		if (piece.kind == SMPP_PIECE_FIELD)
			json_object_set_new(fields, piece.name, field_json(&piece));
		else if (piece.kind == SMPP_PIECE_TLV)
			json_array_append_new(tlvs, tlv_json(&piece));
		else if (piece.kind == SMPP_PIECE_REST)
			json_object_set_new(root, "rest", hex_json("", piece.octets));
	}
}

static json_t *fault_json(const struct smpp_fault *fault)
{
	json_t *error = json_object();
	json_object_set_new(error, "field", json_string(fault->field));
	json_object_set_new(error, "offset", json_integer(fault->offset));
	json_object_set_new(error, "status", padded_hex(8, fault->status));
	json_object_set_new(error, "status_name", json_string(smpp_status_name(fault->status)));
	json_object_set_new(error, "sentence", json_string(fault->sentence));
	return error;
}

static void add_fault(json_t *root, const struct smpp_pdu *pdu, const struct smpp_fault *fault)
{
	json_t *error = fault_json(fault);
	enum smpp_command answer = smpp_fault_answer(pdu, fault);
	json_object_set_new(error, "answer",
	                    answer == SMPP_UNKNOWN ? json_null() : json_string(smpp_command_name(answer)));
	json_object_set_new(root, "error", error);
}

void app_pdu_to_json(struct view octets, struct buf *to)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	json_t *root = json_object();
	bool whole = smpp_pdu_decode(octets, &pdu, &fault);
	if (octets.n >= SMPP_HEADER_BYTES)
		add_head(root, &pdu);
	if (whole)
		add_body(root, octets, &pdu);
	else
		add_fault(root, &pdu, &fault);
	write_json(root, to);
}

void app_pdu_error_json(const char *field, size_t offset, const char *sentence, struct buf *to)
{
	json_t *words = json_string(sentence); /* NULL when it quotes octets that are no UTF-8 */
	write_json(json_pack("{s:{s:s,s:o,s:n,s:n,s:o}}", "error", "field", field, "offset",
	                     offset == APP_PDU_NO_OFFSET ? json_null() : json_integer((json_int_t)offset), "status",
	                     "status_name", "sentence", words ? words : json_string("it cannot be read")),
	           to);
}

/* --- in ------------------------------------------------------------------------------------------------------- */

struct reader {
	struct smpp_pdu pdu; /* without its TLVs */
	struct smpp_tlv tlv[LIMIT_PDU_TLVS];
	unsigned tlvs;
	struct view rest;
	struct pool pool;
	struct buf *errors;
};

/* Says what is wrong with a member of the document, which is no fault of a PDU. */
static bool wrong(struct reader *r, const char *name, const char *sentence)
{
	app_pdu_error_json(name, APP_PDU_NO_OFFSET, sentence, r->errors);
	return false;
}

static bool read_number(struct reader *r, const char *name, const json_t *json, uint32_t max, uint32_t *number_r)
{
	json_int_t number = json_integer_value(json);
	if (!json_is_integer(json) || number < 0 || number > max)
		return wrong(r, name, "it must be a number within the field's width");
	*number_r = (uint32_t)number;
	return true;
}

static struct view string_view(const json_t *json)
{
	return view_of(json_string_value(json), json_string_length(json));
}

static bool read_hex(struct reader *r, const char *name, struct view digits, struct view *octets_r)
{
	size_t n = digits.n / 2;
	uint8_t *p = pool_alloc(&r->pool, n ? n : 1);
	if (!hex_decode(digits, p, n))
		return wrong(r, name, "it must be hexadecimal digits in pairs");
	*octets_r = view_of(p, n);
	return true;
}

static bool read_octets(struct reader *r, const char *name, const json_t *json, struct view *octets_r)
{
	if (!json_is_string(json))
		return wrong(r, name, "it must be a string of hexadecimal digits");
	return read_hex(r, name, string_view(json), octets_r);
}

static bool read_text(struct reader *r, const char *name, const json_t *json, struct view *text_r)
{
	if (!json_is_string(json))
		return wrong(r, name, "it must be a string");
	struct view text = string_view(json);
	size_t prefix = strlen(HEX_PREFIX);
	if (has_prefix(text)) {
		if (!read_hex(r, name, view_of(text.p + prefix, text.n - prefix), &text))
			return false;
	} else if (!printable(text)) {
		return wrong(r, name, "it must be printable ASCII, or hex: and hexadecimal digits");
	}
	if (text.n && memchr(text.p, 0, text.n))
		return wrong(r, name, "it has a NUL inside");
	*text_r = text;
	return true;
}

/* A member of an object that holds exactly the members looked for; left counts down to none. */
static const json_t *member(const json_t *object, const char *name, size_t *left)
{
	const json_t *json = json_object_get(object, name);
	*left -= json != NULL;
	return json;
}

static bool read_u8_member(struct reader *r, const json_t *object, const char *name, size_t *left, struct buf *to)
{
	uint32_t number = 0;
	const json_t *json = member(object, name, left);
	if (json && !read_number(r, name, json, 255, &number))
		return false;
	return buf_add_u8(to, (uint8_t)number);
}

static bool read_address(struct reader *r, const json_t *object, const char *name, size_t *left, struct buf *to)
{
	struct view text;
	const json_t *json = member(object, name, left);
	if (!json)
		return wrong(r, name, "an entry of the list lacks it");
	if (!read_text(r, name, json, &text))
		return false;
	if (!buf_add_view(to, text) || !buf_add_u8(to, 0))
		return wrong(r, name, "the list is longer than a PDU may be");
	return true;
}

static bool read_entry_object(struct reader *r, enum smpp_type type, const json_t *object, struct buf *to)
{
	size_t left = json_object_size(object);
	bool list = type == SMPP_DESTS && json_integer_value(json_object_get(object, "dest_flag")) == 2;
	if (!json_is_object(object))
		return wrong(r, "entry", "an entry of the list must be an object");
	if (type == SMPP_DESTS && !json_object_get(object, "dest_flag"))
		return wrong(r, "dest_flag", "an entry of the list lacks it");
	if (type == SMPP_DESTS && !read_u8_member(r, object, "dest_flag", &left, to))
		return false;
	if (!list && (!read_u8_member(r, object, "dest_addr_ton", &left, to) ||
	              !read_u8_member(r, object, "dest_addr_npi", &left, to)))
		return false;
	if (!read_address(r, object, list ? "dl_name" : "destination_addr", &left, to))
		return false;
	uint32_t status = 0;
	const json_t *code = type == SMPP_UNSUCCESS ? member(object, "error_status_code", &left) : NULL;
	if (code && !read_number(r, "error_status_code", code, UINT32_MAX, &status))
		return false;
	if (type == SMPP_UNSUCCESS)
		buf_add_u32(to, status);
	return left == 0 || wrong(r, "entry", "an entry of the list has a member that no row knows");
}

static bool read_id(struct reader *r, const char *name, const json_t *json, struct buf *to)
{
	struct view text;
	return read_text(r, name, json, &text) && ((buf_add_view(to, text) && buf_add_u8(to, 0)) ||
	                                           wrong(r, name, "the list is longer than a PDU may be"));
}

/* Whether the octets are read back as the entries they were made of. */
static bool fits_list(enum smpp_type type, const struct smpp_value *v)
{
	struct smpp_dest dest;
	size_t at = 0;
	uint32_t count = 0;
	while (smpp_list_next(type, v->text, &at, &dest))
		count++;
	return at == v->text.n && count == v->number;
}

static bool read_list(struct reader *r, const struct smpp_field_row *row, const json_t *json, struct smpp_value *v)
{
	const char *name = smpp_field_name(row->field);
	struct buf entries = BUF(LIMIT_PDU_BYTES);
	bool ok = json_is_array(json) || wrong(r, name, "it must be a list");
	for (size_t i = 0; ok && i < json_array_size(json); i++)
		ok = row->type == SMPP_IDS ? read_id(r, name, json_array_get(json, i), &entries)
		                           : read_entry_object(r, row->type, json_array_get(json, i), &entries);
	v->text = view_of(pool_copy(&r->pool, buf_view(&entries)), entries.n);
	v->number = (uint32_t)json_array_size(json);
	if (ok && !fits_list(row->type, v))
		ok = wrong(r, name, "an entry of the list does not fit its row");
	buf_free(&entries);
	return ok;
}

static bool read_value(struct reader *r, const struct smpp_field_row *row, const json_t *json)
{
	const char *name = smpp_field_name(row->field);
	struct smpp_value *v = &r->pdu.field[row->field];
	switch (row->type) {
	case SMPP_U8:
	case SMPP_U32:
		return read_number(r, name, json, row->max, &v->number);
	case SMPP_CSTR:
	case SMPP_TIME:
		return read_text(r, name, json, &v->text);
	case SMPP_OCTETS:
		v->number = (uint32_t)(json_string_length(json) / 2);
		return read_octets(r, name, json, &v->text);
	case SMPP_DESTS:
	case SMPP_UNSUCCESS:
	case SMPP_IDS:
		break;
	}
	return read_list(r, row, json, v);
}

/* A length or count that was given must be true: it is written from what is there. */
static bool check_counts(struct reader *r, const json_t *fields)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(r->pdu.command, &count);
	for (unsigned i = 0; i < count; i++) {
		const struct smpp_field_row *counted = smpp_row_counted(rows, i, count);
		const char *name = smpp_field_name(rows[i].field);
		if (counted && json_object_get(fields, name) &&
		    r->pdu.field[rows[i].field].number != r->pdu.field[counted->field].number)
			return wrong(r, name, "it does not count what is there");
	}
	return true;
}

/* Fields that are not given are zero or empty. */
static bool read_fields(struct reader *r, const json_t *fields)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(r->pdu.command, &count);
	size_t left = json_object_size(fields);
	if (fields && !json_is_object(fields))
		return wrong(r, "fields", "it must be an object");
	for (unsigned i = 0; i < count; i++) {
		const json_t *json = member(fields, smpp_field_name(rows[i].field), &left);
		if (json && !read_value(r, &rows[i], json))
			return false;
	}
	if (left)
		return wrong(r, "fields", "a field is not one of the command's");
	return check_counts(r, fields);
}

/* "0x0427", or a number. */
static bool read_code(struct reader *r, const char *name, const json_t *json, uint32_t max, uint32_t *code_r)
{
	if (json_is_integer(json))
		return read_number(r, name, json, max, code_r);
	const char *text = json_string_value(json);
	char *end = NULL;
	if (!text || strncmp(text, "0x", 2) != 0 || strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
		return wrong(r, name, "it must be 0x and hexadecimal digits");
	unsigned long long code = strtoull(text + 2, &end, 16);
	if (end == text + 2 || strlen(text) > 10 || code > max)
		return wrong(r, name, "it must be 0x and hexadecimal digits within its width");
	*code_r = (uint32_t)code;
	return true;
}

static bool read_tag(struct reader *r, const json_t *tag, const json_t *name, uint32_t *tag_r)
{
	if (tag)
		return read_code(r, "tag", tag, UINT16_MAX, tag_r);
	for (size_t i = 0; json_is_string(name) && i < sizeof tlv_names / sizeof tlv_names[0]; i++)
		if (strcmp(tlv_names[i].name, json_string_value(name)) == 0) {
			*tag_r = tlv_names[i].tag;
			return true;
		}
	return wrong(r, "name", "a TLV needs its tag, or a name that has one");
}

/* tag or name says which; where both are given they must agree, and so must length. */
static bool read_tlv(struct reader *r, const json_t *object)
{
	size_t left = json_object_size(object);
	const json_t *tag_json = member(object, "tag", &left);
	const json_t *name = member(object, "name", &left);
	const json_t *length = member(object, "length", &left);
	const json_t *hex = member(object, "hex", &left);
	struct view value;
	uint32_t tag;
	if (!json_is_object(object) || left)
		return wrong(r, "tlvs", "a TLV must be an object of tag, name, length and hex");
	if (!read_tag(r, tag_json, name, &tag) || !read_octets(r, "hex", hex, &value))
		return false;
	const char *known = smpp_tlv_name((uint16_t)tag);
	if (json_is_string(name) && (!known || strcmp(known, json_string_value(name)) != 0))
		return wrong(r, "name", "the tag has another name");
	if (length && (!json_is_integer(length) || json_integer_value(length) != (json_int_t)value.n))
		return wrong(r, "length", "it is not the length of the value");
	if (value.n > UINT16_MAX)
		return wrong(r, "hex", "a TLV has at most 65535 octets");
	r->tlv[r->tlvs++] = (struct smpp_tlv){(uint16_t)tag, value};
	return true;
}

static bool read_tlvs(struct reader *r, const json_t *tlvs)
{
	if (tlvs && !json_is_array(tlvs))
		return wrong(r, "tlvs", "it must be a list");
	if (json_array_size(tlvs) > LIMIT_PDU_TLVS)
		return wrong(r, "tlvs", "there are too many");
	for (size_t i = 0; i < json_array_size(tlvs); i++)
		if (!read_tlv(r, json_array_get(tlvs, i)))
			return false;
	return true;
}

static bool read_status(struct reader *r, const json_t *json)
{
	for (size_t i = 0; json_is_string(json) && i < sizeof status_names / sizeof status_names[0]; i++)
		if (strcmp(status_names[i].name, json_string_value(json)) == 0) {
			r->pdu.command_status = status_names[i].code;
			return true;
		}
	return !json || read_code(r, "command_status", json, UINT32_MAX, &r->pdu.command_status);
}

static bool read_command(struct reader *r, const json_t *json)
{
	unsigned c = 0;
	const char *name = json_is_string(json) ? json_string_value(json) : "";
	while (c < SMPP_COMMAND_COUNT && strcmp(smpp_command_name((enum smpp_command)c), name) != 0)
		c++;
	if (c == SMPP_COMMAND_COUNT)
		return wrong(r, "command", "no such command");
	smpp_pdu_init(&r->pdu, (enum smpp_command)c, 1);
	return true;
}

static bool read_document(struct reader *r, const json_t *root)
{
	size_t left = json_object_size(root);
	if (!json_is_object(root))
		return wrong(r, "json", "a PDU must be an object");
	if (!read_command(r, member(root, "command", &left)) || !read_status(r, member(root, "command_status", &left)))
		return false;
	const json_t *sequence = member(root, "sequence_number", &left);
	const json_t *fields = member(root, "fields", &left);
	const json_t *tlvs = member(root, "tlvs", &left);
	const json_t *rest = member(root, "rest", &left);
	if (left)
		return wrong(r, "json", "a member is not one that a PDU has");
	if (sequence && !read_number(r, "sequence_number", sequence, UINT32_MAX, &r->pdu.sequence_number))
		return false;
	if (!read_fields(r, fields) || !read_tlvs(r, tlvs) || (rest && !read_octets(r, "rest", rest, &r->rest)))
		return false;
	/* An answer that says nothing is a bare header. */
	r->pdu.has_body = !smpp_command_is_answer(r->pdu.command) || json_object_size(fields) || r->tlvs;
	return true;
}

/* TLVs are written as they are told, whatever length their rows want, so that all that decodes comes back. */
static bool add_tail(struct reader *r, struct buf *octets)
{
	bool room = true;
	for (unsigned i = 0; i < r->tlvs; i++)
		room = room && buf_add_u16(octets, r->tlv[i].tag) && buf_add_u16(octets, (uint16_t)r->tlv[i].value.n) &&
		       buf_add_view(octets, r->tlv[i].value);
	if (!room || !buf_add_view(octets, r->rest))
		return wrong(r, "command_length", "the PDU is too long");
	for (unsigned i = 0; i < 4; i++)
		octets->p[i] = (uint8_t)(octets->n >> (24 - 8 * i));
	return true;
}

static bool write_octets(struct reader *r, struct buf *to)
{
	struct smpp_fault fault;
	struct buf octets = BUF(LIMIT_PDU_BYTES);
	bool ok = smpp_pdu_encode(&r->pdu, &octets, &fault);
	if (!ok)
		write_json(json_pack("{s:o}", "error", fault_json(&fault)), r->errors);
	ok = ok && add_tail(r, &octets);
	if (ok)
		buf_add_view(to, buf_view(&octets));
	buf_free(&octets);
	return ok;
}

bool app_pdu_from_json(struct view line, struct buf *to)
{
	json_error_t error;
	struct reader *r = mem_alloc(sizeof *r);
	r->errors = to;
	json_t *root = json_loadb(line.n ? (const char *)line.p : "", line.n, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		app_pdu_error_json("json", error.position > 0 ? (size_t)error.position : 0, error.text, to);
	bool ok = root && read_document(r, root) && write_octets(r, to);
	json_decref(root);
	pool_free(&r->pool);
	free(r);
	return ok;
}
