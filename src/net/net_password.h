/* Hashes of passwords that peers bind with: `scrypt$N$r$p$salt$hash`, base64 (RFC 7914).
 *
 * An SMPP password is short (8 octets by the specification) and often chosen by a person, so its hash must cost whoever
 * steals the file: N 16384, r 8, p 1 is about 45 ms of one core and 16 MB. The loop must not stop for that, so a worker
 * thread does it, one at a time: whoever storms us with binds keeps one core busy, and no more than
 * LIMIT_PASSWORD_CHECKS wait. A password that matched is remembered, as a MAC under a key of this process, so that
 * peers that bind again and again (some for each message) cost microseconds and get past a storm of strangers. */
#ifndef NET_PASSWORD_H
#define NET_PASSWORD_H

#include "net_loop.h"

enum net_password_result {
	NET_PASSWORD_MATCHES,
	NET_PASSWORD_WRONG,
	NET_PASSWORD_BUSY, /* too many wait: the peer should try again later */
};

/* Appends the line for a password, with a salt of its own. Takes 45 ms: for commands. */
void net_password_hash(struct view password, struct buf *to);
/* Whether it is a line that can be checked: the right shape, powers and sizes, at most LIMIT_SCRYPT_BYTES of memory. */
bool net_password_is_hash(const char *line);

struct net_passwords;
struct net_password_check;
typedef void (*net_password_cb)(void *ctx, enum net_password_result result);

struct net_passwords *net_passwords_new(struct loop *l);
/* Checks a password (copied, and wiped after) against a line; one that is no hash matches nothing. Calls back exactly
 * once, never before it returns; the returned check is gone then. */
struct net_password_check *net_password_verify(struct net_passwords *p, const char *line, struct view password,
                                               net_password_cb cb, void *ctx);
/* The callback is not called any more. NULL is allowed. */
void net_password_cancel(struct net_password_check *c);
/* Checks that wait or run. */
unsigned net_passwords_open(const struct net_passwords *p);
/* Cancels what is open; NULL is allowed. One that runs in the worker ends there, before net_loop_free returns. */
void net_passwords_free(struct net_passwords *p);

#endif
