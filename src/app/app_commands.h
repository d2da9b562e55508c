/* The subcommands: each its help text and its entry, given the arguments behind its name. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "app.h"

extern const char run_help[], check_help[], migrate_help[], practice_help[], key_help[], report_help[], explain_help[],
        password_help[], smsc_help[], demo_help[], pdu_help[], phone_help[], content_help[], sender_help[], hold_help[],
        retention_help[], export_help[], opt_out_help[], task_help[], rules_help[], replay_help[], consent_help[],
        recipient_help[], import_help[], template_help[], campaign_help[], ledger_help[], person_help[], webhook_help[];

/* The subcommands; each returns an exit status (app.h). */
int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_practice(int argc, char **argv);
int command_key(int argc, char **argv);
int command_person(int argc, char **argv);
int command_report(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_password(int argc, char **argv);
int command_phone(int argc, char **argv);
int command_content(int argc, char **argv);
int command_sender(int argc, char **argv);
int command_hold(int argc, char **argv);
int command_retention(int argc, char **argv);
int command_export(int argc, char **argv);
int command_opt_out(int argc, char **argv);
int command_task(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_consent(int argc, char **argv);
int command_recipient(int argc, char **argv);
int command_import(int argc, char **argv);
int command_template(int argc, char **argv);
int command_campaign(int argc, char **argv);
int command_ledger(int argc, char **argv);
int command_webhook(int argc, char **argv);

/* Whether the URL that an option gave may be a webhook's; false with the usage error told. */
bool app_webhook_url(const char *url, const char *option);
int command_smsc(int argc, char **argv);
int command_pdu(int argc, char **argv);
int command_demo(int argc, char **argv);
/* The demonstration's stand-in for a clinic's backend; not listed in --help. */
int command_receiver(int argc, char **argv);

#endif
