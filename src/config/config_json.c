#include "config_json.h"

#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 64

static bool is_number(const char *text, size_t n)
{
	size_t i = text[0] == '-';
	size_t digits = 0;
	bool dot = false;
	for (; i < n; i++) {
		if (text[i] == '.' && !dot && digits)
			dot = true;
		else if (text[i] >= '0' && text[i] <= '9')
			digits++;
		else
			return false;
	}
	bool leading_zero = text[text[0] == '-'] == '0' && n > 1u + (text[0] == '-') && text[1 + (text[0] == '-')] != '.';
	return digits && text[n - 1] != '.' && !leading_zero;
}

static void write_string(struct buf *to, const char *text, size_t n)
{
	buf_add_u8(to, '"');
	buf_add_json_text(to, view_of(text, n));
	buf_add_u8(to, '"');
}

static void write_scalar(const yaml_node_t *node, struct buf *to)
{
	const char *text = (const char *)node->data.scalar.value;
	size_t n = node->data.scalar.length;
	bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (plain && (n == 0 || strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
		buf_add_str(to, "null");
	else if (plain && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || is_number(text, n)))
		buf_add(to, text, n);
	else
		write_string(to, text, n);
}

static bool write_node(yaml_document_t *doc, int index, int depth, struct buf *to, struct buf *error);

static bool write_mapping(yaml_document_t *doc, const yaml_node_t *node, int depth, struct buf *to, struct buf *error)
{
	buf_add_u8(to, '{');
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(doc, p->key);
		if (key->type != YAML_SCALAR_NODE) {
			buf_printf(error, "line %zu: a key is not text", key->start_mark.line + 1);
			return false;
		}
		if (p > node->data.mapping.pairs.start)
			buf_add_u8(to, ',');
		write_string(to, (const char *)key->data.scalar.value, key->data.scalar.length);
		buf_add_u8(to, ':');
		if (!write_node(doc, p->value, depth + 1, to, error))
			return false;
	}
	return buf_add_u8(to, '}');
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
	return buf_add_u8(to, ']');
}

static bool write_node(yaml_document_t *doc, int index, int depth, struct buf *to, struct buf *error)
{
	const yaml_node_t *node = yaml_document_get_node(doc, index);
	if (depth > DEPTH_MAX) {
		buf_add_str(error, "nested too deeply (or an alias of itself)");
		return false;
	}
	if (node->type == YAML_MAPPING_NODE)
		return write_mapping(doc, node, depth, to, error);
	if (node->type == YAML_SEQUENCE_NODE)
		return write_sequence(doc, node, depth, to, error);
	write_scalar(node, to);
	return true;
}

bool config_yaml_to_json(struct view yaml, struct buf *json, struct buf *error)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	bool ok = yaml_parser_load(&parser, &doc);
	if (!ok)
		buf_printf(error, "line %zu: %s", parser.problem_mark.line + 1, parser.problem ? parser.problem : "bad YAML");
	if (ok && !yaml_document_get_root_node(&doc)) {
		buf_add_str(error, "the document is empty");
		ok = false;
		yaml_document_delete(&doc);
	} else if (ok) {
		ok = write_node(&doc, 1, 0, json, error) && !json->full;
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return ok;
}
