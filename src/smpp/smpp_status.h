/* command_status: names, meaning, and what to do with the message. Rows: proto/smpp_status.def. SMPP 3.4 5.1.3. */
#ifndef SMPP_STATUS_H
#define SMPP_STATUS_H

#include <stddef.h>
#include <stdint.h>

enum smpp_status {
#define SMPP_STATUS(name, code, class, sentence) ESME_##name = code,
#include "smpp_status.def"
#undef SMPP_STATUS
};

enum smpp_class {
	SMPP_CLASS_OK,        /* done */
	SMPP_CLASS_THROTTLE,  /* nothing left us that was kept: slow down, try this one again */
	SMPP_CLASS_TRANSIENT, /* try again later, few times (LIMIT_REFUSALS) */
	SMPP_CLASS_SESSION,   /* the session is at fault, not the message */
	SMPP_CLASS_PERMANENT, /* this message will never go */
};

const char *smpp_status_name(uint32_t status); /* "ESME_RTHROTTLED"; "vendor" 0x400-0x4ff; "unknown" */
/* The name, and the number where no specification has one: "vendor 0x00000435" (trap 20). Cut to cap, which holds
 * SMPP_STATUS_TEXT octets at most. */
#define SMPP_STATUS_TEXT 40
void smpp_status_text(uint32_t status, char *text_r, size_t cap);
enum smpp_class smpp_status_class(uint32_t status); /* vendor, unknown: transient (trap 20) */
const char *smpp_class_name(enum smpp_class c);     /* "ok", "throttle", ... */
const char *smpp_status_sentence(uint32_t status);

#endif
