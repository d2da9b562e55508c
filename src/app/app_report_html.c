/* A report as one page that needs nothing else: it prints, a screen reader can read it, and every number of a chart
 * stands in the table as well. */
#include "app_report.h"

#include "store_client.h"

#include <string.h>

#define TEXT_COLUMNS_MAX 9 /* a table with more columns of text is wide: */
#define WIDE_COLUMNS 9     /* it has so many columns, and the others in a second line of each row */
#define CHART_WIDTH 720
#define LABEL_WIDTH 110
#define BAR_HEIGHT 20
#define HOURS_HEIGHT 160

static const char style[] =
        "<style>\n"
        "@page{size:A4 landscape;margin:14mm 12mm 16mm;@bottom-right{content:'Page ' counter(page) ' of ' "
        "counter(pages);font:8pt sans-serif;color:#4a4f54}}\n"
        "*{box-sizing:border-box}\n"
        "body{font:15px/1.45 system-ui,'Segoe UI','Liberation Sans',Arial,sans-serif;color:#1a1a1a;background:#fff;"
        "max-width:1180px;margin:0 auto;padding:28px 32px}\n"
        "h1{font-size:26px;line-height:1.2;margin:0 0 6px}\n"
        ".proves{max-width:70ch;margin:0 0 20px;color:#333}\n"
        "dl.about{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:0 0 24px;padding:14px 18px;"
        "border:1px solid #c4c8cc;border-radius:6px;background:#f6f7f8}\n"
        "dl.about dt{color:#4a4f54}dl.about dd{margin:0;overflow-wrap:anywhere}\n"
        "figure{margin:0 0 24px}figcaption{font-weight:600;margin-bottom:6px}svg{max-width:100%;height:auto}\n"
        "table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\n"
        "caption{text-align:left;font-weight:600;font-size:15px;padding-bottom:8px}\n"
        "th,td{text-align:left;vertical-align:top;padding:6px 9px;border-bottom:1px solid #d9dcdf;"
        "overflow-wrap:break-word}\n"
        "thead th{border-bottom:2px solid #1a1a1a;color:#1a1a1a}\n"
        "td.n,th.n{text-align:right}td.id{font-family:ui-monospace,'Liberation Mono',monospace;font-size:11.5px;"
        "overflow-wrap:anywhere}td.t{white-space:nowrap}\n"
        "tr.more td{padding-top:0;color:#333;overflow-wrap:anywhere}tr.first td{border-bottom:0}\n"
        ".more span{margin-right:14px}.more b{font-weight:600;color:#4a4f54}\n"
        "td.empty{padding:18px;text-align:center}\n"
        "footer{margin-top:22px;padding-top:10px;border-top:1px solid #c4c8cc;font-size:12.5px;color:#4a4f54;"
        "overflow-wrap:anywhere}\n"
        "@media print{body{max-width:none;padding:0;font-size:10pt}h1{font-size:17pt}table{font-size:8pt}"
        "td.id{font-size:7pt}th,td{padding:3pt 5pt}dl.about{background:none}thead{display:table-header-group}"
        "tr,figure,dl.about{break-inside:avoid}tr.first{break-after:avoid}}\n"
        "</style>\n";

