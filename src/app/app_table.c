/* Query results for people (aligned columns) and for programs (JSON). */
#include "app.h"

#include "base_utf8.h"
#include "store_client.h"

#include <stdio.h>
#include <string.h>

#define WIDTH_MAX 60

static const char *cell(const struct store_table *t, unsigned row, unsigned column)
{
	const char *text = store_table_cell(t, row, column);
	return text ? text : "";
}

static int width_of(const struct store_table *t, unsigned column)
{
	size_t width = utf8_length(view_str(store_table_name(t, column)));
	for (unsigned row = 0; row < store_table_rows(t); row++) {
		size_t n = utf8_length(view_str(cell(t, row, column)));
		width = n > width ? n : width;
	}
	return (int)(width < WIDTH_MAX ? width : WIDTH_MAX);
}

static void print_cell(const char *text, int width, bool right, bool last)
{
	int n = (int)utf8_length(view_str(text));
	int pad = n < width ? width - n : 0;
	printf("%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

static void print_aligned(const struct store_table *t)
{
	unsigned columns = store_table_columns(t);
	int width[64];
	for (unsigned i = 0; i < columns && i < 64; i++)
		width[i] = width_of(t, i);
	for (unsigned i = 0; i < columns && i < 64; i++)
		print_cell(store_table_name(t, i), width[i], store_table_numeric(t, i), i + 1 == columns);
	for (unsigned row = 0; row < store_table_rows(t); row++)
		for (unsigned i = 0; i < columns && i < 64; i++)
			print_cell(cell(t, row, i), width[i], store_table_numeric(t, i), i + 1 == columns);
	printf("(%u row%s)\n", store_table_rows(t), store_table_rows(t) == 1 ? "" : "s");
}

static void add_json_cell(const struct store_table *t, unsigned row, unsigned column, struct buf *to)
{
	const char *text = store_table_cell(t, row, column);
	buf_printf(to, "%s\"%s\":", column ? "," : "", store_table_name(t, column));
	if (!text) {
		buf_add_str(to, "null");
	} else if (store_table_numeric(t, column)) {
		buf_add_str(to, text);
	} else {
		buf_add_u8(to, '"');
		buf_add_json_text(to, view_str(text));
		buf_add_u8(to, '"');
	}
}

void app_print_table(const struct store_table *t, bool json)
{
	if (!json) {
		print_aligned(t);
		return;
	}
	fputs("[", stdout);
	for (unsigned row = 0; row < store_table_rows(t); row++) {
		struct buf line = BUF(1 << 20);
		buf_add_u8(&line, '{');
		for (unsigned i = 0; i < store_table_columns(t); i++)
			add_json_cell(t, row, i, &line);
		buf_add_u8(&line, '}');
		printf("%s\n%s", row ? "," : "", buf_cstr(&line));
		buf_free(&line);
	}
	fputs(store_table_rows(t) ? "\n]\n" : "]\n", stdout);
}

int app_show_table(struct store_client *c, struct store_table *t, const char *none, bool json)
{
	int result = EXIT_OK;
	if (!t)
		result = failure("%s", store_client_error(c));
	else if (none && store_table_rows(t) == 0)
		result = failure("%s", none);
	else
		app_print_table(t, json);
	store_table_free(t);
	return result;
}
