/* HTTPS load for tests/bench/run: N keep-alive connections, TLS 1.3, one request at a time on each, every message to
 * another patient and phone. Two ways to drive:
 *   closed loop (--rate 0)  each connection sends its next message as soon as its last one is answered;
 *   fixed rate (--rate R)   message i is due at start + i/R, whether or not earlier ones are answered, and its latency
 *                           counts from that time, so a gateway that stalls is charged for everything it kept waiting.
 * Prints one JSON object. With --ids, the id of every message answered with 202 goes to a file, one a line. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define PRACTICES_MAX 1024
#define AREAS_MAX 1024
#define LINES 100                /* 555-0100 to 555-0199: the fictional numbers of one area code */
#define MESSAGES_MAX 5000000     /* answers of one run that are kept to be sorted */
#define LAST_ANSWERS_US 10000000 /* wait for open answers after the last message was due */

struct options {
	const char *host, *ca, *keys, *areas, *ids;
	int port;
	unsigned connections;
	double rate;
	double seconds;
	uint64_t first; /* number of the first message; the next run starts where this one ended */
};

struct connection {
	SSL *ssl;
	int fd;
	bool busy;
	bool wants_write;
	int64_t due_us;
	char out[2048];
	size_t out_n;
	char in[16384];
	size_t in_n;
};

struct load {
	struct options o;
	SSL_CTX *tls;
	int epoll;
	struct connection c[CONNECTIONS_MAX];
	unsigned idle[CONNECTIONS_MAX];
	unsigned idles;
	char *key[PRACTICES_MAX];
	unsigned keys;
	char *area[AREAS_MAX];
	unsigned areas;
	uint64_t sent, answered, accepted, lost, reconnects;
	uint64_t by_status[600];
	uint32_t *took_us;
	uint64_t backlog_most;
	int64_t began_us, ended_us;
	FILE *ids;
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("bench_load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double wall_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One word a line. */
static unsigned read_words(const char *path, char **words, unsigned max)
{
	char line[256];
	unsigned n = 0;
	FILE *f = fopen(path, "r");
	if (!f)
		die("%s: %s", path, strerror(errno));
	while (n < max && fscanf(f, "%255s", line) == 1)
		words[n++] = strdup(line);
	fclose(f);
	if (n == 0)
		die("%s is empty", path);
	return n;
}

/* --- messages ------------------------------------------------------------------------------------------------------
 */

/* Neighbours in time go to different practices and phones, as on a real morning; every pair of practice and phone comes
 * once: for each practice the rest walks through all area codes, then to the next line. */
static size_t write_request(const struct load *l, uint64_t i, char *to, size_t cap)
{
	char body[512];
	unsigned practice = (unsigned)(i % l->keys);
	uint64_t rest = i / l->keys;
	unsigned area = (unsigned)((rest + practice * 7u) % l->areas);
	uint64_t line = rest / l->areas;
	if (line >= LINES)
		die("message %" PRIu64 " has no phone left: more practices or area codes are needed", i);
	int body_n = snprintf(
	        body, sizeof(body),
	        "{\"patient\":\"bench-%" PRIu64 "\",\"phone\":\"+1%s55501%02u\",\"body\":\"Reminder: you have an "
	        "appointment tomorrow at %u:%02u with Dr. Rivera. Reply C to confirm. Reply STOP to opt out.\","
	        "\"category\":\"appointment_reminder\",\"reference\":\"visit-%" PRIu64 "\"}",
	        i, l->area[area], (unsigned)line, 8 + (unsigned)(i % 9), (unsigned)(i % 4) * 15, i);
	int n = snprintf(to, cap,
	                 "POST /v1/messages HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: Bearer %s\r\n"
	                 "Content-Type: application/json\r\nIdempotency-Key: \"bench-%" PRIu64 "\"\r\n"
	                 "Content-Length: %d\r\n\r\n%s",
	                 l->o.host, l->o.port, l->key[practice], i, body_n, body);
	if (n < 0 || (size_t)n >= cap)
		die("a request does not fit its buffer");
	return (size_t)n;
}

/* --- connections ---------------------------------------------------------------------------------------------------
 */

static void connection_open(struct load *l, struct connection *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->o.port)};
	int on = 1;
	if (inet_pton(AF_INET, l->o.host, &a.sin_addr) != 1)
		die("%s is no IPv4 address", l->o.host);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("cannot connect to %s:%d: %s", l->o.host, l->o.port, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->ssl = SSL_new(l->tls);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set1_host(c->ssl, "localhost");
	if (SSL_connect(c->ssl) != 1)
		die("the TLS handshake failed");
	BIO_socket_nbio(c->fd, 1);
	c->busy = c->wants_write = false;
	c->in_n = c->out_n = 0;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		die("epoll: %s", strerror(errno));
	l->idle[l->idles++] = (unsigned)(c - l->c);
}

/* The gateway closed it: an open request's fate is unknown to us, and is counted so. */
static void connection_again(struct load *l, struct connection *c)
{
	if (c->busy)
		l->lost++;
	else
		for (unsigned i = 0; i < l->idles; i++)
			if (l->idle[i] == (unsigned)(c - l->c)) {
				l->idle[i] = l->idle[--l->idles];
				break;
			}
	SSL_free(c->ssl);
	close(c->fd);
	l->reconnects++;
	connection_open(l, c);
}

static void watch_write(struct load *l, struct connection *c, bool on)
{
	struct epoll_event e = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = c};
	if (c->wants_write != on)
		epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e);
	c->wants_write = on;
}

