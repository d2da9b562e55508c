/* A receipt's text: flags, then the text. What is read lies inside, and its spellings are distinct. */
#include "base_check.h"
#include "smpp_id.h"
#include "smpp_receipt.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_candidates(struct view id)
{
	char to[LIMIT_RECEIPT_CANDIDATES][66];
	unsigned n = smpp_receipt_candidates(id, to);
	check(n <= LIMIT_RECEIPT_CANDIDATES && (n == 0 || view_eq(view_str(to[0]), id)));
	for (unsigned i = 0; i < n; i++) {
		check(smpp_id_relation(id, view_str(to[i])) < SMPP_ID_OTHER);
		for (unsigned k = 0; k < i; k++)
			check(strcmp(to[i], to[k]) != 0);
	}
}

/* The same PDU without its flag: what looks like a receipt then has an id and a state, and was one with the flag. */
static void check_unflagged(struct smpp_pdu *pdu, bool receipt)
{
	struct smpp_receipt r;
	smpp_pdu_set_number(pdu, SMPP_F_esm_class, 0);
	bool looks = smpp_receipt_parse_unflagged(pdu, &r);
	check(!looks || (receipt && r.id.n > 0 && r.state != SMPP_STATE_NONE));
	check(!smpp_receipt_parse(pdu, &r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smpp_pdu pdu;
	struct smpp_receipt r;
	if (size < 3)
		return 0;
	struct view text = view_of(data + 3, size - 3);
	smpp_pdu_init(&pdu, data[0] % 2 ? SMPP_deliver_sm : SMPP_data_sm, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, data[0] % 4 ? 0x04 : 0x20);
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, data[1] % 2 ? 8 : 0);
	if (data[0] & 0x10)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_state, view_of(data + 2, 1));
	if (data[0] & 0x20)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_network_error_code, text);
	if (data[0] & 0x40)
		smpp_pdu_add_tlv(&pdu, SMPP_TAG_receipted_message_id, text);
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_payload, text);
	bool receipt = smpp_receipt_parse(&pdu, &r);
	check(receipt == (r.id.n > 0 || r.state != SMPP_STATE_NONE));
	check(r.state <= SMPP_STATE_NONE && r.id.n <= 65 && memchr(r.error, 0, sizeof r.error));
	check_candidates(r.id);
	check_candidates(text);
	check_unflagged(&pdu, receipt);
	return 0;
}
