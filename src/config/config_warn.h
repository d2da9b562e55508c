/* What a good configuration still puts at risk: told on every start, on every reload and by `smsbridge check`. */
#ifndef CONFIG_WARN_H
#define CONFIG_WARN_H

#include "config_load.h"

struct config_warning {
	const char *event;   /* stable word of the log line */
	const char *carrier; /* its name, or "" */
	const char *listen;  /* the listener's address, or "" */
	const char *field;   /* the setting, where it is of neither, or "" */
	const char *sentence;
};

typedef void (*config_warning_cb)(void *ctx, const struct config_warning *w);

/* Calls cb for each. */
void config_warn(const struct config *c, config_warning_cb cb, void *ctx);

#endif
