/* import: carriers' deactivation files and answers of the Reassigned Numbers Database. The file is read in pieces into
 * a temporary table, matched once with every practice that has the number, and applied under the recipients' locks,
 * some hundred a transaction, so that claims wait only shortly. What is so already is not changed again: the same file
 * twice changes nothing twice, whether it was read to its end or not. */
#include "app_commands.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_time.h"
#include "base_uuid.h"
#include "dispatch.h"
#include "net_crypto.h"
#include "policy_import.h"
#include "store_client.h"
#include "store_sql.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char import_help[] =
        "Examples:\n"
        "  smsbridge import deactivations att-2026-03-02.csv --carrier att --date 2026-03-02 --by r.ops\n"
        "  smsbridge import reassigned rnd-answers.csv --by r.ops\n"
        "\n"
        "deactivations: a number a line (E.164 or ten digits), or a CSV. Every practice that has the number gets the\n"
        "event recipient.stale: consents given until that day count no more, and nothing is sent to it until the "
        "phone\n"
        "texts or somebody clears it. reassigned: number, date of consent and answer (yes, no, no data): yes makes\n"
        "consents given until that date stale; no and no data are kept, no data without safe harbour (47 CFR\n"
        "64.1200(m)). Bad lines are told by their number and passed over. The same file is imported once.\n"
        "  --carrier NAME    whose file it is; `deactivations` needs it\n"
        "  --date DATE       of the file, for lines that have none; today\n"
        "  --by NAME         who imports it\n"
        "  --config FILE, --database TEXT, --json\n";

struct import {
	struct store_client *c;
	enum import_kind kind;
	const char *path, *carrier, *date, *by;
	bool json;
	uint64_t rows, bad, matched, changed;
	struct buf phones, days, answers; /* PostgreSQL arrays of the rows that wait */
	unsigned waiting;
	bool failed;
	char sum[2 * SHA256_BYTES + 1];
	char now[TIME_TEXT_BYTES];
};

static const char *const kinds[] = {[IMPORT_DEACTIVATED] = "deactivations", [IMPORT_REASSIGNED] = "reassigned"};

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static struct store_table *run(struct import *m, const char *sql, const char *const *params, unsigned count)
{
	struct store_table *t = m->failed ? NULL : store_client_run(m->c, sql, params, count);
	if (!t && !m->failed)
		failure("%s", store_client_error(m->c));
	m->failed = m->failed || !t;
	return t;
}

static void execute(struct import *m, const char *sql, const char *const *params, unsigned count)
{
	store_table_free(run(m, sql, params, count));
}

static void empty(struct import *m)
{
	struct buf *all[] = {&m->phones, &m->days, &m->answers};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		buf_clear(all[i]);
		buf_add_u8(all[i], '{');
	}
	m->waiting = 0;
}

static void flush(struct import *m)
{
	if (!m->waiting)
		return;
	buf_add_u8(&m->phones, '}');
	buf_add_u8(&m->days, '}');
	buf_add_u8(&m->answers, '}');
	const char *params[] = {buf_cstr(&m->phones), buf_cstr(&m->days), buf_cstr(&m->answers), m->date};
	check(!m->phones.full && !m->days.full && !m->answers.full);
	execute(m,
	        "INSERT INTO pg_temp.import_row SELECT phone, coalesce(nullif(day, '')::date, $4::date), answer"
	        " FROM unnest($1::text[], $2::text[], $3::text[]) AS v(phone, day, answer)",
	        params, 4);
	empty(m);
}

static void row_cb(void *ctx, const struct import_row *row)
{
	struct import *m = ctx;
	m->rows++;
	if (row->fault) {
		if (m->bad++ < LIMIT_IMPORT_TOLD)
			fprintf(stderr, "line %" PRIu64 ": %s\n", row->line, policy_import_sentence(row->fault));
		return;
	}
	const char *comma = m->waiting++ ? "," : "";
	buf_printf(&m->phones, "%s%s", comma, row->phone);
	buf_printf(&m->days, "%s\"%s\"", comma, row->day);
	buf_printf(&m->answers, "%s\"%s\"", comma, policy_import_answer(row->answer));
	if (m->waiting == LIMIT_IMPORT_BATCH)
		flush(m);
}

