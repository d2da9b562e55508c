/* demo: a private PostgreSQL, migrations, a certificate, a simulated carrier, a clinic's backend and the gateway
 * itself, each a process of its own that dies with this one. As root it first becomes an ordinary user. */
#include "app_commands.h"
#include "app_demo.h"
#include "app_gateway.h"

#include "base_check.h"
#include "base_time.h"
#include "net_tls.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char demo_help[] =
        "Examples:\n"
        "  smsbridge demo                    start everything and wait for Ctrl-C\n"
        "  smsbridge demo --once             start everything, play the main story against it, end with 0\n"
        "  smsbridge demo --keep ./demo      keep the folder (database, logs) for a look afterwards\n"
        "\n"
        "Needs PostgreSQL's server programs (package postgresql-15 or newer); no network, no root.\n"
        "  --start TIME   where the rule clock starts (default: today at 15:00 UTC, mid-morning in New York)\n"
        "  --rate N       how much faster than real time it runs (default 1)\n";

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static const char *path_in(const struct demo *d, const char *name, char to[256])
{
	snprintf(to, 256, "%s/%s", d->dir, name);
	return to;
}

/* --- the folder and who we are -------------------------------------------------------------------------------------
 */

static bool become_ordinary(const struct demo *d)
{
	if (geteuid() != 0)
		return true;
	const struct passwd *user = getpwnam("postgres");
	if (!user)
		user = getpwnam("nobody");
	return user && chown(d->dir, user->pw_uid, user->pw_gid) == 0 && initgroups(user->pw_name, user->pw_gid) == 0 &&
	       setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0;
}

static bool make_folder(struct demo *d, const char *keep)
{
	const char *base = getenv("TMPDIR");
	char resolved[4096];
	if (keep) {
		if (mkdir(keep, 0700) != 0 || !realpath(keep, resolved) || strlen(resolved) > 70)
			return false; /* a unix socket's path has about 100 octets */
		return copy_str(d->dir, sizeof(d->dir), resolved);
	}
	snprintf(d->dir, sizeof(d->dir), "%s/smsbridge-demo-XXXXXX", base && strlen(base) < 60 ? base : "/tmp");
	return mkdtemp(d->dir) != NULL;
}

static void remove_folder(const struct demo *d)
{
	const char *argv[] = {"/bin/rm", "-rf", d->dir, NULL};
	struct process_io io = {.in = -1, .death_signal = SIGKILL};
	(void)process_wait(process_exec(&io, argv));
}

/* --- PostgreSQL ----------------------------------------------------------------------------------------------------
 */

/* The newest server's folder of programs, as Debian lays them out. */
static bool find_postgres(char to[256])
{
	glob_t found;
	bool ok = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0 && found.gl_pathc > 0;
	if (ok) {
		copy_str(to, 256, found.gl_pathv[found.gl_pathc - 1]);
		*strrchr(to, '/') = 0;
	}
	globfree(&found);
	return ok;
}

static bool run_initdb(const struct demo *d, const char *bin)
{
	char program[300], data[256], log[256];
	snprintf(program, sizeof(program), "%s/initdb", bin);
	const char *argv[] = {program,
	                      "-D",
	                      path_in(d, "postgres", data),
	                      "-U",
	                      "postgres",
	                      "-A",
	                      "trust",
	                      "-E",
	                      "UTF8",
	                      "--locale=C.UTF-8",
	                      "--no-instructions",
	                      NULL};
	struct process_io io = {.in = -1, .out = path_in(d, "postgres.log", log), .death_signal = SIGKILL};
	return process_wait(process_exec(&io, argv)) == 0;
}

/* Durable settings; only the socket in our own folder (mode 0700) leads in, so `trust` trusts this user alone. */
static bool start_postgres(struct demo *d)
{
	char bin[256], program[300], data[256], log[256], socket[280];
	struct buf error = BUF(1024);
	if (!find_postgres(bin) || !run_initdb(d, bin))
		return false;
	snprintf(program, sizeof(program), "%s/postgres", bin);
	snprintf(socket, sizeof(socket), "unix_socket_directories=%s", d->dir);
	const char *argv[] = {program,
	                      "-D",
	                      path_in(d, "postgres", data),
	                      "-c",
	                      "listen_addresses=",
	                      "-c",
	                      socket,
	                      "-c",
	                      "jit=off",
	                      "-c",
	                      "fsync=on",
	                      "-c",
	                      "synchronous_commit=on",
	                      "-c",
	                      "unix_socket_permissions=0700",
	                      NULL};
	struct process_io io = {.in = -1, .out = path_in(d, "postgres.log", log), .death_signal = SIGINT};
	d->postgres = process_exec(&io, argv);
	char conninfo[300];
	snprintf(conninfo, sizeof(conninfo), "host=%s user=postgres dbname=postgres", d->dir);
	for (int i = 0; i < 300 && process_alive(d->postgres) && !d->db; i++) {
		buf_clear(&error);
		d->db = store_client_open(conninfo, &error);
		if (!d->db)
			poll(NULL, 0, 50);
	}
	buf_free(&error);
	return d->db != NULL;
}

