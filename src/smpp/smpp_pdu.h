/* SMPP PDUs as rows: proto/smpp_pdu.def lists each command's mandatory fields in wire order (3.4, widened by 5.0),
 * proto/smpp_tlv.def each TLV. One loop decodes, one encodes. Sources: SMPP v3.4 issue 1.2 section 4 and 5, v5.0
 * section 4. */
#ifndef SMPP_PDU_H
#define SMPP_PDU_H

#include "base_bytes.h"
#include "base_limits.h"

#define SMPP_HEADER_BYTES 16

/* Every field name that occurs in any command, once. */
enum smpp_field {
#define SMPP_FIELD_NAME(name, fault, shown) SMPP_F_##name,
#include "smpp_field.def"
#undef SMPP_FIELD_NAME
	SMPP_F_COUNT
};

/* Commands in table order: SMPP_submit_sm is an index, smpp_command_id gives 0x00000004. */
enum smpp_command {
#define SMPP_PDU(name, id, direction, answer) SMPP_##name,
#define SMPP_PDU_FIELD(name, type, max)
#define SMPP_PDU_END(name)
#include "smpp_pdu.def"
#undef SMPP_PDU
#undef SMPP_PDU_FIELD
#undef SMPP_PDU_END
	SMPP_COMMAND_COUNT,
	SMPP_UNKNOWN = SMPP_COMMAND_COUNT
};

enum smpp_type {
	SMPP_U8,
	SMPP_U32,
	SMPP_CSTR,      /* C-octet string, max counts its NUL */
	SMPP_TIME,      /* C-octet string of exactly 1 or 17 octets */
	SMPP_OCTETS,    /* as many as the u8 field before it says */
	SMPP_DESTS,     /* dest_address list, counted by the u8 field before it */
	SMPP_UNSUCCESS, /* unsuccess_sme list, counted likewise */
	SMPP_IDS,       /* message_id list of 3.3, counted likewise */
};

struct smpp_value {
	uint32_t number;  /* U8, U32; for lists the count of entries */
	struct view text; /* CSTR, TIME without NUL; OCTETS; lists: raw octets of the entries */
};

struct smpp_tlv {
	uint16_t tag;
	struct view value; /* octets as on the wire */
};

struct smpp_pdu {
	uint32_t command_id;
	enum smpp_command command; /* SMPP_UNKNOWN for an id that no row has */
	uint32_t command_status;
	uint32_t sequence_number;
	bool has_body; /* false: an answer of 16 octets, or with an error status and a body that does not
	                * decode; fields are all zero */
	unsigned tlvs;
	unsigned tlvs_dropped;                 /* past LIMIT_PDU_TLVS, or a broken tail */
	struct smpp_value field[SMPP_F_COUNT]; /* only those of the command's row are meaningful; the others are zero */
	struct smpp_tlv tlv[LIMIT_PDU_TLVS];   /* wire order, unknown tags included; past tlvs nothing is ever set */
};

/* Why a PDU was refused. */
struct smpp_fault {
	const char *field;    /* specification's name, or "command_length", "tlv" */
	uint32_t offset;      /* octets from the start of the PDU */
	uint32_t status;      /* command_status to answer with */
	const char *sentence; /* static */
};

/* How many octets the next PDU has: 0 when fewer than 4 octets are there, the length when it is legal, or UINT32_MAX
 * when command_length is below 16 or above LIMIT_PDU_BYTES: framing is lost (traps 1 and 2). */
uint32_t smpp_frame_length(struct view octets);

/* Decodes one whole PDU (octets.n == command_length). Views point into octets. Lenient where the field is (an answer
 * without a body, trap 19; any body behind an error status, trap 18; C-octet TLVs without NUL; up to 3 trailing NULs; a
 * broken TLV tail is dropped and counted, never fatal), strict where it must be (every length is checked before it is
 * used). False fills *fault_r; the header fields of *pdu_r are always set when 16 octets are there. */
bool smpp_pdu_decode(struct view octets, struct smpp_pdu *pdu_r, struct smpp_fault *fault_r);

/* Appends the PDU; command_id and command_length are filled in. Length fields (sm_length, number_of_dests,
 * no_unsuccess) are taken from the octets and entries. False with a fault when a value or a TLV of a known tag does
 * not fit its row, or *to has no room (nothing is appended). An answer with has_body false is 16 octets. */
bool smpp_pdu_encode(const struct smpp_pdu *pdu, struct buf *to, struct smpp_fault *fault_r);

/* All zero, but for the room of TLVs: it is the larger part, and tlvs says how many there are. */
void smpp_pdu_clear(struct smpp_pdu *pdu);
/* A cleared PDU of a command with has_body set. */
void smpp_pdu_init(struct smpp_pdu *pdu, enum smpp_command command, uint32_t sequence_number);
void smpp_pdu_set_number(struct smpp_pdu *pdu, enum smpp_field f, uint32_t number);
void smpp_pdu_set_text(struct smpp_pdu *pdu, enum smpp_field f, struct view text);
/* Adds a TLV; false when there are LIMIT_PDU_TLVS. */
bool smpp_pdu_add_tlv(struct smpp_pdu *pdu, uint16_t tag, struct view value);
/* First TLV of a tag, or NULL. */
const struct smpp_tlv *smpp_pdu_tlv(const struct smpp_pdu *pdu, uint16_t tag);
/* A C-octet TLV: to the first NUL or the end. */
struct view smpp_tlv_text(const struct smpp_tlv *tlv);
/* An integer TLV of 1, 2 or 4 octets, big endian; false for other lengths. */
bool smpp_tlv_number(const struct smpp_tlv *tlv, uint32_t *number_r);

/* Row look-ups. */
uint32_t smpp_command_id(enum smpp_command c);
enum smpp_command smpp_command_of(uint32_t command_id);
const char *smpp_command_name(enum smpp_command c); /* "submit_sm"; "unknown" */
bool smpp_command_is_answer(enum smpp_command c);
/* The answer of a request (SMPP_submit_sm_resp of SMPP_submit_sm), SMPP_UNKNOWN when it has none. */
enum smpp_command smpp_command_answer(enum smpp_command c);
struct smpp_field_row {
	enum smpp_field field;
	enum smpp_type type;
	uint32_t max; /* octets for text, largest value for numbers */
};
/* The mandatory fields of a command in wire order. */
const struct smpp_field_row *smpp_command_fields(enum smpp_command c, unsigned *count_r);
const char *smpp_field_name(enum smpp_field f);
const char *smpp_tlv_name(uint16_t tag); /* "vendor_1400" style is the caller's: NULL for unknown tags */

enum smpp_tag {
#define SMPP_TLV(name, tag, type, min, max, note) SMPP_TAG_##name = tag,
#include "smpp_tlv.def"
#undef SMPP_TLV
};

/* Iterates the entries of a dest_address, unsuccess_sme or message_id list: *at = 0 first; false at the end. */
struct smpp_dest {
	uint8_t dest_flag; /* 1 SME address, 2 distribution list */
	uint8_t ton;
	uint8_t npi;
	struct view address;        /* destination_addr, dl_name or message_id */
	uint32_t error_status_code; /* unsuccess_sme only */
};
bool smpp_list_next(enum smpp_type type, struct view entries, size_t *at, struct smpp_dest *dest_r);

#endif
