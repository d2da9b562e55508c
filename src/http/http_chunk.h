/* What a chunked body must look like before llhttp sees it (RFC 9112 section 7.1): llhttp 8.1, strict too, takes folded
 * trailers, and sizes, extensions and trailers without end. (It refuses an extension behind one with a value; nobody
 * sends such.) */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include "base_bytes.h"

/* Octets of one size line with its extensions; of all trailers together. */
#define HTTP_CHUNK_LINE_BYTES 256
#define HTTP_CHUNK_TRAILER_BYTES 4096

struct http_chunk {
	uint8_t state;
	uint8_t digits;    /* of the size being read */
	uint64_t left;     /* octets of this chunk still to come */
	uint64_t total;    /* octets of all chunks announced so far */
	uint64_t max;      /* ceiling of total */
	size_t line_bytes; /* of this size line, or of all trailers */
};

/* Ready for the first octet behind the head. */
void http_chunk_start(struct http_chunk *c, uint64_t max_body);
/* Walks over octets up to the end of the body. *used_r: octets that are good. Returns NULL, or why the octet behind
 * them is refused: "bad_chunk", "bad_trailer", "trailer_too_large", "body_too_large". The result does not depend on how
 * the octets are cut. */
const char *http_chunk_check(struct http_chunk *c, struct view octets, size_t *used_r);
/* The octet after which no more belongs to the body was seen. */
bool http_chunk_done(const struct http_chunk *c);

#endif
