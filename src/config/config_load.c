#include "config_load.h"

#include "base_check.h"
#include "config_check.h"
#include "config_report.h"
#include "config_scan.h"
#include "config_suggest.h"
#include "config_value.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct load {
	const char *file;
	struct config *config;
	struct config_errors *errors;
	config_read_fn read;
	void *ctx;
	yaml_document_t document;
};

/* Where we are: a section, or an item of a list. node NULL: it is not in the file, or empty. */
struct spot {
	enum config_section section;
	unsigned item;
	yaml_node_t *node;
	struct config_mark mark;
};

static struct config_mark mark_of(const yaml_node_t *node)
{
	if (!node)
		return (struct config_mark){1, 1};
	return (struct config_mark){(unsigned)node->start_mark.line + 1, (unsigned)node->start_mark.column + 1};
}

static struct view text_of(const yaml_node_t *node)
{
	return view_of(node->data.scalar.value, node->data.scalar.length);
}

static bool is_quoted(const yaml_node_t *node)
{
	return node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && config_value_null(text_of(node), is_quoted(node));
}

static const char *kind_of(const yaml_node_t *node)
{
	if (node->type == YAML_SEQUENCE_NODE)
		return "a list";
	return node->type == YAML_MAPPING_NODE ? "a mapping" : "a single value";
}

static void wrong(struct load *l, struct config_wrong w)
{
	config_report(l->file, l->errors, &w);
}

static void wrong_value(struct load *l, const struct spot *at, const struct config_row *row, const yaml_node_t *node,
                        const char *problem)
{
	struct buf expected = BUF(200);
	struct view got = {0};
	const char *meant = NULL;
	config_row_expected(row, &expected);
	if (node->type == YAML_SCALAR_NODE && row->kind == CONFIG_CHOICE)
		meant = config_suggest_word(row, text_of(node));
	if (node->type != YAML_SCALAR_NODE)
		got = view_str(kind_of(node));
	else if (!config_row_secret(row) && node->data.scalar.length)
		got = text_of(node);
	wrong(l, (struct config_wrong){.mark = mark_of(node),
	                               .section = at->section,
	                               .item = at->item,
	                               .key = row->key,
	                               .problem = problem,
	                               .got = got,
	                               .expected = buf_cstr(&expected),
	                               .meant = meant});
	buf_free(&expected);
}

/* The file's content without one newline at its end becomes the value. */
static const char *secret_text(struct load *l, const char *content, size_t n, const char **to)
{
	if (n && content[n - 1] == '\n')
		n -= n > 1 && content[n - 2] == '\r' ? 2 : 1;
	if (n == 0)
		return "the file is empty";
	if (n > LIMIT_CONFIG_BYTES || memchr(content, 0, n))
		return "the file holds no text";
	*to = pool_copy(&l->config->pool, view_of(content, n));
	return NULL;
}

static const char *read_secret(struct load *l, const char **to)
{
	const char *path = *to;
	const char *problem = NULL;
	size_t n = 0;
	if (!path[0])
		return NULL;
	*to = "";
	char *content = l->read ? l->read(l->ctx, path, &n, &problem) : NULL;
	if (!content)
		return problem ? problem : "cannot be read";
	problem = secret_text(l, content, n, to);
	explicit_bzero(content, n);
	free(content);
	return problem;
}

static void load_value(struct load *l, const struct spot *at, const struct config_row *row, const yaml_node_t *node)
{
	void *to = config_row_member(l->config, row, at->item);
	const char *problem = "wrong kind of value";
	*config_row_mark(l->config, row, at->item) = mark_of(node);
	if (node->type == YAML_SCALAR_NODE)
		problem = config_value_parse(row, text_of(node), is_quoted(node), &l->config->pool, to);
	if (!problem && row->kind == CONFIG_FILE)
		problem = read_secret(l, to);
	if (problem)
		wrong_value(l, at, row, node, problem);
}

static void unknown_key(struct load *l, const struct spot *at, const yaml_node_t *node)
{
	struct buf known = BUF(4000);
	char key[33] = "";
	struct config_wrong w = {.mark = mark_of(node), .section = at->section, .item = at->item};
	w.problem = "a key is not a plain name";
	if (node->type == YAML_SCALAR_NODE && view_eq(text_of(node), VIEW("<<"))) {
		w.problem = "merge keys are not taken";
	} else if (node->type == YAML_SCALAR_NODE && config_suggest_plain(text_of(node))) {
		copy_view(key, sizeof(key), text_of(node));
		w.key = key;
		w.problem = "unknown key";
		w.meant = config_suggest_key(at->section, text_of(node), &known);
		w.expected = w.meant ? NULL : buf_cstr(&known);
	}
	wrong(l, w);
	buf_free(&known);
}

