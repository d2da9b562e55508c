/* W3C Trace Context's traceparent: "00-" 32 hex digits "-" 16 hex digits "-" 2 hex digits. */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include "base_bytes.h"
#include "base_limits.h"

#define HTTP_TRACE_BYTES 56 /* with the NUL */

/* Takes a traceparent into to, as version 00 (a later version begins with the same parts). False when it is none: small
 * digits only, neither id all zeros, not version ff. */
bool http_trace_parse(struct view text, char to[HTTP_TRACE_BYTES]);
/* Makes one of 24 random octets, not sampled. */
void http_trace_make(const uint8_t random[24], char to[HTTP_TRACE_BYTES]);

#endif
