/* smsc: a simulated carrier on the same session code as the gateway, server side. It accepts binds, answers submits
 * with a message id, delivers receipts after a while, and sends patients' texts that it reads as commands from standard
 * input. */
#include "app_commands.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_log.h"
#include "base_pool.h"
#include "base_time.h"
#include "link_pump.h"
#include "smpp_status.h"
#include "text_alphabet.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char smsc_help[] = "Examples:\n"
                         "  smsbridge smsc --listen 127.0.0.1:2775\n"
                         "  smsbridge smsc --listen 127.0.0.1:2775 --receipt-delay 2000 --print\n"
                         "  echo 'mo +12125550101 +12125550199 STOP' | smsbridge smsc --commands\n"
                         "\n"
                         "A carrier for tests and demonstrations; any system_id may bind unless --system-id names one. "
                         "On SIGTERM it prints what\n"
                         "it saw as one JSON object.\n"
                         "  --listen ADDRESS       default 127.0.0.1:2775; port 0 takes a free one, which is printed\n"
                         "  --system-id TEXT, --password TEXT\n"
                         "  --answer-delay MS      before submit_sm_resp (default 0)\n"
                         "  --receipt-delay MS     before the receipt (default 0)\n"
                         "  --no-receipts\n"
                         "  --state WORD           stat of the receipts (default DELIVRD)\n"
                         "  --status NUMBER        command_status of every submit_sm_resp (default 0)\n"
                         "  --print                print each text as a JSON line\n"
                         "  --commands             read lines `mo FROM TO TEXT` from standard input\n";

#define LATER_MAX 2000000            /* answers and receipts that wait; more are dropped and counted */
#define WINDOW LIMIT_SESSION_IN_OPEN /* the gateway refuses more, and a refused receipt is not sent again */

struct later {
	int64_t at_ms;
	uint32_t peer; /* connection that submitted; any of the same system_id may take a receipt */
	uint32_t sequence;
	uint64_t id;
	bool receipt_wanted;
	char from[22];
	char to[22];
};

/* A line of waiting things, in order of time since every delay of a kind is the same. */
struct line {
	struct later *item;
	size_t cap, first, count;
};

struct smsc_peer {
	struct smsc *smsc;
	struct smsc_peer *next;
	struct pump *pump;
	uint32_t number;
	bool bound;
	bool dirty;
};

struct smsc {
	struct loop *loop;
	struct listener *listener;
	struct smsc_peer *peers;
	struct net_timer *timer;
	struct net_signal *term, *interrupt;
	struct net_watch *input;
	struct buf typed;
	struct line answers, receipts;
	const char *system_id, *password, *state;
	int64_t answer_delay_ms, receipt_delay_ms;
	uint32_t status;
	bool receipts_on, print, commands;
	uint32_t next_peer;
	uint64_t next_id;
	uint64_t submitted, answered, delivered, acknowledged, dropped, refused;
};

static struct later *line_push(struct line *l)
{
	if (l->count == LATER_MAX)
		return NULL;
	if (l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		struct later *item = mem_alloc(cap * sizeof(*item));
		for (size_t i = 0; i < l->count; i++)
			item[i] = l->item[(l->first + i) % l->cap];
		free(l->item);
		l->item = item;
		l->cap = cap;
		l->first = 0;
	}
	return &l->item[(l->first + l->count++) % l->cap];
}

static struct later *line_front(const struct line *l)
{
	return l->count ? &l->item[l->first] : NULL;
}

static void line_pop(struct line *l)
{
	l->first = (l->first + 1) % l->cap;
	l->count--;
}

/* --- out -----------------------------------------------------------------------------------------------------------
 */

static struct smsc_peer *peer_of(struct smsc *s, uint32_t number)
{
	struct smsc_peer *p = s->peers;
	while (p && p->number != number)
		p = p->next;
	return p;
}

/* A transmitter is never delivered to, and a full window takes no more for now. */
static bool takes(const struct smsc_peer *p)
{
	return p->bound && smpp_session_slots(link_pump_session(p->pump)) > 0;
}

/* The connection that submitted, or any other that receives. */
static struct smsc_peer *receiver_for(struct smsc *s, uint32_t number)
{
	struct smsc_peer *p = peer_of(s, number);
	if (p && takes(p))
		return p;
	for (p = s->peers; p; p = p->next)
		if (takes(p))
			return p;
	return NULL;
}

