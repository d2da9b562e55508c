/* Where a fetch connects to is judged by the address that a name leads to at that moment. The name look-up is this
 * file's: a program's own getaddrinfo goes before libc's, for libcurl too. All else is real: libcurl, sockets and a
 * server. */
#include "net_fetch.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the next look-ups lead to, in turn; the last stays. Comma separated: several addresses of one answer. */
static const char *answers[4];
static unsigned asked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct addrinfo *one_address(const char *text, const char *service)
{
	struct addrinfo *a = calloc(1, sizeof(*a));
	struct sockaddr_storage *s = calloc(1, sizeof(*s));
	struct sockaddr_in *four = (void *)s;
	struct sockaddr_in6 *six = (void *)s;
	in_port_t port = htons((uint16_t)atoi(service));
	a->ai_socktype = SOCK_STREAM;
	a->ai_protocol = IPPROTO_TCP;
	a->ai_addr = (void *)s;
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = port;
		a->ai_addrlen = sizeof(*four);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		six->sin6_family = AF_INET6;
		six->sin6_port = port;
		a->ai_addrlen = sizeof(*six);
	}
	a->ai_family = s->ss_family;
	return a;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	char all[128];
	struct addrinfo **at = res;
	(void)node;
	(void)hints;
	pthread_mutex_lock(&lock);
	snprintf(all, sizeof(all), "%s", answers[asked]);
	if (answers[asked + 1])
		asked++;
	pthread_mutex_unlock(&lock);
	for (char *one = all; *one;) {
		size_t n = strcspn(one, ",");
		bool last = !one[n];
		one[n] = 0;
		*at = one_address(one, service ? service : "0");
		at = &(*at)->ai_next;
		one += n + !last;
	}
	return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
	while (a) {
		struct addrinfo *next = a->ai_next;
		free(a->ai_addr);
		free(a);
		a = next;
	}
}

/* --- a server ------------------------------------------------------------------------------------------------------
 */

struct server {
	int fd;
	int open; /* the connection that it serves; -1 none */
	int port;
	int requests;
	int connections;
	bool close_after; /* each answer */
	const char *location;
	pthread_t thread;
};

static void leave(struct server *s, int c)
{
	__atomic_store_n(&s->open, -1, __ATOMIC_SEQ_CST);
	close(c);
}

