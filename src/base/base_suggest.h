/* "Did you mean": how far two words are apart. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base_bytes.h"

/* Edits (insert, drop, change, swap two neighbours) that make b of a; 99 when either has more than 40 octets. */
unsigned suggest_distance(struct view a, struct view b);
/* Whether a distance is that of a slip in a word of n octets, and not of another word. */
bool suggest_near(unsigned distance, size_t n);

#endif
