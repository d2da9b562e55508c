/* Child processes of the demonstration: each dies with its parent. */
#ifndef APP_PROCESS_H
#define APP_PROCESS_H

#include "base_bytes.h"

#include <sys/types.h>

struct process_io {
	int in;           /* descriptor for standard input, or -1 for /dev/null */
	const char *out;  /* file for standard output, NULL: /dev/null */
	const char *err;  /* file for standard error, NULL: as out */
	int death_signal; /* sent to it when the parent dies */
};

/* Runs a program; argv ended by NULL. -1 when it could not be started. */
pid_t process_exec(const struct process_io *io, const char *const *argv);
/* Runs one of our subcommands in a fork of this process. */
pid_t process_command(const struct process_io *io, int (*run)(int argc, char **argv), const char *const *argv);
/* Exit code of a child, waiting for it; 128 + signal when a signal ended it. */
int process_wait(pid_t pid);
/* Signals it and waits up to timeout_ms, then kills. pid 0 or less: nothing. */
void process_stop(pid_t pid, int signal, int64_t timeout_ms);
/* Whether it still runs. */
bool process_alive(pid_t pid);
/* A TCP port of 127.0.0.1 that was free a moment ago; preferred when that is free. */
int process_free_port(int preferred);

#endif