static void duplicate_key(struct load *l, const struct spot *at, const yaml_node_t *node, const char *key)
{
	wrong(l, (struct config_wrong){.mark = mark_of(node),
	                               .section = at->section,
	                               .item = at->item,
	                               .key = key,
	                               .problem = "given twice"});
}

/* Rows that the file left out. */
static void fill_defaults(struct load *l, const struct spot *at, const bool *seen)
{
	for (size_t i = 0; i < CONFIG_ROWS && !config_report_full(l->errors); i++) {
		const struct config_row *row = &config_rows[i];
		if (row->section != at->section || seen[i])
			continue;
		*config_row_mark(l->config, row, at->item) = at->mark;
		if (row->def) {
			config_value_default(row, &l->config->pool, config_row_member(l->config, row, at->item));
			continue;
		}
		struct buf expected = BUF(200);
		config_row_expected(row, &expected);
		wrong(l, (struct config_wrong){.mark = at->mark,
		                               .section = at->section,
		                               .item = at->item,
		                               .key = row->key,
		                               .problem = "missing",
		                               .expected = buf_cstr(&expected)});
		buf_free(&expected);
	}
}

/* Returns whether the key was one of the section's rows. */
static bool load_pair(struct load *l, const struct spot *at, const yaml_node_t *key, const yaml_node_t *value,
                      bool *seen)
{
	const struct config_row *row = NULL;
	if (key->type == YAML_SCALAR_NODE)
		row = config_row_find(at->section, text_of(key));
	if (!row)
		return false;
	if (seen[row - config_rows])
		duplicate_key(l, at, key, row->key);
	else
		load_value(l, at, row, value);
	seen[row - config_rows] = true;
	return true;
}

static yaml_node_t *node_of(struct load *l, int index)
{
	yaml_node_t *node = yaml_document_get_node(&l->document, index);
	check(node);
	return node;
}

static void load_section(struct load *l, const struct spot *at)
{
	bool seen[CONFIG_ROWS] = {false};
	if (at->node && at->node->type != YAML_MAPPING_NODE) {
		wrong(l, (struct config_wrong){.mark = at->mark,
		                               .section = at->section,
		                               .item = at->item,
		                               .problem = "wrong kind of value",
		                               .got = view_str(kind_of(at->node)),
		                               .expected = "a mapping"});
		return;
	}
	yaml_node_pair_t *pair = at->node ? at->node->data.mapping.pairs.start : NULL;
	for (; at->node && pair < at->node->data.mapping.pairs.top && !config_report_full(l->errors); pair++)
		if (!load_pair(l, at, node_of(l, pair->key), node_of(l, pair->value), seen))
			unknown_key(l, at, node_of(l, pair->key));
	fill_defaults(l, at, seen);
}

static void too_many(struct load *l, enum config_section section, const yaml_node_t *extra)
{
	struct buf expected = BUF(40);
	buf_printf(&expected, "at most %u", config_section_most(section));
	wrong(l, (struct config_wrong){.mark = mark_of(extra),
	                               .section = section,
	                               .list = true,
	                               .problem = "too many",
	                               .expected = buf_cstr(&expected)});
	buf_free(&expected);
}

static void load_list(struct load *l, enum config_section section, yaml_node_t *node)
{
	if (!node || is_null(node))
		return;
	if (node->type != YAML_SEQUENCE_NODE) {
		wrong(l, (struct config_wrong){.mark = mark_of(node),
		                               .section = section,
		                               .list = true,
		                               .problem = "wrong kind of value",
		                               .got = view_str(kind_of(node)),
		                               .expected = "a list"});
		return;
	}
	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t n = (size_t)(node->data.sequence.items.top - items);
	unsigned most = config_section_most(section);
	for (unsigned i = 0; i < n && i < most && !config_report_full(l->errors); i++) {
		yaml_node_t *item = node_of(l, items[i]);
		struct spot at = {section, i, item, mark_of(item)};
		config_section_set_count(l->config, section, i + 1);
		load_section(l, &at);
	}
	if (n > most)
		too_many(l, section, node_of(l, items[most]));
}

