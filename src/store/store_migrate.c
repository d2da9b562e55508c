#include "store_migrate.h"

#include "net_crypto.h"
#include "store_sql.h"

#include <stdlib.h>
#include <string.h>

#define LOCK_KEY "7310771300000"

static unsigned number_of(const struct store_file *f)
{
	return (unsigned)strtoul(f->name, NULL, 10);
}

unsigned store_migrate_newest(void)
{
	unsigned newest = 0;
	for (const struct store_file *f = store_migration_files; f->name; f++)
		newest = number_of(f);
	return newest;
}

static void checksum(const struct store_file *f, char hex[2 * SHA256_BYTES + 1])
{
	uint8_t sum[SHA256_BYTES];
	net_sha256(view_of(f->text, f->bytes), sum);
	hex_encode(sum, sizeof(sum), hex);
}

static bool fail(struct store_client *c, struct buf *error, const char *what)
{
	buf_printf(error, "%s: %s", what, store_client_error(c));
	return false;
}

static bool prepare_table(struct store_client *c)
{
	return store_client_script(
	        c, "SELECT pg_advisory_lock(" LOCK_KEY ");"
	           "CREATE SCHEMA IF NOT EXISTS smsbridge;"
	           "CREATE TABLE IF NOT EXISTS smsbridge.migration (number integer PRIMARY KEY, name text NOT NULL,"
	           " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp());");
}

static bool apply(struct store_client *c, const struct store_file *f, const char *hex, struct buf *error)
{
	struct buf script = BUF(1 << 22);
	buf_printf(&script,
	           "BEGIN;\n%s\nINSERT INTO smsbridge.migration (number, name, sha256) VALUES (%u, '%s', '%s');COMMIT;",
	           f->text, number_of(f), f->name, hex);
	bool ok = store_client_script(c, buf_cstr(&script));
	buf_free(&script);
	if (ok)
		return true;
	fail(c, error, f->name);
	(void)store_client_script(c, "ROLLBACK");
	return false;
}

/* 1 applied already and unchanged, 0 to be applied, -1 changed since. */
static int applied_state(struct store_client *c, const struct store_file *f, const char *hex)
{
	char number[12];
	const char *params[1] = {number};
	struct buf text = BUF(12);
	buf_printf(&text, "%u", number_of(f));
	copy_str(number, sizeof(number), buf_cstr(&text));
	buf_free(&text);
	struct store_table *t =
	        store_client_run(c, "SELECT sha256 FROM smsbridge.migration WHERE number = $1::integer", params, 1);
	int state = 0;
	if (t && store_table_rows(t))
		state = strcmp(store_table_cell(t, 0, 0), hex) == 0 ? 1 : -1;
	store_table_free(t);
	return state;
}

static bool write_rows(struct store_client *c, const struct store_reference *r, struct buf *script)
{
	buf_printf(script, "DELETE FROM %s;\n", r->table);
	for (unsigned i = 0; i < r->rows; i++) {
		buf_printf(script, "INSERT INTO %s (%s) VALUES (", r->table, r->columns);
		for (unsigned j = 0; j < r->width; j++) {
			if (j)
				buf_add_str(script, ", ");
			store_client_literal(c, r->cells[i * r->width + j], script);
		}
		buf_add_str(script, ");\n");
	}
	return !script->full;
}

/* NOT VALID: rows of the past keep words that this version may have dropped. */
static void write_constraint(struct store_client *c, const struct store_reference *r, struct buf *script)
{
	if (!r->constrained_table)
		return;
	buf_printf(script,
	           "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s_known; ALTER TABLE %s ADD CONSTRAINT %s_known CHECK "
	           "(%s IN (",
	           r->constrained_table, r->constrained_column, r->constrained_table, r->constrained_column,
	           r->constrained_column);
	for (unsigned i = 0; i < r->rows; i++) {
		if (i)
			buf_add_str(script, ", ");
		store_client_literal(c, r->cells[i * r->width], script);
	}
	buf_add_str(script, ")) NOT VALID;\n");
}

static bool write_references(struct store_client *c, const struct store_reference *references, unsigned count,
                             struct buf *error)
{
	struct buf script = BUF(1 << 22);
	buf_add_str(&script, "BEGIN;\n");
	for (unsigned i = 0; i < count; i++) {
		write_rows(c, &references[i], &script);
		write_constraint(c, &references[i], &script);
	}
	buf_add_str(&script, "SELECT smsbridge.partitions_make(clock_timestamp()); COMMIT;");
	bool ok = store_client_script(c, buf_cstr(&script));
	buf_free(&script);
	if (!ok) {
		fail(c, error, "reference rows");
		(void)store_client_script(c, "ROLLBACK");
	}
	return ok;
}

static bool apply_all(struct store_client *c, store_migrated_cb cb, void *ctx, struct buf *error)
{
	for (const struct store_file *f = store_migration_files; f->name; f++) {
		char hex[2 * SHA256_BYTES + 1];
		checksum(f, hex);
		int state = applied_state(c, f, hex);
		if (state < 0) {
			buf_printf(error, "migration %s was applied with other content; migrations are never edited",
			           f->name);
			return false;
		}
		if (state == 0 && !apply(c, f, hex, error))
			return false;
		if (state == 0 && cb)
			cb(ctx, f->name);
	}
	return true;
}

int store_migrate_applied(struct store_client *c, struct buf *error)
{
	struct store_table *t =
	        store_client_run(c, "SELECT coalesce(max(number), 0) FROM smsbridge.migration", NULL, 0);
	if (!t && strcmp(store_client_sqlstate(c), "42P01") == 0)
		return 0; /* no such table: an empty database */
	if (!t && strcmp(store_client_sqlstate(c), "3F000") == 0)
		return 0; /* no such schema */
	if (!t) {
		fail(c, error, "reading smsbridge.migration");
		return -1;
	}
	int number = (int)strtol(store_table_cell(t, 0, 0), NULL, 10);
	store_table_free(t);
	return number;
}

bool store_migrate(struct store_client *c, const struct store_reference *references, unsigned count,
                   store_migrated_cb cb, void *ctx, struct buf *error)
{
	if (!prepare_table(c))
		return fail(c, error, "preparing");
	int applied = store_migrate_applied(c, error);
	if (applied > (int)store_migrate_newest()) {
		buf_printf(error, "the database is at migration %d, newer than this program's %u", applied,
		           store_migrate_newest());
		return false;
	}
	bool ok = applied >= 0 && apply_all(c, cb, ctx, error) && write_references(c, references, count, error);
	(void)store_client_script(c, "SELECT pg_advisory_unlock(" LOCK_KEY ")");
	return ok;
}
