/* Octets cut into PDUs by their own lengths: a frame is never shorter than a header or longer than the limit. */
#include "base_check.h"
#include "smpp_pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = {data, size};
	for (;;) {
		uint32_t n = smpp_frame_length(rest);
		check((n == 0) == (rest.n < 4));
		if (n == 0 || n == UINT32_MAX || n > rest.n)
			return 0;
		check(n >= SMPP_HEADER_BYTES && n <= LIMIT_PDU_BYTES);
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		if (!smpp_pdu_decode(view_of(rest.p, n), &pdu, &fault))
			check(fault.field && fault.sentence && fault.status && fault.offset <= n);
		rest = view_of(rest.p + n, rest.n - n);
	}
}
