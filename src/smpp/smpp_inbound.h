/* What the octets of a peer do to a session. */
#ifndef SMPP_INBOUND_H
#define SMPP_INBOUND_H

#include "smpp_machine.h"

/* Handles the next whole PDU of the input: events are held, answers written. False when there is none to handle. */
bool smpp_inbound_next(struct smpp_session *s);

#endif
