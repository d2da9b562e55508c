/* One session as the gateway drives it (link_carrier over link_pump over libuv), kept full for a while: what a
 * submit_sm and its answer cost, how many a second, and how many allocations each. bench_smpp_pairs --port N --sink PID
 * --window N [--ms N] [--pairs N] [--core N] Runs for --ms and until there are --pairs, after a warm-up of a tenth of
 * either. Prints one JSON object. */
#include "base_log.h"
#include "base_metric.h"
#include "link_carrier.h"
#include "smpp_alloc.h"
#include "smpp_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOGETHER_MS 120000 /* longer than any run: nothing may hang */
#define WARM_WINDOWS 20

struct measure {
	int64_t wall_ns, own_ns, sink_ns;
	uint64_t pairs, allocations;
};

struct bench {
	struct loop *loop;
	struct carrier_link *link;
	pid_t sink;
	unsigned window;
	int64_t want_ns;
	uint64_t want_pairs;
	uint64_t refs;
	uint64_t answered;
	uint64_t wrong; /* answers that are no success, and submits without one, before the end */
	struct measure began, ended;
	bool warm;
	bool over;
};

static char text[BENCH_TEXT];

static struct measure measure(const struct bench *b)
{
	return (struct measure){bench_now_ns(), bench_worked_ns(0), bench_worked_ns(b->sink), b->answered,
	                        bench_allocations()};
}

/* As dispatch fills it; the two phones differ from PDU to PDU. */
static void fill(struct smpp_pdu *pdu, char phone[12], uint64_t ref)
{
	phone[9] = (char)('0' + ref / 10 % 10);
	phone[10] = (char)('0' + ref % 10);
	smpp_pdu_init(pdu, SMPP_submit_sm, 0);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, view_str("12125550100"));
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_destination_addr, view_str(phone));
	smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
	smpp_pdu_set_text(pdu, SMPP_F_short_message, view_of(text, sizeof text));
}

/* Every turn: as many as there are slots, like a claim that found enough messages. */
static void turn_cb(void *ctx)
{
	struct bench *b = ctx;
	struct smpp_pdu pdu;
	char phone[12] = "12125550100";
	const char *why;
	unsigned n = b->over ? 0 : link_carrier_slots(b->link);
	for (unsigned i = 0; i < n; i++) {
		fill(&pdu, phone, ++b->refs);
		if (!link_carrier_submit(b->link, b->refs, &pdu, 1, &why))
			bench_die("not submitted: %s", why);
	}
	if (n)
		link_carrier_flush(b->link);
}

/* A share of what was asked for; of the warm-up, so many windows that every buffer has had its largest turn. */
static bool enough(const struct bench *b)
{
	uint64_t share = b->warm ? 1 : 10;
	uint64_t least = b->warm ? 0 : WARM_WINDOWS * b->window;
	uint64_t pairs = b->answered - b->began.pairs;
	return pairs >= least && pairs >= b->want_pairs / share &&
	       bench_now_ns() - b->began.wall_ns >= b->want_ns / (int64_t)share;
}

static void answered_cb(void *ctx, struct carrier_link *l, const struct link_answer *answer)
{
	struct bench *b = ctx;
	(void)l;
	b->wrong += answer->ref == 0 || answer->status != 0 || answer->message_id.n != 16 || answer->late;
	if (++b->answered % 64 || !enough(b))
		return;
	if (b->warm) {
		b->ended = measure(b);
		b->over = true;
		return;
	}
	b->warm = true;
	b->began = measure(b);
}

static void bound_cb(void *ctx, struct carrier_link *l, bool up)
{
	struct bench *b = ctx;
	(void)l;
	if (up)
		b->began = measure(b);
}

static void lost_cb(void *ctx, struct carrier_link *l, uint64_t ref)
{
	struct bench *b = ctx;
	(void)l;
	(void)ref;
	b->wrong += !b->over;
}

