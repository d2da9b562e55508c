/* smsc: a simulated carrier on the same session code as the gateway, in the role of the message centre. It accepts
 * binds, answers requests, delivers receipts after a while, sends patients' texts that it reads as commands from
 * standard input, and does wrong what a script says. */
#include "app_commands.h"

#include "app_smsc.h"
#include "base_check.h"
#include "base_uuid.h"
#include "net_address.h"
#include "script_help.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char smsc_help[] =
        "Examples:\n"
        "  smsbridge smsc --listen 127.0.0.1:2775\n"
        "  smsbridge smsc --listen 127.0.0.1:2775 --receipt-delay 2000 --print\n"
        "  smsbridge smsc --script carrier.script --log carrier.log\n"
        "  echo 'mo +12125550101 +12125550199 STOP' | smsbridge smsc --commands\n"
        "\n"
        "A carrier for tests and demonstrations; any system_id may bind unless --system-id names one. It serves\n"
        "submit_sm, submit_multi, data_sm, query_sm, cancel_sm, replace_sm and the broadcast commands. On SIGTERM it\n"
        "prints what it saw and did as one JSON object; from SIGUSR1 on it does nothing wrong any more.\n"
        "  --listen ADDRESS       default 127.0.0.1:2775; port 0 takes a free one, which is printed\n"
        "  --certificate FILE, --key FILE   PEM: speak TLS\n"
        "  --system-id TEXT, --password TEXT\n"
        "  --outbind HOST:PORT    dial there too, and begin with an outbind\n"
        "  --script FILE          what to do wrong, and when; - is standard input\n"
        "  --help-script          how scripts are written\n"
        "  --check-script         read the script, say what is wrong with it, end\n"
        "  --seed NUMBER          instead of the script's; without either one is drawn and printed\n"
        "  --log FILE             a JSON line for each PDU and each fault, with milliseconds since the start\n"
        "  --stats MS             print what is printed at the end this often\n"
        "  --answer-delay MS      before the answer to a message (default 0)\n"
        "  --receipt-delay MS     before the receipt (default 0)\n"
        "  --no-receipts\n"
        "  --state WORD           stat of the receipts (default DELIVRD)\n"
        "  --status NUMBER        command_status of the answer to every message (default 0)\n"
        "  --print                print each text as a JSON line\n"
        "  --commands             read lines `mo FROM TO TEXT` from standard input\n";

/* --- commands ------------------------------------------------------------------------------------------------------
 */

static const char *without_plus(const char *address)
{
	return address + (*address == '+');
}

/* The account that the next text from nowhere goes to: of the last submit, else of whoever is bound. */
static uint8_t any_account(struct smsc *s)
{
	struct smsc_peer *p = s->last_to[0] ? NULL : smsc_peer_draw(s);
	return p ? p->account : s->last_account;
}

