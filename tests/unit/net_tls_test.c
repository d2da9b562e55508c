/* TLS over loopback with certificates that openssl made: who is let in, what it is called, what a close says. */
#include "base_limits.h"
#include "base_time.h"
#include "net_stream.h"
#include "net_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/net_tls_test.XXXXXX";

static const char *path(const char *name)
{
	static char room[8][128];
	static unsigned next;
	char *to = room[next++ % 8];
	(void)snprintf(to, sizeof(room[0]), "%s/%s", dir, name);
	return to;
}

/* Two authorities; of the first a server, clients and what is wrong with them, of the second a stranger. */
static const char script[] =
        "set -e; cd %s; k='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'\n"
        "ca() { openssl req -x509 $k -days 2 -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }\n"
        "of() { openssl req $k -subj \"/CN=$3\" -keyout $2.key -out $2.csr; printf \"$4\" > $2.ext\n"
        "  openssl x509 -req -in $2.csr -CA $1.pem -CAkey $1.key -CAcreateserial -days ${5:-2} -extfile $2.ext -out "
        "$2.pem; }\n"
        "ca ca; ca other\n"
        "of ca server smsc.example 'subjectAltName=DNS:smsc.example,DNS:*.wild.example,IP:127.0.0.1'\n"
        "of ca client x 'subjectAltName=DNS:client.example,DNS:*.clients.example\\nextendedKeyUsage=clientAuth'\n"
        "of ca common 'Carrier One' 'extendedKeyUsage=clientAuth'\n"
        "of ca wrong_use server.example 'extendedKeyUsage=serverAuth'\n"
        "of other stranger client.example 'subjectAltName=DNS:client.example'\n"
        "openssl pkey -in server.key -aes128 -passout pass:x -out locked.key\n"
        "echo nonsense > nonsense.pem";

static int make_certificates(void **state)
{
	char command[4000];
	char inside[3000];
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(inside, sizeof(inside), script, dir);
	(void)snprintf(command, sizeof(command), "( %s\n) >%s/log 2>&1", inside, dir);
	return system(command);
}

