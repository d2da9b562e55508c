/* Stop words that were mistyped: "stpo", "unsubcribe", "stoooop". Rows: TYPO_OF and NOT_TYPO of
 * proto/optout_phrase.def. */
#ifndef TEXT_TYPO_H
#define TEXT_TYPO_H

#include "text_fold.h"

/* Copies the folded text; words that are a typo of a row become that row's word, and three or more single letters in
 * a row become one word ("s t o p"). */
void text_typo_mend(const struct text_folded *from, struct text_folded *to);

/* Letters left out, added, changed or swapped with a neighbour. Words of up to 16 letters; longer ones are 99 apart. */
unsigned text_typo_distance(struct view a, struct view b);

#endif
