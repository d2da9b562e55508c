/* TLS contexts, 1.2 and newer. Only net sees OpenSSL's ssl.h. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base_bytes.h"

struct tls_context; /* counted: a context replaced by a reload lives until its last stream closes */

/* Server side from PEM files. NULL and a sentence in error when they do not load or do not belong together. */
struct tls_context *net_tls_server(const char *certificate, const char *key, struct buf *error);
/* Client side: verifies the chain against ca_file (PEM) or, when it is "", the system's store, and the host name. */
struct tls_context *net_tls_client(const char *ca_file, struct buf *error);
struct tls_context *net_tls_ref(struct tls_context *c);
void net_tls_unref(struct tls_context *c);

/* Writes a self-signed P-256 certificate for localhost, 127.0.0.1 and ::1, valid for days, and its key (mode 0600). */
bool net_tls_selfsign(const char *certificate, const char *key, int days);

#endif
