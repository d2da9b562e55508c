/* From the configuration's carriers, routes, senders and brands to what dispatch and the gate take. */
#ifndef APP_CARRIERS_H
#define APP_CARRIERS_H

#include "config_load.h"
#include "config_tlv.h"
#include "dispatch.h"
#include "link_gate.h"

/* A carrier; tls NULL for none. tlvs are where its vendor TLVs are parsed to; both live as long as the result. */
struct carrier_tlvs {
	struct config_tlvs *parsed;
	struct smpp_tlv row[LIMIT_CARRIER_TLVS];
};
struct dispatch_carrier app_carrier(const struct config_carrier *c, struct tls_context *tls, struct carrier_tlvs *tlvs);

/* Accounts of the carriers that connect to us, in to[LIMIT_CARRIERS]; how many. */
unsigned app_gate_accounts(const struct config *c, struct gate_account *to);

/* Routes, senders and brands of a configuration, whose texts they point to. Without routes every carrier takes
 * everything. Free with app_flow_free, after dispatch was given another. */
struct dispatch_flow app_flow(const struct config *c);
void app_flow_free(struct dispatch_flow *flow);

#endif
