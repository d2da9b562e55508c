/* Reports on their way out: rows of a view, page by page, as an aligned table, CSV, JSON or one HTML page. However they
 * are written, what is hashed is the same CSV, so that two copies of a report can be compared. */
#ifndef APP_REPORT_H
#define APP_REPORT_H

#include "base_bytes.h"
#include "net_crypto.h"

#include <stdio.h>

struct store_table;

enum report_chart { CHART_NONE, CHART_FUNNEL, CHART_HOURS };
enum report_format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON, FORMAT_ROWS, FORMAT_HTML }; /* ROWS: the JSON array alone */

/* Rows of app_report.def. */
struct report_row {
	const char *name, *columns, *day, *category, *owner, *order;
	enum report_chart chart;
	const char *title, *sentence;
};

/* What stands on a report besides its rows. */
struct report_about {
	const struct report_row *row;
	const char *from, *to, *practice, *category; /* NULL: not asked for */
	char as_of[64];                              /* the database's clock when the report's snapshot was taken */
	char snapshot[64];                           /* pg_current_snapshot() */
	char who[160];                               /* the person or system user, and the database's role */
};

#define REPORT_COLUMNS_MAX 32
#define REPORT_HOURS 24

struct report_out {
	const struct report_about *about;
	enum report_format format;
	FILE *to;
	FILE *spool; /* HTML: the table, until what stands above it is known */
	struct net_hash *hash;
	struct buf line, csv;
	uint64_t rows;
	int width[REPORT_COLUMNS_MAX];
	unsigned columns;                 /* HTML: of the table */
	bool begun;                       /* the head is written */
	bool failed;                      /* a row is larger than any may be, or the disk is full */
	uint64_t sum[REPORT_COLUMNS_MAX]; /* CHART_FUNNEL: of each number column */
	char label[REPORT_COLUMNS_MAX][24];
	unsigned sums;
	uint64_t hour[REPORT_HOURS];    /* CHART_HOURS: sends */
	uint64_t outside[REPORT_HOURS]; /* of these, what should not have gone then */
	char sha256[SHA256_BYTES * 2 + 1];
};

/* Starts a report that is written to `to`. */
void report_begin(struct report_out *out, const struct report_about *about, enum report_format format, FILE *to);
/* Writes a page of rows; the first may have none, and its columns are those of the report. */
void report_page(struct report_out *out, const struct store_table *t);
/* Writes the end; then sha256 and rows are known. False when it could not be written whole. */
bool report_end(struct report_out *out);

/* --- for the formats ---------------------------------------------------------------------------------------------- */

/* "" for NULL; true and false spelled out. */
const char *report_cell(const struct store_table *t, unsigned row, unsigned column);
void report_html_head(struct report_out *out);
void report_html_columns(struct report_out *out, const struct store_table *t);
void report_html_row(struct report_out *out, const struct store_table *t, unsigned row);
void report_html_foot(struct report_out *out);

#endif
