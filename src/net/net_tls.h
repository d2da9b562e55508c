/* TLS contexts, 1.2 and newer. Only net sees OpenSSL's ssl.h. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base_bytes.h"

struct tls_context; /* counted: a context replaced by a reload lives until its last stream closes */

/* Server side from PEM files. NULL and a sentence in error when they do not load or do not belong together. */
struct tls_context *net_tls_server(const char *certificate, const char *key, struct buf *error);
/* Asks clients for a certificate, which must then be one of ca_file's (PEM) for clients, or the handshake fails. One
 * that has none gets in: whether it must have one, and with what name, the owner decides
 * (net_stream_peer_name_matches). False and a sentence in error when the file does not load. */
bool net_tls_ask_clients(struct tls_context *c, const char *ca_file, struct buf *error);

/* After net_tls_ask_clients: one that has none does not get in. */
void net_tls_need_clients(struct tls_context *c);

/* Client side: verifies the chain against ca_file (PEM) or, when it is "", the system's store, and the host name. */
struct tls_context *net_tls_client(const char *ca_file, struct buf *error);
/* Its own certificate, for servers that ask for one. False and a sentence in error, as net_tls_server. */
bool net_tls_identify(struct tls_context *c, const char *certificate, const char *key, struct buf *error);
/* The name to ask for (SNI) and to look for in the server's certificate; "" is the host that is connected to. */
void net_tls_set_server_name(struct tls_context *c, const char *name);

/* Unix time in microseconds at which its own certificate ends; 0 when it has none. */
int64_t net_tls_expiry_us(const struct tls_context *c);
struct tls_context *net_tls_ref(struct tls_context *c);
void net_tls_unref(struct tls_context *c);

/* Writes a self-signed P-256 certificate for localhost, 127.0.0.1 and ::1, valid for days, and its key (mode 0600). */
bool net_tls_selfsign(const char *certificate, const char *key, int days);

#endif
