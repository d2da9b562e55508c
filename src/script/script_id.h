/* message_id of the simulated carrier: one number in many spellings. */
#ifndef SCRIPT_ID_H
#define SCRIPT_ID_H

#include "script_row.h"

#define SCRIPT_ID_BYTES 65       /* with its NUL: what message_id holds */
#define SCRIPT_ID_NUMBER_BITS 48 /* a number is below 2^48: what the last group of a UUID holds */

/* Spells a number; seed colours the rest of a UUID and of a long id. */
const char *script_id_spell(enum script_word spelling, uint64_t number, uint64_t seed, char to[SCRIPT_ID_BYTES]);

#define SCRIPT_ID_READINGS 3
/* The numbers that an id may spell, for looking it up: as decimal, as hexadecimal, as the tail of a long form. Returns
 * how many; whoever asks compares the spelling. */
unsigned script_id_read(struct view id, uint64_t to[SCRIPT_ID_READINGS]);

#endif