/* Answers each request of each connection, one connection at a time. */
static void *serve(void *ctx)
{
	struct server *s = ctx;
	for (int c; (c = accept(s->fd, NULL, NULL)) >= 0; leave(s, c)) {
		char in[4096], out[512];
		__atomic_store_n(&s->open, c, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&s->connections, 1, __ATOMIC_SEQ_CST);
		while (read(c, in, sizeof(in)) > 0) {
			__atomic_add_fetch(&s->requests, 1, __ATOMIC_SEQ_CST);
			int n = snprintf(out, sizeof(out), "HTTP/1.1 %s\r\ncontent-length: 0\r\n%s%s\r\n%s\r\n",
			                 s->location ? "302 Found" : "200 OK",
			                 s->location ? "location: " : "x: ", s->location ? s->location : "y",
			                 s->close_after ? "connection: close\r\n" : "");
			if (write(c, out, (size_t)n) != n || s->close_after)
				break;
		}
	}
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	s->open = -1;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	getsockname(s->fd, (void *)&a, &n);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	int open = __atomic_load_n(&s->open, __ATOMIC_SEQ_CST);
	shutdown(s->fd, SHUT_RDWR);
	if (open >= 0)
		shutdown(open, SHUT_RDWR); /* kept alive by the other side */
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* --- fetching ------------------------------------------------------------------------------------------------------
 */

struct seen {
	bool done;
	int status;
	char error[200];
};

static void fetched_cb(void *ctx, const struct fetch_result *result)
{
	struct seen *s = ctx;
	s->done = true;
	s->status = result->status;
	snprintf(s->error, sizeof(s->error), "%s", result->error ? result->error : "");
}

static struct loop *loop;
static struct fetcher *fetcher;

static struct seen fetch_by(const char *host, int port, bool plain_ok, bool loopback_ok)
{
	struct seen s = {0};
	char url[200];
	snprintf(url, sizeof(url), "http://%s:%d/hook", host, port);
	struct fetch_request r = {.method = "POST",
	                          .url = url,
	                          .body = VIEW("{}"),
	                          .timeout_ms = 1500,
	                          .max_answer = 100,
	                          .plain_ok = plain_ok,
	                          .loopback_ok = loopback_ok};
	net_fetch(fetcher, &r, fetched_cb, &s);
	assert_true(net_loop_run_until(loop, &s.done, 10000));
	return s;
}

static struct seen fetch_at(const char *host, int port)
{
	return fetch_by(host, port, true, true);
}

static void lead_to(const char *first, const char *then)
{
	pthread_mutex_lock(&lock);
	answers[0] = first;
	answers[1] = then;
	answers[2] = NULL;
	asked = 0;
	pthread_mutex_unlock(&lock);
}

static int setup(void **state)
{
	(void)state;
	loop = net_loop_new();
	fetcher = net_fetcher_new(loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	net_fetcher_free(fetcher);
	net_loop_free(loop);
	return 0;
}

static void test_names(void **state)
{
	static const char *const refused[] = {
	        "10.0.0.1",         "172.16.5.5",   "192.168.1.1",      "169.254.169.254",
	        "100.64.0.1",       "0.0.0.0",      "127.0.0.1",        "::1",
	        "fd00::1",          "fe80::1",      "::ffff:10.0.0.1",  "::ffff:127.0.0.1",
	        "64:ff9b::a00:1",   "2002:a00:1::", "::10.0.0.1",       "224.0.0.1",
	        "10.0.0.1,fd00::1", "::",           "::ffff:a9fe:a9fe", "2001:db8::1"};
	struct server server = {0};
	(void)state;
	server_start(&server);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		lead_to(refused[i], NULL);
		struct seen s = fetch_at("clinic.example", server.port);
		if (s.status || strcmp(s.error, "address_refused") != 0)
			fail_msg("%s: %d %s", refused[i], s.status, s.error);
	}
	assert_int_equal(server.connections, 0);
	server_stop(&server);
}

/* The first look-up leads to a public address, as a check before the post would see it; the next to a private one. */
static void test_rebinding(void **state)
{
	(void)state;
	lead_to("192.0.2.1", "10.0.0.1");
	struct seen s = fetch_at("rebind.example", 81);
	assert_string_not_equal(s.error, "address_refused"); /* nobody is there, but it may be tried */
	s = fetch_at("rebind.example", 81);
	assert_string_equal(s.error, "address_refused");
	/* and a name that may lead here does not any more, once its connection has gone */
	struct server server = {.close_after = true};
	server_start(&server);
	lead_to("127.0.0.1", "127.0.0.1");
	assert_string_equal(fetch_at("rebind.example", server.port).error, "address_refused");
	assert_int_equal(fetch_at("127.0.0.1", server.port).status, 200);
	assert_int_equal(server.connections, 1);
	server_stop(&server);
}

static void test_redirect(void **state)
{
	struct server inside = {0}, server = {0};
	char location[64];
	(void)state;
	server_start(&inside);
	snprintf(location, sizeof(location), "http://127.0.0.1:%d/", inside.port);
	server.location = location;
	server_start(&server);
	assert_int_equal(fetch_at("127.0.0.1", server.port).status, 302);
	assert_int_equal(inside.connections, 0);
	server_stop(&server);
	server_stop(&inside);
}

static void test_reuse(void **state)
{
	struct server server = {0};
	(void)state;
	server_start(&server);
	for (int i = 0; i < 50; i++)
		assert_int_equal(fetch_at("127.0.0.1", server.port).status, 200);
	assert_int_equal(server.requests, 50);
	assert_int_equal(server.connections, 1);
	server_stop(&server);
}

/* A connection that is kept was judged when it was made, perhaps by other rules. */
static void test_kept_connection(void **state)
{
	struct server s = {0};
	(void)state;
	server_start(&s);
	lead_to("127.0.0.1", NULL);
	assert_int_equal(fetch_by("127.0.0.1", s.port, true, true).status, 200);
	assert_int_equal(fetch_by("127.0.0.1", s.port, false, true).status, 200);
	assert_int_equal(s.connections, 1);
	struct seen seen = fetch_by("127.0.0.1", s.port, true, false);
	assert_int_equal(seen.status, 0);
	assert_string_equal(seen.error, "address_refused");
	assert_int_equal(s.requests, 2);
	server_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_rebinding, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_redirect, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_reuse, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_kept_connection, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
