/* Requests that wait for their answer: slots found by sequence_number in constant time, kept in the order of their
 * writing, so that the head has the nearest deadline; and the last LIMIT_LATE that ran out of time (trap 14). All
 * memory is taken when the window is made. */
#ifndef SMPP_WINDOW_H
#define SMPP_WINDOW_H

#include "smpp_pdu.h"

struct smpp_slot {
	uint64_t ref;
	int64_t written_ms;
	uint32_t sequence;
	enum smpp_command answer; /* the command that answers it */
};

struct smpp_window;

struct smpp_window *smpp_window_new(unsigned slots);
void smpp_window_free(struct smpp_window *w);
/* Forgets all slots and all late ones. */
void smpp_window_clear(struct smpp_window *w);

unsigned smpp_window_used(const struct smpp_window *w);
unsigned smpp_window_free_slots(const struct smpp_window *w);
/* Whether a sequence_number is in a slot or among the late. */
bool smpp_window_has(const struct smpp_window *w, uint32_t sequence);
/* Opens a slot that is not yet written; there must be a free one and the sequence must be new. */
void smpp_window_open(struct smpp_window *w, uint64_t ref, uint32_t sequence, enum smpp_command answer);
/* All slots not yet written are now. */
void smpp_window_written(struct smpp_window *w, int64_t now_ms);
/* Closes the slot of a sequence whose answer is the command (SMPP_generic_nack answers all); false when none is. */
bool smpp_window_close(struct smpp_window *w, uint32_t sequence, enum smpp_command answer, struct smpp_slot *slot_r);
/* The same among the late. */
bool smpp_window_close_late(struct smpp_window *w, uint32_t sequence, enum smpp_command answer,
                            struct smpp_slot *slot_r);
/* Time at which the oldest written slot was written; INT64_MAX when there is none. */
int64_t smpp_window_oldest_ms(const struct smpp_window *w);
/* Moves the oldest written slot to the late. */
void smpp_window_expire(struct smpp_window *w, struct smpp_slot *slot_r);
/* Takes any slot out, those not yet written first; false when there is none. */
bool smpp_window_pop(struct smpp_window *w, struct smpp_slot *slot_r, bool *written_r);

#endif
