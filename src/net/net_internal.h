/* Shared inside net only. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net_loop.h"

#include <uv.h>

struct stream;

#define LOOP_HOOKS 8 /* each-turn callbacks of one process */

struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	struct {
		net_cb cb;
		void *ctx;
	} hook[LOOP_HOOKS];
	unsigned hooks;
	struct net_watch *watches;
	const bool *until;    /* what net_loop_run_until waits for */
	struct stream *dirty; /* streams with octets to flush at the end of the turn */
};

/* Puts the streams of l->dirty on the wire; in net_stream.c. */
void net_stream_flush_dirty(struct loop *l);

#endif
