#include "smpp_pdu.h"

#include "base_check.h"
#include "smpp_row.h"
#include "smpp_status.h"

#include <string.h>

/* A last row keeps the array of a command without fields from being empty. */
#define SMPP_PDU(name, id, direction, answer) static const struct smpp_field_row rows_##name[] = {
#define SMPP_PDU_FIELD(name, type, max) {SMPP_F_##name, SMPP_##type, max},
#define SMPP_PDU_END(name)                                                                                             \
	{                                                                                                              \
		SMPP_F_COUNT, SMPP_U8, 0                                                                               \
	}                                                                                                              \
	}                                                                                                              \
	;
#include "smpp_pdu.def"
#undef SMPP_PDU
#undef SMPP_PDU_FIELD
#undef SMPP_PDU_END

struct command_row {
	const char *name;
	uint32_t id;
	enum smpp_command answer;
	const struct smpp_field_row *rows;
	unsigned count;
};

static const struct command_row commands[SMPP_COMMAND_COUNT] = {
#define SMPP_PDU(name, id, direction, answer)                                                                          \
	{#name, id, SMPP_##answer, rows_##name, sizeof rows_##name / sizeof rows_##name[0] - 1},
#define SMPP_PDU_FIELD(name, type, max)
#define SMPP_PDU_END(name)
#include "smpp_pdu.def"
#undef SMPP_PDU
#undef SMPP_PDU_FIELD
#undef SMPP_PDU_END
};

enum shown { PLAIN, MASKED };

static const struct {
	const char *name;
	uint32_t fault;
	enum shown shown;
} fields[SMPP_F_COUNT] = {
#define SMPP_FIELD_NAME(name, fault, shown) {#name, ESME_##fault, shown},
#include "smpp_field.def"
#undef SMPP_FIELD_NAME
};

enum tlv_place {
#define SMPP_TLV(name, tag, type, min, max, note) TLV_##name,
#include "smpp_tlv.def"
#undef SMPP_TLV
};

static const struct smpp_tlv_row tlvs[] = {
#define SMPP_TLV(name, tag, type, min, max, note) {#name, tag, SMPP_TLV_##type, min, max},
#include "smpp_tlv.def"
#undef SMPP_TLV
};

bool smpp_fault_set(struct smpp_fault *fault_r, const char *field, size_t offset, uint32_t status, const char *sentence)
{
	*fault_r = (struct smpp_fault){field, (uint32_t)offset, status, sentence};
	return false;
}

uint32_t smpp_frame_length(struct view octets)
{
	if (octets.n < 4)
		return 0;
	struct cursor c = cursor_over(octets);
	uint32_t length = cursor_u32(&c);
	return length < SMPP_HEADER_BYTES || length > LIMIT_PDU_BYTES ? UINT32_MAX : length;
}

uint32_t smpp_command_id(enum smpp_command c)
{
	check(c < SMPP_COMMAND_COUNT);
	return commands[c].id;
}

enum smpp_command smpp_command_of(uint32_t command_id)
{
	switch (command_id) {
#define SMPP_PDU(name, id, direction, answer)                                                                          \
	case id:                                                                                                       \
		return SMPP_##name;
#define SMPP_PDU_FIELD(name, type, max)
#define SMPP_PDU_END(name)
#include "smpp_pdu.def"
#undef SMPP_PDU
#undef SMPP_PDU_FIELD
#undef SMPP_PDU_END
	default:
		return SMPP_UNKNOWN;
	}
}

const char *smpp_command_name(enum smpp_command c)
{
	return c < SMPP_COMMAND_COUNT ? commands[c].name : "unknown";
}

bool smpp_command_is_answer(enum smpp_command c)
{
	return c < SMPP_COMMAND_COUNT && commands[c].id & 0x80000000u;
}

enum smpp_command smpp_command_answer(enum smpp_command c)
{
	return c < SMPP_COMMAND_COUNT ? commands[c].answer : SMPP_UNKNOWN;
}

const struct smpp_field_row *smpp_command_fields(enum smpp_command c, unsigned *count_r)
{
	*count_r = c < SMPP_COMMAND_COUNT ? commands[c].count : 0;
	return c < SMPP_COMMAND_COUNT ? commands[c].rows : NULL;
}

const char *smpp_field_name(enum smpp_field f)
{
	check(f < SMPP_F_COUNT);
	return fields[f].name;
}

uint32_t smpp_field_fault(enum smpp_field f)
{
	check(f < SMPP_F_COUNT);
	return fields[f].fault;
}

bool smpp_field_masked(enum smpp_field f)
{
	check(f < SMPP_F_COUNT);
	return fields[f].shown == MASKED;
}

const struct smpp_tlv_row *smpp_tlv_row_of(uint16_t tag)
{
	switch (tag) {
#define SMPP_TLV(name, tag, type, min, max, note)                                                                      \
	case tag:                                                                                                      \
		return &tlvs[TLV_##name];
#include "smpp_tlv.def"
#undef SMPP_TLV
	default:
		return NULL;
	}
}

const char *smpp_tlv_name(uint16_t tag)
{
	const struct smpp_tlv_row *row = smpp_tlv_row_of(tag);
	return row ? row->name : NULL;
}

void smpp_pdu_clear(struct smpp_pdu *pdu)
{
	memset(pdu, 0, offsetof(struct smpp_pdu, tlv));
}

void smpp_pdu_init(struct smpp_pdu *pdu, enum smpp_command command, uint32_t sequence_number)
{
	smpp_pdu_clear(pdu);
	pdu->command_id = smpp_command_id(command);
	pdu->command = command;
	pdu->sequence_number = sequence_number;
	pdu->has_body = true;
}

void smpp_pdu_set_number(struct smpp_pdu *pdu, enum smpp_field f, uint32_t number)
{
	check(f < SMPP_F_COUNT);
	pdu->field[f].number = number;
}

void smpp_pdu_set_text(struct smpp_pdu *pdu, enum smpp_field f, struct view text)
{
	check(f < SMPP_F_COUNT);
	pdu->field[f].text = text;
}

bool smpp_pdu_add_tlv(struct smpp_pdu *pdu, uint16_t tag, struct view value)
{
	if (pdu->tlvs >= LIMIT_PDU_TLVS)
		return false;
	pdu->tlv[pdu->tlvs++] = (struct smpp_tlv){tag, value};
	return true;
}

const struct smpp_tlv *smpp_pdu_tlv(const struct smpp_pdu *pdu, uint16_t tag)
{
	for (unsigned i = 0; i < pdu->tlvs; i++)
		if (pdu->tlv[i].tag == tag)
			return &pdu->tlv[i];
	return NULL;
}

struct view smpp_tlv_text(const struct smpp_tlv *tlv)
{
	size_t n = 0;
	while (n < tlv->value.n && tlv->value.p[n])
		n++;
	return view_of(tlv->value.p, n);
}

bool smpp_tlv_number(const struct smpp_tlv *tlv, uint32_t *number_r)
{
	if (tlv->value.n != 1 && tlv->value.n != 2 && tlv->value.n != 4)
		return false;
	uint32_t number = 0;
	for (size_t i = 0; i < tlv->value.n; i++)
		number = number << 8 | tlv->value.p[i];
	*number_r = number;
	return true;
}
