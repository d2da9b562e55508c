/* Webhook endpoints: what the API (app_webhook.c) and the command (app_webhook_command.c) share. */
#ifndef APP_WEBHOOK_H
#define APP_WEBHOOK_H

#include "base_bytes.h"

#include <stdbool.h>

#define APP_WEBHOOK_SECRET_BYTES 64

/* A new signing secret, "whsec_" and 32 octets in base64. */
void app_webhook_secret(char to[APP_WEBHOOK_SECRET_BYTES]);
/* Whether a URL given to a command may be one, by its looks: where it leads is judged when it is posted to. False with
 * the usage error told. */
bool app_webhook_url(const char *url, const char *option);
/* Whether practices are told of that event type (proto/event.def). */
bool app_webhook_type(struct view type);
/* Takes an event's webhook id apart: "evt_735_1025". False when it is none. */
bool app_webhook_event(struct view id, char xact[24], int64_t *event_id_r);
/* Appends a public key of Standard Webhooks ("whpk_...") made from the private one in hex. */
void app_webhook_public(struct view private_hex, struct buf *to);

#endif
