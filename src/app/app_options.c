#include "app.h"
#include "app_noted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int usage_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("smsbridge: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\nSee: smsbridge --help\n", stderr);
	va_end(args);
	return EXIT_USAGE;
}

int failure(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("smsbridge: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return EXIT_FAILED;
}

static const struct option_row *find(const struct option_row *rows, const char *name, size_t n)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == n && strncmp(rows->name, name, n) == 0)
			return rows;
	return NULL;
}

/* What any command takes that reads or changes patients' data: who does it, and why. */
static const struct option_row *find_noted(const char *name, size_t n)
{
	static const char *unused;
	static const struct option_row noted[] = {{"by", &unused, NULL}, {"why", &unused, NULL}, {0}};
	const struct option_row *row = find(noted, name, n);
	return row && noted_takes(row->name) ? row : NULL;
}

/* Takes argv[*i] as an option; false when it was wrong (told). */
static bool take_option(int argc, char **argv, int *i, const struct option_row *rows)
{
	const char *name = argv[*i] + 2;
	const char *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find(rows, name, n);
	if (!row)
		row = find_noted(name, n);
	if (!row) {
		usage_error("there is no option --%.*s here", (int)n, name);
		return false;
	}
	if (row->flag) {
		*row->flag = true;
		noted_option(row->name, "");
		if (equals)
			usage_error("--%s takes no value", row->name);
		return !equals;
	}
	if (!equals && *i + 1 >= argc) {
		usage_error("--%s takes a value", row->name);
		return false;
	}
	*row->value = equals ? equals + 1 : argv[++*i];
	noted_option(row->name, *row->value);
	return true;
}

int options_parse(int argc, char **argv, const struct option_row *rows, const char **positional, int max)
{
	int n = 0;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && argv[i][2]) {
			if (!take_option(argc, argv, &i, rows))
				return -1;
		} else if (n < max) {
			positional[n++] = argv[i];
			noted_option("", argv[i]);
		} else {
			usage_error("did not expect \"%s\"", argv[i]);
			return -1;
		}
	}
	return n;
}