static void read_pieces(struct import *m, FILE *f)
{
	static char piece[1 << 16];
	uint8_t sum[SHA256_BYTES];
	struct import_reader *reader = mem_alloc(sizeof(*reader));
	struct net_hash *s = net_hash_begin();
	size_t n;
	policy_import_begin(reader, m->kind, row_cb, m);
	while (!m->failed && (n = fread(piece, 1, sizeof(piece), f)) > 0) {
		net_hash_add(s, view_of(piece, n));
		policy_import_feed(reader, view_of(piece, n));
	}
	policy_import_end(reader);
	net_hash_end(s, sum);
	hex_encode(sum, sizeof(sum), m->sum);
	free(reader);
	if (ferror(f)) {
		m->failed = true;
		failure("the file cannot be read: %s", strerror(errno));
	}
}

static void read_file(struct import *m)
{
	FILE *f = strcmp(m->path, "-") == 0 ? stdin : fopen(m->path, "rb");
	if (!f) {
		m->failed = true;
		failure("the file cannot be opened: %s", strerror(errno));
		return;
	}
	m->phones = m->days = m->answers = BUF(1 << 20);
	empty(m);
	execute(m, "CREATE TEMPORARY TABLE import_row (phone text, day date, answer text)", NULL, 0);
	read_pieces(m, f);
	flush(m);
	buf_free(&m->phones);
	buf_free(&m->days);
	buf_free(&m->answers);
	if (f != stdin)
		fclose(f);
}

/* --- applying ------------------------------------------------------------------------------------------------------
 */

static bool imported_before(struct import *m)
{
	const char *params[] = {kinds[m->kind], m->sum};
	struct store_table *t = run(m,
	                            "SELECT at FROM smsbridge.event WHERE practice_id = '00000000-0000-0000-0000-"
	                            "000000000000' AND type = 'import.done' AND data->>'kind' = $1 AND"
	                            " data->>'sha256' = $2 LIMIT 1",
	                            params, 2);
	bool before = t && store_table_rows(t);
	store_table_free(t);
	return before;
}

/* Of a number that stands there more than once, the latest day and, for that day, the worst answer. */
static void match(struct import *m)
{
	execute(m, "ANALYZE pg_temp.import_row", NULL, 0);
	execute(m,
	        "CREATE TEMPORARY TABLE import_match AS WITH f AS (SELECT phone, max(day) AS day,"
	        " max(day) FILTER (WHERE answer = 'yes') AS yes_day,"
	        " (array_agg(answer ORDER BY day DESC, answer DESC))[1] AS answer FROM pg_temp.import_row GROUP BY "
	        "phone),"
	        " k AS (SELECT r.practice_id, r.phone FROM f JOIN smsbridge.recipient r USING (phone)"
	        " UNION SELECT c.practice_id, c.phone FROM f JOIN smsbridge.consent c USING (phone)"
	        " UNION SELECT g.practice_id, g.phone FROM f JOIN smsbridge.message g USING (phone))"
	        " SELECT row_number() OVER (ORDER BY k.practice_id, k.phone) AS n, k.practice_id, f.* FROM k JOIN f "
	        "USING"
	        " (phone)",
	        NULL, 0);
	execute(m, "CREATE INDEX ON pg_temp.import_match (n)", NULL, 0);
	execute(m, "ANALYZE pg_temp.import_match", NULL, 0);
}

/* A phone that was called a wrong number later keeps that, and what it was before is told behind it: a person may find
 * out that it was none (smsbridge.right_number). */
#define BEHIND(until)                                                                                                  \
	" OR (r.stale_reason = 'wrong_number' AND r.stale_at >= " until " AND coalesce(r.stale_before < " until        \
	", true))"
