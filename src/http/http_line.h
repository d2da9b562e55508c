/* Lines of a body that comes in pieces (application/x-ndjson): each ends in LF, the last may also end with the body. A
 * CR before the LF and blanks around the line are no part of it; a line with nothing in it is none. */
#ifndef HTTP_LINE_H
#define HTTP_LINE_H

#include "base_bytes.h"

struct http_lines {
	struct buf held; /* a line that has not ended yet */
	size_t max;      /* octets of a line, without its LF */
	size_t skip_max; /* octets that a line may have at all */
	size_t skipped;  /* of the line that is too long; 0: none is */
};

enum http_line {
	HTTP_LINE_MORE, /* all octets are used up */
	HTTP_LINE,      /* a line */
	HTTP_LINE_LONG, /* a line of more than max octets, told once, when that is seen; what is left of it is skipped
	                 */
	HTTP_LINE_ENDLESS, /* a line of more than skip_max octets: nothing more is read */
};

#define HTTP_LINES(line_max, line_skip_max)                                                                            \
	((struct http_lines){.held = BUF(line_max), .max = (line_max), .skip_max = (line_skip_max)})

/* Takes octets from the front of *octets until a line is there; call it until MORE. *line_r ends with the next call and
 * with the octets. What comes out does not depend on how the octets are cut. */
enum http_line http_line_next(struct http_lines *l, struct view *octets, struct view *line_r);
/* The body has ended: HTTP_LINE when its last line had no LF, else HTTP_LINE_MORE. */
enum http_line http_line_last(struct http_lines *l, struct view *line_r);
void http_lines_free(struct http_lines *l);

#endif
