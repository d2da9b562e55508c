/* The table, CSV and JSON of a report, and the hash that all formats share. */
#include "app_report.h"

#include "base_limits.h"
#include "base_utf8.h"
#include "store_client.h"

#include <string.h>

#define WIDTH_MAX 60

const char *report_cell(const struct store_table *t, unsigned row, unsigned column)
{
	const char *text = store_table_cell(t, row, column);
	if (!text)
		return "";
	if (store_table_boolean(t, column))
		return *text == 't' ? "true" : "false";
	return text;
}

static void put(struct report_out *out, const struct buf *b)
{
	out->failed |= b->full || (b->n && fwrite(b->p, 1, b->n, out->to) != b->n);
}

/* --- CSV -----------------------------------------------------------------------------------------------------------
 */

/* RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front; numbers of the database do not. */
static void csv_cell(struct buf *to, const char *text, bool number)
{
	bool formula = !number && *text && strchr("=+-@\t\r", *text);
	bool quote = strpbrk(text, ",\"\r\n");
	if (quote)
		buf_add_u8(to, '"');
	if (formula)
		buf_add_u8(to, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_u8(to, '"');
		buf_add_u8(to, (uint8_t)*text);
	}
	if (quote)
		buf_add_u8(to, '"');
}

static void csv_take(struct report_out *out)
{
	buf_add_str(&out->csv, "\r\n");
	net_hash_add(out->hash, buf_view(&out->csv));
	if (out->format == FORMAT_CSV)
		put(out, &out->csv);
	out->failed |= out->csv.full;
	buf_clear(&out->csv);
}

static void csv_columns(struct report_out *out, const struct store_table *t)
{
	for (unsigned i = 0; i < store_table_columns(t); i++)
		buf_printf(&out->csv, "%s%s", i ? "," : "", store_table_name(t, i));
	csv_take(out);
}

static void csv_row(struct report_out *out, const struct store_table *t, unsigned row)
{
	for (unsigned i = 0; i < store_table_columns(t); i++) {
		if (i)
			buf_add_u8(&out->csv, ',');
		csv_cell(&out->csv, report_cell(t, row, i), store_table_numeric(t, i));
	}
	csv_take(out);
}

/* --- JSON ----------------------------------------------------------------------------------------------------------
 */

static void json_text(struct buf *to, const char *name, const char *value)
{
	buf_printf(to, "\"%s\":", name);
	if (!value) {
		buf_add_str(to, "null");
		return;
	}
	buf_add_u8(to, '"');
	buf_add_json_text(to, view_str(value));
	buf_add_u8(to, '"');
}

static void json_head(struct report_out *out)
{
	const struct report_about *a = out->about;
	const struct {
		const char *name, *value;
	} fields[] = {{"report", a->row->name},
	              {"sentence", a->row->sentence},
	              {"as_of", a->as_of},
	              {"snapshot", a->snapshot},
	              {"who", a->who},
	              {"from", a->from},
	              {"to", a->to},
	              {"practice", a->practice},
	              {"class", a->category}};
	buf_add_u8(&out->line, '{');
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		buf_add_str(&out->line, i ? ",\n" : "");
		json_text(&out->line, fields[i].name, fields[i].value);
	}
	buf_add_str(&out->line, ",\n\"data\":");
}

static void json_row(struct report_out *out, const struct store_table *t, unsigned row)
{
	buf_add_str(&out->line, out->rows ? ",\n{" : "\n{");
	for (unsigned i = 0; i < store_table_columns(t); i++) {
		const char *text = store_table_cell(t, row, i);
		buf_add_str(&out->line, i ? "," : "");
		if (text && (store_table_numeric(t, i) || store_table_boolean(t, i) || store_table_json(t, i)))
			buf_printf(&out->line, "\"%s\":%s", store_table_name(t, i), report_cell(t, row, i));
		else
			json_text(&out->line, store_table_name(t, i), text);
	}
	buf_add_u8(&out->line, '}');
}

/* --- table ---------------------------------------------------------------------------------------------------------
 */

static void measure(struct report_out *out, const struct store_table *t)
{
	for (unsigned i = 0; i < store_table_columns(t); i++) {
		size_t width = strlen(store_table_name(t, i));
		for (unsigned row = 0; row < store_table_rows(t); row++) {
			size_t n = utf8_length(view_str(report_cell(t, row, i)));
			width = n > width ? n : width;
		}
		out->width[i] = (int)(width < WIDTH_MAX ? width : WIDTH_MAX);
	}
}

static void table_cell(struct report_out *out, const char *text, unsigned column, bool right, bool last)
{
	int n = (int)utf8_length(view_str(text));
	int pad = n < out->width[column] ? out->width[column] - n : 0;
	buf_printf(&out->line, "%*s", right ? pad : 0, "");
	buf_add_str(&out->line, text);
	buf_printf(&out->line, "%*s%s", right || last ? 0 : pad, "", last ? "\n" : "  ");
}

static void table_columns(struct report_out *out, const struct store_table *t)
{
	measure(out, t);
	for (unsigned i = 0; i < store_table_columns(t); i++)
		table_cell(out, store_table_name(t, i), i, store_table_numeric(t, i), i + 1 == store_table_columns(t));
}

