/* Hosts and listen addresses as they stand in the configuration. */
#ifndef CONFIG_HOST_H
#define CONFIG_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* "host:port" and "[host]:port"; without a port the whole is the host. False when it is neither. */
bool config_host_split(const char *text, char *host, size_t cap, bool *port_r);
/* Whether it names this machine only: 127.0.0.0/8, ::1 or localhost, with or without a port ("[::1]:443"). */
bool config_host_is_loopback(const char *host_or_listen);

#endif
