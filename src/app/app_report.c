/* report: the views of schema report, as the compliance role sees them, from one snapshot of the database and page by
 * page, so that a report of any size needs the memory of a page. */
#include "app_report.h"

#include "app_commands.h"
#include "app_noted.h"
#include "base_limits.h"
#include "store_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char report_help[] =
        "Examples:\n"
        "  smsbridge report violations --config /etc/smsbridge/config.yaml\n"
        "  smsbridge report opt_outs --from 2026-03-01 --to 2026-03-31 --format html --output march.html\n"
        "  smsbridge report messages --practice ID --class payment --format csv\n"
        "\n"
        "Reports: violations, decisions, messages, opt_outs, consents, verification, funnel, quiet_hours, caps, "
        "emergency,\n"
        "carrier_failures, misdirected, daily, carriers, access, retention, holds, archives, seals; docs/reports.md "
        "tells what\n"
        "each proves. The same views are there for psql as role smsbridge_compliance in schema report. Exit code 1 "
        "when\n"
        "`violations` is not empty.\n"
        "  --from DATE, --to DATE   days in UTC, both included\n"
        "  --practice ID            one practice only (`carriers`, `archives` and `seals` are nobody's)\n"
        "  --class CODE             one class of message only\n"
        "  --format WORD            table (the default), csv, json, or html: one page to print or to keep\n"
        "  --output FILE            there instead of standard output\n"
        "  --json                   the rows alone, as a JSON array\n"
        "  --config FILE, --database TEXT\n";

