/* Webhook endpoints: what the API (api_webhook.c) and the command (app_webhook_command.c) share. */
#ifndef API_WEBHOOK_H
#define API_WEBHOOK_H

#include "base_bytes.h"

#include <stdbool.h>

#define WEBHOOK_SECRET_BYTES 64

/* A new signing secret, "whsec_" and 32 octets in base64. */
void webhook_secret(char to[WEBHOOK_SECRET_BYTES]);
/* What is wrong with the looks of a URL that a person of the operator's gives; NULL when nothing is. Where it leads is
 * judged when it is posted to. */
const char *webhook_url_fault(const char *url);
/* Whether practices are told of that event type (proto/event.def). */
bool webhook_type(struct view type);
/* Takes an event's webhook id apart: "evt_735_1025". False when it is none. */
bool webhook_event(struct view id, char xact[24], int64_t *event_id_r);
/* Appends a public key of Standard Webhooks ("whpk_...") made from the private one in hex. */
void webhook_public(struct view private_hex, struct buf *to);

#endif
