/* The rows behind smpp_pdu.h that encoding, decoding and printing share. */
#ifndef SMPP_ROW_H
#define SMPP_ROW_H

#include "smpp_pdu.h"

enum smpp_tlv_type { SMPP_TLV_U8, SMPP_TLV_U16, SMPP_TLV_U32, SMPP_TLV_CSTR, SMPP_TLV_OCTETS, SMPP_TLV_PERSONAL };

struct smpp_tlv_row {
	const char *name;
	uint16_t tag;
	enum smpp_tlv_type type;
	uint16_t min; /* octets */
	uint16_t max;
};

/* The row of a tag, or NULL. */
const struct smpp_tlv_row *smpp_tlv_row_of(uint16_t tag);
/* command_status for a value that does not fit the field. */
uint32_t smpp_field_fault(enum smpp_field f);
/* Whether a masked page shows the field by length only. */
bool smpp_field_masked(enum smpp_field f);
/* The field whose size the u8 field at rows[i] tells, or NULL: sm_length tells short_message. */
static inline const struct smpp_field_row *smpp_row_counted(const struct smpp_field_row *rows, unsigned i,
                                                            unsigned count)
{
	if (rows[i].type != SMPP_U8 || i + 1 >= count)
		return NULL;
	enum smpp_type next = rows[i + 1].type;
	return next >= SMPP_OCTETS ? &rows[i + 1] : NULL;
}

/* Fills the fault and returns false, so that callers can return it. */
bool smpp_fault_set(struct smpp_fault *fault_r, const char *field, size_t offset, uint32_t status,
                    const char *sentence);

#endif
