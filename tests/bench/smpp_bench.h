/* What the programs of tests/bench/smpp share: time, processor, the octets of the wire, complaints. */
#ifndef SMPP_BENCH_H
#define SMPP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_HEADER 16
#define BENCH_TEXT 160 /* octets of a submit_sm's short_message */

/* Says what is wrong and ends the program. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The wall's nanoseconds, and those that a process has worked; 0 for itself. */
int64_t bench_now_ns(void);
int64_t bench_worked_ns(pid_t process);
/* Keeps this process on one core; -1 leaves it alone. */
void bench_pin(int core);
/* The middle of n figures, which it sorts. */
double bench_median(double *figures, size_t n);
/* A whole number of 0..max behind an option, or the end. */
uint64_t bench_number(const char *option, const char *text, uint64_t max);
uint32_t bench_u32(const uint8_t *p);
void bench_put_u32(uint8_t *p, uint32_t v);
/* A blocking connection to this machine's port, without delay. */
int bench_connect(int port);

#endif
