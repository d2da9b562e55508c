/* Any octets as a carrier's TLVs and as its addresses: rows within their ceilings that lie in their own octets, or a
 * place within the text and a word on what is wrong there. */
#include "base_check.h"
#include "base_cidr.h"
#include "config_tlv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tlvs(struct view text)
{
	static struct config_tlvs t;
	size_t at = SIZE_MAX;
	size_t octets = 0;
	const char *problem = config_tlvs_parse(text, &t, &at);
	check(t.count <= LIMIT_CARRIER_TLVS && t.used <= sizeof(t.octets));
	check(problem ? problem[0] && at <= text.n : at == SIZE_MAX);
	for (unsigned i = 0; i < t.count; i++) {
		check(t.row[i].tag && t.row[i].value.p == t.octets + octets);
		octets += t.row[i].value.n;
	}
	check(octets == t.used);
}

static void check_addresses(struct view text)
{
	struct cidr list[8];
	size_t at = SIZE_MAX;
	int n = cidr_list_parse(text, list, 8, &at);
	check(n <= 8 && (n >= 0 || at < text.n));
	for (int i = 0; i < n; i++)
		check(list[i].bits <= 128 && cidr_list_has(list, (unsigned)n, list[i].address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_tlvs(view_of(data, size));
	check_addresses(view_of(data, size));
	return 0;
}