static void answer(struct smsc *s, const struct later *a)
{
	char id[24];
	struct smsc_peer *p = peer_of(s, a->peer);
	if (!p)
		return;
	snprintf(id, sizeof(id), "%llx", (unsigned long long)a->id);
	smpp_session_answer(link_pump_session(p->pump), SMPP_submit_sm, a->sequence, s->status,
	                    view_str(s->status ? "" : id));
	p->dirty = true;
	s->answered++;
}

static void fill_deliver(struct smpp_pdu *pdu, const char *from, const char *to, uint8_t esm_class, struct view text)
{
	smpp_pdu_init(pdu, SMPP_deliver_sm, 0);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, view_str(from));
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_destination_addr, view_str(to));
	smpp_pdu_set_number(pdu, SMPP_F_esm_class, esm_class);
	smpp_pdu_set_text(pdu, SMPP_F_short_message, text);
}

/* False when no window has room: it is tried again when an answer comes. */
static bool send_deliver(struct smsc *s, uint32_t peer, struct smpp_pdu *pdu)
{
	struct smpp_fault fault;
	struct smsc_peer *p = receiver_for(s, peer);
	if (!p || !smpp_session_submit(link_pump_session(p->pump), 1, pdu, net_loop_now_ms(s->loop), &fault))
		return false;
	p->dirty = true;
	s->delivered++;
	return true;
}

static bool send_receipt(struct smsc *s, const struct later *r)
{
	char text[200];
	struct smpp_pdu pdu;
	struct clock system = {0};
	struct civil now = time_civil(clock_read(&system) / SECOND_US);
	int n = snprintf(text, sizeof(text),
	                 "id:%llx sub:001 dlvrd:%s submit date:%02d%02d%02d%02d%02d done date:%02d%02d%02d%02d%02d "
	                 "stat:%s err:000 text:",
	                 (unsigned long long)r->id, strcmp(s->state, "DELIVRD") == 0 ? "001" : "000", now.year % 100,
	                 now.month, now.day, now.hour, now.minute, now.year % 100, now.month, now.day, now.hour,
	                 now.minute, s->state);
	fill_deliver(&pdu, r->to, r->from, 0x04, view_of(text, (size_t)n));
	return send_deliver(s, r->peer, &pdu);
}

static void flush(struct smsc *s)
{
	for (struct smsc_peer *p = s->peers; p; p = p->next)
		if (p->dirty) {
			p->dirty = false;
			link_pump_flush(p->pump);
		}
}

static void work(struct smsc *s)
{
	int64_t now_ms = net_loop_now_ms(s->loop);
	struct later *a;
	while ((a = line_front(&s->answers)) && a->at_ms <= now_ms) {
		answer(s, a);
		line_pop(&s->answers);
	}
	while ((a = line_front(&s->receipts)) && a->at_ms <= now_ms && send_receipt(s, a))
		line_pop(&s->receipts);
	flush(s);
	struct later *b = line_front(&s->receipts);
	a = line_front(&s->answers);
	if (a || b) {
		int64_t next_ms = !b || (a && a->at_ms < b->at_ms) ? a->at_ms : b->at_ms;
		net_timer_start(s->timer, next_ms > now_ms ? next_ms - now_ms : 5);
	}
}

static void work_cb(void *ctx)
{
	work(ctx);
}

/* --- in ------------------------------------------------------------------------------------------------------------
 */

static void print_text(const struct smsc *s, const struct smpp_pdu *pdu)
{
	struct buf text = BUF(4096);
	struct buf line = BUF(16384);
	if (!s->print)
		return;
	text_decode((uint8_t)pdu->field[SMPP_F_data_coding].number, pdu->field[SMPP_F_short_message].text, &text);
	buf_add_str(&line, "{\"event\":\"text\",\"to\":\"");
	buf_add_json_text(&line, pdu->field[SMPP_F_destination_addr].text);
	buf_add_str(&line, "\",\"text\":\"");
	buf_add_json_text(&line, buf_view(&text));
	buf_add_str(&line, "\"}");
	puts(buf_cstr(&line));
	fflush(stdout);
	buf_free(&text);
	buf_free(&line);
}

