#include "app_commands.h"
#include "app_noted.h"

#include <stdio.h>
#include <string.h>

const struct command commands[] = {
        {"demo", "everything on this machine: private PostgreSQL, simulated carrier, gateway", demo_help, command_demo},
        {"run", "the gateway", run_help, command_run},
        {"check", "check a configuration", check_help, command_check},
        {"migrate", "bring the database to this version", migrate_help, command_migrate},
        {"practice", "add, change and list practices", practice_help, command_practice},
        {"key", "make, list and revoke API keys", key_help, command_key},
        {"template", "save, lint, approve and list templates", template_help, command_template},
        {"campaign", "what senders are registered to carry", campaign_help, command_campaign},
        {"report", "compliance reports from the database", report_help, command_report},
        {"explain", "why a message went, waits or will never go", explain_help, command_explain},
        {"opt-out", "what staff were told: no more texts to this phone", opt_out_help, command_opt_out},
        {"task", "what patients wrote that a person has to look at", task_help, command_task},
        {"phone", "phones that carriers reported, and that may be texted again", phone_help, command_phone},
        {"content", "words that carriers refused, and that may be sent again", content_help, command_content},
        {"sender", "numbers from which carriers take nothing for now", sender_help, command_sender},
        {"webhook", "where practices' events go, and what did not arrive", webhook_help, command_webhook},
        {"hold", "legal holds: what is kept whatever the days say", hold_help, command_hold},
        {"retention", "what is past its time, and months to move out", retention_help, command_retention},
        {"export", "all that is kept of one patient; numbers to ask about", export_help, command_export},
        {"rules", "rule packs, and which of them are on", rules_help, command_rules},
        {"replay", "decide the past again from its events, and tell every difference", replay_help, command_replay},
        {"consent", "consents of patients: list, add, end", consent_help, command_consent},
        {"recipient", "what is known of a phone", recipient_help, command_recipient},
        {"import", "files of deactivated and of reassigned numbers", import_help, command_import},
        {"ledger", "the seals over all events: verify, heads, status, rotate", ledger_help, command_ledger},
        {"person", "people of a practice, and what their roles let them do and see", person_help, command_person},
        {"password", "the hash of a password that a carrier binds to us with", password_help, command_password},
        {"smsc", "a simulated carrier", smsc_help, command_smsc},
        {"pdu", "SMPP PDUs as readable pages, as JSON, and back", pdu_help, command_pdu},
        {0},
};

static void print_help(void)
{
	puts("Examples:\n"
	     "  smsbridge demo                                  try everything here, nothing to set up\n"
	     "  smsbridge check --config /etc/smsbridge/config.yaml\n"
	     "  smsbridge run --config /etc/smsbridge/config.yaml\n"
	     "\n"
	     "smsbridge takes appointment reminders over HTTPS, judges each against the texting rules at the moment "
	     "it\n"
	     "would leave, submits it to carriers over SMPP, and keeps every event in PostgreSQL.\n"
	     "\n"
	     "Commands:");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->summary);
	puts("\n`smsbridge COMMAND --help` tells more. What reads or changes patients' data is noted: say --by NAME "
	     "and "
	     "--why TEXT.\n--config defaults to /etc/smsbridge/config.yaml.\n"
	     "Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad configuration.");
}

/* Letters that differ, position by position, and the difference of lengths: enough for eleven short names. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a);
	size_t m = strlen(b);
	size_t d = n > m ? n - m : m - n;
	for (size_t i = 0; i < n && i < m; i++)
		d += a[i] != b[i];
	return d;
}

static int unknown(const char *name)
{
	const struct command *best = commands;
	for (const struct command *c = commands; c->name; c++)
		if (distance(c->name, name) < distance(best->name, name))
			best = c;
	return usage_error("there is no command \"%s\"; did you mean %s?", name, best->name);
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_help();
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("smsbridge " APP_VERSION);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "receiver") == 0)
		return command_receiver(argc - 2, argv + 2);
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, argv[1]) != 0)
			continue;
		if (wants_help(argc - 2, argv + 2)) {
			printf("%s", c->help);
			return EXIT_OK;
		}
		noted_command(c->name);
		return c->run(argc - 2, argv + 2);
	}
	return unknown(argv[1]);
}