static bool make_database(struct demo *d)
{
	char conninfo[300];
	struct buf error = BUF(4096);
	bool ok = store_client_script(d->db, "CREATE ROLE smsbridge_owner LOGIN CREATEROLE") &&
	          store_client_script(d->db, "CREATE DATABASE smsbridge OWNER smsbridge_owner");
	store_client_close(d->db);
	snprintf(conninfo, sizeof(conninfo), "host=%s user=smsbridge_owner dbname=smsbridge", d->dir);
	d->db = ok ? store_client_open(conninfo, &error) : NULL;
	ok = d->db && app_migrate(d->db, true, &error) && store_client_script(d->db, "SET TimeZone = 'UTC'");
	if (!ok)
		failure("%s", buf_cstr(&error));
	buf_free(&error);
	return ok;
}

/* --- practice, key, configuration ----------------------------------------------------------------------------------
 */

/* A member of a subcommand's one-row JSON answer. */
struct wanted {
	const char *member;
	char *to;
	size_t cap;
};

static bool take_member(const char *text, const struct wanted *w)
{
	char name[64];
	snprintf(name, sizeof(name), "\"%s\":\"", w->member);
	const char *at = strstr(text, name);
	if (!at)
		return false;
	at += strlen(name);
	return copy_view(w->to, w->cap, view_of(at, strcspn(at, "\"")));
}

/* Runs a subcommand and takes members of its answer. */
static bool ask_command(struct demo *d, int (*run)(int, char **), const char *const *argv, const struct wanted *wanted,
                        unsigned count)
{
	char out[256];
	size_t n;
	struct process_io io = {.in = -1, .out = path_in(d, "command.json", out), .death_signal = SIGKILL};
	unlink(out);
	if (process_wait(process_command(&io, run, argv)) != 0)
		return false;
	char *text = app_read_file(out, 65536, &n);
	bool ok = text != NULL;
	for (unsigned i = 0; i < count && ok; i++)
		ok = take_member(text, &wanted[i]);
	free(text);
	unlink(out);
	return ok;
}

static bool make_practice(struct demo *d)
{
	char conninfo[300], url[64], path[256];
	snprintf(conninfo, sizeof(conninfo), "host=%s user=smsbridge_app dbname=smsbridge", d->dir);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/hooks", d->clinic_port);
	const char *add[] = {"add",       "--database",     conninfo,       "--name",    "Elm Street Clinic",
	                     "--phone",   "(312) 555-0100", "--sender",     DEMO_SENDER, "--webhook-url",
	                     url,         "--webhook-text", "true",         "--json",    "--attested-by",
	                     "Jo Rivera", "--at",           d->clock_start, NULL};
	const struct wanted made[] = {{"id", d->practice, sizeof(d->practice)},
	                              {"webhook_secret", d->secret, sizeof(d->secret)}}; /* shown this once */
	const struct wanted key = {"key", d->api.key, sizeof(d->api.key)};
	if (!ask_command(d, command_practice, add, made, 2))
		return false;
	const char *create[] = {"create", d->practice, "--database", conninfo, "--label", "demo", "--json", NULL};
	return ask_command(d, command_key, create, &key, 1) &&
	       app_write_file(path_in(d, "webhook-secret", path), 0600, view_str(d->secret)) &&
	       app_write_file(path_in(d, "carrier.password", path), 0600, VIEW("secret08"));
}

static bool make_ledger_key(struct demo *d)
{
	char conninfo[300], file[256], public_key[80];
	snprintf(conninfo, sizeof(conninfo), "host=%s user=smsbridge_app dbname=smsbridge", d->dir);
	const char *rotate[] = {"rotate", "--database", conninfo, "--key", path_in(d, "ledger.pem", file),
	                        "--json", NULL};
	const struct wanted made = {"public_key", public_key, sizeof(public_key)};
	return ask_command(d, command_ledger, rotate, &made, 1);
}

