/* A configuration from a text, for tests. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "config_load.h"
#include "config_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECRET "hunter2-do-not-show"
#define HASH "scrypt$16384$8$1$c2FsdA==$aGFzaA=="
#define DB "database:\n  conninfo: host=db\n"
#define CARRIER "carriers:\n  - name: a\n    host: 127.0.0.1\n    system_id: s\n"

/* Paths give contents: "empty", "nul", "hash", "none" and what is in the path itself. */
static inline char *read_stub(void *ctx, const char *path, size_t *n_r, const char **error_r)
{
	(void)ctx;
	const char *text = strcmp(path, "empty") == 0 ? "\n" : strcmp(path, "nul") == 0 ? "a?b" : SECRET "\n";
	if (strcmp(path, "hash") == 0)
		text = HASH "\n";
	if (strcmp(path, "none") == 0 || strstr(path, "hunter2")) {
		*error_r = "No such file or directory";
		return NULL;
	}
	char *content = strdup(text);
	*n_r = strlen(text);
	if (strcmp(path, "nul") == 0)
		content[1] = 0;
	return content;
}

static inline struct config *parse(const char *yaml, struct config_errors *errors)
{
	*errors = (struct config_errors){.text = BUF(LIMIT_CONFIG_BYTES)};
	/* Exactly sized, so that the sanitizer sees a read past the end. */
	struct buf copy = BUF(LIMIT_CONFIG_BYTES);
	buf_add_str(&copy, yaml);
	struct config *c = config_parse("c.yaml", buf_view(&copy), read_stub, NULL, errors);
	buf_free(&copy);
	return c;
}

static inline struct config *parse_good(const char *yaml)
{
	struct config_errors errors;
	struct config *c = parse(yaml, &errors);
	if (!c)
		fail_msg("%s\nis refused:\n%s", yaml, buf_cstr(&errors.text));
	assert_int_equal(errors.count, 0);
	assert_int_equal(errors.text.n, 0);
	buf_free(&errors.text);
	return c;
}

#endif
