/* The program: subcommands and what they share. Exit codes: 0, 1 failure, 2 usage, 78 bad configuration. */
#ifndef APP_H
#define APP_H

#include "config_load.h"

#define APP_VERSION "0.1.0"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BAD_CONFIG = 78 };

/* One subcommand. options: rows of its own, ended by a row with name NULL. */
struct command {
	const char *name;
	const char *summary;
	const char *help; /* runnable examples first, then the rest */
	int (*run)(int argc, char **argv);
};
extern const struct command commands[]; /* ended by name NULL */

/* Options of a subcommand: "--config FILE", "--json". */
struct option_row {
	const char *name;   /* "config" */
	const char **value; /* where its text goes; NULL for a flag */
	bool *flag;         /* where a flag goes */
};
/* Parses "--name value", "--name=value" and flags; the rest is positional, at most max of them. Negative: usage error,
 * which was told; else how many positional. */
int options_parse(int argc, char **argv, const struct option_row *rows, const char **positional, int max);
/* Prints a usage error on stderr and returns EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads and checks the configuration; NULL with its errors on stderr. */
struct config *app_config_load(const char *path);
/* The same, with the errors as text for a log line. */
struct config *app_config_load_quiet(const char *path, struct config_errors *errors_r);
const char *app_conninfo(const struct config *c);
const char *app_owner_conninfo(const struct config *c);

/* Whole file as text (NUL behind), malloc'd; NULL and errno. */
char *app_read_file(const char *path, size_t max, size_t *n_r);
bool app_write_file(const char *path, int mode, struct view content);

struct store_client;
struct store_table;
/* Connects a command to the database of --database or --config, and notes there who runs it when it touches patients'
 * data (app_noted.h); NULL with a sentence on stderr and *exit_r set. */
struct store_client *app_database(const char *config, const char *database, bool owner, int *exit_r);
/* Prints a result as an aligned table, or as a JSON array of objects. */
void app_print_table(const struct store_table *t, bool json);
/* The end of a command: prints c's result, or its error when t is NULL, or the sentence none when it has no row (NULL:
 * that is fine); frees t. Returns the exit status. */
int app_show_table(struct store_client *c, struct store_table *t, const char *none, bool json);

/* migrate's work, for demo too. */
bool app_migrate(struct store_client *c, bool quiet, struct buf *error);

#endif
