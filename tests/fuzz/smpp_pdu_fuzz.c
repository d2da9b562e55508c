/* decode -> encode -> decode is stable, and every page can be printed. The length field is made true, so that the
 * fuzzer need not find it. */
#include "base_check.h"
#include "base_utf8.h"
#include "smpp_page.h"
#include "text_alphabet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stable(const struct smpp_pdu *pdu)
{
	struct buf once = BUF(LIMIT_PDU_BYTES), twice = BUF(LIMIT_PDU_BYTES);
	struct smpp_pdu again;
	struct smpp_fault fault;
	if (smpp_pdu_encode(pdu, &once, &fault)) {
		check(smpp_pdu_decode(buf_view(&once), &again, &fault));
		check(again.tlvs == pdu->tlvs && again.tlvs_dropped == 0);
		/* An answer without fields whose only octets were a broken tail comes back as a bare header. */
		check(again.has_body == pdu->has_body || once.n == SMPP_HEADER_BYTES);
		check(smpp_pdu_encode(&again, &twice, &fault) && view_eq(buf_view(&once), buf_view(&twice)));
	} else {
		check(once.n == 0 && fault.field && fault.sentence);
	}
	buf_free(&once);
	buf_free(&twice);
}

static bool decode_text(const void *context, const struct smpp_page_text *text, struct buf *utf8)
{
	(void)context;
	struct text_coding coding = {
	        .data_coding = text->data_coding,
	        .alphabet = (enum text_alphabet)(text->octets.n % ALPHABET_COUNT),
	        .shift = {.locking = text->locking, .single = text->single},
	        .header_octets = text->header_octets,
	};
	return text_decode_as(&coding, text->octets, utf8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *octets = malloc(size ? size : 1);
	check(octets);
	memcpy(octets, data, size);
	for (unsigned i = 0; i < 4 && size >= 4; i++)
		octets[i] = (uint8_t)(size >> (24 - 8 * i));
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct smpp_page_options options = {.masked = size % 2, .text_cb = size % 4 ? decode_text : NULL};
	struct buf page = BUF(SMPP_PAGE_BYTES);
	if (smpp_pdu_decode(view_of(octets, size), &pdu, &fault))
		check_stable(&pdu);
	smpp_page_print(view_of(octets, size), &options, &page);
	check(page.n > 0 && !page.full && utf8_valid(buf_view(&page)));
	buf_free(&page);
	free(octets);
	return 0;
}
