/* Our codec against libsmpp34, in memory, in one process, on the same PDUs: nanoseconds to decode and to encode each
 * kind, and a mix of them. The two take turns in short rounds, so that whatever else the machine does hits both; the
 * figures are medians over the rounds.
 *   bench_smpp_codec [--rounds N] [--ms N]      --ms: of one figure in one round. Prints one JSON object a line */
#include "smpp_alloc.h"
#include "smpp_bench.h"
#include "smpp_codec34.h"
#include "smpp_pdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 101
#define MIX_MAX 64

static uint8_t text[BENCH_TEXT * 2];

static void set_addresses(struct smpp_pdu *pdu)
{
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_source_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_source_addr, VIEW("12125550100"));
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_ton, 1);
	smpp_pdu_set_number(pdu, SMPP_F_dest_addr_npi, 1);
	smpp_pdu_set_text(pdu, SMPP_F_destination_addr, VIEW("12125550101"));
}

static void fill_submit(struct smpp_pdu *pdu)
{
	set_addresses(pdu);
	smpp_pdu_set_text(pdu, SMPP_F_validity_period, VIEW("260303180000000+"));
	smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
	smpp_pdu_set_text(pdu, SMPP_F_short_message, view_of(text, BENCH_TEXT));
}

static void fill_message_id(struct smpp_pdu *pdu)
{
	smpp_pdu_set_text(pdu, SMPP_F_message_id, VIEW("0123456789abcdef"));
}

static void fill_receipt(struct smpp_pdu *pdu)
{
	set_addresses(pdu);
	smpp_pdu_set_number(pdu, SMPP_F_esm_class, 4);
	smpp_pdu_set_text(pdu, SMPP_F_short_message,
	                  VIEW("id:0123456789abcdef sub:001 dlvrd:001 submit date:2603031200 done date:2603031201 "
	                       "stat:DELIVRD err:000 text:Your appointment is"));
	smpp_pdu_add_tlv(pdu, SMPP_TAG_receipted_message_id, view_of("0123456789abcdef", 17));
	smpp_pdu_add_tlv(pdu, SMPP_TAG_message_state, VIEW("\2"));
	smpp_pdu_add_tlv(pdu, SMPP_TAG_network_error_code, VIEW("\3\0\0"));
	smpp_pdu_add_tlv(pdu, SMPP_TAG_user_message_reference, VIEW("\0\1"));
}

static void fill_nothing(struct smpp_pdu *pdu)
{
	(void)pdu;
}

static void fill_bind(struct smpp_pdu *pdu)
{
	smpp_pdu_set_text(pdu, SMPP_F_system_id, VIEW("clinics"));
	smpp_pdu_set_text(pdu, SMPP_F_password, VIEW("secret08"));
	smpp_pdu_set_text(pdu, SMPP_F_system_type, VIEW("VMS"));
	smpp_pdu_set_number(pdu, SMPP_F_interface_version, 0x34);
}

static void fill_multi(struct smpp_pdu *pdu)
{
	set_addresses(pdu);
	smpp_pdu_set_text(pdu, SMPP_F_dest_address,
	                  view_of("\1\1\1"
	                          "12125550101\0"
	                          "\1\1\1"
	                          "12125550102\0"
	                          "\1\1\1"
	                          "12125550103\0"
	                          "\2"
	                          "staff",
	                          52));
	smpp_pdu_set_text(pdu, SMPP_F_short_message, view_of(text, BENCH_TEXT));
}

static void fill_data(struct smpp_pdu *pdu)
{
	set_addresses(pdu);
	smpp_pdu_set_number(pdu, SMPP_F_registered_delivery, 1);
	smpp_pdu_add_tlv(pdu, SMPP_TAG_message_payload, view_of(text, sizeof text));
}

/* The mix is a gateway's day: what is sent, answered, receipted and answered again, and a little of the rest. */
static const struct kind {
	const char *name;
	enum smpp_command command;
	void (*fill)(struct smpp_pdu *pdu);
	unsigned share; /* of the mix */
} kinds[] = {
        {"submit_sm, 160 octets", SMPP_submit_sm, fill_submit, 6},
        {"submit_sm_resp", SMPP_submit_sm_resp, fill_message_id, 6},
        {"deliver_sm, receipt, 4 TLVs", SMPP_deliver_sm, fill_receipt, 6},
        {"deliver_sm_resp", SMPP_deliver_sm_resp, fill_nothing, 6},
        {"enquire_link", SMPP_enquire_link, fill_nothing, 2},
        {"bind_transceiver", SMPP_bind_transceiver, fill_bind, 1},
        {"submit_multi, 4 destinations", SMPP_submit_multi, fill_multi, 1},
        {"data_sm, 320 octets", SMPP_data_sm, fill_data, 2},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static struct sample {
	struct view octets;
	struct smpp_pdu pdu; /* decoded from octets */
	struct codec34 *theirs;
} samples[KINDS];

static unsigned mix[MIX_MAX];
static unsigned mix_n;
static uint64_t eaten; /* keeps results alive */
static struct buf out = BUF(4096);
static uint8_t out34[4096];

/* One octet string for both, each of which must read it and write it again the same. */
static void prepare(struct sample *s, const struct kind *kind)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct buf octets = BUF(4096);
	smpp_pdu_init(&pdu, kind->command, 7);
	kind->fill(&pdu);
	if (!smpp_pdu_encode(&pdu, &octets, &fault))
		bench_die("%s: %s: %s", kind->name, fault.field, fault.sentence);
	s->octets = buf_view(&octets);
	buf_clear(&out);
	if (!smpp_pdu_decode(s->octets, &s->pdu, &fault) || !smpp_pdu_encode(&s->pdu, &out, &fault) ||
	    !view_eq(buf_view(&out), s->octets))
		bench_die("%s does not come back", kind->name);
	s->theirs = codec34_new(s->octets.p, s->octets.n);
}

