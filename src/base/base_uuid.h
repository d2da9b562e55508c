/* UUIDs: version 7 of RFC 9562, made monotonic within a generator, so that ids sort by creation and serve as cursors.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base_bytes.h"

struct uuid {
	uint8_t b[16];
};

#define UUID_TEXT_BYTES 37

struct uuid_maker {
	int64_t last_ms;
	uint32_t counter; /* 26 bits below the millisecond */
};

/* The next id at wall time wall_us. Never smaller than the one before, also when the clock steps back. */
struct uuid uuid_make(struct uuid_maker *m, int64_t wall_us);
const char *uuid_format(const struct uuid *id, char to[UUID_TEXT_BYTES]);
/* 8-4-4-4-12 hexadecimal digits, any version. */
bool uuid_parse(struct view text, struct uuid *id_r);
bool uuid_is_zero(const struct uuid *id);

/* n octets from the kernel's generator; aborts when there are none. */
void random_bytes(void *to, size_t n);
/* Uniform enough for jitter: 0 <= value < below. */
uint64_t random_below(uint64_t below);

#endif
