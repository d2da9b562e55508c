#include "base_suggest.h"

#define WORD 40 /* octets of the longest word compared */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned suggest_distance(struct view a, struct view b)
{
	unsigned row[3][WORD + 1] = {{0}}; /* of this octet of a, the one before, and before that */
	if (a.n > WORD || b.n > WORD)
		return 99;
	for (unsigned j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = row[i % 3];
		const unsigned *before = row[(i + 2) % 3];
		const unsigned *earlier = row[(i + 1) % 3];
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[a.n % 3][b.n];
}

bool suggest_near(unsigned distance, size_t n)
{
	return distance <= 1 + n / 5 && distance < n;
}
