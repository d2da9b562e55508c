/* Where carriers and aggregators connect to us. On one listener they bind, and we are the message centre; on the other
 * they say outbind, and we bind back on the same connection. Who comes is a guest until its system_id, address,
 * certificate and password are those of an account; then its connection becomes one of that carrier's links. A guest
 * that does not get that far ends at its bind timer. */
#ifndef LINK_GATE_H
#define LINK_GATE_H

#include "link_carrier.h"

struct gate_account {
	const char *carrier; /* texts live as long as the gate */
	bool outbind;
	const char *system_id;     /* that its bind, or outbind, must bear; "" any (outbind only) */
	const char *password_hash; /* net_password.h; "" none is asked for */
	const char *addresses;     /* base_cidr.h; "" any */
	const char *peer_name;     /* that a verified certificate of its must bear; "" none is needed */
	struct smpp_session_config session;
};

struct gate_config {
	const char *listen;         /* "" none */
	const char *outbind_listen; /* "" none */
	struct tls_context *tls;    /* NULL: plain */
	unsigned connections;       /* guests at once; more are closed */
	const struct gate_account *accounts;
	unsigned account_count;
	/* A link of the carrier that waits for a connection; NULL when all have one. */
	struct carrier_link *(*place)(void *ctx, const char *carrier);
	void *ctx;
};

struct gate;

/* NULL and a sentence when it cannot listen. */
struct gate *link_gate_new(struct loop *l, const struct gate_config *config, struct buf *error);
/* For the connections to come. */
void link_gate_set_tls(struct gate *g, struct tls_context *tls);
/* "127.0.0.1:2775" with the ports that the system chose; "" for the listener that there is not. */
const char *link_gate_address(const struct gate *g);
const char *link_gate_outbind_address(const struct gate *g);
/* Takes no more, and sends the guests away. */
void link_gate_close(struct gate *g);
unsigned link_gate_guests(const struct gate *g);
/* Only when closed and without guests. NULL is allowed. */
void link_gate_free(struct gate *g);

#endif
