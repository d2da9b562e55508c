#include "config_scan.h"

#include "config_report.h"

#include <yaml.h>

#define DEPTH 16 /* ours needs 3; the document API allocates for each */

struct scan {
	const char *file;
	struct config_errors *errors;
	unsigned documents;
	unsigned depth;
	bool over;  /* the stream ended, or it is no use to go on */
	bool sound; /* a second pass makes sense */
};

static void wrong(struct scan *s, yaml_mark_t mark, const char *problem, const char *expected)
{
	struct config_wrong w = {
	        .mark = {(unsigned)mark.line + 1, (unsigned)mark.column + 1},
	        .problem = problem,
	        .expected = expected,
	};
	config_report(s->file, s->errors, &w);
}

static void stop(struct scan *s)
{
	s->over = true;
	s->sound = false;
}

/* The reader's errors carry an offset instead of a mark. */
static yaml_mark_t mark_at(struct view yaml, size_t offset)
{
	yaml_mark_t mark = {0};
	for (size_t i = 0; i < offset && i < yaml.n; i++) {
		mark.column = yaml.p[i] == '\n' ? 0 : mark.column + 1;
		mark.line += yaml.p[i] == '\n';
	}
	return mark;
}

static void syntax(struct scan *s, const yaml_parser_t *parser, struct view yaml)
{
	bool reader = parser->error == YAML_READER_ERROR;
	yaml_mark_t mark = reader ? mark_at(yaml, parser->problem_offset) : parser->problem_mark;
	char problem[200];
	struct buf text = BUF(sizeof(problem) - 1);
	buf_printf(&text, "%s", parser->problem ? parser->problem : "cannot be read");
	if (parser->context)
		buf_printf(&text, " %s", parser->context);
	copy_view(problem, sizeof(problem), buf_view(&text));
	buf_free(&text);
	wrong(s, mark, problem, NULL);
	stop(s);
}

static void begin(struct scan *s, yaml_mark_t mark, const yaml_char_t *anchor, const yaml_char_t *tag, bool collection)
{
	if (anchor)
		wrong(s, mark, "anchors are not taken", NULL);
	if (tag)
		wrong(s, mark, "tags are not taken", "a plain value");
	s->depth += collection;
	if (s->depth > DEPTH) {
		wrong(s, mark, "nested too deep", NULL);
		stop(s);
	}
}

static void take(struct scan *s, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_STREAM_END_EVENT:
		s->over = true;
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (s->documents++ == 0)
			break;
		wrong(s, e->start_mark, "a second document begins", "one document a file");
		s->over = true;
		break;
	case YAML_ALIAS_EVENT:
		wrong(s, e->start_mark, "aliases are not taken", "the value itself");
		break;
	case YAML_SCALAR_EVENT:
		begin(s, e->start_mark, e->data.scalar.anchor, e->data.scalar.tag, false);
		break;
	case YAML_SEQUENCE_START_EVENT:
		begin(s, e->start_mark, e->data.sequence_start.anchor, e->data.sequence_start.tag, true);
		break;
	case YAML_MAPPING_START_EVENT:
		begin(s, e->start_mark, e->data.mapping_start.anchor, e->data.mapping_start.tag, true);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		s->depth--;
		break;
	default:
		break;
	}
}

bool config_scan(const char *file, struct view yaml, struct config_errors *errors)
{
	struct scan s = {.file = file, .errors = errors, .sound = true};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	while (!s.over && !config_report_full(errors)) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			syntax(&s, &parser, yaml);
			break;
		}
		take(&s, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return s.sound;
}
