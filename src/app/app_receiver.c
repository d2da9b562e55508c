/* receiver: the demonstration's stand-in for a clinic's backend. It takes webhooks on loopback, checks their signature
 * as Standard Webhooks 1.0.0 says, and prints what came as one line each. */
#include "app_commands.h"

#include "base_time.h"
#include "link_http.h"
#include "net_crypto.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE_S 300

struct receiver {
	struct loop *loop;
	const char *secret_file;
};

/* Whether one of the signatures, blanks between, is the expected one. */
static bool one_is(struct view given, struct view expected)
{
	bool found = false;
	while (given.n) {
		const uint8_t *blank = memchr(given.p, ' ', given.n);
		size_t n = blank ? (size_t)(blank - given.p) : given.n;
		found = found || (n == expected.n && net_equal(given.p, expected.p, n));
		n += blank != NULL;
		given = view_of(given.p + n, given.n - n);
	}
	return found;
}

static bool signature_matches(struct receiver *r, const struct http_request *q)
{
	uint8_t mac[SHA256_BYTES];
	size_t n = 0;
	char *secret = app_read_file(r->secret_file, 256, &n);
	struct buf key = BUF(256), content = BUF(1 << 17), expected = BUF(256);
	struct view id = http_request_header(q, "webhook-id");
	struct view at = http_request_header(q, "webhook-timestamp");
	struct view given = http_request_header(q, "webhook-signature");
	if (secret && n > 6)
		net_base64_decode(view_of(secret + 6, n - 6), &key);
	buf_add_view(&content, id);
	buf_add_u8(&content, '.');
	buf_add_view(&content, at);
	buf_add_u8(&content, '.');
	buf_add_view(&content, q->body);
	net_hmac_sha256(buf_view(&key), buf_view(&content), mac);
	buf_add_str(&expected, "v1,");
	net_base64(view_of(mac, sizeof(mac)), &expected);
	uint64_t timestamp = 0;
	struct clock system = {0};
	int64_t now_s = clock_read(&system) / SECOND_US;
	bool ok = one_is(given, buf_view(&expected)) && parse_u64(at, INT64_MAX, &timestamp) &&
	          llabs((long long)timestamp - now_s) <= TOLERANCE_S;
	free(secret);
	buf_free(&key);
	buf_free(&content);
	buf_free(&expected);
	return ok;
}

static void hook(void *ctx, struct http_exchange *x)
{
	const struct http_request *q = link_http_request(x);
	bool ok = signature_matches(ctx, q);
	printf("%s %.*s\n", ok ? "signature good:" : "SIGNATURE BAD:", (int)q->body.n, (const char *)q->body.p);
	fflush(stdout);
	if (ok)
		link_http_reply(x, 204, "text/plain", "", (struct view){0});
	else
		link_http_problem(x, 401, "signature_bad", "", NULL, 0, "");
}

static void term_cb(void *ctx)
{
	(void)ctx;
	exit(EXIT_OK);
}

int command_receiver(int argc, char **argv)
{
	struct receiver r = {0};
	const char *listen = "127.0.0.1:0";
	struct buf error = BUF(512);
	const struct http_route routes[] = {{.method = "POST", .path = "/hooks", .handler = hook}};
	const struct option_row rows[] = {{"listen", &listen, NULL}, {"secret-file", &r.secret_file, NULL}, {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0 || !r.secret_file)
		return EXIT_USAGE;
	r.loop = net_loop_new();
	struct http_server_config config = {.listen = listen, .routes = routes, .route_count = 1, .connections = 64};
	if (!link_http_new(r.loop, &config, &r, &error))
		return failure("%s", buf_cstr(&error));
	net_signal_new(r.loop, SIGTERM, term_cb, &r);
	net_loop_run(r.loop);
	return EXIT_OK;
}