static void table_row(struct report_out *out, const struct store_table *t, unsigned row)
{
	for (unsigned i = 0; i < store_table_columns(t); i++)
		table_cell(out, report_cell(t, row, i), i, store_table_numeric(t, i), i + 1 == store_table_columns(t));
}

/* --- sums for charts -----------------------------------------------------------------------------------------------
 */

static uint64_t number(const struct store_table *t, unsigned row, const char *column)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < store_table_columns(t); i++)
		if (strcmp(store_table_name(t, i), column) == 0)
			parse_u64(view_str(report_cell(t, row, i)), UINT64_MAX, &n);
	return n;
}

static void sum_columns(struct report_out *out, const struct store_table *t)
{
	for (unsigned i = 0; i < store_table_columns(t); i++)
		if (store_table_numeric(t, i))
			copy_str(out->label[out->sums++], sizeof(out->label[0]), store_table_name(t, i));
}

static void sum_row(struct report_out *out, const struct store_table *t, unsigned row)
{
	for (unsigned i = 0; i < out->sums; i++)
		out->sum[i] += number(t, row, out->label[i]);
	if (out->about->row->chart == CHART_HOURS) {
		out->hour[number(t, row, "hour") % REPORT_HOURS] += number(t, row, "sends");
		out->outside[number(t, row, "hour") % REPORT_HOURS] += number(t, row, "outside");
	}
}

/* --- every format --------------------------------------------------------------------------------------------------
 */

void report_begin(struct report_out *out, const struct report_about *about, enum report_format format, FILE *to)
{
	*out = (struct report_out){.about = about, .format = format, .to = to};
	out->line = BUF(LIMIT_REPORT_ROW_BYTES);
	out->csv = BUF(LIMIT_REPORT_ROW_BYTES);
	out->hash = net_hash_begin();
	out->spool = format == FORMAT_HTML ? tmpfile() : NULL;
	out->failed = format == FORMAT_HTML && !out->spool;
}

/* What a format gathered of a row or head in `line`; HTML's table waits in the spool. */
static void flush_line(struct report_out *out)
{
	FILE *to = out->spool ? out->spool : out->to;
	out->failed |= out->line.full || (out->line.n && fwrite(out->line.p, 1, out->line.n, to) != out->line.n);
	buf_clear(&out->line);
}

static void begin_columns(struct report_out *out, const struct store_table *t)
{
	out->begun = true;
	csv_columns(out, t);
	if (out->about->row->chart == CHART_FUNNEL)
		sum_columns(out, t);
	if (out->format == FORMAT_JSON)
		json_head(out);
	if (out->format == FORMAT_JSON || out->format == FORMAT_ROWS)
		buf_add_u8(&out->line, '[');
	else if (out->format == FORMAT_TABLE)
		table_columns(out, t);
	else if (out->format == FORMAT_HTML)
		report_html_columns(out, t);
	flush_line(out);
}

void report_page(struct report_out *out, const struct store_table *t)
{
	static void (*const row_of[])(struct report_out *, const struct store_table *, unsigned) = {
	        [FORMAT_TABLE] = table_row, [FORMAT_JSON] = json_row,        [FORMAT_ROWS] = json_row,
	        [FORMAT_CSV] = NULL,        [FORMAT_HTML] = report_html_row,
	};
	if (out->failed)
		return;
	if (!out->begun)
		begin_columns(out, t);
	for (unsigned row = 0; row < store_table_rows(t); row++) {
		csv_row(out, t, row);
		if (row_of[out->format])
			row_of[out->format](out, t, row);
		sum_row(out, t, row);
		flush_line(out);
		out->rows++;
	}
}

static void copy_spool(struct report_out *out)
{
	char piece[16384];
	size_t n;
	rewind(out->spool);
	while ((n = fread(piece, 1, sizeof(piece), out->spool)) > 0)
		out->failed |= fwrite(piece, 1, n, out->to) != n;
	out->failed |= ferror(out->spool) != 0;
}

static void html_end(struct report_out *out)
{
	report_html_head(out);
	put(out, &out->line);
	buf_clear(&out->line);
	copy_spool(out);
	report_html_foot(out);
	put(out, &out->line);
}

bool report_end(struct report_out *out)
{
	uint8_t hash[SHA256_BYTES];
	net_hash_end(out->hash, hash);
	hex_encode(hash, sizeof(hash), out->sha256);
	const char *s = out->rows == 1 ? "" : "s";
	if (out->format == FORMAT_TABLE)
		buf_printf(&out->line, "(%llu row%s)\n", (unsigned long long)out->rows, s);
	else if (out->format == FORMAT_ROWS)
		buf_add_str(&out->line, out->rows ? "\n]\n" : "]\n");
	else if (out->format == FORMAT_JSON)
		buf_printf(&out->line, "%s],\n\"rows\":%llu,\n\"sha256\":\"%s\"}\n", out->rows ? "\n" : "",
		           (unsigned long long)out->rows, out->sha256);
	if (out->format == FORMAT_HTML && !out->failed)
		html_end(out);
	else
		put(out, &out->line);
	if (out->spool)
		fclose(out->spool);
	buf_free(&out->line);
	buf_free(&out->csv);
	out->failed |= fflush(out->to) != 0;
	return !out->failed;
}
