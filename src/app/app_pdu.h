/* PDUs as JSON, one a line: what `smsbridge pdu --json` and `--encode` do with each. */
#ifndef APP_PDU_H
#define APP_PDU_H

#include "smpp_pdu.h"

/* Appends a PDU as one JSON object without its newline; what does not decode becomes an object with "error". */
void app_pdu_to_json(struct view octets, struct buf *to);
/* Appends the octets that one JSON object describes. False: an object with "error" was appended to *to instead. */
bool app_pdu_from_json(struct view line, struct buf *to);
#define APP_PDU_NO_OFFSET SIZE_MAX
/* Appends {"error":...} for a line that is no PDU. offset counts the line's characters, or is APP_PDU_NO_OFFSET. */
void app_pdu_error_json(const char *field, size_t offset, const char *sentence, struct buf *to);

/* Hexadecimal digits as people paste them: in pairs, with blanks, line ends, colons, commas, dashes, 0x and \x between
 * them. Text may come in pieces. Zero-initialise. */
struct app_hex {
	int half;       /* 16 + the first digit of a pair whose second is not there yet; else 0 */
	bool backslash; /* the last character was one */
};
/* Appends the octets. False at a character that belongs to none of that, or with *to full; *bad_r counts the characters
 * before it. */
bool app_hex_read(struct app_hex *h, struct view text, struct buf *to, size_t *bad_r);

#endif
