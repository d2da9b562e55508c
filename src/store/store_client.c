#include "store_client.h"

#include "base_check.h"
#include "base_pool.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

struct store_client {
	PGconn *pg;
	char error[600];
	char sqlstate[6];
};

struct store_table {
	PGresult *pg;
};

static void quiet(void *ctx, const char *message)
{
	(void)ctx;
	(void)message;
}

static void trim_newline(char *text)
{
	for (size_t n = strlen(text); n && text[n - 1] == '\n'; n--)
		text[n - 1] = 0;
}

struct store_client *store_client_open(const char *conninfo, struct buf *error)
{
	PGconn *pg = PQconnectdb(conninfo);
	if (PQstatus(pg) != CONNECTION_OK) {
		char text[600];
		copy_str(text, sizeof(text), PQerrorMessage(pg));
		trim_newline(text);
		buf_add_str(error, text);
		PQfinish(pg);
		return NULL;
	}
	PQsetNoticeProcessor(pg, quiet, NULL);
	struct store_client *c = mem_alloc(sizeof(*c));
	c->pg = pg;
	return c;
}

void store_client_close(struct store_client *c)
{
	if (!c)
		return;
	PQfinish(c->pg);
	free(c);
}

static bool succeeded(struct store_client *c, PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return true;
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	copy_str(c->error, sizeof(c->error), PQresultErrorMessage(r));
	copy_str(c->sqlstate, sizeof(c->sqlstate), sqlstate ? sqlstate : "");
	trim_newline(c->error);
	return false;
}

struct store_table *store_client_run(struct store_client *c, const char *sql, const char *const *params, unsigned count)
{
	PGresult *r = PQexecParams(c->pg, sql, (int)count, NULL, params, NULL, NULL, 0);
	if (!succeeded(c, r)) {
		PQclear(r);
		return NULL;
	}
	struct store_table *t = mem_alloc(sizeof(*t));
	t->pg = r;
	return t;
}

bool store_client_script(struct store_client *c, const char *sql)
{
	PGresult *r = PQexec(c->pg, sql);
	bool ok = succeeded(c, r);
	PQclear(r);
	return ok;
}

const char *store_client_error(const struct store_client *c)
{
	return c->error;
}

const char *store_client_sqlstate(const struct store_client *c)
{
	return c->sqlstate;
}

void store_client_literal(struct store_client *c, const char *text, struct buf *to)
{
	char *quoted = PQescapeLiteral(c->pg, text, strlen(text));
	check(quoted);
	buf_add_str(to, quoted);
	PQfreemem(quoted);
}

void store_table_free(struct store_table *t)
{
	if (!t)
		return;
	PQclear(t->pg);
	free(t);
}

unsigned store_table_rows(const struct store_table *t)
{
	return (unsigned)PQntuples(t->pg);
}

unsigned store_table_columns(const struct store_table *t)
{
	return (unsigned)PQnfields(t->pg);
}

const char *store_table_name(const struct store_table *t, unsigned column)
{
	return PQfname(t->pg, (int)column);
}

static bool type_among(const struct store_table *t, unsigned column, const Oid *oids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (PQftype(t->pg, (int)column) == oids[i])
			return true;
	return false;
}

bool store_table_numeric(const struct store_table *t, unsigned column)
{
	static const Oid oids[] = {20, 21, 23, 700, 701, 1700};
	return type_among(t, column, oids, sizeof(oids) / sizeof(*oids));
}

bool store_table_boolean(const struct store_table *t, unsigned column)
{
	return PQftype(t->pg, (int)column) == 16;
}

bool store_table_json(const struct store_table *t, unsigned column)
{
	static const Oid oids[] = {114, 3802};
	return type_among(t, column, oids, sizeof(oids) / sizeof(*oids));
}

const char *store_table_cell(const struct store_table *t, unsigned row, unsigned column)
{
	if (PQgetisnull(t->pg, (int)row, (int)column))
		return NULL;
	return PQgetvalue(t->pg, (int)row, (int)column);
}