static int remove_certificates(void **state)
{
	char command[100];
	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* --- one connection --------------------------------------------------------------------------------------------- */

struct side {
	struct stream *stream;
	bool opened;
	bool closed;
	bool verified;
	const char *name; /* to look for at opened */
	bool matches;
	char reason[200];
	enum net_talk talk;
	struct buf got;
	const char *says; /* sent at opened */
};

struct meeting {
	struct loop *loop;
	struct listener *listener;
	struct side server, client;
	int port;
	bool over; /* both sides are closed, or both are opened */
};

static struct meeting *now;

static void look(void)
{
	bool opened = now->server.opened && now->client.opened;
	now->over = opened || (now->server.closed && now->client.closed);
}

static void opened_cb(void *ctx)
{
	struct side *s = ctx;
	s->opened = true;
	s->verified = net_stream_peer_verified(s->stream);
	s->matches = s->name && net_stream_peer_name_matches(s->stream, s->name);
	if (s->says)
		net_stream_write(s->stream, view_str(s->says));
	look();
}

static void octets_cb(void *ctx, struct view octets)
{
	struct side *s = ctx;
	buf_add_view(&s->got, octets);
}

static void closed_cb(void *ctx, const char *reason)
{
	struct side *s = ctx;
	s->talk = net_stream_talk(s->stream);
	s->closed = true;
	s->stream = NULL;
	copy_str(s->reason, sizeof(s->reason), reason);
	look();
}

static const struct stream_ops ops = {.opened = opened_cb, .octets = octets_cb, .closed = closed_cb};

static void accept_cb(void *ctx, struct listener *from)
{
	struct meeting *m = ctx;
	m->server.stream = net_stream_accept(from, &ops, &m->server);
}

static void meeting_init(struct meeting *m, struct tls_context *server)
{
	struct buf error = BUF(200);
	*m = (struct meeting){.loop = net_loop_new()};
	m->server.got = m->client.got = BUF(1000);
	m->listener = net_listen(m->loop, "127.0.0.1:0", server, accept_cb, m, &error);
	assert_non_null(m->listener);
	m->port = atoi(strrchr(net_listener_address(m->listener), ':') + 1);
	now = m;
	buf_free(&error);
}

static void meet(struct meeting *m, struct tls_context *client)
{
	m->client.stream = net_stream_connect(m->loop, "127.0.0.1", m->port, client, &ops, &m->client);
	assert_true(net_loop_run_until(m->loop, &m->over, 10000));
}

static void meeting_free(struct meeting *m)
{
	m->over = false;
	if (m->client.stream)
		net_stream_close(m->client.stream, "done");
	if (m->server.stream)
		net_stream_close(m->server.stream, "done");
	net_listener_free(m->listener);
	net_loop_free(m->loop);
	assert_true((m->client.closed && m->server.closed) || !m->client.opened);
	buf_free(&m->server.got);
	buf_free(&m->client.got);
}

static struct tls_context *server_of(const char *client_ca)
{
	struct buf error = BUF(400);
	struct tls_context *c = net_tls_server(path("server.pem"), path("server.key"), &error);
	assert_non_null(c);
	if (client_ca)
		assert_true(net_tls_ask_clients(c, path(client_ca), &error));
	buf_free(&error);
	return c;
}

/* who: the files of its certificate, NULL for none. */
static struct tls_context *client_of(const char *ca, const char *who, const char *server_name)
{
	struct buf error = BUF(400);
	char certificate[64], key[64];
	struct tls_context *c = net_tls_client(path(ca), &error);
	assert_non_null(c);
	if (who) {
		(void)snprintf(certificate, sizeof(certificate), "%s.pem", who);
		(void)snprintf(key, sizeof(key), "%s.key", who);
		if (!net_tls_identify(c, path(certificate), path(key), &error))
			fail_msg("%s", buf_cstr(&error));
	}
	net_tls_set_server_name(c, server_name);
	buf_free(&error);
	return c;
}

/* --- the server's certificate ------------------------------------------------------------------------------------ */

static const struct {
	const char *ca;
	const char *server_name;
	bool opened;
	const char *reason;
} servers[] = {
        {"ca.pem", "", true, ""}, /* 127.0.0.1 stands in it */
        {"ca.pem", "smsc.example", true, ""},
        {"ca.pem", "SMSC.example", true, ""},
        {"ca.pem", "a.wild.example", true, ""},
        {"ca.pem", "a.b.wild.example", false, "certificate not accepted: hostname mismatch"},
        {"ca.pem", "wild.example", false, "certificate not accepted: hostname mismatch"},
        {"ca.pem", "smsc.example.org", false, "certificate not accepted: hostname mismatch"},
        {"ca.pem", "127.0.0.2", false, "certificate not accepted: IP address mismatch"},
        {"other.pem", "smsc.example", false, "certificate not accepted: unable to get local issuer certificate"},
};

static void test_server_certificate(void **state)
{
	struct tls_context *server = server_of(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct tls_context *client = client_of(servers[i].ca, NULL, servers[i].server_name);
		struct meeting m;
		meeting_init(&m, server);
		meet(&m, client);
		if (m.client.opened != servers[i].opened)
			fail_msg("%s: %s", servers[i].server_name, m.client.reason);
		assert_string_equal(m.client.reason, servers[i].reason);
		assert_int_equal(m.client.verified, servers[i].opened);
		assert_false(m.server.verified);
		if (!servers[i].opened) /* the alert came through */
			assert_non_null(strstr(m.server.reason, "alert"));
		meeting_free(&m);
		net_tls_unref(client);
	}
	net_tls_unref(server);
}

/* --- clients' certificates --------------------------------------------------------------------------------------- */

static const struct {
	const char *who;
	const char *client_ca;
	const char *name;
	bool opened;
	bool verified;
	bool matches;
	const char *reason;
} clients[] = {
        {"client", "ca.pem", "client.example", true, true, true, ""},
        {"client", "ca.pem", "CLIENT.example", true, true, true, ""},
        {"client", "ca.pem", "other.example", true, true, false, ""},
        {"client", "ca.pem", "x", true, true, false, ""},                 /* the common name, beside a subjectAltName */
        {"client", "ca.pem", "a.clients.example", true, true, false, ""}, /* who we are told of stands there in full */
        {"client", "ca.pem", "", true, true, false, ""},
        {"common", "ca.pem", "Carrier One", true, true, true, ""},
        {"common", "ca.pem", "Carrier", true, true, false, ""},
        {NULL, "ca.pem", "client.example", true, false, false, ""}, /* asked, none given: the owner decides */
        {"client", NULL, "client.example", true, false, false, ""}, /* not asked */
        {"stranger", "ca.pem", "client.example", false, false, false,
         "client certificate not accepted: unable to get local issuer certificate"},
        {"wrong_use", "ca.pem", "server.example", false, false, false,
         "client certificate not accepted: unsuitable certificate purpose"},
};

static void test_client_certificates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		struct tls_context *server = server_of(clients[i].client_ca);
		struct tls_context *client = client_of("ca.pem", clients[i].who, "smsc.example");
		struct meeting m;
		meeting_init(&m, server);
		m.server.name = clients[i].name;
		m.client.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, client, &ops, &m.client);
		const bool *end = clients[i].opened ? &m.server.opened : &m.server.closed;
		assert_true(net_loop_run_until(m.loop, end, 10000));
		if (m.server.opened != clients[i].opened || m.server.verified != clients[i].verified ||
		    m.server.matches != clients[i].matches)
			fail_msg("%zu: %d %d %d %s", i, m.server.opened, m.server.verified, m.server.matches,
			         m.server.reason);
		assert_string_equal(m.server.reason, clients[i].reason);
		meeting_free(&m);
		net_tls_unref(client);
		net_tls_unref(server);
	}
}