#define BEHIND_IT "CASE WHEN r.stale_reason = 'wrong_number' AND r.stale_at >= excluded.stale_at THEN "
#define SET_STALE                                                                                                      \
	" stale_before = " BEHIND_IT "excluded.stale_at ELSE r.stale_before END,"                                      \
	" stale_before_reason = " BEHIND_IT "excluded.stale_reason ELSE r.stale_before_reason END,"                    \
	" stale_at = " BEHIND_IT "r.stale_at ELSE coalesce(excluded.stale_at, r.stale_at) END,"                        \
	" stale_reason = " BEHIND_IT "r.stale_reason ELSE coalesce(excluded.stale_reason, r.stale_reason) END"

/* $1 and $2: which rows of import_match; $3 now; $4 by whom; $5 the carrier. A day ends at midnight UTC; the event is
 * as of then, so that whoever reads events alone finds the same consents stale. What is stale since that day already is
 * left, unless a consent was given between. A phone that has lived since is not flagged. */
static const char deactivate[] =
        "WITH v AS (SELECT practice_id, phone, day, day::timestamp AT TIME ZONE 'UTC' AS since,"
        " least($3::timestamptz, (day + 1)::timestamp AT TIME ZONE 'UTC') AS until"
        " FROM pg_temp.import_match WHERE n BETWEEN $1::int8 AND $2::int8"
        "), fresh AS (SELECT v.* FROM v LEFT JOIN smsbridge.recipient r USING (practice_id, phone)"
        " WHERE r.stale_at IS NULL OR (r.stale_at < v.until AND (r.stale_at < v.since OR EXISTS (SELECT FROM"
        " smsbridge.consent c WHERE c.practice_id = v.practice_id AND c.phone = v.phone AND c.ended_at IS NULL"
        " AND c.captured_at > r.stale_at AND c.captured_at <= v.until)))" BEHIND(
                "v.until") "), stale AS (INSERT INTO smsbridge.recipient AS r (practice_id, phone, stale_at, "
                           "stale_reason)"
                           " SELECT practice_id, phone, until, 'deactivated' FROM fresh ON CONFLICT (practice_id, "
                           "phone) DO UPDATE SET" SET_STALE ", verified_at = NULL RETURNING practice_id, phone"
                           "), flagged AS (INSERT INTO smsbridge.phone_flag (practice_id, phone, kind, sender, "
                           "carrier, code, since)"
                           " SELECT practice_id, phone, 'dead', '', $5::text, 'deactivated', $3 FROM fresh f"
                           " WHERE NOT EXISTS (SELECT FROM smsbridge.consent c WHERE c.practice_id = f.practice_id AND "
                           "c.phone = f.phone"
                           " AND c.ended_at IS NULL AND c.captured_at > f.until) AND NOT EXISTS (SELECT FROM "
                           "smsbridge.message g"
                           " WHERE g.practice_id = f.practice_id AND g.phone = f.phone AND g.counted_at > f.until"
                           " AND g.status = 'delivered') ON CONFLICT DO NOTHING RETURNING practice_id, phone"
                           "), told AS (INSERT INTO smsbridge.event (practice_id, type, at, phone, reason, data)"
                           " SELECT practice_id, 'recipient.stale', until, phone, NULL, jsonb_build_object('reason', "
                           "'deactivated', 'by',"
                           " $4::text, 'carrier', $5, 'day', day, 'imported_at', $3) FROM fresh"
                           " UNION ALL SELECT practice_id, 'phone.flagged', $3, phone, 'number_dead', "
                           "jsonb_build_object('sender', '',"
                           " 'carrier', $5, 'code', 'deactivated') FROM flagged"
                           ") SELECT count(*) FROM stale";

