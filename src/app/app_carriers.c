#include "app_carriers.h"

#include "base_check.h"
#include "base_pool.h"

#include <stdlib.h>
#include <string.h>

#define UNBIND_MS 5000

static uint8_t version_of(enum config_word word)
{
	return word == CONFIG_interface_version_v33 ? 0x33 : word == CONFIG_interface_version_v50 ? 0x50 : 0x34;
}

static uint8_t least_of(enum config_word word)
{
	return word == CONFIG_least_version_v50 ? 0x50 : word == CONFIG_least_version_v34 ? 0x34 : 0;
}

static enum smpp_bind_kind bind_of(enum config_word word)
{
	return word == CONFIG_bind_transmitter ? SMPP_BIND_TX
	       : word == CONFIG_bind_receiver  ? SMPP_BIND_RX
	                                       : SMPP_BIND_TRX;
}

static enum link_connect connect_of(enum config_word word)
{
	return word == CONFIG_connect_accept ? LINK_ACCEPT : word == CONFIG_connect_outbind ? LINK_OUTBIND : LINK_DIAL;
}

static enum dispatch_validity validity_of(enum config_word word)
{
	return word == CONFIG_validity_none       ? DISPATCH_VALIDITY_NONE
	       : word == CONFIG_validity_absolute ? DISPATCH_VALIDITY_ABSOLUTE
	                                          : DISPATCH_VALIDITY_RELATIVE;
}

static enum text_alphabet alphabet_of(enum config_word word)
{
	enum text_alphabet a = ALPHABET_GSM7;
	check(text_alphabet_find(view_str(config_word_text(word)), &a));
	return a;
}

static enum smpp_split_way split_of(enum config_word word)
{
	enum smpp_split_way way = SMPP_SPLIT_UDH8;
	check(smpp_split_find(view_str(config_word_text(word)), &way));
	return way;
}

/* Every profile of vendor_code.def has its word in config_choice.def: one without it does not compile. */
static const char *error_codes_of(enum config_word word)
{
	switch (word) {
#define CARRIER_WORD(name, reason, sentence)
#define VENDOR_PROFILE(name)                                                                                           \
	case CONFIG_error_codes_##name:                                                                                \
		return #name;
#define VENDOR_CODE(profile, code, word)
#define VENDOR_STATUS(profile, status, word)
#include "vendor_code.def"
#undef CARRIER_WORD
#undef VENDOR_PROFILE
#undef VENDOR_CODE
#undef VENDOR_STATUS
	default:
		return "";
	}
}

static struct smpp_session_config session_of(const struct config_carrier *c)
{
	return (struct smpp_session_config){.role = c->connect == CONFIG_connect_accept ? SMPP_MC : SMPP_ESME,
	                                    .bind_kind = bind_of(c->bind),
	                                    .system_id = c->system_id,
	                                    .password = c->password,
	                                    .system_type = c->system_type,
	                                    .address_range = "",
	                                    .interface_version = version_of(c->interface_version),
	                                    .least_version = least_of(c->least_version),
	                                    .window = (unsigned)c->window,
	                                    .bind_ms = c->bind_timeout,
	                                    .answer_ms = c->answer_timeout,
	                                    .enquire_ms = c->enquire_link,
	                                    .unbind_ms = UNBIND_MS};
}

static unsigned parse_tlvs(const char *text, struct carrier_tlvs *tlvs)
{
	size_t at;
	tlvs->parsed = mem_alloc(sizeof(*tlvs->parsed));
	check(!config_tlvs_parse(view_str(text), tlvs->parsed, &at)); /* config_check parsed it already */
	for (unsigned i = 0; i < tlvs->parsed->count; i++)
		tlvs->row[i] = (struct smpp_tlv){tlvs->parsed->row[i].tag, tlvs->parsed->row[i].value};
	return tlvs->parsed->count;
}