/* A second connection is asked again: no ticket of the first one stands for its certificate. */
static void test_every_connection_is_asked(void **state)
{
	struct tls_context *server = server_of("ca.pem");
	struct tls_context *client = client_of("ca.pem", "client", "smsc.example");
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct meeting m;
		meeting_init(&m, server);
		m.server.name = "client.example";
		meet(&m, client);
		assert_true(m.server.matches);
		meeting_free(&m);
	}
	net_tls_unref(client);
	net_tls_unref(server);
}

/* A reload: what is connected stays and works, what comes meets the new certificate. */
static void test_contexts_replaced(void **state)
{
	struct tls_context *one = server_of("ca.pem");
	struct tls_context *two = server_of("other.pem");
	struct tls_context *client = client_of("ca.pem", "client", "smsc.example");
	struct meeting m;
	(void)state;
	meeting_init(&m, one);
	meet(&m, client);
	net_listener_set_tls(m.listener, two);
	net_tls_unref(one);
	struct side first = m.server;
	net_stream_write(m.client.stream, VIEW("still here"));
	struct side late = {0};
	late.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, client, &ops, &late);
	assert_true(net_loop_run_until(m.loop, &late.closed, 10000)); /* `other` does not vouch for it */
	assert_non_null(strstr(m.server.reason, "client certificate not accepted: "));
	assert_non_null(strstr(late.reason, "alert"));
	assert_string_equal(buf_cstr(&m.server.got), "still here");
	m.server.closed = false;
	m.server.stream = first.stream;
	meeting_free(&m);
	net_tls_unref(two);
	net_tls_unref(client);
}

/* --- who speaks something else ------------------------------------------------------------------------------------ */

#define BIND "\0\0\0\x10\0\0\0\x09\0\0\0\0\0\0\0\1"

static void test_plain_peers_of_tls(void **state)
{
	static const struct {
		struct view says;
		const char *reason;
	} rows[] = {
	        {{(const uint8_t *)BIND, 16}, "plain SMPP where TLS was expected"},
	        {{(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18}, "plain HTTP where TLS was expected"},
	        {{(const uint8_t *)"SSH-2.0-x\r\n", 11}, NULL},
	};
	struct tls_context *server = server_of(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct meeting m;
		meeting_init(&m, server);
		m.client.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, NULL, &ops, &m.client);
		assert_true(net_loop_run_until(m.loop, &m.client.opened, 10000));
		net_stream_write(m.client.stream, rows[i].says);
		assert_true(net_loop_run_until(m.loop, &m.server.closed, 10000));
		if (rows[i].reason)
			assert_string_equal(m.server.reason, rows[i].reason);
		else
			assert_non_null(strstr(m.server.reason, "SSL routines"));
		meeting_free(&m);
	}
	net_tls_unref(server);
}

