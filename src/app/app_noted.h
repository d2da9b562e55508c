/* Who runs a command that reads or changes patients' data, on whom and why: noted in smsbridge.access before it reads
 * anything. main says which command it is, the options what it is about, and the connection writes it. */
#ifndef APP_NOTED_H
#define APP_NOTED_H

#include <stdbool.h>

struct store_client;

void noted_command(const char *name);
/* Every option with its value ("" of a flag), and every word that is no option (name ""). */
void noted_option(const char *name, const char *value);
/* Whether --by and --why may be given, though the command's own options do not have them. */
bool noted_takes(const char *name);
/* Who runs it: --by, else the system's user. */
const char *noted_person(void);
/* Writes the note, once. EXIT_OK, or the exit code with a sentence told: then nothing may be shown. */
int noted_write(struct store_client *c);

#endif
