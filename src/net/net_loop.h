/* The one event loop, timers, signals and descriptor watches on it. Only net sees libuv. Handles are freed in their
 * close callback only; stopping one twice is harmless. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base_bytes.h"

struct loop;

typedef void (*net_cb)(void *ctx);

struct loop *net_loop_new(void);
/* Runs until net_loop_stop or until nothing is left to wait for. */
void net_loop_run(struct loop *l);
/* Runs turns until *done or until timeout_ms passed; true when done. For commands that do one thing. */
bool net_loop_run_until(struct loop *l, const bool *done, int64_t timeout_ms);
void net_loop_stop(struct loop *l);
/* Lets every close callback run, then frees. All handles must have been stopped. */
void net_loop_free(struct loop *l);
/* Monotonic milliseconds of this turn. */
int64_t net_loop_now_ms(const struct loop *l);

/* Called once every turn, before the loop waits; streams written to during the turn are flushed after it. */
void net_loop_each_turn(struct loop *l, net_cb cb, void *ctx);

struct net_timer;
/* A timer that is not running. */
struct net_timer *net_timer_new(struct loop *l, net_cb cb, void *ctx);
/* (Re)arms it to fire once after delay_ms; 0 fires in the next turn. */
void net_timer_start(struct net_timer *t, int64_t delay_ms);
void net_timer_stop(struct net_timer *t);
/* Stops and frees it; NULL is allowed. The callback is not called again. */
void net_timer_free(struct net_timer *t);

struct net_signal;
struct net_signal *net_signal_new(struct loop *l, int signal, net_cb cb, void *ctx);
void net_signal_free(struct net_signal *s);

enum { NET_READABLE = 1, NET_WRITABLE = 2 };
struct net_watch;
typedef void (*net_watch_cb)(void *ctx, int events);
/* Watches a descriptor that somebody else owns (libpq, libcurl). */
struct net_watch *net_watch_new(struct loop *l, int fd, net_watch_cb cb, void *ctx);
void net_watch_set(struct net_watch *w, int events);
/* Must be called before the descriptor is closed. NULL is allowed. */
void net_watch_free(struct net_watch *w);

#endif
