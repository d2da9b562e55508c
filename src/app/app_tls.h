/* The TLS contexts of a configuration, made anew by a reload: what is connected keeps the one that it began with. */
#ifndef APP_TLS_H
#define APP_TLS_H

#include "config_load.h"
#include "net_tls.h"

struct app_tls {
	struct tls_context *listener[LIMIT_LISTENERS];
	struct tls_context *http; /* NULL: plain */
	struct tls_context *smpp; /* both SMPP listeners */
	struct tls_context
	        *carrier[LIMIT_CARRIERS]; /* as running's carriers; NULL for those that we do not dial by TLS */
};

/* Loads what the files of fresh say for the listeners and carriers of running (the same at the start): whether there is
 * TLS only a restart decides. On failure to holds nothing and error a sentence. A listener that has a certificate does
 * not lose it by a reload. */
bool app_tls_load(const struct config *running, const struct config *fresh, struct app_tls *to, struct buf *error);
void app_tls_free(struct app_tls *tls);
/* Metrics and, when one ends within 30 days of now_us, warnings. */
void app_tls_tell(const struct config *running, const struct app_tls *tls, int64_t now_us);

#endif
