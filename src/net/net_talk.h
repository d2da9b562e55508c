/* What a peer's first octets look like, for the sentence on why a connection failed: a TLS client on a plain port, a
 * plain one on a TLS port, a browser or a health check on an SMPP port. */
#ifndef NET_TALK_H
#define NET_TALK_H

#include "base_bytes.h"

#define TALK_BYTES 8 /* enough to tell */

enum net_talk {
	NET_TALK_UNKNOWN, /* too short to tell, or nothing of these */
	NET_TALK_TLS,     /* a handshake or alert record, RFC 8446 5.1 */
	NET_TALK_HTTP,    /* a request's method, a status line, or HTTP/2's preface */
	NET_TALK_SMPP,    /* a plausible command_length and a command_id, SMPP 5.0 4.1 */
};

enum net_talk net_talk_of(struct view first);
/* "TLS", "HTTP", "SMPP"; "something else" */
const char *net_talk_name(enum net_talk t);

#endif
