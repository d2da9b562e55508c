/* A patient's text as the PDUs in which a carrier delivers it: one, or parts marked by UDH or SAR. */
#ifndef SCRIPT_PARTS_H
#define SCRIPT_PARTS_H

#include "script_row.h"
#include "smpp_pdu.h"

#define SCRIPT_PARTS_MAX 9
#define SCRIPT_PART_BYTES 254 /* of short_message; a longer text is cut off, but for message_payload */

struct script_mo {
	const char *from, *to;
	struct view text; /* UTF-8 */
	enum script_word coding;
	enum script_word concat; /* SCRIPT_CONCAT_udh8, ...; only looked at when parts > 1 or payload */
	bool cut;                /* concat was asked for */
	unsigned parts;
	uint16_t reference;
};

struct script_part {
	struct buf octets; /* what goes into short_message or message_payload, UDH in front */
	uint8_t esm_class;
	uint8_t data_coding;
	bool payload;
	uint8_t sar_total, sar_number; /* 0: none */
	uint16_t sar_reference;
};

/* Cuts a text into parts of about the same length, none in the middle of a character; fewer than asked when it has
 * fewer characters. Returns how many; script_part_free each. */
unsigned script_parts_cut(const struct script_mo *mo, struct script_part to[SCRIPT_PARTS_MAX]);
void script_part_free(struct script_part *p);
/* Fills a deliver_sm; its views point into the part and the SAR octets, which are 4. */
void script_part_fill(const struct script_part *p, const char *from, const char *to, uint8_t sar[4],
                      struct smpp_pdu *pdu_r);

#endif
