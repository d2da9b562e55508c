/* Parameters of a statement in PostgreSQL's binary format: arrays, one element a row of the batch, and single values.
 * Kept between batches, so that a batch costs no allocation. */
#ifndef STORE_ARRAY_H
#define STORE_ARRAY_H

#include "base_bytes.h"
#include "base_uuid.h"

enum store_type { STORE_TEXT, STORE_UUID, STORE_INT4, STORE_INT8, STORE_BOOL, STORE_TIME, STORE_BYTEA };

#define STORE_PARAMS_MAX 40

struct store_param {
	enum store_type type;
	bool array;
	bool null;      /* single value only */
	uint32_t count; /* elements */
	bool has_null;
	struct buf octets;
};

struct store_params {
	struct store_param p[STORE_PARAMS_MAX];
	unsigned count;
};

void store_params_free(struct store_params *ps);
/* Empties every parameter; keeps memory. The next store_array/store_value calls define them again, in order. */
void store_params_clear(struct store_params *ps);

/* Declares the next parameter as an array and returns its index. */
unsigned store_array(struct store_params *ps, enum store_type type);
void store_add_null(struct store_params *ps, unsigned i);
void store_add_text(struct store_params *ps, unsigned i, struct view v);
void store_add_str(struct store_params *ps, unsigned i, const char *text); /* NULL adds NULL */
void store_add_uuid(struct store_params *ps, unsigned i, const struct uuid *id);
void store_add_int(struct store_params *ps, unsigned i, int64_t v); /* INT4, INT8, BOOL */
#define STORE_TIME_NEVER INT64_MAX                                  /* infinity */
void store_add_time(struct store_params *ps, unsigned i, int64_t wall_us);
void store_add_bytes(struct store_params *ps, unsigned i, struct view v);

/* Appends the next parameter as a single value. */
void store_value_null(struct store_params *ps);
void store_value_text(struct store_params *ps, struct view v);
void store_value_str(struct store_params *ps, const char *text); /* NULL is NULL */
void store_value_uuid(struct store_params *ps, const struct uuid *id);
void store_value_int(struct store_params *ps, enum store_type type, int64_t v);
void store_value_time(struct store_params *ps, int64_t wall_us);
void store_value_bytes(struct store_params *ps, struct view v);

/* The octets to send for parameter i; NULL for NULL. */
const char *store_param_octets(struct store_param *p, int *length_r);

#endif
