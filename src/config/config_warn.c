#include "config_warn.h"

#include "config_host.h"

struct teller {
	const struct config *c;
	config_warning_cb cb;
	void *ctx;
};

static void tell(struct teller *t, const char *event, const char *carrier, const char *listen, const char *sentence)
{
	t->cb(t->ctx, &(struct config_warning){event, carrier, listen, "", sentence});
}

static bool is_open(const char *listen)
{
	return listen[0] && !config_host_is_loopback(listen);
}

static bool has_connect(const struct config *c, enum config_word connect)
{
	for (unsigned i = 0; i < c->carriers; i++)
		if (c->carrier[i].connect == connect)
			return true;
	return false;
}

static void tell_listener(struct teller *t, const char *listen, enum config_word connect)
{
	if (!listen[0])
		return;
	if (is_open(listen) && !t->c->smpp.certificate[0])
		tell(t, "plain_smpp", "", listen,
		     "patients' data crosses the network unencrypted (smpp.plain_without_tls)");
	if (!has_connect(t->c, connect))
		tell(t, "listener_unused", "", listen, "no carrier may connect to this listener (carriers[].connect)");
}

/* Whether receipts and replies can come by another carrier. */
static bool hears_elsewhere(const struct config *c, unsigned but)
{
	for (unsigned i = 0; i < c->carriers; i++)
		if (i != but &&
		    (c->carrier[i].bind != CONFIG_bind_transmitter || c->carrier[i].connect == CONFIG_connect_accept))
			return true;
	return false;
}

static void tell_bind(struct teller *t, unsigned i)
{
	const struct config_carrier *one = &t->c->carrier[i];
	if (one->connect == CONFIG_connect_accept)
		return;
	if (one->bind == CONFIG_bind_transmitter)
		tell(t, "transmitter_only", one->name, "",
		     hears_elsewhere(t->c, i)
		             ? "receipts and STOPs cannot come by this carrier; another must bring them"
		             : "receipts and STOPs cannot come: no carrier brings them");
	if (one->bind == CONFIG_bind_transceiver && one->interface_version == CONFIG_interface_version_v33)
		tell(t, "no_transceiver", one->name, "",
		     "SMPP 3.3 has no transceiver; a carrier that keeps to it refuses the bind (bind: pair)");
}

static void tell_carrier(struct teller *t, unsigned i)
{
	const struct config_carrier *one = &t->c->carrier[i];
	bool dial = one->connect == CONFIG_connect_dial;
	const char *listen = one->connect == CONFIG_connect_accept ? t->c->smpp.listen : t->c->smpp.outbind_listen;
	if (dial && !one->tls && !config_host_is_loopback(one->host))
		tell(t, "plain_smpp", one->name, "",
		     "patients' data crosses the network unencrypted (carriers[].plain_without_tls)");
	if (!dial && is_open(listen) && !one->addresses[0] && !one->peer_name[0])
		tell(t, "any_address", one->name, listen,
		     "it may connect from any address; its password alone tells who it is (carriers[].addresses)");
	tell_bind(t, i);
}

void config_warn(const struct config *c, config_warning_cb cb, void *ctx)
{
	struct teller t = {c, cb, ctx};
	if (c->http.plain_without_tls && !config_host_is_loopback(c->http.listen))
		tell(&t, "plain_http", "", c->http.listen,
		     "patients' data crosses the network unencrypted (http.plain_without_tls)");
	tell_listener(&t, c->smpp.listen, CONFIG_connect_accept);
	tell_listener(&t, c->smpp.outbind_listen, CONFIG_connect_outbind);
	if (!c->ledger.key_file[0])
		cb(ctx, &(struct config_warning){
		                "seals_unsigned", "", "", "key_file",
		                "the ledger is sealed without signatures: whoever owns the database can make it "
		                "anew (smsbridge ledger rotate makes a key)"});
	for (unsigned i = 0; i < c->carriers; i++)
		tell_carrier(&t, i);
}