/* A client of TLS meets a plain SMPP server that answers with generic_nack, and one that waits. */
static void test_plain_server(void **state)
{
	struct tls_context *client = client_of("ca.pem", NULL, "smsc.example");
	struct meeting m;
	(void)state;
	meeting_init(&m, NULL);
	m.client.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, client, &ops, &m.client);
	assert_true(net_loop_run_until(m.loop, &m.server.opened, 10000));
	net_stream_write(m.server.stream, view_of("\0\0\0\x10\x80\0\0\0\0\0\0\2\0\0\0\0", 16));
	assert_true(net_loop_run_until(m.loop, &m.client.closed, 10000));
	assert_string_equal(m.client.reason, "plain SMPP where TLS was expected");
	assert_int_equal(net_stream_talk(m.server.stream), NET_TALK_TLS);
	meeting_free(&m);

	meeting_init(&m, NULL);
	m.client.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, client, &ops, &m.client);
	net_stream_open_within(m.client.stream, 50);
	assert_true(net_loop_run_until(m.loop, &m.client.closed, 10000));
	assert_string_equal(m.client.reason, "no TLS handshake came in time; does the peer speak plain SMPP?");
	meeting_free(&m);
	net_tls_unref(client);
}

/* Who connects to a TLS listener and says nothing, or half of a hello, does not stay. */
static void test_silent_client(void **state)
{
	struct tls_context *server = server_of(NULL);
	(void)state;
	for (int says = 0; says < 2; says++) {
		struct meeting m;
		meeting_init(&m, server);
		m.client.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, NULL, &ops, &m.client);
		assert_true(net_loop_run_until(m.loop, &m.client.opened, 10000));
		if (says)
			net_stream_write(m.client.stream, view_of("\x16\x03\x01", 3));
		bool never = false;
		while (!m.server.stream)
			net_loop_run_until(m.loop, &never, 10);
		net_stream_open_within(m.server.stream, 50 + 50 * says);
		assert_true(net_loop_run_until(m.loop, &m.server.closed, 10000));
		assert_string_equal(m.server.reason,
		                    says ? "the TLS handshake did not end in time"
		                         : "no TLS handshake came in time; does the peer speak plain SMPP?");
		meeting_free(&m);
	}
	net_tls_unref(server);
}

/* Once opened nobody counts any more. */
static void test_open_within_ends_at_opened(void **state)
{
	struct meeting m;
	bool never = false;
	(void)state;
	meeting_init(&m, NULL);
	m.client.stream = net_stream_connect(m.loop, "127.0.0.1", m.port, NULL, &ops, &m.client);
	net_stream_open_within(m.client.stream, 300);
	assert_true(net_loop_run_until(m.loop, &m.client.opened, 10000));
	net_stream_open_within(m.client.stream, 1);
	assert_false(net_loop_run_until(m.loop, &never, 400));
	assert_false(m.client.closed);
	assert_true(net_stream_peer_allowed(m.client.stream, "127.0.0.0/8"));
	assert_true(net_stream_peer_allowed(m.server.stream, "192.0.2.1 127.0.0.1"));
	assert_false(net_stream_peer_allowed(m.server.stream, "192.0.2.1"));
	meeting_free(&m);
}

