/* What must hold between the keys of a configuration, and what an operator should know of one that holds. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config_load.h"

/* Reports: not exactly one of conninfo and conninfo_secret_file; plain HTTP or SMPP off loopback without its
 * plain_without_tls; half a certificate; a moved clock with a carrier or SMPP listener off loopback; a listen that is
 * no address and port; retry_base over retry_max; what a carrier's way to connect needs and hasn't; texts that do not
 * parse (tlvs, addresses, a password's hash); two carriers, routes, senders or brands that are the same; a name of a
 * carrier, brand or category that there is not. With line and column when c->mark is there. */
void config_check(const char *file, const struct config *c, struct config_errors *errors_r);

/* Whether the rule clock is not the real one. */
bool config_clock_moved(const struct config *c);
/* Whether no SMPP leaves or enters this machine: every carrier that we dial and every SMPP listener is on loopback. */
bool config_all_loopback(const struct config *c);

#endif
