#include "net_internal.h"

#include "base_check.h"
#include "base_pool.h"

#include <signal.h>
#include <stdlib.h>

static void prepare_cb(uv_prepare_t *handle)
{
	struct loop *l = handle->data;
	for (unsigned i = 0; i < l->hooks; i++)
		l->hook[i].cb(l->hook[i].ctx);
	net_stream_flush_dirty(l);
	if (l->until && *l->until)
		uv_stop(&l->uv); /* a timer did it in this very turn: do not wait for more */
}

struct loop *net_loop_new(void)
{
	struct loop *l = mem_alloc(sizeof(*l));
	signal(SIGPIPE, SIG_IGN);
	check(uv_loop_init(&l->uv) == 0);
	check(uv_prepare_init(&l->uv, &l->prepare) == 0);
	l->prepare.data = l;
	check(uv_prepare_start(&l->prepare, prepare_cb) == 0);
	uv_unref((uv_handle_t *)&l->prepare);
	return l;
}

void net_loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

static void timeout_cb(void *ctx)
{
	*(bool *)ctx = true;
}

bool net_loop_run_until(struct loop *l, const bool *done, int64_t timeout_ms)
{
	bool late = false;
	struct net_timer *t = net_timer_new(l, timeout_cb, &late);
	net_timer_start(t, timeout_ms);
	l->until = done;
	while (!*done && !late)
		uv_run(&l->uv, UV_RUN_ONCE);
	l->until = NULL;
	net_timer_free(t);
	return *done;
}

void net_loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void net_loop_free(struct loop *l)
{
	l->hooks = 0;
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	check(uv_loop_close(&l->uv) == 0);
	free(l);
}

int64_t net_loop_now_ms(const struct loop *l)
{
	return (int64_t)uv_now(&l->uv);
}

void net_loop_each_turn(struct loop *l, net_cb cb, void *ctx)
{
	check(l->hooks < LOOP_HOOKS);
	l->hook[l->hooks].cb = cb;
	l->hook[l->hooks++].ctx = ctx;
}

static void free_cb(uv_handle_t *handle)
{
	free(handle->data);
}

struct net_timer {
	uv_timer_t uv;
	net_cb cb;
	void *ctx;
};

static void timer_cb(uv_timer_t *handle)
{
	struct net_timer *t = handle->data;
	t->cb(t->ctx);
}

struct net_timer *net_timer_new(struct loop *l, net_cb cb, void *ctx)
{
	struct net_timer *t = mem_alloc(sizeof(*t));
	t->cb = cb;
	t->ctx = ctx;
	check(uv_timer_init(&l->uv, &t->uv) == 0);
	t->uv.data = t;
	return t;
}

void net_timer_start(struct net_timer *t, int64_t delay_ms)
{
	uv_timer_start(&t->uv, timer_cb, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0);
}

void net_timer_stop(struct net_timer *t)
{
	uv_timer_stop(&t->uv);
}

void net_timer_free(struct net_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->uv, free_cb);
}

struct net_signal {
	uv_signal_t uv;
	net_cb cb;
	void *ctx;
};

static void signal_cb(uv_signal_t *handle, int number)
{
	(void)number;
	struct net_signal *s = handle->data;
	s->cb(s->ctx);
}

struct net_signal *net_signal_new(struct loop *l, int number, net_cb cb, void *ctx)
{
	struct net_signal *s = mem_alloc(sizeof(*s));
	s->cb = cb;
	s->ctx = ctx;
	check(uv_signal_init(&l->uv, &s->uv) == 0);
	s->uv.data = s;
	check(uv_signal_start(&s->uv, signal_cb, number) == 0);
	uv_unref((uv_handle_t *)&s->uv);
	return s;
}

void net_signal_free(struct net_signal *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->uv, free_cb);
}

struct net_watch {
	uv_poll_t *uv; /* NULL: its descriptor is another's by now */
	struct loop *loop;
	struct net_watch *next;
	net_watch_cb cb;
	void *ctx;
	int fd;
	int events;
};

static void watch_cb(uv_poll_t *handle, int status, int events)
{
	struct net_watch *w = handle->data;
	int seen = (events & UV_READABLE ? NET_READABLE : 0) | (events & UV_WRITABLE ? NET_WRITABLE : 0);
	/* An error shows as both: the owner's next read or write meets it. libuv has stopped the poll then, so that
	 * what the owner wants is to be set anew, be it what it was. */
	if (status < 0)
		w->events = 0;
	w->cb(w->ctx, status < 0 ? NET_READABLE | NET_WRITABLE : seen);
}

static void poll_closed_cb(uv_handle_t *handle)
{
	free(handle);
}

static void watch_close(struct net_watch *w)
{
	if (w->uv)
		uv_close((uv_handle_t *)w->uv, poll_closed_cb);
	w->uv = NULL;
}

/* Owners (libcurl, when a look-up ends late) close a descriptor before they say so, and the system gives its number to
 * the next one. Two polls of one number are one too many for libuv, and the end of the older would end the younger's.
 */
static void retire(struct loop *l, int fd)
{
	for (struct net_watch *w = l->watches; w; w = w->next)
		if (w->fd == fd)
			watch_close(w);
}

struct net_watch *net_watch_new(struct loop *l, int fd, net_watch_cb cb, void *ctx)
{
	struct net_watch *w = mem_alloc(sizeof(*w));
	retire(l, fd);
	*w = (struct net_watch){.loop = l, .next = l->watches, .cb = cb, .ctx = ctx, .fd = fd};
	w->uv = mem_alloc(sizeof(*w->uv));
	check(uv_poll_init(&l->uv, w->uv, fd) == 0);
	w->uv->data = w;
	l->watches = w;
	return w;
}

void net_watch_set(struct net_watch *w, int events)
{
	if (w->events == events || !w->uv)
		return;
	w->events = events;
	int want = (events & NET_READABLE ? UV_READABLE : 0) | (events & NET_WRITABLE ? UV_WRITABLE : 0);
	if (want)
		uv_poll_start(w->uv, want, watch_cb);
	else
		uv_poll_stop(w->uv);
}

void net_watch_free(struct net_watch *w)
{
	if (!w)
		return;
	struct net_watch **at = &w->loop->watches;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	watch_close(w);
	free(w);
}
