/* The gateway put together from a configuration: loop, dispatch, API server, signals, reload, drain. */
#ifndef APP_GATEWAY_H
#define APP_GATEWAY_H

#include "app.h"

/* Runs until SIGTERM or SIGINT has drained it. config is taken over. Returns an exit code. */
int gateway_run(const char *config_path, struct config *config);

#endif
