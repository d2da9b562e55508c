/* Vendor TLVs of a carrier's submits, as its row `tlvs` writes them:
 *   0x1400=text:VALUE      the octets of VALUE
 *   0x1400=cstring:VALUE   the same and a NUL behind: C-octet string
 *   0x1400=hex:0A0B        those octets
 *   5120=u8:1              an integer of one octet; u16 and u32 of two and four, big endian
 * with blanks between. A blank inside a value is written with hex. */
#ifndef CONFIG_TLV_H
#define CONFIG_TLV_H

#include "base_bytes.h"
#include "base_limits.h"

struct config_tlv {
	uint16_t tag;
	struct view value; /* in octets below */
};

struct config_tlvs {
	struct config_tlv row[LIMIT_CARRIER_TLVS];
	unsigned count;
	uint8_t octets[LIMIT_CARRIER_TLV_BYTES];
	size_t used;
};

/* Parses the whole text. Returns NULL, or what is wrong as a piece of a sentence with the octet's place in *at_r.
 * Refused are a tag given twice and the tags that the gateway sets itself (sar_*, message_payload,
 * user_message_reference and those that only receipts and answers bear). The views point into to: it must not be
 * copied. */
const char *config_tlvs_parse(struct view text, struct config_tlvs *to, size_t *at_r);

#endif
