/* export reassigned-query: the numbers, with the day of the latest consent that counts, about which the Reassigned
 * Numbers Database has not been asked for 30 days. */
#include "app.h"
#include "app_export.h"

#include "base_time.h"
#include "store_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE "10000"

/* $1 now $2 practice or null */
static const char numbers[] =
        "CREATE TEMPORARY TABLE export_number AS SELECT row_number() OVER (ORDER BY phone, day) AS n, phone, day FROM ("
        "SELECT DISTINCT k.phone, k.day FROM ("
        "SELECT c.practice_id, c.phone, (max(c.captured_at) AT TIME ZONE 'UTC')::date AS day FROM smsbridge.consent c"
        " LEFT JOIN smsbridge.recipient r ON r.practice_id = c.practice_id AND r.phone = c.phone"
        " WHERE c.ended_at IS NULL AND smsbridge.consent_state(c, r.stale_at, $1::timestamptz) = 'counts'"
        " GROUP BY c.practice_id, c.phone"
        " UNION ALL SELECT m.practice_id, m.phone, (least(p.attested_at, min(m.created_at)) AT TIME ZONE 'UTC')::date"
        " FROM smsbridge.practice p JOIN smsbridge.message m ON m.practice_id = p.id"
        " WHERE p.consent_mode = 'attested' AND NOT EXISTS (SELECT FROM smsbridge.consent c"
        " WHERE c.practice_id = m.practice_id AND c.phone = m.phone AND c.ended_at IS NULL)"
        " GROUP BY m.practice_id, m.phone, p.attested_at) AS k"
        " LEFT JOIN smsbridge.recipient r ON r.practice_id = k.practice_id AND r.phone = k.phone"
        " WHERE (r.reassigned_at IS NULL OR r.reassigned_at < $1::timestamptz - interval '30 days')"
        " AND (r.stale_at IS NULL OR (r.stale_at AT TIME ZONE 'UTC')::date < k.day)"
        " AND ($2::uuid IS NULL OR k.practice_id = $2)) AS d";

static bool collect(struct store_client *c, const char *practice)
{
	char now[TIME_TEXT_BYTES];
	struct clock system = {0};
	const char *params[] = {time_format(clock_read(&system), now), practice};
	struct store_table *t = store_client_run(c, numbers, params, 2);
	store_table_free(t);
	return t && store_client_script(c, "CREATE INDEX ON pg_temp.export_number (n)");
}

/* False when it failed; *last is 0 when nothing is left. */
static bool print_page(struct store_client *c, char last[24])
{
	const char *params[] = {last};
	struct store_table *t = store_client_run(c,
	                                         "SELECT n, right(phone, 10), day FROM pg_temp.export_number"
	                                         " WHERE n > $1::int8 ORDER BY n LIMIT " PAGE,
	                                         params, 1);
	unsigned n = t ? store_table_rows(t) : 0;
	for (unsigned i = 0; i < n; i++)
		printf("%s,%s\n", store_table_cell(t, i, 1), store_table_cell(t, i, 2));
	copy_str(last, 24, n ? store_table_cell(t, n - 1, 0) : "0");
	store_table_free(t);
	return t;
}

static int reassigned_query(struct store_client *c, const char *practice)
{
	char last[24] = "0";
	bool ok = collect(c, practice);
	if (ok)
		puts("number,consent_date");
	while (ok && (ok = print_page(c, last)) && strcmp(last, "0") != 0)
		;
	return ok ? EXIT_OK : failure("%s", store_client_error(c));
}

int export_reassigned_query(const char *config, const char *database, const char *practice)
{
	int result;
	struct store_client *c = app_database(config, database, false, &result);
	if (!c)
		return result;
	result = reassigned_query(c, practice);
	store_client_close(c);
	return result;
}