/* "message_id" as "Message id". */
static void add_name(struct buf *to, const char *name)
{
	for (size_t i = 0; name[i]; i++) {
		char c = name[i] == '_' ? ' ' : name[i];
		buf_add_u8(to, (uint8_t)(i == 0 && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
	}
}

static void add_pair(struct buf *to, const char *name, const char *value)
{
	buf_printf(to, "<dt>%s</dt><dd>", name);
	buf_add_html_text(to, view_str(value));
	buf_add_str(to, "</dd>\n");
}

/* --- charts --------------------------------------------------------------------------------------------------------
 */

static void begin_svg(struct buf *to, const char *title, int height)
{
	buf_printf(to,
	           "<figure><figcaption id=\"chart\">%s</figcaption>\n<svg role=\"img\" aria-labelledby=\"chart\" "
	           "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\"><g font-size=\"13\" fill=\"#1a1a1a\">\n",
	           title, CHART_WIDTH, height, CHART_WIDTH, height);
}

static void end_svg(struct buf *to)
{
	buf_add_str(to, "</g></svg></figure>\n");
}

static uint64_t largest(const uint64_t *n, unsigned count)
{
	uint64_t most = 1;
	for (unsigned i = 0; i < count; i++)
		most = n[i] > most ? n[i] : most;
	return most;
}

static void add_funnel(struct report_out *out)
{
	struct buf *to = &out->line;
	const uint64_t most = largest(out->sum, out->sums);
	begin_svg(to, "How far messages came, all rows together", (int)out->sums * (BAR_HEIGHT + 6));
	for (unsigned i = 0; i < out->sums; i++) {
		int y = (int)i * (BAR_HEIGHT + 6);
		int width = (int)((CHART_WIDTH - LABEL_WIDTH - 90) * out->sum[i] / most);
		buf_printf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LABEL_WIDTH - 10, y + 15);
		add_name(to, out->label[i]);
		buf_printf(to,
		           "</text><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#1f5f8b\"/>"
		           "<text x=\"%d\" y=\"%d\">%llu</text>\n",
		           LABEL_WIDTH, y, width, BAR_HEIGHT, LABEL_WIDTH + width + 8, y + 15,
		           (unsigned long long)out->sum[i]);
	}
	end_svg(to);
}

/* The hours of a day from left to right; quiet hours stand on grey. Red is what should not have gone then; an answer to
 * what the patient wrote may go at any hour. */
static void add_hours(struct report_out *out)
{
	struct buf *to = &out->line;
	const uint64_t most = largest(out->hour, REPORT_HOURS);
	const int step = CHART_WIDTH / REPORT_HOURS;
	begin_svg(to, "Sends by the hour where the patient is; grey: quiet hours, red: what broke them",
	          HOURS_HEIGHT + 40);
	buf_printf(to,
	           "<rect x=\"0\" y=\"18\" width=\"%d\" height=\"%d\" fill=\"#e3e5e8\"/>"
	           "<rect x=\"%d\" y=\"18\" width=\"%d\" height=\"%d\" fill=\"#e3e5e8\"/>\n",
	           8 * step, HOURS_HEIGHT, 21 * step, 3 * step, HOURS_HEIGHT);
	for (int h = 0; h < REPORT_HOURS; h++) {
		int height = (int)(HOURS_HEIGHT * out->hour[h] / most);
		int middle = h * step + step / 2;
		buf_printf(to, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>", h * step + 3,
		           18 + HOURS_HEIGHT - height, step - 6, height, out->outside[h] ? "#a3161f" : "#1f5f8b");
		if (out->hour[h])
			buf_printf(to, "<text x=\"%d\" y=\"%d\" font-size=\"11\" text-anchor=\"middle\">%llu</text>",
			           middle, 18 + HOURS_HEIGHT - height - 4, (unsigned long long)out->hour[h]);
		buf_printf(to, "<text x=\"%d\" y=\"%d\" font-size=\"11\" text-anchor=\"middle\">%d</text>\n", middle,
		           HOURS_HEIGHT + 34, h);
	}
	end_svg(to);
}

/* --- the page ------------------------------------------------------------------------------------------------------
 */

static void add_about(struct report_out *out)
{
	const struct report_about *a = out->about;
	struct buf *to = &out->line;
	buf_add_str(to, "<dl class=\"about\">\n");
	add_pair(to, "From day (UTC)", a->from ? a->from : "the first");
	add_pair(to, "To day (UTC)", a->to ? a->to : "the last");
	add_pair(to, "Practice", a->practice ? a->practice : "every practice");
	if (*a->row->category)
		add_pair(to, "Class", a->category ? a->category : "every class");
	buf_printf(to, "<dt>Rows</dt><dd>%llu</dd>\n", (unsigned long long)out->rows);
	add_pair(to, "As of", a->as_of);
	add_pair(to, "Made by", a->who);
	add_pair(to, "SHA-256", out->sha256);
	buf_add_str(to, "</dl>\n");
}

void report_html_head(struct report_out *out)
{
	const struct report_row *row = out->about->row;
	struct buf *to = &out->line;
	buf_printf(to,
	           "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	           "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	           "<title>%s, as of %s</title>\n",
	           row->title, out->about->as_of);
	buf_add_str(to, style);
	buf_printf(to, "</head>\n<body>\n<main>\n<h1>%s</h1>\n<p class=\"proves\">", row->title);
	buf_add_html_text(to, view_str(row->sentence));
	buf_add_str(to, "</p>\n");
	add_about(out);
	if (out->rows && row->chart == CHART_FUNNEL)
		add_funnel(out);
	if (out->rows && row->chart == CHART_HOURS)
		add_hours(out);
}

static bool wide(const struct store_table *t)
{
	unsigned texts = 0;
	for (unsigned i = 0; i < store_table_columns(t); i++)
		texts += !store_table_numeric(t, i);
	return texts > TEXT_COLUMNS_MAX;
}

static unsigned shown(const struct store_table *t)
{
	return wide(t) ? WIDE_COLUMNS : store_table_columns(t);
}

void report_html_columns(struct report_out *out, const struct store_table *t)
{
	struct buf *to = &out->line;
	out->columns = shown(t);
	buf_printf(to, "<table>\n<caption>%s: the rows</caption>\n<thead><tr>", out->about->row->title);
	for (unsigned i = 0; i < shown(t); i++) {
		buf_printf(to, "<th scope=\"col\"%s>", store_table_numeric(t, i) ? " class=\"n\"" : "");
		add_name(to, store_table_name(t, i));
		buf_add_str(to, "</th>");
	}
	buf_add_str(to, "</tr></thead>\n<tbody>\n");
}

static const char *kind_of(const struct store_table *t, unsigned column)
{
	const char *name = store_table_name(t, column);
	size_t n = strlen(name);
	if (store_table_numeric(t, column))
		return " class=\"n\"";
	if ((n >= 2 && strcmp(name + n - 2, "id") == 0) || strcmp(name, "sha256") == 0)
		return " class=\"id\"";
	return strcmp(name, "day") == 0 || strcmp(name, "phone") == 0 ? " class=\"t\"" : "";
}

static void add_more(struct buf *to, const struct store_table *t, unsigned row)
{
	buf_printf(to, "<tr class=\"more\"><td colspan=\"%d\">", WIDE_COLUMNS);
	for (unsigned i = WIDE_COLUMNS; i < store_table_columns(t); i++) {
		if (!*report_cell(t, row, i))
			continue;
		buf_add_str(to, "<span><b>");
		add_name(to, store_table_name(t, i));
		buf_add_str(to, ":</b> ");
		buf_add_html_text(to, view_str(report_cell(t, row, i)));
		buf_add_str(to, "</span> ");
	}
	buf_add_str(to, "</td></tr>\n");
}

void report_html_row(struct report_out *out, const struct store_table *t, unsigned row)
{
	struct buf *to = &out->line;
	buf_add_str(to, wide(t) ? "<tr class=\"first\">" : "<tr>");
	for (unsigned i = 0; i < shown(t); i++) {
		buf_printf(to, "<td%s>", kind_of(t, i));
		buf_add_html_text(to, view_str(report_cell(t, row, i)));
		buf_add_str(to, "</td>");
	}
	buf_add_str(to, "</tr>\n");
	if (wide(t))
		add_more(to, t, row);
}

void report_html_foot(struct report_out *out)
{
	struct buf *to = &out->line;
	buf_clear(to);
	if (out->rows == 0)
		buf_printf(to, "<tr><td class=\"empty\" colspan=\"%u\">No rows.</td></tr>\n", out->columns);
	buf_add_str(to, "</tbody>\n</table>\n</main>\n<footer>");
	buf_printf(to,
	           "The SHA-256 is of these rows as CSV (RFC 4180): <code>smsbridge report %s --format csv</code> with "
	           "the "
	           "same filters gives the same, as long as nothing was added. Database snapshot ",
	           out->about->row->name);
	buf_add_html_text(to, view_str(out->about->snapshot));
	buf_add_str(to,
	            ". Times are UTC unless a column says otherwise; phones are masked.</footer>\n</body>\n</html>\n");
}
