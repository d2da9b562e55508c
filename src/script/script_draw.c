#include "script_draw.h"

#include <math.h>

#define STEP UINT64_C(0x9e3779b97f4a7c15) /* splitmix64 */

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t script_draw(uint64_t seed, uint64_t stream, uint64_t n, uint64_t k)
{
	return mix(mix(mix(mix(seed + STEP) + (stream + 1) * STEP) + (n + 1) * STEP) + (k + 1) * STEP);
}

/* The bias of the remainder is below 2^-32 for every range that a script can name. */
uint64_t script_draw_below(uint64_t drawn, uint64_t below)
{
	return below ? drawn % below : 0;
}

int64_t script_draw_between(uint64_t drawn, int64_t low, int64_t high)
{
	return high <= low ? low : low + (int64_t)script_draw_below(drawn, (uint64_t)(high - low) + 1);
}

int64_t script_draw_exponential(uint64_t drawn, int64_t mean)
{
	double share = ((double)(drawn >> 11) + 1) / 9007199254740992.0; /* 2^53: more than 0, at most 1 */
	double value = -(double)mean * log(share);
	return value > 20.0 * (double)mean ? 20 * mean : (int64_t)value;
}

void script_draw_order(uint64_t seed, uint64_t stream, uint64_t n, unsigned *index, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		index[i] = i;
	for (unsigned i = count; i > 1; i--) {
		unsigned j = (unsigned)script_draw_below(script_draw(seed, stream, n, i), i);
		unsigned kept = index[i - 1];
		index[i - 1] = index[j];
		index[j] = kept;
	}
}