static void on_submit(struct smsc_peer *p, const struct smpp_pdu *pdu)
{
	struct smsc *s = p->smsc;
	int64_t now_ms = net_loop_now_ms(s->loop);
	struct later one = {.at_ms = now_ms + s->answer_delay_ms, .peer = p->number, .sequence = pdu->sequence_number};
	one.id = ++s->next_id;
	copy_view(one.from, sizeof(one.from), pdu->field[SMPP_F_source_addr].text);
	copy_view(one.to, sizeof(one.to), pdu->field[SMPP_F_destination_addr].text);
	s->submitted++;
	print_text(s, pdu);
	if (s->answer_delay_ms == 0) {
		answer(s, &one);
	} else {
		struct later *a = line_push(&s->answers);
		if (a)
			*a = one;
	}
	if (!s->receipts_on || s->status || !(pdu->field[SMPP_F_registered_delivery].number & 1))
		return;
	struct later *r = line_push(&s->receipts);
	if (!r) {
		s->dropped++;
		return;
	}
	*r = one;
	r->at_ms = now_ms + s->answer_delay_ms + s->receipt_delay_ms;
}

static void on_bind(struct smsc_peer *p, const struct smpp_event *e)
{
	struct smsc *s = p->smsc;
	struct smpp_session *session = link_pump_session(p->pump);
	bool known = (!s->system_id || view_eq(e->pdu->field[SMPP_F_system_id].text, view_str(s->system_id))) &&
	             (!s->password || view_eq(e->pdu->field[SMPP_F_password].text, view_str(s->password)));
	if (known) {
		smpp_session_bind_accept(session, "smsbridge-smsc", net_loop_now_ms(s->loop));
		p->bound = true;
	} else {
		smpp_session_bind_refuse(session, ESME_RINVPASWD);
		s->refused++;
	}
	p->dirty = true;
}

static void event_cb(void *ctx, struct pump *pump, const struct smpp_event *e)
{
	struct smsc_peer *p = ctx;
	struct smsc *s = p->smsc;
	(void)pump;
	if (e->kind == SMPP_EVENT_BIND)
		on_bind(p, e);
	else if (e->kind == SMPP_EVENT_DELIVER && e->pdu->command == SMPP_submit_sm)
		on_submit(p, e->pdu);
	else if (e->kind == SMPP_EVENT_DELIVER)
		smpp_session_answer(link_pump_session(p->pump), e->pdu->command, e->pdu->sequence_number,
		                    ESME_RINVCMDID, (struct view){0});
	else if (e->kind == SMPP_EVENT_ANSWER)
		s->acknowledged++;
	net_timer_start(s->timer, 0);
}

static void closed_cb(void *ctx, struct pump *pump, const char *reason)
{
	struct smsc_peer *p = ctx;
	struct smsc_peer **at = &p->smsc->peers;
	(void)pump;
	(void)reason;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

static const struct pump_ops peer_ops = {.event = event_cb, .closed = closed_cb};

static void accept_cb(void *ctx, struct listener *from)
{
	struct smsc *s = ctx;
	struct smsc_peer *p = mem_alloc(sizeof(*p));
	struct smpp_session_config config = {.role = SMPP_MC,
	                                     .system_id = "",
	                                     .password = "",
	                                     .system_type = "",
	                                     .address_range = "",
	                                     .interface_version = 0x34,
	                                     .window = WINDOW,
	                                     .bind_ms = 10000,
	                                     .answer_ms = 60000,
	                                     .enquire_ms = 30000,
	                                     .unbind_ms = 5000};
	p->smsc = s;
	p->number = ++s->next_peer;
	p->next = s->peers;
	s->peers = p;
	p->pump = link_pump_accept(s->loop, from, &config, &peer_ops, p);
}

/* --- commands ------------------------------------------------------------------------------------------------------
 */

/* "mo FROM TO TEXT" */
static void command(struct smsc *s, char *line)
{
	struct smpp_pdu pdu;
	struct buf octets = BUF(1024);
	char *from = strncmp(line, "mo ", 3) == 0 ? line + 3 : NULL;
	char *to = from ? strchr(from, ' ') : NULL;
	char *text = to ? strchr(to + 1, ' ') : NULL;
	if (!text) {
		fprintf(stderr, "smsc: commands are: mo FROM TO TEXT\n");
		return;
	}
	*to++ = 0;
	*text++ = 0;
	bool gsm = text_gsm7_encode(view_str(text), &octets);
	if (!gsm) {
		buf_clear(&octets);
		text_ucs2_encode(view_str(text), &octets);
	}
	fill_deliver(&pdu, from + (*from == '+'), to + (*to == '+'), 0, buf_view(&octets));
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, gsm ? 0 : 8);
	if (!send_deliver(s, 0, &pdu))
		fprintf(stderr, "smsc: nobody is bound to take it\n");
	buf_free(&octets);
	flush(s);
}

