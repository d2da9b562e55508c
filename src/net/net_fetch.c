#include "net_fetch.h"

#include "base_check.h"
#include "base_pool.h"
#include "net_address.h"
#include "net_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_AFTER_MOST_S (7 * INT64_C(86400)) /* of what a peer asks for: whoever waits has a ceiling of its own */

struct fetch {
	struct fetcher *owner;
	struct fetch *next;
	struct fetch **link;
	CURL *easy;
	struct curl_slist *headers;
	struct net_timer *late; /* calls back when the request could not even start */
	struct buf body;
	struct buf answer;
	fetch_cb cb;
	void *ctx;
	const char *refused;
	bool private_ok;
	bool loopback_ok;
	bool plain;
	bool plain_ok;
	char error[CURL_ERROR_SIZE];
};

struct fetcher {
	struct loop *loop;
	CURLM *multi;
	struct net_timer *timer;
	struct fetch *running;
	unsigned busy;
};

static void fetch_end(struct fetch *f, const struct fetch_result *result)
{
	struct fetcher *owner = f->owner;
	*f->link = f->next;
	if (f->next)
		f->next->link = f->link;
	owner->busy--;
	f->cb(f->ctx, result);
	curl_multi_remove_handle(owner->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	net_timer_free(f->late);
	buf_free(&f->body);
	buf_free(&f->answer);
	free(f);
}

static void fetch_finish(struct fetch *f, CURLcode code)
{
	long status = 0;
	curl_off_t retry_after = 0;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &retry_after);
	struct fetch_result result = {.body = buf_view(&f->answer),
	                              .retry_after_s = retry_after > 0 ? retry_after : -1};
	if (result.retry_after_s > RETRY_AFTER_MOST_S)
		result.retry_after_s = RETRY_AFTER_MOST_S;
	if (code == CURLE_OK)
		result.status = (int)status;
	else
		result.error = f->refused ? f->refused : *f->error ? f->error : curl_easy_strerror(code);
	fetch_end(f, &result);
}

static void reap(struct fetcher *f)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(f->multi, &left));) {
		if (m->msg != CURLMSG_DONE)
			continue;
		struct fetch *one = NULL;
		CURLcode code = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&one);
		fetch_finish(one, code);
	}
}

static void act(struct fetcher *f, curl_socket_t fd, int flags)
{
	int running;
	curl_multi_socket_action(f->multi, fd, flags, &running);
	reap(f);
}

static void timer_cb(void *ctx)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

struct socket_watch {
	struct fetcher *owner;
	struct net_watch *watch;
	curl_socket_t fd;
};

static void ready_cb(void *ctx, int events)
{
	struct socket_watch *w = ctx;
	int flags = (events & NET_READABLE ? CURL_CSELECT_IN : 0) | (events & NET_WRITABLE ? CURL_CSELECT_OUT : 0);
	act(w->owner, w->fd, flags);
}

/* libcurl tells which sockets to watch for what. */
static int socket_cb(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct fetcher *f = ctx;
	struct socket_watch *w = socket_ctx;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			net_watch_free(w->watch);
			free(w);
		}
		curl_multi_assign(f->multi, fd, NULL);
		return 0;
	}
	if (!w) {
		w = mem_alloc(sizeof(*w));
		*w = (struct socket_watch){.owner = f, .fd = fd};
		w->watch = net_watch_new(f->loop, fd, ready_cb, w);
		curl_multi_assign(f->multi, fd, w);
	}
	net_watch_set(w->watch, (what & CURL_POLL_IN ? NET_READABLE : 0) | (what & CURL_POLL_OUT ? NET_WRITABLE : 0));
	return 0;
}

static int multi_timer_cb(CURLM *multi, long timeout_ms, void *ctx)
{
	struct fetcher *f = ctx;
	(void)multi;
	if (timeout_ms < 0)
		net_timer_stop(f->timer);
	else
		net_timer_start(f->timer, timeout_ms);
	return 0;
}

