/* Texts that a carrier delivers again because it thinks them unanswered (trap 33): it never got our answer, or gave up
 * waiting for it. Patients write the same text twice, too: "C" to one reminder and "C" to the next. So a text is a
 * repeat only when it has the octets, numbers and data_coding of one of the last INBOUND_REPEAT_MS of which it is not
 * known that the carrier heard our answer; known it is when the connection still stood HEARD_MS after we answered.
 * Two that come on one connection within BURST_MS are two, since no carrier gives up so soon: they had waited
 * somewhere. Across gateways all this is in inbound_unheard. A STOP is a repeat only while its opt-out is active, when
 * it would change nothing; a START that comes again after a later STOP must not lift it, and a HELP is helped once. */
#include "dispatch_inbound.h"

#include "net_crypto.h"

#include <stdio.h>
#include <stdlib.h>

#define BURST_MS 5000
#define HEARD_MS 2000
#define HEARD_MAX 1024 /* answers that are watched at a time; past that a repeat may be kept twice */

struct answered {
	struct uuid id;
	struct carrier_link *link;
	unsigned generation;
	int64_t at_ms;
};

struct repeats {
	struct dispatch *d;
	struct answered answered[HEARD_MAX];
	unsigned count;
};

struct repeats *repeats_new(struct dispatch *d)
{
	struct repeats *r = mem_alloc(sizeof(*r));
	r->d = d;
	return r;
}

void repeats_free(struct repeats *r)
{
	free(r);
}

static int64_t now_ms(const struct repeats *r)
{
	return net_loop_now_ms(r->d->config.loop);
}

static void add_digest(const struct inbound *m, struct store_params *ps)
{
	struct buf octets = BUF(LIMIT_PDU_BYTES);
	uint8_t digest[SHA256_BYTES];
	buf_add_u8(&octets, m->part.coding.data_coding);
	buf_add_view(&octets, m->concat.data);
	net_sha256(buf_view(&octets), digest);
	inbound_add_hex(ps, view_of(digest, sizeof(digest)));
	buf_free(&octets);
}

/* What names a connection among those of all gateways. */
static void add_session(const struct dispatch *d, const struct delivery *from, struct store_params *ps)
{
	char instance[UUID_TEXT_BYTES];
	char session[96];
	unsigned slot = 0;
	while (slot < d->links && d->link[slot].link != from->link)
		slot++;
	snprintf(session, sizeof(session), "%s/%u/%u", uuid_format(&d->instance, instance), slot, from->generation);
	store_value_str(ps, session);
	store_value_int(ps, STORE_INT8, from->sequence);
}

void repeats_params(const struct repeats *r, const struct inbound *m, struct store_params *ps)
{
	store_params_clear(ps);
	store_value_uuid(ps, &m->id);
	store_value_uuid(ps, &m->practice_id);
	store_value_str(ps, m->carrier);
	store_value_str(ps, m->phone);
	store_value_str(ps, m->sender);
	add_digest(m, ps);
	add_session(r->d, &m->from, ps);
	store_value_int(ps, STORE_INT8, now_ms(r) - m->arrived_ms);
	store_value_int(ps, STORE_INT8, INBOUND_REPEAT_MS);
	store_value_int(ps, STORE_INT8, BURST_MS);
}

void repeats_answered(struct repeats *r, const struct inbound *m)
{
	if (r->count == HEARD_MAX || link_carrier_generation(m->from.link) != m->from.generation)
		return; /* the answer was dropped with its connection, or is not watched: it stays unheard */
	r->answered[r->count++] = (struct answered){.id = m->fate == INBOUND_REPEATED ? m->earlier_id : m->id,
	                                            .link = m->from.link,
	                                            .generation = m->from.generation,
	                                            .at_ms = now_ms(r)};
}

/* What is not heard when its time comes is forgotten here, and only ages in the database. */
bool repeats_heard(struct repeats *r, struct store_params *ps)
{
	unsigned kept = 0;
	unsigned heard = 0;
	store_params_clear(ps);
	store_array(ps, STORE_UUID);
	for (unsigned i = 0; i < r->count; i++) {
		const struct answered a = r->answered[i];
		if (a.at_ms + HEARD_MS > now_ms(r)) {
			r->answered[kept++] = a;
		} else if (link_carrier_bound(a.link) && link_carrier_generation(a.link) == a.generation) {
			store_add_uuid(ps, 0, &a.id);
			heard++;
		}
	}
	r->count = kept;
	return heard > 0;
}