static enum config_section section_named(const yaml_node_t *key)
{
	int s = CONFIG_top + 1;
	if (key->type != YAML_SCALAR_NODE)
		return CONFIG_top;
	while (s < CONFIG_SECTIONS && !view_eq(text_of(key), view_str(config_section_name(s))))
		s++;
	return s < CONFIG_SECTIONS ? (enum config_section)s : CONFIG_top;
}

/* Sorts the top's pairs: sections into found (first of a name), rows at once. */
static void load_top(struct load *l, const struct spot *top, yaml_node_t **found)
{
	bool seen[CONFIG_ROWS] = {false};
	yaml_node_pair_t *pair = top->node ? top->node->data.mapping.pairs.start : NULL;
	for (; top->node && pair < top->node->data.mapping.pairs.top && !config_report_full(l->errors); pair++) {
		yaml_node_t *key = node_of(l, pair->key);
		enum config_section s = section_named(key);
		if (s != CONFIG_top && found[s])
			duplicate_key(l, top, key, config_section_name(s));
		else if (s != CONFIG_top)
			found[s] = node_of(l, pair->value);
		else if (!load_pair(l, top, key, node_of(l, pair->value), seen))
			unknown_key(l, top, key);
	}
	fill_defaults(l, top, seen);
}

static void load_document(struct load *l)
{
	yaml_node_t *root = yaml_document_get_root_node(&l->document);
	yaml_node_t *found[CONFIG_SECTIONS] = {NULL};
	struct spot top = {CONFIG_top, 0, root && is_null(root) ? NULL : root, mark_of(root)};
	if (top.node && top.node->type != YAML_MAPPING_NODE) {
		wrong(l, (struct config_wrong){.mark = top.mark,
		                               .problem = "wrong kind of value",
		                               .got = view_str(kind_of(root)),
		                               .expected = "a mapping"});
		return;
	}
	load_top(l, &top, found);
	for (unsigned s = CONFIG_top + 1; s < CONFIG_SECTIONS; s++) {
		yaml_node_t *node = found[s];
		struct spot at = {s, 0, node && is_null(node) ? NULL : node, mark_of(node)};
		if (config_section_is_list(s))
			load_list(l, s, node);
		else
			load_section(l, &at);
	}
}

/* The scan has reported every fault this could meet, but for an alias to nowhere, which it reported as an alias. */
static void load_yaml(struct load *l, struct view yaml)
{
	yaml_parser_t parser;
	check(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	if (yaml_parser_load(&parser, &l->document)) {
		load_document(l);
		yaml_document_delete(&l->document);
	} else if (l->errors->count == 0) {
		wrong(l, (struct config_wrong){.mark = {1, 1}, .problem = "cannot be read"});
	}
	yaml_parser_delete(&parser);
}

struct config *config_parse(const char *file, struct view yaml, config_read_fn read, void *ctx,
                            struct config_errors *errors_r)
{
	unsigned before = errors_r->count;
	struct config *c = mem_alloc(sizeof(*c));
	struct load l = {.file = file, .config = c, .errors = errors_r, .read = read, .ctx = ctx};
	c->mark = pool_alloc(&c->pool, sizeof(*c->mark) * config_row_marks());
	if (yaml.n > LIMIT_CONFIG_BYTES)
		wrong(&l, (struct config_wrong){.mark = {1, 1}, .problem = "the file is too large"});
	else if (config_scan(file, yaml.p ? yaml : VIEW(""), errors_r))
		load_yaml(&l, yaml.p ? yaml : VIEW(""));
	if (errors_r->count == before)
		config_check(file, c, errors_r);
	if (errors_r->count == before)
		return c;
	config_free(c);
	return NULL;
}

static void wipe(struct config *c, const struct config_row *row, unsigned item)
{
	char **text = config_row_member(c, row, item);
	if (*text && (*text)[0])
		explicit_bzero(*text, strlen(*text));
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		bool text = row->kind == CONFIG_TEXT || row->kind == CONFIG_FILE;
		unsigned n = config_section_count(c, row->section);
		for (unsigned k = 0; text && config_row_secret(row) && k < n; k++)
			wipe(c, row, k);
	}
	pool_free(&c->pool);
	free(c);
}
