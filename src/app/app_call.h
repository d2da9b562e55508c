/* One HTTPS request that is waited for, for the demonstration's story. */
#ifndef APP_CALL_H
#define APP_CALL_H

#include "net_fetch.h"

struct caller {
	struct loop *loop;
	struct fetcher *fetcher;
	char base[64]; /* "https://localhost:8443" */
	char ca[256];  /* PEM file to trust */
	char key[128]; /* API key; "" for none */
};

void caller_open(struct caller *c);
void caller_close(struct caller *c);
/* HTTP status, 0 when there was no answer; the answer's body is left in *answer (cleared first). body NULL: GET. */
int caller_call(struct caller *c, const char *path, const char *body, struct buf *answer);

#endif
