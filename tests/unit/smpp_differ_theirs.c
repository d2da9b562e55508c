/* What libsmpp34 makes of a PDU, as lines. Its headers define the names of SMPP over again, so it has a file of its
 * own; its structures are walked by its own frames, which are lists of macros. */
#include "smpp_differ.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmpp34/smpp34.h>
#include <libsmpp34/smpp34_structs.h>
#include <libsmpp34/smpp34_params.h>
#include <libsmpp34/smpp34_heap.h>

#define LIST_MAX 256 /* entries of any list */

struct lines {
	char *to;
	size_t left;
};

static void put(struct lines *l, const char *name, const char *value)
{
	if (strncmp(name, "value.", 6) == 0)
		name = "value"; /* value.val08, value.octet */
	int n = snprintf(l->to, l->left, "%s %s\n", name, value);
	if (n < 0 || (size_t)n >= l->left)
		abort(); /* the caller's room is not enough: a fault of the test */
	l->to += n;
	l->left -= (size_t)n;
}

static void put_number(struct lines *l, const char *name, unsigned width, uint32_t number)
{
	char value[16];
	snprintf(value, sizeof value, "%0*x", (int)(2 * width), (unsigned)number);
	put(l, name, value);
}

static void put_octets(struct lines *l, const char *name, const uint8_t *p, size_t n)
{
	static char value[2 * MAX_TLV_SIZE + 1];
	value[0] = 0;
	for (size_t i = 0; i < n && i < MAX_TLV_SIZE; i++)
		snprintf(value + 2 * i, 3, "%02x", p[i]);
	put(l, name, value);
}

#define U32(inst, par, words) put_number(l, #par, 4, inst par);
#define U16(inst, par, words) put_number(l, #par, 2, inst par);
#define U08(inst, par, words) put_number(l, #par, 1, inst par);
#define C_OCTET(inst, par, size) put_octets(l, #par, inst par, strnlen((const char *)inst par, size));
#define O_C_OCTET(inst, par, size) C_OCTET(inst, par, size)
#define OCTET8(inst, par, size, count) put_octets(l, #par, inst par, count);
#define OCTET16(inst, par, size) put_octets(l, #par, inst par, inst length);
/* Its lists stand in the opposite order of the wire. */
#define BACKWARDS(type, head, body)                                                                                    \
	do {                                                                                                           \
		type *all[LIST_MAX];                                                                                   \
		size_t n = 0;                                                                                          \
		for (type *one = (head); one && n < LIST_MAX; one = one->next)                                         \
			all[n++] = one;                                                                                \
		while (n) {                                                                                            \
			type *it = all[--n];                                                                           \
			body(it)                                                                                       \
		}                                                                                                      \
	} while (0);
#define TLV(inst, par, do_tlv) BACKWARDS(tlv_t, inst par, do_tlv)
#define DAD(inst, par, do_dad) BACKWARDS(dad_t, inst par, do_dad)
#define UDAD(inst, par, do_udad) BACKWARDS(udad_t, inst par, do_udad)
#define instancia t->

#include <libsmpp34/def_frame/alert_notification.tlv>
#include <libsmpp34/def_frame/bind_receiver_resp.tlv>
#include <libsmpp34/def_frame/bind_transceiver_resp.tlv>
#include <libsmpp34/def_frame/bind_transmitter_resp.tlv>
#include <libsmpp34/def_frame/data_sm.tlv>
#include <libsmpp34/def_frame/data_sm_resp.tlv>
#include <libsmpp34/def_frame/deliver_sm.tlv>
#include <libsmpp34/def_frame/submit_multi.tlv>
#include <libsmpp34/def_frame/submit_multi.dad>
#include <libsmpp34/def_frame/submit_multi_resp.udad>
#include <libsmpp34/def_frame/submit_sm.tlv>

static void read_alert_notification(struct lines *l, void *pdu)
{
	alert_notification_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/alert_notification.frame>
}

static void read_bind_receiver(struct lines *l, void *pdu)
{
	bind_receiver_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/bind_receiver.frame>
}

static void read_bind_receiver_resp(struct lines *l, void *pdu)
{
	bind_receiver_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/bind_receiver_resp.frame>
}

static void read_bind_transceiver(struct lines *l, void *pdu)
{
	bind_transceiver_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/bind_transceiver.frame>
}

static void read_bind_transceiver_resp(struct lines *l, void *pdu)
{
	bind_transceiver_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/bind_transceiver_resp.frame>
}

static void read_bind_transmitter(struct lines *l, void *pdu)
{
	bind_transmitter_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/bind_transmitter.frame>
}

static void read_bind_transmitter_resp(struct lines *l, void *pdu)
{
	bind_transmitter_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/bind_transmitter_resp.frame>
}

static void read_cancel_sm(struct lines *l, void *pdu)
{
	cancel_sm_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/cancel_sm.frame>
}

static void read_data_sm(struct lines *l, void *pdu)
{
	data_sm_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/data_sm.frame>
}

