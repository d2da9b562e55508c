#include "smpp_codec34.h"

#include "smpp_bench.h"

#include <stdlib.h>
#include <string.h>

#include <smpp34.h>
#include <smpp34_structs.h>

#include <smpp34_params.h> /* needs what structs declares */

struct codec34 {
	union {
		uint32_t header[4]; /* command_length, command_id, command_status, sequence_number */
		bind_transceiver_t bind_transceiver;
		submit_sm_t submit_sm;
		submit_sm_resp_t submit_sm_resp;
		submit_multi_t submit_multi;
		deliver_sm_t deliver_sm;
		deliver_sm_resp_t deliver_sm_resp;
		data_sm_t data_sm;
		enquire_link_t enquire_link;
	} as;
};

/* The lists of a PDU: the library adds to what it finds there. NULL where the command has none. */
static tlv_t **tlvs_of(struct codec34 *pdu, uint32_t command_id)
{
	switch (command_id) {
	case SUBMIT_SM:
		return &pdu->as.submit_sm.tlv;
	case SUBMIT_MULTI:
		return &pdu->as.submit_multi.tlv;
	case DELIVER_SM:
		return &pdu->as.deliver_sm.tlv;
	case DATA_SM:
		return &pdu->as.data_sm.tlv;
	default:
		return NULL;
	}
}

static void clear_lists(struct codec34 *pdu, uint32_t command_id)
{
	tlv_t **tlvs = tlvs_of(pdu, command_id);
	if (tlvs)
		*tlvs = NULL;
	if (command_id == SUBMIT_MULTI)
		pdu->as.submit_multi.dest_addr_def = NULL;
}

static void free_lists(struct codec34 *pdu, uint32_t command_id)
{
	tlv_t **tlvs = tlvs_of(pdu, command_id);
	if (tlvs && *tlvs)
		destroy_tlv(*tlvs);
	if (command_id == SUBMIT_MULTI && pdu->as.submit_multi.dest_addr_def)
		destroy_dad(pdu->as.submit_multi.dest_addr_def);
}

static void read_into(struct codec34 *pdu, const uint8_t *p, size_t n)
{
	memset(pdu, 0, sizeof *pdu);
	if (smpp34_unpack2(pdu, p, (int)n))
		bench_die("libsmpp34 does not read command %08x: %s", bench_u32(p + 4), smpp34_strerror);
}

struct codec34 *codec34_new(const uint8_t *p, size_t n)
{
	static uint8_t turned[4096];
	struct codec34 first;
	struct codec34 *pdu = malloc(sizeof *pdu);
	if (!pdu)
		bench_die("no memory");
	read_into(&first, p, n);
	int turned_n = codec34_encode(&first, turned, sizeof turned);
	free_lists(&first, first.as.header[1]);
	if (turned_n != (int)n)
		bench_die("libsmpp34 does not write command %08x: %s", bench_u32(p + 4), smpp34_strerror);
	read_into(pdu, turned, n);
	if (codec34_encode(pdu, turned, sizeof turned) != (int)n || memcmp(turned, p, n) != 0)
		bench_die("libsmpp34 writes command %08x in another way", bench_u32(p + 4));
	return pdu;
}

void codec34_free(struct codec34 *pdu)
{
	free_lists(pdu, pdu->as.header[1]);
	free(pdu);
}

int codec34_encode(struct codec34 *pdu, uint8_t *to, size_t room)
{
	int n = 0;
	return smpp34_pack(pdu->as.header[1], to, (int)room, &n, pdu) ? -1 : n;
}

int codec34_decode(const uint8_t *p, size_t n)
{
	static struct codec34 pdu;
	uint32_t command_id = bench_u32(p + 4);
	clear_lists(&pdu, command_id);
	int result = smpp34_unpack(command_id, &pdu, p, (int)n);
	free_lists(&pdu, command_id);
	return result;
}