/* The same parameters; the carrier is the database's name. */
static const char reassign[] =
        "WITH v AS (SELECT m.*, least($3::timestamptz, (yes_day + 1)::timestamp AT TIME ZONE 'UTC') AS until"
        " FROM pg_temp.import_match m WHERE n BETWEEN $1::int8 AND $2::int8"
        "), j AS (SELECT v.*, v.yes_day IS NOT NULL AND (r.stale_at IS NULL OR r.stale_at < v.until" BEHIND(
                "v.until") ") AS goes,"
                           " r.reassigned_answer IS DISTINCT FROM v.answer"
                           " OR (r.reassigned_at AT TIME ZONE 'UTC')::date < ($3 AT TIME ZONE 'UTC')::date AS is_new"
                           " FROM v LEFT JOIN smsbridge.recipient r USING (practice_id, phone)"
                           "), made AS (INSERT INTO smsbridge.recipient AS r (practice_id, phone, stale_at, "
                           "stale_reason, reassigned_at,"
                           " reassigned_answer) SELECT practice_id, phone, CASE WHEN goes THEN until END,"
                           " CASE WHEN goes THEN 'reassigned' END, $3, answer FROM j WHERE goes OR is_new"
                           " ON CONFLICT (practice_id, phone) DO UPDATE SET" SET_STALE ","
                           " verified_at = CASE WHEN excluded.stale_at IS NULL THEN r.verified_at END,"
                           " reassigned_at = excluded.reassigned_at, reassigned_answer = excluded.reassigned_answer"
                           " RETURNING practice_id, phone"
                           "), told AS (INSERT INTO smsbridge.event (practice_id, type, at, phone, data)"
                           " SELECT practice_id, 'recipient.stale', until, phone, jsonb_build_object('reason', "
                           "'reassigned', 'by', "
                           "$4::text,"
                           " 'source', $5::text, 'day', yes_day, 'imported_at', $3) FROM j WHERE goes"
                           " UNION ALL SELECT practice_id, 'recipient.changed', $3, phone, jsonb_build_object('field', "
                           "'reassigned',"
                           " 'value', answer, 'day', day, 'actor', $4) FROM j WHERE goes OR is_new"
                           ") SELECT count(*) FROM made";

/* The recipients' locks, ascending, as claims take them. */
static void lock(struct import *m, const struct store_table *t)
{
	int64_t keys[LIMIT_IMPORT_LOCKS];
	struct buf text = BUF(LIMIT_IMPORT_LOCKS * 24);
	unsigned n = store_table_rows(t);
	for (unsigned i = 0; i < n; i++) {
		struct uuid practice = {0};
		uuid_parse(view_str(store_table_cell(t, i, 1)), &practice);
		keys[i] = dispatch_recipient_key(&practice, RECIPIENT_PHONE, view_str(store_table_cell(t, i, 2)));
	}
	n = dispatch_lock_order(keys, n);
	for (unsigned i = 0; i < n; i++)
		buf_printf(&text, "%s%" PRId64, i ? "," : "{", keys[i]);
	buf_add_u8(&text, '}');
	const char *params[] = {buf_cstr(&text)};
	execute(m, store_sql("claim_lock")->text, params, 1);
	buf_free(&text);
}

