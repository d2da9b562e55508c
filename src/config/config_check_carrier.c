/* What the section smpp and the carriers must hold. */
#include "config_check_internal.h"

#include "base_cidr.h"
#include "config_host.h"
#include "config_tlv.h"

#include <stdio.h>
#include <string.h>

#define CREDENTIAL_MAX 64  /* the session's own; providers issue more than the specification's 15 and 8 */
#define SYSTEM_TYPE_MAX 12 /* SMPP 3.4 4.1: 13 octets with the NUL */

static void wrong(struct config_checker *k, unsigned i, const char *key, const char *problem, const char *expected)
{
	config_check_wrong(k, CONFIG_carrier, i, key, problem, expected);
}

static void check_listen(struct config_checker *k, const char *key, const char *listen)
{
	const struct config_smpp *s = &k->c->smpp;
	if (!listen[0])
		return;
	if (!config_check_is_listen(listen))
		config_check_wrong(k, CONFIG_smpp, 0, key, "not an address and port",
		                   "one like 127.0.0.1:2775 or [::1]:2775");
	else if (!s->certificate[0] && !s->key[0] && !s->plain_without_tls && !config_host_is_loopback(listen))
		config_check_wrong(k, CONFIG_smpp, 0, key, "plain SMPP off loopback",
		                   "certificate and key, a loopback address, or plain_without_tls: true");
}

static void check_smpp(struct config_checker *k)
{
	const struct config_smpp *s = &k->c->smpp;
	check_listen(k, "listen", s->listen);
	check_listen(k, "outbind_listen", s->outbind_listen);
	config_check_pair(k, CONFIG_smpp, 0, "certificate", "key");
	if (s->listen[0] && strcmp(s->listen, s->outbind_listen) == 0)
		config_check_wrong(k, CONFIG_smpp, 0, "outbind_listen", "the same as listen", "an address of its own");
	if (s->client_ca[0] && !s->certificate[0])
		config_check_wrong(k, CONFIG_smpp, 0, "client_ca", "given without certificate",
		                   "a certificate and key of our own too");
	if (s->certificate[0] && s->plain_without_tls)
		config_check_wrong(k, CONFIG_smpp, 0, "plain_without_tls", "true beside a certificate",
		                   "one of the two");
}

static void check_dial(struct config_checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	if (!one->host[0])
		wrong(k, i, "host", "missing", "a host to dial, or connect: accept or outbind");
	else if (!one->tls && !one->plain_without_tls && !config_host_is_loopback(one->host))
		wrong(k, i, "tls", "plain SMPP off loopback", "tls: true, a loopback host, or plain_without_tls: true");
	if (!one->tls && one->tls_certificate[0])
		wrong(k, i, "tls_certificate", "given with tls: false", "tls: true");
	if (one->peer_name[0])
		wrong(k, i, "peer_name", "given with connect: dial",
		      "tls_server_name, which is the name to look for in the certificate of a host that we dial");
}

static void check_accept(struct config_checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	if (!k->c->smpp.listen[0])
		wrong(k, i, "connect", "there is no smpp.listen to connect to", "smpp.listen, or connect: dial");
	if (!one->password_hash[0])
		wrong(k, i, "password_hash_file", "missing", "a file with a line of `smsbridge password`");
	for (unsigned other = 0; other < i; other++) {
		const struct config_carrier *o = &k->c->carrier[other];
		if (o->connect == CONFIG_connect_accept && strcmp(o->system_id, one->system_id) == 0) {
			wrong(k, i, "system_id", "another carrier binds to us with it", "a system_id of its own");
			return;
		}
	}
}

/* Whoever sends the right outbind is told our system_id and password, so on an open network something must tell the
 * carrier from anybody else. */
static void check_outbind(struct config_checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	const char *listen = k->c->smpp.outbind_listen;
	bool told_apart = one->password_hash[0] || one->addresses[0] || one->peer_name[0];
	if (!listen[0])
		wrong(k, i, "connect", "there is no smpp.outbind_listen to connect to",
		      "smpp.outbind_listen, or connect: dial");
	else if (!told_apart && !config_host_is_loopback(listen))
		wrong(k, i, "connect", "anybody who sends outbind would be told our password",
		      "password_hash_file, addresses or peer_name");
	if (one->bind == CONFIG_bind_pair)
		wrong(k, i, "bind", "a pair needs two connections, an outbind gives one",
		      "transceiver, transmitter or receiver");
	for (unsigned other = 0; other < i; other++) {
		const struct config_carrier *o = &k->c->carrier[other];
		if (o->connect == CONFIG_connect_outbind && strcmp(o->outbind_system_id, one->outbind_system_id) == 0) {
			wrong(k, i, "outbind_system_id", "another carrier's outbind bears it", "one of its own");
			return;
		}
	}
}

