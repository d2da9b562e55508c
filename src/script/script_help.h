/* The scripts of the simulated carrier, explained from their rows, as Markdown that reads well in a terminal too. */
#ifndef SCRIPT_HELP_H
#define SCRIPT_HELP_H

#include "base_bytes.h"

#define SCRIPT_HELP_BYTES 65536

/* All of it: `smsbridge smsc --help-script`. */
void script_help(struct buf *to);

#endif