static void test_talk(void **state)
{
	static const struct {
		struct view first;
		enum net_talk talk;
	} rows[] = {
#define ROW(text, talk) {{(const uint8_t *)(text), sizeof(text) - 1}, talk}
	        ROW("", NET_TALK_UNKNOWN),
	        ROW("\x16", NET_TALK_UNKNOWN),
	        ROW("\x16\x03\x01", NET_TALK_TLS),
	        ROW("\x16\x03\x03\x02", NET_TALK_TLS),
	        ROW("\x15\x03\x01\0\2\2\x46", NET_TALK_TLS),
	        ROW("\x17\x03\x03", NET_TALK_UNKNOWN),
	        ROW("\x16\x02\x01", NET_TALK_UNKNOWN),
	        ROW("GET ", NET_TALK_HTTP),
	        ROW("GET", NET_TALK_UNKNOWN),
	        ROW("GETX / H", NET_TALK_UNKNOWN),
	        ROW("OPTIONS ", NET_TALK_HTTP),
	        ROW("CONNECT ", NET_TALK_HTTP),
	        ROW("PRI * HT", NET_TALK_HTTP),
	        ROW("HTTP/1.1", NET_TALK_HTTP),
	        ROW("get / ht", NET_TALK_UNKNOWN),
	        ROW("\0\0\0\x10\0\0\0\x15", NET_TALK_SMPP),
	        ROW("\0\0\0\x10\x80\0\0\0", NET_TALK_SMPP),
	        ROW("\0\0\0\x2f\0\0\1\x12", NET_TALK_SMPP),
	        ROW("\0\0\0\x0f\0\0\0\x15", NET_TALK_UNKNOWN),
	        ROW("\0\0\0\x10\0\0\0", NET_TALK_UNKNOWN),
	        ROW("\0\2\0\0\0\0\0\1", NET_TALK_UNKNOWN),
	        ROW("\0\0\0\x10\0\0\2\0", NET_TALK_UNKNOWN),
	        ROW("SSH-2.0-", NET_TALK_UNKNOWN),
#undef ROW
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (net_talk_of(rows[i].first) != rows[i].talk)
			fail_msg("row %zu is %s", i, net_talk_name(net_talk_of(rows[i].first)));
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void test_files(void **state)
{
	static const struct {
		const char *certificate;
		const char *key;
		const char *file; /* the one that is named */
	} rows[] = {
	        {"server.pem", "client.key", "client.key"},     {"none.pem", "server.key", "none.pem"},
	        {"nonsense.pem", "server.key", "nonsense.pem"}, {"server.pem", "none.key", "none.key"},
	        {"server.pem", "locked.key", "locked.key"}, /* and nobody is asked for its passphrase */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf error = BUF(400);
		assert_null(net_tls_server(path(rows[i].certificate), path(rows[i].key), &error));
		assert_int_equal(strncmp(buf_cstr(&error), path(rows[i].file), strlen(path(rows[i].file))), 0);
		buf_clear(&error);
		struct tls_context *c = client_of("ca.pem", NULL, "");
		assert_false(net_tls_identify(c, path(rows[i].certificate), path(rows[i].key), &error));
		assert_int_equal(strncmp(buf_cstr(&error), path(rows[i].file), strlen(path(rows[i].file))), 0);
		net_tls_unref(c);
		buf_free(&error);
	}
	struct buf error = BUF(400);
	struct tls_context *server = server_of(NULL);
	assert_null(net_tls_client(path("nonsense.pem"), &error));
	assert_false(net_tls_ask_clients(server, path("none.pem"), &error));
	assert_false(net_tls_ask_clients(server, path("nonsense.pem"), &error));
	net_tls_unref(server);
	buf_free(&error);
}

static void test_expiry(void **state)
{
	struct clock system = {0};
	struct tls_context *server = server_of(NULL);
	struct tls_context *bare = client_of("ca.pem", NULL, "");
	struct tls_context *named = client_of("ca.pem", "client", "");
	int64_t left_us = net_tls_expiry_us(server) - clock_read(&system);
	(void)state;
	assert_true(left_us > 47 * INT64_C(3600000000) && left_us <= 48 * INT64_C(3600000000));
	assert_int_equal(net_tls_expiry_us(bare), 0);
	assert_true(net_tls_expiry_us(named) > 0);
	net_tls_unref(server);
	net_tls_unref(bare);
	net_tls_unref(named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_server_certificate),
	        cmocka_unit_test(test_client_certificates),
	        cmocka_unit_test(test_every_connection_is_asked),
	        cmocka_unit_test(test_contexts_replaced),
	        cmocka_unit_test(test_plain_peers_of_tls),
	        cmocka_unit_test(test_plain_server),
	        cmocka_unit_test(test_silent_client),
	        cmocka_unit_test(test_open_within_ends_at_opened),
	        cmocka_unit_test(test_talk),
	        cmocka_unit_test(test_files),
	        cmocka_unit_test(test_expiry),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