static void read_data_sm_resp(struct lines *l, void *pdu)
{
	data_sm_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/data_sm_resp.frame>
}

static void read_deliver_sm(struct lines *l, void *pdu)
{
	deliver_sm_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/deliver_sm.frame>
}

static void read_deliver_sm_resp(struct lines *l, void *pdu)
{
	deliver_sm_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/deliver_sm_resp.frame>
}

static void read_outbind(struct lines *l, void *pdu)
{
	outbind_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/outbind.frame>
}

static void read_query_sm(struct lines *l, void *pdu)
{
	query_sm_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/query_sm.frame>
}

static void read_query_sm_resp(struct lines *l, void *pdu)
{
	query_sm_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/query_sm_resp.frame>
}

static void read_replace_sm(struct lines *l, void *pdu)
{
	replace_sm_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/replace_sm.frame>
}

static void read_submit_multi(struct lines *l, void *pdu)
{
	submit_multi_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/submit_multi.frame>
}

static void read_submit_multi_resp(struct lines *l, void *pdu)
{
	submit_multi_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/submit_multi_resp.frame>
}

static void read_submit_sm(struct lines *l, void *pdu)
{
	submit_sm_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/submit_sm.frame>
}

static void read_submit_sm_resp(struct lines *l, void *pdu)
{
	submit_sm_resp_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
#include <libsmpp34/def_frame/submit_sm_resp.frame>
}

static void read_bare(struct lines *l, void *pdu)
{
	unbind_t *t = pdu;
#include <libsmpp34/def_frame/header.frame>
}

static const struct {
	uint32_t id;
	void (*read)(struct lines *l, void *pdu);
} readers[] = {
        {ALERT_NOTIFICATION, read_alert_notification},
        {BIND_RECEIVER, read_bind_receiver},
        {BIND_RECEIVER_RESP, read_bind_receiver_resp},
        {BIND_TRANSCEIVER, read_bind_transceiver},
        {BIND_TRANSCEIVER_RESP, read_bind_transceiver_resp},
        {BIND_TRANSMITTER, read_bind_transmitter},
        {BIND_TRANSMITTER_RESP, read_bind_transmitter_resp},
        {CANCEL_SM, read_cancel_sm},
        {DATA_SM, read_data_sm},
        {DATA_SM_RESP, read_data_sm_resp},
        {DELIVER_SM, read_deliver_sm},
        {DELIVER_SM_RESP, read_deliver_sm_resp},
        {OUTBIND, read_outbind},
        {QUERY_SM, read_query_sm},
        {QUERY_SM_RESP, read_query_sm_resp},
        {REPLACE_SM, read_replace_sm},
        {SUBMIT_MULTI, read_submit_multi},
        {SUBMIT_MULTI_RESP, read_submit_multi_resp},
        {SUBMIT_SM, read_submit_sm},
        {SUBMIT_SM_RESP, read_submit_sm_resp},
        {CANCEL_SM_RESP, read_bare},
        {ENQUIRE_LINK, read_bare},
        {ENQUIRE_LINK_RESP, read_bare},
        {GENERIC_NACK, read_bare},
        {REPLACE_SM_RESP, read_bare},
        {UNBIND, read_bare},
        {UNBIND_RESP, read_bare},
};

static uint32_t command_id(const uint8_t *octets)
{
	return (uint32_t)octets[4] << 24 | (uint32_t)octets[5] << 16 | (uint32_t)octets[6] << 8 | octets[7];
}

/* Where it keeps the lists of the PDU at hand: it lets go of none of them where it gives up. */
static _Alignas(16) uint8_t heap[1 << 20];
static size_t heap_used;

static void *take(size_t n)
{
	size_t at = heap_used;
	heap_used += (n + 15) & ~(size_t)15;
	if (heap_used > sizeof heap)
		abort(); /* more lists than any PDU of the test has */
	return heap + at;
}

static void *take_more(void *p, size_t n)
{
	(void)p;
	(void)n;
	abort(); /* it never asks for that */
}

static void leave(void *p)
{
	(void)p;
}

bool differ_theirs(const uint8_t *octets, size_t n, char *lines_r, size_t room)
{
	static union {
		submit_multi_t any;
		uint64_t words[4096];
	} pdu;
	struct lines l = {lines_r, room};
	static const struct smpp34_memory_functions ours = {take, take_more, leave};
	static bool set;
	if (!set)
		smpp34_set_memory_functions(&ours);
	set = true;
	heap_used = 0;
	memset(&pdu, 0, sizeof pdu);
	lines_r[0] = 0;
	uint32_t id = command_id(octets);
	bool taken = smpp34_unpack(id, &pdu, octets, (int)n) == 0;
	for (size_t i = 0; taken && i < sizeof readers / sizeof readers[0]; i++)
		if (readers[i].id == id)
			readers[i].read(&l, &pdu);
	if (!taken)
		snprintf(lines_r, room, "%s", smpp34_strerror);
	return taken;
}