static void connection_write(struct load *l, struct connection *c)
{
	size_t n;
	if (SSL_write_ex(c->ssl, c->out, c->out_n, &n) == 1) {
		c->out_n = 0;
		watch_write(l, c, false);
	} else if (SSL_get_error(c->ssl, 0) == SSL_ERROR_WANT_WRITE ||
	           SSL_get_error(c->ssl, 0) == SSL_ERROR_WANT_READ) {
		watch_write(l, c, true);
	} else {
		connection_again(l, c);
	}
}

static void send_next(struct load *l, int64_t due_us)
{
	struct connection *c = &l->c[l->idle[--l->idles]];
	c->busy = true;
	c->due_us = due_us;
	c->out_n = write_request(l, l->o.first + l->sent++, c->out, sizeof(c->out));
	connection_write(l, c);
}

/* --- answers -------------------------------------------------------------------------------------------------------
 */

/* Octets of the answer at the start of `in`, 0 when it is not all there. */
static size_t answer_bytes(struct connection *c)
{
	c->in[c->in_n] = 0;
	char *end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return 0;
	char *length = strcasestr(c->in, "\r\ncontent-length:");
	if (!length || length > end)
		die("an answer has no Content-Length");
	size_t n = (size_t)(end + 4 - c->in) + strtoul(length + 17, NULL, 10);
	if (n >= sizeof(c->in))
		die("an answer is too long");
	return n <= c->in_n ? n : 0;
}

static void take_answer(struct load *l, struct connection *c, int64_t at_us)
{
	int status = c->in_n > 12 ? atoi(c->in + 9) : 0;
	if (status < 100 || status > 599 || l->answered >= MESSAGES_MAX)
		die("an answer has no status, or there are too many");
	l->by_status[status]++;
	if (status == 202) {
		char *id = strstr(c->in, "\"id\":\"");
		if (!id)
			die("an answer has no id");
		if (l->ids)
			fprintf(l->ids, "%.36s\n", id + 6);
		l->took_us[l->accepted++] = (uint32_t)(at_us - c->due_us);
		l->ended_us = at_us;
	}
	l->answered++;
	c->busy = false;
	l->idle[l->idles++] = (unsigned)(c - l->c);
}

static void connection_read(struct load *l, struct connection *c)
{
	size_t n;
	while (SSL_read_ex(c->ssl, c->in + c->in_n, sizeof(c->in) - 1 - c->in_n, &n) == 1) {
		c->in_n += n;
		size_t whole = answer_bytes(c);
		if (whole == 0)
			continue;
		take_answer(l, c, now_us());
		if (whole != c->in_n)
			die("more than one answer to one request");
		c->in_n = 0;
	}
	int error = SSL_get_error(c->ssl, 0);
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		connection_again(l, c);
	ERR_clear_error();
}

