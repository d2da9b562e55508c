/* What a request head must be before llhttp sees it. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "base_bytes.h"

/* Checks a complete head, from the first octet of the request line to the empty line, inclusive. NULL when good, else a
 * stable code: "nul", "bare_cr", "bare_lf", "folded_header", "bad_request_line", "bad_version", "host_missing",
 * "host_repeated", "host_bad", "bad_header", "length_and_chunked", "length_repeated", "bad_length",
 * "bad_transfer_encoding". The first fault from the front names the code. Host may be missing in HTTP/1.0 only; a Host
 * is a name or address with an optional port, never a list; Transfer-Encoding is "chunked" alone, in HTTP/1.1 only. One
 * pass over the octets, no copies. */
const char *http_guard_check(struct view head);

#endif