struct dispatch_carrier app_carrier(const struct config_carrier *c, struct tls_context *tls, struct carrier_tlvs *tlvs)
{
	unsigned tlv_count = parse_tlvs(c->tlvs, tlvs);
	return (struct dispatch_carrier){.name = c->name,
	                                 .source_ton = (uint8_t)c->source_ton,
	                                 .source_npi = (uint8_t)c->source_npi,
	                                 .dest_ton = (uint8_t)c->dest_ton,
	                                 .dest_npi = (uint8_t)c->dest_npi,
	                                 .data_sm = c->submit_with == CONFIG_submit_with_data_sm,
	                                 .submit_multi = c->submit_multi,
	                                 .alphabet = alphabet_of(c->alphabet),
	                                 .long_texts = split_of(c->long_messages),
	                                 .validity = validity_of(c->validity),
	                                 .user_message_reference = c->user_message_reference,
	                                 .query = c->query,
	                                 .cancel = c->cancel,
	                                 .replace = c->replace,
	                                 .query_after_ms = c->query_after,
	                                 .error_codes = error_codes_of(c->error_codes),
	                                 .receipts_unflagged = c->receipts_unflagged,
	                                 .tlvs = tlvs->row,
	                                 .tlv_count = tlv_count,
	                                 .links = (unsigned)c->links,
	                                 .pair = c->bind == CONFIG_bind_pair && c->connect == CONFIG_connect_dial,
	                                 .link = {.carrier = c->name,
	                                          .connect = connect_of(c->connect),
	                                          .host = c->host,
	                                          .port = (int)c->port,
	                                          .tls = tls,
	                                          .rate = (double)c->rate,
	                                          .congestion = c->congestion,
	                                          .session = session_of(c)}};
}

unsigned app_gate_accounts(const struct config *c, struct gate_account *to)
{
	unsigned n = 0;
	for (unsigned i = 0; i < c->carriers; i++) {
		const struct config_carrier *k = &c->carrier[i];
		bool outbind = k->connect == CONFIG_connect_outbind;
		if (k->connect == CONFIG_connect_dial)
			continue;
		to[n] = (struct gate_account){.carrier = k->name,
		                              .outbind = outbind,
		                              .system_id = outbind ? k->outbind_system_id : k->system_id,
		                              .password_hash = k->password_hash,
		                              .addresses = k->addresses,
		                              .peer_name = k->peer_name,
		                              .session = session_of(k)};
		n++;
	}
	return n;
}

/* --- flow ----------------------------------------------------------------------------------------------------------
 */

/* LIMIT_CARRIERS when a reload brought a route to a carrier that only comes with a restart. */
static unsigned carrier_index(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->carriers; i++)
		if (strcmp(c->carrier[i].name, name) == 0)
			return i;
	return LIMIT_CARRIERS;
}

static int brand_index(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->brands; i++)
		if (*name && strcmp(c->brand[i].name, name) == 0)
			return (int)i;
	return -1;
}

static unsigned add_routes(const struct config *c, struct policy_route *to)
{
	unsigned n = 0;
	for (unsigned i = 0; i < c->routes; i++) {
		const struct config_route *r = &c->route[i];
		enum category category = *r->category ? policy_category_parse(view_str(r->category)) : CATEGORY_COUNT;
		unsigned carrier = carrier_index(c, r->carrier);
		if (carrier < LIMIT_CARRIERS)
			to[n++] = (struct policy_route){carrier,  r->sender,         r->prefix,
			                                category, (unsigned)r->tier, (unsigned)r->weight};
	}
	return n;
}

static struct policy_route *routes_of(const struct config *c, unsigned *count_r)
{
	struct policy_route *to = mem_alloc((LIMIT_ROUTES + LIMIT_CARRIERS) * sizeof(*to));
	*count_r = add_routes(c, to);
	for (unsigned i = 0; i < c->carriers && c->routes == 0; i++)
		to[(*count_r)++] = (struct policy_route){i, "", "", CATEGORY_COUNT, 1, 1};
	return to;
}

static struct dispatch_sender *senders_of(const struct config *c)
{
	struct dispatch_sender *to = mem_alloc((c->senders + 1) * sizeof(*to));
	for (unsigned i = 0; i < c->senders; i++) {
		const struct config_sender *s = &c->sender[i];
		to[i] = (struct dispatch_sender){s->number, s->rate, (unsigned)s->daily, brand_index(c, s->brand),
		                                 s->reset_zone};
	}
	return to;
}

static struct dispatch_brand *brands_of(const struct config *c)
{
	struct dispatch_brand *to = mem_alloc((c->brands + 1) * sizeof(*to));
	for (unsigned i = 0; i < c->brands; i++)
		to[i] = (struct dispatch_brand){c->brand[i].name, (unsigned)c->brand[i].daily, c->brand[i].reset_zone};
	return to;
}

struct dispatch_flow app_flow(const struct config *c)
{
	struct dispatch_flow flow = {
	        .senders = senders_of(c), .sender_count = c->senders, .brands = brands_of(c), .brand_count = c->brands};
	flow.routes = routes_of(c, &flow.route_count);
	return flow;
}

void app_flow_free(struct dispatch_flow *flow)
{
	free((void *)flow->routes);
	free((void *)flow->senders);
	free((void *)flow->brands);
}
