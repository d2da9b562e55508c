/* Files, configuration and database as commands need them. */
#include "app.h"
#include "app_noted.h"

#include "store_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *app_read_file(const char *path, size_t max, size_t *n_r)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!f)
		return NULL;
	char *text = mem_alloc(max + 2);
	size_t n = fread(text, 1, max + 1, f);
	int error = ferror(f) ? EIO : n > max ? EFBIG : 0;
	if (f != stdin)
		fclose(f);
	if (error) {
		free(text);
		errno = error;
		return NULL;
	}
	text[n] = 0;
	*n_r = n;
	return text;
}

bool app_write_file(const char *path, int mode, struct view content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return false;
	bool ok = write(fd, content.p, content.n) == (ssize_t)content.n;
	return close(fd) == 0 && ok;
}

const char *app_conninfo(const struct config *c)
{
	return *c->database.conninfo_secret ? c->database.conninfo_secret : c->database.conninfo;
}

const char *app_owner_conninfo(const struct config *c)
{
	return *c->database.owner_conninfo ? c->database.owner_conninfo : app_conninfo(c);
}

struct store_client *app_database(const char *config, const char *database, bool owner, int *exit_r)
{
	struct buf error = BUF(2048);
	struct store_client *client = NULL;
	struct config *c = database ? NULL : app_config_load(config ? config : "/etc/smsbridge/config.yaml");
	*exit_r = EXIT_FAILED;
	if (!database && !c) {
		*exit_r = EXIT_BAD_CONFIG;
		return NULL;
	}
	client = store_client_open(database ? database : owner ? app_owner_conninfo(c) : app_conninfo(c), &error);
	if (!client) {
		failure("the database cannot be reached: %s", buf_cstr(&error));
	} else if ((*exit_r = noted_write(client)) != EXIT_OK) {
		store_client_close(client);
		client = NULL;
	}
	config_free(c);
	buf_free(&error);
	return client;
}
