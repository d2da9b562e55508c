/* Letters of any style, with or without accents, as plain small ones: so that words are compared as they are meant. */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include <stdint.h>

#define FOLD_UNKNOWN '?' /* a letter of a script that no row uses: its word matches nothing */

/* The character's letter or digit; ' ' for what parts words; 0 for what is as if it were not there; FOLD_UNKNOWN. */
char fold_character(uint32_t character);

#endif
