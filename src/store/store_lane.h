/* A lane: one PostgreSQL connection in pipeline mode on the loop, with its own line of batches. Lanes keep kinds of
 * work from waiting for each other. A batch is a list of statements and one transaction (unless a session is opened
 * with BEGIN); results come in order. A lane reconnects by itself with backoff; whatever was on the way then ends with
 * STORE_LOST, and the caller must treat it as "may have been committed". */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include "net_loop.h"
#include "store_array.h"

struct store_lane;

struct store_rows; /* result of one statement, valid during the callback */
unsigned store_rows_count(const struct store_rows *r);
/* Text of a field; "" for NULL. */
struct view store_rows_text(const struct store_rows *r, unsigned row, unsigned column);
bool store_rows_null(const struct store_rows *r, unsigned row, unsigned column);
int64_t store_rows_int(const struct store_rows *r, unsigned row, unsigned column);
bool store_rows_bool(const struct store_rows *r, unsigned row, unsigned column);
struct uuid store_rows_uuid(const struct store_rows *r, unsigned row, unsigned column);
/* Rows that an INSERT, UPDATE or DELETE touched. */
unsigned store_rows_touched(const struct store_rows *r);

enum store_result {
	STORE_OK,     /* committed */
	STORE_FAILED, /* rolled back: nothing of the batch happened */
	STORE_LOST,   /* the connection went away: it may have been committed */
	STORE_DOWN,   /* no connection: never sent */
};
const char *store_result_name(enum store_result r);

typedef void (*store_rows_cb)(void *ctx, const struct store_rows *rows);
typedef void (*store_done_cb)(void *ctx, enum store_result result, const char *sqlstate);

struct store_step {
	const char *sql;             /* name of a file of store/sql, or "BEGIN", "COMMIT", "ROLLBACK" */
	struct store_params *params; /* NULL: none. Only read during store_lane_run */
	store_rows_cb rows;          /* NULL: nobody looks */
};

/* Called when the lane's connection comes up or goes down. */
typedef void (*store_state_cb)(void *ctx, struct store_lane *lane, bool up);

struct store_lane *store_lane_new(struct loop *l, const char *name, const char *conninfo, store_state_cb cb, void *ctx);
/* Sends a batch of steps; done is called exactly once, never before this returns. rows callbacks get ctx too. */
void store_lane_run(struct store_lane *lane, const struct store_step *steps, unsigned count, store_done_cb done,
                    void *ctx);
bool store_lane_up(const struct store_lane *lane);
/* Batches sent and not done. */
unsigned store_lane_busy(const struct store_lane *lane);
const char *store_lane_name(const struct store_lane *lane);
/* Ends what runs with STORE_LOST, closes, frees. */
void store_lane_free(struct store_lane *lane);

#endif