/* Kinds by turns, as often as their shares, so that no two of a kind follow where that can be. */
static void prepare_mix(void)
{
	for (unsigned turn = 0; turn < 6; turn++)
		for (unsigned k = 0; k < KINDS; k++)
			if (turn < kinds[k].share)
				mix[mix_n++] = k;
}

static void decode_ours(const struct sample *s)
{
	static struct smpp_pdu pdu;
	struct smpp_fault fault;
	eaten += smpp_pdu_decode(s->octets, &pdu, &fault);
}

static void decode_theirs(const struct sample *s)
{
	eaten += codec34_decode(s->octets.p, s->octets.n) == 0;
}

static void encode_ours(const struct sample *s)
{
	struct smpp_fault fault;
	buf_clear(&out);
	eaten += smpp_pdu_encode(&s->pdu, &out, &fault);
}

static void encode_theirs(const struct sample *s)
{
	eaten += codec34_encode(s->theirs, out34, sizeof out34) > 0;
}

enum act { DECODE_OURS, DECODE_THEIRS, ENCODE_OURS, ENCODE_THEIRS, ACTS };
static void (*const acts[ACTS])(const struct sample *) = {decode_ours, decode_theirs, encode_ours, encode_theirs};

/* Nanoseconds of one PDU, over at least the time asked for. */
static double run(void (*act)(const struct sample *), const unsigned *which, unsigned n, int64_t for_ns)
{
	uint64_t done = 0, good = eaten;
	int64_t began_ns = bench_now_ns(), took_ns;
	do {
		for (unsigned i = 0; i < 64; i++)
			for (unsigned k = 0; k < n; k++)
				act(&samples[which[k]]);
		done += 64 * n;
		took_ns = bench_now_ns() - began_ns;
	} while (took_ns < for_ns);
	if (eaten - good != done)
		bench_die("a PDU failed while it was measured");
	return (double)took_ns / (double)done;
}

static void measure(const char *name, const unsigned *which, unsigned n, unsigned rounds, int64_t for_ns)
{
	static double figures[ACTS][ROUNDS_MAX];
	double middle[ACTS];
	uint64_t allocations = 0;
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned a = 0; a < ACTS; a++) {
			uint64_t before = bench_allocations();
			figures[a][r] = run(acts[a], which, n, for_ns);
			allocations += a == DECODE_OURS || a == ENCODE_OURS ? bench_allocations() - before : 0;
		}
	for (unsigned a = 0; a < ACTS; a++)
		middle[a] = bench_median(figures[a], rounds);
	printf("{\"what\":\"codec\",\"pdu\":\"%s\",\"octets\":%zu,\"decode_ns\":%.1f,\"decode34_ns\":%.1f,\"encode_"
	       "ns\":%.1f,"
	       "\"encode34_ns\":%.1f,\"allocations\":%llu}\n",
	       name, n == 1 ? samples[which[0]].octets.n : 0, middle[DECODE_OURS], middle[DECODE_THEIRS],
	       middle[ENCODE_OURS], middle[ENCODE_THEIRS], (unsigned long long)allocations);
}

int main(int argc, char **argv)
{
	uint64_t rounds = 9, ms = 20;
	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--rounds") == 0)
			rounds = bench_number(argv[i], argv[i + 1], ROUNDS_MAX);
		else if (strcmp(argv[i], "--ms") == 0)
			ms = bench_number(argv[i], argv[i + 1], 10000);
		else
			bench_die("no option %s", argv[i]);
	}
	memset(text, 'x', sizeof text);
	for (unsigned k = 0; k < KINDS; k++)
		prepare(&samples[k], &kinds[k]);
	prepare_mix();
	for (unsigned k = 0; k < KINDS; k++)
		measure(kinds[k].name, &k, 1, (unsigned)rounds, (int64_t)ms * 1000000);
	measure("the mix", mix, mix_n, (unsigned)rounds, (int64_t)ms * 1000000);
	return 0;
}
