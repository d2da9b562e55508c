#include "app_commands.h"

#include "base_check.h"
#include "config_warn.h"

#include <stdio.h>

const char check_help[] = "Examples:\n"
                          "  smsbridge check --config /etc/smsbridge/config.yaml\n"
                          "  smsbridge check --example > config.yaml          a commented example with every setting\n"
                          "\n"
                          "Checks a configuration file and tells every error at once as file:line:col: path: problem.\n"
                          "  --config FILE   the file (- for standard input)\n"
                          "  --example       print the example file instead\n"
                          "  --json          {\"ok\":...,\"errors\":[...],\"warnings\":[...]} on standard output\n";

/* Lines as a JSON array of texts. */
static void print_lines(struct view left)
{
	bool first = true;
	putchar('[');
	while (left.n) {
		size_t n = 0;
		while (n < left.n && left.p[n] != '\n')
			n++;
		struct buf line = BUF(LIMIT_CONFIG_BYTES);
		buf_add_json_text(&line, view_of(left.p, n));
		printf("%s\"%s\"", first ? "" : ",", buf_cstr(&line));
		buf_free(&line);
		first = false;
		left = n < left.n ? view_of(left.p + n + 1, left.n - n - 1) : (struct view){0};
	}
	putchar(']');
}

static void print_json(const struct config_errors *errors, const struct buf *warnings)
{
	printf("{\"ok\":%s,\"errors\":", errors->count ? "false" : "true");
	print_lines(buf_view(&errors->text));
	printf(",\"warnings\":");
	print_lines(buf_view(warnings));
	puts("}");
}

static void warning_cb(void *ctx, const struct config_warning *w)
{
	const char *where = w->carrier[0] ? w->carrier : w->listen[0] ? w->listen : w->field;
	buf_printf(ctx, "%s: %s: %s\n", w->event, where, w->sentence);
}

int command_check(int argc, char **argv)
{
	const char *path = "/etc/smsbridge/config.yaml";
	bool example = false;
	bool json = false;
	const struct option_row rows[] = {
	        {"config", &path, NULL}, {"example", NULL, &example}, {"json", NULL, &json}, {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	if (example) {
		struct buf text = BUF(LIMIT_CONFIG_BYTES);
		config_print_example(&text);
		fputs(buf_cstr(&text), stdout);
		buf_free(&text);
		return EXIT_OK;
	}
	struct config_errors errors;
	struct config *c = app_config_load_quiet(path, &errors);
	int result = c ? EXIT_OK : EXIT_BAD_CONFIG;
	struct buf warnings = BUF(LIMIT_CONFIG_BYTES);
	if (c)
		config_warn(c, warning_cb, &warnings);
	if (json)
		print_json(&errors, &warnings);
	else if (c)
		fprintf(stderr, "%s%s: good\n", buf_cstr(&warnings), path);
	else
		fprintf(stderr, "%s%u error%s\n", buf_cstr(&errors.text), errors.count, errors.count == 1 ? "" : "s");
	config_free(c);
	buf_free(&errors.text);
	buf_free(&warnings);
	return result;
}
