/* Drawn numbers. Each is a function of (seed, stream, n, k) alone, so that what one decision draws does not depend on
 * how many others were made in between: the same submits in the same order meet the same faults. */
#ifndef SCRIPT_DRAW_H
#define SCRIPT_DRAW_H

#include "base_bytes.h"

/* 64 bits, each as likely: the kth number of the nth decision of a stream. */
uint64_t script_draw(uint64_t seed, uint64_t stream, uint64_t n, uint64_t k);
/* From 0 to below - 1; 0 when below is 0. */
uint64_t script_draw_below(uint64_t drawn, uint64_t below);
/* From low to high, both included, each as likely. */
int64_t script_draw_between(uint64_t drawn, int64_t low, int64_t high);
/* Of an exponential distribution with this mean, cut at 20 times the mean. */
int64_t script_draw_exponential(uint64_t drawn, int64_t mean);
/* Puts indices 0 to n - 1 in a drawn order. */
void script_draw_order(uint64_t seed, uint64_t stream, uint64_t n, unsigned *index, unsigned count);

#endif
