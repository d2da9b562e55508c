#include "config_json.h"

#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 64

/* --- what must not stand in it -------------------------------------------------------------------------------------
 */

/* libyaml's document follows aliases silently, so the events are looked through first. */
static const char *refusal(const yaml_event_t *e, unsigned *documents)
{
	const yaml_char_t *anchor = NULL;
	const yaml_char_t *tag = NULL;
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return "aliases are not taken";
	case YAML_DOCUMENT_START_EVENT:
		return ++*documents > 1 ? "a second document begins" : NULL;
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	return anchor ? "anchors are not taken" : tag ? "tags are not taken" : NULL;
}

static bool all_plain(struct view yaml, struct buf *error)
{
	yaml_parser_t parser;
	unsigned documents = 0;
	bool ok = true;
	bool end = false;
	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	while (ok && !end) {
		yaml_event_t e;
		if (!yaml_parser_parse(&parser, &e))
			break; /* yaml_parser_load says what and where */
		const char *fault = refusal(&e, &documents);
		if (fault)
			buf_printf(error, "line %zu: %s", e.start_mark.line + 1, fault);
		ok = !fault;
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return ok;
}

/* --- scalars -------------------------------------------------------------------------------------------------------
 */

static size_t digits(const char *text, const char *which)
{
	return strspn(text, which);
}

/* JSON's own numbers, without exponent. */
static bool is_number(const char *text)
{
	static const char decimal[] = "0123456789";
	text += *text == '-';
	size_t n = digits(text, decimal);
	if (n == 0 || (text[0] == '0' && n > 1))
		return false;
	text += n;
	if (*text == '.') {
		n = digits(text + 1, decimal);
		if (n == 0)
			return false;
		text += 1 + n;
	}
	return *text == 0;
}

/* What some YAML reader takes for a number: signs, exponents, leading zeros, hexadecimal, octal. */
static bool numeric(const char *text)
{
	static const char decimal[] = "0123456789";
	text += *text == '-' || *text == '+';
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
		size_t n = digits(text + 2, text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567");
		return n && text[2 + n] == 0;
	}
	size_t whole = digits(text, decimal);
	text += whole;
	size_t part = *text == '.' ? digits(text + 1, decimal) : 0;
	if (whole + part == 0)
		return false;
	text += *text == '.' ? 1 + part : 0;
	if (*text == 'e' || *text == 'E') {
		text += text[1] == '-' || text[1] == '+' ? 2 : 1;
		size_t n = digits(text, decimal);
		return n && text[n] == 0;
	}
	return *text == 0;
}

/* What two YAML readers may read differently, so that it must be quoted. */
static bool ambiguous(const char *text)
{
	static const char *const words[] = {"null", "true", "false", "yes",   "no",    "on",  "off",
	                                    "y",    "n",    ".inf",  "-.inf", "+.inf", ".nan"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (view_eq_nocase(view_str(text), view_str(words[i])))
			return true;
	return numeric(text) || (digits(text, "0123456789") == 4 && text[4] == '-');
}

static void write_string(struct buf *to, const char *text, size_t n)
{
	buf_add_u8(to, '"');
	buf_add_json_text(to, view_of(text, n));
	buf_add_u8(to, '"');
}

static bool write_scalar(const yaml_node_t *node, struct buf *to, struct buf *error)
{
	const char *text = (const char *)node->data.scalar.value;
	size_t n = node->data.scalar.length;
	bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (plain && (n == 0 || strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
		return buf_add_str(to, "null");
	if (plain && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || is_number(text)))
		return buf_add(to, text, n);
	if (plain && ambiguous(text)) {
		buf_printf(error, "line %zu: quote %s, which is read in more than one way", node->start_mark.line + 1,
		           text);
		return false;
	}
	write_string(to, text, n);
	return true;
}

/* --- collections ---------------------------------------------------------------------------------------------------
 */

static bool write_node(yaml_document_t *doc, int index, int depth, struct buf *to, struct buf *error);

static bool same_text(const yaml_node_t *a, const yaml_node_t *b)
{
	return view_eq(view_of(a->data.scalar.value, a->data.scalar.length),
	               view_of(b->data.scalar.value, b->data.scalar.length));
}

static const char *key_fault(yaml_document_t *doc, const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
	const yaml_node_t *key = yaml_document_get_node(doc, pair->key);
	if (key->type != YAML_SCALAR_NODE)
		return "a key is not text";
	if (key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp((const char *)key->data.scalar.value, "<<") == 0)
		return "merge keys are not taken";
	for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++)
		if (same_text(yaml_document_get_node(doc, p->key), key))
			return "a key stands there twice";
	return NULL;
}

static bool write_mapping(yaml_document_t *doc, const yaml_node_t *node, int depth, struct buf *to, struct buf *error)
{
	buf_add_u8(to, '{');
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(doc, p->key);
		const char *fault = key_fault(doc, node, p);
		if (fault) {
			buf_printf(error, "line %zu: %s", key->start_mark.line + 1, fault);
			return false;
		}
		if (p > node->data.mapping.pairs.start)
			buf_add_u8(to, ',');
		write_string(to, (const char *)key->data.scalar.value, key->data.scalar.length);
		buf_add_u8(to, ':');
		if (!write_node(doc, p->value, depth + 1, to, error))
			return false;
	}
	buf_add_u8(to, '}');
	return true;
}

static bool write_sequence(yaml_document_t *doc, const yaml_node_t *node, int depth, struct buf *to, struct buf *error)
{
	buf_add_u8(to, '[');
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		if (i > node->data.sequence.items.start)
			buf_add_u8(to, ',');
		if (!write_node(doc, *i, depth + 1, to, error))
			return false;
	}
	buf_add_u8(to, ']');
	return true;
}

static bool write_node(yaml_document_t *doc, int index, int depth, struct buf *to, struct buf *error)
{
	const yaml_node_t *node = yaml_document_get_node(doc, index);
	if (depth > DEPTH_MAX) {
		buf_printf(error, "line %zu: nested too deeply", node->start_mark.line + 1);
		return false;
	}
	if (node->type == YAML_MAPPING_NODE)
		return write_mapping(doc, node, depth, to, error);
	if (node->type == YAML_SEQUENCE_NODE)
		return write_sequence(doc, node, depth, to, error);
	return write_scalar(node, to, error);
}

/* A reader's error (no UTF-8) has an offset in place of a line. */
static size_t problem_line(const yaml_parser_t *parser, struct view yaml)
{
	size_t line = 1;
	if (parser->error != YAML_READER_ERROR)
		return parser->problem_mark.line + 1;
	for (size_t i = 0; i < parser->problem_offset && i < yaml.n; i++)
		line += yaml.p[i] == '\n';
	return line;
}

static bool write_document(yaml_document_t *doc, struct buf *json, struct buf *error)
{
	if (!yaml_document_get_root_node(doc)) {
		buf_add_str(error, "the document is empty");
		return false;
	}
	if (!write_node(doc, 1, 0, json, error))
		return false;
	if (json->full)
		buf_add_str(error, "the document is too large");
	return !json->full;
}

bool config_yaml_to_json(struct view yaml, struct buf *json, struct buf *error)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	if (!all_plain(yaml, error) || !yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	bool ok = yaml_parser_load(&parser, &doc);
	if (ok) {
		ok = write_document(&doc, json, error);
		yaml_document_delete(&doc);
	} else {
		buf_printf(error, "line %zu: %s", problem_line(&parser, yaml),
		           parser.problem ? parser.problem : "bad YAML");
	}
	yaml_parser_delete(&parser);
	return ok;
}
