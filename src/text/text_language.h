/* The language that a patient writes in, as far as the answers that we have need it. Rows: proto/language.def. */
#ifndef TEXT_LANGUAGE_H
#define TEXT_LANGUAGE_H

#include "base_bytes.h"

/* "es" when a word of the text is Spanish, else "en". Any octets are safe. */
const char *text_language(struct view utf8);

#endif
