/* A connected stream of octets, TCP or TLS over TCP, the same to its owner. Everything written in a turn leaves in one
 * write at its end. `closed` is called exactly once for every stream that was made, and the stream is gone after it. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net_loop.h"
#include "net_talk.h"
#include "net_tls.h"

struct stream;

struct stream_ops {
	void (*opened)(void *ctx);                     /* connected, and for TLS shaken hands */
	void (*octets)(void *ctx, struct view octets); /* only after opened; the view ends with the call */
	void (*drained)(void *ctx);                    /* everything written is with the kernel; may be NULL */
	void (*closed)(void *ctx, const char *reason); /* reason: stable code or the system's sentence */
};

/* Resolves and connects; tls NULL means plain. host is also the name that the certificate must bear. */
struct stream *net_stream_connect(struct loop *l, const char *host, int port, struct tls_context *tls,
                                  const struct stream_ops *ops, void *ctx);
/* How long it may take from now until opened(): name look-up, TCP, TLS. LIMIT_STREAM_OPEN_MS without it. */
void net_stream_open_within(struct stream *s, int64_t timeout_ms);
/* Copies the octets. Past LIMIT_STREAM_OUT_BYTES waiting the peer is too slow and the stream is closed. */
void net_stream_write(struct stream *s, struct view octets);
/* Octets that wait for the kernel. */
size_t net_stream_queued(const struct stream *s);
void net_stream_read(struct stream *s, bool on);
/* Closes: at once, or after what was written has left (flush). Harmless when already closing. */
void net_stream_close(struct stream *s, const char *reason);
void net_stream_close_flushed(struct stream *s, const char *reason);
/* "192.0.2.1:2775" */
const char *net_stream_peer(const struct stream *s);
/* Whether the peer's address is in a list of addresses and prefixes, see net_address_allowed. */
bool net_stream_peer_allowed(const struct stream *s, const char *list);
/* What the peer's first octets look like, once TLS is opened those inside of it: for the reason of a close. */
enum net_talk net_stream_talk(const struct stream *s);
/* Whether the peer showed a certificate that our authorities vouch for, and whether it also bears that name: a DNS name
 * of its subjectAltName or, when that has none, its common name; no wildcards. False before opened and without TLS. */
bool net_stream_peer_verified(const struct stream *s);
bool net_stream_peer_name_matches(const struct stream *s, const char *name);

#define STREAM_FINGERPRINT_BYTES 32
/* SHA-256 of the certificate (DER) that the peer showed; false unless our authorities vouch for it. */
bool net_stream_peer_fingerprint(const struct stream *s, uint8_t to[STREAM_FINGERPRINT_BYTES]);

struct listener;
/* A connection came in. The owner takes it with net_stream_accept inside the callback, or it is closed. */
typedef void (*net_accept_cb)(void *ctx, struct listener *from);
/* address "127.0.0.1:8443" or "[::1]:0". NULL and a sentence in error when it cannot listen. */
struct listener *net_listen(struct loop *l, const char *address, struct tls_context *tls, net_accept_cb cb, void *ctx,
                            struct buf *error);
struct stream *net_stream_accept(struct listener *from, const struct stream_ops *ops, void *ctx);
/* For the connections to come. */
void net_listener_set_tls(struct listener *l, struct tls_context *tls);
/* "127.0.0.1:8443" with the port that the system chose. */
const char *net_listener_address(const struct listener *l);
/* Stops accepting; frees. NULL is allowed. */
void net_listener_free(struct listener *l);

#endif