/* The SSRF guard: the resolved address decides, so that no name and no mapped form slips by. */
static bool may_go_to(struct fetch *f, const struct sockaddr *a)
{
	bool loopback = net_address_is_loopback(a);
	bool refused = net_address_is_unspecified(a) ||
	               (loopback ? !f->loopback_ok : net_address_is_private(a) && !f->private_ok);
	if (refused)
		f->refused = "address_refused";
	else if (f->plain && !f->plain_ok && !loopback)
		f->refused = "plain_http_refused";
	return !f->refused;
}

static curl_socket_t open_cb(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)purpose;
	if (!may_go_to(ctx, &a->addr))
		return CURL_SOCKET_BAD;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A kept connection was made by the rules of then, perhaps of another's: judged again before each request. */
static int request_cb(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *four = (void *)&a;
	struct sockaddr_in6 *six = (void *)&a;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (inet_pton(AF_INET, to, &four->sin_addr) == 1)
		a.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, to, &six->sin6_addr) == 1)
		a.ss_family = AF_INET6; /* what is neither counts as private */
	return may_go_to(ctx, (const struct sockaddr *)&a) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t answer_cb(char *octets, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	size_t room = f->answer.max - f->answer.n;
	size_t all = size * n;
	buf_add(&f->answer, octets, all < room ? all : room);
	return all;
}

static void set_options(struct fetch *f, const struct fetch_request *r)
{
	CURL *e = f->easy;
	curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	curl_easy_setopt(e, CURLOPT_URL, r->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L); /* a new connection goes where the name leads now */
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_cb);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, request_cb);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, f);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_cb);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "smsbridge");
	if (r->ca_file && *r->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, r->ca_file);
	if (strcmp(r->method, "POST") == 0) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)f->body.n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, buf_cstr(&f->body));
	} else {
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	}
}

static void could_not_start_cb(void *ctx)
{
	fetch_finish(ctx, CURLE_URL_MALFORMAT);
}

void net_fetch(struct fetcher *owner, const struct fetch_request *r, fetch_cb cb, void *ctx)
{
	struct fetch *f = mem_alloc(sizeof(*f));
	*f = (struct fetch){.owner = owner, .cb = cb, .ctx = ctx, .body = BUF(r->body.n), .answer = BUF(r->max_answer)};
	f->private_ok = r->private_ok;
	f->loopback_ok = r->loopback_ok && net_url_is_loopback(view_str(r->url));
	f->plain = strncmp(r->url, "http:", 5) == 0;
	f->plain_ok = r->plain_ok;
	f->easy = curl_easy_init();
	check(f->easy);
	buf_add_view(&f->body, r->body);
	for (unsigned i = 0; r->headers && r->headers[i]; i++)
		f->headers = curl_slist_append(f->headers, r->headers[i]);
	f->headers = curl_slist_append(f->headers, "expect:"); /* no 100-continue round trip */
	set_options(f, r);
	f->next = owner->running;
	if (f->next)
		f->next->link = &f->next;
	f->link = &owner->running;
	owner->running = f;
	owner->busy++;
	if (curl_multi_add_handle(owner->multi, f->easy) != CURLM_OK) {
		f->late = net_timer_new(owner->loop, could_not_start_cb, f);
		net_timer_start(f->late, 0);
	}
}

struct fetcher *net_fetcher_new(struct loop *l)
{
	struct fetcher *f = mem_alloc(sizeof(*f));
	check(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
	f->loop = l;
	f->multi = curl_multi_init();
	f->timer = net_timer_new(l, timer_cb, f);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, multi_timer_cb);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	/* No ceiling for a host: many practices may share one, and a slow one would hold the others up. The callers
	 * have ceilings of their own. */
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 256L);
	return f;
}

unsigned net_fetcher_busy(const struct fetcher *f)
{
	return f->busy;
}

void net_fetcher_free(struct fetcher *f)
{
	struct fetch_result ended = {.error = "shutting_down", .retry_after_s = -1};
	while (f->running)
		fetch_end(f->running, &ended);
	curl_multi_cleanup(f->multi);
	net_timer_free(f->timer);
	curl_global_cleanup();
	free(f);
}
