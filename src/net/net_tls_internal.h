/* Shared inside net only: what a stream needs of a context. */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include "net_tls.h"

#include <openssl/ssl.h>

struct tls_context {
	SSL_CTX *ssl;
	unsigned refs;
	bool server;
	char server_name[256]; /* "": the host */
};

/* The newest error of OpenSSL's queue as a sentence, and empties the queue. */
void net_tls_error(struct buf *to);

#endif
