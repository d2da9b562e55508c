/* The neutral sink of tests/bench/smpp: answers what an ESME sends, by fixed templates, as fast as it can. It shares no
 * code with the codec that it measures: it knows the header, and of each request only what its answer looks like.
 *   bench_smpp_sink [--core N]      prints "port N", serves until it is killed */
#include "smpp_bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_BYTES (1 << 18)
#define PDU_BYTES_MAX 70000
#define ANSWER_BYTES_MAX 64
/* A request has 16 octets or more, so as many answers never pass this. */
#define OUT_BYTES (IN_BYTES / BENCH_HEADER * ANSWER_BYTES_MAX)
#define ANSWER 0x80000000u

static const struct {
	uint32_t request;
	const char *body; /* one C-octet string, or NULL */
} answers[] = {
        {0x00000004, "0123456789abcdef"}, /* submit_sm: message_id */
        {0x00000015, NULL},               /* enquire_link */
        {0x00000009, "sink"},             /* bind_transceiver: system_id */
        {0x00000001, "sink"},             /* bind_receiver */
        {0x00000002, "sink"},             /* bind_transmitter */
        {0x00000006, NULL},               /* unbind */
};

struct peer {
	int fd;
	size_t in_n;
	uint8_t in[IN_BYTES];
};

static uint8_t out[OUT_BYTES];

/* Writes the answer of one request; how many octets it has. Answers and unknown requests get none: the bench sends
 * neither. */
static size_t answer(const uint8_t *request, uint8_t *to)
{
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (bench_u32(request + 4) != answers[i].request)
			continue;
		size_t n = answers[i].body ? strlen(answers[i].body) + 1 : 0;
		bench_put_u32(to, (uint32_t)(BENCH_HEADER + n));
		bench_put_u32(to + 4, answers[i].request | ANSWER);
		bench_put_u32(to + 8, 0);
		memcpy(to + 12, request + 12, 4);
		if (n)
			memcpy(to + BENCH_HEADER, answers[i].body, n);
		return BENCH_HEADER + n;
	}
	return 0;
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t wrote = write(fd, p, n);
		if (wrote <= 0)
			return false;
		p += wrote;
		n -= (size_t)wrote;
	}
	return true;
}

/* Answers the whole PDUs of the input and keeps the rest. */
static bool serve(struct peer *p)
{
	size_t at = 0, out_n = 0;
	while (p->in_n - at >= BENCH_HEADER) {
		uint32_t length = bench_u32(p->in + at);
		if (length < BENCH_HEADER || length > PDU_BYTES_MAX)
			return false;
		if (length > p->in_n - at)
			break;
		out_n += answer(p->in + at, out + out_n);
		at += length;
	}
	memmove(p->in, p->in + at, p->in_n - at);
	p->in_n -= at;
	return write_all(p->fd, out, out_n);
}

static void hear(struct peer *p)
{
	ssize_t n = read(p->fd, p->in + p->in_n, sizeof p->in - p->in_n);
	if (n > 0) {
		p->in_n += (size_t)n;
		if (serve(p))
			return;
	}
	close(p->fd); /* which takes it out of epoll too */
	free(p);
}

static void watch(int epoll, int fd, void *what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		bench_die("cannot watch a socket");
}

static void welcome(int epoll, int listener)
{
	int on = 1;
	struct peer *p = calloc(1, sizeof *p);
	if (!p)
		bench_die("no memory");
	p->fd = accept(listener, NULL, NULL);
	if (p->fd < 0)
		bench_die("cannot accept");
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	watch(epoll, p->fd, p);
}

static int listen_here(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&a, &n))
		bench_die("cannot listen");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--core") == 0)
		bench_pin((int)bench_number(argv[1], argv[2], 1023));
	else if (argc != 1)
		bench_die("usage: bench_smpp_sink [--core N]");
	int listener = listen_here();
	int epoll = epoll_create1(0);
	watch(epoll, listener, NULL);
	for (;;) {
		struct epoll_event events[16];
		int n = epoll_wait(epoll, events, 16, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				hear(events[i].data.ptr);
			else
				welcome(epoll, listener);
		}
	}
}
