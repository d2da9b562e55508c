/* A first pass over libyaml's events: syntax, and what the document API would hide (anchors, aliases, tags, depth). */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include "config_load.h"

/* Reports what it finds. False when there is no document worth a second pass. */
bool config_scan(const char *file, struct view yaml, struct config_errors *errors);

#endif
