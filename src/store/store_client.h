/* A plain, waiting connection for commands (migrate, practice, key, report, explain, demo). Never used on the loop. */
#ifndef STORE_CLIENT_H
#define STORE_CLIENT_H

#include "base_bytes.h"

struct store_client;

/* NULL and a sentence in error when it cannot connect. */
struct store_client *store_client_open(const char *conninfo, struct buf *error);
void store_client_close(struct store_client *c);

struct store_table; /* a result; free with store_table_free */
void store_table_free(struct store_table *t);
unsigned store_table_rows(const struct store_table *t);
unsigned store_table_columns(const struct store_table *t);
const char *store_table_name(const struct store_table *t, unsigned column);
/* True for columns that hold numbers. */
bool store_table_numeric(const struct store_table *t, unsigned column);
/* Columns of booleans ("t", "f") and of JSON. */
bool store_table_boolean(const struct store_table *t, unsigned column);
bool store_table_json(const struct store_table *t, unsigned column);
/* NULL for NULL. */
const char *store_table_cell(const struct store_table *t, unsigned row, unsigned column);

/* Runs one statement with text parameters (NULL is NULL). NULL when it failed: then store_client_error says why. */
struct store_table *store_client_run(struct store_client *c, const char *sql, const char *const *params,
                                     unsigned count);
/* Runs a script of several statements; false when one failed. */
bool store_client_script(struct store_client *c, const char *sql);
const char *store_client_error(const struct store_client *c);
/* SQLSTATE of the last failure, "" when none. */
const char *store_client_sqlstate(const struct store_client *c);
/* A string literal, quoted for this connection. */
void store_client_literal(struct store_client *c, const char *text, struct buf *to);

#endif
