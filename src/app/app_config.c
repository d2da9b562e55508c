/* The configuration as commands need it: read, and checked against what stands outside of it. */
#include "app.h"

#include "config_report.h"
#include "net_password.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *read_secret(void *ctx, const char *path, size_t *n_r, const char **error_r)
{
	(void)ctx;
	char *text = app_read_file(path, LIMIT_CONFIG_BYTES, n_r);
	if (!text)
		*error_r = strerror(errno);
	return text;
}

static void wrong(const char *file, const struct config *c, struct config_errors *errors, enum config_row_number row,
                  unsigned item, const char *problem, const char *expected)
{
	const struct config_row *r = &config_rows[row];
	config_report(file, errors,
	              &(struct config_wrong){.mark = *config_row_mark(c, r, item),
	                                     .section = r->section,
	                                     .item = item,
	                                     .key = r->key,
	                                     .problem = problem,
	                                     .expected = expected});
}

/* config_check looks at the shape of a hash only: it sees no OpenSSL. */
static void check_hashes(const char *file, const struct config *c, struct config_errors *errors)
{
	for (unsigned i = 0; i < c->carriers; i++)
		if (c->carrier[i].password_hash[0] && !net_password_is_hash(c->carrier[i].password_hash))
			wrong(file, c, errors, CONFIG_ROW_carrier_password_hash, i, "the file holds a damaged hash",
			      "a line of `smsbridge password`");
}

static void check_zone(const char *file, const struct config *c, struct config_errors *errors,
                       enum config_row_number row, unsigned item)
{
	struct buf path = BUF(1024);
	buf_printf(&path, "%s/%s", c->policy.tzdata,
	           *(const char *const *)config_row_value(c, &config_rows[row], item));
	if (access(buf_cstr(&path), R_OK) != 0)
		wrong(file, c, errors, row, item, "policy.tzdata has no such time zone",
		      "a name like America/Los_Angeles");
	buf_free(&path);
}

static void check_zones(const char *file, const struct config *c, struct config_errors *errors)
{
	for (unsigned i = 0; i < c->senders; i++)
		check_zone(file, c, errors, CONFIG_ROW_sender_reset_zone, i);
	for (unsigned i = 0; i < c->brands; i++)
		check_zone(file, c, errors, CONFIG_ROW_brand_reset_zone, i);
}

struct config *app_config_load_quiet(const char *path, struct config_errors *errors_r)
{
	size_t n;
	*errors_r = (struct config_errors){.text = BUF(LIMIT_CONFIG_BYTES)};
	char *text = app_read_file(path, LIMIT_CONFIG_BYTES, &n);
	if (!text) {
		buf_printf(&errors_r->text, "%s: %s\n", path, strerror(errno));
		errors_r->count = 1;
		return NULL;
	}
	struct config *c = config_parse(path, view_of(text, n), read_secret, NULL, errors_r);
	free(text);
	if (!c)
		return NULL;
	check_hashes(path, c, errors_r);
	check_zones(path, c, errors_r);
	if (errors_r->count == 0)
		return c;
	config_free(c);
	return NULL;
}

struct config *app_config_load(const char *path)
{
	struct config_errors errors;
	struct config *c = app_config_load_quiet(path, &errors);
	if (!c)
		fprintf(stderr, "%s%u error%s\n", buf_cstr(&errors.text), errors.count, errors.count == 1 ? "" : "s");
	buf_free(&errors.text);
	return c;
}
