/* What is kept of one patient, written out for the patient to read. */
#ifndef APP_EXPORT_H
#define APP_EXPORT_H

#include "base_bytes.h"

/* The document of smsbridge.patient_export, an object of objects and of lists of objects, indented. False when it is no
 * such JSON or too long for the buffer. */
bool export_json(struct view document, struct buf *to);
/* The same as one HTML page that needs nothing else, one table a list. */
bool export_html(struct view document, struct buf *to);

/* `export reassigned-query`: to standard output; practice NULL: every one's numbers. The exit code. */
int export_reassigned_query(const char *config, const char *database, const char *practice);

#endif