bool demo_write_config(const struct demo *d)
{
	struct buf b = BUF(8192);
	buf_printf(&b,
	           "node: demo\ndatabase:\n  conninfo: host=%s user=smsbridge_app dbname=smsbridge\n"
	           "http:\n  listen: 127.0.0.1:%d\n  certificate: %s/certificate.pem\n  key: %s/key.pem\n"
	           "clock:\n  start: %s\n  rate: %g\npolicy:\n  release_spread: 0s\n"
	           "ledger:\n  key_file: %s/ledger.pem\n"
	           "carriers:\n  - name: simulated\n    host: 127.0.0.1\n    port: %d\n    tls: false\n"
	           "    system_id: demo\n    password_file: %s/carrier.password\n    window: 10\n",
	           d->dir, d->http_port, d->dir, d->dir, d->clock_start, d->clock_rate, d->dir, d->carrier_port,
	           d->dir);
	bool ok = app_write_file(d->config_path, 0600, buf_view(&b));
	buf_free(&b);
	return ok;
}

/* --- the other processes -------------------------------------------------------------------------------------------
 */

static bool start_carrier(struct demo *d)
{
	char listen[64], fifo[256], log[256];
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", d->carrier_port);
	const char *argv[] = {"--listen", listen,    "--system-id", "demo", "--password",
	                      "secret08", "--print", "--commands",  NULL};
	if (mkfifo(path_in(d, "phone", fifo), 0600) != 0)
		return false;
	d->phone_fifo = open(fifo, O_RDWR | O_CLOEXEC); /* both ends, so that it never ends */
	struct process_io io = {.in = d->phone_fifo, .out = path_in(d, "carrier.log", log), .death_signal = SIGTERM};
	d->carrier = process_command(&io, command_smsc, argv);
	return d->phone_fifo >= 0 && d->carrier > 0;
}

static bool start_clinic(struct demo *d)
{
	char listen[64], secret[256], log[256];
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", d->clinic_port);
	const char *argv[] = {"--listen", listen, "--secret-file", path_in(d, "webhook-secret", secret), NULL};
	struct process_io io = {.in = -1, .out = path_in(d, "clinic.log", log), .death_signal = SIGTERM};
	d->clinic = process_command(&io, command_receiver, argv);
	return d->clinic > 0;
}

static bool links_up(struct demo *d)
{
	struct buf answer = BUF(1 << 20);
	bool up =
	        caller_call(&d->api, "/readyz", NULL, &answer) == 200 && strstr(buf_cstr(&answer), "\"links_bound\":1");
	buf_free(&answer);
	return up;
}

static bool start_gateway(struct demo *d)
{
	char log[256];
	const char *argv[] = {"--config", d->config_path, NULL};
	struct process_io io = {.in = -1, .out = path_in(d, "gateway.log", log), .death_signal = SIGTERM};
	d->gateway = process_command(&io, command_run, argv);
	caller_open(&d->api); /* not before the last fork: a loop does not survive one */
	for (int i = 0; i < 300 && process_alive(d->gateway); i++) {
		if (links_up(d))
			return true;
		poll(NULL, 0, 50);
	}
	return false;
}

static unsigned count_reloads(struct demo *d)
{
	static const char name[] = "smsbridge_config_reloads_total{result=\"ok\"} ";
	struct buf answer = BUF(1 << 20);
	unsigned n = 0;
	if (caller_call(&d->api, "/metrics", NULL, &answer) == 200) {
		const char *at = strstr(buf_cstr(&answer), name);
		n = at ? (unsigned)strtoul(at + sizeof(name) - 1, NULL, 10) : 0;
	}
	buf_free(&answer);
	return n;
}

bool demo_set_clock(struct demo *d, const char *start, double rate)
{
	d->clock_start = start;
	d->clock_rate = rate;
	d->reloads++;
	if (!demo_write_config(d) || kill(d->gateway, SIGHUP) != 0)
		return false;
	for (int i = 0; i < 200; i++) {
		if (count_reloads(d) >= d->reloads)
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

void demo_patient_texts(const struct demo *d, const char *phone, const char *text)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "mo %s %s %s\n", phone, DEMO_SENDER, text);
	check(n > 0 && (size_t)n < sizeof(line) && write(d->phone_fifo, line, (size_t)n) == n);
}

/* --- all of it -----------------------------------------------------------------------------------------------------
 */

