#include "base_fold.h"

#include <stddef.h>

enum treatment { FOLDS, VANISHES, BLANKS };

struct range {
	uint32_t first;
	uint32_t last;
	enum treatment treatment;
	char to;
	uint8_t period;
};

static const struct range ranges[] = {
#define FOLD(first, last, to, period, what) {first, last, FOLDS, to, period},
#define VANISH(first, last, what) {first, last, VANISHES, 0, 1},
#define BLANK(first, last, what) {first, last, BLANKS, 0, 1},
#include "base_fold.def"
#undef FOLD
#undef VANISH
#undef BLANK
};

char fold_character(uint32_t character)
{
	if (character == ' ') /* the most frequent of all, and in the last rows */
		return ' ';
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];
		if (character < r->first || character > r->last)
			continue;
		if (r->treatment == FOLDS)
			return (char)(r->to + (character - r->first) % r->period);
		return r->treatment == BLANKS ? ' ' : 0;
	}
	return FOLD_UNKNOWN;
}