/* False when nothing is left. */
static bool apply_some(struct import *m, char last[24])
{
	char most[24], first[24];
	const char *page[] = {last, most};
	copy_str(first, sizeof(first), last);
	snprintf(most, sizeof(most), "%d", LIMIT_IMPORT_LOCKS);
	struct store_table *t =
	        run(m,
	            "SELECT n, practice_id, phone FROM pg_temp.import_match WHERE n >= $1::int8 ORDER BY n"
	            " LIMIT $2::int4",
	            page, 2);
	unsigned n = t ? store_table_rows(t) : 0;
	if (n) {
		const char *params[] = {first, store_table_cell(t, n - 1, 0), m->now, m->by, m->carrier};
		execute(m, "BEGIN", NULL, 0);
		lock(m, t);
		struct store_table *done = run(m, m->kind == IMPORT_DEACTIVATED ? deactivate : reassign, params, 5);
		m->changed += done ? strtoull(store_table_cell(done, 0, 0), NULL, 10) : 0;
		store_table_free(done);
		execute(m, "COMMIT", NULL, 0);
		m->matched += n;
		snprintf(last, 24, "%" PRIu64, (uint64_t)strtoull(params[1], NULL, 10) + 1);
	}
	store_table_free(t);
	return n && !m->failed;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* The event, and the same for who runs the command. */
static void tell(struct import *m)
{
	char count[4][24];
	const uint64_t numbers[] = {m->rows, m->bad, m->matched, m->changed};
	for (int i = 0; i < 4; i++)
		snprintf(count[i], sizeof(count[i]), "%" PRIu64, numbers[i]);
	const char *params[] = {base_name(m->path), kinds[m->kind], count[0], count[1], count[2],
	                        count[3],           m->sum,         m->by,    m->now,   m->carrier};
	struct store_table *t = run(
	        m,
	        "WITH told AS (INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES"
	        " ('00000000-0000-0000-0000-000000000000', 'import.done', $9::timestamptz, jsonb_build_object('file', "
	        "$1::text,"
	        " 'kind', $2::text, 'rows', $3::int8, 'bad', $4::int8, 'matched', $5::int8, 'changed', $6::int8,"
	        " 'sha256', $7::text, 'by', $8::text, 'source', $10::text))) SELECT $1::text AS file, $2::text AS kind,"
	        " $3::int8 AS rows, $4::int8 AS bad, $5::int8 AS matched, $6::int8 AS changed, $7::text AS sha256",
	        params, 10);
	if (t)
		app_print_table(t, m->json);
	store_table_free(t);
}

static int import_file(struct import *m)
{
	char last[24] = "1";
	read_file(m);
	if (!m->failed && imported_before(m)) {
		fprintf(stderr, "smsbridge: this file was imported already; nothing is changed\n");
		return EXIT_OK;
	}
	if (!m->failed && m->rows == 0)
		return failure("there is no number in the file");
	match(m);
	while (!m->failed && apply_some(m, last))
		;
	if (m->bad > LIMIT_IMPORT_TOLD)
		fprintf(stderr, "and %" PRIu64 " bad lines more\n", m->bad - LIMIT_IMPORT_TOLD);
	tell(m);
	return m->failed ? EXIT_FAILED : EXIT_OK;
}

static bool day_ok(const char *text)
{
	char whole[32];
	int64_t at_us;
	snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
	return strlen(text) == 10 && time_parse(view_str(whole), &at_us);
}

int command_import(int argc, char **argv)
{
	const char *config = NULL, *database = NULL, *word[2] = {"", ""};
	struct import m = {0};
	struct clock system = {0};
	char today[11];
	int result;
	const struct option_row rows[] = {{"config", &config, NULL},
	                                  {"database", &database, NULL},
	                                  {"carrier", &m.carrier, NULL},
	                                  {"date", &m.date, NULL},
	                                  {"by", &m.by, NULL},
	                                  {"json", NULL, &m.json},
	                                  {0}};
	if (options_parse(argc, argv, rows, word, 2) < 0)
		return EXIT_USAGE;
	while (m.kind <= IMPORT_REASSIGNED && strcmp(word[0], kinds[m.kind]) != 0)
		m.kind++;
	if (m.kind > IMPORT_REASSIGNED || !*word[1])
		return usage_error("import takes deactivations FILE or reassigned FILE");
	if (!m.by || (m.kind == IMPORT_DEACTIVATED && !m.carrier))
		return usage_error("import needs --by NAME, of deactivations --carrier NAME too");
	time_format(clock_read(&system), m.now);
	copy_view(today, sizeof(today), view_of(m.now, 10));
	m.path = word[1];
	m.date = m.date ? m.date : today;
	m.carrier = m.carrier ? m.carrier : "rnd";
	if (!day_ok(m.date) || strcmp(m.date, today) > 0)
		return usage_error("--date takes a day until today, as 2026-03-02");
	m.c = app_database(config, database, false, &result);
	if (!m.c)
		return result;
	result = import_file(&m);
	store_client_close(m.c);
	return result;
}