/* --- driving -------------------------------------------------------------------------------------------------------
 */

/* Messages of the whole run at a fixed rate; 0 in a closed loop, which ends with its time. */
static uint64_t total_due(const struct load *l)
{
	return (uint64_t)(l->o.rate * l->o.seconds);
}

/* Sends what is due. Returns microseconds until the next message is due, -1 when only answers are waited for. */
static int64_t drive(struct load *l, int64_t end_us)
{
	int64_t at_us = now_us();
	if (l->o.rate <= 0) {
		while (l->idles && at_us < end_us)
			send_next(l, now_us());
		return -1;
	}
	uint64_t total = total_due(l);
	uint64_t due = (uint64_t)((double)(at_us - l->began_us) / 1e6 * l->o.rate) + 1;
	due = due < total ? due : total;
	while (l->idles && l->sent < due)
		send_next(l, l->began_us + (int64_t)((double)l->sent / l->o.rate * 1e6));
	if (due - l->sent > l->backlog_most)
		l->backlog_most = due - l->sent;
	if (l->sent == total || l->sent < due)
		return -1;
	int64_t next_us = l->began_us + (int64_t)((double)l->sent / l->o.rate * 1e6) - now_us();
	return next_us > 0 ? next_us : 0;
}

static void wait_events(struct load *l, int64_t wait_us)
{
	struct epoll_event e[256];
	struct timespec t = {wait_us / 1000000, wait_us % 1000000 * 1000};
	int n = epoll_pwait2(l->epoll, e, 256, &t, NULL);
	if (n < 0 && errno != EINTR)
		die("epoll: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct connection *c = e[i].data.ptr;
		if (e[i].events & EPOLLOUT && c->out_n)
			connection_write(l, c);
		if (e[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			connection_read(l, c);
	}
}

static void run(struct load *l)
{
	l->began_us = now_us();
	int64_t end_us = l->began_us + (int64_t)(l->o.seconds * 1e6);
	for (;;) {
		int64_t at_us = now_us();
		bool open = l->idles < l->o.connections || l->sent < total_due(l);
		if ((at_us >= end_us && !open) || at_us >= end_us + LAST_ANSWERS_US)
			return;
		int64_t wait_us = drive(l, end_us);
		int64_t rest_us = (at_us < end_us ? end_us : end_us + LAST_ANSWERS_US) - at_us;
		wait_events(l, wait_us >= 0 && wait_us < rest_us ? wait_us : rest_us > 0 ? rest_us : 0);
	}
}

/* --- result --------------------------------------------------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static double quantile_ms(const struct load *l, double q)
{
	uint64_t at = (uint64_t)(q * (double)l->accepted);
	if (l->accepted == 0)
		return 0;
	return l->took_us[at < l->accepted ? at : l->accepted - 1] / 1000.0;
}

static void print_result(const struct load *l, double began, double ended)
{
	struct rusage use;
	qsort(l->took_us, l->accepted, sizeof(*l->took_us), compare);
	getrusage(RUSAGE_SELF, &use);
	double cpu_s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
	double took_s = (double)(l->ended_us - l->began_us) / 1e6;
	printf("{\"sent\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"unknown\":%" PRIu64
	       ",\"reconnects\":%" PRIu64 ",\"accepted_per_s\":%.1f,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,"
	       "\"p999_ms\":%.3f,\"max_ms\":%.3f,\"backlog_most\":%" PRIu64
	       ",\"began\":%.6f,\"ended\":%.6f,\"cpu_s\":%.2f,"
	       "\"peak_rss_kb\":%ld,\"next\":%" PRIu64 ",\"status\":{",
	       l->sent, l->accepted, l->answered - l->accepted, l->sent - l->answered, l->reconnects,
	       took_s > 0 ? (double)l->accepted / took_s : 0, quantile_ms(l, 0.5), quantile_ms(l, 0.9),
	       quantile_ms(l, 0.99), quantile_ms(l, 0.999), quantile_ms(l, 1), l->backlog_most, began, ended, cpu_s,
	       use.ru_maxrss, l->o.first + l->sent);
	const char *comma = "";
	for (int s = 100; s < 600; s++)
		if (l->by_status[s]) {
			printf("%s\"%d\":%" PRIu64, comma, s, l->by_status[s]);
			comma = ",";
		}
	puts("}}");
}

/* --- start ---------------------------------------------------------------------------------------------------------
 */

static void take_options(struct options *o, int argc, char **argv)
{
	static const struct option rows[] = {{"host", 1, NULL, 'h'},
	                                     {"port", 1, NULL, 'p'},
	                                     {"ca", 1, NULL, 'c'},
	                                     {"keys", 1, NULL, 'k'},
	                                     {"areas", 1, NULL, 'a'},
	                                     {"ids", 1, NULL, 'i'},
	                                     {"rate", 1, NULL, 'r'},
	                                     {"seconds", 1, NULL, 's'},
	                                     {"first", 1, NULL, 'f'},
	                                     {"connections", 1, NULL, 'n'},
	                                     {0}};
	*o = (struct options){.host = "127.0.0.1", .port = 8443, .connections = 64, .seconds = 10};
	for (int c; (c = getopt_long(argc, argv, "", rows, NULL)) != -1;)
		switch (c) {
		case 'h':
			o->host = optarg;
			break;
		case 'p':
			o->port = atoi(optarg);
			break;
		case 'c':
			o->ca = optarg;
			break;
		case 'k':
			o->keys = optarg;
			break;
		case 'a':
			o->areas = optarg;
			break;
		case 'i':
			o->ids = optarg;
			break;
		case 'r':
			o->rate = strtod(optarg, NULL);
			break;
		case 's':
			o->seconds = strtod(optarg, NULL);
			break;
		case 'f':
			o->first = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			o->connections = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	if (!o->ca || !o->keys || !o->areas || o->connections < 1 || o->connections > CONNECTIONS_MAX ||
	    o->seconds <= 0 || o->seconds > 600 || o->rate < 0 || strncmp(o->host, "127.", 4) != 0) {
		fputs("bench_load --ca FILE --keys FILE --areas FILE [--ids FILE] [--host 127.x.x.x] [--port N] "
		      "[--connections N]\n"
		      "           [--rate PER-SECOND (0: closed loop)] [--seconds S] [--first NUMBER]\n",
		      stderr);
		exit(2);
	}
}

static void prepare(struct load *l)
{
	l->keys = read_words(l->o.keys, l->key, PRACTICES_MAX);
	l->areas = read_words(l->o.areas, l->area, AREAS_MAX);
	l->took_us = malloc(MESSAGES_MAX * sizeof(*l->took_us));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->tls = SSL_CTX_new(TLS_client_method());
	if (!l->took_us || l->epoll < 0 || !l->tls)
		die("cannot start");
	SSL_CTX_set_min_proto_version(l->tls, TLS1_3_VERSION);
	SSL_CTX_set_mode(l->tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_locations(l->tls, l->o.ca, NULL) != 1)
		die("%s cannot be read", l->o.ca);
	if (l->o.ids && !(l->ids = fopen(l->o.ids, "w")))
		die("%s: %s", l->o.ids, strerror(errno));
	for (unsigned i = 0; i < l->o.connections; i++)
		connection_open(l, &l->c[i]);
}

int main(int argc, char **argv)
{
	static struct load l;
	signal(SIGPIPE, SIG_IGN);
	take_options(&l.o, argc, argv);
	prepare(&l);
	double began = wall_s();
	run(&l);
	print_result(&l, began, began + (double)(l.ended_us - l.began_us) / 1e6);
	if (l.ids && fclose(l.ids) != 0)
		die("%s: %s", l.o.ids, strerror(errno));
	return l.accepted == l.sent ? 0 : 1;
}
