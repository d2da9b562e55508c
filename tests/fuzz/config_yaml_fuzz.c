/* Any octets as a configuration: either a configuration that passes its own check or at least one whole error line. */
#include "base_check.h"
#include "config_check.h"
#include "config_warn.h"

#include <string.h>

static char *read_secret(void *ctx, const char *path, size_t *n_r, const char **error_r)
{
	const char *content = path[0] == 'h' ? "scrypt$16384$8$1$c2FsdA==$aGFzaA==" : path;
	(void)ctx;
	*error_r = "No such file or directory";
	*n_r = strlen(content);
	return path[0] == 'x' ? NULL : strdup(content);
}

static void warning_cb(void *ctx, const struct config_warning *w)
{
	check(w->event[0] && w->sentence[0] && w->carrier && w->listen);
	++*(unsigned *)ctx;
}

static void check_good(struct config *c, struct config_errors *errors)
{
	unsigned warnings = 0;
	check(c->carriers <= LIMIT_CARRIERS && c->routes <= LIMIT_ROUTES && c->senders <= LIMIT_SENDERS &&
	      c->brands <= LIMIT_BRANDS && c->top.node && c->database.conninfo);
	config_check("f", c, errors);
	check(errors->count == 0);
	config_warn(c, warning_cb, &warnings);
	check(warnings <= 3 + 4 * LIMIT_CARRIERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors = {.text = BUF(LIMIT_CONFIG_BYTES)};
	struct config *c = config_parse("f", view_of(data, size), read_secret, NULL, &errors);
	check((c == NULL) == (errors.count > 0) && (errors.text.n > 0) == (errors.count > 0));
	check(!errors.text.n || errors.text.p[errors.text.n - 1] == '\n');
	for (size_t i = 0; i < errors.text.n; i++)
		check(errors.text.p[i] == '\n' || (errors.text.p[i] >= 0x20 && errors.text.p[i] < 0x7f));
	if (c)
		check_good(c, &errors);
	config_free(c);
	buf_free(&errors.text);
	return 0;
}
