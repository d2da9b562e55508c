#include "app_export.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>What is kept of a patient</title>\n"
        "<style>body{font:14px/1.4 sans-serif;margin:2em}table{border-collapse:collapse;margin:0 0 1.5em}"
        "th,td{border:1px solid #bbb;padding:.25em "
        ".5em;text-align:left;vertical-align:top;white-space:pre-line}th{background:#eee}"
        "h2{margin:1.2em 0 .4em;text-transform:capitalize}ul{margin:0;padding-left:1.2em}"
        "@media print{body{margin:0}}</style></head>\n<body><h1>What is kept of a patient</h1>\n";

/* Lists in the order in which they are read; what else there is comes behind. */
static const char *const order[] = {"practice", "asked",    "recorded", "phones",       "messages", "replies",
                                    "consents", "opt_outs", "calls",    "appointments", "tasks",    "who_saw_it"};

static void add_name(struct buf *to, const char *name)
{
	for (; *name; name++)
		buf_add_u8(to, (uint8_t)(*name == '_' ? ' ' : *name));
}

/* Anything but a list, on one line. */
static void add_plain(struct buf *to, const json_t *v)
{
	if (json_is_string(v)) {
		buf_add_html_text(to, view_str(json_string_value(v)));
	} else if (!json_is_null(v)) {
		char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		buf_add_html_text(to, view_str(text ? text : ""));
		free(text);
	}
}

static void add_entry(struct buf *to, json_t *entry)
{
	const char *key;
	json_t *value;
	const char *between = "<li>";
	if (!json_is_object(entry)) {
		buf_add_str(to, between);
		add_plain(to, entry);
		return;
	}
	json_object_foreach(entry, key, value)
	{
		buf_add_str(to, between);
		add_plain(to, value);
		between = " ";
	}
}

static void add_value(struct buf *to, const json_t *v)
{
	size_t i;
	json_t *entry;
	if (!json_is_array(v)) {
		add_plain(to, v);
		return;
	}
	buf_add_str(to, "<ul>");
	json_array_foreach(v, i, entry)
	{
		add_entry(to, entry);
		buf_add_str(to, "</li>");
	}
	buf_add_str(to, "</ul>");
}

static void add_row(struct buf *to, json_t *row)
{
	const char *key;
	json_t *value;
	buf_add_str(to, "<tr>");
	json_object_foreach(row, key, value)
	{
		buf_add_str(to, "<td>");
		add_value(to, value);
		buf_add_str(to, "</td>");
	}
	buf_add_str(to, "</tr>\n");
}

static void add_list(struct buf *to, json_t *list)
{
	const char *key;
	json_t *value, *row;
	size_t i;
	buf_add_str(to, "<table><tr>");
	json_object_foreach(json_array_get(list, 0), key, value)
	{
		buf_add_str(to, "<th>");
		add_name(to, key);
		buf_add_str(to, "</th>");
	}
	buf_add_str(to, "</tr>\n");
	json_array_foreach(list, i, row) add_row(to, row);
	buf_add_str(to, "</table>\n");
}

static void add_section(struct buf *to, const char *name, json_t *section)
{
	const char *key;
	json_t *value;
	buf_add_str(to, "<h2>");
	add_name(to, name);
	buf_add_str(to, "</h2>\n");
	if (json_is_array(section) && json_array_size(section)) {
		add_list(to, section);
		return;
	}
	if (!json_is_object(section)) {
		buf_add_str(to, "<p>Nothing is kept.</p>\n");
		return;
	}
	buf_add_str(to, "<table>");
	json_object_foreach(section, key, value)
	{
		buf_add_str(to, "<tr><th>");
		add_name(to, key);
		buf_add_str(to, "</th><td>");
		add_value(to, value);
		buf_add_str(to, "</td></tr>\n");
	}
	buf_add_str(to, "</table>\n");
}

bool export_html(struct view document, struct buf *to)
{
	json_t *json = json_loadb((const char *)document.p, document.n, 0, NULL);
	const char *key;
	json_t *value;
	if (!json_is_object(json)) {
		json_decref(json);
		return false;
	}
	buf_add_str(to, head);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		add_section(to, order[i], json_object_get(json, order[i]));
		json_object_del(json, order[i]);
	}
	json_object_foreach(json, key, value) add_section(to, key, value);
	buf_add_str(to, "</body></html>\n");
	json_decref(json);
	return !to->full;
}

bool export_json(struct view document, struct buf *to)
{
	json_t *json = json_loadb((const char *)document.p, document.n, 0, NULL);
	char *text = json_is_object(json) ? json_dumps(json, JSON_INDENT(2)) : NULL;
	bool ok = text != NULL;
	if (text)
		buf_printf(to, "%s\n", text);
	free(text);
	json_decref(json);
	return ok && !to->full;
}
