/* Counts every allocation of the process, those of its libraries too: malloc and its kin are the program's own here and
 * pass on to those of libc. Not for builds with a sanitizer, which brings its own. */
#ifndef SMPP_ALLOC_H
#define SMPP_ALLOC_H

#include <stdint.h>

/* Calls of malloc, calloc, realloc and aligned_alloc so far. */
uint64_t bench_allocations(void);

#endif
