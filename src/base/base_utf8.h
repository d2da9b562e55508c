/* UTF-8, strict as RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base_bytes.h"

/* Reads the character at offset at. Returns its octets (1-4) or 0 when it is not valid UTF-8 or at is at the end. */
size_t utf8_get(struct view text, size_t at, uint32_t *character_r);
/* Writes one character (not a surrogate, at most U+10FFFF); returns its octets. */
size_t utf8_put(uint8_t to[4], uint32_t character);
/* Appends one character likewise; false when *to is full. */
bool utf8_add(struct buf *to, uint32_t character);
/* Whether all of it is valid. A NUL is valid UTF-8; callers that refuse NUL look for it themselves. */
bool utf8_valid(struct view text);
/* Characters in valid UTF-8. */
size_t utf8_length(struct view text);

#endif
