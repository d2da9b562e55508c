#include "app_commands.h"
#include "app_gateway.h"

const char run_help[] =
        "Examples:\n"
        "  smsbridge run --config /etc/smsbridge/config.yaml\n"
        "  kill -HUP PID        read the configuration again; when it has an error the old one stays\n"
        "  kill -TERM PID       drain: finish requests, wait for the carriers' answers, unbind, end\n"
        "\n"
        "Runs the gateway in the foreground; logs are JSON lines on standard error. The database must have been "
        "brought to\n"
        "this version by `smsbridge migrate`. Several processes may share a database, each with its own `node` name.\n"
        "  --config FILE\n";

int command_run(int argc, char **argv)
{
	const char *path = "/etc/smsbridge/config.yaml";
	const struct option_row rows[] = {{"config", &path, NULL}, {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	struct config *c = app_config_load(path);
	return c ? gateway_run(path, c) : EXIT_BAD_CONFIG;
}