static void check_connect(struct config_checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	if (one->connect == CONFIG_connect_dial)
		check_dial(k, i);
	else if (one->connect == CONFIG_connect_accept)
		check_accept(k, i);
	else
		check_outbind(k, i);
	if (one->connect != CONFIG_connect_dial && one->peer_name[0] && !k->c->smpp.client_ca[0])
		wrong(k, i, "peer_name", "no client certificate is asked for", "smpp.client_ca");
}

/* SMPP 3.3 has no TLVs and no data_sm. */
static void check_version(struct config_checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	const struct {
		const char *key;
		bool given;
	} needs[] = {
	        {"submit_with", one->submit_with == CONFIG_submit_with_data_sm},
	        {"long_messages",
	         one->long_messages == CONFIG_long_messages_sar || one->long_messages == CONFIG_long_messages_payload},
	        {"user_message_reference", one->user_message_reference},
	        {"tlvs", one->tlvs[0] != 0},
	};
	for (size_t n = 0; one->interface_version == CONFIG_interface_version_v33 && n < sizeof(needs) / sizeof(*needs);
	     n++)
		if (needs[n].given)
			wrong(k, i, needs[n].key, "SMPP 3.3 has none of it", "interface_version: 3.4, or leave it out");
}

static void check_length(struct config_checker *k, unsigned i, const char *key, const char *value, size_t max)
{
	if (strlen(value) > max)
		wrong(k, i, key, "too long for a bind",
		      max == SYSTEM_TYPE_MAX ? "at most 12 octets" : "at most 64 octets");
}

static void check_tlvs(struct config_checker *k, unsigned i)
{
	struct config_tlvs tlvs;
	char problem[120];
	size_t at;
	const char *what = config_tlvs_parse(view_str(k->c->carrier[i].tlvs), &tlvs, &at);
	snprintf(problem, sizeof(problem), "at octet %zu: %s", what ? at + 1 : 0, what ? what : "");
	if (what)
		wrong(k, i, "tlvs", problem, "TLVs like 0x1400=text:VALUE");
}

static void check_addresses(struct config_checker *k, unsigned i)
{
	struct cidr list[LIMIT_CARRIER_ADDRESSES];
	char problem[80];
	size_t at = 0;
	if (cidr_list_parse(view_str(k->c->carrier[i].addresses), list, LIMIT_CARRIER_ADDRESSES, &at) >= 0)
		return;
	snprintf(problem, sizeof(problem), "at octet %zu: not an address or prefix", at + 1);
	wrong(k, i, "addresses", problem, "ones like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32, at most 64");
}

/* scrypt$N$r$p$salt$hash: only its shape, so that a password in clear is not taken for one. */
static void check_hash(struct config_checker *k, unsigned i)
{
	const char *hash = k->c->carrier[i].password_hash;
	unsigned dollars = 0;
	for (const char *p = hash; *p; p++)
		dollars += *p == '$';
	if (hash[0] && (strncmp(hash, "scrypt$", 7) != 0 || dollars != 5))
		wrong(k, i, "password_hash_file", "the file holds no hash of a password",
		      "a line of `smsbridge password`");
}

static void check_carrier(struct config_checker *k, unsigned i)
{
	const struct config_carrier *one = &k->c->carrier[i];
	check_connect(k, i);
	check_version(k, i);
	config_check_pair(k, CONFIG_carrier, i, "tls_certificate", "tls_key");
	check_length(k, i, "system_id", one->system_id, CREDENTIAL_MAX);
	check_length(k, i, "password_file", one->password, CREDENTIAL_MAX);
	check_length(k, i, "outbind_system_id", one->outbind_system_id, CREDENTIAL_MAX);
	check_length(k, i, "system_type", one->system_type, SYSTEM_TYPE_MAX);
	check_tlvs(k, i);
	check_addresses(k, i);
	check_hash(k, i);
	for (unsigned other = 0; other < i; other++) {
		if (strcmp(one->name, k->c->carrier[other].name) == 0) {
			wrong(k, i, "name", "another carrier has this name", "a name of its own");
			return;
		}
	}
}

void config_check_carriers(struct config_checker *k)
{
	check_smpp(k);
	for (unsigned i = 0; i < k->c->carriers; i++)
		check_carrier(k, i);
}
