/* What must hold between the keys of a configuration. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config_load.h"

/* Reports: not exactly one of conninfo and conninfo_secret_file; plain HTTP or SMPP off loopback without its
 * plain_without_tls; half a certificate; a moved clock with a carrier off loopback; two carriers of one name; a log
 * level that is none; a listen that is no address and port; retry_base over retry_max. With line and column when
 * c->mark is there. */
void config_check(const char *file, const struct config *c, struct config_errors *errors_r);

/* Whether it names this machine only: 127.0.0.0/8, ::1 or localhost, with or without a port ("[::1]:443"). */
bool config_host_is_loopback(const char *host_or_listen);
/* Whether the rule clock is not the real one. */
bool config_clock_moved(const struct config *c);

#endif
