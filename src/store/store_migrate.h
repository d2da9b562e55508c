/* Migrations: migrations/NNNN_name.sql, forward only, in order, one transaction each, under one advisory lock,
 * remembered with their SHA-256. An applied file that changed since, or is unknown to this program, is an error. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store_client.h"

/* A reference table that is written anew from rows of proto/: cells row by row. */
struct store_reference {
	const char *table;   /* "smsbridge.reason" */
	const char *columns; /* "code, rule, ..." */
	const char *const *cells;
	unsigned width;
	unsigned rows;
	/* When set, this column of that table may only hold the first column of these rows. */
	const char *constrained_table;
	const char *constrained_column;
};

/* Told of each file applied. */
typedef void (*store_migrated_cb)(void *ctx, const char *name);

/* Brings the database to this program's version. False with a sentence in error. */
bool store_migrate(struct store_client *c, const struct store_reference *references, unsigned count,
                   store_migrated_cb cb, void *ctx, struct buf *error);
/* Number of the newest migration that this program has. */
unsigned store_migrate_newest(void);
/* Number of the newest applied; 0 when none; -1 with a sentence when it cannot be read. */
int store_migrate_applied(struct store_client *c, struct buf *error);

#endif