static void input_cb(void *ctx, int events)
{
	struct smsc *s = ctx;
	uint8_t *room = buf_room(&s->typed, 4096);
	ssize_t n = room && events ? read(STDIN_FILENO, room, 4096) : 0;
	if (n <= 0) {
		net_watch_free(s->input);
		s->input = NULL;
		return;
	}
	s->typed.n += (size_t)n;
	for (uint8_t *end; (end = memchr(s->typed.p, '\n', s->typed.n));) {
		*end = 0;
		command(s, (char *)s->typed.p);
		buf_drop(&s->typed, (size_t)(end + 1 - s->typed.p));
	}
}

/* --- life ----------------------------------------------------------------------------------------------------------
 */

static void term_cb(void *ctx)
{
	struct smsc *s = ctx;
	printf("{\"submitted\":%llu,\"answered\":%llu,\"delivered\":%llu,\"acknowledged\":%llu,\"dropped\":%llu,"
	       "\"refused\":%llu}\n",
	       (unsigned long long)s->submitted, (unsigned long long)s->answered, (unsigned long long)s->delivered,
	       (unsigned long long)s->acknowledged, (unsigned long long)s->dropped, (unsigned long long)s->refused);
	fflush(stdout);
	_exit(EXIT_OK); /* a simulated carrier may go away like a real one */
}

static bool number_option(const char *text, uint64_t max, uint64_t *value_r)
{
	return !text || parse_u64(view_str(text), max, value_r);
}

static int serve(struct smsc *s, const char *listen)
{
	struct buf error = BUF(512);
	s->loop = net_loop_new();
	s->listener = net_listen(s->loop, listen, NULL, accept_cb, s, &error);
	if (!s->listener)
		return failure("%s", buf_cstr(&error));
	s->timer = net_timer_new(s->loop, work_cb, s);
	s->term = net_signal_new(s->loop, SIGTERM, term_cb, s);
	s->interrupt = net_signal_new(s->loop, SIGINT, term_cb, s);
	if (s->commands) {
		s->input = net_watch_new(s->loop, STDIN_FILENO, input_cb, s);
		net_watch_set(s->input, NET_READABLE);
	}
	printf("{\"event\":\"listening\",\"address\":\"%s\"}\n", net_listener_address(s->listener));
	fflush(stdout);
	net_loop_run(s->loop);
	return EXIT_OK;
}

int command_smsc(int argc, char **argv)
{
	static struct smsc s;
	const char *listen = "127.0.0.1:2775", *answer_delay = NULL, *receipt_delay = NULL, *status = NULL;
	bool no_receipts = false;
	uint64_t answer_ms = 0, receipt_ms = 0, code = 0;
	s.state = "DELIVRD";
	s.typed = BUF(65536);
	const struct option_row rows[] = {{"listen", &listen, NULL},
	                                  {"system-id", &s.system_id, NULL},
	                                  {"password", &s.password, NULL},
	                                  {"answer-delay", &answer_delay, NULL},
	                                  {"receipt-delay", &receipt_delay, NULL},
	                                  {"state", &s.state, NULL},
	                                  {"status", &status, NULL},
	                                  {"no-receipts", NULL, &no_receipts},
	                                  {"print", NULL, &s.print},
	                                  {"commands", NULL, &s.commands},
	                                  {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	if (!number_option(answer_delay, 3600000, &answer_ms) || !number_option(receipt_delay, 3600000, &receipt_ms) ||
	    !number_option(status, UINT32_MAX, &code))
		return usage_error("delays and status take whole numbers");
	s.answer_delay_ms = (int64_t)answer_ms;
	s.receipt_delay_ms = (int64_t)receipt_ms;
	s.status = (uint32_t)code;
	s.receipts_on = !no_receipts;
	return serve(&s, listen);
}