static bool start_all(struct demo *d, const char **step)
{
	char certificate[256], key[256];
	path_in(d, "certificate.pem", certificate);
	path_in(d, "config.yaml", d->config_path);
	copy_str(d->api.ca, sizeof(d->api.ca), certificate);
	d->http_port = process_free_port(8443);
	d->carrier_port = process_free_port(0);
	d->clinic_port = process_free_port(0);
	snprintf(d->api.base, sizeof(d->api.base), "https://localhost:%d", d->http_port);
	*step = "the certificate";
	if (!net_tls_selfsign(certificate, path_in(d, "key.pem", key), 30))
		return false;
	*step = "PostgreSQL (see postgres.log; is the package postgresql-15 installed?)";
	if (!start_postgres(d))
		return false;
	*step = "the database";
	if (!make_database(d))
		return false;
	*step = "the practice";
	if (!make_practice(d) || !make_ledger_key(d) || !demo_write_config(d))
		return false;
	*step = "the simulated carrier";
	if (!start_carrier(d) || !start_clinic(d))
		return false;
	*step = "the gateway (see gateway.log)";
	return start_gateway(d);
}

static void stop_all(struct demo *d)
{
	process_stop(d->gateway, SIGTERM, 20000);
	process_stop(d->carrier, SIGTERM, 3000);
	process_stop(d->clinic, SIGTERM, 3000);
	store_client_close(d->db);
	process_stop(d->postgres, SIGINT, 20000);
	if (d->api.loop)
		caller_close(&d->api);
}

static void print_page(const struct demo *d)
{
	printf("smsbridge demo is running.\n\n"
	       "  API        %s (certificate %s/certificate.pem)\n"
	       "  API key    %s\n"
	       "  metrics    %s/metrics    health %s/readyz    contract %s/openapi.json\n"
	       "  data       %s (database, logs: gateway.log carrier.log clinic.log)\n"
	       "  psql       psql -h %s -U smsbridge_compliance smsbridge -c 'SELECT * FROM report.messages'\n"
	       "  clock      rules think it is %s\n\n"
	       "Send a reminder:\n"
	       "  curl --cacert %s/certificate.pem %s/v1/messages \\\n"
	       "    -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -H 'Idempotency-Key: first' \\\n"
	       "    -d '{\"patient\":\"p-1\",\"phone\":\"+12125550101\",\"body\":\"Elm Street Clinic: your visit is "
	       "Tue 9:30. (312) 555-0100. Reply STOP to end.\"}'\n\n"
	       "Text as the patient (the phone shows in carrier.log, the clinic in clinic.log):\n"
	       "  echo 'mo +12125550101 " DEMO_SENDER " STOP' > %s/phone\n\n"
	       "Ctrl-C stops everything.\n",
	       d->api.base, d->dir, d->api.key, d->api.base, d->api.base, d->api.base, d->dir, d->dir, d->clock_start,
	       d->dir, d->api.base, d->api.key, d->dir);
	fflush(stdout);
}

static bool wait_for_end(const struct demo *d)
{
	while (!interrupted && process_alive(d->gateway) && process_alive(d->postgres))
		poll(NULL, 0, 200);
	return interrupted;
}

static void today(char to[TIME_TEXT_BYTES])
{
	struct clock system = {0};
	int64_t day_us = clock_read(&system) / DAY_US * DAY_US;
	time_format(day_us + 15 * HOUR_US, to);
}

int command_demo(int argc, char **argv)
{
	struct demo d = {.phone_fifo = -1, .clock_rate = 1};
	const char *keep = NULL, *start = NULL, *rate = NULL, *step = "the folder";
	bool once = false;
	char start_text[TIME_TEXT_BYTES];
	const struct option_row rows[] = {
	        {"once", NULL, &once}, {"keep", &keep, NULL}, {"start", &start, NULL}, {"rate", &rate, NULL}, {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	today(start_text);
	d.clock_start = once ? "2026-03-02T10:00:00-06:00" : start ? start : start_text;
	d.clock_rate = rate ? strtod(rate, NULL) : 1;
	if (!make_folder(&d, keep) || !become_ordinary(&d))
		return failure("the demo's folder could not be made%s",
		               keep ? " (it must not exist yet, and have a short path)" : "");
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	fprintf(stderr, "Starting PostgreSQL, a simulated carrier, a clinic's backend and the gateway in %s ...\n",
	        d.dir);
	bool ok = start_all(&d, &step);
	if (!ok) {
		failure("%s could not be started; the logs are in %s", step, d.dir);
	} else if (once) {
		ok = story_play(&d);
	} else {
		print_page(&d);
		ok = wait_for_end(&d);
	}
	stop_all(&d);
	if (ok && !keep)
		remove_folder(&d);
	return ok ? EXIT_OK : EXIT_FAILED;
}
