/* Random numbers of a property test: seeded by the environment's SEED or by the clock, and always told. */
#ifndef SEEDED_H
#define SEEDED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t seeded_state;

static inline void seeded_start(const char *test)
{
	const char *given = getenv("SEED");
	seeded_state = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("%s: SEED=%llu\n", test, (unsigned long long)seeded_state);
}

/* splitmix64 */
static inline uint64_t seeded_next(void)
{
	uint64_t z = seeded_state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline int64_t seeded_between(int64_t least, int64_t most)
{
	return least + (int64_t)(seeded_next() % (uint64_t)(most - least + 1));
}

#endif