/* "mo FROM TO TEXT" */
static void command(struct smsc *s, char *line)
{
	char *from = strncmp(line, "mo ", 3) == 0 ? line + 3 : NULL;
	char *to = from ? strchr(from, ' ') : NULL;
	char *text = to ? strchr(to + 1, ' ') : NULL;
	if (!text) {
		fprintf(stderr, "smsc: commands are: mo FROM TO TEXT\n");
		return;
	}
	*to++ = 0;
	*text++ = 0;
	if (!smsc_text(s, NULL, any_account(s), without_plus(from), without_plus(to), view_str(text), 0))
		fprintf(stderr, "smsc: nobody is bound to take it\n");
	smsc_flush(s);
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

/* --- the script ----------------------------------------------------------------------------------------------------
 */

struct given {
	const char *listen, *certificate, *key, *outbind, *script, *seed, *log, *stats;
	const char *answer_delay, *receipt_delay, *state, *status;
	bool no_receipts, help_script, check_script;
};

/* Options are rules before the first line. */
static void options_as_rules(const struct given *g, struct buf *to)
{
	if (g->answer_delay)
		buf_printf(to, "when submit delay %sms\n", g->answer_delay);
	if (g->receipt_delay)
		buf_printf(to, "when receipt delay %sms\n", g->receipt_delay);
	if (g->status)
		buf_printf(to, "when submit status %s\n", g->status);
	if (g->state)
		buf_printf(to, "when receipt state %s\n", g->state);
	if (g->no_receipts)
		buf_add_str(to, "when receipt drop\n");
}

static bool add_rules(struct smsc *s, const char *name, struct view text, bool numbered)
{
	struct script_errors errors = {.text = BUF(65536)};
	bool good = script_add(s->script, name, text, numbered, &errors);
	if (!good)
		fputs(buf_cstr(&errors.text), stderr);
	buf_free(&errors.text);
	return good;
}

static bool read_script(struct smsc *s, const struct given *g)
{
	struct buf options = BUF(4096);
	bool good = true;
	options_as_rules(g, &options);
	good = add_rules(s, "options", buf_view(&options), false);
	buf_free(&options);
	if (!g->script)
		return good;
	size_t n;
	char *text = app_read_file(g->script, SCRIPT_BYTES_MAX, &n);
	if (!text) {
		failure("%s: %s", g->script, strerror(errno));
		return false;
	}
	good = add_rules(s, g->script, view_of(text, n), true) && good;
	free(text);
	return good;
}

static bool choose_seed(struct smsc *s, const char *given)
{
	s->seed = s->script->seed;
	if (given)
		return parse_u64(view_str(given), UINT64_MAX, &s->seed);
	if (!s->script->seeded)
		s->seed = random_below(1000000000);
	return true;
}

/* --- life ----------------------------------------------------------------------------------------------------------
 */

static void term_cb(void *ctx)
{
	struct smsc *s = ctx;
	smsc_summary(s);
	if (s->log)
		fclose(s->log);
	_exit(EXIT_OK); /* a simulated carrier may go away like a real one */
}

static void calm_cb(void *ctx)
{
	struct smsc *s = ctx;
	script_engine_stop(s->engine);
	smsc_log_event(s, NULL, "calm", "");
}

static void stats_cb(void *ctx)
{
	struct smsc *s = ctx;
	smsc_summary(s);
	net_timer_start(s->stats_timer, s->stats_ms);
}

static void work_cb(void *ctx)
{
	smsc_work(ctx);
}

static void accept_cb(void *ctx, struct listener *from)
{
	smsc_accept(ctx, from);
}

static void watch_signals(struct smsc *s)
{
	s->timer = net_timer_new(s->loop, work_cb, s);
	s->stats_timer = net_timer_new(s->loop, stats_cb, s);
	s->term = net_signal_new(s->loop, SIGTERM, term_cb, s);
	s->interrupt = net_signal_new(s->loop, SIGINT, term_cb, s);
	s->calm = net_signal_new(s->loop, SIGUSR1, calm_cb, s);
	if (s->stats_ms)
		net_timer_start(s->stats_timer, s->stats_ms);
	if (s->commands) {
		s->input = net_watch_new(s->loop, STDIN_FILENO, input_cb, s);
		net_watch_set(s->input, NET_READABLE);
	}
}

/* Numbers of messages begin at 1 without a script, else where hexadecimal and decimal differ. */
static void make_engine(struct smsc *s, bool scripted)
{
	s->engine = script_engine_new(s->script, s->seed);
	s->book = script_book_new(scripted ? 0x18000000 + s->seed % 0x1000000 : 1, s->seed, SCRIPT_BOOK_MAX);
	for (unsigned i = 0; i < s->script->rules; i++)
		s->watches[s->script->rule[i].event] = true;
}

static int serve(struct smsc *s, const struct given *g)
{
	struct buf error = BUF(512);
	s->loop = net_loop_new();
	if (g->certificate && !(s->tls = net_tls_server(g->certificate, g->key, &error)))
		return failure("%s", buf_cstr(&error));
	s->listener = net_listen(s->loop, g->listen, s->tls, accept_cb, s, &error);
	if (!s->listener)
		return failure("%s", buf_cstr(&error));
	if (g->log && !(s->log = fopen(g->log, "w")))
		return failure("%s: %s", g->log, strerror(errno));
	s->start_ms = net_loop_now_ms(s->loop);
	watch_signals(s);
	printf("{\"event\":\"listening\",\"address\":\"%s\",\"seed\":%llu}\n", net_listener_address(s->listener),
	       (unsigned long long)s->seed);
	fflush(stdout);
	smsc_dial(s);
	net_loop_run(s->loop);
	return EXIT_OK;
}

static bool read_numbers(struct smsc *s, const struct given *g)
{
	uint64_t number;
	const char *const delays[] = {g->answer_delay, g->receipt_delay, g->stats};
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++)
		if (delays[i] && !parse_u64(view_str(delays[i]), 3600000, &number))
			return false;
	s->stats_ms = g->stats ? (int64_t)number : 0;
	return !g->status || parse_u64(view_str(g->status), UINT32_MAX, &number);
}

static int print_script_help(void)
{
	struct buf help = BUF(SCRIPT_HELP_BYTES);
	script_help(&help);
	fputs(buf_cstr(&help), stdout);
	buf_free(&help);
	return EXIT_OK;
}

static int start(struct smsc *s, const struct given *g)
{
	if (!read_numbers(s, g))
		return usage_error("delays and status take whole numbers");
	if (!g->certificate != !g->key)
		return usage_error("--certificate and --key go together");
	if (g->outbind && !net_address_split(g->outbind, s->outbind_host, sizeof(s->outbind_host), &s->outbind_port))
		return usage_error("--outbind takes HOST:PORT");
	s->script = script_new();
	if (!read_script(s, g))
		return EXIT_BAD_CONFIG;
	if (!choose_seed(s, g->seed))
		return usage_error("--seed takes a whole number");
	if (g->check_script)
		return EXIT_OK;
	make_engine(s, g->script != NULL);
	return serve(s, g);
}

int command_smsc(int argc, char **argv)
{
	static struct smsc s;
	struct given g = {.listen = "127.0.0.1:2775"};
	s.typed = BUF(65536);
	s.scratch = BUF(LIMIT_PDU_BYTES);
	const struct option_row rows[] = {{"listen", &g.listen, NULL},
	                                  {"certificate", &g.certificate, NULL},
	                                  {"key", &g.key, NULL},
	                                  {"system-id", &s.system_id, NULL},
	                                  {"password", &s.password, NULL},
	                                  {"outbind", &g.outbind, NULL},
	                                  {"script", &g.script, NULL},
	                                  {"help-script", NULL, &g.help_script},
	                                  {"check-script", NULL, &g.check_script},
	                                  {"seed", &g.seed, NULL},
	                                  {"log", &g.log, NULL},
	                                  {"stats", &g.stats, NULL},
	                                  {"answer-delay", &g.answer_delay, NULL},
	                                  {"receipt-delay", &g.receipt_delay, NULL},
	                                  {"state", &g.state, NULL},
	                                  {"status", &g.status, NULL},
	                                  {"no-receipts", NULL, &g.no_receipts},
	                                  {"print", NULL, &s.print},
	                                  {"commands", NULL, &s.commands},
	                                  {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	return g.help_script ? print_script_help() : start(&s, &g);
}