static void delivered_cb(void *ctx, struct carrier_link *l, const struct smpp_pdu *pdu)
{
	(void)l;
	(void)pdu;
	((struct bench *)ctx)->wrong++;
}

static const struct carrier_link_ops ops = {bound_cb, answered_cb, lost_cb, lost_cb, delivered_cb, delivered_cb};

static void unbind(struct bench *b)
{
	bool done = false;
	link_carrier_unbind(b->link);
	for (unsigned i = 0; i < 1000 && !link_carrier_gone(b->link); i++)
		net_loop_run_until(b->loop, &done, 10);
	if (!link_carrier_gone(b->link))
		bench_die("the link does not end");
	link_carrier_free(b->link);
}

static void print(const struct bench *b)
{
	double wall = (double)(b->ended.wall_ns - b->began.wall_ns), own = (double)(b->ended.own_ns - b->began.own_ns);
	double pairs = (double)(b->ended.pairs - b->began.pairs);
	printf("{\"what\":\"pairs\",\"window\":%u,\"pairs\":%.0f,\"pairs_s\":%.0f,\"own_ns_pair\":%.0f,\"own_cpu\":%."
	       "3f,"
	       "\"sink_cpu\":%.3f,\"allocations\":%llu}\n",
	       b->window, pairs, pairs * 1e9 / wall, own / pairs, own / wall,
	       (double)(b->ended.sink_ns - b->began.sink_ns) / wall,
	       (unsigned long long)(b->ended.allocations - b->began.allocations));
}

static void options(struct bench *b, struct carrier_link_config *config, int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--port") == 0)
			config->port = (int)bench_number(argv[i], argv[i + 1], 65535);
		else if (strcmp(argv[i], "--sink") == 0)
			b->sink = (pid_t)bench_number(argv[i], argv[i + 1], INT32_MAX);
		else if (strcmp(argv[i], "--window") == 0)
			config->session.window = (unsigned)bench_number(argv[i], argv[i + 1], LIMIT_WINDOW);
		else if (strcmp(argv[i], "--ms") == 0)
			b->want_ns = (int64_t)bench_number(argv[i], argv[i + 1], 60000) * 1000000;
		else if (strcmp(argv[i], "--pairs") == 0)
			b->want_pairs = bench_number(argv[i], argv[i + 1], 100000000);
		else if (strcmp(argv[i], "--core") == 0)
			bench_pin((int)bench_number(argv[i], argv[i + 1], 1023));
		else
			bench_die("no option %s", argv[i]);
	}
}

int main(int argc, char **argv)
{
	struct bench b = {.want_ns = 1000000};
	struct carrier_link_config config = {.carrier = "bench", .number = 1, .host = "127.0.0.1", .congestion = true};
	config.session = (struct smpp_session_config){.role = SMPP_ESME,
	                                              .bind_kind = SMPP_BIND_TRX,
	                                              .system_id = "bench",
	                                              .password = "bench",
	                                              .interface_version = 0x34,
	                                              .window = 1,
	                                              .bind_ms = 10000,
	                                              .answer_ms = 30000,
	                                              .enquire_ms = 30000,
	                                              .unbind_ms = 5000};
	options(&b, &config, argc, argv);
	b.window = config.session.window;
	log_set_level(LOG_WARNING);
	memset(text, 'x', sizeof text);
	b.loop = net_loop_new();
	b.link = link_carrier_new(b.loop, &config, &ops, &b);
	net_loop_each_turn(b.loop, turn_cb, &b);
	if (!net_loop_run_until(b.loop, &b.over, TOGETHER_MS))
		bench_die("%llu answers, then no more", (unsigned long long)b.answered);
	unbind(&b);
	net_loop_free(b.loop);
	metric_free();
	if (b.wrong)
		bench_die("%llu submits were not answered with success", (unsigned long long)b.wrong);
	print(&b);
	return 0;
}
