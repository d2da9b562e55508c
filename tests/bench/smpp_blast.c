/* How fast is the sink of tests/bench/smpp by itself? Writes the same submit_sm again and again, never more of them
 * without answer than the window, and counts the octets that come back. It builds and reads nothing a PDU at a time, so
 * what it reaches is what the sink and the kernel can do.
 *   bench_smpp_blast --port N --sink PID --window N --ms N [--core N]      prints one JSON object */
#include "smpp_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_MAX 1000
#define ANSWER_BYTES 33 /* what the sink answers to a submit_sm */

struct blast {
	int fd;
	unsigned window;
	size_t pdu_n;
	uint8_t pdus[WINDOW_MAX * 256]; /* the same PDU, as often as the window */
	uint8_t in[WINDOW_MAX * ANSWER_BYTES];
};

static struct blast blast;

/* Appends a field of a C-octet string or a number of fixed octets. */
static void add(struct blast *b, const void *octets, size_t n)
{
	memcpy(b->pdus + b->pdu_n, octets, n);
	b->pdu_n += n;
}

static void build(struct blast *b)
{
	uint8_t header[BENCH_HEADER] = {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1};
	uint8_t text[BENCH_TEXT];
	memset(text, 'x', sizeof text);
	add(b, header, sizeof header);
	add(b,
	    "\0\1\1"
	    "12125550100\0"
	    "\1\1"
	    "12125550101\0",
	    29);
	add(b,
	    "\0\0\0"
	    "\0\0"
	    "\1\0\0\0"
	    "\xa0",
	    10);
	add(b, text, sizeof text);
	bench_put_u32(b->pdus, (uint32_t)b->pdu_n);
	for (unsigned i = 1; i < b->window; i++)
		memcpy(b->pdus + i * b->pdu_n, b->pdus, b->pdu_n);
}

static void write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t wrote = write(fd, p, n);
		if (wrote <= 0)
			bench_die("the sink does not take more");
		p += wrote;
		n -= (size_t)wrote;
	}
}

static void bind_to(struct blast *b)
{
	static const uint8_t bind[] = "\0\0\0\x17"
	                              "\0\0\0\x09"
	                              "\0\0\0\0"
	                              "\0\0\0\1"
	                              "\0\0\0"
	                              "\x34"
	                              "\0\0"; /* + \0 */
	write_all(b->fd, bind, sizeof bind);
	if (read(b->fd, b->in, sizeof b->in) < BENCH_HEADER)
		bench_die("the sink does not bind");
}

/* Keeps the window full until the time is over; pairs that were completed. */
static uint64_t run(struct blast *b, int64_t until_ns)
{
	size_t rest = 0; /* octets of an answer that is not whole */
	uint64_t pairs = 0;
	write_all(b->fd, b->pdus, b->window * b->pdu_n);
	do {
		ssize_t n = read(b->fd, b->in, sizeof b->in);
		if (n <= 0)
			bench_die("the sink is gone");
		size_t answered = (rest + (size_t)n) / ANSWER_BYTES;
		rest = (rest + (size_t)n) % ANSWER_BYTES;
		pairs += answered;
		write_all(b->fd, b->pdus, answered * b->pdu_n);
	} while (bench_now_ns() < until_ns);
	return pairs;
}

int main(int argc, char **argv)
{
	uint64_t port = 0, sink = 0, ms = 1000;
	blast.window = 1;
	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--port") == 0)
			port = bench_number(argv[i], argv[i + 1], 65535);
		else if (strcmp(argv[i], "--sink") == 0)
			sink = bench_number(argv[i], argv[i + 1], INT32_MAX);
		else if (strcmp(argv[i], "--window") == 0)
			blast.window = (unsigned)bench_number(argv[i], argv[i + 1], WINDOW_MAX);
		else if (strcmp(argv[i], "--ms") == 0)
			ms = bench_number(argv[i], argv[i + 1], 600000);
		else if (strcmp(argv[i], "--core") == 0)
			bench_pin((int)bench_number(argv[i], argv[i + 1], 1023));
		else
			bench_die("no option %s", argv[i]);
	}
	build(&blast);
	blast.fd = bench_connect((int)port);
	bind_to(&blast);
	int64_t began_ns = bench_now_ns(), sink_ns = bench_worked_ns((pid_t)sink), own_ns = bench_worked_ns(0);
	uint64_t pairs = run(&blast, began_ns + (int64_t)ms * 1000000);
	double took_ns = (double)(bench_now_ns() - began_ns);
	printf("{\"what\":\"sink\",\"window\":%u,\"pairs\":%llu,\"pairs_s\":%.0f,\"blaster_cpu\":%.3f,\"sink_cpu\":%."
	       "3f}\n",
	       blast.window, (unsigned long long)pairs, (double)pairs * 1e9 / took_ns,
	       (double)(bench_worked_ns(0) - own_ns) / took_ns,
	       (double)(bench_worked_ns((pid_t)sink) - sink_ns) / took_ns);
	return 0;
}