static const struct report_row reports[] = {
#define NONE CHART_NONE
#define FUNNEL CHART_FUNNEL
#define HOURS CHART_HOURS
#define REPORT(name, columns, day, class, owner, order, chart, title, sentence)                                        \
	{#name, columns, day, class, owner, order, chart, title, sentence},
#include "app_report.def"
#undef REPORT
#undef NONE
#undef FUNNEL
#undef HOURS
        {0},
};

struct report_options {
	const char *name, *config, *database, *from, *to, *practice, *category, *format, *output;
	bool json;
};

static const struct report_row *find_report(const char *name)
{
	const struct report_row *row = reports;
	while (row->name && strcmp(row->name, name) != 0)
		row++;
	return row->name ? row : NULL;
}

static bool find_format(const struct report_options *o, enum report_format *format_r)
{
	static const char *const names[] = {"table", "csv", "json", "rows", "html"};
	if (!o->format) {
		*format_r = o->json ? FORMAT_ROWS : FORMAT_TABLE;
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (i != FORMAT_ROWS && strcmp(o->format, names[i]) == 0) {
			*format_r = (enum report_format)i;
			return !o->json;
		}
	return false;
}

static void add_condition(struct store_client *c, struct buf *sql, const char *before, const char *value,
                          const char *after)
{
	if (!value)
		return;
	buf_printf(sql, " AND %s", before);
	store_client_literal(c, value, sql);
	buf_add_str(sql, after);
}

/* A cursor over the report's rows; what people typed goes in as literals, since a cursor takes no parameters. */
static bool open_cursor(struct store_client *c, const struct report_row *row, const struct report_options *o)
{
	struct buf sql = BUF(8192), condition = BUF(200);
	buf_printf(&sql, "DECLARE rows NO SCROLL CURSOR FOR SELECT %s FROM report.%s WHERE true", row->columns,
	           row->name);
	buf_printf(&condition, "%s >= ", row->day);
	add_condition(c, &sql, buf_cstr(&condition), o->from, "::date::timestamptz");
	buf_clear(&condition);
	buf_printf(&condition, "%s < (", row->day);
	add_condition(c, &sql, buf_cstr(&condition), o->to, "::date + 1)::timestamptz");
	buf_clear(&condition);
	buf_printf(&condition, "%s = ", *row->owner ? row->owner : "NULL::uuid");
	add_condition(c, &sql, buf_cstr(&condition), o->practice, "::uuid");
	buf_clear(&condition);
	buf_printf(&condition, "%s = ", row->category);
	add_condition(c, &sql, buf_cstr(&condition), o->category, "");
	buf_printf(&sql, " ORDER BY %s", row->order);
	bool ok = store_client_script(c, buf_cstr(&sql));
	buf_free(&sql);
	buf_free(&condition);
	return ok;
}

static bool read_about(struct store_client *c, struct report_about *about)
{
	struct store_table *t =
	        store_client_run(c,
	                         "SELECT to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), pg_current_snapshot(),"
	                         " session_user || CASE WHEN session_user = current_user THEN '' ELSE ' as ' || "
	                         "current_user END",
	                         NULL, 0);
	if (!t)
		return false;
	copy_str(about->as_of, sizeof(about->as_of), store_table_cell(t, 0, 0));
	copy_str(about->snapshot, sizeof(about->snapshot), store_table_cell(t, 0, 1));
	snprintf(about->who, sizeof(about->who), "%.70s (database role %.70s)", noted_person(),
	         store_table_cell(t, 0, 2));
	store_table_free(t);
	return true;
}

static bool read_pages(struct store_client *c, struct report_out *out)
{
	char fetch[40];
	unsigned n;
	snprintf(fetch, sizeof(fetch), "FETCH %d FROM rows", LIMIT_REPORT_PAGE_ROWS);
	do {
		struct store_table *t = store_client_run(c, fetch, NULL, 0);
		if (!t)
			return false;
		n = store_table_rows(t);
		report_page(out, t);
		store_table_free(t);
	} while (n && !out->failed);
	return true;
}

static bool fail_by_database(struct store_client *c, const char *name)
{
	if (strcmp(store_client_sqlstate(c), "42P01") == 0)
		failure("this database has no report %s yet: run `smsbridge migrate`", name);
	else
		failure("%s", store_client_error(c));
	return false;
}

/* What a copy of the report is checked by; on standard error, so that the data stays data. */
static void tell_proof(const struct report_out *out)
{
	fprintf(stderr, "%s: %llu row%s as of %s, SHA-256 of the CSV %s\n", out->about->row->name,
	        (unsigned long long)out->rows, out->rows == 1 ? "" : "s", out->about->as_of, out->sha256);
}

/* False when it failed, which was told. */
static bool write_report(struct store_client *c, const struct report_options *o, const struct report_row *row,
                         enum report_format format, FILE *to, uint64_t *rows_r)
{
	struct report_about about = {
	        .row = row, .from = o->from, .to = o->to, .practice = o->practice, .category = o->category};
	struct report_out out;
	/* Reports are read through the auditors' own role where the connection may take it. */
	(void)store_client_script(c, "SET ROLE smsbridge_compliance");
	if (!store_client_script(c, "SET TimeZone = 'UTC'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") ||
	    !read_about(c, &about) || !open_cursor(c, row, o))
		return fail_by_database(c, row->name);
	report_begin(&out, &about, format, to);
	bool read = read_pages(c, &out);
	bool written = report_end(&out);
	*rows_r = out.rows;
	if (!read)
		return fail_by_database(c, row->name);
	if (!written)
		failure("the report could not be written: a row is too large, or the disk is full");
	else if (format != FORMAT_ROWS)
		tell_proof(&out);
	return written;
}

/* The file appears whole or not at all, and nobody else may read it. */
static bool write_file(struct store_client *c, const struct report_options *o, const struct report_row *row,
                       enum report_format format, uint64_t *rows_r)
{
	struct buf part = BUF(4096);
	buf_printf(&part, "%s.part", o->output);
	(void)umask(077);
	FILE *to = fopen(buf_cstr(&part), "we");
	bool ok = to && write_report(c, o, row, format, to, rows_r);
	bool told = to && !ok;
	if (to)
		ok &= fclose(to) == 0;
	if (ok)
		ok = rename(buf_cstr(&part), o->output) == 0;
	if (!ok && !told)
		failure("%s cannot be written: %s", o->output, strerror(errno));
	if (!ok && to)
		unlink(buf_cstr(&part));
	buf_free(&part);
	return ok;
}

int command_report(int argc, char **argv)
{
	struct report_options o = {.name = ""};
	enum report_format format;
	uint64_t found = 0;
	int result;
	const struct option_row rows[] = {{"config", &o.config, NULL},     {"database", &o.database, NULL},
	                                  {"from", &o.from, NULL},         {"to", &o.to, NULL},
	                                  {"practice", &o.practice, NULL}, {"class", &o.category, NULL},
	                                  {"format", &o.format, NULL},     {"output", &o.output, NULL},
	                                  {"json", NULL, &o.json},         {0}};
	if (options_parse(argc, argv, rows, &o.name, 1) < 0)
		return EXIT_USAGE;
	const struct report_row *row = find_report(o.name);
	if (!row)
		return usage_error("report takes messages, opt_outs, decisions, violations or another of its --help");
	if (!find_format(&o, &format))
		return usage_error("--format takes table, csv, json or html; --json is by itself");
	if (o.category && !*row->category)
		return usage_error("the rows of %s are of no class; leave --class out", row->name);
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	bool ok = o.output ? write_file(c, &o, row, format, &found) : write_report(c, &o, row, format, stdout, &found);
	store_client_close(c);
	return !ok || (found && strcmp(row->name, "violations") == 0) ? EXIT_FAILED : EXIT_OK;
}
